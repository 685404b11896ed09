/* SPDX-License-Identifier: Apache-2.0 */
/* parse_test.c - what HTTP demands of a recipient, by section: framing, smuggling, limits; chunks,
 * paths, dates, ranges, tags. Every head is tried whole and cut at every byte. */
#include <stdlib.h>
#include "apps/http/lib/parse.h"
#include "tests/unit.h"

static struct http_head h;

/* What the parser says of a text in memory of exactly its size; all its beginnings must be
 * incomplete or refused. */
static int parse(const char *text)
{
	size_t n = strlen(text);
	int got;

	for (size_t cut = 0; cut < n; cut++) {
		uint8_t *p = malloc(cut + 1);

		memcpy(p, text, cut);
		got = http_parse_head(p, cut, &h);
		if (got > 0 && (size_t)got > cut)
			unit_failures++;
		free(p);
	}
	got = http_parse_head((const uint8_t *)text, n, &h);
	return got;
}

static bool is(const char *text, struct http_span s, const char *want)
{
	return s.len == strlen(want) && memcmp(text + s.at, want, s.len) == 0;
}

#define HOST "Host: a\r\n"
#define REFUSED(status, text) CHECK_EQ(parse(text), -(status))
#define TAKEN(text) CHECK_EQ(parse(text), (int)strlen(text))

TEST(simple)
{
	const char *t = "GET /a/b?c=d HTTP/1.1\r\nHost: x.org:80\r\nX-Y:  v w \t\r\nEmpty:\r\n\r\n";

	TAKEN(t);
	CHECK_EQ(h.method, HTTP_GET);
	CHECK(is(t, h.target, "/a/b?c=d") && is(t, h.path, "/a/b") && is(t, h.query, "c=d"));
	CHECK(is(t, h.host, "x.org:80"));
	CHECK_EQ(h.n_fields, 3);
	CHECK(is(t, h.fields[1].name, "X-Y") && is(t, h.fields[1].value, "v w"));
	CHECK(is(t, h.fields[2].value, ""));
	CHECK(h.keep_alive && !h.chunked && !h.has_length && !h.escaped && h.minor == 1);
	/* what follows is not part of it */
	CHECK_EQ(parse("GET / HTTP/1.1\r\n" HOST "\r\nGET"),
		 (int)strlen("GET / HTTP/1.1\r\n" HOST "\r\n"));
}

TEST(incomplete)
{
	const char *t = "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\n";

	for (size_t n = 0; n < strlen(t); n++)
		CHECK_EQ(http_parse_head((const uint8_t *)t, n, &h), 0);
	TAKEN(t);
	CHECK_EQ(h.content_length, 5);
}

TEST(request_line) /* RFC 9112 3 */
{
	TAKEN("\r\nGET / HTTP/1.1\r\n" HOST "\r\n"); /* 2.2 */
	REFUSED(400, "\r\n\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "\nGET / HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, " GET / HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET  / HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET / HTTP/1.1 \r\n" HOST "\r\n");
	REFUSED(400, "GET /  HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET /a b HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET /\t HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET / http/1.1\r\n" HOST "\r\n"); /* 2.3: case-sensitive */
	REFUSED(400, "GET / HTTP/1\r\n" HOST "\r\n\r\n");
	REFUSED(400, "GET / HTTP/11.1\r\n" HOST "\r\n");
	REFUSED(400, "GET / HTTP/1.10\r\n" HOST "\r\n");
	REFUSED(400, "GET /\r\n\r\n0123456789");
	REFUSED(400, "GET / HTTP/1.1\n" HOST "\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r" HOST "\r\n\r\n");
	REFUSED(505, "GET / HTTP/2.0\r\n" HOST "\r\n");
	REFUSED(505, "GET / HTTP/0.9\r\n" HOST "\r\n");
	TAKEN("GET / HTTP/1.7\r\n" HOST "\r\n"); /* RFC 9110 2.5: as 1.1 */
	REFUSED(400, "G@T / HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "\x16\x03\x01\x02");
	TAKEN("get / HTTP/1.1\r\n" HOST "\r\n"); /* methods are case-sensitive: 501 later */
	CHECK_EQ(h.method, HTTP_NO_METHOD);
	REFUSED(400, "GET #x HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET /#x HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET /\x7f HTTP/1.1\r\n" HOST "\r\n");
}

TEST(targets) /* RFC 9112 3.2 */
{
	const char *t = "GET http://Real:8/p?q HTTP/1.1\r\nHost: other\r\n\r\n";

	TAKEN(t);
	CHECK(is(t, h.host, "Real:8") && is(t, h.path, "/p") && is(t, h.query, "q"));
	t = "GET HTTP://h?q HTTP/1.1\r\nHost: h\r\n\r\n";
	TAKEN(t);
	CHECK(is(t, h.path, "") && is(t, h.query, "q"));
	REFUSED(400, "GET http:///p HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET http://u@h/ HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET ftp://h/ HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET relative HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "GET * HTTP/1.1\r\n" HOST "\r\n");
	TAKEN("OPTIONS * HTTP/1.1\r\n" HOST "\r\n");
	TAKEN("CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n");
	REFUSED(400, "CONNECT /x HTTP/1.1\r\n" HOST "\r\n");
}

TEST(host) /* RFC 9112 3.2 */
{
	REFUSED(400, "GET / HTTP/1.1\r\n\r\n");
	TAKEN("GET / HTTP/1.0\r\n\r\n");
	TAKEN("GET / HTTP/1.1\r\nHost:\r\n\r\n");
	TAKEN("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: a:x\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n");
	REFUSED(400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n");
}

TEST(fields) /* RFC 9112 5 */
{
#define WITH(line) "GET / HTTP/1.1\r\n" HOST line "\r\n"
	REFUSED(400, WITH("X : v\r\n")); /* 5.1 */
	REFUSED(400, WITH("X\t: v\r\n"));
	REFUSED(400, WITH(" X: v\r\n"));	   /* 2.2, 5.2 */
	REFUSED(400, WITH("X: v\r\n folded\r\n")); /* 5.2 */
	REFUSED(400, "GET / HTTP/1.1\r\n Host: a\r\n\r\n");
	REFUSED(400, WITH(": v\r\n"));
	REFUSED(400, WITH("X\r\n"));
	REFUSED(400, WITH("X(y: v\r\n"));
	REFUSED(400, WITH("X: a\rb\r\n")); /* 2.2: a bare CR */
	REFUSED(400, WITH("X: a\nb: c\r\n"));
	REFUSED(400, WITH("X: a\n"));
	REFUSED(400, WITH("X: \x01\r\n"));
	REFUSED(400, WITH("X: \x7f\r\n"));
	TAKEN(WITH("X: a\tb \x80\xff\r\n"));
	REFUSED(400, "GET / HTTP/1.1\r\n" HOST "\rX");
	CHECK_EQ(http_parse_head((const uint8_t *)"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", 25, &h),
		 -400);
	/* a control character at every place of a long value */
	for (int i = 0; i < 40; i++) {
		char t[100] =
			"GET / HTTP/1.0\r\nX: 0123456789012345678901234567890123456789\r\n\r\n";

		TAKEN(t);
		t[19 + i] = '\x1f';
		CHECK_EQ(http_parse_head((const uint8_t *)t, strlen(t), &h), -400);
		t[19 + i] = '\x7f';
		CHECK_EQ(http_parse_head((const uint8_t *)t, strlen(t), &h), -400);
	}
}

TEST(field_count)
{
	char t[2000] = "GET / HTTP/1.1\r\n" HOST;

	for (unsigned i = 1; i < HTTP_FIELDS_MAX; i++)
		strcat(t, "A: b\r\n");
	strcat(t, "\r\n");
	TAKEN(t);
	t[strlen(t) - 2] = '\0';
	strcat(t, "A: b\r\n\r\n");
	REFUSED(431, t);
	CHECK_EQ(http_too_long((const uint8_t *)"GET /aaa", 8), 414);
	CHECK_EQ(http_too_long((const uint8_t *)"GET / HTTP/1.1\r\nA", 17), 431);
}

TEST(content_length) /* RFC 9112 6.2, 6.3; RFC 9110 8.6 */
{
	TAKEN(WITH("Content-Length: 0\r\n"));
	CHECK(h.has_length && h.content_length == 0);
	TAKEN(WITH("content-LENGTH: 9999999999999999999\r\n"));
	REFUSED(400, WITH("Content-Length: 99999999999999999999\r\n"));
	REFUSED(400, WITH("Content-Length: -1\r\n"));
	REFUSED(400, WITH("Content-Length: +1\r\n"));
	REFUSED(400, WITH("Content-Length: 0x10\r\n"));
	REFUSED(400, WITH("Content-Length: 1 0\r\n"));
	REFUSED(400, WITH("Content-Length: 1.0\r\n"));
	REFUSED(400, WITH("Content-Length:\r\n"));
	REFUSED(400, WITH("Content-Length: 5, 5\r\n"));
	REFUSED(400, WITH("Content-Length: 5\r\nContent-Length: 5\r\n"));
	REFUSED(400, WITH("Content-Length: 5\r\nContent-Length: 6\r\n"));
}

TEST(transfer_encoding) /* RFC 9112 6.1, 6.3 */
{
	TAKEN(WITH("Transfer-Encoding: Chunked\r\n"));
	CHECK(h.chunked);
	TAKEN(WITH("Transfer-Encoding: , chunked ,\r\n")); /* RFC 9110 5.6.1.2: empty items */
	REFUSED(400, WITH("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"));
	REFUSED(400, WITH("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"));
	REFUSED(501, WITH("Transfer-Encoding: gzip, chunked\r\n"));
	REFUSED(400, WITH("Transfer-Encoding: chunked, gzip\r\n"));
	REFUSED(400, WITH("Transfer-Encoding: chunked, chunked\r\n"));
	REFUSED(400, WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"));
	REFUSED(501, WITH("Transfer-Encoding: identity\r\n"));
	REFUSED(501, WITH("Transfer-Encoding: xchunked\r\n"));
	REFUSED(501, WITH("Transfer-Encoding: chunked;q=1\r\n"));
	REFUSED(501, WITH("Transfer-Encoding: \"chunked\"\r\n"));
	REFUSED(400, WITH("Transfer-Encoding:\r\n"));
	REFUSED(400, WITH("Transfer-Encoding : chunked\r\n"));
	REFUSED(400, WITH("Transfer-Encoding: \x0b"
			  "chunked\r\n"));
	REFUSED(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n");
}

TEST(connection) /* RFC 9112 9.3 */
{
	TAKEN(WITH("Connection: close\r\n"));
	CHECK(!h.keep_alive);
	TAKEN(WITH("Connection: foo , CLOSE\r\n"));
	CHECK(!h.keep_alive);
	TAKEN(WITH("Connection: closed\r\n"));
	CHECK(h.keep_alive);
	TAKEN("GET / HTTP/1.0\r\n\r\n");
	CHECK(!h.keep_alive && h.minor == 0);
	TAKEN("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n");
	CHECK(h.keep_alive);
}

TEST(expect) /* RFC 9110 10.1.1 */
{
	TAKEN(WITH("Expect: 100-Continue\r\n"));
	CHECK(h.expect_continue);
	TAKEN("POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n");
	CHECK(!h.expect_continue);
	REFUSED(417, WITH("Expect: 200-ok\r\n"));
}

/* ---- chunks ---- */

/* Content of a chunked body that comes in pieces of `step` bytes; -status. *rest: what is left. */
static long dechunk(const char *text, size_t n, size_t step, char *out, size_t *rest)
{
	struct http_chunked d = { 0 };
	const uint8_t *data;
	size_t at = 0, len = 0, k;

	while (at < n && !d.done) {
		size_t piece = step < n - at ? step : n - at;
		uint8_t *copy = malloc(piece);
		long used;

		memcpy(copy, text + at, piece);
		used = http_chunked_next(&d, copy, piece, &data, &k);
		if (used > 0) {
			if (k != 0)
				memcpy(out + len, data, k);
			len += k;
			at += (size_t)used;
		}
		free(copy);
		if (used <= 0)
			return used == 0 ? -1 : used;
	}
	*rest = n - at;
	return d.done ? (long)len : -2;
}

static long content(const char *text, char *out)
{
	size_t n = strlen(text), rest = 0, rest2;
	long whole = dechunk(text, n, n, out, &rest);

	for (size_t step = 1; step < n; step++) {
		char again[256];
		long got = dechunk(text, n, step, again, &rest2);

		if (got != whole || (got > 0 && memcmp(again, out, (size_t)got) != 0))
			unit_failures++;
	}
	return whole >= 0 ? whole * 1000 + (long)rest : whole;
}

TEST(chunks) /* RFC 9112 7.1 */
{
	char out[256];

	CHECK_EQ(content("5\r\nhello\r\n0\r\n\r\n", out), 5000);
	CHECK(memcmp(out, "hello", 5) == 0);
	CHECK_EQ(content("0\r\n\r\nGET", out), 3);
	CHECK_EQ(content("00a\r\n0123456789\r\n1\r\nx\r\n000\r\n\r\n", out), 11000);
	CHECK_EQ(content("1;a=b;c=\"d\"\r\nx\r\n0;z\r\n\r\n", out), 1000); /* 7.1.1 */
	CHECK_EQ(content("1 ;a\r\nx\r\n0\r\nTrailer: v\r\nOther: w\r\n\r\n", out),
		 1000); /* 7.1.2 */
	CHECK_EQ(content("F\r\n0123456789abcde\r\n0\r\n\r\n", out), 15000);
	CHECK_EQ(content("\r\n", out), -400);
	CHECK_EQ(content("g\r\n", out), -400);
	CHECK_EQ(content("0x1\r\nx\r\n", out), -400);
	CHECK_EQ(content("-1\r\nx\r\n", out), -400);
	CHECK_EQ(content(" 1\r\nx\r\n", out), -400);
	CHECK_EQ(content("1\nx\n0\n\n", out), -400);
	CHECK_EQ(content("1\rx", out), -400);
	CHECK_EQ(content("1\r\nxy\r\n", out), -400);
	CHECK_EQ(content("1\r\nx\n0\r\n\r\n", out), -400);
	CHECK_EQ(content("1\r\nx0\r\n\r\n", out), -400);
	CHECK_EQ(content("1;a\nx\r\n", out), -400);
	CHECK_EQ(content("0\r\nTr\nx\r\n\r\n", out), -400);
	CHECK_EQ(content("0\r\n x\r\n\r\n", out), -400);
	CHECK_EQ(content("0\r\n\rx", out), -400);
	CHECK_EQ(content("fffffffffffffffff\r\n", out), -400);
	CHECK_EQ(content("10000000000000000\r\n", out), -400);
	CHECK_EQ(content("ffffffffffffff\r\nx", out), -2); /* the largest: data is missing */
}

TEST(chunk_bounds)
{
	static char t[20000], out[16];
	size_t rest;

	memset(t, 'x', sizeof(t));
	memcpy(t, "1;", 2);
	CHECK_EQ(dechunk(t, sizeof(t), sizeof(t), out, &rest), -431);
	memcpy(t, "0\r\n", 3);
	CHECK_EQ(dechunk(t, sizeof(t), sizeof(t), out, &rest), -431);
	memset(t, '0', sizeof(t)); /* a size of zeros without end */
	CHECK_EQ(dechunk(t, sizeof(t), sizeof(t), out, &rest), -431);
}

/* ---- paths ---- */

static const char *path(const char *text)
{
	static char to[200];
	size_t n = strlen(text);
	char *exact = malloc(n + 2), *in = malloc(n + 1);
	long got;

	memcpy(in, text, n);
	got = http_path_decode(in, n, exact);
	if (got >= 0)
		memcpy(to, exact, (size_t)got + 1);
	else
		strcpy(to, "refused");
	free(exact);
	free(in);
	return to;
}

TEST(paths) /* RFC 3986 2.1, 5.2.4 */
{
	CHECK_STR(path("/"), "/");
	CHECK_STR(path("/a/b%20c"), "/a/b c");
	CHECK_STR(path("//a///b"), "/a/b");
	CHECK_STR(path("/a/./b/../c"), "/a/c");
	CHECK_STR(path("/a/b/.."), "/a/");
	CHECK_STR(path("/a/."), "/a/");
	CHECK_STR(path("/..."), "/...");
	CHECK_STR(path("/.hidden/..x"), "/.hidden/..x");
	CHECK_STR(path("/.."), "refused");
	CHECK_STR(path("/../etc/passwd"), "refused");
	CHECK_STR(path("/a/../../b"), "refused");
	CHECK_STR(path("/%2e%2e/etc"), "refused");
	CHECK_STR(path("/a/%2E%2e%2f..%2fetc"), "refused");
	CHECK_STR(path("/a%2f..%2fb"), "/b");
	CHECK_STR(path("/..%5cx"), "/..\\x");
	CHECK_STR(path("/a%00b"), "refused");
	CHECK_STR(path("/a%"), "refused");
	CHECK_STR(path("/a%4"), "refused");
	CHECK_STR(path("/a%zz"), "refused");
	CHECK_STR(path("a"), "refused");
	CHECK_STR(path(""), "/");
	CHECK_STR(path("/%252e%252e/"), "/%2e%2e/"); /* once */
}

TEST(queries)
{
	char to[32];

	CHECK_EQ(http_query_decode("a+b%2b%3D", 9, to), 5);
	CHECK_STR(to, "a b+=");
	CHECK_EQ(http_query_decode("%", 1, to), -400);
	CHECK_EQ(http_query_decode("%4", 2, to), -400);
}

/* ---- dates, ranges, tags ---- */

TEST(dates) /* RFC 9110 5.6.7 */
{
	char to[HTTP_DATE_LEN + 1] = "";

	http_date_put(784111777, to);
	CHECK_STR(to, "Sun, 06 Nov 1994 08:49:37 GMT");
	CHECK_EQ(http_date_get(to, 29), 784111777);
	CHECK_EQ(http_date_get("Sunday, 06-Nov-94 08:49:37 GMT", 30), 784111777);
	CHECK_EQ(http_date_get("Sun Nov  6 08:49:37 1994", 24), 784111777);
	CHECK_EQ(http_date_get("Sun, 06 Nox 1994 08:49:37 GMT", 29), -1);
	CHECK_EQ(http_date_get("Sun, 06 Nov 1994 08:49:37 UTC", 29), -1);
	CHECK_EQ(http_date_get("Sun, 06 Nov 1994 28:49:37 GMT", 29), -1);
	CHECK_EQ(http_date_get("", 0), -1);
	for (uint64_t t = 0; t < 4102444800; t += 86400 * 17 + 3601) {
		http_date_put(t, to);
		CHECK_EQ(http_date_get(to, 29), (long)t);
	}
	http_date_put(951782400, to);
	CHECK_STR(to, "Tue, 29 Feb 2000 00:00:00 GMT");
}

TEST(ranges) /* RFC 9110 14.1.2 */
{
	struct http_range r;
#define RANGE(text, len) http_range_get(text, strlen(text), len, &r)
	CHECK_EQ(RANGE("bytes=0-0", 10), HTTP_RANGE_ONE);
	CHECK(r.first == 0 && r.last == 0);
	CHECK_EQ(RANGE("Bytes=5-", 10), HTTP_RANGE_ONE);
	CHECK(r.first == 5 && r.last == 9);
	CHECK_EQ(RANGE("bytes=-3", 10), HTTP_RANGE_ONE);
	CHECK(r.first == 7 && r.last == 9);
	CHECK_EQ(RANGE("bytes=-30", 10), HTTP_RANGE_ONE);
	CHECK(r.first == 0 && r.last == 9);
	CHECK_EQ(RANGE("bytes=2-99", 10), HTTP_RANGE_ONE);
	CHECK(r.first == 2 && r.last == 9);
	CHECK_EQ(RANGE("bytes=10-", 10), HTTP_RANGE_BAD);
	CHECK_EQ(RANGE("bytes=-0", 10), HTTP_RANGE_BAD);
	CHECK_EQ(RANGE("bytes=-1", 0), HTTP_RANGE_BAD);
	CHECK_EQ(RANGE("bytes=5-4", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("bytes=0-1,3-4", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("bytes=", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("bytes=-", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("bytes=1-x", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("lines=1-2", 10), HTTP_RANGE_NONE);
	CHECK_EQ(RANGE("bytes=99999999999999999999999-", 10), HTTP_RANGE_NONE);
}

TEST(tags) /* RFC 9110 8.8.3.2, 13.1.1, 13.1.2 */
{
#define LISTED(list, weak) http_tag_listed(list, strlen(list), "\"x\"", 3, weak)
	CHECK(LISTED("\"x\"", false) && LISTED("*", false));
	CHECK(LISTED("\"a\", \"x\"", false));
	CHECK(LISTED("W/\"x\"", true) && !LISTED("W/\"x\"", false));
	CHECK(LISTED("W/\"y\",\"x\"", false));
	CHECK(LISTED("\"a,b\", \"x\"", false));
	CHECK(!LISTED("\"xx\"", true) && !LISTED("x", true) && !LISTED("\"x", true));
	CHECK(!LISTED("", true) && !LISTED(", ,", true));
}

TEST(lists_and_fields)
{
	CHECK(http_list_has("a, b ,c", 7, "B") && !http_list_has("ab", 2, "a"));
	CHECK(!http_list_has("", 0, "a"));
	CHECK(http_field_ok("X-Y", "v w\t") && http_field_ok("X", ""));
	CHECK(!http_field_ok("X", "a\r\nSet-Cookie: b") && !http_field_ok("X", "a\nb"));
	CHECK(!http_field_ok("X:", "a") && !http_field_ok("", "a") && !http_field_ok("a b", "c"));
}

UNIT_MAIN(CASE(simple), CASE(incomplete), CASE(request_line), CASE(targets), CASE(host),
	  CASE(fields), CASE(field_count), CASE(content_length), CASE(transfer_encoding),
	  CASE(connection), CASE(expect), CASE(chunks), CASE(chunk_bounds), CASE(paths),
	  CASE(queries), CASE(dates), CASE(ranges), CASE(tags), CASE(lists_and_fields))
