/* SPDX-License-Identifier: Apache-2.0 */
/* elastic.h - which partition each core of the elastic pool serves. The allocator reads what the
 * vcores publish (elastic_load), asks the partitions' policies, and moves cores by compare and swap
 * of one word each: no lock, no core of its own, nothing allocated, every loop bounded by the
 * number of cores or partitions. The same file runs in the simulator (tests/elastic).
 *
 * grant[c]:  AWAY <---> IDLE <---> partition
 *               ^--------------------'
 *   AWAY: not in the pool now (a window, a fixed vcore); of a partition: runs one of its vcores
 *
 * Two sides never miss each other: who makes a vcore runnable does that first and then looks for an
 * idle core; a core first says that it is idle and then looks for something to run. */
#ifndef GODWIT_KERNEL_ELASTIC_H
#define GODWIT_KERNEL_ELASTIC_H

#include "abi/status.h"
#include "kernel/core/lib.h"

#define ELASTIC_CORES 128u
#define ELASTIC_PARTS GW_STATUS_PARTITIONS
#define ELASTIC_IDLE 0xfeu
#define ELASTIC_AWAY 0xffu
#define ELASTIC_NOBODY (~0u)	 /* no such core */
#define ELASTIC_WATCH_NS 5000ULL /* an idle core looks at everyone's delay so often */

/* How much a partition wants one more core, and how much it keeps those that it has, on one scale:
 * a core moves to who wants it more than its holder keeps it. */
enum elastic_rank {
	ELASTIC_NONE,	   /* does not want one */
	ELASTIC_SPARE,	   /* would use one that nobody needs; keeps it until somebody does */
	ELASTIC_CALM,	   /* keeps: a latency partition within its bound */
	ELASTIC_LATE,	   /* a latency partition beyond its bound */
	ELASTIC_GUARANTEE, /* wants: below its minimum; keeps: not above it */
};

/* What a partition's vcores say at the moment. */
struct elastic_load {
	uint32_t ready;	  /* vcores that could run and have no core */
	uint32_t running; /* vcores that have one */
	uint32_t helpers; /* vcores that wait, and could take work from those that run */
	/* Age of the oldest work of those that are ready: a core is what it needs. Of those that
	 * run: it needs a helper. */
	uint64_t ready_delay_ns, running_delay_ns;
};

static inline uint64_t elastic_delay(const struct elastic_load *l)
{
	return max_u64(l->ready_delay_ns, l->running_delay_ns);
}

struct elastic_part;

/* A policy is one file, policy_NAME.c. */
struct elastic_policy {
	uint64_t slice_ns; /* of its vcores, in turn on one core */
	bool watched;	   /* its delay can grow while it runs: somebody looks every few us */
	enum elastic_rank (*want)(const struct elastic_part *p, const struct elastic_load *l);
	enum elastic_rank (*keep)(const struct elastic_part *p, const struct elastic_load *l);
};

extern const struct elastic_policy policy_fixed, policy_latency, policy_batch;

struct elastic_part {
	const struct elastic_policy *policy;
	uint32_t min, max;		     /* cores: guaranteed, at most */
	uint64_t delay_ns;		     /* the bound */
	struct gw_status_partition *numbers; /* .cores is how many it holds */
};

struct elastic {
	uint32_t n_cores, n_parts;
	struct elastic_part parts[ELASTIC_PARTS];
	/* Bits 0-7: the owner. Bits 8-63: when it was given the core, in ns; 0: it runs there. */
	_Atomic uint64_t grant[ELASTIC_CORES];
};

/* elastic_owner - whom core serves: a partition, ELASTIC_IDLE or ELASTIC_AWAY. */
static inline uint32_t elastic_owner(const struct elastic *e, uint32_t core)
{
	return (uint32_t)(atomic_load(&e->grant[core]) & 0xff);
}

/* elastic_init - n_cores cores, all away, and n_parts partitions, all to be filled in. */
void elastic_init(struct elastic *e, uint32_t n_cores, uint32_t n_parts);

/* elastic_next - core has nothing to run (or comes into the pool): it serves whoever wants one most
 * from now on. Returns the partition, or ELASTIC_IDLE. Context: the core itself. */
uint32_t elastic_next(struct elastic *e, uint32_t core, uint64_t now);

/* elastic_turn - core's turn is over: it goes on, or serves another one that wants it as much.
 * Returns whom it serves. Context: the core itself, which serves a partition. */
uint32_t elastic_turn(struct elastic *e, uint32_t core, uint64_t now);

/* elastic_leave - core is not in the pool from now on. One exchange. Context: the core itself. */
void elastic_leave(struct elastic *e, uint32_t core);

/* elastic_want - partition part has work: find it a core, an idle one or one that is kept less than
 * this one is wanted; of equals the first from `hint` on. Returns the core, after elastic_kick of
 * it, or ELASTIC_NOBODY. Context: any core. O(cores + vcores). */
uint32_t elastic_want(struct elastic *e, uint32_t part, uint32_t hint, uint64_t now);

/* elastic_look - the watch: find cores for all that want one. Returns in how many ns a delay that
 * it has seen passes its bound; ~0: none. O(partitions * (cores + vcores)). */
uint64_t elastic_look(struct elastic *e, uint32_t hint, uint64_t now);

/* elastic_watched - elastic_look is to be repeated, every ELASTIC_WATCH_NS or when it says: a
 * watched partition runs, and could have more cores. */
bool elastic_watched(const struct elastic *e);

/* elastic_idle - the first idle core, or ELASTIC_NOBODY. */
uint32_t elastic_idle(const struct elastic *e);

/* elastic_given - core was given to a partition, and does not serve it yet. */
static inline bool elastic_given(const struct elastic *e, uint32_t core)
{
	return atomic_load(&e->grant[core]) >> 8 != 0;
}

/* elastic_served - the partition runs on core from now on: count and return how long that took, in
 * ns. Context: the core itself. */
uint64_t elastic_served(struct elastic *e, uint32_t core, uint64_t now);

/* Given by who embeds it. load: what partition part says now. kick: `core` serves another one. */
void elastic_load(uint32_t part, uint64_t now, struct elastic_load *l);
void elastic_kick(uint32_t core);

#endif
