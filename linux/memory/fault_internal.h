/* SPDX-License-Identifier: Apache-2.0 */
/* fault_internal.h - what page faults on memory (fault.c) and on files (fault_file.c) share. */
#ifndef GODWIT_LINUX_FAULT_INTERNAL_H
#define GODWIT_LINUX_FAULT_INTERNAL_H

#include "linux/memory/mm_internal.h"

#define AROUND 16u
#define COPY_AROUND 4u

/* What is mapped in a window of pages. */
struct window {
	uint64_t lo;
	uint32_t n;		     /* pages */
	uint32_t present;	     /* bit n: page lo + n */
	uint64_t fault_va, fault_pa; /* the faulting page's frame if present */
	uint32_t fault_flags;
};

/* Map the frames of a window; 0 entries are holes. On failure every frame not mapped is put back.
 */
int fault_map_frames(uint64_t lo, const uint64_t *pas, uint32_t n, uint32_t flags);
void fault_put_frames(const uint64_t *pas, uint32_t n);

/* Put a copy of frame `from` (takes its reference) in place of what is at va. */
int fault_copy(struct mm *mm, uint64_t va, uint64_t from, bool was_mapped, uint32_t flags);
/* The faulting page of a file's area is written and not there yet; n: how many may be copied. */
int fault_file_write(struct mm *mm, const struct area *a, const struct window *w, uint32_t n,
		     bool may_park, uint32_t flags);
/* Map the page and what is resident around it, up to the next pages that are mapped already. */
int fault_file_read(struct mm *mm, const struct area *a, const struct window *w, uint32_t n,
		    bool may_park, uint32_t flags);

#endif
