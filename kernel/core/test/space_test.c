/* SPDX-License-Identifier: Apache-2.0 */
/* space_test.c - page tables built in a host buffer and walked by an independent reader; then a
 * long run of random operations against a plain array. */
#include <stdlib.h>

#include "kernel/core/space.h"
#include "tests/unit.h"

#define POOL 64u
#define BASE 0x100000ULL
#define RW (PTE_P | PTE_U | PTE_W | PTE_NX)
#define RO (PTE_P | PTE_U | PTE_NX)

uint64_t direct_base;
static struct table_pool pool;
static struct space space;
static struct gather g;
static uint8_t *memory;

static void setup(uint32_t pages)
{
	if (memory == NULL)
		memory = aligned_alloc(4096, (POOL + 8) * 4096);
	memset(memory, 0x5a, (POOL + 8) * 4096);
	direct_base = (uint64_t)(uintptr_t)memory - BASE;
	g.n = 0;
	space_init(&space, &pool, BASE, pages, BASE + pages * 4096, false);
}

/* What the hardware would find: the leaf entry and its level, 0 if none. */
static uint64_t hardware_walk(uint64_t va, int *level)
{
	uint64_t table = space.root;

	for (*level = 3; *level >= 0; (*level)--) {
		uint64_t e = ((uint64_t *)direct(table))[va >> (12 + 9 * *level) & 511];

		if (*level == 0 || (e & PTE_PS) || !(e & PTE_P))
			return e;
		table = e & PTE_ADDR;
	}
	return 0;
}

static uint64_t lookup(uint64_t va)
{
	int level;
	uint64_t e = hardware_walk(va, &level);

	if (e == 0)
		return 0;
	if (level == 1)
		e = (e & ~PTE_PS) + (va & 0x1ff000);
	return e;
}

TEST(map_small_and_large)
{
	int level;

	setup(POOL);
	CHECK_EQ(space_map(&space, 0x1ff000, 0x5000, 0x3000, RW, false, &g), 0);
	CHECK_EQ(lookup(0x1ff000), 0x5000 | RW);
	CHECK_EQ(lookup(0x201000), 0x7000 | RW);
	CHECK_EQ(lookup(0x202000), 0);
	CHECK_EQ(g.n, 0);
	CHECK_EQ(space.pool->free, POOL - 5); /* root, pdpt, pd, two tables */
	CHECK_EQ(space_map(&space, 0x3ff000, 0x9ff000, 0x401000, RW, true, &g), 0);
	CHECK_EQ(hardware_walk(0x400000, &level), 0xa00000 | RW | PTE_PS);
	CHECK_EQ(level, 1);
	CHECK_EQ(hardware_walk(0x3ff000, &level), 0x9ff000 | RW);
	CHECK_EQ(level, 0);
	/* a large page over small ones gives their table back */
	CHECK_EQ(space_map(&space, 0x200000, 0x2000000, 0x200000, RW, true, &g), 0);
	CHECK_EQ(lookup(0x201000), 0x2001000 | RW);
	CHECK_EQ(space.pool->free, POOL - 4);
	CHECK(g.n > GATHER_PAGES);
}

/* Small pages over whole large ones: each takes a table, which the pool must have before anything
 * is changed. */
TEST(small_over_large)
{
	for (uint32_t left = 0; left < 9; left++) {
		int r;

		setup(12); /* root, pdpt, pd, and 9 to split with, of which `left` stay */
		CHECK_EQ(space_map(&space, 0x40200000, 0x200000, 5 * LARGE_SIZE, RW, true, &g), 0);
		for (uint64_t i = 0; i < 9 - left; i++)
			CHECK_EQ(space_map(&space, 0x50000000 + i * LARGE_SIZE, 0x1000, 0x1000, RW,
					   false, &g),
				 0);
		CHECK_EQ(space.pool->free, left);
		/* with `large`, too, when the frames lie otherwise within 2 MiB */
		r = space_map(&space, 0x40200000, 0x5000, 5 * LARGE_SIZE, RW, left & 1, &g);
		CHECK_EQ(r, left < 5 ? -ENOMEM : 0);
		CHECK_EQ(space.pool->free, r < 0 ? left : left - 5);
		CHECK_EQ(lookup(0x40200000), (r < 0 ? 0x200000ull : 0x5000ull) | RW);
	}
}

TEST(split_and_prune)
{
	struct gw_unmapped out[8];
	uint64_t va = 0x40003000;

	setup(POOL);
	CHECK_EQ(space_map(&space, 0x40000000, 0x400000, 0x200000, RW | PTE_A, true, &g), 0);
	CHECK_EQ(space_scan(&space, &va, 0x40005000, true, out, 8, ~0u, &g), 2);
	CHECK_EQ(out[0].va, 0x40003000);
	CHECK_EQ(out[0].pa_flags, 0x403000 | GW_MAP_W | GW_MAP_ACCESSED);
	CHECK_EQ(va, 0x40005000);
	CHECK(g.n > 0);
	CHECK_EQ(lookup(0x40002000), 0x402000 | RW | PTE_A);
	CHECK_EQ(lookup(0x40003000), 0);
	CHECK_EQ(space_protect(&space, 0x40000000, 0x3000, RO, &g), 0);
	CHECK_EQ(lookup(0x40002000), 0x402000 | RO | PTE_A);
	for (va = 0x40000000; va < 0x40200000;)
		CHECK(space_scan(&space, &va, 0x40200000, true, out, 8, ~0u, &g) > 0 ||
		      va == 0x40200000);
	CHECK_EQ(space.pool->free, POOL - 1);
	/* tables came back zeroed */
	CHECK_EQ(space_map(&space, 0x7f0000000000, 0x1000, 0x1000, RO, false, &g), 0);
	CHECK_EQ(lookup(0x7f0000001000), 0);
	CHECK_EQ(lookup(0x7f0000000000), 0x1000 | RO);
}

TEST(none_keeps_the_frame)
{
	struct gw_unmapped out[2];
	uint64_t va = 0x1000;

	setup(POOL);
	CHECK_EQ(space_map(&space, 0x1000, 0x7000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space_protect(&space, 0x1000, 0x1000, PTE_NONE | PTE_NX, &g), 0);
	CHECK_EQ(lookup(0x1000) & PTE_P, 0);
	CHECK_EQ(space_scan(&space, &va, 0x2000, false, out, 2, ~0u, &g), 1);
	CHECK_EQ(out[0].pa_flags, 0x7000 | GW_MAP_NONE);
	CHECK_EQ(space_protect(&space, 0x1000, 0x1000, PTE_P | PTE_NX, &g), 0);
	CHECK_EQ(lookup(0x1000), 0x7000 | RO);
}

TEST(pool_runs_out)
{
	struct gw_unmapped out[1];
	uint64_t va;

	setup(5);
	CHECK_EQ(space_map(&space, 0x1000, 0x1000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space.pool->free, 1);
	/* three tables more are needed: refused as a whole */
	CHECK_EQ(space_map(&space, 0x10000000000, 0x1000, 0x1000, RW, false, &g), -ENOMEM);
	CHECK_EQ(lookup(0x10000000000), 0);
	/* 0x3ff000.. spans two new tables, one is left */
	CHECK_EQ(space_map(&space, 0x3ff000, 0x1000, 0x2000, RW, false, &g), -ENOMEM);
	CHECK_EQ(lookup(0x3ff000), 0);
	CHECK_EQ(space.pool->free, 1);
	CHECK_EQ(space_map(&space, 0x600000, 0x600000, 0x200000, RW, true, &g), 0);
	CHECK_EQ(space_map(&space, 0x400000, 0x1000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space.pool->free, 0);
	va = 0x601000;
	CHECK_EQ(space_scan(&space, &va, 0x602000, true, out, 1, ~0u, &g), -ENOMEM);
	CHECK_EQ(va, 0x601000);
	CHECK_EQ(space_protect(&space, 0x601000, 0x1000, RO, &g), -ENOMEM);
	CHECK_EQ(space_protect(&space, 0x600000, 0x200000, RO, &g), 0);
	CHECK_EQ(lookup(0x601000), 0x601000 | RO);
}

TEST(gather)
{
	setup(POOL);
	CHECK_EQ(space_map(&space, 0x1000, 0x1000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space_map(&space, 0x1000, 0x2000, 0x1000, RW | PTE_A, false, &g), 0);
	CHECK_EQ(g.n, 0); /* never accessed: in no TLB */
	CHECK_EQ(space_map(&space, 0x1000, 0x3000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(g.n, 1);
	CHECK_EQ(g.va[0], 0x1000);
	CHECK_EQ(space_map(&space, 0x10000, 0x10000, 0x40000, RW | PTE_A, false, &g), 0);
	CHECK_EQ(space_protect(&space, 0x10000, 0x40000, RO, &g), 0);
	CHECK_EQ(g.n, GATHER_PAGES + 1);
}

#define SLOTS 2048u /* pages from 4 MiB below a 1 GiB boundary */
#define FIRST (0x40000000ULL - 0x400000)

static uint64_t shadow[SLOTS]; /* pa | 1 when mapped */

static void random_map(uint32_t at, uint32_t n)
{
	bool large = rand() % 3 == 0;
	uint64_t pa = ((uint64_t)rand() % 1000 + 1) * 0x1000;

	if (large) {
		at &= ~511u;
		n = (n / 512 + 1) * 512;
		pa = ((uint64_t)rand() % 1000 + 1) * LARGE_SIZE;
	}
	if (at + n > SLOTS)
		return;
	if (space_map(&space, FIRST + at * 0x1000ULL, pa, n * 0x1000ULL, RW, large, &g) != 0)
		return;
	for (uint32_t i = 0; i < n; i++)
		shadow[at + i] = (pa + i * 0x1000ULL) | 1;
}

static void random_unmap(uint32_t at, uint32_t n)
{
	struct gw_unmapped out[17];
	uint64_t va, end;
	uint64_t from = at;

	n = at + n > SLOTS ? SLOTS - at : n;
	va = FIRST + at * 0x1000ULL;
	end = va + n * 0x1000ULL;
	while (va < end) {
		int k = space_scan(&space, &va, end, true, out, 17, ~0u, &g);

		if (k < 0)
			break;
		for (int i = 0; i < k; i++) {
			uint64_t slot = (out[i].va - FIRST) / 0x1000;

			CHECK_EQ(shadow[slot] & ~1ULL, out[i].pa_flags & ~0xfffULL);
		}
		for (; from < (va - FIRST) / 0x1000; from++)
			shadow[from] = 0;
	}
}

TEST(random)
{
	setup(12);
	memset(shadow, 0, sizeof(shadow));
	srand(1);
	for (int round = 0; round < 20000 && unit_failures == 0; round++) {
		uint32_t at = (uint32_t)rand() % SLOTS, n = (uint32_t)rand() % 40 + 1;

		g.n = 0;
		if (rand() % 8 == 0)
			n *= 40;
		if (rand() % 2)
			random_map(at, n);
		else
			random_unmap(at, n);
		at = (uint32_t)rand() % SLOTS;
		CHECK_EQ(lookup(FIRST + at * 0x1000ULL) & (PTE_ADDR | 1), shadow[at]);
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		CHECK_EQ(lookup(FIRST + i * 0x1000ULL) & (PTE_ADDR | 1), shadow[i]);
	random_unmap(0, SLOTS);
	CHECK_EQ(space.pool->free, 11);
	free(memory);
	memory = NULL;
}

TEST(fork_and_clear)
{
	struct space child;
	uint64_t runtime = GW_RUNTIME_BASE + 0x5000;
	int calls = 0;

	setup(POOL);
	CHECK_EQ(space_map(&space, runtime, 0x5000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space_map(&space, 0x1000, 0x7000, 0x1000, RW, false, &g), 0);
	CHECK_EQ(space_fork(&child, &space), 0);
	CHECK_EQ(((uint64_t *)direct(child.root))[SPACE_OWN_ROOTS],
		 ((uint64_t *)direct(space.root))[SPACE_OWN_ROOTS]);
	CHECK_EQ(((uint64_t *)direct(child.root))[0], 0);
	/* small and large pages in many tables */
	CHECK_EQ(space_map(&child, 0x40000000, 0x400000, 0x200000, RW, true, &g), 0);
	for (uint64_t i = 0; i < 44; i++)
		CHECK_EQ(space_map(&child, 0x7000 + i * 0x8000000, 0x8000, 0x1000, RO, false, &g),
			 0);
	CHECK_EQ(pool.free < 16, 1);
	while (!space_clear(&child, 100))
		CHECK(++calls < 200);
	CHECK_EQ(child.root, 0);
	CHECK_EQ(pool.free, POOL - 7);
	CHECK_EQ(lookup(runtime), 0x5000 | RW);
	CHECK_EQ(lookup(0x1000), 0x7000 | RW);
	/* what came back is zero */
	CHECK_EQ(space_fork(&child, &space), 0);
	CHECK_EQ(((uint64_t *)direct(child.root))[0], 0);
	while (!space_clear(&child, 100))
		CHECK(++calls < 200);
	CHECK_EQ(child.root, 0);
	pool.free = 0;
	CHECK_EQ(space_fork(&child, &space), -ENOMEM);
}

/* The counts that are made when the pool runs low, for changes of large pages and of holes. */
TEST(low_pool)
{
	setup(6); /* root, pdpt, pd: three are left */
	CHECK_EQ(space_map(&space, 0x600000, 0x600000, 3 * LARGE_SIZE, RW, true, &g), 0);
	CHECK_EQ(space_protect(&space, 0x400000, 0x1000, RO, &g), 0); /* a hole */
	CHECK_EQ(lookup(0x400000), 0);
	CHECK_EQ(space_protect(&space, 0x600000, 0x1000, RO, &g), 0); /* its begin */
	CHECK_EQ(lookup(0x600000), 0x600000 | RO);
	CHECK_EQ(lookup(0x601000), 0x601000 | RW);
	CHECK_EQ(space.pool->free, 2);
	CHECK_EQ(space_protect(&space, 0x9ff000, 0x1000, RO, &g), 0); /* its end */
	CHECK_EQ(lookup(0x9ff000), 0x9ff000 | RO);
	CHECK_EQ(lookup(0x9fe000), 0x9fe000 | RW);
	CHECK_EQ(space_protect(&space, 0x9ff000, 0x1000, RO, &g), 0);		  /* as it was */
	CHECK_EQ(space_map(&space, 0x200000, 0x200000, 0x1000, RW, true, &g), 0); /* too short */
	CHECK_EQ(lookup(0x200000), 0x200000 | RW);
	CHECK_EQ(space.pool->free, 0);
	CHECK_EQ(space_protect(&space, 0xa00000, 0x1000, RO, &g), -ENOMEM);
	CHECK_EQ(lookup(0xa00000), 0xa00000 | RW);
	CHECK_EQ(space_protect(&space, 0xa01000, 0x1000, RO, &g), -ENOMEM);
}

/* Memory that is zero already is not cleared again; what is reported of a page that was written. */
TEST(zeroed_and_dirty)
{
	struct gw_unmapped out[2];
	uint64_t va = 0x1000;

	setup(POOL);
	memset(memory, 0, POOL * 4096);
	space_init(&space, &pool, BASE, POOL, BASE + POOL * 4096, true);
	CHECK_EQ(space_map(&space, 0x1000, 0x7000, 0x2000, RW | PTE_A | PTE_D, false, &g), 0);
	CHECK_EQ(space_scan(&space, &va, 0x3000, false, out, 2, 1, &g), 2);
	CHECK_EQ(out[0].pa_flags, 0x7000 | GW_MAP_W | GW_MAP_ACCESSED | GW_MAP_DIRTY);
	CHECK_EQ(space_map(&space, 0x200000, 0x7000, 0x1000, PTE_P | PTE_U, false, &g), 0);
	va = 0x1000;
	CHECK_EQ(space_scan(&space, &va, 0x40000000, false, out, 2, 0, &g), 0);
	CHECK_EQ(va, 0x1000);
	va = 0x200000;
	CHECK_EQ(space_scan(&space, &va, 0x201000, true, out, 2, 9, &g), 1);
	CHECK_EQ(out[0].pa_flags, 0x7000 | GW_MAP_X);
}

/* The last entry of every table; a few steps at a time. */
TEST(clear_the_end)
{
	for (uint32_t steps = 1; steps < 700; steps += 67) {
		struct space child;

		setup(POOL);
		CHECK_EQ(space_fork(&child, &space), 0);
		CHECK_EQ(space_map(&child, GW_PROGRAM_END - 0x1000, 0x7000, 0x1000, RW, false, &g),
			 0);
		CHECK_EQ(space_map(&child, GW_PROGRAM_END - 0x40000000, 0x400000, LARGE_SIZE, RW,
				   true, &g),
			 0);
		for (uint32_t i = 0; child.root != 0 && i < 5000; i++)
			(void)!space_clear(&child, steps);
		CHECK_EQ(child.root, 0);
		CHECK_EQ(pool.free, POOL - 1);
	}
}

/* Every table that can be reached, and what every leaf of the program's leads to, has a colour of
 * the pool's. Returns how many leaves there are. */
static uint32_t all_coloured(uint64_t table, int level)
{
	const uint64_t *e = direct(table & PTE_ADDR);
	uint32_t leaves = 0;

	CHECK(gw_stripe_has(&pool.stripe, ((table & PTE_ADDR) - BASE) / 4096));
	for (uint32_t i = 0; i < 512; i++) {
		if (e[i] == 0)
			continue;
		if (level > 0 && !(e[i] & PTE_PS)) {
			leaves += all_coloured(e[i], level - 1);
			continue;
		}
		CHECK_EQ(level, 0);
		CHECK(pool.stripe.mask >> ((e[i] & PTE_ADDR) / 4096 % pool.stripe.colours) & 1);
		leaves++;
	}
	return leaves;
}

/* A pool of some colours, and mappings by the partition's own addresses, which are reported as
 * such. */
TEST(coloured)
{
	static const uint64_t masks[] = { 0x1, 0x80, 0x35, 0x7e, 0xff };

	for (uint32_t m = 0; m < 5; m++) {
		struct gw_stripe t = gw_stripe_make(BASE, masks[m], 8);
		struct gw_unmapped out[16];
		uint64_t own = 0x10000 - 0x3000, va = 0x3fe000, at = own, n = 600;

		setup(POOL);
		pool.stripe = t;
		space_init(&space, &pool, BASE, POOL, BASE + POOL * 4096, false);
		CHECK_EQ(pool.free, POOL / 8 * t.columns - 1);
		CHECK_EQ(space_map_own(&space, va, own, n * 4096, RW, true, &g), 0);
		CHECK_EQ(all_coloured(space.root, 3), n);
		for (uint64_t i = 0; i < n; i++)
			CHECK_EQ(lookup(va + i * 4096), gw_stripe_pa(&t, own + i * 4096) | RW);
		for (uint64_t to = va; to < 0x3fe000 + n * 4096;) {
			int k = space_scan(&space, &to, 0x3fe000 + n * 4096, true, out, 16, ~0u,
					   &g);

			for (int i = 0; i < k; i++, at += 4096)
				CHECK_EQ(out[i].pa_flags, at | GW_MAP_W);
		}
		CHECK_EQ(at, own + n * 4096);
		CHECK_EQ(pool.free, POOL / 8 * t.columns - 1);
		/* all of the pool, and not one more */
		for (uint64_t i = 0; pool.free > 2; i++)
			CHECK_EQ(space_map_own(&space, i << 30, own, 4096, RW, true, &g), 0);
		n = pool.free;
		CHECK_EQ(space_map_own(&space, 200ULL << 30, own, 4096, RW, true, &g),
			 n < 2 ? -ENOMEM : 0);
		CHECK_EQ(space_map_own(&space, 201ULL << 30, own, 4096, RW, true, &g), -ENOMEM);
		all_coloured(space.root, 3);
		/* what is not its own, as registers, lies where it lies, in large pages too */
		setup(POOL);
		pool.stripe = t;
		space_init(&space, &pool, BASE, POOL, BASE + POOL * 4096, false);
		CHECK_EQ(space_map(&space, 0x400000, 0x600000, LARGE_SIZE, RW, true, &g), 0);
		CHECK_EQ(lookup(0x401000), 0x601000 | RW);
	}
	pool.stripe.mask = 0;
}

UNIT_MAIN(CASE(map_small_and_large), CASE(small_over_large), CASE(split_and_prune),
	  CASE(none_keeps_the_frame), CASE(pool_runs_out), CASE(gather), CASE(fork_and_clear),
	  CASE(low_pool), CASE(zeroed_and_dirty), CASE(clear_the_end), CASE(random), CASE(coloured))
