/* SPDX-License-Identifier: Apache-2.0 */
/* event.c - events, which wake all that wait (ARINC 653 Part 1, 3.7.2.4). */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"

struct event {
	struct apex_object o;
	EVENT_STATE_TYPE state;
};

OBJECT_KIND(events, struct event, MAX_NUMBER_OF_EVENTS);

void CREATE_EVENT(EVENT_NAME_TYPE EVENT_NAME, EVENT_ID_TYPE *EVENT_ID,
		  RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;
	EVENT_ID_TYPE id;
	NAME_TYPE name;

	name_copy(name, EVENT_NAME);
	apex_lock();
	rc = object_refused(&events, name, true);
	if (rc == NO_ERROR)
		object_make(&events, name, FIFO);
	id = (EVENT_ID_TYPE)events.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*EVENT_ID = id;
	*RETURN_CODE = rc;
}

void SET_EVENT(EVENT_ID_TYPE EVENT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	struct apex_process *p;
	struct event *e;

	apex_lock();
	e = object_by_id(&events, EVENT_ID);
	if (e != NULL) {
		e->state = UP;
		while ((p = waitq_first(&e->o.queue)) != NULL)
			process_wake(p, NO_ERROR);
	}
	apex_unlock();
	*RETURN_CODE = e != NULL ? NO_ERROR : INVALID_PARAM;
}

void RESET_EVENT(EVENT_ID_TYPE EVENT_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	struct event *e;

	apex_lock();
	e = object_by_id(&events, EVENT_ID);
	if (e != NULL)
		e->state = DOWN;
	apex_unlock();
	*RETURN_CODE = e != NULL ? NO_ERROR : INVALID_PARAM;
}

static RETURN_CODE_TYPE wait(struct event *e, SYSTEM_TIME_TYPE time_out)
{
	if (e == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (e->state == UP)
		return NO_ERROR;
	return wait_object(&e->o.queue, time_out);
}

void WAIT_EVENT(EVENT_ID_TYPE EVENT_ID, SYSTEM_TIME_TYPE TIME_OUT, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = wait(object_by_id(&events, EVENT_ID), TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

void GET_EVENT_ID(EVENT_NAME_TYPE EVENT_NAME, EVENT_ID_TYPE *EVENT_ID,
		  RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&events, EVENT_NAME, EVENT_ID);
}

void GET_EVENT_STATUS(EVENT_ID_TYPE EVENT_ID, EVENT_STATUS_TYPE *EVENT_STATUS,
		      RETURN_CODE_TYPE *RETURN_CODE)
{
	EVENT_STATUS_TYPE status = { 0 };
	const struct event *e;

	apex_lock();
	e = object_by_id(&events, EVENT_ID);
	if (e != NULL)
		status = (EVENT_STATUS_TYPE){ e->state, e->o.queue.count };
	apex_unlock();
	if (e != NULL)
		*EVENT_STATUS = status;
	*RETURN_CODE = e != NULL ? NO_ERROR : INVALID_PARAM;
}
