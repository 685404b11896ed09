/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.c - see wheel.h. Level 0 holds the next 64 ticks, one slot a tick; level n holds slots of
 * 64^n ticks, which are dealt out to lower levels when their first tick comes. */
#include "runtime/net/wheel.h"

void wheel_init(struct net_wheel *w, uint64_t tick)
{
	w->now = tick;
	w->next = GW_NEVER;
	for (int l = 0; l < WHEEL_LEVELS; l++) {
		w->busy[l] = 0;
		for (int i = 0; i < 64; i++)
			list_init(&w->slot[l][i]);
	}
}

/* Put t into the slot of its tick. at >= w->now; at == w->now only from a cascade, before level 0
 * fires. */
static void place(struct net_wheel *w, struct net_timer *t)
{
	uint64_t delta = t->at - w->now, at = t->at;
	unsigned level = 0, i;

	while (level < WHEEL_LEVELS - 1 && delta >> (6 * (level + 1)) != 0)
		level++;
	if (delta >> (6 * WHEEL_LEVELS) !=
	    0) /* beyond the wheel: park in its last slot, and look again then */
		at = w->now + (1ull << (6 * WHEEL_LEVELS)) - 1;
	i = (unsigned)(at >> (6 * level)) & 63;
	w->busy[level] |= 1ull << i;
	list_add_tail(&w->slot[level][i], &t->link);
}

void wheel_insert(struct net_wheel *w, struct net_timer *t, uint64_t at)
{
	list_del(&t->link);
	t->at = at > w->now ? at : w->now + 1;
	if (t->at < w->next)
		w->next = t->at;
	place(w, t);
}

/* The first tick after now at which a slot has to be looked at. */
static uint64_t next_tick(const struct net_wheel *w)
{
	uint64_t best = GW_NEVER;

	for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
		uint64_t base = (w->now >> (6 * l)) + 1, b = w->busy[l], tick;
		unsigned r = (unsigned)base & 63;

		if (b == 0)
			continue;
		if (r != 0)
			b = b >> r | b << (64 - r);
		tick = (base + (unsigned)__builtin_ctzll(b)) << (6 * l);
		best = GW_MIN(best, tick);
	}
	return best;
}

/* Deal a slot out again: its timers go to lower levels. */
static void cascade(struct net_wheel *w, unsigned l)
{
	unsigned i = (unsigned)(w->now >> (6 * l)) & 63;
	struct list_node mine, *n;

	if ((w->busy[l] >> i & 1) == 0)
		return;
	w->busy[l] &= ~(1ull << i);
	list_init(&mine);
	while ((n = list_pop(&w->slot[l][i])) != NULL)
		list_add_tail(&mine, n);
	while ((n = list_pop(&mine)) != NULL)
		place(w, list_entry(n, struct net_timer, link));
}

static void fire_slot(struct net_wheel *w, struct net_stack *s)
{
	unsigned i = (unsigned)w->now & 63;
	struct list_node *n;

	/* A timer armed from here lands at least one tick later, so this ends. */
	while ((n = list_pop(&w->slot[0][i])) != NULL) {
		struct net_timer *t = list_entry(n, struct net_timer, link);

		t->fire(s, t);
	}
	w->busy[0] &= ~(1ull << i);
}

void wheel_advance(struct net_wheel *w, struct net_stack *s, uint64_t tick)
{
	while (w->now < tick) {
		uint64_t next = next_tick(w);

		if (next > tick) {
			w->now = tick;
			w->next = next_tick(w);
			return;
		}
		w->now = next;
		for (unsigned l = WHEEL_LEVELS - 1; l > 0; l--) {
			if ((w->now & ((1ull << (6 * l)) - 1)) == 0)
				cascade(w, l);
		}
		fire_slot(w, s);
	}
	w->next = next_tick(w);
}
