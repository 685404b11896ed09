/* SPDX-License-Identifier: Apache-2.0 */
/* mm.c - mapping, unmapping and protecting areas. Frames come later, by faults (fault.c). */
#include "linux/memory/mm_internal.h"

static struct {
	struct spinlock lock;
	struct mm *of_space[GW_MAX_SPACES];
} all;

struct mm *mm_current(void)
{
	return all.of_space[shard_self()->space];
}

void mm_enter(struct mm *mm)
{
	space_move(mm->space);
}

struct mm_strings *mm_strings(struct mm *mm)
{
	return &mm->strings;
}

struct mm *mm_get(struct mm *mm)
{
	atomic_fetch_add_explicit(&mm->refs, 1, memory_order_relaxed);
	return mm;
}

/* Space 0 is always there: the first mm's, and after an exec another's. */
static int take_space(struct mm *mm)
{
	int n = 0;

	spin_lock(&all.lock);
	if (all.of_space[0] == NULL)
		all.of_space[0] = mm;
	else
		n = space_create();
	if (n > 0)
		all.of_space[n] = mm;
	spin_unlock(&all.lock);
	mm->space = (uint32_t)GW_MAX(n, 0);
	return n < 0 ? -ENOMEM : 0;
}

struct mm *mm_alloc(void)
{
	struct mm *mm = mem_zalloc(sizeof(*mm));

	if (mm == NULL)
		return NULL;
	mutex_init(&mm->lock);
	mm->refs = 1;
	if (take_space(mm) != 0) {
		mem_free(mm, sizeof(*mm));
		return NULL;
	}
	return mm;
}

struct mm *mm_create(void)
{
	struct mm *mm = mm_alloc();
	uint64_t r;

	if (mm == NULL)
		return NULL;
	random_bytes(&r, sizeof(r));
	/* The stack within 16 GiB of the top, mappings within 1 TiB below it. */
	mm->stack_hi = GW_PROGRAM_END - GW_PAGE_SIZE - ((r & 0x3fffff) << 12);
	mm->stack_lo = mm->stack_hi - STACK_BYTES;
	mm->mmap_top = GW_PROGRAM_END - (32ull << 30) - (((r >> 24) & 0xfffffff) << 12);
	vfs_unmap_page = mm_unmap_file_page;
	return mm;
}

struct mm *mm_each(uint32_t *cursor, bool *mine, bool *busy)
{
	struct mm *mm = NULL;

	spin_lock(&all.lock);
	for (; *cursor < GW_MAX_SPACES && mm == NULL; ++*cursor) {
		mm = all.of_space[*cursor];
		if (mm == NULL)
			continue;
		*mine = mm->lock.holder == uthread_self();
		if (!*mine && !mutex_trylock(&mm->lock)) {
			*busy = true;
			mm = NULL;
		}
	}
	spin_unlock(&all.lock);
	return mm;
}

/* One more reference, unless the last one is gone. */
static bool try_get(struct mm *mm)
{
	uint32_t n = mm->refs;

	while (n != 0 && !atomic_compare_exchange_weak(&mm->refs, &n, n + 1))
		;
	return n != 0;
}

static void forget(struct mm *mm)
{
	spin_lock(&all.lock);
	all.of_space[mm->space] = NULL;
	spin_unlock(&all.lock);
}

void mm_put(struct mm *mm)
{
	uint32_t home = uthread_self()->space;

	if (atomic_fetch_sub_explicit(&mm->refs, 1, memory_order_acq_rel) != 1)
		return;
	mutex_lock(&mm->lock); /* reclaim may be looking at it */
	for (uint32_t i = 0; i < mm->areas.n; i++)
		mm_drop_pages(mm, mm->areas.v[i].start, mm->areas.v[i].end - mm->areas.v[i].start);
	if (mm->space != 0)
		forget(mm);
	mutex_unlock(&mm->lock);
	if (home == mm->space)
		space_move(0);
	if (mm->space != 0)
		space_destroy(mm->space);
	else
		forget(mm);
	for (uint32_t i = 0; i < mm->areas.n; i++) {
		if (mm->areas.v[i].inode != NULL)
			inode_put(mm->areas.v[i].inode);
	}
	mem_free(mm->areas.v, mm->areas.cap * sizeof(*mm->areas.v));
	mem_free(mm, sizeof(*mm));
}

bool mm_lock(struct mm *mm)
{
	if (mm->lock.holder == uthread_self())
		return false;
	mutex_lock(&mm->lock);
	return true;
}

void mm_count(struct mm *mm, int64_t pages, int64_t file_pages)
{
	mm->resident += pages;
	mm->file_resident += file_pages;
	if (mm->resident > mm->peak)
		mm->peak = mm->resident;
}

uint32_t mm_page_flags(uint32_t area_flags)
{
	if ((area_flags & (MM_READ | MM_WRITE | MM_EXEC)) == 0)
		return GW_MAP_NONE;
	if ((area_flags & MM_WRITE) != 0)
		return GW_MAP_W; /* W^X: an exec fault turns a page of a writable area around
				    (fault.c) */
	return (area_flags & MM_EXEC) != 0 ? GW_MAP_X : 0;
}

bool mm_overcommits(uint64_t len)
{
	if (likely(len / GW_PAGE_SIZE <= mem_total_pages()))
		return false;
	atomic_fetch_add_explicit(&linux_stats.refused, 1, memory_order_relaxed);
	return true;
}

static void drop_page(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct mm *mm = arg;
	uint64_t n = (flags & GW_MAP_LARGE) != 0 ? LARGE_PAGE / GW_PAGE_SIZE : 1;
	const struct page *p = page_of(pa);

	(void)va;
	mm_count(mm, -(int64_t)n, p != NULL && p->refs > 1 ? -(int64_t)n : 0);
	for (uint64_t i = 0; i < n; i++)
		page_put(pa + i * GW_PAGE_SIZE);
}

void mm_drop_pages(struct mm *mm, uint64_t va, uint64_t len)
{
	uint32_t before = space_enter(mm->space);

	space_unmap(va, len, drop_page, mm);
	space_enter(before);
}

int mm_unmap_locked(struct mm *mm, uint64_t va, uint64_t len)
{
	uint64_t end = va + len;
	uint32_t i = areas_at(&mm->areas, va);

	if (i == mm->areas.n || mm->areas.v[i].start >= end)
		return 0;
	if (areas_reserve(&mm->areas) != 0)
		return -ENOMEM;
	for (; i < mm->areas.n && mm->areas.v[i].start < end; i++) {
		uint64_t lo = GW_MAX(va, mm->areas.v[i].start),
			 hi = GW_MIN(end, mm->areas.v[i].end);

		mm_drop_pages(mm, lo, hi - lo);
	}
	areas_remove(&mm->areas, va, end);
	return 0;
}

int mm_unmap(struct mm *mm, uint64_t va, uint64_t len)
{
	bool locked;
	int r;

	len = ROUND_UP(len, GW_PAGE_SIZE);
	if (va % GW_PAGE_SIZE != 0 || len == 0 || !program_range(va, len))
		return -EINVAL;
	locked = mm_lock(mm);
	r = mm_unmap_locked(mm, va, len);
	if (locked)
		mutex_unlock(&mm->lock);
	return r;
}

/* Where a mapping goes. Address, or -errno. */
static int64_t place(struct mm *mm, uint64_t hint, uint64_t len, uint32_t flags, uint64_t top)
{
	uint64_t at = 0, align = GW_PAGE_SIZE;

	if ((flags & (MM_FIXED | MM_NOREPLACE)) != 0) {
		if (hint % GW_PAGE_SIZE != 0)
			return -EINVAL;
		if (!program_range(hint, len))
			return -ENOMEM;
		if (hint < MMAP_LOW)
			return -EPERM;
		if ((flags & MM_NOREPLACE) != 0 && !areas_free(&mm->areas, hint, hint + len))
			return -EEXIST;
		return (int64_t)hint;
	}
	hint = ROUND_DOWN(hint, GW_PAGE_SIZE);
	if (hint >= MMAP_LOW && program_range(hint, len) && hint + len <= top &&
	    areas_free(&mm->areas, hint, hint + len))
		return (int64_t)hint;
	/* Large maps start where large pages can be used. */
	if (len >= 2 * LARGE_PAGE && (flags & (MM_STACK | AREA_NOHUGE)) == 0)
		at = areas_gap(&mm->areas, len, LARGE_PAGE, 0, MMAP_LOW, top);
	if (at == 0)
		at = areas_gap(&mm->areas, len, align, 0, MMAP_LOW, top);
	return at != 0 ? (int64_t)at : -ENOMEM;
}

static void populate(struct mm *mm, uint64_t va, uint64_t len, bool write)
{
	int sig, code;

	for (uint64_t at = va; at < va + len; at += GW_PAGE_SIZE) {
		if (mm_fault_locked(mm, at, write, false, false, true, &sig, &code) != 0)
			return;
	}
}

int64_t mm_map_locked(struct mm *mm, uint64_t hint, uint64_t len, uint32_t flags,
		      struct inode *inode, uint64_t offset, uint64_t top)
{
	int64_t at = place(mm, hint, len, flags, top);
	struct area a;
	int r;

	if (at < 0)
		return at;
	r = mm_unmap_locked(mm, (uint64_t)at, len);
	if (r == 0)
		r = areas_reserve(&mm->areas);
	if (r != 0)
		return r;
	a = (struct area){ .start = (uint64_t)at, .end = (uint64_t)at + len, .inode = inode };
	a.flags = flags & ~(MM_FIXED | MM_NOREPLACE | MM_POPULATE);
	if (inode != NULL) {
		a.offset = offset;
		inode_get(inode);
	}
	areas_insert(&mm->areas, a);
	if ((flags & MM_POPULATE) != 0 && (flags & (MM_READ | MM_WRITE)) != 0)
		populate(mm, (uint64_t)at, len, (flags & MM_WRITE) != 0);
	return at;
}

int64_t mm_map(struct mm *mm, uint64_t hint, uint64_t len, uint32_t flags, struct inode *inode,
	       uint64_t offset)
{
	bool locked;
	int64_t r;

	if (len == 0 || len > GW_PROGRAM_END || offset % GW_PAGE_SIZE != 0)
		return -EINVAL;
	len = ROUND_UP(len, GW_PAGE_SIZE);
	if (inode != NULL && offset + len < offset)
		return -EOVERFLOW;
	locked = mm_lock(mm);
	r = mm_map_locked(mm, hint, len, flags, inode, offset, mm->mmap_top);
	if (locked)
		mutex_unlock(&mm->lock);
	return r;
}

static int protect_locked(struct mm *mm, uint64_t va, uint64_t end, uint32_t prot)
{
	uint32_t i = areas_at(&mm->areas, va);

	if (!areas_full(&mm->areas, va, end))
		return -ENOMEM;
	for (uint32_t j = i; j < mm->areas.n && mm->areas.v[j].start < end; j++) {
		const struct area *a = &mm->areas.v[j];

		if ((a->flags & MM_SPECIAL) != 0 ||
		    ((prot & MM_WRITE) != 0 && (a->flags & AREA_DENY_WRITE) != 0))
			return -EACCES;
	}
	if (areas_reserve(&mm->areas) != 0)
		return -ENOMEM;
	for (; i < mm->areas.n && mm->areas.v[i].start < end; i++) {
		const struct area *a = &mm->areas.v[i];
		uint64_t lo = GW_MAX(va, a->start), hi = GW_MIN(end, a->end);
		uint32_t flags = mm_page_flags(prot);

		if ((a->flags & (MM_READ | MM_WRITE | MM_EXEC)) == prot)
			continue;
		/* A file's pages, or frames that a fork shares, become writable one by one: a write
		 * fault copies them, or tells the file. */
		if (a->inode != NULL || mm->forked)
			flags &= ~GW_MAP_W;
		if (space_protect(lo, hi - lo, flags) != 0)
			return -ENOMEM;
	}
	areas_change(&mm->areas, va, end, ~(MM_READ | MM_WRITE | MM_EXEC), prot);
	return 0;
}

int mm_protect(struct mm *mm, uint64_t va, uint64_t len, uint32_t prot)
{
	bool locked;
	int r;

	if (va % GW_PAGE_SIZE != 0 || (prot & ~(MM_READ | MM_WRITE | MM_EXEC)) != 0)
		return -EINVAL;
	len = ROUND_UP(len, GW_PAGE_SIZE);
	if (!program_range(va, len))
		return -ENOMEM;
	if (len == 0)
		return 0;
	locked = mm_lock(mm);
	r = protect_locked(mm, va, va + len, prot);
	if (locked)
		mutex_unlock(&mm->lock);
	return r;
}

static void truncate_one(struct mm *mm, const struct inode *inode, uint64_t size)
{
	bool locked = mm_lock(mm);

	for (uint32_t i = 0; i < mm->areas.n; i++) {
		const struct area *a = &mm->areas.v[i];
		uint64_t skip = size > a->offset ? size - a->offset : 0;

		if (a->inode == inode && skip < a->end - a->start)
			mm_drop_pages(mm, a->start + skip, a->end - a->start - skip);
	}
	if (locked)
		mutex_unlock(&mm->lock);
}

void mm_truncate(struct inode *inode, uint64_t size)
{
	for (uint32_t n = 0; n < GW_MAX_SPACES; n++) {
		struct mm *mm;

		spin_lock(&all.lock);
		mm = all.of_space[n];
		if (mm != NULL && !try_get(mm))
			mm = NULL;
		spin_unlock(&all.lock);
		if (mm == NULL)
			continue;
		truncate_one(mm, inode, ROUND_UP(size, GW_PAGE_SIZE));
		mm_put(mm);
	}
}

/* brk(2): the new end, or the old one when it cannot be had. */
int64_t mm_brk(struct mm *mm, uint64_t to)
{
	bool locked = mm_lock(mm);
	uint64_t have = ROUND_UP(mm->brk_end, GW_PAGE_SIZE), want = ROUND_UP(to, GW_PAGE_SIZE);

	if (to < mm->brk_start || !program_range(to, GW_PAGE_SIZE))
		goto out;
	if (want > have) {
		if (mm_overcommits(want - have) ||
		    !areas_free(&mm->areas, have, want + GW_PAGE_SIZE) ||
		    mm_map_locked(mm, have, want - have, MM_READ | MM_WRITE | MM_FIXED | AREA_HEAP,
				  NULL, 0, mm->mmap_top) < 0)
			goto out;
	} else if (want < have && mm_unmap_locked(mm, want, have - want) != 0) {
		goto out;
	}
	mm->brk_end = to;
out:
	to = mm->brk_end;
	if (locked)
		mutex_unlock(&mm->lock);
	return (int64_t)to;
}
