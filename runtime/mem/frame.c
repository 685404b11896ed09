/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - the partition's frames. Each extent is used from its start by a frontier that only
 * moves up; what was freed lies in buddy lists, merged with its neighbours. Frames that the
 * frontier passed over for alignment, and all beyond it, are still zero when the machine's memory
 * was at boot: they are kept apart from used ones, so that a zero frame often needs no clearing,
 * and a dirty one is taken where the contents do not matter.
 *
 *   extent: | struct page array (largest extent only) | used and freed frames ... | frontier ->
 * never used |
 *
 * A descriptor of a free block's first frame holds the list links in `owner` and the order in
 * `flags`. Trusts the kernel's extents; checks its callers' frees. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem_internal.h"
#include "runtime/sched/sched.h"

#define ORDERS 19u /* blocks of 4 KiB .. 1 GiB */
#define NIL 0xffffffffu
#define PAGE_FREE 0x80u /* first frame of a free block; its order in bits 8.. */
#define FREE_FLAGS(order, zero) (PAGE_FREE | (order) << 8 | (zero))
#define HOOKS 4u
#define RECLAIM_WANT 32u
#define RECLAIM_TRIES 4

_Static_assert(sizeof(struct page) == 16, "one descriptor a frame must stay small");

struct extent {
	uint64_t start, end, frontier; /* frame numbers */
};

static struct {
	struct spinlock lock;
	uint32_t batch;	      /* frames moved to or from a shard's cache at a time */
	uintptr_t base;	      /* descriptor of frame number 0 (most of that range does not exist) */
	uint64_t lo, hi;      /* frame numbers spanned */
	uint64_t total, free; /* free: without the shards' caches */
	uint32_t zeroed;      /* PAGE_ZEROED when the frontier's frames are known to be zero */
	uint32_t n_extents;
	struct extent extents[GW_MAX_EXTENTS];
	uint32_t lists[2][ORDERS]; /* first frame number, NIL; [1]: known to be zero */
	uint32_t nonempty[2];	   /* bit per order */
	uint32_t n_hooks;
	size_t (*hooks[HOOKS])(size_t want, bool may_park);
} frames;

static inline struct page *page_at(uint64_t pfn)
{
	return (struct page *)(frames.base + pfn * sizeof(struct page));
}

/* ---- free lists; all under the lock ---- */

static void list_push(uint64_t pfn, uint32_t order, uint32_t zero)
{
	struct page *p = page_at(pfn);
	uint32_t next = frames.lists[zero][order];

	p->flags = FREE_FLAGS(order, zero);
	p->owner = (uint64_t)NIL << 32 | next;
	if (next != NIL)
		page_at(next)->owner = pfn << 32 | (uint32_t)page_at(next)->owner;
	frames.lists[zero][order] = (uint32_t)pfn;
	frames.nonempty[zero] |= 1u << order;
}

static void list_remove(uint64_t pfn, uint32_t order, uint32_t zero)
{
	struct page *p = page_at(pfn);
	uint32_t next = (uint32_t)p->owner, prev = (uint32_t)(p->owner >> 32);

	if (next != NIL)
		page_at(next)->owner = (uint64_t)prev << 32 | (uint32_t)page_at(next)->owner;
	if (prev != NIL)
		page_at(prev)->owner = (page_at(prev)->owner & ~(uint64_t)NIL) | next;
	else
		frames.lists[zero][order] = next;
	if (frames.lists[zero][order] == NIL)
		frames.nonempty[zero] &= ~(1u << order);
	p->flags = 0;
}

static void block_free(uint64_t pfn, uint32_t order, uint32_t zero)
{
	for (; order + 1 < ORDERS; order++) {
		uint64_t buddy = pfn ^ (1ull << order);

		if (buddy < frames.lo || buddy >= frames.hi ||
		    page_at(buddy)->flags != FREE_FLAGS(order, zero))
			break;
		list_remove(buddy, order, zero);
		pfn &= ~(1ull << order);
	}
	list_push(pfn, order, zero);
}

static void range_free(uint64_t pfn, uint64_t n, uint32_t zero)
{
	frames.free += n;
	while (n) {
		uint32_t order = 63u - (uint32_t)__builtin_clzll(n);

		if (pfn)
			order = GW_MIN(order, (uint32_t)__builtin_ctzll(pfn));
		order = GW_MIN(order, ORDERS - 1);
		block_free(pfn, order, zero);
		pfn += 1ull << order;
		n -= 1ull << order;
	}
}

/* A block of 2^order frames from the lists of one kind; 0: none (frame 0 is never ours). */
static uint64_t block_take(uint32_t order, uint32_t zero)
{
	uint32_t found = frames.nonempty[zero] >> order << order;
	uint64_t pfn;
	uint32_t o;

	if (!found)
		return 0;
	o = (uint32_t)__builtin_ctz(found);
	pfn = frames.lists[zero][o];
	list_remove(pfn, o, zero);
	while (o > order) {
		o--;
		list_push(pfn + (1ull << o), o, zero);
	}
	frames.free -= 1ull << order;
	return pfn;
}

static uint64_t frontier_take(uint64_t n, uint64_t align)
{
	for (uint32_t i = 0; i < frames.n_extents; i++) {
		struct extent *e = &frames.extents[i];
		uint64_t pfn = ROUND_UP(e->frontier, align);

		if (pfn > e->end || e->end - pfn < n)
			continue;
		frames.free -= pfn + n - e->frontier;
		if (unlikely(pfn != e->frontier))
			range_free(e->frontier, pfn - e->frontier, frames.zeroed);
		e->frontier = pfn + n;
		return pfn;
	}
	return 0;
}

/* ---- setting up ---- */

/* Extents far apart would need descriptors for the hole between them: drop the smaller end until
 * they fit. */
static void choose_extents(const struct gw_boot_info *boot)
{
	uint32_t first = 0, last = boot->n_extents;

	for (; first < last;) {
		uint64_t total = 0, span;

		for (uint32_t i = first; i < last; i++)
			total += boot->extents[i].len;
		span = boot->extents[last - 1].pa + boot->extents[last - 1].len -
		       boot->extents[first].pa;
		if (span / GW_PAGE_SIZE * sizeof(struct page) <= total / 32)
			break;
		if (boot->extents[first].len < boot->extents[last - 1].len)
			first++;
		else
			last--;
	}
	for (uint32_t i = first; i < last; i++) {
		uint64_t start = GW_MAX(ROUND_UP(boot->extents[i].pa, GW_PAGE_SIZE), GW_PAGE_SIZE) /
				 GW_PAGE_SIZE;
		uint64_t end = (boot->extents[i].pa + boot->extents[i].len) / GW_PAGE_SIZE;

		if (start >= end || end >= NIL)
			continue;
		frames.extents[frames.n_extents++] = (struct extent){ start, end, start };
		frames.total += end - start;
	}
}

COLD void mem_init(const struct gw_boot_info *boot)
{
	struct extent *big = &frames.extents[0];
	uint64_t array_len, array_frames;

	slab_init();
	memset(&frames, 0, sizeof(frames));
	memset(frames.lists, 0xff, sizeof(frames.lists));
	choose_extents(boot);
	if (!frames.n_extents)
		panic("the partition has no memory");
	for (uint32_t i = 1; i < frames.n_extents; i++)
		if (frames.extents[i].end - frames.extents[i].start > big->end - big->start)
			big = &frames.extents[i];
	frames.lo = frames.extents[0].start;
	frames.hi = frames.extents[frames.n_extents - 1].end;
	array_len = (frames.hi - frames.lo) * sizeof(struct page);
	array_frames = ROUND_UP(array_len, GW_PAGE_SIZE) / GW_PAGE_SIZE;
	if (array_frames >= big->end - big->start)
		panic("%lu KiB of memory is too little", (unsigned long)(frames.total * 4));
	frames.base =
		(uintptr_t)pa_to_va(big->start * GW_PAGE_SIZE) - frames.lo * sizeof(struct page);
	big->start += array_frames;
	big->frontier = big->start;
	frames.total -= array_frames;
	frames.free = frames.total;
	if (boot->flags & GW_BOOT_MEM_ZEROED)
		frames.zeroed = PAGE_ZEROED;
	else
		memset(page_at(frames.lo), 0, array_len);
	frames.batch = frames.total < 4096 ? 4 : CACHE_FRAMES / 2;
}

int mem_shard_init(struct shard *s)
{
	struct mem_cache *c = mem_zalloc(sizeof(*c));

	if (!c)
		return -ENOMEM;
	s->mem = c;
	return 0;
}

void mem_add_reclaim(size_t (*reclaim)(size_t want, bool may_park))
{
	if (frames.n_hooks == HOOKS)
		panic("too many reclaim hooks");
	frames.hooks[frames.n_hooks++] = reclaim;
}

/* ---- single frames ---- */

struct page *page_of(uint64_t pa)
{
	uint64_t pfn = pa / GW_PAGE_SIZE;

	for (uint32_t i = 0; i < frames.n_extents; i++)
		if (pfn - frames.extents[i].start < frames.extents[i].end - frames.extents[i].start)
			return page_at(pfn);
	return NULL;
}

/* Any frame, dirty ones first. *zero: it is known to be zero. */
static uint64_t take_one(uint32_t *zero)
{
	uint64_t pfn = block_take(0, 0);

	*zero = 0;
	if (!pfn) {
		*zero = frames.zeroed;
		pfn = block_take(0, 1);
		if (!pfn)
			pfn = frontier_take(1, 1);
	}
	return pfn;
}

static bool reclaim(void)
{
	bool may_park = sched_may_park();

	for (uint32_t i = 0; i < frames.n_hooks; i++)
		if (frames.hooks[i](RECLAIM_WANT, may_park))
			return true;
	return false;
}

static void cache_refill(struct mem_cache *c)
{
	uint32_t zero;

	spin_lock(&frames.lock);
	while (c->n_frames < frames.batch) {
		uint64_t pfn = take_one(&zero);

		if (!pfn)
			break;
		c->frames[c->n_frames++] = pfn * GW_PAGE_SIZE;
	}
	spin_unlock(&frames.lock);
}

static void cache_spill(struct mem_cache *c, uint32_t keep)
{
	spin_lock(&frames.lock);
	while (c->n_frames > keep)
		range_free(c->frames[--c->n_frames] / GW_PAGE_SIZE, 1, 0);
	spin_unlock(&frames.lock);
}

static uint64_t page_hand_out(uint64_t pa)
{
	struct page *p = page_at(pa / GW_PAGE_SIZE);

	atomic_store_explicit(&p->refs, 1, memory_order_relaxed);
	p->flags = 0;
	p->owner = 0;
	return pa;
}

static __attribute__((noinline)) uint64_t page_alloc_slow(void)
{
	for (int i = 0; i < RECLAIM_TRIES; i++) {
		struct mem_cache *c = shard_self()->mem;

		cache_refill(c);
		if (c->n_frames)
			return page_hand_out(c->frames[--c->n_frames]);
		if (c->n_zeroes)
			return page_hand_out(c->zeroes[--c->n_zeroes]);
		if (!reclaim())
			break;
	}
	return 0;
}

uint64_t page_alloc(void)
{
	struct mem_cache *c = shard_self()->mem;

	if (likely(c->n_frames))
		return page_hand_out(c->frames[--c->n_frames]);
	return page_alloc_slow();
}

/* Frames known to be zero: runs of the frontier where it has them. */
static void zeroes_refill(struct mem_cache *c)
{
	uint32_t n = GW_MIN(frames.batch, CACHE_ZEROES);
	uint64_t pfn;

	spin_lock(&frames.lock);
	while (c->n_zeroes < n && (pfn = block_take(0, 1)) != 0)
		c->zeroes[c->n_zeroes++] = pfn * GW_PAGE_SIZE;
	if (c->n_zeroes < n) {
		n -= c->n_zeroes;
		pfn = frontier_take(n, 1);
		if (!pfn)
			pfn = frontier_take(n = 1, 1);
		/* the lowest is handed out first: programs touch memory upwards */
		while (pfn && n--)
			c->zeroes[c->n_zeroes++] = (pfn + n) * GW_PAGE_SIZE;
	}
	spin_unlock(&frames.lock);
}

uint64_t page_alloc_zero(void)
{
	struct mem_cache *c = shard_self()->mem;
	uint64_t pa;

	if (likely(frames.zeroed)) {
		if (unlikely(!c->n_zeroes))
			zeroes_refill(c);
		if (likely(c->n_zeroes))
			return page_hand_out(c->zeroes[--c->n_zeroes]);
	}
	pa = page_alloc();
	if (pa)
		memset(pa_to_va(pa), 0, GW_PAGE_SIZE);
	return pa;
}

void page_get(uint64_t pa)
{
	atomic_fetch_add_explicit(&page_at(pa / GW_PAGE_SIZE)->refs, 1, memory_order_relaxed);
}

void page_put(uint64_t pa)
{
	struct page *p = page_at(pa / GW_PAGE_SIZE);
	/* acq_rel: what other holders wrote is before the frame's next use */
	uint32_t before = atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel);
	struct mem_cache *c;

	if (before != 1) {
		if (unlikely(before == 0))
			panic("page_put: frame %#lx is free", (unsigned long)pa);
		return;
	}
	c = shard_self()->mem;
	if (unlikely(c->n_frames >= 2 * frames.batch))
		cache_spill(c, frames.batch);
	c->frames[c->n_frames++] = pa & ~(GW_PAGE_SIZE - 1);
}

/* ---- contiguous frames ---- */

/* A run out of the free lists of one kind; what is left of its block goes back. */
static uint64_t list_run(size_t n, uint32_t order, uint32_t zero)
{
	uint64_t pfn = order < ORDERS ? block_take(order, zero) : 0;

	if (pfn && n < 1ull << order)
		range_free(pfn + n, (1ull << order) - n, zero);
	return pfn;
}

/* n contiguous frames, zero ones (zero 1) or used ones (0) first. *known_zero: which they are. */
static uint64_t take_run(size_t n, size_t align, uint32_t zero, bool *known_zero)
{
	uint64_t size = GW_MAX(n, align), pfn;
	uint32_t order;

	if (n == 0 || n > frames.total || align > frames.total)
		return 0;
	order = size == 1 ? 0 : 64u - (uint32_t)__builtin_clzll(size - 1);
	spin_lock(&frames.lock);
	*known_zero = zero;
	pfn = list_run(n, order, zero);
	if (!pfn && !zero) {
		*known_zero = true;
		pfn = list_run(n, order, 1);
	}
	if (!pfn) {
		*known_zero = frames.zeroed;
		pfn = frontier_take(n, align);
	}
	if (!pfn && zero) {
		*known_zero = false;
		pfn = list_run(n, order, 0);
	}
	for (uint64_t i = 0; pfn && i < n; i++)
		page_hand_out((pfn + i) * GW_PAGE_SIZE);
	spin_unlock(&frames.lock);
	return pfn * GW_PAGE_SIZE;
}

uint64_t pages_alloc(size_t n, size_t align)
{
	bool zero;

	return take_run(n, align, 0, &zero);
}

uint64_t pages_alloc_zero(size_t n, size_t align)
{
	bool zero = false;
	uint64_t pa = take_run(n, align, 1, &zero);

	if (pa && !zero)
		memset(pa_to_va(pa), 0, n * GW_PAGE_SIZE);
	return pa;
}

void pages_free(uint64_t pa, size_t n)
{
	uint64_t pfn = pa / GW_PAGE_SIZE;

	spin_lock(&frames.lock);
	for (uint64_t i = pfn; i < pfn + n; i++) {
		if (page_at(i)->flags & PAGE_FREE)
			panic("pages_free: frame %#lx is free", (unsigned long)(i * GW_PAGE_SIZE));
		atomic_store_explicit(&page_at(i)->refs, 0, memory_order_relaxed);
		page_at(i)->flags = 0;
	}
	range_free(pfn, n, 0);
	spin_unlock(&frames.lock);
}

uint64_t mem_total_pages(void)
{
	return frames.total;
}

uint64_t mem_free_pages(void)
{
	uint64_t n = frames.free;

	for (uint32_t i = 0; i < n_shards; i++)
		if (shards[i] && shards[i]->mem)
			n += shards[i]->mem->n_frames + shards[i]->mem->n_zeroes;
	return n;
}
