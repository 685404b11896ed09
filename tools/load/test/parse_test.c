/* SPDX-License-Identifier: Apache-2.0 */
/* parse_test.c - what users type (times, rates, URLs, mixes) and what servers answer (HTTP, redis),
 * cut at every byte. */
#include <stdlib.h>

#include "tools/load/http_parse.h"
#include "tools/load/json.h"
#include "tools/load/mix.h"
#include "tools/load/resp.h"
#include "tools/load/units.h"
#include "tools/load/url.h"
#include "tests/unit.h"

TEST(units)
{
	static const struct {
		const char *text;
		long long ns; /* -1: refused */
	} times[] = { { "250us", 250000 },
		      { "10ms", 10000000 },
		      { "1.5s", 1500000000 },
		      { "2", 2000000000 },
		      { "2m", 120000000000 },
		      { "7ns", 7 },
		      { "0", 0 },
		      { "", -1 },
		      { "-1s", -1 },
		      { "1e3", -1 },
		      { "inf", -1 },
		      { "1.2.3", -1 },
		      { ".", -1 },
		      { "5 ms", -1 },
		      { "31536000", -1 },
		      { "0x10", -1 } };
	double rate;
	uint64_t n;

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		uint64_t ns = 0;
		int rc = parse_duration(times[i].text, &ns);

		CHECK_EQ(rc == 0 ? (long long)ns : -1, times[i].ns);
	}
	CHECK(parse_rate("2.5k", &rate) == 0 && rate == 2500);
	CHECK(parse_rate("1M", &rate) == 0 && rate == 1e6);
	CHECK(parse_rate("0.5", &rate) == 0 && rate == 0.5);
	CHECK(parse_rate("0", &rate) != 0 && parse_rate("-3", &rate) != 0 &&
	      parse_rate("2e9", &rate) != 0);
	CHECK(parse_rate("1001M", &rate) != 0 && parse_rate("nan", &rate) != 0 &&
	      parse_rate("k", &rate) != 0);
	CHECK(parse_ppb("p99.9", &n) == 0 && n == 999000000);
	CHECK(parse_ppb("50", &n) == 0 && n == 500000000);
	CHECK(parse_ppb("100", &n) != 0 && parse_ppb("p", &n) != 0);
	CHECK_STR(show_ns(830), "830 ns");
	CHECK_STR(show_ns(45300), "45.3 us");
	CHECK_STR(show_ns(99960), "100 us");
	CHECK_STR(show_ns(1250000), "1.25 ms");
	CHECK_STR(show_ns(2500000000), "2.50 s");
	CHECK_STR(show_count(1234567), "1,234,567");
	CHECK_STR(show_count(12), "12");
	CHECK_STR(show_ppb(999000000), "99.9");
	CHECK_STR(show_ppb(500000000), "50");
}

static bool refused(const char *text)
{
	struct url u;
	bool no = url_parse(&u, text) != 0 && fail_text()[0] != '\0';

	fail_clear();
	return no;
}

TEST(url)
{
	struct url u;
	char longer[2000];

	CHECK_EQ(url_parse(&u, "http://example.org:8080/a?b=c"), 0);
	CHECK_STR(u.host, "example.org");
	CHECK_STR(u.authority, "example.org:8080");
	CHECK_STR(u.path, "/a?b=c");
	CHECK_EQ(u.port, 8080);
	CHECK_EQ(url_parse(&u, "redis://127.0.0.1"), 0);
	CHECK_EQ(u.port, 0);
	CHECK_STR(u.path, "/");
	CHECK_EQ(url_parse(&u, "tcp://[::1]:7"), 0);
	CHECK_STR(u.host, "::1");
	CHECK_EQ(u.port, 7);
	CHECK(refused("127.0.0.1:6379"));
	CHECK(refused("http://"));
	CHECK(refused("://x"));
	CHECK(refused("tcp://h:65536"));
	CHECK(refused("tcp://h:x"));
	CHECK(refused("tcp://[::1:7"));
	CHECK(refused("tcp://[::1]7"));
	CHECK(refused("http://h/a b"));
	CHECK(refused("http://h/a\r\nX: y"));
	CHECK(refused("redis://user@h"));
	memset(longer, 'a', sizeof(longer));
	memcpy(longer, "http://", 7);
	longer[sizeof(longer) - 1] = '\0';
	CHECK(refused(longer));
}

struct http_case {
	const char *bytes;
	int status; /* of the last; -1: refused */
	int complete;
	unsigned int body;
};

static const struct http_case http_cases[] = {
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, 1, 5 },
	{ "HTTP/1.1 200 OK\nContent-Length:5\n\nhello", 200, 1, 5 },
	{ "HTTP/1.1 204 No Content\r\n\r\n", 204, 1, 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", 200, 1, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	  "chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\nT: r\r\n\r\n",
	  200, 1, 15 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\naHTTP/1.1 503 X\r\nContent-Length: "
	  "2\r\n\r\nab",
	  503, 2, 2 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", 200, 0, 3 },
	{ "garbage", -1, 0, 0 },
	{ "HTTP/2 200\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 99 OK\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\n: x\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", -1, 0, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", -1, 0, 0 },
};

/* Feeds the bytes in parts of at most `part`. */
static void http_one(const struct http_case *c, size_t part)
{
	struct http_parser p;
	int complete = 0;
	ssize_t took = 0;
	size_t n = strlen(c->bytes);

	http_init(&p, false, true);
	for (size_t at = 0; at < n && took >= 0;) {
		bool done = false;

		took = http_feed(&p, (const uint8_t *)c->bytes + at, n - at < part ? n - at : part,
				 &done);
		at += took > 0 ? (size_t)took : 0;
		complete += done;
	}
	CHECK_EQ(took < 0 ? -1 : p.status, c->status);
	if (took < 0) {
		CHECK(p.why != NULL);
		return;
	}
	CHECK_EQ(complete, c->complete);
	CHECK_EQ(p.body, c->body);
}

TEST(http)
{
	struct http_parser p;
	bool done = false;
	static const char until[] = "HTTP/1.0 200 OK\r\n\r\nall of it";

	for (size_t i = 0; i < sizeof(http_cases) / sizeof(http_cases[0]); i++) {
		for (size_t part = 1; part < 80; part += part < 8 ? 1 : 13)
			http_one(&http_cases[i], part);
	}
	http_init(&p, false, false);
	CHECK_EQ(http_feed(&p, (const uint8_t *)until, sizeof(until) - 1, &done),
		 sizeof(until) - 1);
	CHECK(!done && http_end(&p) && p.close);
	http_init(&p, true, false); /* HEAD: a length, and no body */
	CHECK(http_feed(&p, (const uint8_t *)http_cases[0].bytes, 38, &done) == 38 && done);
	/* headers without an end */
	http_init(&p, false, false);
	CHECK(http_feed(&p, (const uint8_t *)"HTTP/1.1 200 OK\r\n", 17, &done) == 17);
	ssize_t rc = 0;

	for (int i = 0; i < 10000 && rc >= 0; i++)
		rc = http_feed(&p, (const uint8_t *)"X: 1234567890\r\n", 15, &done);
	CHECK_EQ(rc, -1);
}

struct resp_case {
	const char *bytes;
	int complete; /* -1: refused */
	char type;
	bool nil;
	int number;
	const char *text;
};

static const struct resp_case resp_cases[] = {
	{ "+OK\r\n", 1, '+', false, 0, "OK" },
	{ "-ERR no\r\n", 1, '-', false, 0, "ERR no" },
	{ ":-42\r\n", 1, ':', false, -42, "" },
	{ "$5\r\nhello\r\n", 1, '$', false, 5, "hello" },
	{ "$0\r\n\r\n", 1, '$', false, 0, "" },
	{ "$-1\r\n", 1, '$', true, -1, "" },
	{ "_\r\n", 1, '_', true, 0, "" },
	{ "*-1\r\n", 1, '*', true, -1, "" },
	{ "*0\r\n", 1, '*', false, 0, "" },
	{ "*2\r\n*2\r\n:1\r\n$1\r\nx\r\n$-1\r\n", 1, '*', false, 2, "" },
	{ "%1\r\n+a\r\n:1\r\n", 1, '%', false, 1, "" },
	{ "$4\r\na\r\nb\r\n", 1, '$', false, 4, "a\r\nb" },
	{ "+a\r\n+b\r\n", 2, '+', false, 0, "b" },
	{ "$5\r\nhel", 0, '$', false, 5, "hel" },
	{ "*3\r\n:1\r\n", 0, '*', false, 3, "" },
	{ "nonsense\r\n", -1, 0, false, 0, "" },
	{ "$x\r\n", -1, 0, false, 0, "" },
	{ "$-2\r\n", -1, 0, false, 0, "" },
	{ "$99999999999999999999\r\n", -1, 0, false, 0, "" },
	{ "*99999999999999\r\n", -1, 0, false, 0, "" },
	{ "$2\r\nabcd\r\n", -1, 0, false, 0, "" },
	{ "\r\n", -1, 0, false, 0, "" },
};

static void resp_one(const struct resp_case *c, size_t part)
{
	struct resp_parser p;
	char text[16] = { 0 };
	size_t n = strlen(c->bytes);
	int complete = 0;
	ssize_t took = 0;

	resp_init(&p, text, sizeof(text) - 1);
	for (size_t at = 0; at < n && took >= 0;) {
		bool done = false;

		if (p.due == 0 && !p.in_bulk && p.line_len == 0)
			memset(text, 0, sizeof(text));
		took = resp_feed(&p, (const uint8_t *)c->bytes + at, n - at < part ? n - at : part,
				 &done);
		at += took > 0 ? (size_t)took : 0;
		complete += done;
	}
	CHECK_EQ(took < 0 ? -1 : complete, c->complete);
	if (c->complete < 0)
		return;
	CHECK_EQ(p.type, c->type);
	CHECK_EQ(p.nil, c->nil);
	CHECK_EQ(p.number, c->number);
	CHECK_STR(text, c->text);
}

TEST(resp)
{
	static const char command[] = "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n";
	struct resp_parser p;
	char text[8] = { 0 };
	bool done = false;

	for (size_t i = 0; i < sizeof(resp_cases) / sizeof(resp_cases[0]); i++) {
		for (size_t part = 1; part < 40; part++)
			resp_one(&resp_cases[i], part);
	}
	resp_init(&p, text, 7);
	p.keep_first = true;
	CHECK(resp_feed(&p, (const uint8_t *)command, sizeof(command) - 1, &done) ==
		      sizeof(command) - 1 &&
	      done);
	CHECK(p.len == 3 && memcmp(text, "SET", 3) == 0);
	/* long answers do not overrun a short buffer */
	resp_init(&p, text, 2);
	CHECK(resp_feed(&p, (const uint8_t *)"$6\r\nabcdef\r\n", 12, &done) == 12 && done &&
	      p.len == 6);
}

static bool mix_refused(const char *text)
{
	struct mix m;
	bool no = mix_parse(&m, text) != 0 && fail_text()[0] != '\0';

	mix_free(&m);
	fail_clear();
	return no;
}

TEST(mix)
{
	struct mix m;
	struct rng rng = { 1 };
	int counts[3] = { 0 };

	CHECK_EQ(mix_parse(&m, "get:70,set:20,ZADD b{random:9}x {key} 'a b':10"), 0);
	CHECK_EQ(m.n, 3);
	CHECK_EQ(m.total, 100);
	CHECK_STR(m.commands[0].name, "GET");
	CHECK_EQ(m.commands[1].n_words, 3);
	CHECK_EQ(m.commands[2].n_words, 4);
	CHECK_EQ(m.commands[2].n_parts, 6);
	CHECK_EQ(m.commands[2].parts[2].bound, 9);
	for (int i = 0; i < 100000; i++)
		counts[mix_draw(&m, &rng) - m.commands]++;
	CHECK(counts[0] > 69000 && counts[0] < 71000 && counts[1] > 19300 && counts[1] < 20700);
	mix_free(&m);
	CHECK_EQ(mix_parse(&m, "PING"), 0);
	mix_free(&m);
	CHECK(mix_refused("gett:3"));
	CHECK(mix_refused("get:0"));
	CHECK(mix_refused("get:x"));
	CHECK(mix_refused(""));
	CHECK(mix_refused(","));
	CHECK(mix_refused("GET {kee}"));
	CHECK(mix_refused("GET {key"));
	CHECK(mix_refused("GET 'open"));
	CHECK(mix_refused("SET x {random:0}"));
	CHECK(mix_refused("A b c d e f g h i j k l m n o p q r"));
}

static bool json_refused(const char *text)
{
	struct json j;
	bool no = json_parse(&j, text) != 0 && fail_text()[0] != '\0';

	json_free(&j);
	fail_clear();
	return no;
}

TEST(json)
{
	struct json j;
	const struct json_value *v;
	static const char good[] = " {\"a\": [1, -2.5e1, null, [true]], \"b\": {\"c\": "
				   "\"x\\n\\u0041\\\"\"}, \"d\": {}} ";

	CHECK_EQ(json_parse(&j, good), 0);
	v = json_member(&j, &j.v[0], "a");
	CHECK(v != NULL && v->kind == JSON_ARRAY && v->children == 4);
	CHECK(json_number(json_next(&j, json_child(v)), 0) == -25);
	v = json_member(&j, json_member(&j, &j.v[0], "b"), "c");
	CHECK(v != NULL);
	CHECK_STR(v->string, "x\nA\"");
	CHECK(json_member(&j, &j.v[0], "d") != NULL && json_member(&j, &j.v[0], "e") == NULL);
	json_free(&j);
	/* every cut of it is refused */
	for (size_t n = 0; n + 2 < sizeof(good); n++) {
		char cut[128];

		memcpy(cut, good, n);
		cut[n] = '\0';
		CHECK(n > 69 || json_refused(cut));
	}
	CHECK(json_refused("[1,]"));
	CHECK(json_refused("{1: 2}"));
	CHECK(json_refused("{\"a\" 2}"));
	CHECK(json_refused("[1] 2"));
	CHECK(json_refused("\"\\x\""));
	CHECK(json_refused("[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]"));
}

UNIT_MAIN(CASE(units), CASE(url), CASE(http), CASE(resp), CASE(mix), CASE(json))
