/* SPDX-License-Identifier: Apache-2.0 */
/* mem_test.c - frames and small objects over an arena mapped where the guest has its memory: random
 * allocation against a model, exhaustion, alignment, zero frames, reclaim, several extents, several
 * shards. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "runtime/mem/mem.h"
#include "runtime/sched/sched.h"
#include "tests/unit.h"

#define ARENA (64ul << 20)
#define PAGE GW_PAGE_SIZE

struct shard *shards[SHARD_MAX];
uint32_t n_shards = 1;
static struct shard shard_a, shard_b, *self = &shard_a;
static bool panicked;

struct shard *shard_self_host(void)
{
	return self;
}

_Noreturn void panic(const char *fmt, ...)
{
	printf("panic: %s\n", fmt);
	panicked = true;
	exit(1);
}

static void *arena(void)
{
	static void *at;

	if (!at)
		at = mmap((void *)GW_MEM_BASE, ARENA, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1, 0);
	if (at != (void *)GW_MEM_BASE) {
		printf("0 passed, 1 failed, 0 skipped\n");
		exit(1);
	}
	return at;
}

/* The extents as given, fresh. */
static void start(uint32_t flags, uint32_t n, const struct gw_extent *extents)
{
	static struct gw_boot_info boot;

	if (flags & GW_BOOT_MEM_ZEROED)
		CHECK_EQ(madvise(arena(), ARENA, MADV_DONTNEED), 0);
	else
		memset(arena(), 0xdb, ARENA);
	boot = (struct gw_boot_info){ .flags = flags, .n_extents = n };
	memcpy(boot.extents, extents, n * sizeof(*extents));
	memset(&shard_a, 0, sizeof(shard_a));
	memset(&shard_b, 0, sizeof(shard_b));
	shards[0] = self = &shard_a;
	shards[1] = &shard_b;
	n_shards = 1;
	mem_init(&boot);
}

static void start_one(uint32_t flags, uint64_t len)
{
	struct gw_extent e = { 0x100000, len };

	start(flags, 1, &e);
}

static bool all_zero(uint64_t pa)
{
	const uint64_t *p = pa_to_va(pa);

	for (size_t i = 0; i < PAGE / 8; i++)
		if (p[i])
			return false;
	return true;
}

static void exhaust(uint32_t flags, uint32_t n, const struct gw_extent *extents)
{
	static uint64_t pas[ARENA / PAGE];
	static uint8_t seen[ARENA / PAGE];
	uint64_t count = 0, pa, total;

	start(flags, n, extents);
	memset(seen, 0, sizeof(seen));
	total = mem_free_pages();
	CHECK_EQ(total, mem_total_pages());
	while ((pa = count % 3 ? page_alloc_zero() : page_alloc()) != 0) {
		bool inside = false;

		for (uint32_t i = 0; i < n; i++)
			inside |=
				pa >= extents[i].pa && pa + PAGE <= extents[i].pa + extents[i].len;
		CHECK(inside);
		CHECK_EQ(seen[pa / PAGE], 0);
		CHECK(page_of(pa) && page_of(pa)->refs == 1 && page_of(pa)->owner == 0);
		if (count % 3)
			CHECK(all_zero(pa));
		memset(pa_to_va(pa), 0x77, PAGE);
		seen[pa / PAGE] = 1;
		pas[count++] = pa;
	}
	CHECK_EQ(count, total);
	CHECK_EQ(mem_free_pages(), 0);
	CHECK_EQ(pages_alloc(1, 1), 0);
	CHECK(mem_alloc(100) == NULL);
	for (uint64_t i = 0; i < count; i++)
		page_put(pas[(i * 7919) % count]); /* 7919: prime to the counts here */
	CHECK_EQ(mem_free_pages(), total);
	CHECK(page_alloc_zero() != 0);
}

TEST(exhaustion)
{
	struct gw_extent one = { 0x100000, 5ul << 20 }, tiny = { 0x1000, 40 * PAGE };
	struct gw_extent three[3] = { { 0, 0x9f000 },
				      { 0x100000, 3ul << 20 },
				      { 0x800000, 9ul << 20 } };

	exhaust(GW_BOOT_MEM_ZEROED, 1, &one);
	exhaust(0, 1, &one);
	exhaust(GW_BOOT_MEM_ZEROED, 1, &tiny);
	exhaust(GW_BOOT_MEM_ZEROED, 3, three);
	exhaust(0, 3, three);
	start(0, 3, three);
	CHECK(page_of(0x9f000) == NULL && page_of(0x400000) == NULL && page_of(1ull << 60) == NULL);
	CHECK(page_of(0) == NULL && page_of(0x9e000) != NULL);
}

/* Extents too far apart for one array of descriptors: the small one is left out. */
TEST(far_extents)
{
	struct gw_extent far[2] = { { 0x100000, 8ul << 20 }, { 1ull << 40, 1ul << 20 } };

	start(GW_BOOT_MEM_ZEROED, 2, far);
	CHECK(page_of(1ull << 40) == NULL);
	CHECK(page_alloc() != 0 && mem_total_pages() < (8ul << 20) / PAGE);
}

TEST(contiguous)
{
	uint64_t pa, total;

	start_one(GW_BOOT_MEM_ZEROED, 16ul << 20);
	total = mem_free_pages();
	pa = pages_alloc(512, 512);
	CHECK(pa != 0 && pa % (2ul << 20) == 0);
	CHECK_EQ(mem_free_pages(), total - 512);
	pages_free(pa, 512);
	CHECK_EQ(mem_free_pages(), total);
	pa = pages_alloc(3, 1);
	CHECK_EQ(mem_free_pages(), total - 3);
	page_put(pa); /* each frame has its own count */
	page_put(pa + PAGE);
	page_put(pa + 2 * PAGE);
	CHECK_EQ(mem_free_pages(), total);
	CHECK_EQ(pages_alloc(total + 1, 1), 0);
	CHECK_EQ(pages_alloc(0, 1), 0);
	/* after use and return in any order, the whole can be had again: freed blocks merge */
	for (int round = 0; round < 3; round++) {
		uint64_t pas[3000], n = 0;

		while (n < 3000 && (pas[n] = pages_alloc(1, 1)) != 0)
			n++;
		for (uint64_t i = 0; i < n; i++)
			pages_free(pas[(i * 7919) % n], 1);
		pa = pages_alloc(1024, 1024);
		CHECK(pa != 0);
		pages_free(pa, 1024);
	}
}

TEST(zeroed)
{
	uint64_t dirty, clean;

	start_one(GW_BOOT_MEM_ZEROED, 8ul << 20);
	dirty = page_alloc();
	memset(pa_to_va(dirty), 1, PAGE);
	pages_free(dirty, 1);
	clean = page_alloc_zero();
	CHECK(clean != dirty && all_zero(clean));
	/* what alignment skipped stays known to be zero, and contents-do-not-matter takes the dirty
	 * one */
	(void)pages_alloc(512, 512);
	CHECK(all_zero(page_alloc_zero()));
	start_one(0, 8ul << 20);
	CHECK(all_zero(page_alloc_zero()));
}

static size_t hook_calls, hook_pages;
static uint64_t hook_pa[64];
static bool hook_park;

static size_t hook(size_t want, bool may_park)
{
	hook_calls++;
	hook_park = may_park;
	CHECK(want > 0);
	if (!hook_pages)
		return 0;
	page_put(hook_pa[--hook_pages]);
	return 1;
}

TEST(reclaim)
{
	start_one(0, 2ul << 20);
	mem_add_reclaim(hook);
	for (hook_pages = 0; hook_pages < 4; hook_pages++)
		hook_pa[hook_pages] = page_alloc();
	while (hook_pages)
		CHECK(page_alloc() != 0);
	CHECK(hook_calls >= 4 && hook_park);
	self->nofault = 1;
	CHECK_EQ(page_alloc(), 0);
	CHECK(!hook_park);
	CHECK_EQ(page_alloc_zero(), 0);
}

static uint64_t held_pa[512];
static unsigned n_held;
static bool gives;

static size_t one_of_many(size_t want, bool may_park)
{
	(void)want, (void)may_park;
	if (!n_held || !gives)
		return 0;
	page_put(held_pa[--n_held]);
	return 1;
}

/* All memory is in single frames, and nobody gives any back: no run, and an end of asking. With
 * somebody who does, single ones are reclaimed until they are a run. */
TEST(gathers_a_run)
{
	uint64_t pa;

	start_one(0, 2ul << 20);
	mem_add_reclaim(one_of_many);
	n_held = 0;
	gives = false;
	while ((pa = page_alloc()) != 0)
		held_pa[n_held++] = pa;
	CHECK_EQ(pages_alloc(16, 1), 0);
	CHECK_EQ(pages_gather(16, 1), 0);
	gives = true;
	pa = pages_gather(16, 16);
	CHECK(pa != 0 && pa % (16 * GW_PAGE_SIZE) == 0);
	pages_free(pa, 16);
	CHECK_EQ(pages_gather(400, 1), 0); /* more than is turned over for anybody */
}

TEST(references)
{
	uint64_t pa, before;

	start_one(0, 2ul << 20);
	before = mem_free_pages();
	pa = page_alloc();
	page_get(pa);
	page_put(pa);
	CHECK_EQ(mem_free_pages(), before - 1);
	page_put(pa);
	CHECK_EQ(mem_free_pages(), before);
}

/* Random sizes and orders against a model: contents survive, nothing overlaps, everything comes
 * back. */
TEST(objects)
{
	enum { N = 600 };
	static struct {
		uint8_t *p;
		size_t n;
		uint8_t fill;
	} live[N];
	unsigned long long x = 12345;

	start_one(GW_BOOT_MEM_ZEROED, 24ul << 20);
	n_shards = 2;
	CHECK_EQ(mem_shard_init(&shard_b), 0);
	memset(live, 0, sizeof(live));
	for (int step = 0; step < 60000; step++) {
		size_t i;

		x = x * 6364136223846793005ull + 1442695040888963407ull;
		i = (x >> 33) % N;
		self = x >> 20 & 1 ? &shard_a : &shard_b;
		if (live[i].p) {
			size_t m = (x >> 40) % 3000;

			for (size_t k = 0; k < live[i].n; k++)
				if (live[i].p[k] != live[i].fill) {
					CHECK(!"contents");
					break;
				}
			if (x >> 60 & 1) {
				uint8_t *q = mem_resize(live[i].p, live[i].n, m);

				CHECK(q != NULL);
				for (size_t k = 0; k < live[i].n && k < m; k++)
					if (q[k] != live[i].fill) {
						CHECK(!"contents after resize");
						break;
					}
				live[i].p = q;
				live[i].n = m;
				memset(q, live[i].fill, m);
			} else {
				mem_free(live[i].p, live[i].n);
				live[i].p = NULL;
			}
		} else {
			size_t n = (x >> 40) % (step % 50 ? 2300 : 30000);

			live[i].p = step % 2 ? mem_alloc(n) : mem_zalloc(n);
			CHECK(live[i].p != NULL && (uintptr_t)live[i].p % 16 == 0);
			for (size_t k = 0; step % 2 == 0 && k < n; k++)
				CHECK_EQ(live[i].p[k], 0);
			live[i].n = n;
			live[i].fill = (uint8_t)x;
			memset(live[i].p, live[i].fill, n);
		}
	}
	for (size_t i = 0; i < N; i++)
		mem_free(live[i].p, live[i].n);
}

TEST(classes)
{
	start_one(0, 8ul << 20);
	for (size_t n = 0; n <= 2048; n++) {
		uint8_t *p = mem_alloc(n), *q = mem_alloc(n);

		CHECK(p && q && (p + n <= q || q + n <= p));
		CHECK((uintptr_t)p / PAGE == ((uintptr_t)p + (n ? n - 1 : 0)) / PAGE);
		if (n > 96)
			CHECK((uintptr_t)p % 64 == 0);
		mem_free(p, n);
		mem_free(q, n);
	}
	CHECK(mem_alloc(SIZE_MAX) == NULL && mem_alloc(SIZE_MAX / 2) == NULL);
	CHECK(mem_resize(NULL, 0, 10) != NULL);
}

UNIT_MAIN(CASE(exhaustion), CASE(far_extents), CASE(contiguous), CASE(zeroed), CASE(reclaim),
	  CASE(gathers_a_run), CASE(references), CASE(objects), CASE(classes))
