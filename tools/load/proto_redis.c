/* SPDX-License-Identifier: Apache-2.0 */
/* proto_redis.c - redis://: the commands of --mix over --keys keys. With --verify every answer is
 * checked (verify.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/proto.h"
#include "tools/load/verify.h"
#include "tools/load/zipf.h"

#define NOISE_BYTES 65536u

struct redis_shared {
	struct mix mix;
	struct zipf zipf;
	bool use_zipf, verify;
	uint64_t keys, seed;
	uint32_t size, pipeline;
	char *noise; /* values are cut from it when nothing is verified: size + NOISE_BYTES */
};

struct redis_conn {
	const struct redis_shared *shared;
	struct resp_parser parser;
	struct verifier verifier;
	char *text;	 /* of an answer */
	char *value;	 /* of a request, when verified */
	char prefix[64]; /* of keys, when verified */
};

static void release(void *shared)
{
	struct redis_shared *s = shared;

	mix_free(&s->mix);
	free(s->noise);
	free(s);
}

static int prepare(const struct proto_options *o, void **shared)
{
	struct redis_shared *s = xcalloc(1, sizeof(*s));
	struct rng rng = { o->seed };

	s->verify = o->verify;
	s->keys = o->verify ? (o->keys + o->connections - 1) / o->connections : o->keys;
	s->seed = o->seed;
	s->size = o->size;
	s->pipeline = o->pipeline;
	s->use_zipf = o->zipf > 0;
	if (s->use_zipf)
		zipf_init(&s->zipf, s->keys, o->zipf);
	if (mix_parse(&s->mix, o->mix) != 0 || (o->verify && verify_can(&s->mix) != 0)) {
		release(s);
		return -1;
	}
	s->noise = xcalloc(1, s->size + NOISE_BYTES);
	for (uint32_t i = 0; i < s->size + NOISE_BYTES; i++)
		s->noise[i] = (char)('a' + rng_below(&rng, 26));
	*shared = s;
	return 0;
}

static void open_conn(void *conn, const void *shared, uint32_t index, uint32_t generation)
{
	struct redis_conn *c = conn;

	c->shared = shared;
	if (c->shared->verify) {
		/* keys that no other connection, no earlier one and no earlier run had: all absent
		 */
		snprintf(c->prefix, sizeof(c->prefix), "gwl:%" PRIx64 ":%u:%u:", c->shared->seed,
			 index, generation);
		verify_init(&c->verifier, c->shared->seed + index, c->shared->keys, c->shared->size,
			    c->shared->pipeline);
		c->value = xcalloc(1, c->shared->size);
	}
	c->text = xcalloc(1, c->shared->size + 128);
	resp_init(&c->parser, c->text, c->shared->size + 128);
}

static void close_conn(void *conn)
{
	struct redis_conn *c = conn;

	if (c->shared->verify)
		verify_free(&c->verifier);
	free(c->value);
	free(c->text);
}

/* What a placeholder stands for in this request; returns its bytes. */
static size_t fill(struct redis_conn *c, const struct mix_part *p, struct rng *rng, uint64_t key,
		   char *to, size_t room, const char **bytes)
{
	const struct redis_shared *s = c->shared;

	*bytes = to;
	switch (p->kind) {
	case MIX_TEXT:
		*bytes = p->text;
		return p->len;
	case MIX_VALUE:
		*bytes = s->verify ? c->value : s->noise + rng_below(rng, NOISE_BYTES);
		return s->size;
	case MIX_KEY:
		return (size_t)snprintf(to, room, "%skey:%" PRIu64, c->prefix, key);
	case MIX_COUNTER:
		return (size_t)snprintf(to, room, "%scounter:%" PRIu64, c->prefix, key);
	case MIX_RANDOM:
	default:
		return (size_t)snprintf(to, room, "%" PRIu64, rng_below(rng, p->bound));
	}
}

static void add_number(struct text *out, char type, size_t n)
{
	char line[32], *end = line + sizeof(line), *at = end;

	*--at = '\n';
	*--at = '\r';
	do {
		*--at = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	*--at = type;
	text_add(out, at, (size_t)(end - at));
}

static void request(void *conn, struct text *out, struct rng *rng, uint64_t id)
{
	struct redis_conn *c = conn;
	const struct redis_shared *s = c->shared;
	const struct mix_command *m = mix_draw(&s->mix, rng);
	uint64_t key = s->use_zipf ? zipf_next(&s->zipf, rng) : rng_below(rng, s->keys);

	(void)id;
	if (s->verify)
		verify_value(&c->verifier, key, verify_sent(&c->verifier, m, key), c->value);
	add_number(out, '*', m->n_words);
	for (uint32_t i = 0; i < m->n_parts;) {
		char room[MIX_WORDS][128];
		const char *bytes[MIX_WORDS];
		size_t lengths[MIX_WORDS], len = 0;
		uint32_t n = 0;
		bool last = false;

		while (!last && n < MIX_WORDS) {
			lengths[n] = fill(c, &m->parts[i], rng, key, room[n], sizeof(room[n]),
					  &bytes[n]);
			len += lengths[n++];
			last = m->parts[i++].last;
		}
		add_number(out, '$', len);
		for (uint32_t j = 0; j < n; j++)
			text_add(out, bytes[j], lengths[j]);
		text_add(out, "\r\n", 2);
	}
}

static ssize_t answer(void *conn, const uint8_t *in, size_t n, struct proto_answer *a)
{
	struct redis_conn *c = conn;
	ssize_t took = resp_feed(&c->parser, in, n, &a->done);

	if (took < 0) {
		snprintf(a->why, sizeof(a->why), "%s", c->parser.why);
		return -1;
	}
	if (!a->done)
		return took;
	if (c->parser.type == '-') {
		int len = (int)(c->parser.len < 100 ? c->parser.len : 100);

		a->error = true;
		snprintf(a->why, sizeof(a->why), "%.*s", len, c->text);
	}
	/* also after an error, to stay in step */
	if (c->shared->verify && c->verifier.n > 0 &&
	    !verify_answer(&c->verifier, &c->parser, a->why, sizeof(a->why)))
		a->wrong = true;
	return took;
}

const struct proto proto_redis = { .scheme = "redis",
				   .port = 6379,
				   .conn_size = sizeof(struct redis_conn),
				   .prepare = prepare,
				   .release = release,
				   .open = open_conn,
				   .close = close_conn,
				   .request = request,
				   .answer = answer };
