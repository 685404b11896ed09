/* SPDX-License-Identifier: Apache-2.0 */
/* task.c - tasks, timers, waiting and time: godwit.h's names for the scheduler's. */
#include "runtime/native/native_internal.h"

/* ---- time ---- */

uint64_t gw_now(void)
{
	return clock_now();
}

uint64_t gw_wall(void)
{
	uint64_t epoch = clock_epoch_ns();

	return epoch != 0 ? epoch + clock_now() : 0;
}

void gw_sleep_until(uint64_t deadline_ns)
{
	uthread_sleep_until(deadline_ns);
}

void gw_sleep(uint64_t ns)
{
	uint64_t now = clock_now();

	uthread_sleep_until(ns > GW_NEVER - now ? GW_NEVER - 1 : now + ns);
}

/* ---- timers ---- */

struct native_timer {	/* what gw_timer.opaque holds */
	struct timer t; /* first */
	void (*fn)(void *arg);
	void *arg;
};
_Static_assert(sizeof(struct native_timer) <= sizeof(struct gw_timer), "gw_timer holds it");

static void fire(struct timer *t)
{
	struct native_timer *n = (struct native_timer *)t;

	n->fn(n->arg);
}

void gw_timer_init(struct gw_timer *t, void (*fn)(void *arg), void *arg)
{
	struct native_timer *n = (struct native_timer *)t;

	timer_init(&n->t, fire);
	n->fn = fn;
	n->arg = arg;
}

int gw_timer_set(struct gw_timer *t, uint64_t deadline_ns)
{
	return timer_arm(&((struct native_timer *)t)->t, deadline_ns);
}

void gw_timer_cancel(struct gw_timer *t)
{
	timer_cancel(&((struct native_timer *)t)->t);
}

/* ---- tasks ---- */

int gw_spawn_on(unsigned shard, void (*fn)(void *arg), void *arg, size_t stack_bytes)
{
	if (shard >= n_shards)
		return -EINVAL;
	return uthread_create_sized(NULL, shards[shard], fn, arg, "task", stack_bytes);
}

int gw_spawn(void (*fn)(void *arg), void *arg, size_t stack_bytes)
{
	return uthread_create_sized(NULL, shard_self(), fn, arg, "task", stack_bytes);
}

void gw_yield(void)
{
	shard_turn(); /* yield alone polls devices only when a slice is over */
	uthread_yield();
}

bool gw_may_wait(void)
{
	return sched_may_park();
}

unsigned gw_shards(void)
{
	return n_shards;
}

unsigned gw_shard(void)
{
	return shard_self()->id;
}

void gw_run_on(unsigned shard, void (*fn)(void *arg), void *arg)
{
	if (shard < n_shards)
		shard_call(shards[shard], fn, arg);
}

void gw_run_everywhere(void (*fn)(void *arg), void *arg)
{
	for (uint32_t i = 0; i < n_shards; i++)
		shard_call(shards[i], fn, arg);
}

struct everywhere {
	int (*fn)(void *arg);
	void *arg;
	int result;
};

static void run_one(void *arg)
{
	struct everywhere *e = arg;

	e->result = e->fn(e->arg);
}

int native_everywhere(int (*fn)(void *arg), void *arg)
{
	struct everywhere e = { fn, arg, 0 };

	for (uint32_t i = 0; i < n_shards && e.result == 0; i++)
		shard_call(shards[i], run_one, &e);
	return e.result;
}

/* ---- waiting ---- */

int native_wait(struct list_node *list, unsigned events, uint64_t deadline_ns)
{
	struct wait_node w = { .task = uthread_self(), .events = events };
	int err;

	if (!sched_may_park())
		return -EDEADLK;
	list_add_tail(list, &w.link);
	err = uthread_park(deadline_ns);
	list_del(&w.link); /* harmless when who woke us did it */
	return w.gone ? -EPIPE : err;
}

void native_wake(struct list_node *list, unsigned events, bool all)
{
	list_for_each_safe(n, list)
	{
		struct wait_node *w = list_entry(n, struct wait_node, link);

		if (w->events != 0 && !(w->events & events))
			continue;
		list_del(n);
		uthread_wake(w->task);
		if (!all)
			return;
	}
}

void native_gone(struct list_node *list)
{
	struct list_node *n;

	while ((n = list_pop(list)) != NULL) {
		struct wait_node *w = list_entry(n, struct wait_node, link);

		w->gone = true;
		uthread_wake(w->task);
	}
}

_Static_assert(sizeof(struct list_node) == sizeof(struct gw_waiters), "gw_waiters is a list");

int gw_wait(struct gw_waiters *w, uint64_t deadline_ns)
{
	struct list_node *list = (struct list_node *)w;

	if (list->next == NULL)
		list_init(list);
	return native_wait(list, 0, deadline_ns);
}

void gw_signal(struct gw_waiters *w, bool all)
{
	struct list_node *list = (struct list_node *)w;

	if (list->next != NULL)
		native_wake(list, 0, all);
}
