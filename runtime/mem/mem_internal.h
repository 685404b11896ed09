/* SPDX-License-Identifier: Apache-2.0 */
/* mem_internal.h - what the frame allocator and the slabs share: the per-shard cache. */
#ifndef GODWIT_RUNTIME_MEM_INTERNAL_H
#define GODWIT_RUNTIME_MEM_INTERNAL_H

#include "runtime/mem/mem.h"

#define CACHE_FRAMES 32u
#define CACHE_ZEROES 16u
#define MEM_CLASSES 14u

struct free_object { /* a free small object; 16 bytes is the smallest */
	struct free_object *next;
	struct free_object *next_batch; /* in the global list: first of the next batch */
};

struct slab_class {
	struct free_object *head;
	uint32_t n;	    /* objects at head */
	uint32_t bump_left; /* bytes at bump never handed out */
	uint8_t *bump;
};

struct mem_cache {
	uint32_t n_frames, n_zeroes;
	uint64_t zeroes[CACHE_ZEROES]; /* pa, known to be zero, refs 0 */
	uint64_t frames[CACHE_FRAMES]; /* pa, contents undefined, refs 0 */
	struct slab_class classes[MEM_CLASSES];
};

void slab_init(void); /* the calling shard's cache, empty */

#endif
