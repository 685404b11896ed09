/* SPDX-License-Identifier: Apache-2.0 */
/* space.h - a partition's address space: four levels of page tables taken from its own static pool.
 * Portable: tables are reached through direct(); the caller flushes what the gather names.
 *
 * Not locked: the caller serialises. Tables of the kernel's half are shared and never touched. */
#ifndef GODWIT_KERNEL_SPACE_H
#define GODWIT_KERNEL_SPACE_H

#include "abi/colour.h"
#include "abi/vcore.h"
#include "kernel/core/lib.h"

#define PTE_P 0x1ULL
#define PTE_W 0x2ULL
#define PTE_U 0x4ULL
#define PTE_PWT 0x8ULL
#define PTE_PCD 0x10ULL
#define PTE_A 0x20ULL
#define PTE_D 0x40ULL
#define PTE_PS 0x80ULL
#define PTE_G 0x100ULL
#define PTE_NONE 0x200ULL /* software: a frame is mapped here, inaccessible (P is 0) */
#define PTE_NX (1ULL << 63)
#define PTE_ADDR 0x000ffffffffff000ULL
#define PTE_PROT (PTE_P | PTE_W | PTE_NX | PTE_NONE)

/* Page-table pages of one partition, contiguous but for the colours that it has not. Pages on the
 * free list and never used pages are zero (the latter when `fresh` is reached). */
struct table_pool {
	uint64_t base;		 /* pa of the first page */
	uint32_t n, free;	 /* pages, those of other colours too; own pages not in use */
	uint32_t fresh;		 /* pages from here on were never used */
	uint32_t head;		 /* free list by index + 1; 0: empty */
	bool zeroed;		 /* never used pages are zero already */
	uint32_t *next;		 /* [n] free list links */
	uint16_t *used;		 /* [n] entries in use */
	struct gw_stripe stripe; /* where the partition's memory is */
};

struct space {
	uint64_t root; /* pa of the top table; 0: there is no such space */
	struct table_pool *pool;
	bool dying;	/* being destroyed: nobody may enter it */
	uint16_t at[4]; /* where space_empty is, by level */
};

/* Entries of the top table that are a space's own; the others are those of space 0. */
#define SPACE_OWN_ROOTS ((uint32_t)(GW_PROGRAM_END >> 39))
#define SPACE_CLEAR_STEPS 32768u /* entries that one space_clear looks at, when in no hurry */
#define SPACE_CLEAR_TABLE 64u	 /* what giving back a table counts as */

/* What must leave the TLBs. Past GATHER_PAGES everything must. */
#define GATHER_PAGES 32u
struct gather {
	uint32_t n; /* GATHER_PAGES + 1: everything */
	uint64_t va[GATHER_PAGES];
};

/* space_init - a fresh pool of `pages` from base on, and an empty space over it. pool->stripe is
 * set; with colours, base is its base, and pages are whole rows. books: zero, so much a page. */
#define SPACE_BOOKS_BYTES 6ULL
void space_init(struct space *s, struct table_pool *pool, uint64_t base, uint32_t pages,
		uint64_t books, bool zeroed);

/* space_bits - leaf bits of a user mapping with GW_MAP_* flags. */
static inline uint64_t space_bits(uint64_t flags)
{
	uint64_t bits = PTE_U;

	if (flags & GW_MAP_NONE)
		return bits | PTE_NONE | PTE_NX;
	return bits | PTE_P | (flags & GW_MAP_W ? PTE_W : 0) | (flags & GW_MAP_X ? 0 : PTE_NX);
}

/* space_fork - make s an empty space that shares all but the program's addresses with `first`.
 * Returns 0, or -ENOMEM when the pool is empty. */
MUST_CHECK int space_fork(struct space *s, const struct space *first);

/* space_clear - forget what is mapped in the program's addresses of s and give the tables back, at
 * most `steps` entries a call; at the end its top table too (root becomes 0). No core may run in
 * it. Returns true when done. */
MUST_CHECK bool space_clear(struct space *s, uint32_t steps);

/* space_empty - as space_clear, but the top table stays, for space 0. */
MUST_CHECK bool space_empty(struct space *s, uint32_t steps);

/* space_map - map [va, va + len) to pa on, with the leaf bits given (PTE_*), replacing what was
 * there. large: 2 MiB pages wherever va, pa and len permit. Returns 0, or -ENOMEM when the pool
 * cannot serve the whole range (nothing is changed). _own: `at` is the partition's own address
 * (abi/colour.h); with colours no page is large. */
MUST_CHECK int space_map(struct space *s, uint64_t va, uint64_t pa, uint64_t len, uint64_t bits,
			 bool large, struct gather *g);
int space_map_coloured(struct space *s, uint64_t va, uint64_t at, uint64_t len, uint64_t bits,
		       struct gather *g);
MUST_CHECK static inline int space_map_own(struct space *s, uint64_t va, uint64_t at, uint64_t len,
					   uint64_t bits, bool large, struct gather *g)
{
	return s->pool->stripe.mask == 0 ? space_map(s, va, at, len, bits, large, g)
					 : space_map_coloured(s, va, at, len, bits, g);
}

/* space_protect - give the mapped pages of [va, va + len) the PTE_PROT bits given; holes are
 * skipped. -ENOMEM as space_map (a large page must be split). */
MUST_CHECK int space_protect(struct space *s, uint64_t va, uint64_t len, uint64_t bits,
			     struct gather *g);

/* space_scan - report the mapped pages of [*va, end), which are the partition's own memory, in
 * out[max], in order, and advance *va, by at most `steps` entries, holes and stretches of 32 pages;
 * ~0: as far as out reaches. With unmap, remove them and the tables that become empty; without,
 * clear their accessed flags. Returns the number of entries, or -ENOMEM when a large page cannot be
 * split (then *va is at it and nothing was reported). */
MUST_CHECK int space_scan(struct space *s, uint64_t *va, uint64_t end, bool unmap,
			  struct gw_unmapped *out, uint32_t max, uint32_t steps, struct gather *g);

#endif
