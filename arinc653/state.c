/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - process services that look at processes or change their state while they live (ARINC
 * 653 Part 1, 3.3): priorities, suspension, identities, affinity. */
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

void GET_PROCESS_ID(PROCESS_NAME_TYPE PROCESS_NAME, PROCESS_ID_TYPE *PROCESS_ID,
		    RETURN_CODE_TYPE *RETURN_CODE)
{
	PROCESS_ID_TYPE id = NULL_PROCESS_ID;
	NAME_TYPE name;

	name_copy(name, PROCESS_NAME);
	apex_lock();
	for (uint32_t i = 0; i < apex.n_processes && id == NULL_PROCESS_ID; i++)
		if (memcmp(apex.processes[i].attributes.NAME, name, MAX_NAME_LENGTH) == 0)
			id = apex.processes[i].id;
	apex_unlock();
	if (id != NULL_PROCESS_ID)
		*PROCESS_ID = id;
	*RETURN_CODE = id != NULL_PROCESS_ID ? NO_ERROR : INVALID_CONFIG;
}

void GET_PROCESS_STATUS(PROCESS_ID_TYPE PROCESS_ID, PROCESS_STATUS_TYPE *PROCESS_STATUS,
			RETURN_CODE_TYPE *RETURN_CODE)
{
	PROCESS_STATUS_TYPE s = { 0 };
	const struct apex_process *p;

	apex_lock();
	p = process_by_id(PROCESS_ID);
	if (p != NULL) {
		s.DEADLINE_TIME = (SYSTEM_TIME_TYPE)p->deadline_at; /* GW_NEVER is infinite */
		s.CURRENT_PRIORITY = p->current_priority;
		s.PROCESS_STATE = p->state == READY && p->running != NO_CORE ? RUNNING : p->state;
		s.ATTRIBUTES = p->attributes;
	}
	apex_unlock();
	if (p != NULL)
		*PROCESS_STATUS = s;
	*RETURN_CODE = p != NULL ? NO_ERROR : INVALID_PARAM;
}

void SET_PRIORITY(PROCESS_ID_TYPE PROCESS_ID, PRIORITY_TYPE PRIORITY_VALUE,
		  RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	struct apex_process *p;

	apex_lock();
	p = process_by_id(PROCESS_ID);
	if (p == NULL || PRIORITY_VALUE < MIN_PRIORITY_VALUE || PRIORITY_VALUE > MAX_PRIORITY_VALUE)
		rc = INVALID_PARAM;
	else if (p->state == DORMANT)
		rc = INVALID_MODE;
	else if (p->owned != NULL)
		p->retained_priority = PRIORITY_VALUE; /* when it gives the mutex back */
	else
		process_place(p, PRIORITY_VALUE, false);
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE suspend_self(SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = current();

	if (cannot_wait())
		return INVALID_MODE;
	if (!time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (is_periodic(p))
		return INVALID_MODE;
	if (time_out == 0)
		return NO_ERROR;
	p->suspended = p->suspended_itself = true;
	return apex_wait_for(WAIT_NONE, time_after(plat_now(), time_out));
}

void SUSPEND_SELF(SYSTEM_TIME_TYPE TIME_OUT, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = suspend_self(TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE suspend(struct apex_process *p)
{
	if (p == NULL || p == current())
		return INVALID_PARAM;
	if (p->state == DORMANT || p->state == FAULTED || is_periodic(p))
		return INVALID_MODE;
	if (p->owned != NULL || mutex_awaited(p))
		return INVALID_MODE; /* others would wait with it */
	if (p->suspended)
		return NO_ACTION;
	if (p->state == READY)
		process_off(p, WAITING);
	p->suspended = true;
	return NO_ERROR;
}

void SUSPEND(PROCESS_ID_TYPE PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = process_halt(PROCESS_ID, suspend);
}

static RETURN_CODE_TYPE resume(struct apex_process *p)
{
	if (p == NULL || p == current())
		return INVALID_PARAM;
	if (p->state == DORMANT || (is_periodic(p) && p->state != FAULTED))
		return INVALID_MODE;
	if (p->state == FAULTED) {
		process_ready(p, false);
		return NO_ERROR;
	}
	if (!p->suspended)
		return NO_ACTION;
	p->suspended = false;
	if (p->suspended_itself) {
		p->suspended_itself = false;
		process_timer(p, GW_NEVER);
		p->result = NO_ERROR;
	}
	if (p->wait == WAIT_NONE)
		process_ready(p, false);
	return NO_ERROR;
}

void RESUME(PROCESS_ID_TYPE PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = resume(process_by_id(PROCESS_ID));
	apex_unlock();
	*RETURN_CODE = rc;
}

void GET_MY_ID(PROCESS_ID_TYPE *PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	PROCESS_ID_TYPE id;

	apex_lock();
	id = current()->id;
	apex_unlock();
	if (id != NULL_PROCESS_ID)
		*PROCESS_ID = id;
	*RETURN_CODE = id != NULL_PROCESS_ID ? NO_ERROR : INVALID_MODE;
}

void GET_MY_INDEX(PROCESS_INDEX_TYPE *PROCESS_INDEX, RETURN_CODE_TYPE *RETURN_CODE)
{
	PROCESS_ID_TYPE id;

	apex_lock();
	id = current()->id;
	apex_unlock();
	if (id >= 1)
		*PROCESS_INDEX = id - 1;
	*RETURN_CODE = id >= 1 ? NO_ERROR : INVALID_MODE;
}

void GET_MY_PROCESSOR_CORE_ID(PROCESSOR_CORE_ID_TYPE *PROCESSOR_CORE_ID,
			      RETURN_CODE_TYPE *RETURN_CODE)
{
	*PROCESSOR_CORE_ID = (PROCESSOR_CORE_ID_TYPE)plat_core();
	*RETURN_CODE = NO_ERROR;
}

void INITIALIZE_PROCESS_CORE_AFFINITY(PROCESS_ID_TYPE PROCESS_ID,
				      PROCESSOR_CORE_ID_TYPE PROCESSOR_CORE_ID,
				      RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	struct apex_process *p;

	apex_lock();
	p = process_by_id(PROCESS_ID);
	if (p == NULL)
		rc = INVALID_PARAM;
	else if (!core_valid(PROCESSOR_CORE_ID))
		rc = INVALID_CONFIG;
	else if (apex.mode == NORMAL)
		rc = INVALID_MODE;
	if (rc == NO_ERROR) {
		p->core = PROCESSOR_CORE_ID;
		p->home = (uint32_t)GW_MAX(PROCESSOR_CORE_ID, 0);
	}
	apex_unlock();
	*RETURN_CODE = rc;
}
