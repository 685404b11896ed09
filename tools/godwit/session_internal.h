/* SPDX-License-Identifier: Apache-2.0 */
/* session_internal.h - the byte pumps of a session (pump.c). */
#ifndef GODWIT_TOOLS_SESSION_INTERNAL_H
#define GODWIT_TOOLS_SESSION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUMP_BYTES 65536u

/* Bytes on their way from one descriptor to another. It reads only while it has room, so a slow
 * reader slows the writer and nothing is lost. */
struct pump {
	int from, to; /* -1: closed (or none: `to` of what is kept, `from` of what is made here) */
	size_t start, len;
	uint64_t total; /* bytes read */
	bool to_failed; /* the reader is gone (EPIPE and the like); what comes is dropped */
	char data[PUMP_BYTES];
};

bool pump_wants_input(const struct pump *p);
bool pump_wants_output(const struct pump *p);

/* pump_input - read once; pump_output - write once. Call when poll says so. At the end of the input
 * `from` becomes -1 (it is not closed). */
void pump_input(struct pump *p);
void pump_output(struct pump *p);

/* pump_put - add bytes made here. Returns false when there is no room (nothing is added). */
bool pump_put(struct pump *p, const void *bytes, size_t n);

#endif
