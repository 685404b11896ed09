/* SPDX-License-Identifier: Apache-2.0 */
/* parse.c - the head of a request (RFC 9112 2 to 6, RFC 9110 7.2 and 10.1.1): one pass over the
 * bytes where they lie. Refused are a bare CR or LF, white space before a colon, folded lines, two
 * lengths, a length beside a coding: each has been used to make two servers see different requests.
 */
#include <string.h>
#include "apps/http/lib/parse.h"

#define TOKEN 1u
#define TARGET 2u

/* tchar (RFC 9110 5.6.2); target: what is visible (RFC 3986 has fewer, deployed clients send more)
 */
static const uint8_t classes[256] = {
	['!'] = 3,	   ['"'] = 2,  ['#'] = 0, ['$'] = 3,	     ['%'] = 3, ['&'] = 3,
	['\''] = 3,	   ['('] = 2,  [')'] = 2, ['*'] = 3,	     ['+'] = 3, [','] = 2,
	['-'] = 3,	   ['.'] = 3,  ['/'] = 2, ['0' ... '9'] = 3, [':'] = 2, [';'] = 2,
	['<'] = 2,	   ['='] = 2,  ['>'] = 2, ['?'] = 2,	     ['@'] = 2, ['A' ... 'Z'] = 3,
	['['] = 2,	   ['\\'] = 2, [']'] = 2, ['^'] = 3,	     ['_'] = 3, ['`'] = 3,
	['a' ... 'z'] = 3, ['{'] = 2,  ['|'] = 3, ['}'] = 2,	     ['~'] = 3, [0x80 ... 0xff] = 2,
};

struct cursor {
	const uint8_t *start, *at, *end;
};

static struct http_span span(const struct cursor *c, const uint8_t *from, const uint8_t *to)
{
	return (struct http_span){ (uint16_t)(from - c->start), (uint16_t)(to - from) };
}

static inline uint8_t lower(uint8_t ch)
{
	return ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch;
}

bool http_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++)
		if (lower((uint8_t)a[i]) != lower((uint8_t)b[i]))
			return false;
	return true;
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* The next item of a comma-separated list, blanks stripped; false: no more. */
static bool next_item(const char **list, const char *end, const char **item, size_t *n)
{
	const char *p = *list, *q;

	while (p < end && (is_blank(*p) || *p == ','))
		p++;
	if (p == end)
		return false;
	for (q = p; q < end && *q != ','; q++)
		;
	*list = q;
	while (q > p && is_blank(q[-1]))
		q--;
	*item = p;
	*n = (size_t)(q - p);
	return true;
}

bool http_list_has(const char *list, size_t n, const char *item)
{
	const char *end = list + n, *it;
	size_t it_len, len = strlen(item);

	while (next_item(&list, end, &it, &it_len))
		if (http_same(it, it_len, item, len))
			return true;
	return false;
}

bool http_field_ok(const char *name, const char *value)
{
	const uint8_t *n = (const uint8_t *)name, *v = (const uint8_t *)value;

	if (*n == '\0')
		return false;
	for (; *n != '\0'; n++)
		if (!(classes[*n] & TOKEN))
			return false;
	for (; *v != '\0'; v++)
		if ((*v < 0x20 && *v != '\t') || *v == 0x7f)
			return false;
	return true;
}

enum http_method http_method_of(const char *name, size_t n)
{
	static const char names[HTTP_METHODS][8] = {
		"", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
	};

	for (unsigned m = HTTP_GET; m < HTTP_METHODS; m++)
		if (strlen(names[m]) == n && memcmp(names[m], name, n) == 0)
			return (enum http_method)m;
	return HTTP_NO_METHOD;
}

/* ---- the request line ---- */

/* Host, or the authority of a target: reg-name, IPv4, [IPv6], a port (RFC 3986 3.2); empty is
 * allowed. */
static bool host_ok(const uint8_t *p, size_t n)
{
	size_t i = 0, port;

	if (n != 0 && p[0] == '[') {
		for (i = 1; i < n && p[i] != ']'; i++)
			if (!(p[i] == ':' || p[i] == '.' || (p[i] >= '0' && p[i] <= '9') ||
			      (lower(p[i]) >= 'a' && lower(p[i]) <= 'f')))
				return false;
		if (i++ == n)
			return false;
	} else {
		for (; i < n && p[i] != ':'; i++)
			if (!(classes[p[i]] & TOKEN) && memchr("();,=", p[i], 5) == NULL)
				return false;
	}
	if (i == n)
		return true;
	if (p[i++] != ':')
		return false;
	for (port = i; i < n; i++)
		if (p[i] < '0' || p[i] > '9')
			return false;
	return n - port <= 5;
}

/* "http://host/path": the host counts, not the Host field (RFC 9112 3.2.2). The path's start. */
static int absolute_form(struct cursor *c, struct http_head *h, const uint8_t **p,
			 const uint8_t *end)
{
	static const struct {
		const char *text;
		size_t n;
	} schemes[] = { { "http://", 7 }, { "https://", 8 } };

	for (size_t i = 0; i < 2; i++) {
		const uint8_t *from = *p + schemes[i].n, *to;

		if ((size_t)(end - *p) <= schemes[i].n ||
		    !http_same((const char *)*p, schemes[i].n, schemes[i].text, schemes[i].n))
			continue;
		for (to = from; to < end && *to != '/' && *to != '?'; to++)
			;
		if (to == from || !host_ok(from, (size_t)(to - from)))
			return -400;
		h->host = span(c, from, to);
		*p = to;
		return 0;
	}
	return -400;
}

static int target(struct cursor *c, struct http_head *h, const uint8_t *end)
{
	const uint8_t *p = c->at, *q;

	h->target = span(c, p, end);
	if (p == end)
		return -400;
	if (h->method == HTTP_CONNECT) { /* authority-form: a proxy's business */
		h->path = h->target;
		return host_ok(p, (size_t)(end - p)) ? 0 : -400;
	}
	if (*p == '*' && end - p == 1) { /* asterisk-form: of the server as a whole */
		h->path = h->target;
		return h->method == HTTP_OPTIONS ? 0 : -400;
	}
	if (*p != '/' && absolute_form(c, h, &p, end) != 0)
		return -400;
	for (q = p; q < end && *q != '?'; q++)
		if (*q == '%' || (*q == '/' && q + 1 < end && (q[1] == '.' || q[1] == '/')))
			h->escaped = true;
	h->path = span(c, p, q);
	if (q < end)
		h->query = span(c, q + 1, end);
	return 0;
}

static const uint8_t *skip_class(const struct cursor *c, const uint8_t *p, uint8_t class)
{
	while (p < c->end && (classes[*p] & class))
		p++;
	return p;
}

static const char *chars(const struct cursor *c, struct http_span s)
{
	return (const char *)c->start + s.at;
}

/* 1: done. 0: more bytes are needed. */
static int request_line(struct cursor *c, struct http_head *h)
{
	const uint8_t *p = skip_class(c, c->at, TOKEN), *v;
	int err;

	if (p == c->end)
		return 0;
	if (p == c->at || *p != ' ')
		return -400;
	h->method_name = span(c, c->at, p);
	h->method = p - c->at == 3 && memcmp(c->at, "GET", 3) == 0
			    ? HTTP_GET
			    : http_method_of((const char *)c->at, (size_t)(p - c->at));
	c->at = p + 1;
	p = skip_class(c, c->at, TARGET);
	if (p == c->end)
		return 0;
	if (*p != ' ')
		return -400;
	err = target(c, h, p);
	if (err != 0)
		return err;
	v = p + 1; /* "HTTP/1.1\r\n" */
	if (c->end - v < 10) {
		size_t have = (size_t)(c->end - v);

		return memcmp(v, "HTTP/", have < 5 ? have : 5) == 0 ? 0 : -400;
	}
	if (memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' || v[7] < '0' ||
	    v[7] > '9' || v[8] != '\r' || v[9] != '\n')
		return -400;
	if (v[5] != '1')
		return -505;
	h->minor = v[7] != '0';
	h->keep_alive = h->minor != 0;
	c->at = v + 10;
	return 1;
}

/* ---- fields ---- */

/* The end of a field's value: the first control character but TAB (RFC 9110 5.5). Eight at a time.
 */
static const uint8_t *value_end(const uint8_t *p, const uint8_t *end)
{
	const uint64_t ones = 0x0101010101010101ull, tops = ones * 0x80;

	for (;;) {
		while (end - p >= 8) {
			uint64_t x, del;

			memcpy(&x, p, 8);
			del = x ^ (ones * 0x7f);
			x = ((x - ones * 0x20) & ~x) | ((del - ones) & ~del);
			x &= tops;
			if (x != 0) {
				p += __builtin_ctzll(x) / 8;
				break;
			}
			p += 8;
		}
		while (p < end && *p >= 0x20 && *p != 0x7f)
			p++;
		if (p == end || *p != '\t')
			return p;
		p++;
	}
}

/* Content-Length = 1*DIGIT, once (RFC 9112 6.3: a list of the same is refused too). */
static int content_length(struct http_head *h, const char *v, size_t n)
{
	uint64_t sum = 0;

	if (h->has_length || n == 0 || n > 19)
		return -400;
	for (size_t i = 0; i < n; i++) {
		if (v[i] < '0' || v[i] > '9')
			return -400;
		sum = sum * 10 + (uint64_t)(v[i] - '0'); /* 19 digits fit 64 bits */
	}
	h->content_length = sum;
	h->has_length = true;
	return 0;
}

/* Only "chunked", once, in HTTP/1.1 (RFC 9112 6.1). */
static int transfer_encoding(struct http_head *h, const char *v, size_t n)
{
	const char *end = v + n, *it;
	size_t len;

	if (h->minor == 0 || h->chunked)
		return -400;
	while (next_item(&v, end, &it, &len)) {
		if (h->chunked)
			return -400; /* something behind the last coding */
		if (!http_same(it, len, "chunked", 7))
			return -501;
		h->chunked = true;
	}
	return h->chunked ? 0 : -400;
}

static int host(struct cursor *c, struct http_head *h, struct http_span v, bool *seen)
{
	if (*seen || !host_ok(c->start + v.at, v.len))
		return -400;
	*seen = true;
	if (h->host.len == 0)
		h->host = v;
	return 0;
}

/* Fields that say where the message ends, and what becomes of the connection. */
static int known_field(struct cursor *c, struct http_head *h, const struct http_field *f,
		       bool *host_seen)
{
	const char *name = chars(c, f->name), *v = chars(c, f->value);
	size_t n = f->value.len;

	switch (f->name.len) {
	case 4:
		return http_same(name, 4, "host", 4) ? host(c, h, f->value, host_seen) : 0;
	case 6:
		if (!http_same(name, 6, "expect", 6))
			return 0;
		if (!http_same(v, n, "100-continue", 12))
			return -417;
		h->expect_continue = h->minor != 0;
		return 0;
	case 10:
		if (!http_same(name, 10, "connection", 10))
			return 0;
		if (http_list_has(v, n, "close"))
			h->keep_alive = false;
		else if (h->minor == 0 && http_list_has(v, n, "keep-alive"))
			h->keep_alive = true;
		return 0;
	case 14:
		return http_same(name, 14, "content-length", 14) ? content_length(h, v, n) : 0;
	case 17:
		return http_same(name, 17, "transfer-encoding", 17) ? transfer_encoding(h, v, n)
								    : 0;
	default:
		return 0;
	}
}

/* One line with its CRLF: 1 = a field, 2 = the empty line, 0 = more bytes are needed. */
static int field_line(struct cursor *c, struct http_head *h, bool *host_seen)
{
	const uint8_t *p = c->at, *from;
	struct http_field *f;
	int err;

	if (p == c->end)
		return 0;
	if (*p == '\r') {
		if (p + 1 == c->end)
			return 0;
		c->at = p + 2;
		return p[1] == '\n' ? 2 : -400;
	}
	p = skip_class(c, p, TOKEN);
	if (p == c->end)
		return 0;
	if (p == c->at || *p != ':') /* also: a folded line, white space before the colon */
		return -400;
	if (h->n_fields == HTTP_FIELDS_MAX)
		return -431;
	f = &h->fields[h->n_fields++];
	f->name = span(c, c->at, p);
	for (p++; p < c->end && is_blank((char)*p); p++)
		;
	from = p;
	p = value_end(p, c->end);
	if (p == c->end || (*p == '\r' && p + 1 == c->end))
		return 0;
	if (*p != '\r' || p[1] != '\n') /* a bare CR or LF, NUL, another control */
		return -400;
	c->at = p + 2;
	while (p > from && is_blank((char)p[-1]))
		p--;
	f->value = span(c, from, p);
	err = known_field(c, h, f, host_seen);
	return err != 0 ? err : 1;
}

int http_parse_head(const uint8_t *p, size_t n, struct http_head *h)
{
	struct cursor c = { p, p, p + (n < HTTP_HEAD_MAX ? n : HTTP_HEAD_MAX) };
	bool host_seen = false;
	int got;

	memset(h, 0, offsetof(struct http_head, fields));
	while (c.at < c.end && *c.at == '\r') { /* after a POST some send one (RFC 9112 2.2) */
		if (c.end - c.at < 2)
			return 0;
		if (c.at[1] != '\n' || c.at - c.start >= 4)
			return -400;
		c.at += 2;
	}
	got = request_line(&c, h);
	if (got <= 0)
		return got;
	do
		got = field_line(&c, h, &host_seen);
	while (got == 1);
	if (got <= 0)
		return got;
	if (h->chunked && h->has_length) /* RFC 9112 6.1: may be an attempt at smuggling */
		return -400;
	if (h->minor != 0 && !host_seen)
		return -400;
	return (int)(c.at - p);
}

int http_too_long(const uint8_t *p, size_t n)
{
	return memchr(p, '\n', n) == NULL ? 414 : 431;
}
