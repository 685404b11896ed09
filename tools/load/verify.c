/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - see verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/verify.h"

/* The commands whose effect is modelled, and the kinds of their words behind the name. */
static const struct {
	const char *name;
	uint32_t words;
	enum mix_part_kind kinds[2];
	char expects;
} modelled[] = {
	{ "GET", 2, { MIX_KEY }, 'V' },	     { "SET", 3, { MIX_KEY, MIX_VALUE }, 'O' },
	{ "DEL", 2, { MIX_KEY }, 'D' },	     { "EXISTS", 2, { MIX_KEY }, 'X' },
	{ "INCR", 2, { MIX_COUNTER }, 'N' }, { "PING", 1, { MIX_TEXT }, 'P' },
	{ "ECHO", 2, { MIX_VALUE }, 'E' },
};
#define MODELLED (sizeof(modelled) / sizeof(modelled[0]))

static char model(const struct mix_command *c)
{
	for (size_t i = 0; i < MODELLED; i++) {
		bool same = strcmp(c->name, modelled[i].name) == 0 &&
			    c->n_words == modelled[i].words && c->n_parts == c->n_words;

		for (uint32_t w = 1; same && w < c->n_words; w++)
			same = c->parts[w].kind == modelled[i].kinds[w - 1];
		if (same)
			return modelled[i].expects;
	}
	return 0;
}

int verify_can(const struct mix *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		if (model(&m->commands[i]) == 0)
			return fail("--verify: the answers of this %s cannot be checked (known: "
				    "GET, DEL and EXISTS {key}, "
				    "SET {key} {value}, INCR {counter}, ECHO {value}, PING)",
				    m->commands[i].name);
	}
	return 0;
}

void verify_init(struct verifier *v, uint64_t seed, uint64_t keys, uint32_t size, uint32_t pipeline)
{
	*v = (struct verifier){ .seed = seed, .keys = keys, .size = size, .room = pipeline };
	v->versions = xcalloc(keys, sizeof(*v->versions));
	v->counters = xcalloc(keys, sizeof(*v->counters));
	v->due = xcalloc(pipeline, sizeof(*v->due));
}

void verify_free(struct verifier *v)
{
	free(v->versions);
	free(v->counters);
	free(v->due);
	*v = (struct verifier){ 0 };
}

int64_t verify_sent(struct verifier *v, const struct mix_command *c, uint64_t key)
{
	struct expectation *e = &v->due[(v->head + v->n) % v->room];

	*e = (struct expectation){ .what = model(c), .key = key };
	v->n++;
	switch (e->what) {
	case 'V':
		e->n = v->versions[key];
		break;
	case 'O':
		e->n = ++v->issued;
		v->versions[key] = (uint32_t)e->n;
		break;
	case 'E':
		e->n = ++v->issued;
		break;
	case 'D':
	case 'X':
		e->n = v->versions[key] != 0;
		if (e->what == 'D')
			v->versions[key] = 0;
		e->what = 'I';
		break;
	case 'N':
		e->n = ++v->counters[key];
		e->what = 'I';
		break;
	default:
		break;
	}
	return e->n;
}

void verify_value(const struct verifier *v, uint64_t key, int64_t version, char *out)
{
	struct rng rng = { v->seed ^ key << 32 ^ (uint64_t)version };
	uint64_t word = 0;

	for (uint32_t i = 0; i < v->size; i++) {
		if (i % 8 == 0)
			word = rng_next(&rng);
		out[i] = (char)('A' + (word >> 8 * (i % 8)) % 26);
	}
}

static bool same_value(const struct verifier *v, const struct expectation *e,
		       const struct resp_parser *p)
{
	char *want;
	bool same;

	if (p->type != '$' || p->nil || p->len != v->size || p->room < v->size)
		return false;
	want = xcalloc(1, v->size);
	verify_value(v, e->key, e->n, want);
	same = v->size == 0 || memcmp(want, p->text, v->size) == 0;
	free(want);
	return same;
}

static bool is_text(const struct resp_parser *p, const char *text)
{
	size_t n = strlen(text);

	return p->type == '+' && p->len == n && p->room >= n && memcmp(p->text, text, n) == 0;
}

bool verify_answer(struct verifier *v, const struct resp_parser *p, char *why, size_t room)
{
	const struct expectation e = v->due[v->head];
	bool right;

	v->head = (v->head + 1) % v->room;
	v->n--;
	switch (e.what) {
	case 'V':
		right = e.n == 0 ? p->nil : same_value(v, &e, p);
		break;
	case 'E':
		right = same_value(v, &e, p);
		break;
	case 'I':
		right = p->type == ':' && p->number == e.n;
		break;
	case 'O':
		right = is_text(p, "OK");
		break;
	case 'P':
		right = is_text(p, "PONG");
		break;
	default:
		right = true;
		break;
	}
	if (!right && e.what == 'I')
		snprintf(why, room,
			 "key %" PRIu64 ": wanted the number %" PRId64 ", got %c with %" PRId64,
			 e.key, e.n, p->type, p->number);
	else if (!right && (e.what == 'V' || e.what == 'E'))
		snprintf(why, room, "key %" PRIu64 ": wanted %s %" PRId64 ", got %s of %zu bytes",
			 e.key, e.n == 0 ? "nil, not version" : "the value of version", e.n,
			 p->nil ? "nil" : "an answer", p->len);
	else if (!right)
		snprintf(why, room, "wanted %s, got an answer of type %c",
			 e.what == 'O' ? "OK" : "PONG", p->type);
	return right;
}
