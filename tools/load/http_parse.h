/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.h - HTTP/1.1 responses as a stream of bytes: status, Content-Length, chunked, until
 * the end. Keeps no body. */
#ifndef GODWIT_LOAD_HTTP_PARSE_H
#define GODWIT_LOAD_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum http_state {
	HTTP_STATUS,
	HTTP_HEADER,
	HTTP_BODY,
	HTTP_UNTIL_END,
	HTTP_CHUNK_SIZE,
	HTTP_CHUNK,
	HTTP_CHUNK_END,
	HTTP_TRAILER
};

struct http_parser {
	enum http_state state;
	bool head; /* answers to HEAD have no body */
	bool chunked, has_length, close;
	uint16_t status;
	uint32_t headers;    /* bytes of headers so far */
	uint64_t left;	     /* of the body or chunk */
	uint64_t body, hash; /* bytes of the body so far, and FNV-1a of them when hashing */
	bool hashing;
	size_t line_len; /* of the line that is being read; what is beyond line's room is not kept
			  */
	char line[256];
	const char *why; /* after -1 */
};

#define HTTP_HEADERS_MAX 65536u

void http_init(struct http_parser *p, bool head, bool hashing);

/* http_feed - take bytes up to the end of one response. Returns how many, or -1 (why). *done: it is
 * complete; status, body, hash and close are its, until the next call. 1xx responses are passed
 * over. */
ssize_t http_feed(struct http_parser *p, const uint8_t *in, size_t n, bool *done);

/* http_end - the connection was closed: true when that is how this response ends. */
bool http_end(const struct http_parser *p);

#endif
