/* SPDX-License-Identifier: Apache-2.0 */
/* remap.c - mremap: growing in place, or moving an area with its frames. */
#include "linux/memory/mm_internal.h"

#define MREMAP_MAYMOVE 1u
#define MREMAP_FIXED 2u
#define CHUNK 64u

struct moved {
	uint32_t n;
	struct {
		uint64_t va, pa;
		uint32_t flags;
	} page[CHUNK];
};

static void collect(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct moved *m = arg;

	m->page[m->n].va = va;
	m->page[m->n].pa = pa;
	m->page[m->n++].flags = flags;
}

/* Move the frames of [from, from + len) to `to`. Large pages move whole: from and to are alike
 * modulo 2 MiB. */
static int move_pages(struct mm *mm, uint64_t from, uint64_t to, uint64_t len)
{
	struct moved *m = mem_alloc(sizeof(*m));
	uint64_t step;
	int r = 0;

	if (m == NULL)
		return -ENOMEM;
	for (uint64_t at = 0; at < len && r == 0; at += step) {
		struct space_batch b;

		step = CHUNK * GW_PAGE_SIZE;
		/* A chunk holds at most CHUNK small pages, or one large page when it starts on one.
		 */
		if ((from + at) % LARGE_PAGE == 0 && len - at >= LARGE_PAGE) {
			bool large = false;

			m->n = 0;
			space_query(from + at, GW_PAGE_SIZE, collect, m);
			large = m->n == 1 && (m->page[0].flags & GW_MAP_LARGE) != 0;
			if (large)
				step = LARGE_PAGE;
		}
		step = GW_MIN(step, len - at);
		step = GW_MIN(step, ROUND_DOWN(from + at, LARGE_PAGE) + LARGE_PAGE - (from + at));
		m->n = 0;
		space_unmap(from + at, step, collect, m);
		space_batch_init(&b);
		for (uint32_t i = 0; i < m->n && r == 0; i++) {
			uint32_t f = m->page[i].flags &
				     (GW_MAP_W | GW_MAP_X | GW_MAP_NONE | GW_MAP_LARGE);

			r = space_batch_map(&b, to + (m->page[i].va - from), m->page[i].pa,
					    (f & GW_MAP_LARGE) != 0 ? LARGE_PAGE : GW_PAGE_SIZE, f);
		}
		if (r == 0)
			r = space_batch_commit(&b);
	}
	mem_free(m, sizeof(*m));
	mm_touch(mm, to, len);
	return r;
}

static int64_t move(struct mm *mm, struct area a, uint64_t old, uint64_t old_len, uint64_t new_len,
		    uint64_t flags, uint64_t target)
{
	uint64_t keep = GW_MIN(old_len, new_len);
	int r;

	if ((flags & MREMAP_FIXED) == 0) {
		uint64_t align = new_len >= LARGE_PAGE ? LARGE_PAGE : GW_PAGE_SIZE;

		target = areas_gap(&mm->areas, new_len, align, old % align, MMAP_LOW, mm->mmap_top);
		if (target == 0)
			return -ENOMEM;
	}
	a.offset += a.inode != NULL ? old - a.start : 0;
	a.start = target;
	a.end = target + new_len;
	a.flags &= ~AREA_HEAP;
	r = mm_unmap_locked(mm, target, new_len);
	if (r == 0)
		r = areas_reserve(&mm->areas);
	if (r != 0)
		return r;
	if ((target - old) % LARGE_PAGE == 0 || (a.flags & (AREA_NOHUGE | MM_STACK)) != 0 ||
	    a.inode != NULL || new_len < LARGE_PAGE) {
		r = move_pages(mm, old, target, keep);
	} else {
		/* Different phases: a query of one page splits nothing, so cut large pages by
		 * protecting a part. */
		for (uint64_t at = ROUND_UP(old, LARGE_PAGE); at < old + keep; at += LARGE_PAGE)
			r |= space_protect(at, GW_PAGE_SIZE,
					   mm_page_flags(a.flags) & ~(mm->forked ? GW_MAP_W : 0u));
		r = r != 0 ? r : move_pages(mm, old, target, keep);
	}
	if (r != 0)
		return r;
	if (a.inode != NULL)
		inode_get(a.inode);
	areas_insert(&mm->areas, a);
	r = mm_unmap_locked(mm, old, old_len);
	return r != 0 ? r : (int64_t)target;
}

static int64_t remap_locked(struct mm *mm, uint64_t old, uint64_t old_len, uint64_t new_len,
			    uint64_t flags, uint64_t target)
{
	const struct area *a = areas_find(&mm->areas, old);
	uint64_t grow;
	int r;

	if (a == NULL || old + old_len > a->end)
		return -EFAULT;
	if ((a->flags & MM_SPECIAL) != 0)
		return -EINVAL;
	if ((flags & MREMAP_FIXED) != 0)
		return move(mm, *a, old, old_len, new_len, flags, target);
	if (new_len <= old_len) {
		r = new_len < old_len ? mm_unmap_locked(mm, old + new_len, old_len - new_len) : 0;
		return r != 0 ? r : (int64_t)old;
	}
	grow = new_len - old_len;
	if ((a->flags & (MM_WRITE | MM_SHARED)) == MM_WRITE && mm_overcommits(grow))
		return -ENOMEM;
	if (old + old_len == a->end && program_range(old, new_len) &&
	    areas_free(&mm->areas, old + old_len, old + new_len)) {
		struct area more = *a;

		if (areas_reserve(&mm->areas) != 0)
			return -ENOMEM;
		more.offset = more.inode != NULL ? more.offset + (more.end - more.start) : 0;
		more.start = old + old_len;
		more.end = old + new_len;
		if (more.inode != NULL)
			inode_get(more.inode);
		areas_insert(&mm->areas, more);
		return (int64_t)old;
	}
	return (flags & MREMAP_MAYMOVE) != 0 ? move(mm, *a, old, old_len, new_len, flags, target)
					     : -ENOMEM;
}

int64_t mm_remap(struct mm *mm, uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags,
		 uint64_t target)
{
	bool locked;
	int64_t r;

	old_len = ROUND_UP(old_len, GW_PAGE_SIZE);
	new_len = ROUND_UP(new_len, GW_PAGE_SIZE);
	if (old % GW_PAGE_SIZE != 0 || (flags & ~(uint64_t)(MREMAP_MAYMOVE | MREMAP_FIXED)) != 0 ||
	    new_len == 0 || old_len == 0 || !program_range(old, old_len))
		return -EINVAL;
	if ((flags & MREMAP_FIXED) != 0 &&
	    ((flags & MREMAP_MAYMOVE) == 0 || target % GW_PAGE_SIZE != 0 || target < MMAP_LOW ||
	     !program_range(target, new_len) || (target < old + old_len && old < target + new_len)))
		return -EINVAL;
	if (new_len > GW_PROGRAM_END)
		return -ENOMEM;
	locked = mm_lock(mm);
	r = remap_locked(mm, old, old_len, new_len, flags, target);
	if (locked)
		mutex_unlock(&mm->lock);
	return r;
}
