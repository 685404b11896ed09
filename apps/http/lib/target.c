/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - paths and queries (RFC 3986): escapes, slashes, dot segments. A decoded path starts
 * with '/', has no "//", no "." or ".." segment and no NUL: what it names is below the root. */
#include <string.h>
#include "apps/http/lib/parse.h"

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte at text[*i], escapes decoded; *i moves behind it. -1: a bad escape. */
static int next_byte(const char *text, size_t n, size_t *i)
{
	size_t at = *i;

	if (text[at] != '%') {
		*i = at + 1;
		return (uint8_t)text[at];
	}
	if (n - at < 3 || hex(text[at + 1]) < 0 || hex(text[at + 2]) < 0)
		return -1;
	*i = at + 3;
	return hex(text[at + 1]) * 16 + hex(text[at + 2]);
}

/* The path so far ends with a whole segment: what it means. The new length; 0: above the root. */
static size_t end_segment(const char *to, size_t n)
{
	size_t from = n;

	while (to[from - 1] != '/')
		from--;
	if (n - from == 1 && to[from] == '.')
		return from;
	if (n - from != 2 || memcmp(to + from, "..", 2) != 0)
		return n;
	if (from == 1)
		return 0;
	for (from--; to[from - 1] != '/'; from--)
		;
	return from;
}

long http_path_decode(const char *path, size_t n, char *to)
{
	size_t at = 1, len = 1;

	if (n == 0) { /* "http://host": the root */
		memcpy(to, "/", 2);
		return 1;
	}
	if (path[0] != '/')
		return -400;
	to[0] = '/';
	while (at < n) {
		int ch = next_byte(path, n, &at);

		if (ch <= 0) /* a bad escape, or NUL */
			return -400;
		if (ch == '/') {
			len = end_segment(to, len);
			if (len == 0)
				return -400;
			if (to[len - 1] == '/')
				continue;
		}
		to[len++] = (char)ch;
	}
	len = end_segment(to, len);
	if (len == 0)
		return -400;
	to[len] = '\0';
	return (long)len;
}

long http_query_decode(const char *text, size_t n, char *to)
{
	size_t at = 0, len = 0;

	while (at < n) {
		int ch = next_byte(text, n, &at);

		if (ch < 0)
			return -400;
		to[len++] = (char)(ch == '+' && text[at - 1] == '+' ? ' ' : ch);
	}
	to[len] = '\0';
	return (long)len;
}
