/* SPDX-License-Identifier: Apache-2.0 */
/* basics.c - text, addresses, memory, random numbers, time, configuration, files. */
#include "tests/native/probe/probe.h"

static bool round_trip(const char *text, const char *back)
{
	char out[GW_ADDR_TEXT];
	struct gw_addr a;

	return gw_addr_parse(text, &a) == 0 && strcmp(gw_addr_text(&a, out), back) == 0;
}

static void addresses(void)
{
	static const char *const bad[] = { "",
					   ":",
					   "1.2.3:4",
					   "1.2.3.4",
					   "256.0.0.1:1",
					   "[::1]",
					   "[:::]:1",
					   "[1::2::3]:4",
					   "70000",
					   "1.2.3.4:",
					   "[1:2]:3",
					   "x:1",
					   "[::1]:",
					   "*",
					   "**:1",
					   "[::1.2.3.400]:1",
					   "[1:2:3:4:5:6:7:8:9]:1" };
	struct gw_addr a;

	CHECK(round_trip("1.2.3.4:80", "1.2.3.4:80"));
	CHECK(round_trip("0.0.0.0:80", "0.0.0.0:80"));
	CHECK(round_trip(":8080", "*:8080"));
	CHECK(round_trip("443", "*:443"));
	CHECK(round_trip("*:443", "*:443"));
	CHECK(round_trip("[::ffff:1.2.3.4]:5", "[::ffff:1.2.3.4]:5"));
	CHECK(round_trip("[::1]:80", "[::1]:80"));
	CHECK(round_trip("[::]:80", "[::]:80"));
	CHECK(round_trip("[fe80::1:0:0:2]:9", "[fe80::1:0:0:2]:9"));
	CHECK(round_trip("[1:2:3:4:5:6:7:8]:1", "[1:2:3:4:5:6:7:8]:1"));
	CHECK(round_trip("[2001:DB8:0:0:1:0:0:0]:1", "[2001:db8:0:0:1::]:1"));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(gw_addr_parse(bad[i], &a) == -EINVAL);
}

static void text(void)
{
	char out[16];
	uint64_t v;

	CHECK(gw_format(out, sizeof(out), "%05d|%-4s|%x", -42, "ab", 255u) == 13);
	CHECK(strcmp(out, "-0042|ab  |ff") == 0);
	CHECK(gw_format(out, 4, "%s", "longer") == 6 && strcmp(out, "lon") == 0);
	CHECK(gw_parse_u64("0x10", 100, &v) == 0 && v == 16);
	CHECK(gw_parse_u64("10x", 100, &v) == -EINVAL && gw_parse_u64("101", 100, &v) == -ERANGE);
	CHECK(strcmp(gw_strerror(-ECONNREFUSED), "connection refused") == 0);
}

static void memory(void)
{
	char *p = gw_zalloc(1000), *q;

	CHECK(p != NULL && p[0] == 0 && p[999] == 0 && ((uintptr_t)p & 15) == 0);
	memcpy(p, "hello", 6);
	q = gw_resize(p, 1000, 100000);
	CHECK(q != NULL && strcmp(q, "hello") == 0);
	gw_free(q, 100000);
	CHECK(gw_memory_total() >= gw_memory_free() && gw_memory_free() != 0);
	CHECK(gw_random_u64() != gw_random_u64());
}

static void times(void)
{
	uint64_t before = gw_now(), after;
	volatile double x = 1.5; /* floating point is a program's */

	gw_sleep(3 * GW_MS);
	after = gw_now();
	CHECK(after - before >= 3 * GW_MS && after - before < 10 * GW_SEC);
	CHECK(gw_wall() == 0 || gw_wall() > 1700000000 * GW_SEC);
	CHECK(x * 2 == 3);
}

/* --set greeting=hello --set n=1 --set n=2 --files tests/native/files: the system test says so. */
static void settings(void)
{
	struct gw_file f;

	if (gw_config("greeting") == NULL)
		return;
	CHECK(strcmp(gw_config("greeting"), "hello") == 0);
	CHECK(strcmp(gw_config_at("n", 1), "2") == 0 && gw_config_at("n", 2) == NULL);
	CHECK(gw_config("greet") == NULL);
	CHECK(gw_file("hello.txt", &f) == 0 && f.len == 6 && memcmp(f.data, "hello\n", 6) == 0);
	CHECK(gw_file("folder/inner.txt", &f) == 0 && f.len == 6 && f.mtime_ns != 0);
	CHECK(gw_file("folder", &f) == -EISDIR);
	CHECK(gw_file("folder/none", &f) == -ENOENT && gw_file("", &f) == -ENOENT &&
	      gw_file("/hello.txt", &f) == -ENOENT &&
	      gw_file("folder/../hello.txt", &f) == -ENOENT &&
	      gw_file("hello.txt/x", &f) == -ENOENT);
}

void try_basics(void)
{
	addresses();
	text();
	memory();
	times();
	settings();
}
