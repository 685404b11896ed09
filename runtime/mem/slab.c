/* SPDX-License-Identifier: Apache-2.0 */
/* slab.c - small objects: 14 size classes carved from single frames. Each shard has a free list a
 * class; when one grows past two batches, a batch goes to the class's global list, and comes from
 * there before a frame is carved. Objects of 2 KiB and less never cross a frame, and are aligned to
 * the largest power of two dividing their class size. Larger ones are whole frames. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem_internal.h"
#include "runtime/sched/sched.h"

#define SMALL_MAX 2048u

static const uint16_t class_size[MEM_CLASSES] = { 16,  32,  48,	 64,  96,   128,  192,
						  256, 384, 512, 768, 1024, 1536, 2048 };

static struct {
	struct spinlock lock;
	struct free_object *batches;
} global[MEM_CLASSES];

static struct mem_cache first_cache; /* shard 0's */

void slab_init(void)
{
	memset(&first_cache, 0, sizeof(first_cache));
	memset(global, 0, sizeof(global));
	shard_self()->mem = &first_cache;
}

static inline uint32_t class_of(size_t n)
{
	/* Two classes an octave from 32 on: the top bit and the one below it of n - 1. */
	if (n <= 32)
		return n > 16;
	uint32_t top = 63u - (uint32_t)__builtin_clzll(n - 1);

	return (top - 5) * 2 + 2 + (uint32_t)((n - 1) >> (top - 1) & 1);
}

static inline uint32_t batch_of(uint32_t class)
{
	return GW_MAX(4096u / class_size[class], 4u);
}

static inline struct mem_cache *own_cache(void)
{
	return shard_self()->mem;
}

static __attribute__((noinline)) void *refill(uint32_t class)
{
	struct slab_class *k = &own_cache()->classes[class];
	struct free_object *o = NULL;
	uint32_t size = class_size[class];
	uint64_t pa;

	if (k->bump_left < size && global[class].batches) {
		spin_lock(&global[class].lock);
		o = global[class].batches;
		if (o)
			global[class].batches = o->next_batch;
		spin_unlock(&global[class].lock);
		if (o) {
			k->head = o->next;
			k->n = batch_of(class) - 1;
			return o;
		}
	}
	if (k->bump_left < size) {
		pa = page_alloc();
		if (!pa)
			return NULL;
		/* page_alloc may have parked in reclaim: look where we are now, and what is there
		 */
		k = &own_cache()->classes[class];
		if (unlikely(k->bump_left >= size)) {
			page_put(pa);
		} else {
			k->bump = pa_to_va(pa);
			k->bump_left = (uint32_t)GW_PAGE_SIZE;
		}
	}
	o = (void *)k->bump;
	k->bump += size;
	k->bump_left -= size;
	return o;
}

static __attribute__((noinline)) void spill(struct slab_class *k, uint32_t class)
{
	uint32_t batch = batch_of(class);
	struct free_object *first = k->head, *last = first;

	for (uint32_t i = 1; i < batch; i++)
		last = last->next;
	k->head = last->next;
	k->n -= batch;
	last->next = NULL;
	spin_lock(&global[class].lock);
	first->next_batch = global[class].batches;
	global[class].batches = first;
	spin_unlock(&global[class].lock);
}

static void *large_alloc(size_t n)
{
	size_t pages = ROUND_UP(n, GW_PAGE_SIZE) / GW_PAGE_SIZE;
	uint64_t pa;

	if (n > SIZE_MAX - GW_PAGE_SIZE)
		return NULL;
	pa = pages == 1 ? page_alloc() : pages_gather(pages, 1);
	return pa ? pa_to_va(pa) : NULL;
}

void *mem_alloc(size_t n)
{
	struct slab_class *k;
	struct free_object *o;
	uint32_t class;

	if (unlikely(n > SMALL_MAX))
		return large_alloc(n);
	class = class_of(n);
	k = &own_cache()->classes[class];
	o = k->head;
	if (unlikely(!o))
		return refill(class);
	k->head = o->next;
	k->n--;
	return o;
}

void *mem_zalloc(size_t n)
{
	void *p;

	if (n > SMALL_MAX && n <= GW_PAGE_SIZE) {
		uint64_t pa = page_alloc_zero();

		return pa ? pa_to_va(pa) : NULL;
	}
	p = mem_alloc(n);
	if (p)
		memset(p, 0, n);
	return p;
}

void mem_free(void *p, size_t n)
{
	struct free_object *o = p;
	struct slab_class *k;
	uint32_t class;

	if (!p)
		return;
	if (unlikely(n > SMALL_MAX)) {
		if (n <= GW_PAGE_SIZE)
			page_put(va_to_pa(p));
		else
			pages_free(va_to_pa(p), ROUND_UP(n, GW_PAGE_SIZE) / GW_PAGE_SIZE);
		return;
	}
	class = class_of(n);
	k = &own_cache()->classes[class];
	o->next = k->head;
	k->head = o;
	if (unlikely(++k->n > 2 * batch_of(class)))
		spill(k, class);
}

void *mem_resize(void *p, size_t old_n, size_t new_n)
{
	void *q;

	if (!p)
		return mem_alloc(new_n);
	if (old_n <= SMALL_MAX && new_n <= SMALL_MAX && class_of(old_n) == class_of(new_n))
		return p;
	if (old_n > SMALL_MAX && new_n > SMALL_MAX &&
	    ROUND_UP(old_n, GW_PAGE_SIZE) == ROUND_UP(new_n, GW_PAGE_SIZE))
		return p;
	q = mem_alloc(new_n);
	if (!q)
		return NULL;
	memcpy(q, p, GW_MIN(old_n, new_n));
	mem_free(p, old_n);
	return q;
}
