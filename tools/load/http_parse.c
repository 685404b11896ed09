/* SPDX-License-Identifier: Apache-2.0 */
/* http_parse.c - see http_parse.h and RFC 9112. The bytes are the server's: nothing in them is
 * trusted. */
#include <string.h>
#include <strings.h>

#include "tools/load/http_parse.h"

#define FNV_START 0xcbf29ce484222325ull
#define FNV_PRIME 0x100000001b3ull

void http_init(struct http_parser *p, bool head, bool hashing)
{
	*p = (struct http_parser){ .head = head, .hashing = hashing };
}

static int bad(struct http_parser *p, const char *why)
{
	p->why = why;
	return -1;
}

static void start(struct http_parser *p)
{
	p->state = HTTP_STATUS;
	p->chunked = p->has_length = p->close = false;
	p->status = 0;
	p->headers = 0;
	p->left = p->body = 0;
	p->hash = FNV_START;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int status_line(struct http_parser *p)
{
	const char *l = p->line;

	start(p);
	if (strncmp(l, "HTTP/1.", 7) != 0 || !is_digit(l[7]) || l[8] != ' ' || !is_digit(l[9]) ||
	    !is_digit(l[10]) || !is_digit(l[11]) || (l[12] != ' ' && l[12] != '\0'))
		return bad(p, "the answer does not begin with an HTTP/1.x status line");
	p->status = (uint16_t)((l[9] - '0') * 100 + (l[10] - '0') * 10 + (l[11] - '0'));
	if (p->status < 100 || p->status > 599)
		return bad(p, "a status outside 100 to 599");
	p->close = l[7] == '0';
	p->state = HTTP_HEADER;
	return 0;
}

/* Digits of a base up to the end, a blank or a ';'. */
static int number(struct http_parser *p, const char *s, unsigned int base, uint64_t *value)
{
	uint64_t v = 0;
	const char *c = s;

	for (;; c++) {
		unsigned int digit = is_digit(*c)	      ? (unsigned int)(*c - '0')
				     : *c >= 'a' && *c <= 'f' ? (unsigned int)(*c - 'a' + 10)
				     : *c >= 'A' && *c <= 'F' ? (unsigned int)(*c - 'A' + 10)
							      : 99;

		if (digit >= base)
			break;
		if (v > UINT64_MAX >> 8)
			return bad(p, "a length that is too large");
		v = v * base + digit;
	}
	if (c == s || (*c != '\0' && *c != ' ' && *c != '\t' && *c != ';'))
		return bad(p, "a length that is not a number");
	*value = v;
	return 0;
}

static int header(struct http_parser *p)
{
	const char *colon = strchr(p->line, ':'), *value;
	size_t name;
	uint64_t length;

	if (colon == NULL || colon == p->line)
		return bad(p, "a header without a name");
	name = (size_t)(colon - p->line);
	value = colon + 1 + strspn(colon + 1, " \t");
	if (name == 14 && strncasecmp(p->line, "content-length", name) == 0) {
		if (number(p, value, 10, &length) != 0)
			return -1;
		if (p->has_length && p->left != length)
			return bad(p, "two different Content-Length headers");
		p->has_length = true;
		p->left = length;
	} else if (name == 17 && strncasecmp(p->line, "transfer-encoding", name) == 0) {
		size_t n = strlen(value);

		if (n < 7 || strncasecmp(value + n - 7, "chunked", 7) != 0)
			return bad(p, "a Transfer-Encoding that is not chunked");
		p->chunked = true;
	} else if (name == 10 && strncasecmp(p->line, "connection", name) == 0) {
		if (strcasestr(value, "close") != NULL)
			p->close = true;
		else if (strcasestr(value, "keep-alive") != NULL)
			p->close = false;
	}
	return 0;
}

/* The blank line behind the headers. Returns whether the response ends here. */
static bool headers_end(struct http_parser *p)
{
	if (p->status < 200) {
		start(p); /* 100 Continue and the like: the real one follows */
		return false;
	}
	if (p->head || p->status == 204 || p->status == 304)
		return true;
	if (p->chunked) {
		p->state = HTTP_CHUNK_SIZE;
		return false;
	}
	if (!p->has_length) {
		p->state = HTTP_UNTIL_END;
		p->close = true;
		return false;
	}
	p->state = HTTP_BODY;
	return p->left == 0;
}

/* A whole line is in p->line. 1: the response is complete. */
static int line_end(struct http_parser *p)
{
	bool empty = p->line_len == 0;

	switch (p->state) {
	case HTTP_STATUS:
		return status_line(p);
	case HTTP_HEADER:
		return empty ? headers_end(p) : header(p);
	case HTTP_CHUNK_SIZE:
		if (number(p, p->line, 16, &p->left) != 0)
			return -1;
		p->state = p->left == 0 ? HTTP_TRAILER : HTTP_CHUNK;
		return 0;
	case HTTP_CHUNK_END:
		if (!empty)
			return bad(p, "a chunk is longer than it said");
		p->state = HTTP_CHUNK_SIZE;
		return 0;
	case HTTP_TRAILER:
		return empty;
	case HTTP_BODY:
	case HTTP_UNTIL_END:
	case HTTP_CHUNK:
	default:
		return bad(p, "a line where there is none");
	}
}

static int take_char(struct http_parser *p, char c)
{
	int rc;

	if (c != '\n') {
		if (c == '\0')
			return bad(p, "a zero byte in the headers");
		if (++p->headers > HTTP_HEADERS_MAX)
			return bad(p, "headers of more than 64 KB");
		/* a line that does not begin as a status line must is refused at once: there may be
		 * no end of it */
		if (p->state == HTTP_STATUS && p->line_len < 5 && c != "HTTP/"[p->line_len])
			return bad(p, "the answer does not begin with an HTTP/1.x status line");
		if (p->line_len < sizeof(p->line) - 1)
			p->line[p->line_len++] = c;
		return 0;
	}
	if (p->line_len > 0 && p->line[p->line_len - 1] == '\r')
		p->line_len--;
	p->line[p->line_len] = '\0';
	rc = line_end(p);
	p->line_len = 0;
	if (p->state == HTTP_CHUNK_SIZE || p->state == HTTP_CHUNK)
		p->headers = 0; /* the bound is of each group of lines */
	return rc;
}

static size_t take_body(struct http_parser *p, const uint8_t *in, size_t n)
{
	if (p->state != HTTP_UNTIL_END) {
		n = n < p->left ? n : (size_t)p->left;
		p->left -= n;
	}
	for (size_t i = 0; p->hashing && i < n; i++)
		p->hash = (p->hash ^ in[i]) * FNV_PRIME;
	p->body += n;
	return n;
}

ssize_t http_feed(struct http_parser *p, const uint8_t *in, size_t n, bool *done)
{
	size_t at = 0;
	int rc = 0;

	while (at < n && rc == 0) {
		if (p->state == HTTP_BODY || p->state == HTTP_UNTIL_END || p->state == HTTP_CHUNK) {
			at += take_body(p, in + at, n - at);
			if (p->state == HTTP_BODY && p->left == 0)
				rc = 1;
			if (p->state == HTTP_CHUNK && p->left == 0)
				p->state = HTTP_CHUNK_END;
		} else {
			rc = take_char(p, (char)in[at++]);
		}
	}
	if (rc < 0)
		return -1;
	*done = rc == 1;
	if (rc == 1)
		p->state = HTTP_STATUS;
	return (ssize_t)at;
}

bool http_end(const struct http_parser *p)
{
	return p->state == HTTP_UNTIL_END;
}
