/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h - a bounded queue of pointers from one producer to one consumer, each on its own vcore. No
 * locks and no shared counters: each side writes one index and keeps a copy of the other's, so that
 * a cache line moves only when the copy has run out. */
#ifndef GODWIT_RUNTIME_RING_H
#define GODWIT_RUNTIME_RING_H

#include "runtime/base/base.h"

struct ring {
	/* consumer's line */
	_Atomic uint32_t head; /* next to pop; written by the consumer */
	uint32_t tail_seen;    /* consumer's copy of tail */
	uint8_t pad0[56];
	/* producer's line */
	_Atomic uint32_t tail; /* next free; written by the producer */
	uint32_t head_seen;    /* producer's copy of head */
	uint8_t pad1[56];
	/* read only */
	uint32_t mask;
	void **slots;
};

/* slots: room for n pointers, n a power of two. */
static inline void ring_init(struct ring *r, void **slots, uint32_t n)
{
	*r = (struct ring){ .mask = n - 1, .slots = slots };
}

/* Producer. false: full. */
static inline bool ring_push(struct ring *r, void *p)
{
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	if (unlikely(tail - r->head_seen > r->mask)) {
		/* acquire: partner of pop's release; the slot was read before it is overwritten */
		r->head_seen = atomic_load_explicit(&r->head, memory_order_acquire);
		if (tail - r->head_seen > r->mask)
			return false;
	}
	r->slots[tail & r->mask] = p;
	/* release: partner of pop's acquire; the slot, and what it points to, before the index */
	atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
	return true;
}

/* Consumer. NULL: empty. */
static inline void *ring_pop(struct ring *r)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	void *p;

	if (head == r->tail_seen) {
		r->tail_seen = atomic_load_explicit(&r->tail, memory_order_acquire);
		if (head == r->tail_seen)
			return NULL;
	}
	p = r->slots[head & r->mask];
	atomic_store_explicit(&r->head, head + 1, memory_order_release);
	return p;
}

/* Consumer: is there nothing to pop? */
static inline bool ring_empty(struct ring *r)
{
	return atomic_load_explicit(&r->head, memory_order_relaxed) ==
	       atomic_load_explicit(&r->tail, memory_order_acquire);
}

#endif
