/* SPDX-License-Identifier: Apache-2.0 */
/* symbols.h - names of kernel functions, for the backtrace of a fault report. */
#ifndef GODWIT_X86_64_SYMBOLS_H
#define GODWIT_X86_64_SYMBOLS_H

#include "kernel/core/lib.h"

/* symbol_find - the function that contains the link-time address, and the offset in it; NULL: none.
 */
const char *symbol_find(uint64_t link_va, uint64_t *offset);

#endif
