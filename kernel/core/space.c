/* SPDX-License-Identifier: Apache-2.0 */
/* space.c - page tables over a static pool. Each table page counts its entries, so that an empty
 * one is found without a scan; a freed table is all zero and can be used again as it is. */
#include "kernel/core/space.h"

#define LEVELS 4
#define ENTRIES 512u

static uint64_t level_size(int level)
{
	return 1ULL << (12 + 9 * level);
}

static uint32_t level_index(uint64_t va, int level)
{
	return (uint32_t)(va >> (12 + 9 * level)) & (ENTRIES - 1);
}

static uint32_t pool_index(const struct table_pool *p, const uint64_t *entry)
{
	return (uint32_t)((direct_pa(entry) - p->base) / PAGE_SIZE);
}

/* A zeroed table. The caller has made sure that p->free > 0. */
static uint64_t pool_take(struct table_pool *p)
{
	uint32_t i;

	p->free--;
	if (p->head != 0) {
		i = p->head - 1;
		p->head = p->next[i];
	} else {
		while (!gw_stripe_has(&p->stripe, i = p->fresh++))
			;
		if (!p->zeroed)
			memset(direct(p->base + i * PAGE_SIZE), 0, PAGE_SIZE);
	}
	p->used[i] = 0;
	return p->base + i * PAGE_SIZE;
}

/* Give back a table that is all zero. */
static void pool_give(struct table_pool *p, uint64_t pa)
{
	uint32_t i = (uint32_t)((pa - p->base) / PAGE_SIZE);

	p->next[i] = p->head;
	p->head = i + 1;
	p->free++;
}

void space_init(struct space *s, struct table_pool *p, uint64_t base, uint32_t pages,
		uint64_t books, bool zeroed)
{
	*p = (struct table_pool){ .base = base, .n = pages, .zeroed = zeroed, .stripe = p->stripe };
	p->free = p->stripe.mask != 0 ? pages / p->stripe.colours * p->stripe.columns : pages;
	p->next = direct(books);
	p->used = (uint16_t *)(p->next + pages);
	*s = (struct space){ .root = pool_take(p), .pool = p };
}

int space_fork(struct space *s, const struct space *first)
{
	uint64_t *root;
	const uint64_t *from = direct(first->root);

	if (first->pool->free == 0)
		return -ENOMEM;
	*s = (struct space){ .root = pool_take(first->pool), .pool = first->pool };
	root = direct(s->root);
	for (uint32_t i = SPACE_OWN_ROOTS; i < ENTRIES; i++)
		root[i] = from[i];
	return 0;
}

static void gather_force(struct gather *g, uint64_t va)
{
	if (g->n > GATHER_PAGES)
		return;
	if (g->n < GATHER_PAGES)
		g->va[g->n] = va;
	g->n++;
}

/* An entry that was never accessed is in no TLB; neither is one that was not present. */
static void gather_add(struct gather *g, uint64_t va, uint64_t old)
{
	if ((old & (PTE_P | PTE_A)) == (PTE_P | PTE_A))
		gather_force(g, va);
}

/* Store an entry. The exchange makes sure that no accessed or dirty flag that another core's page
 * walk sets meanwhile is lost. Returns what was there. */
static uint64_t entry_set(struct table_pool *p, uint64_t *e, uint64_t value)
{
	uint64_t old = __atomic_exchange_n(e, value, __ATOMIC_RELEASE);
	uint16_t *used = &p->used[pool_index(p, e)];

	*used = (uint16_t)(*used + (value != 0) - (old != 0));
	return old;
}

static bool is_leaf(uint64_t e, int level)
{
	return level == 0 || (e & PTE_PS) != 0;
}

static uint64_t *entry_at(uint64_t table, uint64_t va, int level)
{
	return (uint64_t *)direct(table & PTE_ADDR) + level_index(va, level);
}

/* Replace a 2 MiB entry by a table of 512 pages with the same flags. */
static void split(struct space *s, uint64_t *e)
{
	uint64_t old = *e, pa = pool_take(s->pool);
	uint64_t *table = direct(pa);
	uint64_t value = old & ~PTE_PS;

	for (uint32_t i = 0; i < ENTRIES; i++)
		table[i] = value + i * PAGE_SIZE;
	s->pool->used[pool_index(s->pool, table)] = ENTRIES;
	entry_set(s->pool, e, pa | PTE_P | PTE_W | PTE_U | PTE_A);
}

/* Drop the tables on the path to va, which has just been unmapped, that have become empty. Cores
 * may have cached the way to them even if no page was ever reached, so va is flushed in any case.
 */
static void prune(struct space *s, uint64_t va, struct gather *g)
{
	uint64_t *path[LEVELS]; /* path[l]: the entry at level l that leads to level l - 1 */
	uint64_t table = s->root;
	int level = LEVELS - 1;

	for (; level > 0; level--) {
		path[level] = entry_at(table, va, level);
		if (*path[level] == 0)
			break; /* it was a large page */
		table = *path[level];
	}
	gather_force(g, va);
	for (level++; level < LEVELS; level++) {
		uint64_t pa = *path[level] & PTE_ADDR;

		if (s->pool->used[(pa - s->pool->base) / PAGE_SIZE] != 0)
			return;
		entry_set(s->pool, path[level], 0);
		pool_give(s->pool, pa);
	}
}

/* What walk_make does where the way down is not made of tables already: returns the entry's new
 * value. */
static __attribute__((noinline)) uint64_t walk_extend(struct space *s, uint64_t *e, uint64_t va,
						      struct gather *g)
{
	if (*e == 0) {
		entry_set(s->pool, e, pool_take(s->pool) | PTE_P | PTE_W | PTE_U | PTE_A);
	} else {
		gather_add(g, va, *e);
		split(s, e);
	}
	return *e;
}

/* The entry for va at level `leaf`, making tables and splitting a large page on the way. The pool
 * has been found large enough. Inlined with a constant leaf, this is four loads and their shifts.
 */
static inline __attribute__((always_inline)) uint64_t *walk_make(struct space *s, uint64_t va,
								 int leaf, struct gather *g)
{
	uint64_t table = s->root;
	uint64_t *e;

#pragma GCC unroll 4
	for (int level = LEVELS - 1; level > leaf; level--) {
		e = entry_at(table, va, level);
		table = *e;
		if ((table & (PTE_P | PTE_PS)) != PTE_P)
			table = walk_extend(s, e, va, g);
	}
	return entry_at(table, va, leaf);
}

/* The level (0 or 1) of the leaf that covers va, or at which the path ends, and the entry there: 0
 * if it ends. */
static int walk_find(const struct space *s, uint64_t va, uint64_t **e)
{
	uint64_t table = s->root;

	for (int level = LEVELS - 1;; level--) {
		*e = entry_at(table, va, level);
		if (**e == 0 || is_leaf(**e, level))
			return level;
		table = **e;
	}
}

/* Clear the table under *e (level 1) whose pages a large page replaces, and give it back. */
static void drop_table(struct space *s, uint64_t *e, uint64_t va, struct gather *g)
{
	uint64_t pa = *e & PTE_ADDR;
	uint64_t *table = direct(pa);

	for (uint32_t i = 0; i < ENTRIES; i++)
		if (table[i] != 0)
			gather_add(g, va + i * PAGE_SIZE, entry_set(s->pool, &table[i], 0));
	entry_set(s->pool, e, 0);
	pool_give(s->pool, pa);
	g->n = GATHER_PAGES + 1; /* the table itself may be cached too */
}

/* Tables that a change of [va, va + len) may take, counted exactly only when the pool runs low.
 * make: holes are filled; split_whole: a large page becomes a table even if it lies wholly in the
 * range. */
static uint32_t tables_needed(const struct space *s, uint64_t va, uint64_t len, bool make,
			      bool split_whole)
{
	uint64_t end = va + len;
	uint32_t need = 0;

	for (uint64_t at = va; at < end;) {
		uint64_t *e;
		int level = walk_find(s, at, &e);
		uint64_t size = level_size(level), next = round_down(at, size) + size;

		if (*e != 0 && level == 1) {
			need += split_whole || at % LARGE_SIZE != 0 || end < next;
			at = next;
		} else if (*e != 0) {
			at = round_down(at, LARGE_SIZE) + LARGE_SIZE;
		} else if (!make) {
			at = next;
		} else {
			/* Missing from `level` down: one table for each lower level that begins
			 * here. */
			uint64_t stop = min_u64(next, end);

			for (int l = level; l > 0; l--)
				need += (uint32_t)((round_up(stop, level_size(l)) -
						    round_down(at, level_size(l))) /
						   level_size(l));
			at = next;
		}
	}
	return need;
}

static bool pool_serves(const struct space *s, uint64_t va, uint64_t len, bool make,
			bool split_whole)
{
	if (s->pool->free >= len / LARGE_SIZE + len / HUGE_SIZE + 8)
		return true;
	return s->pool->free >= tables_needed(s, va, len, make, split_whole);
}

/* Fill the page entries of one table from va on, up to the end of the range or of the table.
 * Returns the bytes done. */
static uint64_t map_pages(struct space *s, uint64_t va, uint64_t pa, uint64_t len, uint64_t bits,
			  struct gather *g)
{
	uint64_t *e = walk_make(s, va, 0, g);
	uint64_t n = min_u64(ENTRIES - level_index(va, 0), len / PAGE_SIZE), value = pa | bits;
	uint16_t added = 0;

	for (uint64_t i = 0; i < n; i++, value += PAGE_SIZE) {
		uint64_t old = __atomic_exchange_n(&e[i], value, __ATOMIC_RELEASE);

		if (old == 0)
			added++;
		else
			gather_add(g, va + i * PAGE_SIZE, old);
	}
	s->pool->used[pool_index(s->pool, e)] += added;
	return n * PAGE_SIZE;
}

static uint64_t map_large(struct space *s, uint64_t va, uint64_t pa, uint64_t bits,
			  struct gather *g)
{
	uint64_t *e = walk_make(s, va, 1, g);

	if (*e != 0 && !is_leaf(*e, 1))
		drop_table(s, e, va, g);
	gather_add(g, va, entry_set(s->pool, e, pa | bits | PTE_PS));
	return LARGE_SIZE;
}

int space_map(struct space *s, uint64_t va, uint64_t pa, uint64_t len, uint64_t bits, bool large,
	      struct gather *g)
{
	/* Small pages, and pages that lie differently within 2 MiB, go into a table of their own.
	 */
	if (!pool_serves(s, va, len, true, !large || (va ^ pa) % LARGE_SIZE != 0))
		return -ENOMEM;
	while (len > 0) {
		uint64_t head = LARGE_SIZE - va % LARGE_SIZE, done;

		if (large && (va | pa) % LARGE_SIZE == 0 && len >= LARGE_SIZE)
			done = map_large(s, va, pa, bits, g);
		else
			done = map_pages(s, va, pa, min_u64(len, head), bits, g);
		va += done;
		pa += done;
		len -= done;
	}
	return 0;
}

int space_map_coloured(struct space *s, uint64_t va, uint64_t at, uint64_t len, uint64_t bits,
		       struct gather *g)
{
	int rc = s->pool->free < tables_needed(s, va, len, true, true) ? -ENOMEM : 0;

	for (uint64_t n; len > 0 && rc == 0; va += n, at += n, len -= n) {
		n = min_u64(len, gw_stripe_run(&s->pool->stripe, at));
		rc = space_map(s, va, gw_stripe_pa(&s->pool->stripe, at), n, bits, false, g);
	}
	return rc;
}

static void protect_entry(struct space *s, uint64_t *e, uint64_t va, uint64_t bits,
			  struct gather *g)
{
	uint64_t old = *e, value = (old & ~PTE_PROT) | bits;

	if (old == value)
		return;
	/* A core may set the dirty flag between the two: carry it over. */
	old = entry_set(s->pool, e, value);
	/* not reached: by one thread */
	if ((old & ~value) & (PTE_A | PTE_D))
		/* not reached: as above */
		__atomic_fetch_or(e, old & (PTE_A | PTE_D), __ATOMIC_RELAXED);
	gather_add(g, va, old);
}

int space_protect(struct space *s, uint64_t va, uint64_t len, uint64_t bits, struct gather *g)
{
	uint64_t end = va + len;

	if (!pool_serves(s, va, len, false, false))
		return -ENOMEM;
	while (va < end) {
		uint64_t *e;
		int level = walk_find(s, va, &e);
		uint64_t size = level_size(level), next = round_down(va, size) + size;

		if (*e != 0 && level == 1 && (va % size != 0 || end < next)) {
			e = walk_make(s, va, 0, g);
			next = va + PAGE_SIZE;
		}
		if (*e != 0)
			protect_entry(s, e, va, bits, g);
		va = next;
	}
	return 0;
}

static uint64_t report_flags(uint64_t e, int level)
{
	uint64_t flags = 0;

	if (e & PTE_NONE)
		flags |= GW_MAP_NONE;
	else
		flags |= (e & PTE_W ? GW_MAP_W : 0) | (e & PTE_NX ? 0 : GW_MAP_X);
	flags |= (e & PTE_A ? GW_MAP_ACCESSED : 0) | (e & PTE_D ? GW_MAP_DIRTY : 0);
	return flags | (level == 1 ? GW_MAP_LARGE : 0);
}

/* Of a table of pages, what counts as one step of a scan that is in a hurry. */
#define SCAN_PIECE (32 * PAGE_SIZE)

static struct gw_unmapped take_entry(struct space *s, uint64_t *e, uint64_t va, int level,
				     bool unmap, struct gather *g)
{
	uint64_t old =
		unmap ? entry_set(s->pool, e, 0) : __atomic_fetch_and(e, ~PTE_A, __ATOMIC_RELAXED);

	gather_add(g, va, old);
	return (struct gw_unmapped){ .va = va,
				     .pa_flags = (old & PTE_ADDR) | report_flags(old, level) };
}

/* space_scan in one table of pages, from the entry e for *va on. */
static uint32_t scan_table(struct space *s, uint64_t *e, uint64_t *va, uint64_t end, bool unmap,
			   struct gw_unmapped *out, uint32_t max, struct gather *g)
{
	const uint16_t *used = &s->pool->used[pool_index(s->pool, e)];
	uint64_t at = *va, stop = min_u64(end, round_down(at, LARGE_SIZE) + LARGE_SIZE);
	uint32_t n = 0;

	for (; at < stop && n < max; at += PAGE_SIZE, e++)
		if (*e != 0)
			out[n++] = take_entry(s, e, at, 0, unmap, g);
	if (unmap && *used == 0)
		prune(s, *va, g);
	*va = at;
	return n;
}

int space_scan(struct space *s, uint64_t *va, uint64_t end, bool unmap, struct gw_unmapped *out,
	       uint32_t max, uint32_t steps, struct gather *g)
{
	uint64_t piece = steps == ~0u ? LARGE_SIZE : SCAN_PIECE;
	uint32_t n = 0;

	for (; *va < end && n < max && steps > 0; steps--) {
		uint64_t *e;
		int level = walk_find(s, *va, &e);
		uint64_t size = level_size(level), next = round_down(*va, size) + size;

		if (level == 1 && *e != 0 && (*va % size != 0 || end < next)) {
			if (s->pool->free == 0)
				return n > 0 ? (int)n : -ENOMEM;
			e = walk_make(s, *va, 0, g);
			level = 0;
		}
		if (level == 0) {
			n += scan_table(s, e, va, min_u64(end, *va + piece), unmap, out + n,
					max - n, g);
			continue;
		}
		if (*e != 0) {
			out[n++] = take_entry(s, e, *va, level, unmap, g);
			if (unmap && s->pool->used[pool_index(s->pool, e)] == 0)
				prune(s, *va, g);
		}
		*va = next;
	}
	*va = min_u64(*va, end);
	for (uint32_t i = 0; s->pool->stripe.mask != 0 && i < n; i++)
		out[i].pa_flags = gw_stripe_at(&s->pool->stripe, out[i].pa_flags);
	return (int)n;
}

/* Give back the table under *e, of which everything below is gone. */
static void give_back(struct space *s, uint64_t *e)
{
	uint64_t table = *e & PTE_ADDR;

	memset(direct(table), 0, PAGE_SIZE);
	entry_set(s->pool, e, 0);
	pool_give(s->pool, table);
}

/* The walk is at index at[level] of each level's table; all before it is done. */
bool space_empty(struct space *s, uint32_t steps)
{
	uint64_t *above[LEVELS]; /* the entry that leads to the level's table */

	while (steps > 0) {
		uint64_t *table = direct(s->root);
		int level = LEVELS - 1;
		uint32_t end = SPACE_OWN_ROOTS, i;

		/* Down the path that is being done, as far as there are tables. */
		while (level > 1 && s->at[level] < end) {
			uint64_t *e = &table[s->at[level]];

			if (*e == 0) /* there are no pages of 1 GiB */
				break;
			above[--level] = e;
			table = direct(*e & PTE_ADDR);
			end = ENTRIES;
		}
		/* On to the next entry of this one that leads to a table. */
		for (i = s->at[level]; i < end && steps > 0; i++, steps--)
			if (table[i] != 0 && !is_leaf(table[i], level))
				break;
		s->at[level] = (uint16_t)i;
		if (steps == 0)
			return false;
		if (i == end && level == LEVELS - 1) {
			s->at[level] = 0;
			return true;
		}
		if (i < end && level > 1)
			continue;
		/* A table of pages, or one of which all below is gone. */
		if (i == end) {
			s->at[level] = 0;
			give_back(s, above[level++]);
		} else {
			give_back(s, &table[i]);
		}
		s->at[level]++;
		steps -= steps < SPACE_CLEAR_TABLE ? steps : SPACE_CLEAR_TABLE;
	}
	return false;
}

bool space_clear(struct space *s, uint32_t steps)
{
	if (!space_empty(s, steps))
		return false;
	memset(direct(s->root), 0, PAGE_SIZE);
	pool_give(s->pool, s->root);
	s->root = 0;
	return true;
}
