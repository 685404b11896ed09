/* SPDX-License-Identifier: Apache-2.0 */
/* uthread.c - the life of a uthread: creation, parking, waking, its end.
 *
 *   runtime stack:  stack                                                      stack +
 * stack_bytes | canary | ... grows down ... | struct program_frame | struct uthread_top |
 *
 * Wakes. On its own shard, a parked uthread is put on the run queue at once. From another shard its
 * token gets WAKE and QUEUED; whoever set QUEUED pushes it to its shard's wake_inbox, and that
 * shard clears QUEUED before it looks at the state, so that a wake is either in the token or in the
 * inbox when the uthread parks. */
#include "runtime/base/errno.h"
#include "runtime/mem/mem.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"

/* The timer of a park stays armed when a wake ends it before: a server that waits for its clients
 * with a timeout parks thousands of times before one runs out, and the next deadline is mostly the
 * later one. What fires then is a deadline of the past; the one that counts is park_until. */
static void park_timeout(struct timer *t)
{
	struct uthread *u = container_of(t, struct uthread, park_timer);
	struct shard *s = t->shard;

	if (atomic_load_explicit(&u->state, memory_order_relaxed) != UT_PARKED ||
	    u->park_until_ns == GW_NEVER)
		return;
	if (u->park_until_ns > s->now_ns) {
		if (timer_insert(s, t, u->park_until_ns) < 0)
			panic("no room for a timer that had some");
		return;
	}
	u->park_until_ns = 0; /* tells uthread_park */
	sched_ready(s, u);
}

void uthread_setup(struct uthread *u, struct shard *s, uint8_t *stack, uint32_t stack_bytes,
		   const char *name)
{
	*u = (struct uthread){ .shard = s,
			       .stack = stack,
			       .top = (struct uthread_top *)(void *)(stack + stack_bytes) - 1,
			       .stack_bytes = stack_bytes,
			       .name = name };
	list_init(&u->run);
	timer_init(&u->park_timer, park_timeout);
	*(uint64_t *)(void *)stack = STACK_CANARY;
	uthread_top(u)->self = u;
	atomic_store_explicit(&uthread_top(u)->work, 0, memory_order_relaxed);
}

static struct shard *least_loaded(void)
{
	struct shard *best = shard_self();

	for (uint32_t i = 0; i < n_shards; i++) {
		struct shard *s = shards[i];

		if (atomic_load_explicit(&s->n_uthreads, memory_order_relaxed) <
		    atomic_load_explicit(&best->n_uthreads, memory_order_relaxed))
			best = s;
	}
	return best;
}

static int create(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
		  const char *name, bool program, bool timed, void *owner, uint32_t stack_bytes)
{
	struct uthread *u = mem_alloc(sizeof(*u));
	uint8_t *stack = stack_alloc(stack_bytes);
	void *fpu = program ? mem_alloc(fpu_state_size()) : NULL;
	uint64_t *sp;

	if (!u || !stack || (program && !fpu)) {
		mem_free(u, sizeof(*u));
		if (stack)
			(void)stack_free(stack, stack_bytes);
		mem_free(fpu, fpu_state_size());
		return -ENOMEM;
	}
	if (!on)
		on = least_loaded();
	uthread_setup(u, on, stack, stack_bytes, name);
	u->fn = fn;
	u->arg = arg;
	u->program = program;
	u->timed = timed;
	u->owner = owner;
	u->movable = program;
	u->run_since_ns = shard_self()->now_ns;
	u->fpu = fpu;
	if (program)
		fpu_init_area(fpu);
	/* below the place of the program's frame; context_switch pops six registers and returns */
	sp = (uint64_t *)(void *)((uint8_t *)uthread_top(u) - sizeof(struct program_frame));
	*--sp = (uint64_t)uthread_entry;
	for (int i = 0; i < 6; i++)
		*--sp = 0;
	u->sp = (uint64_t)sp;
	atomic_fetch_add_explicit(&on->n_uthreads, 1, memory_order_relaxed);
	atomic_store_explicit(&u->state, UT_PARKED, memory_order_relaxed);
	if (out)
		*out = u;
	uthread_wake(u);
	return 0;
}

int uthread_create(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
		   const char *name, bool program, void *owner)
{
	return create(out, on, fn, arg, name, program, program, owner, UTHREAD_STACK);
}

int uthread_create_sized(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
			 const char *name, size_t stack_bytes)
{
	if (stack_bytes == 0)
		stack_bytes = UTHREAD_STACK;
	if (stack_bytes < UTHREAD_STACK_MIN || stack_bytes > UTHREAD_STACK_MAX)
		return -EINVAL;
	stack_bytes = ROUND_UP(stack_bytes, GW_PAGE_SIZE);
	return create(out, on, fn, arg, name, false, true, NULL, (uint32_t)stack_bytes);
}

_Noreturn void uthread_main(void)
{
	struct uthread *u = uthread_self();

	u->fn(u->arg);
	uthread_exit();
}

_Noreturn void uthread_exit(void)
{
	struct shard *s = shard_self();
	struct uthread *u = s->current;

	timer_cancel(&u->park_timer);
	fpu_give_up(s, u, false);
	atomic_store_explicit(&u->state, UT_DEAD, memory_order_relaxed);
	atomic_fetch_sub_explicit(&s->n_uthreads, 1, memory_order_relaxed);
	list_add_tail(&s->dead, &u->run);
	sched_run(s);
	panic("a dead uthread ran");
}

/* Frees what ended, from another stack, when no late wake holds it. */
void uthreads_reap(struct shard *s)
{
	list_for_each_safe(n, &s->dead)
	{
		struct uthread *u = list_entry(n, struct uthread, run);

		if (u == s->current ||
		    (atomic_load_explicit(&u->token, memory_order_acquire) & TOKEN_QUEUED))
			continue;
		list_del(n);
		if (stack_free(u->stack, u->stack_bytes)) {
			if (u->fpu)
				mem_free(u->fpu, fpu_state_size());
			mem_free(u, sizeof(*u));
		}
	}
}

int uthread_park(uint64_t deadline_ns)
{
	struct shard *s = shard_self();
	struct uthread *u = s->current;

	if (unlikely(s->nofault))
		panic("%s parks where it must not", u->name);
	if (atomic_load_explicit(&u->token, memory_order_relaxed) & TOKEN_WAKE) {
		/* acquire: what the waker wrote before is seen after */
		atomic_fetch_and_explicit(&u->token, ~TOKEN_WAKE, memory_order_acquire);
		return 0;
	}
	s->stats.parks++;
	u->park_until_ns = deadline_ns;
	if (deadline_ns != GW_NEVER &&
	    (u->park_timer.slot == ~0u || u->park_timer.deadline_ns > deadline_ns) &&
	    unlikely(timer_insert(s, &u->park_timer, deadline_ns) < 0))
		panic("no memory for a timer");
	atomic_store_explicit(&u->state, UT_PARKED, memory_order_relaxed);
	sched_run(s);
	return u->park_until_ns == 0 ? -ETIMEDOUT : 0;
}

void uthread_sleep_until(uint64_t deadline_ns)
{
	while (uthread_park(deadline_ns) == 0)
		if (clock_now() >= deadline_ns)
			return;
}

void uthread_yield(void)
{
	struct shard *s = shard_self();
	struct uthread *u = s->current;

	if (list_empty(&s->runq) && clock_now() < u->slice_end_ns)
		return;
	sched_ready(s, u);
	sched_run(s);
}

void uthread_wake(struct uthread *u)
{
	struct shard *s = shard_self();

	if (unlikely(u->shard != s)) {
		wake_remote(u);
		return;
	}
	if (likely(atomic_load_explicit(&u->state, memory_order_relaxed) == UT_PARKED)) {
		s->stats.wakes_local++;
		sched_ready(s, u);
	} else {
		atomic_fetch_or_explicit(&u->token, TOKEN_WAKE, memory_order_release);
	}
}

void wake_push(struct uthread *u)
{
	struct shard *on = u->shard;
	struct uthread *head = atomic_load_explicit(&on->wake_inbox, memory_order_relaxed);

	do {
		u->wake_next = head;
	} while (!atomic_compare_exchange_weak_explicit(
		&on->wake_inbox, &head, u, memory_order_seq_cst, memory_order_relaxed));
	shard_kick(on);
}

void wake_remote(struct uthread *u)
{
	/* acq_rel: what the waker wrote is before the wake; pairs with take_wakes and uthread_park
	 */
	uint32_t before = atomic_fetch_or_explicit(&u->token, TOKEN_WAKE | TOKEN_QUEUED,
						   memory_order_acq_rel);

	if (!(before & TOKEN_QUEUED))
		wake_push(u);
}
