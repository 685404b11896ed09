/* SPDX-License-Identifier: Apache-2.0 */
/* ktrace_test.c - the kernel's trace lines as a Chrome trace; damaged lines are left out. */
#include <stdlib.h>

#include "tests/unit.h"
#include "tools/godwit/ktrace.h"

static struct ktrace k;
static char *json;
static size_t len;

static bool has(const char *part)
{
	return strstr(json, part) != NULL;
}

TEST(slices_and_instants)
{
	ktrace_begin(&k, open_memstream(&json, &len), "memory");
	ktrace_line(&k, "godwit: p0: 1 vcores\r\n");
	ktrace_line(&k, "godwit: trace: partition 0 victim\r\n");
	ktrace_line(&k, "godwit: trace: partition 1 a \"quoted\\ name\r\n");
	ktrace_line(&k, "godwit: trace: window 0 0 0\r\n");
	ktrace_line(&k, "godwit: trace: window 1 0 255\r\n");
	ktrace_line(&k, "godwit: trace: 0 1000 2 255 0 0\r\n");
	ktrace_line(&k, "godwit: trace: 0 1500 1 0 3 0\r\n");
	ktrace_line(&k, "godwit: trace: 0 1700 4 0 3 30\r\n");
	ktrace_line(&k, "godwit: trace: 0 2001 2 255 0 1\r\n");
	ktrace_line(&k, "godwit: trace: 0 2500 1 255 0 0\r\n");
	ktrace_line(&k, "godwit: trace: 0 2600 1 1 0 0");
	ktrace_line(&k, "godwit: trace: 0 2700 7 1 0 5");
	ktrace_line(&k, "godwit: trace: 0 3000 3 255 0 0");
	ktrace_line(&k, "godwit: trace: 2 9 8 7 0 ffffffff");
	CHECK_EQ(k.damaged, 0);
	CHECK_EQ(ktrace_end(&k), 0);
	CHECK(has("\"pid\":0,\"tid\":1,\"name\":\"victim vcore 3\",\"ts\":1.500,\"dur\":1.000,"));
	CHECK(has("\"name\":\"interrupt\",\"ts\":1.700,\"s\":\"t\",\"args\":{\"arg\":48,"));
	CHECK(has("\"tid\":2,\"name\":\"window 0: victim\",\"ts\":1.000,\"dur\":1.001,"));
	CHECK(has("\"name\":\"window 1: the pool\",\"ts\":2.001,\"dur\":0.999,"));
	CHECK(has("\"name\":\"a \\\"quoted\\\\ name vcore 0\",\"ts\":2.600,\"dur\":0.400,"));
	CHECK(has("\"name\":\"memory violation\",\"ts\":2.700"));
	CHECK(has("\"name\":\"grant\""));
	CHECK(has("\"arg\":4294967295,\"partition\":\"partition 7\""));
	CHECK(has("\"args\":{\"name\":\"core 2\"}"));
	CHECK(!has("core 1"));
	CHECK(has("\n]\n"));
	free(json);
}

TEST(damaged)
{
	static const char *const bad[] = { "",
					   "1",
					   "0 1000 1 0 0",
					   "0 1000 1 0 0 x",
					   "0 1000 1 0 0 0 0",
					   "64 1000 1 0 0 0",
					   "0 1000 0 0 0 0",
					   "0 1000 9 0 0 0",
					   "0 1000 1 256 0 0",
					   "0 1000 1 0 65536 0",
					   "0 1000 1 0 0 100000000",
					   "0 10000000000000000000 1 0 0 0",
					   "0  1000 1 0 0 0",
					   "-1 1000 1 0 0 0",
					   "partition 8 x",
					   "partition 0 ",
					   "partition 0 aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
					   "window 64 0 0",
					   "window 0 0 256",
					   "window 0 0" };
	char line[128];

	ktrace_begin(&k, open_memstream(&json, &len), "memory");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(line, sizeof(line), "godwit: trace: %s\n", bad[i]);
		ktrace_line(&k, line);
		CHECK_EQ(k.damaged, i + 1);
	}
	CHECK_EQ(k.out.events, 0);
	CHECK_EQ(ktrace_end(&k), 0);
	free(json);
}

UNIT_MAIN(CASE(slices_and_instants), CASE(damaged))
