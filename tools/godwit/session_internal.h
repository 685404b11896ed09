/* SPDX-License-Identifier: Apache-2.0 */
/* session_internal.h - the byte pumps of a session (pump.c), and what it does for each partition
 * (session_guest.c). */
#ifndef GODWIT_TOOLS_SESSION_INTERNAL_H
#define GODWIT_TOOLS_SESSION_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/godwit/session.h"

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

/* session_read - one read into buf; false at the end of the stream, which is then closed (-1). */
bool session_read(int *fd, char *buf, size_t room, size_t *n);

/* session_lines - read once from a guest's stream and put whole lines, each with its name before
 * it, into p. Call it only while session_has_room(p). What is unfinished at the stream's end, or
 * longer than SESSION_LINE, becomes a line. */
bool session_has_room(const struct pump *p);
void session_lines(struct session_guest *g, enum stream stream, struct pump *p);

/* session_health - the kernel's log came: what it says of partitions' errors goes to stderr, when
 * there are several and the log is not shown anyway. */
void session_health(struct session *s, const char *bytes, size_t n);

/* session_boot - a boot record came: notices a restart, whose records begin anew. */
void session_boot(struct session_guest *g);

/* session_metric - a line of metrics came; all are answered to whoever waits when the last guest
 * has sent all of its own. session_metrics_late - or when one took too long. */
void session_metric(struct session *s, struct session_guest *g);
void session_metrics_late(struct session *s);

#endif
