/* SPDX-License-Identifier: Apache-2.0 */
/* inet_test.c - texts of IP addresses, against what the C library makes of the same. */
#include <arpa/inet.h>
#include <string.h>
#include "runtime/base/inet.h"
#include "tests/unit.h"

/* Both take all of text, as the same address; or neither does. */
static void same(const char *text)
{
	uint8_t ours[16], theirs[16];
	const char *end = inet_parse6(text, ours);
	bool taken = end != NULL && *end == '\0';

	if (taken != (inet_pton(AF_INET6, text, theirs) == 1) ||
	    (taken && memcmp(ours, theirs, 16) != 0))
		CHECK_STR(text, taken ? "not taken" : "taken, and the same");
}

static void prints(const char *text, const char *as)
{
	char to[INET_TEXT];
	uint8_t ip[16];

	CHECK(inet_parse6(text, ip) != NULL);
	CHECK_EQ(inet_print6(to, ip), strlen(as));
	CHECK_STR(to, as);
}

TEST(ip6_parse)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"fe80::1",
		"2001:db8::2:1",
		"2001:DB8:0:0:8:800:200C:417A",
		"1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::",
		"::2:3:4:5:6:7:8",
		"::ffff:1.2.3.4",
		"::1.2.3.4",
		"64:ff9b::1.2.3.4",
		"1:2:3:4:5:6:1.2.3.4",
		"1:2:3:4:5:6:7:1.2.3.4",
		"1:2:3:4:5:1.2.3.4",
		"1::5:1.2.3.4",
		"",
		":",
		":::",
		"1",
		"1:2",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"1::2::3",
		"::g",
		"12345::",
		"1:2:3:4:5:6:7:8:",
		":1::",
		"1:::2",
		"::1.2.3",
		"::1.2.3.256",
		"::1.2.3.4.5",
		"::1.2.3.4:5",
		"1.2.3.4",
		"fe80::1%eth0",
		"::1 ",
		"1:2:3:4:5:6:7::8",
		"::00001",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		same(texts[i]);
}

/* RFC 5952 4 and 5 */
TEST(ip6_print)
{
	prints("2001:0db8::0001", "2001:db8::1");
	prints("2001:db8:0:0:0:0:2:1", "2001:db8::2:1");
	prints("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"); /* 4.2.2: not one group */
	prints("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");		/* 4.2.3: the longest */
	prints("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");	/* and the first */
	prints("2001:DB8::ABCD", "2001:db8::abcd");
	prints("::", "::");
	prints("::1", "::1");
	prints("1::", "1::");
	prints("0:0:1::", "0:0:1::");
	prints("1:2:3:4:5:6:0:0", "1:2:3:4:5:6::");
	prints("::ffff:c0a8:1", "::ffff:192.168.0.1");
	prints("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
}

TEST(any_ip6_comes_back)
{
	uint32_t x = 12345;

	for (int k = 0; k < 20000; k++) {
		char to[INET_TEXT];
		uint8_t ip[16], back[16];

		for (int i = 0; i < 16; i++) {
			x = x * 1664525 + 1013904223;
			ip[i] = x >> 29 > 2 ? 0 : (uint8_t)(x >> 16);
		}
		CHECK_EQ(inet_print6(to, ip), strlen(to));
		CHECK_EQ(inet_pton(AF_INET6, to, back), 1);
		CHECK_EQ(memcmp(ip, back, 16), 0);
		CHECK(inet_parse6(to, back) == to + strlen(to));
		CHECK_EQ(memcmp(ip, back, 16), 0);
	}
}

TEST(ip4)
{
	static const char *const bad[] = {
		"", "1.2.3", "1.2.3.256", "1..2.3", "1.2.3.", "a.b.c.d"
	};
	char to[INET_TEXT];
	uint8_t ip[4];

	CHECK_STR(inet_parse4("10.0.2.15/24", ip), "/24");
	CHECK_EQ(inet_print4(to, ip), 9);
	CHECK_STR(to, "10.0.2.15");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK(inet_parse4(bad[i], ip) == NULL);
}

UNIT_MAIN(CASE(ip6_parse), CASE(ip6_print), CASE(any_ip6_comes_back), CASE(ip4))
