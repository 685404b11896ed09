/* SPDX-License-Identifier: Apache-2.0 */
/* mm.h - a process's address space: areas (VMAs), demand paging, and the pages of files it maps.
 * The kernel's page tables are the only record of which page is where (space_query, space_unmap
 * report them); areas say what should be there. */
#ifndef GODWIT_LINUX_MM_H
#define GODWIT_LINUX_MM_H

#include "linux/linux.h"

struct mm;
/* An empty one in an address space of its own, with one reference. NULL: no space is left, or
 * memory is out. */
struct mm *mm_create(void) MUST_CHECK;
/* A copy that shares the frames of private memory until one side writes. The caller runs in mm. 0,
 * -ENOMEM. */
int mm_fork(struct mm *mm, struct mm **out) MUST_CHECK;
struct mm *mm_get(struct mm *mm);
/* The last reference unmaps everything. A program's uthread, not at home in it any more unless it
 * is the last. May park. */
void mm_put(struct mm *mm);
/* What the vcore's current address space belongs to. */
struct mm *mm_current(void);
/* The calling uthread lives in mm from now on. */
void mm_enter(struct mm *mm);
/* Where the program's arguments and environment are in it, for /proc. */
struct mm_strings {
	uint64_t arg_start, arg_end, env_start, env_end;
};
struct mm_strings *mm_strings(struct mm *mm);

#define MM_READ 1u /* = PROT_READ */
#define MM_WRITE 2u
#define MM_EXEC 4u
#define MM_SHARED 8u
#define MM_STACK 16u	 /* grows down */
#define MM_FIXED 32u	 /* replace what is there */
#define MM_NOREPLACE 64u /* fail with -EEXIST instead */
#define MM_POPULATE 128u
#define MM_SPECIAL 256u /* runtime's own frames (vDSO): not freed, not changed */

/* Map len bytes at hint (exact if MM_FIXED). inode NULL: anonymous. Takes its own inode reference.
 * Returns the address or -errno. */
int64_t mm_map(struct mm *mm, uint64_t hint, uint64_t len, uint32_t flags, struct inode *inode,
	       uint64_t offset);
int mm_unmap(struct mm *mm, uint64_t va, uint64_t len) MUST_CHECK;
int mm_protect(struct mm *mm, uint64_t va, uint64_t len, uint32_t prot) MUST_CHECK;
/* Resolve a page fault. present: the processor found a page there, but one that forbids the access.
 * 0; -EFAULT with *sig and *code for the signal; -ENOMEM; -ENOSPC (no page tables left); -EAGAIN:
 * would have to park (nofault). */
int mm_fault(struct mm *mm, uint64_t va, bool write, bool exec, bool present, bool may_park,
	     int *sig, int *code);
/* A file was cut at `size`: unmap its pages beyond everywhere (they raise SIGBUS from now on). May
 * park. */
void mm_truncate(struct inode *inode, uint64_t size);
/* What a futex at va is: *object and *offset are the same for all who reach the same word. */
void mm_futex_key(struct mm *mm, uint64_t va, const void **object, uint64_t *offset);
/* Text for /proc/self/maps and numbers for statm: written through emit. */
struct mm_usage {
	uint64_t mapped_bytes, resident_bytes, file_bytes, text_bytes, data_bytes, stack_bytes,
		peak_bytes;
};
void mm_usage(struct mm *mm, struct mm_usage *out);
void mm_maps_text(struct mm *mm, void (*emit)(void *arg, const char *text, size_t n), void *arg);

/* "libc.so.6+0x1234", "[stack]", "anonymous memory" or "not mapped": for reports. */
void mm_describe(struct mm *mm, uint64_t va, char *to, size_t size);
/* Is va in the guard below the stack? */
bool mm_below_stack(struct mm *mm, uint64_t va);

/* Where the vDSO's code is, for mm_maps_text. */
void mm_set_vdso(struct mm *mm, uint64_t va);

#endif
