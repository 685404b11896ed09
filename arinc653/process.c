/* SPDX-License-Identifier: Apache-2.0 */
/* process.c - making, starting and stopping processes (ARINC 653 Part 1, 3.3). */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

#define STACK_MAX (16u << 20)

static bool capacity_valid(SYSTEM_TIME_TYPE t)
{
	return t == INFINITE_TIME_VALUE || t > 0;
}

static RETURN_CODE_TYPE attributes_check(const PROCESS_ATTRIBUTE_TYPE *a)
{
	for (uint32_t i = 0; i < apex.n_processes; i++)
		if (memcmp(apex.processes[i].attributes.NAME, a->NAME, MAX_NAME_LENGTH) == 0)
			return NO_ACTION;
	if (a->STACK_SIZE == 0 || a->STACK_SIZE > STACK_MAX)
		return INVALID_PARAM;
	if (a->BASE_PRIORITY < MIN_PRIORITY_VALUE || a->BASE_PRIORITY > MAX_PRIORITY_VALUE)
		return INVALID_PARAM;
	if (!capacity_valid(a->PERIOD))
		return INVALID_PARAM;
	if (a->PERIOD > 0 && (uint64_t)a->PERIOD % apex.config->period_ns != 0)
		return INVALID_CONFIG;
	if (!capacity_valid(a->TIME_CAPACITY))
		return INVALID_PARAM;
	if (a->PERIOD > 0 && a->PERIOD < a->TIME_CAPACITY)
		return INVALID_PARAM;
	if (a->DEADLINE != SOFT && a->DEADLINE != HARD)
		return INVALID_PARAM;
	return apex.mode == NORMAL ? INVALID_MODE : NO_ERROR;
}

static RETURN_CODE_TYPE create(const PROCESS_ATTRIBUTE_TYPE *a, PROCESS_ID_TYPE *id)
{
	struct apex_process *p = &apex.processes[apex.n_processes];
	RETURN_CODE_TYPE rc = attributes_check(a);

	if (apex.n_processes == MAX_NUMBER_OF_PROCESSES)
		return INVALID_CONFIG;
	if (rc != NO_ERROR)
		return rc;
	p->context = plat_alloc(plat_context_size(), 64);
	p->stack_top = p->context == NULL ? NULL : plat_stack(ROUND_UP(a->STACK_SIZE, 4096u));
	if (p->stack_top == NULL)
		return INVALID_CONFIG;
	p->attributes = *a;
	p->current_priority = a->BASE_PRIORITY;
	apex.n_processes++;
	*id = p->id;
	return NO_ERROR;
}

void CREATE_PROCESS(PROCESS_ATTRIBUTE_TYPE *ATTRIBUTES, PROCESS_ID_TYPE *PROCESS_ID,
		    RETURN_CODE_TYPE *RETURN_CODE)
{
	PROCESS_ATTRIBUTE_TYPE a = *ATTRIBUTES;
	PROCESS_ID_TYPE id = NULL_PROCESS_ID;
	RETURN_CODE_TYPE rc;

	name_copy(a.NAME, ATTRIBUTES->NAME);
	apex_lock();
	rc = create(&a, &id);
	apex_unlock();
	if (rc == NO_ERROR)
		*PROCESS_ID = id;
	*RETURN_CODE = rc;
}

/* ---- starting ---- */

void process_begin(struct apex_process *p, SYSTEM_TIME_TYPE delay, uint64_t now)
{
	uint64_t at = (is_periodic(p) ? plat_period_start(now) : now) + (uint64_t)delay;

	process_enter(p);
	p->release_at = at;
	process_deadline(p, time_after(at, p->attributes.TIME_CAPACITY));
	p->state = WAITING;
	if (at == now) {
		process_wake(p, NO_ERROR); /* unless it was suspended before NORMAL mode */
		return;
	}
	p->wait = is_periodic(p) ? WAIT_RELEASE : WAIT_DELAY;
	process_timer(p, at);
}

/* The deadline of a start now is a point of time that there is. */
static bool deadline_exists(const struct apex_process *p, SYSTEM_TIME_TYPE delay)
{
	uint64_t now = plat_now(), from = is_periodic(p) ? plat_period_start(now) : now;

	return from <= TIME_MAX && time_valid(delay, from) &&
	       time_valid(p->attributes.TIME_CAPACITY, from + (uint64_t)delay);
}

static void start(struct apex_process *p, SYSTEM_TIME_TYPE delay)
{
	p->current_priority = p->retained_priority = p->attributes.BASE_PRIORITY;
	p->suspended = p->suspended_itself = false;
	if (apex.mode == NORMAL) {
		process_begin(p, delay, plat_now());
		return;
	}
	p->delay = delay;
	p->state = WAITING;
	p->wait = WAIT_NORMAL;
	list_add_tail(&apex.started, &p->queue);
}

static RETURN_CODE_TYPE delayed_start(struct apex_process *p, SYSTEM_TIME_TYPE delay)
{
	if (p == NULL)
		return INVALID_PARAM;
	if (p->state != DORMANT)
		return NO_ACTION;
	if (delay < 0 || !time_valid(delay, plat_now()) ||
	    (is_periodic(p) && delay >= p->attributes.PERIOD))
		return INVALID_PARAM;
	if (!deadline_exists(p, delay))
		return INVALID_CONFIG;
	start(p, delay);
	return NO_ERROR;
}

void DELAYED_START(PROCESS_ID_TYPE PROCESS_ID, SYSTEM_TIME_TYPE DELAY_TIME,
		   RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = delayed_start(process_by_id(PROCESS_ID), DELAY_TIME);
	apex_unlock();
	*RETURN_CODE = rc;
}

void START(PROCESS_ID_TYPE PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	DELAYED_START(PROCESS_ID, 0, RETURN_CODE);
}

/* ---- stopping ---- */

/* A mutex that it has goes to the next one: nobody could give it back later. */
void process_stop(struct apex_process *p)
{
	if (p->owned != NULL)
		mutex_give(p->owned, true);
	process_off(p, DORMANT);
	process_deadline(p, GW_NEVER);
	p->suspended = false;
}

static RETURN_CODE_TYPE stop(struct apex_process *p)
{
	if (p == NULL || p == current())
		return INVALID_PARAM;
	if (p->state == DORMANT)
		return NO_ACTION;
	process_stop(p);
	return NO_ERROR;
}

void STOP(PROCESS_ID_TYPE PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = process_halt(PROCESS_ID, stop);
}

void STOP_SELF(void)
{
	apex_lock();
	if (current() == &apex.main)
		plat_end(); /* before NORMAL mode: nothing will ever run */
	if (is_handler())
		handler_stop();
	process_stop(current());
	apex_go();
}
