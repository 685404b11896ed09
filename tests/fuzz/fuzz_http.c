/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http.c - the HTTP server's parsers. A head: what is complete stays so however much follows,
 * its spans lie in it, and bytes that would hide a second request are in none of them. A chunked
 * body is the same in one piece and in parts. Paths stay below the root. The first byte chooses. */
#include <stdlib.h>
#include <string.h>
#include "apps/http/lib/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

static void in_head(const uint8_t *p, struct http_span s, size_t len)
{
	require((size_t)s.at + s.len <= len);
	for (size_t i = 0; i < s.len; i++)
		require(p[s.at + i] >= 0x20 || p[s.at + i] == '\t');
}

static void head(const uint8_t *p, size_t n)
{
	static struct http_head h, again;
	int got = http_parse_head(p, n, &h);

	require(got == 0 || got == -400 || got == -417 || got == -431 || got == -501 ||
		got == -505 || (got > 0 && (size_t)got <= n));
	(void)http_too_long(p, n);
	if (got <= 0)
		return;
	in_head(p, h.target, (size_t)got);
	in_head(p, h.path, (size_t)got);
	in_head(p, h.query, (size_t)got);
	in_head(p, h.host, (size_t)got);
	in_head(p, h.method_name, (size_t)got);
	require(h.n_fields <= HTTP_FIELDS_MAX && !(h.chunked && h.has_length));
	for (unsigned i = 0; i < h.n_fields; i++) {
		in_head(p, h.fields[i].name, (size_t)got);
		in_head(p, h.fields[i].value, (size_t)got);
		require(h.fields[i].name.len != 0);
	}
	require(p[got - 1] == '\n' && p[got - 2] == '\r');
	require(http_parse_head(p, (size_t)got, &again) == got); /* by itself */
	for (size_t cut = 1; cut < (size_t)got; cut += (size_t)got / 16 + 1)
		require(http_parse_head(p, cut, &again) == 0); /* not before its end */
}

/* A hash of the content and where it ended; ~0 refused. */
static uint64_t chunks(const uint8_t *p, size_t n, size_t step)
{
	struct http_chunked d = { 0 };
	uint64_t hash = 14695981039346656037u;
	const uint8_t *data;
	size_t at = 0, k;

	while (at < n && !d.done) {
		size_t piece = step < n - at ? step : n - at;
		long used = http_chunked_next(&d, p + at, piece, &data, &k);

		require(used != 0 && used <= (long)piece);
		if (used < 0)
			return ~0ull;
		require(k == 0 || (data >= p + at && data + k == p + at + used));
		for (size_t i = 0; i < k; i++)
			hash = (hash ^ data[i]) * 1099511628211u;
		at += (size_t)used;
	}
	return hash ^ at ^ (uint64_t)d.done << 63;
}

static void path(const char *p, size_t n)
{
	char *to = malloc(n + 2);
	long got = http_path_decode(p, n, to);

	require(got == -400 || (got > 0 && (size_t)got <= n + 1 && to[got] == '\0'));
	if (got > 0) {
		require(to[0] == '/' && strlen(to) == (size_t)got);
		require(strstr(to, "//") == NULL && strstr(to, "/./") == NULL &&
			strstr(to, "/../") == NULL);
		require(got < 3 || strcmp(to + got - 3, "/..") != 0);
		require(got < 2 || strcmp(to + got - 2, "/.") != 0);
	}
	got = http_query_decode(p, n, to);
	require(got == -400 || (got >= 0 && (size_t)got <= n));
	free(to);
}

static void small(const char *p, size_t n)
{
	char date[HTTP_DATE_LEN];
	struct http_range r;
	long at = http_date_get(p, n);

	require(at >= -1);
	if (at >= 0) {
		http_date_put((uint64_t)at, date);
		require(http_date_get(date, sizeof(date)) == at);
	}
	if (http_range_get(p, n, 1000, &r) == HTTP_RANGE_ONE)
		require(r.first <= r.last && r.last < 1000);
	if (http_tag_listed(p, n, "\"x\"", 3, false))
		require(http_tag_listed(p, n, "\"x\"", 3, true));
	(void)http_list_has(p, n, "close");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	size_t n;

	if (size < 1)
		return 0;
	n = size - 1;
	copy = malloc(n + (n == 0)); /* exactly, so that a byte too far is seen */
	memcpy(copy, data + 1, n);
	switch (data[0] % 4) {
	case 0:
		head(copy, n);
		break;
	case 1: {
		uint64_t whole = chunks(copy, n, n);

		require(whole == chunks(copy, n, 1) && whole == chunks(copy, n, 7));
		break;
	}
	case 2:
		path((const char *)copy, n);
		break;
	default:
		small((const char *)copy, n);
		break;
	}
	free(copy);
	return 0;
}
