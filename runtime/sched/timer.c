/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - a shard's timers: a binary heap of pointers by deadline; each timer knows its place, so
 * that it is cancelled without a search. */
#include "runtime/base/errno.h"
#include "runtime/mem/mem.h"
#include "runtime/sched/sched_internal.h"

#define HEAP_FIRST 16u
#define UNARMED (~0u)

static inline void place(struct shard *s, uint32_t i, struct timer *t)
{
	s->heap[i] = t;
	t->slot = i;
}

static inline __attribute__((always_inline)) void sift_up(struct shard *s, uint32_t i,
							  struct timer *t)
{
	while (i) {
		uint32_t parent = (i - 1) / 2;

		if (s->heap[parent]->deadline_ns <= t->deadline_ns)
			break;
		place(s, i, s->heap[parent]);
		i = parent;
	}
	place(s, i, t);
}

static void sift_down(struct shard *s, uint32_t i, struct timer *t)
{
	for (;;) {
		uint32_t child = 2 * i + 1;

		if (child >= s->heap_len)
			break;
		if (child + 1 < s->heap_len &&
		    s->heap[child + 1]->deadline_ns < s->heap[child]->deadline_ns)
			child++;
		if (t->deadline_ns <= s->heap[child]->deadline_ns)
			break;
		place(s, i, s->heap[child]);
		i = child;
	}
	place(s, i, t);
}

static int grow(struct shard *s)
{
	uint32_t cap = s->heap_cap ? 2 * s->heap_cap : HEAP_FIRST;
	struct timer **heap = mem_resize(s->heap, s->heap_cap * sizeof(*heap), cap * sizeof(*heap));

	if (!heap)
		return -ENOMEM;
	s->heap = heap;
	s->heap_cap = cap;
	return 0;
}

int timers_init(struct shard *s)
{
	return grow(s);
}

static void move(struct shard *s, struct timer *t, uint64_t deadline_ns)
{
	uint64_t old = t->deadline_ns;

	if (unlikely(t->shard != s))
		panic("timer armed on two shards");
	t->deadline_ns = deadline_ns;
	if (deadline_ns < old)
		sift_up(s, t->slot, t);
	else
		sift_down(s, t->slot, t);
}

/* What is rare: apart, so that every park's timer goes in without saving registers for it. */
static __attribute__((noinline)) int insert_rare(struct shard *s, struct timer *t,
						 uint64_t deadline_ns)
{
	if (t->slot != UNARMED) {
		move(s, t, deadline_ns);
		return 0;
	}
	return grow(s) < 0 ? -ENOMEM : timer_insert(s, t, deadline_ns);
}

int timer_insert(struct shard *s, struct timer *t, uint64_t deadline_ns)
{
	if (unlikely(t->slot != UNARMED || s->heap_len == s->heap_cap))
		return insert_rare(s, t, deadline_ns);
	t->deadline_ns = deadline_ns;
	t->shard = s;
	sift_up(s, s->heap_len++, t);
	return 0;
}

void timer_remove(struct shard *s, struct timer *t)
{
	uint32_t i = t->slot;
	struct timer *last = s->heap[--s->heap_len];

	t->slot = UNARMED;
	if (last == t)
		return;
	if (i && last->deadline_ns < s->heap[(i - 1) / 2]->deadline_ns)
		sift_up(s, i, last);
	else
		sift_down(s, i, last);
}

/* Bounded: what callbacks arm anew into the past waits for the next turn. */
void timers_run(struct shard *s)
{
	for (uint32_t budget = s->heap_len; budget && timers_next(s) <= s->now_ns; budget--) {
		struct timer *t = s->heap[0];

		timer_remove(s, t);
		t->fire(t);
	}
}

int timer_arm(struct timer *t, uint64_t deadline_ns)
{
	struct shard *s = shard_self();
	int err = timer_insert(s, t, deadline_ns);

	/* The loop looks at the heap before it waits; a program would run past a near deadline. */
	if (unlikely(deadline_ns < s->armed_ns) && !err && s->nofault == 0)
		sched_tick(s);
	return err;
}

void timer_cancel(struct timer *t)
{
	if (t->slot != UNARMED)
		timer_remove(t->shard, t);
}

static void cancel_there(void *arg)
{
	timer_cancel(arg);
}

void timer_cancel_sync(struct timer *t)
{
	if (t->shard)
		shard_call(t->shard, cancel_there, t);
}
