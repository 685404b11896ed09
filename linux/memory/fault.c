/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - demand paging: what a page fault maps. A fault costs an upcall, so several pages are
 * mapped at once where memory is plentiful. Frames are all taken before the vcore's batch is
 * filled: taking one may reclaim, and that uses the batch. */
#include "linux/memory/fault_internal.h"

#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define BUS_ADRERR 2
#define SIGBUS 7
#define SIGSEGV 11

static uint32_t touched_bit(uint64_t chunk)
{
	return (uint32_t)(chunk * 0x9e3779b97f4a7c15ull >> 51); /* 13 bits */
}
_Static_assert(TOUCHED_WORDS * 64 == 1u << 13, "bits of mm.touched");

void mm_touch(struct mm *mm, uint64_t va, uint64_t len)
{
	for (uint64_t c = va >> CHUNK_SHIFT; c <= (va + len - 1) >> CHUNK_SHIFT; c++) {
		uint32_t bit = touched_bit(c);

		mm->touched[bit / 64] |= 1ull << bit % 64;
	}
}

static bool may_have_pages(const struct mm *mm, uint64_t va)
{
	uint32_t bit = touched_bit(va >> CHUNK_SHIFT);

	return (mm->touched[bit / 64] >> bit % 64 & 1) != 0;
}

static void note_page(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct window *w = arg;

	if ((flags & GW_MAP_LARGE) != 0) {
		w->present = ~0u;
		w->fault_pa = pa + (w->fault_va - va);
		w->fault_flags = flags;
		return;
	}
	w->present |= 1u << ((va - w->lo) / GW_PAGE_SIZE);
	if (va == w->fault_va) {
		w->fault_pa = pa;
		w->fault_flags = flags;
	}
}

int fault_map_frames(uint64_t lo, const uint64_t *pas, uint32_t n, uint32_t flags)
{
	struct space_batch b;
	int r = 0;

	space_batch_init(&b);
	for (uint32_t i = 0; i < n && r == 0;) {
		uint32_t run = 1;

		if (pas[i] == 0) {
			i++;
			continue;
		}
		while (i + run < n && pas[i + run] == pas[i] + run * GW_PAGE_SIZE)
			run++;
		r = space_batch_map(&b, lo + i * GW_PAGE_SIZE, pas[i], run * GW_PAGE_SIZE, flags);
		i += run;
	}
	return r != 0 ? r : space_batch_commit(&b);
}

void fault_put_frames(const uint64_t *pas, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		if (pas[i] != 0)
			page_put(pas[i]);
	}
}

static uint32_t pages_around(void)
{
	uint64_t free_pages = mem_free_pages(), total = mem_total_pages();

	return free_pages * 4 > total ? AROUND : free_pages * 16 > total ? 4 : 1;
}

static void note_any(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	(void)va, (void)pa, (void)flags;
	*(bool *)arg = true;
}

static bool range_used(const struct mm *mm, uint64_t lo)
{
	bool used = false;

	for (uint64_t va = lo; va < lo + LARGE_PAGE; va += 1ull << CHUNK_SHIFT) {
		if (may_have_pages(mm, va)) {
			space_query(lo, LARGE_PAGE, note_any, &used);
			break;
		}
	}
	return used;
}

/* A 2 MiB page, if the area holds the whole of it, nothing is mapped there yet, and memory is
 * plentiful. */
static bool map_large(struct mm *mm, const struct area *a, uint64_t va)
{
	uint64_t lo = ROUND_DOWN(va, LARGE_PAGE), pa;

	if (a->end - a->start < ((a->flags & AREA_HUGE) != 0 ? 1 : 2) * LARGE_PAGE ||
	    lo < a->start || lo + LARGE_PAGE > a->end || (a->flags & (AREA_NOHUGE | MM_STACK)) != 0)
		return false;
	if (mem_free_pages() * 2 < mem_total_pages() + LARGE_PAGE / GW_PAGE_SIZE * 2 ||
	    range_used(mm, lo))
		return false;
	pa = pages_alloc_zero(LARGE_PAGE / GW_PAGE_SIZE, LARGE_PAGE / GW_PAGE_SIZE);
	if (pa == 0)
		return false;
	if (space_map(lo, pa, LARGE_PAGE, mm_page_flags(a->flags) | GW_MAP_LARGE) != 0) {
		pages_free(pa, LARGE_PAGE / GW_PAGE_SIZE);
		return false;
	}
	mm_touch(mm, lo, LARGE_PAGE);
	mm_count(mm, LARGE_PAGE / GW_PAGE_SIZE, 0);
	return true;
}

static int fault_anonymous(struct mm *mm, const struct area *a, const struct window *w, uint32_t n,
			   uint32_t flags)
{
	uint64_t pas[AROUND] = { 0 };
	uint32_t at = (uint32_t)((w->fault_va - w->lo) / GW_PAGE_SIZE), mapped = 1;
	int r;

	if (w->present == 0) {
		if (map_large(mm, a, w->fault_va))
			return 0;
		/* The usual case: neighbouring frames, one entry. */
		pas[0] = n > 1 ? pages_alloc_zero(n, 1) : 0;
		if (pas[0] != 0) {
			r = space_map(w->lo, pas[0], n * GW_PAGE_SIZE, flags);
			if (r != 0)
				pages_free(pas[0], n);
			else
				mm_count(mm, n, 0);
			return r;
		}
	}
	pas[at] = page_alloc_zero();
	if (pas[at] == 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		if (i == at || (w->present >> i & 1) != 0)
			continue;
		pas[i] = page_alloc_zero();
		if (pas[i] == 0)
			break;
		mapped++;
	}
	r = fault_map_frames(w->lo, pas, n, flags);
	if (r != 0)
		fault_put_frames(pas, n);
	else
		mm_count(mm, mapped, 0);
	return r;
}

/* ---- frames that a fork shared and that only this process holds any more ---- */

struct owned {
	const struct window *w;
	uint32_t pages; /* bit n: page w->lo + n is read-only, and its frame nobody else's */
};

static void note_owned(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct owned *o = arg;
	const struct page *p = page_of(pa);

	if ((flags & (GW_MAP_LARGE | GW_MAP_W | GW_MAP_X | GW_MAP_NONE)) == 0 && p != NULL &&
	    p->refs == 1)
		o->pages |= 1u << ((va - o->w->lo) / GW_PAGE_SIZE);
}

/* The faulting page becomes writable, and with it its neighbours in the window that may. */
static int own_pages(const struct area *a, const struct window *w, uint32_t flags)
{
	uint32_t at = (uint32_t)((w->fault_va - w->lo) / GW_PAGE_SIZE), lo = at, hi = at + 1;
	struct owned o = { .w = w };

	if (a->inode == NULL && w->n > 1) {
		space_query(w->lo, w->n * GW_PAGE_SIZE, note_owned, &o);
		while (lo > 0 && (o.pages >> (lo - 1) & 1) != 0)
			lo--;
		while (hi < w->n && (o.pages >> hi & 1) != 0)
			hi++;
	}
	return space_protect(w->lo + lo * GW_PAGE_SIZE, (hi - lo) * GW_PAGE_SIZE, flags);
}

/* A large page stays one if all its frames are free to be written. */
static int own_large(uint64_t va, uint64_t pa, uint32_t flags)
{
	uint64_t first = ROUND_DOWN(pa, LARGE_PAGE);

	for (uint64_t at = first; at < first + LARGE_PAGE; at += GW_PAGE_SIZE) {
		if (page_of(at)->refs != 1)
			return space_protect(va, GW_PAGE_SIZE, flags);
	}
	return space_protect(ROUND_DOWN(va, LARGE_PAGE), LARGE_PAGE, flags);
}

/* The page is there: another thread was faster, or it must become writable or executable. */
static int fault_present(struct mm *mm, const struct area *a, const struct window *w, bool write,
			 bool exec, bool may_park, uint32_t flags)
{
	uint64_t va = w->fault_va, pa;
	bool alone = (a->flags & MM_SHARED) == 0 && page_of(w->fault_pa) != NULL &&
		     page_of(w->fault_pa)->refs == 1;
	int r;

	if (!write && (!exec || (w->fault_flags & GW_MAP_X) != 0) &&
	    (w->fault_flags & GW_MAP_NONE) == 0)
		return 0;
	if (write && (w->fault_flags & GW_MAP_W) != 0)
		return 0;
	if (!write)
		return space_protect(va, GW_PAGE_SIZE,
				     alone && a->inode == NULL ? flags : flags & ~GW_MAP_W);
	if (alone)
		return (w->fault_flags & GW_MAP_LARGE) != 0 ? own_large(va, w->fault_pa, flags)
							    : own_pages(a, w, flags);
	if ((a->flags & MM_SHARED) == 0) {
		page_get(w->fault_pa);
		return fault_copy(mm, va, w->fault_pa, true, flags);
	}
	r = inode_page(a->inode, (a->offset + (va - a->start)) / GW_PAGE_SIZE, true, may_park, &pa);
	if (r != 0)
		return r;
	r = space_map(va, pa, GW_PAGE_SIZE, flags);
	page_put(r == 0 ? w->fault_pa : pa);
	return r;
}

/* The stretch of va's chunk worth looking at, and how many pages it has. */
static uint32_t window_of(const struct area *a, uint64_t va, bool write, struct window *w)
{
	uint64_t bytes = (a->inode != NULL ? AROUND : pages_around()) * GW_PAGE_SIZE, hi;

	if (a->inode != NULL && write) {
		if ((a->flags & MM_SHARED) != 0 || pages_around() < AROUND)
			return 1;
		hi = GW_MIN(a->end, ROUND_DOWN(va, bytes) + bytes);
		return (uint32_t)GW_MIN((hi - va) / GW_PAGE_SIZE, COPY_AROUND);
	}
	hi = GW_MIN(a->end, ROUND_DOWN(va, bytes) + bytes);
	w->lo = GW_MAX(a->start, ROUND_DOWN(va, bytes));
	return (uint32_t)((hi - w->lo) / GW_PAGE_SIZE);
}
_Static_assert(AROUND *GW_PAGE_SIZE == 1u << CHUNK_SHIFT, "a window lies in one chunk");

int mm_fault_locked(struct mm *mm, uint64_t va, bool write, bool exec, bool present, bool may_park,
		    int *sig, int *code)
{
	const struct area *a = areas_find(&mm->areas, va);
	struct window w;
	uint32_t flags, n;
	int r;

	*sig = SIGSEGV;
	*code = SEGV_MAPERR;
	if (a == NULL)
		return -EFAULT;
	*code = SEGV_ACCERR;
	if ((a->flags & (MM_READ | MM_WRITE | MM_EXEC)) == 0 ||
	    (write && (a->flags & MM_WRITE) == 0) || (exec && (a->flags & MM_EXEC) == 0) ||
	    (a->flags & MM_SPECIAL) != 0)
		return -EFAULT;
	va = ROUND_DOWN(va, GW_PAGE_SIZE);
	flags = exec ? GW_MAP_X : mm_page_flags(a->flags);
	w = (struct window){ .lo = va, .fault_va = va };
	n = present && !mm->forked ? 1 : window_of(a, va, write, &w);
	if (may_have_pages(mm, va))
		space_query(w.lo, n * GW_PAGE_SIZE, note_page, &w);
	else
		mm_touch(mm, va, 1);
	w.n = n;
	mm->fault_va = va; /* reclaim on the way must leave this page alone */
	if (w.fault_pa != 0)
		r = fault_present(mm, a, &w, write, exec, may_park, flags);
	else if (a->inode == NULL)
		r = fault_anonymous(mm, a, &w, n, flags);
	else if (write)
		r = fault_file_write(mm, a, &w, n, may_park, flags);
	else
		r = fault_file_read(mm, a, &w, n, may_park, flags);
	mm->fault_va = 0;
	if (r == -ENOMEM && mem_free_pages() > AROUND)
		r = -ENOSPC; /* frames there are: the kernel's page tables for us are used up */
	if (r == -ENXIO || r == -EIO) {
		*sig = SIGBUS;
		*code = BUS_ADRERR;
		r = -EFAULT;
	}
	return r;
}

int mm_fault(struct mm *mm, uint64_t va, bool write, bool exec, bool present, bool may_park,
	     int *sig, int *code)
{
	int r;

	if (mm->lock.holder == uthread_self())
		return -EAGAIN;
	if (may_park)
		mutex_lock(&mm->lock);
	else if (!mutex_trylock(&mm->lock))
		return -EAGAIN;
	r = mm_fault_locked(mm, va, write, exec, present, may_park, sig, code);
	mutex_unlock(&mm->lock);
	return r;
}
