/* SPDX-License-Identifier: Apache-2.0 */
/* result_test.c - what is concluded and written: which percentiles are known, HdrHistogram's text
 * forms, the model of what redis must answer, and a connection's requests through each protocol and
 * back. */
#include <stdlib.h>

#include "tools/load/hdr_log.h"
#include "tools/load/load.h"
#include "tools/load/proto.h"
#include "tools/load/reflector.h"
#include "tools/load/verify.h"
#include "tests/unit.h"

volatile int load_interrupted;

TEST(known)
{
	CHECK_EQ(load_needs(500000000), 20);
	CHECK_EQ(load_needs(999000000), 10000);
	CHECK_EQ(load_needs(999990000), 1000000);
	CHECK(!load_known(9999, 999000000) && load_known(10000, 999000000));
	CHECK(!load_known(UINT64_MAX, 1000000000));
}

static uint64_t mem_a[HISTOGRAM_COUNTS_3], mem_b[HISTOGRAM_COUNTS_3];

TEST(base64)
{
	struct histogram a, b;
	struct rng rng = { 3 };
	char *text;

	CHECK(histogram_init(&a, 3, mem_a) == 0 && histogram_init(&b, 3, mem_b) == 0);
	for (int i = 0; i < 5000; i++)
		histogram_record(&a, rng_next(&rng) >> (20 + i % 40));
	text = hdr_base64(&a);
	CHECK(strncmp(text, "HISTF", 5) == 0);
	CHECK_EQ(hdr_from_base64(&b, text), 0);
	CHECK(memcmp(mem_a, mem_b, sizeof(mem_a)) == 0);
	text[40] = '!';
	CHECK_EQ(hdr_from_base64(&b, text), -1);
	text[20] = '\0';
	CHECK_EQ(hdr_from_base64(&b, text), -1);
	CHECK_EQ(hdr_from_base64(&b, ""), -1);
	free(text);
}

TEST(log_line)
{
	struct hdr_line l;
	char tagged[] = "Tag=a b,1700000000.125,0.500,12.3,HISTFAAA\r\n", plain[] = "0.1,0.2,0.3,x";
	char nothing[][24] = { "", "\n", "#[comment]", "\"StartTimestamp\",\"..." };
	char bad[][24] = { "Tag=a",	 "1,2,x",     "1,2", "-1,2,3,x",
			   "1e99,2,3,x", "nan,1,2,x", ",,,", "1;2;3;x" };

	CHECK_EQ(hdr_log_parse(tagged, &l), 0);
	CHECK_STR(l.tag, "a b");
	CHECK_STR(l.text, "HISTFAAA");
	CHECK(l.start_s == 1700000000.125 && l.length_s == 0.5);
	CHECK_EQ(hdr_log_parse(plain, &l), 0);
	CHECK_STR(l.tag, "");
	CHECK_STR(l.text, "x");
	for (size_t i = 0; i < ARRAY_SIZE(nothing); i++)
		CHECK_EQ(hdr_log_parse(nothing[i], &l), 1);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQ(hdr_log_parse(bad[i], &l), -1);
}

TEST(who_was_slow)
{
	struct load_result r = { 0 };

	CHECK_EQ(load_result_init(&r), 0);
	CHECK(!load_overloaded(&r) && !load_saturated(&r));
	r.counters.unsent = 1;
	for (int i = 0; i < 100; i++)
		histogram_record(&r.late, i < 45 ? NS_PER_SEC : NS_PER_US);
	CHECK(load_overloaded(&r) && !load_saturated(&r));
	for (int i = 0; i < 100; i++)
		histogram_record(&r.late, NS_PER_MS);
	CHECK(load_overloaded(&r) && load_saturated(&r));
	load_result_free(&r);
}

TEST(hgrm)
{
	struct histogram h;
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	CHECK_EQ(histogram_init(&h, 3, mem_a), 0);
	for (uint64_t i = 1; i <= 1000; i++)
		histogram_record(&h, i * 1000);
	hgrm_write(f, &h);
	fclose(f);
	CHECK(strstr(text, "       Value     Percentile TotalCount 1/(1-Percentile)\n\n") == text);
	CHECK(strstr(text, " 0.500000000000        500           2.00\n") != NULL);
	CHECK(strstr(text, " 1.000000000000       1000\n") != NULL);
	CHECK(strstr(text, "Total count    =         1000]") != NULL);
	CHECK(strstr(text, "0.9937") == NULL); /* ten of 1,000 lie beyond 99 % and no more */
	free(text);
}

/* Feeds an answer to the parser and asks the model. */
static bool accepts(struct verifier *v, const char *bytes)
{
	struct resp_parser p;
	char text[64], why[100];
	bool done = false;

	resp_init(&p, text, sizeof(text));
	CHECK(resp_feed(&p, (const uint8_t *)bytes, strlen(bytes), &done) ==
		      (ssize_t)strlen(bytes) &&
	      done);
	return verify_answer(v, &p, why, sizeof(why));
}

TEST(verify)
{
	struct verifier v;
	struct mix m;
	char first[64], second[64];
	const struct mix_command *get, *set, *del, *incr;
	int64_t one, two;

	CHECK_EQ(mix_parse(&m, "get,set,del,incr,LPUSH {key} x"), 0);
	CHECK(verify_can(&m) != 0 && strstr(fail_text(), "LPUSH") != NULL);
	fail_clear();
	get = &m.commands[0];
	set = &m.commands[1];
	del = &m.commands[2];
	incr = &m.commands[3];
	verify_init(&v, 1, 10, 3, 8);
	verify_sent(&v, get, 4);
	one = verify_sent(&v, set, 4);
	verify_sent(&v, get, 4);
	two = verify_sent(&v, set, 4);
	verify_sent(&v, get, 4);
	verify_sent(&v, del, 4);
	verify_sent(&v, get, 4);
	verify_sent(&v, incr, 4);
	verify_value(&v, 4, one, first);
	verify_value(&v, 4, two, second);
	CHECK(memcmp(first, second, 3) != 0);
	CHECK(accepts(&v, "$-1\r\n"));
	CHECK(accepts(&v, "+OK\r\n"));
	first[3] = second[3] = '\0';
	char text[100];

	snprintf(text, sizeof(text), "$3\r\n%s\r\n", second); /* the value of a later write */
	CHECK(!accepts(&v, text));
	CHECK(accepts(&v, "+OK\r\n"));
	CHECK(accepts(&v, text));
	CHECK(!accepts(&v, ":0\r\n")); /* DEL of a key that is there */
	CHECK(!accepts(&v, text));     /* GET of a key that is not */
	CHECK(accepts(&v, ":1\r\n"));
	verify_free(&v);
	mix_free(&m);
}

/* A connection of a protocol against the reflector's answers, in parts of each size. */
static void against_reflector(const struct proto *p, enum reflect_kind kind, size_t part)
{
	struct proto_options o = { .seed = 3,
				   .pipeline = 4,
				   .connections = 1,
				   .mix = "get,set,ping",
				   .keys = 10,
				   .size = 50,
				   .method = "GET" };
	struct reflect_options ro = { .size = 50 };
	struct reflector r = { 0 };
	struct peer peer = { .kind = kind };
	struct text out = { 0 };
	struct rng rng = { 9 };
	void *shared = NULL, *conn = xcalloc(1, p->conn_size);
	unsigned int answers = 0;

	resp_init(&peer.resp, peer.name, sizeof(peer.name));
	peer.resp.keep_first = true;
	CHECK_EQ(url_parse(&o.url, "http://h/"), 0);
	CHECK_EQ(p->prepare(&o, &shared), 0);
	CHECK_EQ(reflector_init(&r, &ro), 0);
	p->open(conn, shared, 0, 0);
	for (uint64_t id = 0; id < 4; id++)
		p->request(conn, &out, &rng, id);
	for (size_t at = 0; at < out.len; at += part)
		CHECK(reflect(&r, &peer, (const uint8_t *)out.data + at,
			      out.len - at < part ? out.len - at : part) >= 0);
	for (size_t at = 0; at < peer.out.len;) {
		struct proto_answer a = { 0 };
		size_t n = peer.out.len - at < part ? peer.out.len - at : part;
		ssize_t took = p->answer(conn, (const uint8_t *)peer.out.data + at, n, &a);

		CHECK(took > 0);
		if (took <= 0)
			break;
		CHECK(!a.error && !a.wrong);
		answers += a.done;
		at += (size_t)took;
	}
	CHECK_EQ(answers, 4);
	if (kind == REFLECT_TCP) { /* a byte changed on the way is seen */
		struct proto_answer a = { 0 };

		CHECK_EQ(p->answer(conn, (const uint8_t *)peer.out.data, 9, &a), -1);
	}
	if (p->close != NULL)
		p->close(conn);
	p->release(shared);
	reflector_free(&r);
	text_free(&out);
	text_free(&peer.out);
	free(conn);
}

TEST(protocols)
{
	for (size_t part = 1; part < 300; part += part < 10 ? 1 : 37) {
		against_reflector(&proto_tcp, REFLECT_TCP, part);
		against_reflector(&proto_redis, REFLECT_REDIS, part);
		against_reflector(&proto_http, REFLECT_HTTP, part);
	}
	CHECK(proto_find("redis") == &proto_redis && proto_find("rediss") == NULL);
	CHECK(strstr(fail_text(), "did you mean redis://") != NULL);
	fail_clear();
}

UNIT_MAIN(CASE(known), CASE(base64), CASE(log_line), CASE(who_was_slow), CASE(hgrm), CASE(verify),
	  CASE(protocols))
