/* SPDX-License-Identifier: Apache-2.0 */
/* areas_test.c - the area set against a plain model: one byte of state a page. */
#include <stdlib.h>

#include "linux/memory/areas.h"
#include "linux/files/vfs.h"
#include "tests/unit.h"

#define PAGES 256u
#define BASE 0x100000ull

struct inode {
	int refs;
};
static struct inode files[2] = { { 1000000 }, { 1000000 } };

struct inode *inode_get(struct inode *i)
{
	i->refs++;
	return i;
}
void inode_put(struct inode *i)
{
	i->refs--;
}
void *mem_alloc(size_t n)
{
	return malloc(n);
}
void *mem_resize(void *p, size_t old_n, size_t new_n)
{
	(void)old_n;
	return realloc(p, new_n);
}

struct cell {
	uint32_t used, flags;
	struct inode *inode;
	uint64_t offset;
};
static struct cell model[PAGES];
static struct areas set;
static uint32_t seed = 12345;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % n;
}

static uint64_t va_of(uint32_t page)
{
	return BASE + page * GW_PAGE_SIZE;
}

static void compare(void)
{
	int count[2] = { 0, 0 };

	for (uint32_t i = 0; i < PAGES; i++) {
		const struct area *a = areas_find(&set, va_of(i));

		CHECK_EQ(a != NULL, model[i].used);
		if (a == NULL || !model[i].used)
			continue;
		CHECK_EQ(a->flags, model[i].flags);
		CHECK(a->inode == model[i].inode);
		if (a->inode != NULL)
			CHECK_EQ(a->offset + (va_of(i) - a->start), model[i].offset);
	}
	for (uint32_t k = 0; k < set.n; k++) {
		const struct area *a = &set.v[k];

		CHECK(a->start < a->end && (k == 0 || set.v[k - 1].end <= a->start));
		if (k > 0 && set.v[k - 1].end == a->start && set.v[k - 1].inode == NULL &&
		    a->inode == NULL)
			CHECK(set.v[k - 1].flags != a->flags); /* merged */
		if (a->inode != NULL)
			count[a->inode - files]++;
	}
	for (int k = 0; k < 2; k++)
		CHECK_EQ(files[k].refs, 1000000 + count[k]);
}

static void step(void)
{
	uint32_t at = rnd(PAGES), n = 1 + rnd(GW_MIN(PAGES - at, 40)), flags = 1 + rnd(3),
		 op = rnd(4);
	struct area a = { .start = va_of(at), .end = va_of(at + n), .flags = flags };

	CHECK_EQ(areas_reserve(&set), 0);
	if (op < 2) {
		areas_remove(&set, a.start, a.end);
		memset(&model[at], 0, n * sizeof(model[0]));
	}
	if (op == 0) {
		uint32_t kind = rnd(3);

		if (kind > 0) {
			a.inode = inode_get(&files[kind - 1]);
			a.offset = rnd(8) == 0 ? 0 : va_of(at);
		}
		CHECK_EQ(areas_reserve(&set), 0);
		areas_insert(&set, a);
		for (uint32_t i = 0; i < n; i++)
			model[at + i] =
				(struct cell){ 1, flags, a.inode, a.offset + i * GW_PAGE_SIZE };
	}
	if (op == 2) {
		areas_change(&set, a.start, a.end, ~3u, flags);
		for (uint32_t i = at; i < at + n; i++)
			model[i].flags = model[i].used ? (model[i].flags & ~3u) | flags : 0;
	}
	if (op == 3) {
		bool all = true, none = true;

		for (uint32_t i = at; i < at + n; i++) {
			all = all && model[i].used;
			none = none && !model[i].used;
		}
		CHECK_EQ(areas_full(&set, a.start, a.end), all);
		CHECK_EQ(areas_free(&set, a.start, a.end), none);
	}
}

TEST(random_operations)
{
	for (int i = 0; i < 20000 && unit_failures == 0; i++) {
		step();
		if (i % 16 == 0)
			compare();
	}
	areas_reserve(&set) == 0 ? areas_remove(&set, 0, ~0ull) : (void)0;
	memset(model, 0, sizeof(model));
	compare();
	CHECK_EQ(set.n, 0);
}

/* The highest gap, found the slow way. */
static uint64_t slow_gap(uint32_t pages, uint32_t align, uint32_t phase)
{
	for (uint32_t at = PAGES - pages + 1; at-- > 0;) {
		bool ok = (va_of(at) / GW_PAGE_SIZE) % align == phase;

		for (uint32_t i = 0; i < pages && ok; i++)
			ok = !model[at + i].used;
		if (ok)
			return va_of(at);
	}
	return 0;
}

TEST(gaps)
{
	for (int i = 0; i < 3000 && unit_failures == 0; i++) {
		uint32_t n = 1 + rnd(30), align = 1u << rnd(4), phase = rnd(align);

		step();
		CHECK_EQ(areas_gap(&set, n * GW_PAGE_SIZE, align * GW_PAGE_SIZE,
				   phase * GW_PAGE_SIZE, BASE, va_of(PAGES)),
			 slow_gap(n, align, phase));
	}
	CHECK_EQ(areas_reserve(&set), 0);
	areas_remove(&set, 0, ~0ull);
	free(set.v);
}

UNIT_MAIN(CASE(random_operations), CASE(gaps))
