/* SPDX-License-Identifier: Apache-2.0 */
/* sched.h - shards and uthreads: the runtime's scheduler. One shard a vcore; a shard's data is
 * touched by its own vcore only, others reach it by messages (shard_call, shard_post,
 * uthread_wake).
 *
 * There is no scheduler thread: a uthread that parks runs the shard's loop on its own stack until
 * something is runnable; if that is itself, park returns without a switch (the usual case of a
 * one-threaded server). The runtime is never preempted: interrupts only set event bits while it
 * runs. Programs are (upcall.h).
 *
 * The loop, in order: take events; poll devices; run messages, due timers; run a uthread if one is
 * ready; otherwise arm device interrupts, look once more, poll for poll_ns, and wait in the kernel.
 */
#ifndef GODWIT_RUNTIME_SCHED_H
#define GODWIT_RUNTIME_SCHED_H

#include "abi/boot.h"
#include "abi/vcore.h"
#include "runtime/base/list.h"
#include "runtime/base/latency.h"

struct shard;
struct uthread;

/* ---- timers: per shard, one-shot; callbacks run in the shard's loop, must not park ---- */
struct timer {
	uint64_t deadline_ns;
	void (*fire)(struct timer *t);
	uint32_t slot;	     /* position in the shard's heap, ~0: not armed */
	struct shard *shard; /* where it is armed */
};
static inline void timer_init(struct timer *t, void (*fire)(struct timer *))
{
	*t = (struct timer){ .deadline_ns = GW_NEVER, .fire = fire, .slot = ~0u, .shard = NULL };
}
/* Arm or move on the calling shard. 0, or -ENOMEM (never for a timer armed before; the heap only
 * grows). */
int timer_arm(struct timer *t, uint64_t deadline_ns);
/* Cancel; harmless if not armed. Must be called on the shard where it was armed, or through
 * timer_cancel_sync from any (a message there; may park). After return it does not fire. */
void timer_cancel(struct timer *t);
void timer_cancel_sync(struct timer *t);

/* ---- devices ---- */
struct poller {
	struct list_node link, flush_link;
	/* Take what the device has; returns whether there was anything. Called every loop turn and
	 * tick. */
	bool (*poll)(struct poller *p);
	/* Send out what was batched (ring the doorbells). Called at flush points. */
	void (*flush)(struct poller *p);
	/* Before waiting: flush, enable the device's interrupt and look again: true = there is
	 * work, do not wait. Lowers *deadline_ns to the next time it wants a poll anyway. */
	bool (*arm)(struct poller *p, uint64_t *deadline_ns);
};
/* Any of poll, flush, arm may be NULL. Context: the shard's own. */
void shard_add_poller(struct poller *p);

/* ---- shards ---- */
#define SHARD_MAX GW_MAX_VCORES
struct net_stack;
struct pbuf_pool;

struct message { /* one cross-shard call or post */
	struct message *next;
	void (*run)(void *arg);
	void *arg;
	struct uthread *waiter; /* woken afterwards; NULL for a post */
	_Atomic uint32_t done;
};

struct shard_stats {
	uint64_t switches, parks, wakes_local, wakes_remote, messages, waits, ticks, steals,
		preemptions;
};

struct shard {
	uint32_t id;
	struct gw_vcore *vcore;
	struct uthread *current;  /* running uthread; the shard's own boot uthread at first */
	struct list_node runq;	  /* ready uthreads, FIFO */
	_Atomic uint32_t n_ready; /* readable by others for load balancing */
	_Atomic uint32_t n_uthreads;
	uint64_t now_ns;		    /* clock at the last loop turn or clock_now() */
	uint64_t armed_ns;		    /* the tick that is set in the kernel; GW_NEVER: none */
	struct list_node pollers, flushers; /* flushers: those that flush */
	uint64_t events; /* what the kernel posted before this turn: bits as in enum gw_event */
	struct timer **heap;
	uint32_t heap_len, heap_cap;
	_Atomic(struct message *) inbox;      /* pushed by others (LIFO, reversed when taken) */
	_Atomic(struct uthread *) wake_inbox; /* uthreads woken by other shards */
	_Atomic uint32_t sleeping;	      /* set around wait: a pusher must notify */
	struct uthread *fpu_owner;	      /* whose extended state is in the registers */
	_Atomic uint32_t space; /* the vcore's current address space; written by its own vcore */
	uint32_t nofault; /* > 0: must not block: the loop's callbacks run, or a no-fault copy */
	struct net_stack *net; /* set by net glue */
	struct pbuf_pool *pbufs;
	void *personality;     /* the Linux personality's per-shard state */
	struct mem_cache *mem; /* the memory allocator's */
	struct list_node dead; /* uthreads that ended, to be freed from another stack */
	uint64_t idle_ns;      /* how long an idle wait may last now: TICK_MAX_NS .. TICK_IDLE_NS */
	_Atomic uint32_t stealing; /* a steal request of this shard is under way */
	bool asked;		   /* another one's has found nothing here that may leave */
	struct message steal;	   /* that request */
	uint64_t steal_ns;	   /* not before */
	uint64_t watched_ns; /* the devices' interrupts were last enabled under a running program */
	uint64_t turned_ns;  /* when the program, by a call, last looked at the devices */
	struct shard_stats stats;
	struct latency *latency; /* LATENCY_KINDS of them */
	uint64_t rx_ns;		 /* while packets are delivered: when they were found; else 0 */
	uint64_t tx_ns; /* a program's first write to the network that is not sent; 0: none */
};

#define TICK_MAX_NS (10 * NS_PER_MS) /* a running program is interrupted at least this often */
#define TICK_IDLE_NS NS_PER_SEC	     /* an idle shard looks at its devices at least this often */
#define SLICE_NS NS_PER_MS	     /* a program's turn while others are ready */

/* runtime's own words in gw_vcore.user[] (assembly knows these) */
enum vcore_user {
	VU_SHARD = 0,	  /* struct shard * */
	VU_STACK_TOP = 1, /* top of the current uthread's runtime stack */
	VU_SCRATCH = 2,	  /* program's rsp at syscall entry */
	VU_JUMP = 3,	  /* program's rip on a full return */
};

extern struct shard *shards[SHARD_MAX];
extern uint32_t n_shards;
extern uint64_t
	sched_poll_ns; /* a shard with nothing to do polls its devices this long before it waits */

/* The calling vcore's shard. One load (gs). A uthread may be on another shard after it parked. */
#ifdef GW_HOST_TEST
struct shard *shard_self_host(void);
static inline struct shard *shard_self(void)
{
	return shard_self_host();
}
#else
static inline struct shard *shard_self(void)
{
	struct shard *s;
	__asm__ volatile("movq %%gs:%c1, %0" : "=r"(s) : "i"(0x200 + 8 * VU_SHARD));
	return s;
}
#endif

/* Run fn(arg) in the loop context of `on` and wait (parks; runs directly when it is the caller's
 * own shard). A program uthread's fn finds that program's memory there. */
void shard_call(struct shard *on, void (*fn)(void *), void *arg);
/* As shard_call without waiting; m lives until it has run (m->done). */
void shard_post(struct shard *on, struct message *m);
/* Ring doorbells, poll devices once, run due timers and messages, without parking. For programs
 * that never block: epoll with timeout 0, sched_yield, ticks. */
void shard_turn(void);
/* A program writes to the network at now_ns: noted until the device is told. */
static inline void shard_note_write(uint64_t now_ns)
{
	struct shard *s = shard_self();

	if (MEASURE && s->tx_ns == 0)
		s->tx_ns = now_ns;
}
/* Only ring doorbells. */
void shard_flush(void);
/* The start of everything else: memory, clock and shard 0; what calls it goes on as shard 0's boot
 * uthread and must end in uthread_exit. boot_stack: UTHREAD_STACK bytes, 16-aligned, that the
 * caller runs on. Once, on vcore 0. Panics when memory is out. */
void sched_boot(const struct gw_boot_info *boot, uint8_t *boot_stack);
/* Start vcores 1..n-1, each running init (may be NULL) and then its loop. Returns when all have run
 * it. Context: a uthread of shard 0. Panics when memory is out. */
typedef void (*shard_hook)(struct shard *s);
void shards_start(uint32_t n, shard_hook init);

/* ---- uthreads ---- */
/* A runtime stack where nobody asks for another size. Hosted builds set a larger one: C libraries
 * take more. */
#ifndef UTHREAD_STACK
#define UTHREAD_STACK 16384u
#endif
#define UTHREAD_STACK_MIN 8192u
#define UTHREAD_STACK_MAX (1u << 20)
enum uthread_state { UT_READY, UT_RUNNING, UT_PARKED, UT_DEAD };

struct uthread {
	struct list_node run;	   /* run queue */
	struct uthread *wake_next; /* wake_inbox */
	uint64_t sp;		   /* saved stack pointer while not running */
	struct shard *shard;	   /* where it runs; changes only by the scheduler */
	_Atomic uint32_t state;
	_Atomic uint32_t token; /* a wake that came before the park */
	uint8_t *stack;		/* stack_bytes of it, `top` in its highest words */
	struct uthread_top *top;
	uint32_t stack_bytes;
	void *fpu;	  /* XSAVE area, allocated for program uthreads */
	uint64_t fs_base; /* the program's; loaded on switch when it differs */
	uint32_t space;	  /* address space of its program; a new uthread begins in number 0 */
	bool program;	  /* runs program code: has fpu and fs state */
	bool timed;	  /* the shard's histograms have it: programs, and native programs' tasks */
	bool movable; /* ready, and nothing of its shard on its stack: new, or preempted in program
			 code */
	struct timer park_timer; /* at park_until_ns or before; of an earlier park, perhaps */
	uint64_t park_until_ns;	 /* the deadline of its park; GW_NEVER: none; 0: it came */
	void *owner;		 /* the personality's thread */
	void (*fn)(void *);
	void *arg;
	uint64_t slice_end_ns;
	uint64_t cpu_ns;       /* time it ran (for clock_gettime thread/process CPU time) */
	uint64_t run_since_ns; /* parked: since when */
	uint64_t ready_ns;     /* when it became ready */
	const char *name;
};

static inline struct uthread *uthread_self(void)
{
	return shard_self()->current;
}
/* Whether the caller may park: false in timer and poller callbacks and while shard->nofault is
 * raised. */
static inline bool sched_may_park(void)
{
	return shard_self()->nofault == 0;
}
/* Create, ready on shard `on` (NULL: the least loaded). 0, -ENOMEM. fn must not return into
 * nothing: returning from fn ends the uthread. */
int uthread_create(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
		   const char *name, bool program, void *owner) MUST_CHECK;
/* The same for one that runs no program, with a stack of its own size: UTHREAD_STACK_MIN to
 * UTHREAD_STACK_MAX, rounded up to pages; 0: UTHREAD_STACK. It is timed. 0, -ENOMEM, -EINVAL. */
int uthread_create_sized(struct uthread **out, struct shard *on, void (*fn)(void *), void *arg,
			 const char *name, size_t stack_bytes) MUST_CHECK;
/* End the calling uthread; the scheduler frees it and its stack. Nobody may wake it once it has
 * called this, save wakes that are on their way. */
_Noreturn void uthread_exit(void);
/* Let others run; polls devices when the slice is over. */
void uthread_yield(void);
/* Sleep until woken or deadline (GW_NEVER: none). Returns 0 = woken (maybe spuriously: re-check
 * your condition in a loop), -ETIMEDOUT. A wake that happened since the last park makes it return
 * at once. */
int uthread_park(uint64_t deadline_ns);
/* Make it ready if parked, else leave it a token. Any shard, any context of the runtime. O(1). */
void uthread_wake(struct uthread *u);
void uthread_sleep_until(uint64_t deadline_ns);

/* ---- waiting: queues of waiters under a short lock; the base of futex, pipes, sockets, epoll ----
 */
struct waiter {
	struct list_node link;
	/* Called with the queue's lock held: must be short, must not touch the queue. */
	void (*notify)(struct waiter *w, uint32_t events);
	struct uthread *uthread; /* notify == NULL: uthread_wake(uthread) */
	uint32_t events;	 /* interest; 0 = all */
	bool exclusive;		 /* wake at most one exclusive waiter per notify */
};
struct waitq {
	struct spinlock lock;
	struct list_node waiters;
};
void waitq_init(struct waitq *q);
void waitq_add(struct waitq *q, struct waiter *w);
void waitq_del(struct waitq *q, struct waiter *w);
/* Notify the waiters interested in any of `events` (~0u: all of them; exclusive ones: the first
 * only). Cheap when empty. */
void waitq_notify(struct waitq *q, uint32_t events);

/* A blocking lock for long sections (page cache, address space): may be held while parking. Fair
 * FIFO. */
struct mutex {
	struct spinlock lock;
	struct uthread *holder;
	struct list_node waiters;
};
void mutex_init(struct mutex *m);
void mutex_lock(struct mutex *m);
bool mutex_trylock(struct mutex *m);
void mutex_unlock(struct mutex *m);

/* ---- clock ---- */
uint64_t clock_now(void);      /* monotonic ns, reads the TSC, updates shard->now_ns */
uint64_t clock_epoch_ns(void); /* CLOCK_REALTIME - CLOCK_MONOTONIC; settable */
void clock_set_epoch(uint64_t ns);

#endif
