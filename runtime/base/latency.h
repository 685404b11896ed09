/* SPDX-License-Identifier: Apache-2.0 */
/* latency.h - how long a shard's programs were ready before they ran, ran, and were parked before a
 * wake: one small histogram each (3 % precision, 1 ns to 8.6 s, 7.4 KiB), always on. Written by the
 * shard's own vcore only; others take a histogram_snapshot or read what may be a few records old.
 */
#ifndef GODWIT_RUNTIME_LATENCY_H
#define GODWIT_RUNTIME_LATENCY_H

#include "runtime/base/histogram.h"

#define LATENCY_HALF 5u
#define LATENCY_BITS 33u
#define LATENCY_MAX ((1ull << LATENCY_BITS) - 1) /* what is longer counts as this much */
#define LATENCY_COUNTS ((LATENCY_BITS - LATENCY_HALF + 1) << LATENCY_HALF)

enum latency_kind {
	LATENCY_QUEUE, /* ready to running */
	LATENCY_RUN,   /* running to parked, or to another's turn */
	LATENCY_WAIT,  /* parked to woken */
	LATENCY_KINDS
};

struct latency {
	struct histogram h;
	uint64_t counts[LATENCY_COUNTS];
};

static inline void latency_init(struct latency *l)
{
	histogram_init_small(&l->h, LATENCY_HALF, l->counts, LATENCY_COUNTS);
}

/* histogram_record with the layout known, and without the minimum (it stays unknown: ~0). Some 15
 * instructions; every wake makes three of them. A value below 0, from clocks a little apart, counts
 * as 0. */
static inline void latency_record(struct latency *l, uint64_t ns)
{
	uint32_t doubling;
	uint64_t *count;

	if (unlikely(ns > LATENCY_MAX))
		ns = (int64_t)ns < 0 ? 0 : LATENCY_MAX;
	doubling = 63u - (uint32_t)__builtin_clzll(ns | ((2u << LATENCY_HALF) - 1)) - LATENCY_HALF;
	count = &l->counts[(doubling << LATENCY_HALF) + (uint32_t)(ns >> doubling)];
	__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
	if (unlikely(ns > l->h.max))
		__atomic_store_n(&l->h.max, ns, __ATOMIC_RELAXED);
}

#endif
