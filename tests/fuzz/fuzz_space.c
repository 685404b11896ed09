/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_space.c - the input is a list of map, protect, unmap and query operations on one address
 * space with a small pool; at the end everything is unmapped, and every table must have come back.
 */
#include <stdlib.h>

#include "kernel/core/space.h"

#define POOL 24u
#define BASE 0x100000ULL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

uint64_t direct_base;

struct operation {
	uint8_t kind, pages, at, frame;
};

static void apply(struct space *s, const struct operation *o)
{
	struct gather g = { .n = 0 };
	struct gw_unmapped out[9];
	bool large = o->kind & 4;
	/* Eight neighbourhoods far apart, around a boundary of 2 MiB and of 1 GiB each. */
	uint64_t va = ((uint64_t)(o->at & 7) << 37) + 0x40000000 - 0x10000 +
		      (uint64_t)(o->at >> 3) * PAGE_SIZE;
	uint64_t len = (o->pages + 1) * PAGE_SIZE * (o->kind & 8 ? 16 : 1);
	uint64_t end = va + len, pa = (o->frame + 1ULL) * PAGE_SIZE;

	if (large) {
		va = round_up(va, LARGE_SIZE);
		pa = (o->frame + 1ULL) * LARGE_SIZE;
	}
	switch (o->kind & 3) {
	case 0:
		if (space_map(s, va, pa, len, PTE_P | PTE_U | PTE_NX | PTE_W | PTE_A, large, &g))
			return;
		break;
	case 1:
		if (space_protect(s, va, len, o->kind & 16 ? PTE_NONE | PTE_NX : PTE_P, &g))
			return;
		break;
	default:
		if (space_scan(s, &va, end, (o->kind & 3) == 2, out, 9, ~0u, &g) > 9)
			abort();
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_Static_assert(SPACE_BOOKS_BYTES <= PAGE_SIZE, "the books take less than the tables");
	uint64_t books = POOL * PAGE_SIZE, bytes = books + POOL * PAGE_SIZE, va;
	void *memory = aligned_alloc(PAGE_SIZE, bytes);
	struct gather g = { .n = 0 };
	struct gw_unmapped out[64];
	struct table_pool pool = { .n = 0 };
	struct space s;

	memset(memory, 0xa5, bytes);
	direct_base = (uint64_t)(uintptr_t)memory - BASE;
	memset((uint8_t *)memory + books, 0, bytes - books);
	space_init(&s, &pool, BASE, POOL, BASE + books, false);
	for (; size >= sizeof(struct operation); size -= 4, data += 4) {
		struct operation o;

		memcpy(&o, data, sizeof(o));
		apply(&s, &o);
		if (pool.free > POOL - 1)
			abort();
	}
	for (va = PAGE_SIZE; va < GW_PROGRAM_END;)
		if (space_scan(&s, &va, GW_PROGRAM_END, true, out, 64, ~0u, &g) < 0)
			abort();
	if (pool.free != POOL - 1)
		abort();
	free(memory);
	return 0;
}
