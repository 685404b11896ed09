/* SPDX-License-Identifier: Apache-2.0 */
/* apex_internal.h - the executive's state and what its files share. The state is one structure for
 * all cores of the partition, changed only between apex_lock and apex_unlock: one lock, held for
 * the bounded time of a service. Nothing in there touches memory that the application named, unless
 * plat_touch has proved it before.
 *
 *                START                    picked
 *     DORMANT ------------> READY <------------------> (running: some core's current)
 *        ^                    ^ |                        | fault          | waits
 *        | STOP               | |                        v                v
 *        +--- from any    wake| +----------> WAITING   FAULTED --RESUME--> READY
 */
#ifndef GODWIT_ARINC653_INTERNAL_H
#define GODWIT_ARINC653_INTERNAL_H

#include "abi/apex_config.h"
#include "arinc653/apex.h"
#include "runtime/base/list.h"
#include "runtime/base/str.h"

#define TIME_MAX INT64_MAX /* the last point of time that SYSTEM_TIME_TYPE holds */
#define APEX_CORES APEX_CONFIG_CORES
#define NO_CORE APEX_CORES

/* A queue of waiting processes, in the order of their coming. */
struct waitq {
	struct list_node head;
	QUEUING_DISCIPLINE_TYPE discipline;
	WAITING_RANGE_TYPE count;
};

/* What a process waits for; WAIT_NONE in state WAITING: it is suspended. */
enum apex_wait {
	WAIT_NONE,
	WAIT_NORMAL,  /* started, the partition is not in NORMAL mode yet */
	WAIT_RELEASE, /* periodic: the next release point */
	WAIT_DELAY,   /* TIMED_WAIT, DELAYED_START */
	WAIT_QUEUE,   /* an object */
};

struct apex_mutex;

struct apex_process {
	struct list_node ready; /* in its apex_ready's heads[current_priority], while READY */
	struct list_node queue; /* in on->head, while WAIT_QUEUE; in apex.started before NORMAL */
	struct list_node timer; /* in its core's timers, by timer_at */
	struct list_node watch; /* in its core's deadlines, by deadline_at */
	uint64_t timer_at, deadline_at; /* GW_NEVER: none */
	PROCESS_ATTRIBUTE_TYPE attributes;
	PROCESS_ID_TYPE id; /* index + 1; MAIN_PROCESS_ID; the error handler: NULL_PROCESS_ID */
	PRIORITY_TYPE current_priority, retained_priority;
	PROCESS_STATE_TYPE state; /* never RUNNING: that is READY and on a core */
	enum apex_wait wait;
	bool suspended;
	bool suspended_itself; /* its timer is that of SUSPEND_SELF */
	struct waitq *on;
	RETURN_CODE_TYPE result;   /* of the wait */
	SYSTEM_TIME_TYPE delay;	   /* WAIT_NORMAL: of DELAYED_START */
	uint64_t release_at;	   /* periodic: the current release point */
	struct apex_mutex *owned;  /* at most one, perhaps apex.preemption */
	MESSAGE_ADDR_TYPE message; /* WAIT_QUEUE: what it sends, or where it receives */
	MESSAGE_SIZE_TYPE length;
	PROCESSOR_CORE_ID_TYPE core; /* affinity */
	int64_t age;		     /* READY: the smaller, the longer it has its place */
	uint32_t running;	     /* the core that has its context; NO_CORE: none */
	uint32_t home;		     /* the core it had last, or its only one: its timers' */
	_Atomic uint32_t left;	     /* how often it has left a core */
	bool fresh; /* started anew while a core still had it: begins when that looks */
	uint8_t *stack_top;
	void *context; /* platform.h */
};

/* Every kind of object begins with this, so that they can be looked up alike. */
struct apex_object {
	NAME_TYPE name;
	struct waitq queue;
};

struct apex_mutex {
	struct apex_object o;
	struct apex_process *owner;
	PRIORITY_TYPE priority;
	LOCK_COUNT_TYPE count;
};

#define ERRORS_MAX 32u /* that wait for the error handler */

/* READY processes, whether they run or not: a queue for each priority. */
struct apex_ready {
	struct list_node heads[MAX_PRIORITY_VALUE + 1];
	uint64_t bits[4]; /* bit p: heads[p] is not empty */
};

/* A core of the partition: a vcore. */
struct apex_core {
	struct apex_process *current; /* whose context it has; NULL: nobody's, it idles */
	struct apex_process *next;    /* who should run on it: cores_assign */
	bool kicked;		      /* it was told to look, and has not yet */
	struct list_node timers, deadlines;
	uint64_t armed; /* what plat_timer was last told */
};

struct apex_partition {
	const struct apex_config *config;
	OPERATING_MODE_TYPE mode;
	START_CONDITION_TYPE start_condition;
	uint32_t n_cores;
	struct apex_core cores[APEX_CORES];
	_Atomic uint32_t ticket, serving; /* the lock, in the order of coming */
	struct apex_process main, handler;
	bool handler_made, handler_active, handler_asked; /* asked: it got an error status */
	bool handler_shares;				  /* PROCESSES_SCHEDULED */
	uint32_t handler_core;				  /* while it is active */
	bool resched;					  /* who should run may have changed */
	uint32_t n_processes;
	struct apex_process processes[MAX_NUMBER_OF_PROCESSES];
	struct list_node started;		 /* WAIT_NORMAL, in the order of their starts */
	struct apex_ready ready[APEX_CORES + 1]; /* of each core; [n_cores]: of any */
	int64_t oldest, youngest;		 /* ages given */
	struct apex_mutex preemption;
	uint32_t lock_core; /* of its owner, which has this core for itself */
	uint32_t first_error, n_errors;
	ERROR_STATUS_TYPE errors[ERRORS_MAX];
};

extern struct apex_partition apex;

/* ---- config.c ---- */

/* apex_config_check - the blob of len bytes is a valid configuration. Returns NULL, or what is
 * wrong with it. Trusts nothing. */
const char *apex_config_check(const void *blob, size_t len);

/* ---- sched.c ---- */

/* apex_start - the partition as at its start, locked, with its main process current on this core;
 * the platform then runs `main` on it, unmasked (apex_release), and apex_main_return after it.
 * apex_core_main - where another core begins in NORMAL mode, masked, on its own stack. */
void apex_start(const struct apex_config *config, uint32_t n_cores);
_Noreturn void apex_main_return(void);
_Noreturn void apex_core_main(void);

/* apex_lock, apex_unlock - around every use of the state. Unlocking lets whoever should run now run
 * first; returns unmasked. */
void apex_lock(void);
void apex_unlock(void);

/* apex_acquire, apex_release - the lock alone, masked. Nobody else has a core's last context before
 * that core has left its stack: plat_switch goes on locked. */
void apex_acquire(void);
void apex_release(void);

/* apex_go - go on with whoever should run on this core; its last context is kept already, or not
 * needed. apex_idle - the same on the core's own stack, where nobody's context is, after sleeping
 * until there is somebody. Masked, locked. */
_Noreturn void apex_go(void);
_Noreturn void apex_idle(void);

/* apex_process_return - a process's entry function has returned. */
_Noreturn void apex_process_return(void);

/* process_enter - p runs from its entry function on when it runs next, with an empty stack. */
void process_enter(struct apex_process *p);

/* process_ready - p runs when its turn comes: behind (or, first, before) those of its priority.
 * process_place: p, if READY, anew with its priority. process_off: p is neither READY nor in a
 * queue, nothing wakes it; state is what it is from now on. */
void process_ready(struct apex_process *p, bool first);
void process_place(struct apex_process *p, PRIORITY_TYPE priority, bool first);
void process_off(struct apex_process *p, PROCESS_STATE_TYPE state);

/* process_wake - p's wait is over with this result; it is READY, unless suspended. */
void process_wake(struct apex_process *p, RETURN_CODE_TYPE result);

/* The process that runs on this core. Masked. */
uint32_t plat_core(void); /* platform.h */
static inline struct apex_process *current(void)
{
	return apex.cores[plat_core()].current;
}

static inline bool is_handler(void)
{
	return current() == &apex.handler;
}

/* The current process must not wait: it is the main process, the error handler, or has a mutex. */
static inline bool cannot_wait(void)
{
	return apex.mode != NORMAL || is_handler() || current()->owned != NULL;
}

/* t is INFINITE_TIME_VALUE, or a time after which a point of time is left. */
static inline bool time_valid(SYSTEM_TIME_TYPE t, uint64_t from)
{
	return t == INFINITE_TIME_VALUE || (t >= 0 && (uint64_t)t <= (uint64_t)TIME_MAX - from);
}

/* The point of time t after from; GW_NEVER for INFINITE_TIME_VALUE. t is time_valid. */
static inline uint64_t time_after(uint64_t from, SYSTEM_TIME_TYPE t)
{
	return t == INFINITE_TIME_VALUE ? GW_NEVER : from + (uint64_t)t;
}

static inline bool is_periodic(const struct apex_process *p)
{
	return p->attributes.PERIOD != INFINITE_TIME_VALUE;
}

/* A core of the partition, or no preference. */
static inline bool core_valid(PROCESSOR_CORE_ID_TYPE core)
{
	return core == CORE_AFFINITY_NO_PREFERENCE || (core >= 0 && (uint32_t)core < apex.n_cores);
}

static inline bool discipline_valid(QUEUING_DISCIPLINE_TYPE d)
{
	return d == FIFO || d == PRIORITY;
}

/* ---- wait.c ---- */

/* The next one of q by its discipline, or NULL. */
struct apex_process *waitq_first(const struct waitq *q);
void waitq_init(struct waitq *q, QUEUING_DISCIPLINE_TYPE discipline);

/* apex_wait_for (sched.c), apex_wait_on - the current process waits for the time, or in q, at most
 * time_out. Returns its result. Time-outs are valid (time_valid), waiting is allowed (cannot_wait).
 */
RETURN_CODE_TYPE apex_wait_for(enum apex_wait why, uint64_t at);
RETURN_CODE_TYPE apex_wait_on(struct waitq *q, SYSTEM_TIME_TYPE time_out);

/* wait_object - what a service does that cannot be served now: NOT_AVAILABLE without a time-out,
 * INVALID_MODE for a process that cannot wait, or as apex_wait_on. wait_send: with a message for
 * whoever makes room. wait_receive: for one, of *length bytes, 0 unless NO_ERROR. */
RETURN_CODE_TYPE wait_object(struct waitq *q, SYSTEM_TIME_TYPE time_out);
RETURN_CODE_TYPE wait_send(struct waitq *q, MESSAGE_ADDR_TYPE message, MESSAGE_SIZE_TYPE length,
			   SYSTEM_TIME_TYPE time_out);
RETURN_CODE_TYPE wait_receive(struct waitq *q, MESSAGE_ADDR_TYPE message, MESSAGE_SIZE_TYPE *length,
			      SYSTEM_TIME_TYPE time_out);

/* ---- cores.c ---- */

/* ready_init, ready_add, ready_del - the queues of READY processes. first: before those of its
 * priority. */
void ready_init(void);
void ready_add(struct apex_process *p, bool first);
void ready_del(struct apex_process *p);

/* cores_assign - who should run on each core: `next`. core_wants - who can run on core c now: next,
 * unless another core has its context still. core_moved - that is not who runs there.
 * O(cores * cores), and the READY processes of any core that run elsewhere. */
void cores_assign(void);
struct apex_process *core_wants_now(uint32_t c);
static inline struct apex_process *core_wants(uint32_t c)
{
	return apex.n_cores == 1 ? apex.cores[c].next : core_wants_now(c);
}
bool core_moved(uint32_t c);

/* core_kick - core c, another one, is to look at what it wants and at its timers. */
void core_kick(uint32_t c);

/* process_halt - STOP or SUSPEND, as `how` does it under the lock (NULL: there is no such process);
 * returns its result when no core has the process any more. Called unmasked. */
RETURN_CODE_TYPE process_halt(PROCESS_ID_TYPE id, RETURN_CODE_TYPE (*how)(struct apex_process *));

/* ---- timer.c ---- */

/* process_timer, process_deadline - set the point of time (GW_NEVER: none). */
void process_timer(struct apex_process *p, uint64_t at);
void process_deadline(struct apex_process *p, uint64_t at);

/* apex_events - the platform reports what has happened to this core (PLAT_*). Locked; changes no
 * context. */
void apex_events(uint32_t events);

/* ---- object.c ---- */

/* A kind of objects: `n` of at most `max` made, `size` bytes each, one behind the other. */
struct apex_kind {
	void *table;
	uint32_t size, max, n;
};

/* object_by_id - the object of an identifier (1..n), or NULL. object_by_name: its identifier, or 0.
 * object_make: a new one with the name, zero otherwise, or NULL when there are max of them. */
void *object_by_id(const struct apex_kind *k, APEX_INTEGER id);
APEX_INTEGER object_by_name(const struct apex_kind *k, const NAME_TYPE name);

/* object_find - GET_..._ID: the identifier of the application's name. Called unmasked. */
RETURN_CODE_TYPE object_find(const struct apex_kind *k, const char *name, APEX_INTEGER *id);

/* object_refused - what speaks against one more object of the name, in the standard's order; valid:
 * its parameters are. NO_ERROR: nothing. */
RETURN_CODE_TYPE object_refused(const struct apex_kind *k, const NAME_TYPE name, bool valid);

void *object_make(struct apex_kind *k, const NAME_TYPE name, QUEUING_DISCIPLINE_TYPE discipline);
void objects_reset(void);

/* name_copy - take the application's name into ours, up to a NUL. Called unmasked. */
void name_copy(NAME_TYPE to, const char *from);

struct apex_process *process_by_id(PROCESS_ID_TYPE id);

/* ---- mutex.c ---- */

/* mutex_take: p owns m, once more. mutex_give: its owner has it once less, or (all) not any more;
 * then the next one waiting has it. mutex_awaited: p waits for one. */
void mutex_take(struct apex_mutex *m, struct apex_process *p);
void mutex_give(struct apex_mutex *m, bool all);
bool mutex_awaited(const struct apex_process *p);

/* ---- process.c ---- */

/* process_begin - p, DORMANT, starts in NORMAL mode after delay (a valid one) from now on. */
void process_begin(struct apex_process *p, SYSTEM_TIME_TYPE delay, uint64_t now);
void process_stop(struct apex_process *p);

/* ---- queuing.c ---- */

void queuing_ports_poll(void);

/* ---- error.c ---- */

/* error_raise - an error of p at address: to the error handler, or to the partition's health.
 * message: len bytes (<= MAX_ERROR_MESSAGE_SIZE), or NULL.
 * apex_fault - the current process has faulted. Locked; its context is saved. */
void error_raise(struct apex_process *p, ERROR_CODE_TYPE code, uint64_t address,
		 const void *message, uint32_t len);
void apex_fault(ERROR_CODE_TYPE code, uint64_t address);
_Noreturn void handler_stop(void);

#endif
