/* SPDX-License-Identifier: Apache-2.0 */
/* space_call.h - the kernel calls that change a partition's mappings (abi/call.h). */
#ifndef GODWIT_KERNEL_SPACE_CALL_H
#define GODWIT_KERNEL_SPACE_CALL_H

#include "kernel/core/lib.h"

long call_space_map(uint64_t n, uint64_t b, uint64_t c, uint64_t d);
long call_space_protect(uint64_t n, uint64_t b, uint64_t c, uint64_t d);
long call_space_unmap(uint64_t va, uint64_t len, uint64_t c, uint64_t d);
long call_space_query(uint64_t va, uint64_t len, uint64_t c, uint64_t d);
long call_space_create(uint64_t a, uint64_t b, uint64_t d, uint64_t e);
long call_space_switch(uint64_t n, uint64_t b, uint64_t d, uint64_t e);
long call_space_destroy(uint64_t n, uint64_t b, uint64_t d, uint64_t e);

/* space_bits - leaf bits of a user mapping with GW_MAP_* flags. */
uint64_t space_bits(uint64_t flags);

#endif
