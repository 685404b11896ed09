/* SPDX-License-Identifier: Apache-2.0 */
/* sched.c - who runs: ready processes by priority and age, waits, time-outs, deadlines. Bounded by
 * the number of processes; choosing is constant. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

struct apex_partition apex;

/* ---- states ---- */

void process_ready(struct apex_process *p, bool first)
{
	struct list_node *q = &apex.ready[p->current_priority];

	p->state = READY;
	if (p == &apex.handler)
		return;
	if (first)
		list_add_head(q, &p->ready);
	else
		list_add_tail(q, &p->ready);
	apex.ready_bits[p->current_priority / 64] |= 1ULL << p->current_priority % 64;
	apex.resched = true;
}

static void ready_del(struct apex_process *p)
{
	list_del(&p->ready);
	if (list_empty(&apex.ready[p->current_priority]))
		apex.ready_bits[p->current_priority / 64] &= ~(1ULL << p->current_priority % 64);
	apex.resched = true;
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

void waitq_init(struct waitq *q, QUEUING_DISCIPLINE_TYPE discipline)
{
	list_init(&q->head);
	q->discipline = discipline;
	q->count = 0;
}

struct apex_process *waitq_first(const struct waitq *q)
{
	struct apex_process *best = NULL;

	list_for_each (n, &q->head) {
		struct apex_process *p = list_entry(n, struct apex_process, queue);

		if (best == NULL || p->current_priority > best->current_priority)
			best = p;
		if (q->discipline == FIFO)
			break;
	}
	return best;
}

static void dispatch(void);

RETURN_CODE_TYPE apex_wait_on(struct waitq *q, SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = apex.current;

	list_add_tail(&q->head, &p->queue);
	q->count++;
	p->on = q;
	return apex_wait_for(WAIT_QUEUE, time_after(plat_now(), time_out));
}

RETURN_CODE_TYPE apex_wait_for(enum apex_wait why, uint64_t at)
{
	struct apex_process *p = apex.current;

	ready_del(p);
	p->state = WAITING;
	p->wait = why;
	process_timer(p, at);
	dispatch();
	return p->result;
}

/* ---- choosing ---- */

static struct apex_process *first_ready(void)
{
	if (apex.handler_active)
		return &apex.handler;
	if (apex.preemption.owner != NULL)
		return apex.preemption.owner->state == READY ? apex.preemption.owner : NULL;
	for (int i = 3; i >= 0; i--)
		if (apex.ready_bits[i] != 0) {
			uint32_t priority = (uint32_t)i * 64 + 63 -
					    (uint32_t)__builtin_clzll(apex.ready_bits[i]);

			return list_entry(apex.ready[priority].next, struct apex_process, ready);
		}
	return NULL;
}

struct apex_process *apex_choose(void)
{
	struct apex_process *p;

	if (apex.mode != NORMAL)
		return apex.current;
	while ((p = first_ready()) == NULL)
		apex_events(plat_wait());
	apex.resched = false;
	apex.current = p;
	return p;
}

static void dispatch(void)
{
	struct apex_process *from = apex.current, *to = apex_choose();

	if (to != from)
		plat_switch(from, to);
}

void apex_lock(void)
{
	plat_mask();
}

void apex_unlock(void)
{
	uint32_t events;

	for (;;) {
		if (apex.resched)
			dispatch();
		events = plat_unmask();
		if (events == 0)
			return;
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
	p->core = CORE_AFFINITY_NO_PREFERENCE;
}

void apex_start(const struct apex_config *config)
{
	memset(&apex, 0, sizeof(apex));
	apex.config = config;
	apex.mode = plat_start_mode();
	apex.start_condition = plat_start_condition();
	apex.armed = GW_NEVER;
	list_init(&apex.timers);
	list_init(&apex.deadlines);
	list_init(&apex.started);
	for (uint32_t i = 0; i <= MAX_PRIORITY_VALUE; i++)
		list_init(&apex.ready[i]);
	for (uint32_t i = 0; i < MAX_NUMBER_OF_PROCESSES; i++)
		process_init(&apex.processes[i], (PROCESS_ID_TYPE)i + 1);
	process_init(&apex.main, MAIN_PROCESS_ID);
	process_init(&apex.handler, NULL_PROCESS_ID);
	apex.main.state = READY;
	apex.current = &apex.main;
	waitq_init(&apex.preemption.o.queue, FIFO);
	objects_reset();
}

/* `main` returned without SET_PARTITION_MODE: nothing runs here, ever. */
_Noreturn void apex_main_return(void)
{
	plat_mask();
	plat_end();
}
