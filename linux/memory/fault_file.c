/* SPDX-License-Identifier: Apache-2.0 */
/* fault_file.c - page faults on files: what is resident is mapped, around the page that was
 * touched; private pages are copied when they are written. And back: unmapping for the page cache.
 */
#include "linux/memory/fault_internal.h"

int fault_copy(struct mm *mm, uint64_t va, uint64_t from, bool was_mapped, uint32_t flags)
{
	uint64_t to = page_alloc();
	int r;

	if (to == 0) {
		page_put(from);
		return -ENOMEM;
	}
	memcpy(pa_to_va(to), pa_to_va(from), GW_PAGE_SIZE);
	page_put(from);
	r = space_map(va, to, GW_PAGE_SIZE, flags);
	if (r != 0) {
		page_put(to);
		return r;
	}
	if (was_mapped)
		page_put(from);
	mm_count(mm, was_mapped ? 0 : 1, was_mapped ? -1 : 0);
	return 0;
}

/* Private copies of n pages from va on, as far as they are resident: a page written to seldom stays
 * alone (relocation). */
static int fault_copy_run(struct mm *mm, const struct area *a, uint64_t va, uint32_t n,
			  bool may_park, uint32_t flags)
{
	uint64_t pas[COPY_AROUND], to;
	uint32_t got = 1;
	int r = inode_pages(a->inode, (a->offset + (va - a->start)) / GW_PAGE_SIZE, n, may_park,
			    pas, &got);

	if (r != 0)
		return r;
	to = got > 1 ? pages_alloc(got, 1) : 0;
	if (to == 0) {
		fault_put_frames(pas + 1, got - 1);
		return fault_copy(mm, va, pas[0], false, flags);
	}
	for (uint32_t i = 0; i < got; i++)
		memcpy(pa_to_va(to + i * GW_PAGE_SIZE), pa_to_va(pas[i]), GW_PAGE_SIZE);
	fault_put_frames(pas, got);
	r = space_map(va, to, got * GW_PAGE_SIZE, flags);
	if (r != 0)
		pages_free(to, got);
	else
		mm_count(mm, got, 0);
	return r;
}

int fault_file_write(struct mm *mm, const struct area *a, const struct window *w, uint32_t n,
		     bool may_park, uint32_t flags)
{
	uint64_t va = w->fault_va, pa;
	int r;

	if ((a->flags & MM_SHARED) == 0) {
		n = w->present != 0 ? GW_MIN(n, (uint32_t)__builtin_ctz(w->present)) : n;
		return fault_copy_run(mm, a, va, n, may_park, flags);
	}
	r = inode_page(a->inode, (a->offset + (va - a->start)) / GW_PAGE_SIZE, true, may_park, &pa);
	if (r != 0)
		return r;
	r = space_map(va, pa, GW_PAGE_SIZE, flags);
	if (r != 0)
		page_put(pa);
	else
		mm_count(mm, 1, 1);
	return r;
}

static int map_file_pages(struct mm *mm, uint64_t va, const uint64_t *pas, uint32_t n,
			  uint32_t flags)
{
	int r = fault_map_frames(va, pas, n, flags & ~GW_MAP_W);

	if (r != 0)
		fault_put_frames(pas, n);
	else
		mm_count(mm, n, n);
	return r;
}

int fault_file_read(struct mm *mm, const struct area *a, const struct window *w, uint32_t n,
		    bool may_park, uint32_t flags)
{
	uint32_t at = (uint32_t)((w->fault_va - w->lo) / GW_PAGE_SIZE), first = at, last = at + 1,
		 got = 1;
	uint64_t index = (a->offset + (w->lo - a->start)) / GW_PAGE_SIZE, pas[AROUND];
	int r;

	while (first > 0 && (w->present >> (first - 1) & 1) == 0)
		first--;
	while (last < n && (w->present >> last & 1) == 0)
		last++;
	if (first < at &&
	    inode_pages(a->inode, index + first, last - first, false, pas, &got) == 0) {
		if (got > at - first)
			return map_file_pages(mm, w->lo + first * GW_PAGE_SIZE, pas, got, flags);
		fault_put_frames(pas, got);
	}
	r = inode_pages(a->inode, index + at, last - at, may_park, pas, &got);
	return r != 0 ? r : map_file_pages(mm, w->fault_va, pas, got, flags);
}

/* ---- the page cache asks ---- */

struct one_page {
	bool present, accessed;
	uint64_t pa;
};

static void note_one(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct one_page *o = arg;

	(void)va;
	o->present = true;
	o->pa = pa;
	o->accessed = (flags & GW_MAP_ACCESSED) != 0;
}

static bool unmap_from(struct mm *mm, uint64_t va, uint64_t pa)
{
	struct one_page o = { .present = false };
	uint32_t before;

	if (va == mm->fault_va)
		return false;
	before = space_enter(mm->space);
	space_query(va, GW_PAGE_SIZE, note_one, &o);
	space_enter(before);
	if (!o.present || o.pa != pa)
		return true; /* not mapped, or a private copy of it */
	if (o.accessed)
		return false;
	mm_drop_pages(mm, va, GW_PAGE_SIZE);
	return true;
}

static bool unmap_from_all(struct mm *mm, const struct inode *inode, uint64_t off, uint64_t pa)
{
	bool unmapped = true;

	for (uint32_t i = 0; i < mm->areas.n; i++) {
		const struct area *a = &mm->areas.v[i];

		if (a->inode == inode && off >= a->offset && off - a->offset < a->end - a->start &&
		    !unmap_from(mm, a->start + (off - a->offset), pa))
			unmapped = false;
	}
	return unmapped;
}

bool mm_unmap_file_page(struct inode *inode, uint64_t index, uint64_t pa)
{
	bool unmapped = true, busy = false, mine;
	uint32_t cursor = 0;
	struct mm *mm;

	while (unmapped && (mm = mm_each(&cursor, &mine, &busy)) != NULL) {
		unmapped = unmap_from_all(mm, inode, index * GW_PAGE_SIZE, pa);
		if (!mine)
			mutex_unlock(&mm->lock);
	}
	return unmapped && !busy;
}
