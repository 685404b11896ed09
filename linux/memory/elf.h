/* SPDX-License-Identifier: Apache-2.0 */
/* elf.h - between the parts of the program loader: the initial stack and the vDSO. */
#ifndef GODWIT_LINUX_ELF_H
#define GODWIT_LINUX_ELF_H

#include "linux/memory/mm.h"

struct elf_stack {
	const char *const
		*prefix; /* replaces argv[0] (a script's interpreter, its argument, the script) */
	uint32_t n_prefix;
	const char *const *argv, *const *envp;
	const char *execfn;
	uint64_t phdr, phnum, base, entry, vdso;
	uint64_t sp; /* out */
};

/* Map the stack and write what a program finds there (x86-64 psABI 3.4.1). False: no room. */
bool elf_stack_make(struct mm *mm, struct elf_stack *st);
/* Map the vDSO: the address of its ELF header, or 0 without one. */
uint64_t vdso_map(struct mm *mm);
/* CLOCK_REALTIME was set: tell the vDSO. */
void vdso_update(void);

#endif
