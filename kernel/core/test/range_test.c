/* SPDX-License-Identifier: Apache-2.0 */
/* range_test.c - range sets: merging, splitting, carving, limits. */
#include "kernel/core/range.h"
#include "tests/unit.h"

static struct range_set set;

TEST(add_merges)
{
	set.n = 0;
	CHECK_EQ(range_add(&set, 0x5000, 0x8000), 0);
	CHECK_EQ(range_add(&set, 0x1000, 0x2000), 0);
	CHECK_EQ(set.n, 2);
	CHECK_EQ(set.r[0].start, 0x1000);
	CHECK_EQ(range_add(&set, 0x2000, 0x3000), 0); /* adjacent */
	CHECK_EQ(set.n, 2);
	CHECK_EQ(set.r[0].end, 0x3000);
	CHECK_EQ(range_add(&set, 0x2800, 0x6000), 0); /* joins both */
	CHECK_EQ(set.n, 1);
	CHECK_EQ(set.r[0].end, 0x8000);
	CHECK_EQ(range_add(&set, 0x9800, 0xa7ff), 0); /* no whole page */
	CHECK_EQ(range_add(&set, 0xb001, 0xd001), 0);
	CHECK_EQ(set.n, 2);
	CHECK_EQ(set.r[1].start, 0xc000);
	CHECK_EQ(set.r[1].end, 0xd000);
	CHECK_EQ(range_add(&set, UINT64_MAX - 100, UINT64_MAX), 0);
	CHECK_EQ(set.n, 2);
	CHECK_EQ(range_total(&set, 0), 0x8000);
	CHECK_EQ(range_total(&set, 0x7000), 0x2000);
}

TEST(remove_splits)
{
	set.n = 0;
	CHECK_EQ(range_add(&set, 0x10000, 0x20000), 0);
	CHECK_EQ(range_remove(&set, 0x14001, 0x15001), 0);
	CHECK_EQ(set.n, 2);
	CHECK_EQ(set.r[0].end, 0x14000);
	CHECK_EQ(set.r[1].start, 0x16000);
	CHECK_EQ(range_remove(&set, 0x13000, 0x17000), 0);
	CHECK_EQ(set.r[0].end, 0x13000);
	CHECK_EQ(set.r[1].start, 0x17000);
	CHECK_EQ(range_remove(&set, 0, 0x13000), 0);
	CHECK_EQ(set.n, 1);
	CHECK_EQ(range_remove(&set, 0, UINT64_MAX), 0);
	CHECK_EQ(set.n, 0);
}

TEST(carve)
{
	set.n = 0;
	CHECK_EQ(range_add(&set, 0x1000, 0x9000), 0);
	CHECK_EQ(range_add(&set, 0x100000, 0x200000), 0);
	CHECK_EQ(range_carve(&set, 0x2000, 0, 0x100000), 0x1000);
	CHECK_EQ(range_carve(&set, 0x8000, 0, 0x100000), 0);
	CHECK_EQ(range_carve(&set, 0x1000, 0x180000, UINT64_MAX), 0x180000);
	CHECK_EQ(set.n, 3);
	CHECK_EQ(range_carve(&set, 0x100000, 0, UINT64_MAX), 0);
	CHECK_EQ(range_carve(&set, 0, 0, UINT64_MAX), 0);
}

TEST(full)
{
	set.n = 0;
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		CHECK_EQ(range_add(&set, i * 0x10000 + 0x1000, i * 0x10000 + 0x4000), 0);
	CHECK_EQ(range_add(&set, 0x5000000, 0x5001000), -ENOMEM);
	CHECK_EQ(range_remove(&set, 0x2000, 0x3000), -ENOMEM);
	CHECK_EQ(set.n, RANGE_MAX);
	CHECK_EQ(set.r[0].end, 0x4000);
}

TEST(totals_and_a_carve_without_room)
{
	set.n = 0;
	for (uint64_t i = 0; i < RANGE_MAX; i++)
		CHECK_EQ(range_add(&set, i * 0x10000 + 0x1000, i * 0x10000 + 0x4000), 0);
	/* to take the middle of a range makes two of one, for which there is no room */
	CHECK_EQ(range_carve(&set, 0x1000, 0x2000, 0x3000), 0);
	CHECK_EQ(range_total(&set, 0x2000), RANGE_MAX * 0x3000 - 0x1000);
	CHECK_EQ(range_total(&set, 0x10000), (RANGE_MAX - 1) * 0x3000);
}

UNIT_MAIN(CASE(add_merges), CASE(remove_splits), CASE(carve), CASE(full),
	  CASE(totals_and_a_carve_without_room))
