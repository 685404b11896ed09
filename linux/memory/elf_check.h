/* SPDX-License-Identifier: Apache-2.0 */
/* elf_check.h - what an ELF file says, checked field by field before anything is mapped. Pure:
 * bytes in, a plan or a reason out. The file is not trusted. */
#ifndef GODWIT_LINUX_ELF_CHECK_H
#define GODWIT_LINUX_ELF_CHECK_H

#include "runtime/base/base.h"

#define ELF_SEGMENTS 16u
#define ELF_PHDRS 64u
#define ELF_EHDR_BYTES 64u
#define ELF_PHDR_BYTES 56u

struct elf_segment {
	uint64_t va, file_len, mem_len, offset; /* as in the file */
	uint32_t prot;				/* MM_READ, MM_WRITE, MM_EXEC */
};

struct elf_plan {
	bool pie; /* ET_DYN */
	uint64_t entry;
	uint64_t phoff;
	uint16_t phnum;
	uint64_t
		phdr_va; /* where the program headers are in memory (before the bias); 0: nowhere */
	uint64_t lo, hi; /* page-rounded span of all segments */
	uint64_t align;	 /* largest p_align, >= 4096 */
	uint64_t interp_offset, interp_len; /* len 0: none; includes the NUL */
	bool exec_stack;
	uint32_t n;
	struct elf_segment segment[ELF_SEGMENTS];
};

/* The file header: 0 and the program headers' place in the plan, or -ENOEXEC with a reason that
 * completes "FILE: ...". len: bytes at head (of a file of size bytes). */
int elf_check_header(struct elf_plan *plan, const void *head, size_t len, uint64_t size,
		     const char **why) MUST_CHECK;
/* The program headers (plan->phnum of them). max_va: end of the addresses that may be used. 0 or
 * -ENOEXEC. */
int elf_check_segments(struct elf_plan *plan, const void *phdrs, uint64_t size, uint64_t max_va,
		       const char **why) MUST_CHECK;

#endif
