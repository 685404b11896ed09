/* SPDX-License-Identifier: Apache-2.0 */
/* balance.c - moving whole uthreads between shards. Only those leave that are ready and have
 * nothing of their shard on their stack (new, or preempted in program code), and only their own
 * shard lets them go: an idle shard asks with a message, a busy one whose tick finds others waiting
 * gives one to a sleeping shard. A shard that packets wait for is asked, too: the message makes it
 * look at them, and if then somebody is ready who cannot leave, the program makes room for him
 * (sched_preempt), and can leave itself from then on. */
#include "runtime/sched/sched_internal.h"

static bool give(struct shard *from, struct shard *to)
{
	list_for_each (n, &from->runq) {
		struct uthread *u = list_entry(n, struct uthread, run);

		if (!u->movable || u == from->current)
			continue;
		list_del(&u->run);
		sched_publish(from);
		atomic_fetch_sub_explicit(&from->n_ready, 1, memory_order_relaxed);
		atomic_fetch_sub_explicit(&from->n_uthreads, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&to->n_uthreads, 1, memory_order_relaxed);
		fpu_give_up(from, u, true);
		timer_cancel(&u->park_timer);
		from->stats.steals++;
		atomic_store_explicit(&u->state, UT_PARKED, memory_order_relaxed);
		u->shard = to;
		/* Publishes the above; a waker that still saw `from` pushes there, and take_wakes
		 * passes it on. */
		wake_remote(u);
		return true;
	}
	return false;
}

/* Packets that x has not seen: as the kernel counts them (abi/vcore.h). */
static bool packets_wait(const struct shard *x)
{
	const volatile uint16_t *come = (const volatile uint16_t *)x->vcore->packets_come;
	const volatile uint16_t *seen = (const volatile uint16_t *)x->vcore->packets_seen;

	return come != NULL && seen != NULL && *come != *seen;
}

static void steal_request(void *arg)
{
	struct shard *to = arg;

	shard_self()->asked = !give(shard_self(), to);
	atomic_store_explicit(&to->stealing, 0, memory_order_release);
}

void balance_steal(struct shard *s)
{
	struct shard *victim = NULL;
	uint32_t most = 0;

	if (atomic_load_explicit(&s->stealing, memory_order_acquire) || s->now_ns < s->steal_ns)
		return;
	for (uint32_t i = 0; i < n_shards; i++) {
		uint32_t n;

		if (shards[i] == s)
			continue;
		n = atomic_load_explicit(&shards[i]->n_ready, memory_order_relaxed) +
		    packets_wait(shards[i]);
		if (n > most) {
			most = n;
			victim = shards[i];
		}
	}
	if (!victim)
		return;
	atomic_store_explicit(&s->stealing, 1, memory_order_relaxed);
	s->steal_ns =
		s->now_ns + SLICE_NS; /* what waits may be stuck to its shard: do not pester it */
	s->steal.run = steal_request;
	s->steal.arg = s;
	shard_post(victim, &s->steal);
}

void balance_share(struct shard *s)
{
	for (uint32_t i = 0; i < n_shards; i++) {
		struct shard *to = shards[i];

		if (to != s && atomic_load_explicit(&to->sleeping, memory_order_relaxed) &&
		    !atomic_load_explicit(&to->stealing, memory_order_relaxed)) {
			(void)give(s, to);
			return;
		}
	}
}
