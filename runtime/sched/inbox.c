/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c - what other shards want of this one: wakes of its uthreads, and messages. Any shard
 * pushes to the two lists without a lock; the owner takes a whole list at once, at its next turn.
 * How a push cannot be missed by a shard that is about to sleep is said at the top of shard.c. */
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"

/* If the shard is in the runtime, the event bit is seen when it returns to its program: it clears
 * masked, then looks at pending (upcall.S); here the bit is set, then masked is looked at, with a
 * full barrier on both sides. A program that runs, and a vcore that waits in the kernel, must be
 * notified by the kernel. */
void shard_kick(struct shard *on)
{
	atomic_fetch_or_explicit(&on->vcore->pending, 1ull << GW_EVENT_NOTIFY,
				 memory_order_seq_cst);
	if (atomic_load_explicit(&on->sleeping, memory_order_seq_cst) ||
	    !atomic_load_explicit(&on->vcore->masked, memory_order_seq_cst))
		gw_call(GW_CALL_NOTIFY, on->id, 0, 0);
}

void inbox_take_wakes(struct shard *s)
{
	struct uthread *u = atomic_exchange_explicit(&s->wake_inbox, NULL, memory_order_acquire);

	while (u) {
		struct uthread *next = u->wake_next;

		if (u->shard != s) { /* it moved: pass it on, still QUEUED */
			wake_push(u);
			u = next;
			continue;
		}
		s->stats.wakes_remote++;
		/* From here a new wake pushes it again (acq_rel: pairs with wake_remote). */
		atomic_fetch_and_explicit(&u->token, ~TOKEN_QUEUED, memory_order_acq_rel);
		if (atomic_load_explicit(&u->state, memory_order_relaxed) == UT_PARKED) {
			atomic_fetch_and_explicit(&u->token, ~TOKEN_WAKE, memory_order_acquire);
			sched_ready(s, u);
		}
		u = next;
	}
}

static void run_message(struct message *m)
{
	struct uthread *waiter = m->waiter;

	if (unlikely(waiter && waiter->program && waiter->space != shard_self()->space)) {
		uint32_t before = space_enter(waiter->space);

		m->run(m->arg);
		space_enter(before);
	} else {
		m->run(m->arg);
	}
	atomic_store_explicit(&m->done, 1, memory_order_release);
	if (waiter) {
		uthread_wake(waiter);
		atomic_store_explicit(&m->done, 2, memory_order_release); /* the waiter may go */
	}
}

void inbox_take_messages(struct shard *s)
{
	struct message *m = atomic_exchange_explicit(&s->inbox, NULL, memory_order_acquire);
	struct message *first = NULL;

	while (m) { /* into the order of sending */
		struct message *next = m->next;

		m->next = first;
		first = m;
		m = next;
	}
	while (first) {
		struct message *next = first->next;

		s->stats.messages++;
		run_message(first);
		first = next;
	}
}

static void push_message(struct shard *on, struct message *m)
{
	struct message *head = atomic_load_explicit(&on->inbox, memory_order_relaxed);

	do {
		m->next = head;
	} while (!atomic_compare_exchange_weak_explicit(&on->inbox, &head, m, memory_order_seq_cst,
							memory_order_relaxed));
	if (on != shard_self())
		shard_kick(on);
}

void shard_post(struct shard *on, struct message *m)
{
	m->waiter = NULL;
	atomic_store_explicit(&m->done, 0, memory_order_relaxed);
	push_message(on, m);
}

void shard_call(struct shard *on, void (*fn)(void *), void *arg)
{
	struct message m = { .run = fn, .arg = arg, .waiter = uthread_self() };

	if (on == shard_self()) {
		shard_self()->nofault++;
		fn(arg);
		shard_self()->nofault--;
		return;
	}
	push_message(on, &m);
	while (!atomic_load_explicit(&m.done, memory_order_acquire))
		(void)uthread_park(GW_NEVER);
	/* m is on this stack: until the other shard is past its wake (a few instructions) */
	while (atomic_load_explicit(&m.done, memory_order_acquire) != 2)
		__builtin_ia32_pause();
}
