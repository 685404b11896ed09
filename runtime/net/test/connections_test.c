/* SPDX-License-Identifier: Apache-2.0 */
/* connections_test.c - a hundred thousand connections at once in bounded memory, each of which
 * answers. `make bench-connections` does the same with a million. */
#include "runtime/net/test/many.h"
#include "tests/unit.h"

TEST(hundred_thousand)
{
	struct many_report r;
	unsigned n = 100000;

	many_run(n, &r);
	CHECK_EQ(r.opened, n);
	CHECK_EQ(r.accepted, n);
	printf("%u connections: %.1f bytes each and end while idle\n", n,
	       (double)r.bytes_idle / 2 / n);
	CHECK(r.bytes_idle / 2 / n < 512);
	CHECK_EQ(r.buffers_idle, 0);
	CHECK_EQ(r.frames_idle, 0);
	CHECK(r.sleeps);
	CHECK_EQ(r.answered, n);
	CHECK_EQ(r.wrong, 0);
	CHECK_EQ(r.left, 0);
}

UNIT_MAIN(CASE(hundred_thousand))
