/* SPDX-License-Identifier: Apache-2.0 */
/* sched_internal.h - what the scheduler's files share. */
#ifndef GODWIT_RUNTIME_SCHED_INTERNAL_H
#define GODWIT_RUNTIME_SCHED_INTERNAL_H

#include "runtime/mem/mem.h"
#include "runtime/sched/sched.h"

/* uthread.token */
#define TOKEN_WAKE 1u	/* a wake came while it was not parked */
#define TOKEN_QUEUED 2u /* it is in a wake_inbox, or its waker is about to put it there */

#define STACK_CANARY 0x676f64776974217eull /* in the lowest word of every runtime stack */

/* The highest words of a runtime stack; a program's frame lies right below. upcall.S knows `work`.
 */
struct uthread_top {
	_Atomic uint64_t work; /* not 0: return through personality_return */
	struct uthread *self;
};

/* Stacks, bytes a multiple of a page; NULL: memory is out. stack_free: false, and nothing is done,
 * for the stack of sched_boot. In a Linux process (hosted/stack.c) below each lie addresses
 * that fault. Context: a shard's. */
#ifdef GW_HOSTED
uint8_t *stack_alloc(uint32_t bytes) MUST_CHECK;
bool stack_free(uint8_t *stack, uint32_t bytes);
#else
static inline uint8_t *stack_alloc(uint32_t bytes)
{
	uint64_t pa = pages_gather(bytes / GW_PAGE_SIZE, 1);

	return pa != 0 ? pa_to_va(pa) : NULL;
}

static inline bool stack_free(uint8_t *stack, uint32_t bytes)
{
	if (page_of(va_to_pa(stack)) == NULL)
		return false;
	pages_free(va_to_pa(stack), bytes / GW_PAGE_SIZE);
	return true;
}
#endif

static inline struct uthread_top *uthread_top(struct uthread *u)
{
	return u->top;
}

/* switch.S: save the callee-saved registers and the stack pointer, take up another stack. */
void context_switch(uint64_t *save_sp, uint64_t load_sp);
void uthread_entry(void); /* first return address of a new stack; calls uthread_main */
_Noreturn void uthread_main(void);

/* Make the registers hold u's extended state and FS base, keeping the previous owner's. */
void fpu_take(struct shard *s, struct uthread *u);
/* Nobody's state is in the registers any more: u's is in its area (u == owner), or lost (it ended).
 */
void fpu_give_up(struct shard *s, struct uthread *u, bool save);

/* Put a uthread of this shard, not in any queue, on its run queue. */
void sched_ready(struct shard *s, struct uthread *u);
/* Run the loop until the calling uthread is the one to run. Its state says what happens to it
 * meanwhile. */
void sched_run(struct shard *s);
/* The kernel deadline of this vcore is at most TICK_MAX_NS away (and at most a slice when others
 * are ready). */
void sched_tick(struct shard *s);
/* Called on an event in program code: let others run when the slice is over. */
void sched_preempt(void);
/* Tell a shard that something was pushed to one of its inboxes. */
void shard_kick(struct shard *on);
/* Take what other shards pushed: uthreads to make ready, functions to run. */
void inbox_take_wakes(struct shard *s);
void inbox_take_messages(struct shard *s);
/* Ask the busiest other shard for a uthread; give a waiting uthread to an idle one. */
void balance_steal(struct shard *s);
void balance_share(struct shard *s);
/* Wake it through its shard's wake_inbox. wake_push: the caller made it QUEUED. */
void wake_remote(struct uthread *u);
void wake_push(struct uthread *u);

/* Timer heap. */
int timer_insert(struct shard *s, struct timer *t, uint64_t deadline_ns);
void timer_remove(struct shard *s, struct timer *t);
void timers_run(struct shard *s); /* fires what is due at s->now_ns */
int timers_init(struct shard *s); /* the first heap: 0, -ENOMEM */

static inline uint64_t timers_next(const struct shard *s)
{
	return s->heap_len ? s->heap[0]->deadline_ns : GW_NEVER;
}

/* Send what is batched, enable the devices' interrupts; true: something is there after all.
 * Callbacks must not park. */
static inline bool pollers_arm(struct shard *s, uint64_t *deadline_ns)
{
	bool work = false;

	list_for_each (n, &s->pollers) {
		struct poller *p = list_entry(n, struct poller, link);

		if (p->arm && p->arm(p, deadline_ns))
			work = true;
	}
	return work;
}

/* ---- starting ---- */
/* A shard's fields, before anything else of it is used. */
void shard_setup(struct shard *s, uint32_t id, struct uthread *boot);
void uthread_setup(struct uthread *u, struct shard *s, uint8_t *stack, uint32_t stack_bytes,
		   const char *name);
void clock_init(const struct gw_clock *clock);
void shard_vcore_init(struct shard *s); /* the calling vcore's upcall entries and words */
_Noreturn void shard_secondary(struct shard *s);
void shard_entry(void); /* start.S: a secondary vcore's first instruction */
void uthreads_reap(struct shard *s);

/* ---- upcall.S ---- */
void upcall_syscall_entry(void);
void upcall_entry(void);

/* Tell the kernel's elastic allocator since when the oldest ready uthread waits (abi/vcore.h). Of
 * packets it knows by itself: the device's driver has said where they are counted. */
static inline void sched_publish(struct shard *s)
{
	s->vcore->ready_ns =
		list_empty(&s->runq) ? 0 : list_entry(s->runq.next, struct uthread, run)->ready_ns;
}

#endif
