/* SPDX-License-Identifier: Apache-2.0 */
/* proto.h - what a protocol is to the load generator: one file with one struct proto, listed in
 * proto.c.
 *
 * A connection carries requests one after the other (pipelined), and answers come in the same
 * order; datagrams may be lost or come in any order and carry an id. Answers are parsed as they
 * come: `answer` gets whatever bytes arrived, keeps its place in the connection's state, and says
 * when one answer is complete. Nothing here knows of time or sockets.
 */
#ifndef GODWIT_LOAD_PROTO_H
#define GODWIT_LOAD_PROTO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "tools/base/util.h"
#include "tools/load/rng.h"
#include "tools/load/url.h"

/* What the user asked for. Each protocol takes what it knows and refuses what makes no sense to it.
 */
struct proto_options {
	struct url url;
	bool verify;   /* check the content of every answer */
	uint64_t seed; /* different for each run */
	uint32_t pipeline;
	uint32_t connections;
	const char *mix;	     /* redis: commands and weights */
	uint64_t keys;		     /* redis: how many */
	double zipf;		     /* redis: theta, 0 for uniform */
	uint32_t size;		     /* bytes of a value, an echo's payload */
	const char *method, *body;   /* http; body NULL: none */
	const struct words *headers; /* http: "Name: value" */
};

/* What `answer` reports. The caller has zeroed it. */
struct proto_answer {
	bool done;     /* one answer is complete */
	bool close;    /* and the server will close the connection after it: not an error */
	bool error;    /* the server answered that it could not (HTTP 500, redis -ERR) */
	bool wrong;    /* the content is not what it must be (verify) */
	uint64_t id;   /* datagrams: which request */
	char why[160]; /* with error or wrong, or when answer returns -1 */
};

struct proto {
	const char *scheme;
	uint16_t port; /* unless the URL has one; 0: it must */
	bool datagram;
	size_t conn_size; /* bytes of state for each connection; zeroed before open */

	/* prepare - check the options, and make what all connections share (read-only from then
	 * on). 0 or -1 (fail). */
	int (*prepare)(const struct proto_options *o, void **shared);
	void (*release)(void *shared);

	/* open - a connection (number index, for the generation-th time) was made. close - it is
	 * gone. */
	void (*open)(void *conn, const void *shared, uint32_t index, uint32_t generation);
	void (*close)(void *conn);

	/* request - add the bytes of the next request to out. id counts a connection's requests
	 * from 0. */
	void (*request)(void *conn, struct text *out, struct rng *rng, uint64_t id);

	/* answer - look at n > 0 bytes; stop behind the end of one answer. Returns the bytes taken
	 * (at least 1 unless done; datagrams: all), or -1 when this is not the protocol (why says
	 * how). */
	ssize_t (*answer)(void *conn, const uint8_t *in, size_t n, struct proto_answer *a);

	/* end - the server closed the connection while an answer was due: does that complete it?
	 * May be NULL (no). */
	bool (*end)(void *conn, struct proto_answer *a);
};

extern const struct proto proto_redis, proto_http, proto_tcp, proto_udp;

/* proto_find - by a URL's scheme; NULL after fail(). */
const struct proto *proto_find(const char *scheme);

#endif
