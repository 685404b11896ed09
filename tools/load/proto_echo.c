/* SPDX-License-Identifier: Apache-2.0 */
/* proto_echo.c - tcp:// and udp://: --size bytes that the server must send back unchanged. A
 * payload begins with the request's id; the rest follows from it, so that a byte out of place is
 * seen. Every answer is always checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/proto.h"

#define ID_BYTES 8u

struct echo {
	uint32_t size;
	uint64_t seed;
	uint64_t expected; /* tcp: the id of the next answer */
	uint32_t at;	   /* tcp: bytes of it that came */
	uint64_t word;	   /* tcp: eight bytes of the pattern */
};

static int prepare(const struct proto_options *o, void **shared)
{
	struct echo *e;

	if (o->size < ID_BYTES)
		return fail("--size %u: an echo needs %u bytes at least, for its number", o->size,
			    ID_BYTES);
	e = xcalloc(1, sizeof(*e));
	e->size = o->size;
	e->seed = o->seed;
	*shared = e;
	return 0;
}

static int prepare_udp(const struct proto_options *o, void **shared)
{
	if (o->size > 65000)
		return fail("--size %u: a datagram has 65000 bytes at most", o->size);
	return prepare(o, shared);
}

static void open_conn(void *conn, const void *shared, uint32_t index, uint32_t generation)
{
	struct echo *e = conn;

	*e = *(const struct echo *)shared;
	e->seed += index;
	(void)generation;
}

/* Eight bytes of a request's payload; the first are its id. */
static uint64_t pattern(const struct echo *e, uint64_t id, uint32_t block)
{
	return block == 0 ? id
			  : (id + 1) * 0x9e3779b97f4a7c15ull ^
				    (e->seed + block) * 0xbf58476d1ce4e5b9ull;
}

static void request(void *conn, struct text *out, struct rng *rng, uint64_t id)
{
	struct echo *e = conn;

	(void)rng;
	for (uint32_t at = 0; at < e->size; at += 8) {
		uint64_t word = pattern(e, id, at / 8);

		text_add(out, &word, e->size - at < 8 ? e->size - at : 8);
	}
}

static ssize_t answer(void *conn, const uint8_t *in, size_t n, struct proto_answer *a)
{
	struct echo *e = conn;
	size_t took = 0;

	while (took < n && e->at < e->size) {
		if (e->at % 8 == 0)
			e->word = pattern(e, e->expected, e->at / 8);
		if (in[took] != (uint8_t)(e->word >> (8 * (e->at % 8)))) {
			snprintf(a->why, sizeof(a->why), "byte %u of an echo is not what was sent",
				 e->at);
			return -1;
		}
		took++;
		e->at++;
	}
	if (e->at == e->size) {
		e->at = 0;
		e->expected++;
		a->done = true;
	}
	return (ssize_t)took;
}

static ssize_t answer_udp(void *conn, const uint8_t *in, size_t n, struct proto_answer *a)
{
	struct echo *e = conn;

	if (n != e->size) {
		snprintf(a->why, sizeof(a->why), "an echo of %zu bytes where %u were sent", n,
			 e->size);
		return -1;
	}
	memcpy(&a->id, in, ID_BYTES);
	for (uint32_t at = ID_BYTES; at < e->size; at += 8) {
		uint64_t word = pattern(e, a->id, at / 8);

		if (memcmp(in + at, &word, e->size - at < 8 ? e->size - at : 8) != 0) {
			snprintf(a->why, sizeof(a->why),
				 "an echo's bytes from %u on are not what was sent", at);
			a->wrong = true;
			break;
		}
	}
	a->done = true;
	return (ssize_t)n;
}

const struct proto proto_tcp = { .scheme = "tcp",
				 .conn_size = sizeof(struct echo),
				 .prepare = prepare,
				 .release = free,
				 .open = open_conn,
				 .request = request,
				 .answer = answer };
const struct proto proto_udp = { .scheme = "udp",
				 .datagram = true,
				 .conn_size = sizeof(struct echo),
				 .prepare = prepare_udp,
				 .release = free,
				 .open = open_conn,
				 .request = request,
				 .answer = answer_udp };
