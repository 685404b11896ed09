/* SPDX-License-Identifier: Apache-2.0 */
/* locate.h - where the files that belong to the command are. */
#ifndef GODWIT_TOOLS_LOCATE_H
#define GODWIT_TOOLS_LOCATE_H

#include <stddef.h>
#include <stdint.h>

/* locate_file - path of `name` (kernel.elf, linux.elf): in $GODWIT_LIB if that is set; else beside
 * this command, else in ../lib/godwit of it. NULL (fail) when it is not there. */
char *locate_file(const char *name);

/* read_file - the whole file in memory; NULL (fail). */
uint8_t *read_file(const char *path, size_t *len);

#endif
