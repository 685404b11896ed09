/* SPDX-License-Identifier: Apache-2.0 */
/* resp.c - see resp.h. The bytes are the server's: nothing in them is trusted. */
#include <string.h>

#include "tools/load/resp.h"

#define ELEMENTS_MAX (1ll << 32)
#define BULK_MAX (1ll << 32)

void resp_init(struct resp_parser *p, char *text, size_t room)
{
	*p = (struct resp_parser){ .text = text, .room = room };
}

static int bad(struct resp_parser *p, const char *why)
{
	p->why = why;
	return -1;
}

static void keep(struct resp_parser *p, const void *bytes, size_t n)
{
	size_t fits = p->len < p->room ? p->room - p->len : 0;

	if (fits > n)
		fits = n;
	if (fits > 0)
		memcpy(p->text + p->len, bytes, fits);
	p->len += n;
}

static int number(struct resp_parser *p, int64_t *value)
{
	const char *s = p->line + 1;
	bool negative = *s == '-';
	uint64_t v = 0;

	s += negative;
	if (*s == '\0' || strlen(s) > 18)
		return bad(p, "a number that is none");
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return bad(p, "a number that is none");
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*value = negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

static int string(struct resp_parser *p, bool top, int64_t n)
{
	if (n < -1 || n > BULK_MAX)
		return bad(p, "a string of an impossible length");
	if (top) {
		p->nil = n < 0;
		p->len = 0;
	}
	if (n >= 0) {
		bool first = p->keep_first && !p->kept;

		p->in_bulk = true;
		p->deep = !top && !first;
		p->kept = true;
		p->left = (uint64_t)n + 2;
	}
	return 0;
}

static int elements(struct resp_parser *p, bool top, int64_t n)
{
	if (n < -1 || n > ELEMENTS_MAX || (uint64_t)ELEMENTS_MAX < p->due)
		return bad(p, "an array of an impossible length");
	if (top)
		p->nil = n < 0;
	if (n > 0)
		p->due += (uint64_t)n * (p->line[0] == '%' || p->line[0] == '|' ? 2 : 1);
	if (p->line[0] == '|')
		p->due++; /* attributes come before the value that they are of */
	return 0;
}

/* A whole line is in p->line. */
static int value(struct resp_parser *p)
{
	bool top = p->due == 0;
	int64_t n = 0;

	if (top) {
		p->due = 1;
		p->type = p->line[0];
		p->nil = p->kept = false;
		p->number = 0;
		p->len = 0;
	}
	p->due--;
	switch (p->line[0]) {
	case '+':
	case '-':
		if (top)
			keep(p, p->line + 1, p->line_len - 1);
		return 0;
	case '_':
		p->nil = p->nil || top;
		return 0;
	case '#':
	case ',':
	case '(':
		return 0;
	case ':':
	case '$':
	case '!':
	case '=':
	case '*':
	case '~':
	case '>':
	case '%':
	case '|':
		if (number(p, &n) != 0)
			return -1;
		if (top)
			p->number = n;
		if (p->line[0] == ':')
			return 0;
		return strchr("$!=", p->line[0]) != NULL ? string(p, top, n) : elements(p, top, n);
	default:
		return bad(p, "a byte that begins no redis answer");
	}
}

static int take_char(struct resp_parser *p, char c)
{
	int rc;

	if (c != '\n') {
		if (c == '\0' || (p->line_len == 0 && strchr("+-:$*_#,(!=~>%|", c) == NULL))
			return bad(p, "a byte that begins no redis answer");
		if (p->line_len == sizeof(p->line) - 1) {
			if (p->line[0] != '+' && p->line[0] != '-')
				return bad(p, "a line without an end");
			return 0; /* a long message: its beginning is enough */
		}
		p->line[p->line_len++] = c;
		return 0;
	}
	if (p->line_len > 0 && p->line[p->line_len - 1] == '\r')
		p->line_len--;
	if (p->line_len == 0)
		return bad(p, "an empty line");
	p->line[p->line_len] = '\0';
	rc = value(p);
	p->line_len = 0;
	return rc;
}

static size_t take_bulk(struct resp_parser *p, const uint8_t *in, size_t n)
{
	uint64_t content = p->left > 2 ? p->left - 2 : 0;

	n = n < p->left ? n : (size_t)p->left;
	if (!p->deep)
		keep(p, in, n < content ? n : (size_t)content);
	p->left -= n;
	p->in_bulk = p->left > 0;
	return n;
}

ssize_t resp_feed(struct resp_parser *p, const uint8_t *in, size_t n, bool *done)
{
	size_t at = 0;

	*done = false;
	while (at < n && !*done) {
		bool ended = false;

		if (p->in_bulk) {
			at += take_bulk(p, in + at, n - at);
			if (!p->in_bulk && in[at - 1] != '\n')
				return bad(p, "a string is longer than it said");
			ended = !p->in_bulk;
		} else {
			ended = in[at] == '\n';
			if (take_char(p, (char)in[at++]) != 0)
				return -1;
		}
		*done = ended && !p->in_bulk && p->due == 0;
	}
	return (ssize_t)at;
}
