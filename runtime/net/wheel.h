/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.h - the stack's timers: a hierarchical timing wheel, four levels of 64 slots, one tick 2^20
 * ns (1.05 ms). Arming and cancelling are O(1); an idle timer costs nothing but two cascades in its
 * life.
 *
 * Users re-arm lazily: a deadline that moves later is left where it is and checked when the old one
 * fires. */
#ifndef GODWIT_NET_WHEEL_H
#define GODWIT_NET_WHEEL_H

#include "runtime/base/list.h"

#define WHEEL_SHIFT 20
#define WHEEL_LEVELS 4
#define WHEEL_TICKS(ns) ((uint64_t)(ns) >> WHEEL_SHIFT)
#define WHEEL_MS(ms) ((uint32_t)(((uint64_t)(ms)*NS_PER_MS) >> WHEEL_SHIFT))

struct net_stack;

struct net_timer {
	struct list_node link;
	uint64_t at; /* tick; meaningful while linked */
	void (*fire)(struct net_stack *s, struct net_timer *t);
};

struct net_wheel {
	uint64_t now;		     /* last tick handled */
	uint64_t next;		     /* no timer is due before this tick (a lower bound) */
	uint64_t busy[WHEEL_LEVELS]; /* slots that may be non-empty */
	struct list_node slot[WHEEL_LEVELS][64];
};

void wheel_init(struct net_wheel *w, uint64_t tick);
void wheel_insert(struct net_wheel *w, struct net_timer *t, uint64_t at);
/* Run everything due up to tick. A fired timer is unlinked first; its function may arm or cancel
 * any. */
void wheel_advance(struct net_wheel *w, struct net_stack *s, uint64_t tick);

static inline void timer_init(struct net_timer *t,
			      void (*fire)(struct net_stack *, struct net_timer *))
{
	list_init(&t->link);
	t->at = 0;
	t->fire = fire;
}

static inline bool timer_armed(const struct net_timer *t)
{
	return !list_empty(&t->link);
}

static inline void timer_cancel(struct net_timer *t)
{
	list_del(&t->link);
}

/* See to it that t fires no later than tick at. It may fire earlier. */
static inline void timer_by(struct net_wheel *w, struct net_timer *t, uint64_t at)
{
	if (timer_armed(t) && t->at <= at)
		return;
	wheel_insert(w, t, at);
}

#endif
