/* SPDX-License-Identifier: Apache-2.0 */
/* fork.c - a copy of an address space. Frames are shared: each present page gets one more reference
 * and is mapped in the copy too, private writable ones read-only in both, so that the first write
 * copies them (fault.c). */
#include "linux/memory/mm_internal.h"

#define CHUNK (LARGE_PAGE / GW_PAGE_SIZE)

struct shared_page {
	uint64_t va, pa_flags;
};

struct copy {
	struct mm *to;
	uint32_t n;
	struct shared_page page[CHUNK];
};

static uint64_t page_bytes(uint64_t flags)
{
	return (flags & GW_MAP_LARGE) != 0 ? LARGE_PAGE : GW_PAGE_SIZE;
}

static void each_frame(const struct shared_page *s, void (*fn)(uint64_t pa))
{
	uint64_t pa = ROUND_DOWN(s->pa_flags, GW_PAGE_SIZE);

	for (uint64_t at = pa; at < pa + page_bytes(s->pa_flags); at += GW_PAGE_SIZE)
		fn(at);
}

/* References are taken at once: nothing can free the frame after that. */
static void note(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct copy *c = arg;

	c->page[c->n] = (struct shared_page){ va, pa | flags };
	each_frame(&c->page[c->n++], page_get);
}

/* Map what was noted in the copy's space. Frames that could not be mapped are given back. */
static int map_noted(struct copy *c)
{
	const uint64_t keep = GW_MAP_X | GW_MAP_W | GW_MAP_NONE | GW_MAP_LARGE;
	uint32_t before = space_enter(c->to->space), i = 0, bad;
	struct space_batch b;
	int r = 0;

	for (bad = 0; i < c->n && r == 0; bad = i) {
		space_batch_init(&b);
		for (uint32_t k = 0; i < c->n && k < GW_BATCH_MAPS - 1; k++, i++)
			(void)!space_batch_map(&b, c->page[i].va,
					       ROUND_DOWN(c->page[i].pa_flags, GW_PAGE_SIZE),
					       page_bytes(c->page[i].pa_flags),
					       (uint32_t)(c->page[i].pa_flags & keep));
		r = space_batch_commit(&b);
		if (r != 0)
			break;
	}
	/* Of a batch that failed, the kernel says how many entries it applied. */
	if (r != 0)
		bad += (uint32_t)shard_self()->vcore->done;
	space_enter(before);
	for (i = 0; i < c->n; i++) {
		if (r != 0 && i >= bad)
			each_frame(&c->page[i], page_put);
		else
			mm_count(c->to, (int64_t)(page_bytes(c->page[i].pa_flags) / GW_PAGE_SIZE),
				 0);
	}
	c->n = 0;
	return r;
}

static int copy_area(struct copy *c, const struct area *a)
{
	bool private = (a->flags & (MM_WRITE | MM_SHARED | MM_SPECIAL)) == MM_WRITE;
	uint64_t end;
	int r = 0;

	if (private &&
	    space_protect(a->start, a->end - a->start, mm_page_flags(a->flags) & ~GW_MAP_W) != 0)
		return -ENOMEM;
	for (uint64_t at = a->start; at < a->end && r == 0; at = end) {
		/* One large page's worth at a time: at most CHUNK entries, and none is split but at
		 * the area's edges. */
		end = GW_MIN(a->end, ROUND_DOWN(at, LARGE_PAGE) + LARGE_PAGE);
		space_query(at, end - at, note, c);
		r = map_noted(c);
	}
	return r;
}

static int copy_areas(struct mm *from, struct mm *to)
{
	to->areas.v = mem_alloc(from->areas.cap * sizeof(struct area));
	if (to->areas.v == NULL)
		return -ENOMEM;
	to->areas.cap = from->areas.cap;
	to->areas.n = from->areas.n;
	memcpy(to->areas.v, from->areas.v, from->areas.n * sizeof(struct area));
	for (uint32_t i = 0; i < to->areas.n; i++) {
		if (to->areas.v[i].inode != NULL)
			inode_get(to->areas.v[i].inode);
	}
	return 0;
}

static int copy_locked(struct mm *from, struct mm *to)
{
	struct copy *c = mem_zalloc(sizeof(*c));
	int r = c != NULL ? copy_areas(from, to) : -ENOMEM;

	from->forked = to->forked = true;
	for (uint32_t i = 0; r == 0 && i < from->areas.n; i++) {
		c->to = to;
		r = copy_area(c, &from->areas.v[i]);
	}
	if (c != NULL)
		mem_free(c, sizeof(*c));
	return r;
}

int mm_fork(struct mm *mm, struct mm **out)
{
	struct mm *to = mm_alloc();
	bool locked;
	int r;

	if (to == NULL)
		return -ENOMEM;
	to->strings = mm->strings;
	locked = mm_lock(mm);
	mutex_lock(&to->lock); /* reclaim may see it already */
	to->mmap_top = mm->mmap_top;
	to->brk_start = mm->brk_start;
	to->brk_end = mm->brk_end;
	to->stack_lo = mm->stack_lo;
	to->stack_hi = mm->stack_hi;
	to->vdso = mm->vdso;
	memcpy(to->touched, mm->touched, sizeof(to->touched));
	r = copy_locked(mm, to);
	mutex_unlock(&to->lock);
	if (locked)
		mutex_unlock(&mm->lock);
	if (r != 0) {
		mm_put(to);
		return r;
	}
	*out = to;
	return 0;
}
