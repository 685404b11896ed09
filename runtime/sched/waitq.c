/* SPDX-License-Identifier: Apache-2.0 */
/* waitq.c - queues of waiters and the blocking lock, over park and wake. */
#include "runtime/sched/sched.h"

void waitq_init(struct waitq *q)
{
	atomic_store_explicit(&q->lock.held, 0, memory_order_relaxed);
	list_init(&q->waiters);
}

void waitq_add(struct waitq *q, struct waiter *w)
{
	spin_lock(&q->lock); /* a full barrier: the caller's look at its condition comes after
				(waitq_notify) */
	list_add_tail(&q->waiters, &w->link);
	spin_unlock(&q->lock);
}

void waitq_del(struct waitq *q, struct waiter *w)
{
	spin_lock(&q->lock);
	list_del(&w->link);
	spin_unlock(&q->lock);
}

void waitq_notify(struct waitq *q, uint32_t events)
{
	bool exclusive_done = false;

	/* The condition was stored before this look at the queue; a waiter on another shard adds
	 * itself, then looks at the condition: with a full barrier on both sides one of the two
	 * sees the other. */
	if (n_shards > 1)
		atomic_thread_fence(memory_order_seq_cst);
	if (*(struct list_node *volatile *)&q->waiters.next == &q->waiters)
		return;
	spin_lock(&q->lock);
	list_for_each_safe(n, &q->waiters)
	{
		struct waiter *w = list_entry(n, struct waiter, link);

		if (w->events && !(w->events & events))
			continue;
		if (w->exclusive) {
			if (exclusive_done)
				continue;
			exclusive_done = true;
		}
		if (w->notify)
			w->notify(w, events);
		else
			uthread_wake(w->uthread);
	}
	spin_unlock(&q->lock);
}

struct mutex_waiter {
	struct list_node link;
	struct uthread *uthread;
};

void mutex_init(struct mutex *m)
{
	atomic_store_explicit(&m->lock.held, 0, memory_order_relaxed);
	m->holder = NULL;
	list_init(&m->waiters);
}

bool mutex_trylock(struct mutex *m)
{
	bool free;

	spin_lock(&m->lock);
	free = !m->holder;
	if (free)
		m->holder = uthread_self();
	spin_unlock(&m->lock);
	return free;
}

/* The lock is handed to the first waiter by mutex_unlock; a waiter looks under the spin lock, so
 * that its waker is done with it when it sees itself the holder. */
void mutex_lock(struct mutex *m)
{
	struct mutex_waiter w;
	bool mine;

	spin_lock(&m->lock);
	if (likely(!m->holder)) {
		m->holder = uthread_self();
		spin_unlock(&m->lock);
		return;
	}
	w.uthread = uthread_self();
	if (unlikely(m->holder == w.uthread))
		panic("mutex_lock: held by the caller");
	list_add_tail(&m->waiters, &w.link);
	do {
		spin_unlock(&m->lock);
		(void)uthread_park(GW_NEVER);
		spin_lock(&m->lock);
		mine = m->holder == w.uthread;
	} while (!mine);
	spin_unlock(&m->lock);
}

void mutex_unlock(struct mutex *m)
{
	struct list_node *n;

	spin_lock(&m->lock);
	if (unlikely(m->holder != uthread_self()))
		panic("mutex_unlock: not held by the caller");
	n = list_pop(&m->waiters);
	if (n) {
		m->holder = list_entry(n, struct mutex_waiter, link)->uthread;
		uthread_wake(m->holder);
	} else {
		m->holder = NULL;
	}
	spin_unlock(&m->lock);
}
