/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - processes come and go: the lock, states, waits, and the switch to whoever should run on
 * this core (cores.c). Bounded by the number of processes; choosing by that of cores. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

struct apex_partition apex;

/* ---- states ---- */

static void context_begin(struct apex_process *p)
{
	p->fresh = false;
	plat_context_init(p, (void (*)(void))(uintptr_t)p->attributes.ENTRY_POINT);
}

void process_enter(struct apex_process *p)
{
	apex.resched = true;
	if (p->running == NO_CORE)
		context_begin(p);
	else
		p->fresh = true;
}

void process_ready(struct apex_process *p, bool first)
{
	p->state = READY;
	if (p != &apex.handler)
		ready_add(p, first);
}

void process_place(struct apex_process *p, PRIORITY_TYPE priority, bool first)
{
	bool ready = p->state == READY && p != &apex.handler;

	if (ready)
		ready_del(p);
	p->current_priority = priority;
	if (ready)
		process_ready(p, first);
}

static void queue_leave(struct apex_process *p)
{
	if (p->wait == WAIT_QUEUE) {
		list_del(&p->queue);
		p->on->count--;
	} else if (p->wait == WAIT_NORMAL) {
		list_del(&p->queue);
	}
	p->wait = WAIT_NONE;
}

void process_off(struct apex_process *p, PROCESS_STATE_TYPE state)
{
	if (p->state == READY)
		ready_del(p);
	queue_leave(p);
	process_timer(p, GW_NEVER);
	p->suspended_itself = false;
	p->state = state;
}

void process_wake(struct apex_process *p, RETURN_CODE_TYPE result)
{
	queue_leave(p);
	process_timer(p, GW_NEVER);
	p->result = result;
	if (!p->suspended)
		process_ready(p, false);
}

/* ---- waiting ---- */

static void dispatch(void);

RETURN_CODE_TYPE apex_wait_for(enum apex_wait why, uint64_t at)
{
	struct apex_process *p = current();

	ready_del(p);
	p->state = WAITING;
	p->wait = why;
	process_timer(p, at);
	dispatch();
	return p->result;
}

/* ---- choosing ---- */

/* `from` leaves the core, `to` has it; NULL: nobody. */
static void hand_over(uint32_t self, struct apex_process *from, struct apex_process *to)
{
	if (from != NULL) {
		from->running = NO_CORE;
		atomic_fetch_add_explicit(&from->left, 1, memory_order_release);
	}
	apex.cores[self].current = to;
	if (to == NULL)
		return;
	to->running = to->home = self;
	if (to->fresh)
		context_begin(to);
}

/* Who has this core from now on; NULL: nobody. The others are told when it is another one. */
static struct apex_process *choose(void)
{
	uint32_t self = plat_core();
	struct apex_process *from = apex.cores[self].current, *to;

	if (apex.mode != NORMAL)
		return from;
	if (apex.resched)
		cores_assign();
	to = core_wants(self);
	if (to != from || (to != NULL && to->fresh))
		hand_over(self, from, to);
	for (uint32_t c = 0; apex.n_cores != 1 && c < apex.n_cores; c++)
		if (c != self && core_moved(c))
			core_kick(c);
	return to;
}

/* The only core waits where it is: nobody else can take the context that it is in. */
static void dispatch(void)
{
	struct apex_process *from = current(), *to;
	bool anew = from->fresh;

	for (to = choose(); to == NULL && apex.n_cores == 1; to = choose())
		apex_events(plat_wait());
	if (to != from || anew)
		plat_switch(anew ? NULL : from, to);
}

_Noreturn void apex_go(void)
{
	plat_switch(NULL, choose());
	__builtin_unreachable();
}

_Noreturn void apex_idle(void)
{
	for (;;) {
		struct apex_process *p = choose();
		uint32_t events;

		if (p != NULL)
			plat_switch(NULL, p);
		apex_release();
		events = plat_wait();
		apex_acquire();
		apex_events(events);
	}
}

/* ---- the lock ---- */

void apex_acquire(void)
{
	uint32_t mine;

	if (apex.n_cores == 1)
		return;
	mine = atomic_fetch_add_explicit(&apex.ticket, 1, memory_order_relaxed);
	while (atomic_load_explicit(&apex.serving, memory_order_acquire) != mine)
		plat_relax();
}

void apex_release(void)
{
	if (apex.n_cores != 1)
		atomic_store_explicit(&apex.serving, apex.serving + 1, memory_order_release);
}

/* Another core may have decided, before the service began, that its process does not run. */
void apex_lock(void)
{
	plat_mask();
	if (likely(apex.n_cores == 1))
		return;
	apex_acquire();
	while (core_moved(plat_core()))
		dispatch();
}

void apex_unlock(void)
{
	uint32_t events;

	for (;;) {
		if (apex.resched || (apex.n_cores != 1 && core_moved(plat_core())))
			dispatch();
		apex_release();
		events = plat_unmask();
		if (events == 0)
			return;
		apex_acquire();
		apex_events(events);
	}
}

_Noreturn void apex_process_return(void)
{
	STOP_SELF();
	__builtin_unreachable();
}

/* ---- the start ---- */

static void process_init(struct apex_process *p, PROCESS_ID_TYPE id)
{
	list_init(&p->ready);
	list_init(&p->queue);
	list_init(&p->timer);
	list_init(&p->watch);
	p->timer_at = p->deadline_at = GW_NEVER;
	p->id = id;
	p->attributes.PERIOD = p->attributes.TIME_CAPACITY = INFINITE_TIME_VALUE;
	p->running = NO_CORE;
	p->core = apex.config->default_core == APEX_ANY_CORE
			  ? CORE_AFFINITY_NO_PREFERENCE
			  : (PROCESSOR_CORE_ID_TYPE)apex.config->default_core;
	p->home = p->core == CORE_AFFINITY_NO_PREFERENCE ? 0 : (uint32_t)p->core;
}

void apex_start(const struct apex_config *config, uint32_t n_cores)
{
	memset(&apex, 0, sizeof(apex));
	apex.config = config;
	apex.mode = plat_start_mode();
	apex.start_condition = plat_start_condition();
	apex.n_cores = n_cores;
	atomic_store_explicit(&apex.ticket, 1, memory_order_relaxed);
	list_init(&apex.started);
	for (uint32_t i = 0; i < n_cores; i++) {
		list_init(&apex.cores[i].timers);
		list_init(&apex.cores[i].deadlines);
		apex.cores[i].armed = GW_NEVER;
	}
	ready_init();
	for (uint32_t i = 0; i < MAX_NUMBER_OF_PROCESSES; i++)
		process_init(&apex.processes[i], (PROCESS_ID_TYPE)i + 1);
	process_init(&apex.main, MAIN_PROCESS_ID);
	process_init(&apex.handler, NULL_PROCESS_ID);
	apex.main.state = READY;
	apex.main.running = plat_core();
	apex.cores[plat_core()].current = apex.cores[plat_core()].next = &apex.main;
	waitq_init(&apex.preemption.o.queue, FIFO);
	objects_reset();
}

/* `main` returned without SET_PARTITION_MODE: nothing runs here, ever. */
_Noreturn void apex_main_return(void)
{
	plat_mask();
	plat_end();
}

/* What it was told before it began may be lost: it looks at everything. */
_Noreturn void apex_core_main(void)
{
	apex_acquire();
	apex_events(PLAT_KICK);
	apex_idle();
}
