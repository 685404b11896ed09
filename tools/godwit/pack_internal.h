/* SPDX-License-Identifier: Apache-2.0 */
/* pack_internal.h - what the two halves of packing a program share: finding it (program.c), and
 * what an ELF file needs (program_libs.c). */
#ifndef GODWIT_TOOLS_PACK_INTERNAL_H
#define GODWIT_TOOLS_PACK_INTERNAL_H

#include "tools/godwit/elf.h"
#include "tools/godwit/pack.h"

/* A regular file that may be executed? 0, or -1 (fail) with what it is instead. */
int pack_check_file(const char *path);

/* pack_elf - add the program `path`, which elf_inspect found to be `info`, its loader and its
 * libraries. Returns 0, or -1 (fail): one of them is missing or damaged. */
int pack_elf(struct pack *p, const char *path, const struct elf_info *info);

#endif
