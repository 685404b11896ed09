/* SPDX-License-Identifier: Apache-2.0 */
/* mix.c - see mix.h. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/mix.h"

/* Names that stand for a whole command. */
static const char *const defaults[][2] = {
	{ "get", "GET {key}" },
	{ "set", "SET {key} {value}" },
	{ "del", "DEL {key}" },
	{ "exists", "EXISTS {key}" },
	{ "incr", "INCR {counter}" },
	{ "ping", "PING" },
	{ "echo", "ECHO {value}" },
	{ "append", "APPEND {key} {value}" },
	{ "lpush", "LPUSH list:{key} {value}" },
	{ "rpop", "RPOP list:{key}" },
	{ "sadd", "SADD set:{key} {random:1000}" },
	{ "hset", "HSET hash:{key} f{random:16} {value}" },
	{ "hget", "HGET hash:{key} f{random:16}" },
	{ "zadd", "ZADD sorted {random:1000000} {key}" },
};
#define DEFAULTS (sizeof(defaults) / sizeof(defaults[0]))

static struct mix_part *add_part(struct mix_command *c, enum mix_part_kind kind)
{
	c->parts = xrealloc(c->parts, c->n_parts + 1, sizeof(*c->parts));
	c->parts[c->n_parts] = (struct mix_part){ .kind = kind };
	return &c->parts[c->n_parts++];
}

/* {key} and the like, n bytes with the braces. */
static int placeholder(struct mix_command *c, const char *s, size_t n)
{
	static const char random[] = "{random:";
	char digits[24];
	uint64_t bound;

	if (n == 5 && strncmp(s, "{key}", n) == 0) {
		add_part(c, MIX_KEY);
		c->keyed = true;
	} else if (n == 9 && strncmp(s, "{counter}", n) == 0) {
		add_part(c, MIX_COUNTER);
		c->keyed = true;
	} else if (n == 7 && strncmp(s, "{value}", n) == 0) {
		add_part(c, MIX_VALUE);
	} else if (n > sizeof(random) && n < sizeof(random) + 20 &&
		   strncmp(s, random, sizeof(random) - 1) == 0) {
		memcpy(digits, s + sizeof(random) - 1, n - sizeof(random));
		digits[n - sizeof(random)] = '\0';
		if (parse_u64(digits, 1, UINT64_MAX / 2, &bound) != 0)
			return fail("--mix: %.*s: not a number above 0", (int)n, s);
		add_part(c, MIX_RANDOM)->bound = bound;
	} else {
		return fail("--mix: %.*s is not {key}, {value}, {counter} or {random:N}", (int)n,
			    s);
	}
	return 0;
}

static int word(struct mix_command *c, const char *s)
{
	while (*s != '\0') {
		size_t n = strcspn(s, "{");
		const char *close = strchr(s, '}');

		if (n > 0) {
			struct mix_part *p = add_part(c, MIX_TEXT);

			p->text = xstrndup(s, n);
			p->len = (uint32_t)n;
		} else if (close == NULL) {
			return fail("--mix: the { in '%s' is not closed", s);
		} else {
			n = (size_t)(close - s) + 1;
			if (placeholder(c, s, n) != 0)
				return -1;
		}
		s += n;
	}
	if (c->n_parts == 0 || c->parts[c->n_parts - 1].last)
		add_part(c, MIX_TEXT)->text = xstrdup(""); /* an empty word */
	c->parts[c->n_parts - 1].last = true;
	c->n_words++;
	return 0;
}

static const char *expand(const char *text)
{
	const char *names[DEFAULTS + 1] = { 0 };

	if (strpbrk(text, " \t") != NULL || isupper((unsigned char)text[0]))
		return text;
	for (size_t i = 0; i < DEFAULTS; i++) {
		if (strcmp(text, defaults[i][0]) == 0)
			return defaults[i][1];
		names[i] = defaults[i][0];
	}
	const char *near = nearest(text, names);

	fail("--mix: '%s' is not a command known by name alone%s%s; write it out, as 'GET {key}'",
	     text, near != NULL ? "; did you mean " : "", near != NULL ? near : "");
	return NULL;
}

static int command(struct mix *m, char *text)
{
	struct mix_command *c = &m->commands[m->n];
	char *colon = strrchr(text, ':');
	struct words words = { 0 };
	uint64_t weight = 1;
	const char *whole;
	int rc = 0;

	if (m->n == MIX_MAX)
		return fail("--mix: more than %u commands", MIX_MAX);
	if (colon != NULL && strchr(colon, '}') == NULL) {
		if (parse_u64(colon + 1, 1, 1000000, &weight) != 0)
			return fail(
				"--mix: '%s': the weight behind the colon is not a number above 0",
				text);
		*colon = '\0';
	}
	whole = expand(text);
	if (whole == NULL || words_split(&words, whole) != 0) {
		words_free(&words);
		return -1;
	}
	m->n++;
	m->total += weight;
	c->below = m->total;
	if (words.n == 0 || words.n > MIX_WORDS)
		rc = fail("--mix: '%s': a command has 1 to %u words", whole, MIX_WORDS);
	for (size_t i = 0; rc == 0 && i < words.n; i++)
		rc = word(c, words.v[i]);
	for (size_t i = 0; rc == 0 && i < sizeof(c->name) - 1 && words.v[0][i] != '\0'; i++)
		c->name[i] = (char)toupper((unsigned char)words.v[0][i]);
	words_free(&words);
	return rc;
}

int mix_parse(struct mix *m, const char *text)
{
	char *copy = xstrdup(text), *save = NULL;
	int rc = 0;

	*m = (struct mix){ 0 };
	for (char *p = strtok_r(copy, ",", &save); rc == 0 && p != NULL;
	     p = strtok_r(NULL, ",", &save)) {
		p += strspn(p, " ");
		rc = command(m, p);
	}
	if (rc == 0 && m->n == 0)
		rc = fail("--mix: no command in '%s'", text);
	free(copy);
	return rc;
}

void mix_free(struct mix *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		for (uint32_t j = 0; j < m->commands[i].n_parts; j++)
			free(m->commands[i].parts[j].text);
		free(m->commands[i].parts);
	}
	*m = (struct mix){ 0 };
}

const struct mix_command *mix_draw(const struct mix *m, struct rng *rng)
{
	uint64_t draw = rng_below(rng, m->total);
	uint32_t i = 0;

	while (m->commands[i].below <= draw)
		i++;
	return &m->commands[i];
}
