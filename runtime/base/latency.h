/* SPDX-License-Identifier: Apache-2.0 */
/* latency.h - how long a shard's programs were ready before they ran, ran, and were parked before a
 * wake, and how long the network took to wake them and to send what they wrote: one small histogram
 * each (3 % precision, 1 ns to 8.6 s, 7.4 KiB), always on. Written by the shard's own vcore only;
 * others take a histogram_snapshot or read what may be a few records old. */
#ifndef GODWIT_RUNTIME_LATENCY_H
#define GODWIT_RUNTIME_LATENCY_H

#include "runtime/base/histogram.h"

#define LATENCY_HALF 5u
#define LATENCY_BITS 33u
#define LATENCY_MAX ((1ull << LATENCY_BITS) - 1) /* what is longer counts as this much */
#define LATENCY_COUNTS ((LATENCY_BITS - LATENCY_HALF + 1) << LATENCY_HALF)

/* Whether shards measure themselves: 0 only to see what it costs (make MEASURE=0). */
#ifndef MEASURE
#define MEASURE 1
#endif

enum latency_kind {
	LATENCY_QUEUE,	     /* ready to running */
	LATENCY_RUN,	     /* running to parked, or to another's turn */
	LATENCY_WAIT,	     /* parked to woken */
	LATENCY_NET_RECV,    /* packet found in the receive ring to thread woken by it */
	LATENCY_NET_SEND,    /* first write to a network socket to the device told of it */
	LATENCY_SOCKET_RECV, /* calls that waited in a socket for data or a connection */
	LATENCY_SOCKET_SEND, /* calls that waited in a socket for room or to be connected */
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

static inline void latency_count(struct latency *l, uint32_t doubling, uint64_t ns)
{
	/* one instruction: whole for whoever reads it; nobody else writes */
	__asm__("incq %0"
		: "+m"(l->counts[(doubling << LATENCY_HALF) + (ns >> doubling)])
		:
		: "cc");
	if (unlikely(ns > l->h.max))
		__atomic_store_n(&l->h.max, ns, __ATOMIC_RELAXED);
}

/* Longer than LATENCY_MAX, or below 0. */
static __attribute__((noinline, cold)) void latency_odd(struct latency *l, uint64_t ns)
{
	if ((int64_t)ns < 0)
		latency_count(l, 0, 0);
	else
		latency_count(l, LATENCY_BITS - 1 - LATENCY_HALF, LATENCY_MAX);
}

/* histogram_record with the layout known, and without the minimum (it stays unknown: ~0). 13
 * instructions; every wake makes four of them, and every send one. A value below 0, from clocks a
 * little apart, counts as 0. */
static inline void latency_record(struct latency *l, uint64_t ns)
{
	uint32_t doubling =
		63u - (uint32_t)__builtin_clzll(ns | ((2u << LATENCY_HALF) - 1)) - LATENCY_HALF;

	if (likely(doubling < LATENCY_BITS - LATENCY_HALF))
		latency_count(l, doubling, ns);
	else
		latency_odd(l, ns);
}

#endif
