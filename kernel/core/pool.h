/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - the vcores of elastic partitions on the cores of the pool: which of its vcores a core
 * that the allocator (elastic.h) gave to a partition runs, their wake-ups, ticks and signals. A
 * vcore is claimed (v->on) by the core that has its context, from before it is loaded until after
 * the next one's is. Context of all: interrupts off. */
#ifndef GODWIT_KERNEL_POOL_H
#define GODWIT_KERNEL_POOL_H

#include "kernel/core/elastic.h"
#include "kernel/core/schedule.h"

/* pool_init - which partitions of a checked bundle float, and over which cores. After
 * schedule_init. Boot only. */
void pool_init(const struct gw_bundle *b, struct gw_status *status);

/* pool_pick - the vcore that c, in time of the pool, is to run, or NULL: none. Sets the end of its
 * turn. Context: c. */
struct vcore *pool_pick(struct core *c, uint64_t now);

/* pool_leave - c's time is another's now. */
void pool_leave(struct core *c);

/* pool_deadlines - post the ticks that are due and that c looks after; returns the next. */
uint64_t pool_deadlines(struct core *c, uint64_t now);

/* pool_look - the watcher's work, before it picks: c may be the core that moves. */
void pool_look(struct core *c, uint64_t now);

/* pool_watch - who is the watcher from now on? Returns when c must look, ~0: never. */
uint64_t pool_watch(struct core *c, uint64_t now);

/* pool_moved - c was given to a partition since it has picked v (NULL: nothing), which it does not
 * run then. */
MUST_CHECK bool pool_moved(struct core *c, struct vcore *v);

/* pool_release - v's context has left c. True: c serves another one already, pick again. */
MUST_CHECK bool pool_release(struct core *c, struct vcore *v);

/* pool_served - c enters a vcore of the partition that it serves. */
void pool_served(const struct core *c);

/* pool_wake - v, which floats, can run or has an event to see. True: this core must look again. */
bool pool_wake(struct vcore *v);

/* pool_revoked - v's core is to serve another partition. */
bool pool_revoked(const struct vcore *v);

#endif
