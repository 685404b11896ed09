/* SPDX-License-Identifier: Apache-2.0 */
/* mm_internal.h - what the files of memory/ share. Everything named _locked wants mm->lock held. */
#ifndef GODWIT_LINUX_MM_INTERNAL_H
#define GODWIT_LINUX_MM_INTERNAL_H

#include "linux/files/vfs.h"
#include "linux/memory/areas.h"
#include "linux/memory/mm.h"
#include "runtime/platform/platform.h"

#define TOUCHED_WORDS 128u
#define CHUNK_SHIFT 16u /* a fault looks at one chunk of 16 pages */

struct mm {
	_Atomic uint32_t refs;
	uint32_t space; /* its address space's number */
	struct mm_strings strings;
	bool forked; /* frames of private memory may be shared with another mm */
	struct mutex lock;
	struct areas areas;
	uint64_t mmap_top;	     /* unplaced mappings lie below */
	uint64_t brk_start, brk_end; /* end: as the program set it, any byte */
	uint64_t stack_lo, stack_hi;
	uint64_t vdso;			       /* address of the vDSO's ELF header */
	uint64_t touched[TOUCHED_WORDS];       /* see mm_touch */
	uint64_t fault_va;		       /* page that a fault is working on; 0: none */
	int64_t resident, file_resident, peak; /* pages */
};

#define MMAP_LOW 0x10000ull /* lowest address of a mapping */
#define STACK_BYTES (8ull << 20)
#define LARGE_PAGE (2ull << 20)

/* With an address space and nothing else. */
struct mm *mm_alloc(void) MUST_CHECK;
/* Take the lock unless the calling uthread has it (reclaim runs inside faults). Returns whether to
 * unlock. */
bool mm_lock(struct mm *mm);
int64_t mm_map_locked(struct mm *mm, uint64_t hint, uint64_t len, uint32_t flags,
		      struct inode *inode, uint64_t offset, uint64_t top);
int mm_unmap_locked(struct mm *mm, uint64_t va, uint64_t len) MUST_CHECK;
/* The next mm from number *cursor on with its lock held (or held by the caller anyway: *mine);
 * NULL: no more. *busy: one was passed over because another uthread has its lock. For reclaim: does
 * not park. */
struct mm *mm_each(uint32_t *cursor, bool *mine, bool *busy);
/* Drop the frames of [va, va + len), keeping the areas. Any current space. */
void mm_drop_pages(struct mm *mm, uint64_t va, uint64_t len);
int mm_fault_locked(struct mm *mm, uint64_t va, bool write, bool exec, bool present, bool may_park,
		    int *sig, int *code);
/* Note that frames were mapped in [va, va + len). A chunk that was never noted (by hash) has none,
 * which saves asking the kernel; the notes are never taken back. */
void mm_touch(struct mm *mm, uint64_t va, uint64_t len);
/* Page flags of an area (GW_MAP_*) for frames that belong to the mapping alone. */
uint32_t mm_page_flags(uint32_t area_flags);
/* Is a private writable mapping of len bytes beyond what the machine could ever hold? */
bool mm_overcommits(uint64_t len);
int64_t mm_brk(struct mm *mm, uint64_t to);
int64_t mm_remap(struct mm *mm, uint64_t old, uint64_t old_len, uint64_t new_len, uint64_t flags,
		 uint64_t target);
void mm_count(struct mm *mm, int64_t pages, int64_t file_pages);
/* The page cache's question: unmap this page everywhere unless it was used lately. */
bool mm_unmap_file_page(struct inode *i, uint64_t index, uint64_t pa);

#endif
