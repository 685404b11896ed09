/* SPDX-License-Identifier: Apache-2.0 */
/* shard.c - a shard's loop: events, devices, messages, timers, then a ready uthread, or sleep.
 *
 * Sleeping without losing a wake: the shard stores sleeping = 1, then looks at its inboxes; a
 * sender pushes to an inbox, then looks at sleeping. A full barrier stands between store and look
 * on both sides (B1 in idle(), the locked push before shard_kick()), so at least one sees the
 * other's store. An event that comes between the look and the kernel's wait stays pending, and wait
 * returns at once. */
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"

uint64_t sched_poll_ns;

void shard_add_poller(struct poller *p)
{
	list_add_tail(&shard_self()->pollers, &p->link);
	if (p->flush)
		list_add_tail(&shard_self()->flushers, &p->flush_link);
}

/* ---- the loop ---- */

static void take_events(struct shard *s)
{
	s->events = atomic_exchange_explicit(&s->vcore->pending, 0, memory_order_acquire);
	if (s->events & 1ull << GW_EVENT_TICK)
		s->stats.ticks++;
}

static inline void flush(struct shard *s)
{
	list_for_each (n, &s->flushers) {
		struct poller *p = list_entry(n, struct poller, flush_link);

		p->flush(p);
	}
}

static inline bool inboxes_filled(struct shard *s)
{
	return atomic_load_explicit(&s->inbox, memory_order_relaxed) ||
	       atomic_load_explicit(&s->wake_inbox, memory_order_relaxed);
}

/* What was written until now goes out at the next flush or sleep, some hundred instructions from
 * here. s->now_ns is fresh. */
static inline void note_sent(struct shard *s)
{
	if (MEASURE && s->tx_ns != 0) {
		latency_record(&s->latency[LATENCY_NET_SEND], s->now_ns - s->tx_ns);
		s->tx_ns = 0;
	}
}

/* One turn; returns whether anything was done. Callbacks must not park. */
static inline __attribute__((always_inline)) bool turn(struct shard *s)
{
	bool work = false;

	s->nofault++;
	s->events = 0;
	if (atomic_load_explicit(&s->vcore->pending, memory_order_relaxed))
		take_events(s);
	if (clock_now() >= s->armed_ns)
		s->armed_ns = GW_NEVER; /* that tick is spent */
	s->turned_ns = s->now_ns;
	note_sent(s);
	list_for_each (n, &s->pollers) {
		struct poller *p = list_entry(n, struct poller, link);

		if (p->poll && p->poll(p))
			work = true;
	}
	if (unlikely(inboxes_filled(s))) {
		inbox_take_wakes(s);
		inbox_take_messages(s);
		work = true;
	}
	if (timers_next(s) <= s->now_ns) {
		timers_run(s);
		work = true;
	}
	flush(s);
	if (unlikely(!list_empty(&s->dead)))
		uthreads_reap(s);
	s->nofault--;
	return work;
}

void shard_turn(void)
{
	struct shard *s = shard_self();

	if (s->nofault == 0)
		(void)turn(s);
}

void shard_flush(void)
{
	struct shard *s = shard_self();

	s->nofault++;
	flush(s);
	s->nofault--;
}

/* Nothing to run: wait in the kernel until something comes. The devices are not polled before:
 * enabling their interrupts looks at them. s->now_ns is fresh. */
static void idle(struct shard *s)
{
	uint64_t deadline = GW_MIN(timers_next(s), s->now_ns + s->idle_ns);

	s->nofault++;
	if (n_shards > 1)
		balance_steal(s);
	/* B1 (seq_cst: a full barrier): see the top of the file */
	atomic_store_explicit(&s->sleeping, 1, memory_order_seq_cst);
	if (!pollers_arm(s, &deadline) && deadline > s->now_ns && !inboxes_filled(s)) {
		s->stats.waits++;
		s->armed_ns = deadline; /* the wait's deadline is the tick from now on */
		gw_call(GW_CALL_WAIT, deadline, 0, 0);
	}
	atomic_store_explicit(&s->sleeping, 0, memory_order_relaxed);
	s->nofault--;
}

static void switch_to(struct shard *s, struct uthread *next)
{
	struct uthread *prev = s->current;

	s->stats.switches++;
	s->current = next;
	s->vcore->user[VU_STACK_TOP] = (uint64_t)uthread_top(next);
	if (next->program) {
		if (s->fpu_owner != next)
			fpu_take(s, next);
		if (unlikely(next->space != s->space))
			space_enter(next->space);
	}
	context_switch(&prev->sp, next->sp);
}

/* self has run until now, and is parked (or ready, or ended) from now on. */
static inline void account(struct shard *s, struct uthread *self)
{
	uint64_t ran = clock_now() - self->run_since_ns;

	self->cpu_ns += ran;
	self->run_since_ns = s->now_ns;
	if (MEASURE && self->timed)
		latency_record(&s->latency[LATENCY_RUN], ran);
	note_sent(s);
}

void sched_run(struct shard *s)
{
	struct uthread *self = s->current, *next;
	uint64_t poll_until;

	if (unlikely(*(uint64_t *)(void *)self->stack != STACK_CANARY))
		panic("stack overflow of uthread %s", self->name);
	account(s, self);
	poll_until = s->now_ns + sched_poll_ns;
	for (;;) {
		bool work;

		if (list_empty(&s->runq) && s->now_ns >= poll_until)
			idle(s);
		work = turn(s);
		if (!list_empty(&s->runq))
			break;
		/* After nothing but the deadline the next one may be further away. */
		if (s->now_ns < poll_until)
			__builtin_ia32_pause();
		else
			s->idle_ns = work ? TICK_MAX_NS : GW_MIN(2 * s->idle_ns, TICK_IDLE_NS);
		if (work)
			poll_until = s->now_ns + sched_poll_ns;
	}
	s->idle_ns = TICK_MAX_NS;
	next = list_entry(s->runq.next, struct uthread, run);
	list_del(&next->run);
	sched_publish(s);
	atomic_store_explicit(&s->n_ready,
			      atomic_load_explicit(&s->n_ready, memory_order_relaxed) - 1,
			      memory_order_relaxed);
	atomic_store_explicit(&next->state, UT_RUNNING, memory_order_relaxed);
	next->movable = false;
	if (next->timed) {
		uint64_t now = clock_now(); /* it runs from here on, and is charged for it */

		if (MEASURE)
			latency_record(&s->latency[LATENCY_QUEUE], now - next->ready_ns);
	}
	next->run_since_ns = s->now_ns;
	next->slice_end_ns = s->now_ns + SLICE_NS;
	if (next->program &&
	    s->armed_ns > s->now_ns + (list_empty(&s->runq) ? TICK_MAX_NS : SLICE_NS))
		sched_tick(s);
	if (next != self)
		switch_to(s, next);
}

void sched_ready(struct shard *s, struct uthread *u)
{
	if (MEASURE && u->timed &&
	    atomic_load_explicit(&u->state, memory_order_relaxed) == UT_PARKED) {
		if (s->rx_ns != 0) /* a packet did it: the turn began a while ago */
			latency_record(&s->latency[LATENCY_NET_RECV], clock_now() - s->rx_ns);
		latency_record(&s->latency[LATENCY_WAIT], s->now_ns - u->run_since_ns);
	}
	u->ready_ns = s->now_ns;
	atomic_store_explicit(&u->state, UT_READY, memory_order_relaxed);
	if (list_empty(&s->runq))
		s->vcore->ready_ns = s->now_ns;
	list_add_tail(&s->runq, &u->run);
	atomic_store_explicit(&s->n_ready,
			      atomic_load_explicit(&s->n_ready, memory_order_relaxed) + 1,
			      memory_order_relaxed);
	/* Woken by a running program: that one's slice begins to count. */
	if (s->nofault == 0 && s->armed_ns > s->now_ns + 2 * SLICE_NS && s->current != u &&
	    s->current->program)
		sched_tick(s);
}
