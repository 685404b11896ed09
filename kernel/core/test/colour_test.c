/* SPDX-License-Identifier: Apache-2.0 */
/* colour_test.c - the arithmetic of page colours against a frame by frame enumeration, and the deal
 * of rows against a map of who has which frame. */
#include <stdlib.h>

#include "abi/deal.h"
#include "tests/unit.h"

#define ROWS 40u

/* Frames of the stretch in the order of the partition's own addresses, found by looking at each. */
static void compare(uint64_t base, uint64_t mask, uint32_t colours)
{
	struct gw_stripe s = gw_stripe_make(base, mask, colours);
	uint64_t at = 0, run = 0;

	for (uint64_t n = 0; n < ROWS * colours; n++) {
		bool has = (mask >> n % colours & 1) != 0, first = n % colours == 0;

		CHECK_EQ(gw_stripe_has(&s, n) != 0, has);
		if (first || !has)
			run = 0;
		if (!has)
			continue;
		CHECK_EQ(gw_stripe_pa(&s, at + 0x123), base + n * 4096 + 0x123);
		CHECK_EQ(gw_stripe_at(&s, base + n * 4096 + 0xfff), at + 0xfff);
		if (run == 0)
			run = gw_stripe_run(&s, at);
		CHECK(run > 0);
		CHECK_EQ(gw_stripe_run(&s, at + 8), run - 8);
		run -= 4096;
		at += 4096;
	}
	CHECK_EQ(at, (uint64_t)ROWS * s.columns * 4096);
	CHECK_EQ(gw_stripe_rows(&s, ROWS * s.columns), ROWS);
	CHECK_EQ(gw_stripe_rows(&s, ROWS * s.columns + 1), ROWS + 1);
	CHECK_EQ(gw_stripe_rows(&s, 0), 0);
}

TEST(arithmetic)
{
	for (uint32_t colours = 1; colours <= 64; colours *= 2) {
		uint64_t all = colours == 64 ? ~0ULL : (1ULL << colours) - 1;

		compare(0x40000000, 1, colours);
		compare(0, all, colours);
		compare(0x7fffc0000000, 1ULL << (colours - 1), colours);
		compare(0x40000, all & 0x5a5a5a5aa5a5a5a5, colours);
		compare(0x100040000, all & 0xff00ff0000ff00ff, colours);
		for (uint32_t i = 0; i < 20; i++) {
			uint64_t r =
				(uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();

			compare((r & 0xffff) * 64 * 4096, (r & all) | 1, colours);
		}
	}
}

TEST(without_colours)
{
	struct gw_stripe s = { 0 };

	CHECK_EQ(gw_stripe_pa(&s, 0x123456789), 0x123456789);
	CHECK_EQ(gw_stripe_at(&s, 0x123456789), 0x123456789);
	CHECK_EQ(gw_stripe_run(&s, 0x5000), ~0ULL);
	CHECK(gw_stripe_has(&s, 17));
}

static struct gw_bundle b;
static struct gw_deal deals[GW_BUNDLE_PARTITIONS];

/* Deals, and checks that no frame goes to two, that all is inside, and that it is enough. */
static uint64_t deal(uint32_t colours)
{
	uint64_t rows = gw_deal_colours(&b, colours, 3, deals), given = 0;
	uint8_t *owner = calloc(rows * colours + 1, 1);

	for (uint32_t i = 0; i < b.n_partitions; i++) {
		const struct gw_stripe *s = &deals[i].stripe;
		uint64_t frames;

		CHECK_EQ(s->mask, b.partitions[i].colours);
		if (s->mask == 0)
			continue;
		CHECK(deals[i].table_rows * s->columns >=
		      gw_deal_tables(&b.partitions[i], b.partitions[i].memory_bytes, 3));
		frames = deals[i].table_rows * s->columns + 2 * b.partitions[i].vcores +
			 b.partitions[i].memory_bytes / 4096;
		for (uint32_t k = 0; k < b.n_segments; k++)
			if (b.segments[k].partition == i)
				frames += (b.segments[k].mem_len + 4095) / 4096;
		for (uint64_t n = 0; n < frames; n++, given++) {
			uint64_t f = gw_stripe_pa(s, n * 4096) / 4096;

			CHECK(f < rows * colours && owner[f] == 0);
			owner[f] = 1;
		}
	}
	CHECK_EQ(rows == 0, given == 0);
	free(owner);
	return rows;
}

static void partition(uint32_t i, uint64_t mask, uint64_t memory, uint32_t vcores)
{
	b.partitions[i] = (struct gw_bundle_partition){ .colours = mask,
							.memory_bytes = memory,
							.vcores = vcores };
}

TEST(dealing)
{
	uint64_t one, both;

	memset(&b, 0, sizeof(b));
	b.n_partitions = 4;
	b.n_segments = 2;
	b.segments[0] = (struct gw_bundle_segment){ .mem_len = 10000, .partition = 1 };
	b.segments[1] = (struct gw_bundle_segment){ .mem_len = 4096, .partition = 2 };
	CHECK_EQ(deal(8), 0);
	partition(1, 0x0f, 4 << 20, 2);
	one = deal(8);
	partition(2, 0xf0, 4 << 20, 1);
	CHECK_EQ(deal(8), one); /* beside the first */
	partition(3, 0x10, 65536, 64);
	both = deal(8);
	CHECK(both > one); /* behind the second */
	CHECK(deals[3].stripe.base >= 1024 / 4 * 8 * 4096);
	partition(0, 0x80, 65536, 1); /* comes before: the second moves */
	CHECK_EQ(deal(8) > both, true);
	partition(0, 0, 65536, 1);
	CHECK_EQ(deal(8), both);
	for (uint32_t i = 0; i < 300; i++) {
		uint32_t colours = 1u << rand() % 7;
		uint64_t all = ~0ULL >> (64 - colours);

		for (uint32_t k = 0; k < 4; k++)
			partition(k, ((uint64_t)rand() << 33 ^ (uint64_t)rand()) & all,
				  (uint64_t)(1 + rand() % 600) * 4096, 1 + (uint32_t)rand() % 8);
		deal(colours);
	}
}

TEST(others)
{
	memset(&b, 0, sizeof(b));
	b.n_partitions = 1;
	partition(0, 0x10, 65536, 1);
	CHECK_EQ(gw_deal_colours(&b, 4, 3, deals), ~0ULL);
	CHECK_EQ(gw_deal_colours(&b, 1, 3, deals), ~0ULL);
	partition(0, 1ULL << 63, 65536, 1);
	CHECK_EQ(gw_deal_colours(&b, 32, 3, deals), ~0ULL);
	CHECK(gw_deal_colours(&b, 64, 3, deals) < 1000);
}

TEST(tables)
{
	struct gw_bundle_partition p = { .vcores = 1, .flags = GW_PARTITION_DMA_TRUSTED };

	CHECK_EQ(gw_deal_tables(&p, 16 << 20, 2), 16 + 32 + 24 + 6);
	CHECK_EQ(gw_deal_tables(&p, 24 << 20, 2), 16 + 48 + 64 + 24 + 6);
	CHECK_EQ(gw_deal_tables(&p, 1 << 30, 2), 16 + 2048 + 512 + 24 + 6 + 1);
	p.colours = 1;
	CHECK_EQ(gw_deal_tables(&p, 1 << 30, 2), 16 + 2048 + 512 + 24 + 6 + 512);
	p.page_table_pages = 5;
	p.vcores = 64;
	CHECK_EQ(gw_deal_tables(&p, 16 << 20, 2), 5 + 24 + 6 + 2 + 8);
	p.flags = 0;
	CHECK_EQ(gw_deal_tables(&p, 16 << 20, 2), 5 + 2 + 2 * (24 + 6 + 8));
}

UNIT_MAIN(CASE(arithmetic), CASE(without_colours), CASE(dealing), CASE(others), CASE(tables))
