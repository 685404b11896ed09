/* SPDX-License-Identifier: Apache-2.0 */
/* time.c - time management (ARINC 653 Part 1, 3.4). */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

void GET_TIME(SYSTEM_TIME_TYPE *SYSTEM_TIME, RETURN_CODE_TYPE *RETURN_CODE)
{
	*SYSTEM_TIME = (SYSTEM_TIME_TYPE)plat_now();
	*RETURN_CODE = NO_ERROR;
}

static RETURN_CODE_TYPE timed_wait(SYSTEM_TIME_TYPE delay)
{
	struct apex_process *p = current();
	uint64_t now = plat_now();

	if (cannot_wait())
		return INVALID_MODE;
	if (delay == INFINITE_TIME_VALUE || !time_valid(delay, now))
		return INVALID_PARAM;
	if (delay != 0)
		return apex_wait_for(WAIT_DELAY, now + (uint64_t)delay);
	process_place(p, p->current_priority, false); /* the others of its priority first */
	return NO_ERROR;
}

void TIMED_WAIT(SYSTEM_TIME_TYPE DELAY_TIME, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = timed_wait(DELAY_TIME);
	apex_unlock();
	*RETURN_CODE = rc;
}

/* Release points are a period apart, whatever came between; one that has passed is due at once. */
static RETURN_CODE_TYPE periodic_wait(void)
{
	struct apex_process *p = current();
	uint64_t next;

	if (cannot_wait() || !is_periodic(p))
		return INVALID_MODE;
	if (!time_valid(p->attributes.PERIOD, p->release_at))
		return INVALID_CONFIG;
	next = p->release_at + (uint64_t)p->attributes.PERIOD;
	if (!time_valid(p->attributes.TIME_CAPACITY, next))
		return INVALID_CONFIG;
	p->release_at = next;
	process_deadline(p, time_after(next, p->attributes.TIME_CAPACITY));
	return apex_wait_for(WAIT_RELEASE, next);
}

void PERIODIC_WAIT(RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = periodic_wait();
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE replenish(SYSTEM_TIME_TYPE budget)
{
	struct apex_process *p = current();
	uint64_t now = plat_now(), deadline;

	if (!time_valid(budget, now))
		return INVALID_PARAM;
	deadline = time_after(now, budget);
	if (apex.mode == NORMAL && !is_handler() && is_periodic(p) &&
	    deadline > p->release_at + (uint64_t)p->attributes.PERIOD)
		return INVALID_MODE;
	if (apex.mode != NORMAL || is_handler() ||
	    p->attributes.TIME_CAPACITY == INFINITE_TIME_VALUE)
		return NO_ACTION; /* it has no deadline to move */
	process_deadline(p, deadline);
	return NO_ERROR;
}

void REPLENISH(SYSTEM_TIME_TYPE BUDGET_TIME, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = replenish(BUDGET_TIME);
	apex_unlock();
	*RETURN_CODE = rc;
}
