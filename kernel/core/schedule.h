/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.h - who runs on a shared core, and until when: windows of the major frame, and turns of
 * a millisecond within them. Context of all: the core itself, interrupts off. */
#ifndef GODWIT_KERNEL_SCHEDULE_H
#define GODWIT_KERNEL_SCHEDULE_H

#include "kernel/core/core.h"

#define SLICE_NS 1000000ULL

/* schedule_init - take the windows from a checked bundle; status is filled (its memory is zero).
 * Boot only, before any core runs a partition. */
void schedule_init(const struct gw_bundle *b, struct gw_status *status, uint64_t start_ns);
uint64_t schedule_status_bytes(const struct gw_bundle *b);

/* schedule_pick - the vcore of c that is to run at `now`, or NULL: none. Sets events whose deadline
 * has passed, c->switch_ns, and *wake_ns: when to look again. O(vcores of the core). */
struct vcore *schedule_pick(struct core *c, uint64_t now, uint64_t *wake_ns);

/* vcore_runnable - v has something to do, and may do it. */
static inline bool vcore_runnable(const struct vcore *v)
{
	uint32_t state = atomic_load(&v->part->state);

	if (state != PARTITION_RUNNING)
		return state == PARTITION_RESTARTING && v->id == 0;
	return atomic_load(&v->state) == VCORE_RUNNING &&
	       (atomic_load(&v->waiting) == 0 || atomic_load(&v->area->pending) != 0);
}

/* vcore_deadline - post the tick of v if it is due; returns when it will be. */
static inline uint64_t vcore_deadline(struct vcore *v, uint64_t now)
{
	uint64_t at = atomic_load(&v->tick_ns);

	/* One that floats may have set another one meanwhile, on another core. */
	if (at > now || !atomic_compare_exchange_strong(&v->tick_ns, &at, ~0ULL))
		return at;
	atomic_fetch_or(&v->area->pending, 1ULL << GW_EVENT_TICK);
	return ~0ULL;
}

/* schedule_late - the window that began (c->window_fresh) is served from `now` on: record it. */
void schedule_late(struct core *c, uint64_t now);

/* schedule_due - a long call on v's core must make room (arch_call_suspend, v->again). */
bool schedule_due(const struct vcore *v);

/* schedule - go on with whoever is to run on c: t, the context of c->current, is put aside and
 * becomes the other's. Halts while there is nobody. */
void schedule(struct core *c, struct trap *t);

/* schedule_print - the lateness of each window, to the log. */
void schedule_print(void);

/* Given by the architecture. enter: go on with t at the time `ns`, or at once if it has passed;
 * what was before does not show in how long after it that is. save: keep t and the extended
 * registers of v. load: make v the one that runs on c, with t its context. rest: nobody runs. */
void arch_enter_at(struct trap *t, uint64_t ns) __attribute__((noreturn));
void arch_context_save(struct vcore *v, const struct trap *t);
void arch_context_load(struct core *c, struct vcore *v, struct trap *t);
void arch_context_rest(struct core *c);

#endif
