/* SPDX-License-Identifier: Apache-2.0 */
/* elf.h - look at a program file before it is packed: is it something the machine can run? */
#ifndef GODWIT_TOOLS_ELF_H
#define GODWIT_TOOLS_ELF_H

#include <limits.h>
#include <stdbool.h>

enum elf_kind { ELF_STATIC, ELF_DYNAMIC, ELF_SCRIPT };

struct elf_info {
	enum elf_kind kind;
	bool library;	       /* a shared object without an entry or interpreter */
	bool needs;	       /* it names libraries (has a dynamic section) */
	char interp[PATH_MAX]; /* dynamic: its loader. Script: the interpreter as written */
	char interp_arg[256];  /* script: the optional argument, or "" */
};

/* elf_inspect - check the file at `path`. Returns 0, or -1 (fail) with what is wrong: unreadable,
 * empty, neither ELF nor script, another machine's, truncated, segments overlapping or out of
 * range. elf_inspect_fd is the same for an open file. */
int elf_inspect(const char *path, struct elf_info *info);
int elf_inspect_fd(int fd, const char *name, struct elf_info *info);

#endif
