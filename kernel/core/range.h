/* SPDX-License-Identifier: Apache-2.0 */
/* range.h - sets of physical address ranges: free memory while the kernel deals it out at boot. */
#ifndef GODWIT_KERNEL_RANGE_H
#define GODWIT_KERNEL_RANGE_H

#include "kernel/core/lib.h"

#define RANGE_MAX 48u

struct range {
	uint64_t start, end; /* page aligned, start < end */
};

/* Sorted by address, disjoint, not adjacent. */
struct range_set {
	uint32_t n;
	struct range r[RANGE_MAX];
};

/* range_add - add [start, end), shrunk to whole pages. Merges with neighbours and overlaps.
 * Returns 0 or -ENOMEM (set full, unchanged). */
MUST_CHECK int range_add(struct range_set *s, uint64_t start, uint64_t end);

/* range_remove - take out [start, end), grown to whole pages. Returns 0 or -ENOMEM (a split has no
 * room, unchanged). */
MUST_CHECK int range_remove(struct range_set *s, uint64_t start, uint64_t end);

/* range_carve - take len bytes (multiple of a page) at the lowest address >= min whose end is <=
 * max. Returns the address, or 0 when there is no such room. */
uint64_t range_carve(struct range_set *s, uint64_t len, uint64_t min, uint64_t max);

/* range_total - bytes in the set at or above min. */
uint64_t range_total(const struct range_set *s, uint64_t min);

#endif
