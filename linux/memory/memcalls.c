/* SPDX-License-Identifier: Apache-2.0 */
/* memcalls.c - the memory family of system calls. */
#include "linux/memory/mm_internal.h"

#define MAP_SHARED 0x01u
#define MAP_PRIVATE 0x02u
#define MAP_SHARED_VALIDATE 0x03u
#define MAP_TYPE 0x0fu
#define MAP_FIXED 0x10u
#define MAP_ANONYMOUS 0x20u
#define MAP_32BIT 0x40u
#define MAP_LOCKED 0x2000u
#define MAP_NORESERVE 0x4000u
#define MAP_POPULATE 0x8000u
#define MAP_STACK 0x20000u
#define MAP_HUGETLB 0x40000u
#define MAP_FIXED_NOREPLACE 0x100000u
#define S_IFMT 0170000u
#define S_IFREG 0100000u
#define O_ACCMODE 3u
#define O_WRONLY 1u
#define O_RDWR 2u

SYSCALL_FN(mmap);
SYSCALL_FN(munmap);
SYSCALL_FN(mprotect);
SYSCALL_FN(mremap);
SYSCALL_FN(brk);
SYSCALL_FN(madvise);
SYSCALL_FN(mincore);
SYSCALL_FN(msync);
SYSCALL_FN(mlock);
SYSCALL_FN(munlock);
SYSCALL_FN(mlock2);
SYSCALL_FN(mlockall);
SYSCALL_FN(munlockall);
SYSCALL_FN(membarrier);

/* The inode behind a mapping's descriptor; *fp keeps it alive. */
static long mapped_inode(uint64_t fd, bool shared, uint64_t prot, struct file **fp, uint32_t *flags)
{
	struct file *f = fd_file((int)fd);
	uint32_t mode;
	long r = 0;

	if (f == NULL)
		return -EBADF;
	mode = f->flags & O_ACCMODE;
	if (f->inode == NULL || (inode_mode(f->inode) & S_IFMT) != S_IFREG)
		r = -ENODEV;
	else if (mode == O_WRONLY || (shared && (prot & MM_WRITE) != 0 && mode != O_RDWR))
		r = -EACCES;
	if (r != 0) {
		file_put(f);
		return r;
	}
	if (shared && mode != O_RDWR)
		*flags |= AREA_DENY_WRITE;
	*fp = f;
	return 0;
}

SYSCALL_FN(mmap)
{
	uint64_t va = r->rdi, len = r->rsi, prot = r->rdx, mf = r->r10, offset = r->r9, top;
	uint32_t flags = (uint32_t)prot & (MM_READ | MM_WRITE | MM_EXEC);
	bool shared = (mf & MAP_TYPE) == MAP_SHARED || (mf & MAP_TYPE) == MAP_SHARED_VALIDATE;
	struct mm *mm = t->process->mm;
	struct inode *backing = NULL; /* of shared anonymous memory: what a forked child shares */
	struct file *f = NULL;
	long result;

	if ((!shared && (mf & MAP_TYPE) != MAP_PRIVATE) || len == 0 || offset % GW_PAGE_SIZE != 0 ||
	    (mf & MAP_HUGETLB) != 0)
		return -EINVAL;
	if (len > GW_PROGRAM_END)
		return -ENOMEM;
	len = ROUND_UP(len, GW_PAGE_SIZE);
	if (offset + len < offset)
		return -EOVERFLOW;
	flags |= shared ? MM_SHARED : 0;
	flags |= (mf & MAP_FIXED) != 0 ? MM_FIXED : 0;
	flags |= (mf & MAP_FIXED_NOREPLACE) != 0 ? MM_NOREPLACE : 0;
	flags |= (mf & (MAP_POPULATE | MAP_LOCKED)) != 0 ? MM_POPULATE : 0;
	flags |= (mf & MAP_STACK) != 0 ? AREA_NOHUGE : 0;
	if ((mf & MAP_NORESERVE) == 0 && ((prot & MM_WRITE) != 0 || shared) &&
	    mm_overcommits(len) && (mf & MAP_ANONYMOUS) != 0)
		return -ENOMEM;
	if ((mf & MAP_ANONYMOUS) != 0)
		offset = 0;
	if ((mf & MAP_ANONYMOUS) == 0) {
		result = mapped_inode(r->r8, shared, prot, &f, &flags);
		if (result != 0)
			return result;
	}
	if (shared && (mf & MAP_ANONYMOUS) != 0) {
		backing = vfs_anonymous(len);
		if (backing == NULL)
			return -ENOMEM;
	}
	top = (mf & (MAP_32BIT | MAP_FIXED)) == MAP_32BIT ? 1ull << 31 : mm->mmap_top;
	mutex_lock(&mm->lock);
	result = mm_map_locked(mm, va, len, flags, f != NULL ? f->inode : backing, offset, top);
	mutex_unlock(&mm->lock);
	if (f != NULL)
		file_put(f);
	if (backing != NULL)
		inode_put(backing);
	return result;
}

SYSCALL_FN(munmap)
{
	return mm_unmap(t->process->mm, r->rdi, r->rsi);
}

SYSCALL_FN(mprotect)
{
	uint64_t prot =
		r->rdx & ~0x03000000ull; /* PROT_GROWSDOWN, PROT_GROWSUP: whole areas here */

	if (prot > 7)
		return -EINVAL;
	return mm_protect(t->process->mm, r->rdi, r->rsi, (uint32_t)prot);
}

SYSCALL_FN(mremap)
{
	return mm_remap(t->process->mm, r->rdi, r->rsi, r->rdx, r->r10, r->r8);
}

SYSCALL_FN(brk)
{
	return mm_brk(t->process->mm, r->rdi);
}

/* Check a range argument; *end is exclusive. */
static long page_range(uint64_t va, uint64_t len, uint64_t *end)
{
	len = ROUND_UP(len, GW_PAGE_SIZE);
	if (va % GW_PAGE_SIZE != 0 || va + len < va)
		return -EINVAL;
	if (!program_range(va, len))
		return -ENOMEM;
	*end = va + len;
	return 0;
}

static void advise_locked(struct mm *mm, uint64_t va, uint64_t end, uint64_t advice)
{
	switch (advice) {
	case 4: /* MADV_DONTNEED */
	case 9: /* MADV_REMOVE */
		mm_drop_pages(mm, va, end - va);
		break;
	case 8: /* MADV_FREE: now if memory is getting short, otherwise never */
		if (mem_free_pages() * 2 < mem_total_pages())
			mm_drop_pages(mm, va, end - va);
		break;
	case 14: /* MADV_HUGEPAGE */
		areas_change(&mm->areas, va, end, ~AREA_NOHUGE, AREA_HUGE);
		break;
	case 15: /* MADV_NOHUGEPAGE */
		areas_change(&mm->areas, va, end, ~AREA_HUGE, AREA_NOHUGE);
		break;
	default: /* read-ahead and accounting hints change nothing here */
		break;
	}
}

SYSCALL_FN(madvise)
{
	struct mm *mm = t->process->mm;
	uint64_t advice = r->rdx, end;
	long result = page_range(r->rdi, r->rsi, &end);
	const struct area *a;

	if (result != 0)
		return result;
	/* 0-4, 8-25 as Linux has them; poisoning pages (100, 101) is not for programs. */
	if (advice > 25 || (advice > 4 && advice < 8))
		return -EINVAL;
	if (end == r->rdi)
		return 0;
	mutex_lock(&mm->lock);
	a = areas_find(&mm->areas, r->rdi);
	if (areas_reserve(&mm->areas) != 0 || !areas_full(&mm->areas, r->rdi, end))
		result = -ENOMEM;
	else if ((advice == 4 || advice == 8) && (a->flags & MM_SPECIAL) != 0)
		result = -EINVAL;
	else if (advice == 8 && a->inode != NULL)
		result = -EINVAL;
	else
		advise_locked(mm, r->rdi, end, advice);
	mutex_unlock(&mm->lock);
	return result;
}

struct residence {
	uint64_t va;
	uint8_t in[256];
};

static void note_resident(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	struct residence *m = arg;
	uint64_t n = (flags & GW_MAP_LARGE) != 0 ? LARGE_PAGE / GW_PAGE_SIZE : 1;

	(void)pa;
	for (uint64_t i = 0; i < n; i++, va += GW_PAGE_SIZE) {
		if (va >= m->va && (va - m->va) / GW_PAGE_SIZE < sizeof(m->in))
			m->in[(va - m->va) / GW_PAGE_SIZE] = 1;
	}
}

SYSCALL_FN(mincore)
{
	struct mm *mm = t->process->mm;
	uint64_t end, vec = r->rdx;
	long result = page_range(r->rdi, r->rsi, &end);
	struct residence m;

	if (result != 0)
		return result;
	for (uint64_t va = r->rdi; va < end; va += sizeof(m.in) * GW_PAGE_SIZE) {
		uint64_t len = GW_MIN(end - va, sizeof(m.in) * GW_PAGE_SIZE);

		memset(&m, 0, sizeof(m));
		m.va = va;
		mutex_lock(&mm->lock);
		result = areas_full(&mm->areas, va, va + len) ? 0 : -ENOMEM;
		if (result == 0)
			space_query(va, len, note_resident, &m);
		mutex_unlock(&mm->lock);
		if (result == 0)
			result = copy_to_program(vec, m.in, len / GW_PAGE_SIZE);
		if (result != 0)
			return result;
		vec += len / GW_PAGE_SIZE;
	}
	return 0;
}

static long all_mapped(struct thread *t, uint64_t va, uint64_t len)
{
	struct mm *mm = t->process->mm;
	uint64_t end;
	long result;

	len += va % GW_PAGE_SIZE;
	va = ROUND_DOWN(va, GW_PAGE_SIZE);
	result = page_range(va, len, &end);
	if (result != 0 || end == va)
		return result;
	mutex_lock(&mm->lock);
	if (!areas_full(&mm->areas, va, end))
		result = -ENOMEM;
	mutex_unlock(&mm->lock);
	return result;
}

SYSCALL_FN(msync)
{
	/* MS_ASYNC | MS_SYNC | MS_INVALIDATE; shared pages are the file's pages, so there is
	 * nothing to write. */
	if ((r->rdx & ~7ull) != 0 || (r->rdx & 5) == 5 || r->rdi % GW_PAGE_SIZE != 0)
		return -EINVAL;
	return all_mapped(t, r->rdi, r->rsi);
}

/* Anonymous memory is never paged out: locking needs the range to be there, nothing else. */
SYSCALL_FN(mlock)
{
	return all_mapped(t, r->rdi, r->rsi);
}

SYSCALL_FN(mlock2)
{
	return (r->rdx & ~1ull) != 0 ? -EINVAL : all_mapped(t, r->rdi, r->rsi);
}

SYSCALL_FN(munlock)
{
	return all_mapped(t, r->rdi, r->rsi);
}

SYSCALL_FN(mlockall)
{
	(void)t;
	return r->rdi == 0 || (r->rdi & ~7ull) != 0 || r->rdi == 4 ? -EINVAL : 0;
}

SYSCALL_FN(munlockall)
{
	(void)t, (void)r;
	return 0;
}

static void barrier(void *arg)
{
	(void)arg;
	atomic_thread_fence(memory_order_seq_cst);
}

SYSCALL_FN(membarrier)
{
	/* QUERY; GLOBAL, GLOBAL_EXPEDITED, REGISTER_GLOBAL.., PRIVATE_EXPEDITED,
	 * REGISTER_PRIVATE_EXPEDITED */
	const long supported = 1 | 2 | 4 | 8 | 16;

	(void)t;
	if (r->rsi != 0)
		return -EINVAL;
	if (r->rdi == 0)
		return supported;
	if ((r->rdi & (r->rdi - 1)) != 0 || ((long)r->rdi & supported) == 0)
		return -EINVAL;
	if (r->rdi == 4 || r->rdi == 16)
		return 0;
	/* Every shard passes through its loop: a barrier on each. */
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], barrier, NULL);
	return 0;
}
