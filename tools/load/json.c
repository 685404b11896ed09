/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - see json.h. Files may be of anyone: nothing in them is trusted. Without recursion: open
 * values are a stack. */
#include <stdlib.h>
#include <string.h>

#include "tools/base/util.h"
#include "tools/load/json.h"

#define DEPTH 16u

struct reader {
	struct json *j;
	const char *start, *at;
	size_t open[DEPTH]; /* indices of the arrays and objects around */
	size_t depth;
};

static int bad(const struct reader *r, const char *what)
{
	return fail("not JSON at byte %zu: %s", (size_t)(r->at - r->start), what);
}

static void blanks(struct reader *r)
{
	r->at += strspn(r->at, " \t\r\n");
}

static struct json_value *add(struct reader *r, enum json_kind kind, char *key)
{
	struct json *j = r->j;

	if (j->n == j->room) {
		j->room = j->room * 2 + 64;
		j->v = xrealloc(j->v, j->room, sizeof(*j->v));
	}
	j->v[j->n] = (struct json_value){ .kind = kind, .key = key, .after = j->n + 1 };
	if (r->depth > 0)
		j->v[r->open[r->depth - 1]].children++;
	return &j->v[j->n++];
}

/* The escape behind a backslash; what is beyond ASCII becomes '?'. */
static int escape(struct reader *r, struct text *t)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found = *r->at != '\0' ? strchr(from, *r->at) : NULL;
	char c = '?';

	if (found != NULL) {
		c = to[found - from];
		r->at++;
	} else if (*r->at == 'u' && strspn(r->at + 1, "0123456789abcdefABCDEF") >= 4) {
		char digits[5] = { r->at[1], r->at[2], r->at[3], r->at[4], '\0' };
		long v = strtol(digits, NULL, 16);

		c = v >= 0x20 && v < 0x7f ? (char)v : '?';
		r->at += 5;
	} else {
		return bad(r, "an unknown escape");
	}
	text_add(t, &c, 1);
	return 0;
}

static int string(struct reader *r, char **out)
{
	struct text t = { 0 };
	int rc = 0;

	r->at++;
	text_add(&t, "", 0);
	while (rc == 0 && *r->at != '"') {
		if ((unsigned char)*r->at < 0x20) {
			rc = bad(r, "a string without an end");
		} else if (*r->at == '\\') {
			r->at++;
			rc = escape(r, &t);
		} else {
			text_add(&t, r->at++, 1);
		}
	}
	if (rc != 0) {
		text_free(&t);
		return rc;
	}
	r->at++;
	*out = t.data;
	return 0;
}

static int scalar(struct reader *r, char *key)
{
	static const struct {
		const char *word;
		enum json_kind kind;
	} words[] = { { "null", JSON_NULL }, { "false", JSON_FALSE }, { "true", JSON_TRUE } };
	struct json_value *v = add(r, JSON_NULL, key);
	char *end;

	for (size_t i = 0; i < 3; i++) {
		size_t n = strlen(words[i].word);

		if (strncmp(r->at, words[i].word, n) == 0) {
			v->kind = words[i].kind;
			r->at += n;
			return 0;
		}
	}
	if (*r->at == '"') {
		v->kind = JSON_STRING;
		return string(r, &v->string);
	}
	if (*r->at != '-' && (*r->at < '0' || *r->at > '9'))
		return bad(r, "no value");
	v->kind = JSON_NUMBER;
	v->number = strtod(r->at, &end);
	r->at = end;
	return 0;
}

/* A value, or the opening of one. */
static int value(struct reader *r)
{
	char *key = NULL;

	if (r->depth > 0 && r->j->v[r->open[r->depth - 1]].kind == JSON_OBJECT) {
		if (*r->at != '"')
			return bad(r, "a name was expected");
		if (string(r, &key) != 0)
			return -1;
		blanks(r);
		if (*r->at != ':') {
			free(key);
			return bad(r, "a colon was expected");
		}
		r->at++;
		blanks(r);
	}
	if (*r->at != '{' && *r->at != '[')
		return scalar(r, key);
	if (r->depth == DEPTH) {
		free(key);
		return bad(r, "nested too deep");
	}
	add(r, *r->at == '{' ? JSON_OBJECT : JSON_ARRAY, key);
	r->open[r->depth++] = r->j->n - 1;
	r->at++;
	return 0;
}

/* Closes what ends here, and steps over a comma. 1: the text is complete. */
static int between(struct reader *r, bool after_open)
{
	for (;;) {
		struct json_value *open;

		blanks(r);
		if (r->depth == 0)
			return *r->at == '\0' ? 1 : bad(r, "something behind the end");
		open = &r->j->v[r->open[r->depth - 1]];
		if (*r->at == (open->kind == JSON_OBJECT ? '}' : ']')) {
			r->at++;
			open->after = r->j->n;
			r->depth--;
			after_open = false;
			continue;
		}
		if (after_open)
			return 0;
		if (*r->at != ',')
			return bad(r, "a comma or an end was expected");
		r->at++;
		blanks(r);
		return 0;
	}
}

int json_parse(struct json *j, const char *text)
{
	struct reader r = { .j = j, .start = text, .at = text };
	int rc = 0;

	*j = (struct json){ 0 };
	blanks(&r);
	while (rc == 0) {
		size_t depth = r.depth;

		rc = value(&r);
		if (rc == 0)
			rc = between(&r, r.depth > depth);
	}
	return rc == 1 ? 0 : -1;
}

void json_free(struct json *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->v[i].string);
		free(j->v[i].key);
	}
	free(j->v);
	*j = (struct json){ 0 };
}

const struct json_value *json_next(const struct json *j, const struct json_value *v)
{
	return &j->v[v->after];
}

const struct json_value *json_child(const struct json_value *v)
{
	return v + 1;
}

const struct json_value *json_member(const struct json *j, const struct json_value *v,
				     const char *key)
{
	const struct json_value *c;

	if (v == NULL || v->kind != JSON_OBJECT)
		return NULL;
	c = json_child(v);
	for (size_t i = 0; i < v->children; i++) {
		if (strcmp(c->key, key) == 0)
			return c;
		c = json_next(j, c);
	}
	return NULL;
}

double json_number(const struct json_value *v, double otherwise)
{
	return v != NULL && v->kind == JSON_NUMBER ? v->number : otherwise;
}
