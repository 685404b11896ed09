/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - the partition's memory: frames, and small objects. All of it is mapped at GW_MEM_BASE +
 * pa. Context: any vcore, any time in the runtime (short lock inside; single-frame operations have
 * a per-shard cache). */
#ifndef GODWIT_RUNTIME_MEM_H
#define GODWIT_RUNTIME_MEM_H

#include "abi/boot.h"
#include "abi/vcore.h"
#include "runtime/base/base.h"

/* One descriptor a frame. `refs` 0 = free. */
struct page {
	_Atomic uint32_t refs; /* mappings and holders */
	uint32_t flags;	       /* PAGE_* */
	uint64_t owner;	       /* the holder's own: page-cache index etc. */
};
#define PAGE_ZEROED 0x1u /* known to be zero */

/* Take over the extents. Context: vcore 0, once, its shard set up as far as shard_self(). */
void mem_init(const struct gw_boot_info *boot);
/* Give a shard its own cache of frames and objects. Before it runs. 0, -ENOMEM. */
struct shard;
int mem_shard_init(struct shard *s) MUST_CHECK;

static inline void *pa_to_va(uint64_t pa)
{
	return (void *)(GW_MEM_BASE + pa);
}
static inline uint64_t va_to_pa(const void *va)
{
	return (uint64_t)va - GW_MEM_BASE;
}
/* NULL when pa is no frame of the partition. */
struct page *page_of(uint64_t pa);

/* One frame with refs 1; contents undefined, or zero with page_alloc_zero (skips clearing frames
 * known to be zero). Returns pa, or 0: memory is out, after the reclaim hooks were asked (reclaim
 * may park unless nofault or `atomic`). */
uint64_t page_alloc(void);
uint64_t page_alloc_zero(void);
/* n contiguous frames (1..), aligned to align frames (power of two); not reclaimed for: for who can
 * do with less. 0: none. */
uint64_t pages_alloc(size_t n, size_t align);
/* The same for who cannot: reclaims, as page_alloc does. Slow when memory is short, but bounded. */
uint64_t pages_gather(size_t n, size_t align);
/* The same with zero contents; frames known to be zero are not cleared. */
uint64_t pages_alloc_zero(size_t n, size_t align);
void pages_free(uint64_t pa, size_t n);
void page_get(uint64_t pa);
void page_put(uint64_t pa); /* frees at the last reference */

uint64_t mem_total_pages(void);
uint64_t mem_free_pages(void);
/* Asked to give back about `want` frames when memory is short; returns how many it freed. may_park
 * says whether it may block. At most 4 hooks, in order of registration. */
void mem_add_reclaim(size_t (*reclaim)(size_t want, bool may_park));

/* Small objects: size classes 16..2048 by powers of two and halves, larger by pages. 16-byte
 * aligned. NULL: memory is out. */
void *mem_alloc(size_t n) MUST_CHECK;
void *mem_zalloc(size_t n) MUST_CHECK;
void mem_free(void *p, size_t n);				  /* the n of its allocation */
void *mem_resize(void *p, size_t old_n, size_t new_n) MUST_CHECK; /* NULL: p is unchanged */

#endif
