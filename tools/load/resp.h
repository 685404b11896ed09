/* SPDX-License-Identifier: Apache-2.0 */
/* resp.h - redis answers (RESP 2 and 3) as a stream of bytes. Of the top-level value it keeps kind,
 * number and, for strings, the first bytes; what is inside arrays and maps is only walked over,
 * without recursion. */
#ifndef GODWIT_LOAD_RESP_H
#define GODWIT_LOAD_RESP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct resp_parser {
	uint64_t due;	    /* values that the answer still needs; 0: none has begun */
	bool in_bulk, deep; /* within a string's bytes; below the top level */
	uint64_t left;	    /* of these, with the \r\n */
	size_t line_len;
	char line[512];
	char type; /* of the top-level value: + - : $ * _ ... */
	bool nil;
	int64_t number;	  /* of : $ * */
	char *text;	  /* + - $: up to room bytes, not terminated; the caller's buffer */
	size_t room, len; /* len: the full length */
	bool keep_first,
		kept; /* text is of the first string in an array, instead: a command's name */
	const char *why;
};

/* resp_init - text may be NULL with room 0. */
void resp_init(struct resp_parser *p, char *text, size_t room);

/* resp_feed - as http_feed. */
ssize_t resp_feed(struct resp_parser *p, const uint8_t *in, size_t n, bool *done);

#endif
