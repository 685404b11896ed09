/* SPDX-License-Identifier: Apache-2.0 */
/* areas.h - the set of a process's mapped areas: disjoint, sorted by address, neighbours merged
 * where they are alike. Pure bookkeeping: no page tables, no locks (mm.lock protects it); inode
 * references follow the areas. */
#ifndef GODWIT_LINUX_AREAS_H
#define GODWIT_LINUX_AREAS_H

#include "runtime/base/base.h"

struct inode;

/* Flags of areas beside MM_READ .. MM_SPECIAL (mm.h). */
#define AREA_DENY_WRITE (1u << 16) /* shared mapping of a file opened read-only */
#define AREA_NOHUGE (1u << 17)	   /* no large pages: stacks, MADV_NOHUGEPAGE */
#define AREA_HEAP (1u << 18)	   /* brk, for /proc/self/maps */
#define AREA_HUGE (1u << 19)	   /* MADV_HUGEPAGE */

struct area {
	uint64_t start, end; /* page multiples, start < end */
	uint64_t offset;     /* file position of start; 0 for anonymous memory */
	struct inode *inode; /* NULL: anonymous */
	uint32_t flags;
};

struct areas {
	struct area *v;
	uint32_t n, cap;
};

/* Make room so that the next changing operation cannot fail. 0 or -ENOMEM. */
int areas_reserve(struct areas *s) MUST_CHECK;
/* Index of the first area with end > va; s->n if none. O(log n). */
uint32_t areas_at(const struct areas *s, uint64_t va);
/* The area containing va, or NULL. */
struct area *areas_find(const struct areas *s, uint64_t va);
/* Add an area over a free range (takes over its inode reference). After areas_reserve. */
void areas_insert(struct areas *s, struct area a);
/* Forget [start, end), splitting areas at its edges. After areas_reserve. */
void areas_remove(struct areas *s, uint64_t start, uint64_t end);
/* flags = (flags & keep) | set for everything mapped in [start, end). After areas_reserve. */
void areas_change(struct areas *s, uint64_t start, uint64_t end, uint32_t keep, uint32_t set);
/* Nothing mapped in [start, end)? */
bool areas_free(const struct areas *s, uint64_t start, uint64_t end);
/* Everything mapped in [start, end)? */
bool areas_full(const struct areas *s, uint64_t start, uint64_t end);
/* Highest free range of len bytes within [lo, hi) whose start is phase modulo align (a power of two
 * >= 4096). Its start, or 0: none. */
uint64_t areas_gap(const struct areas *s, uint64_t len, uint64_t align, uint64_t phase, uint64_t lo,
		   uint64_t hi);

#endif
