/* SPDX-License-Identifier: Apache-2.0 */
/* semaphore.c - counting semaphores (ARINC 653 Part 1, 3.7.2.3). */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"

struct semaphore {
	struct apex_object o;
	SEMAPHORE_VALUE_TYPE value, max;
};

OBJECT_KIND(semaphores, struct semaphore, MAX_NUMBER_OF_SEMAPHORES);

static RETURN_CODE_TYPE create(const NAME_TYPE name, SEMAPHORE_VALUE_TYPE value,
			       SEMAPHORE_VALUE_TYPE max, QUEUING_DISCIPLINE_TYPE discipline)
{
	bool valid = value >= 0 && value <= max && max >= 1 && max <= MAX_SEMAPHORE_VALUE &&
		     discipline_valid(discipline);
	RETURN_CODE_TYPE rc = object_refused(&semaphores, name, valid);
	struct semaphore *s;

	if (rc != NO_ERROR)
		return rc;
	s = object_make(&semaphores, name, discipline);
	s->value = value;
	s->max = max;
	return NO_ERROR;
}

void CREATE_SEMAPHORE(SEMAPHORE_NAME_TYPE SEMAPHORE_NAME, SEMAPHORE_VALUE_TYPE CURRENT_VALUE,
		      SEMAPHORE_VALUE_TYPE MAXIMUM_VALUE,
		      QUEUING_DISCIPLINE_TYPE QUEUING_DISCIPLINE, SEMAPHORE_ID_TYPE *SEMAPHORE_ID,
		      RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;
	SEMAPHORE_ID_TYPE id;
	NAME_TYPE name;

	name_copy(name, SEMAPHORE_NAME);
	apex_lock();
	rc = create(name, CURRENT_VALUE, MAXIMUM_VALUE, QUEUING_DISCIPLINE);
	id = (SEMAPHORE_ID_TYPE)semaphores.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*SEMAPHORE_ID = id;
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE wait(struct semaphore *s, SYSTEM_TIME_TYPE time_out)
{
	if (s == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (s->value > 0) {
		s->value--;
		return NO_ERROR;
	}
	return wait_object(&s->o.queue, time_out);
}

void WAIT_SEMAPHORE(SEMAPHORE_ID_TYPE SEMAPHORE_ID, SYSTEM_TIME_TYPE TIME_OUT,
		    RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = wait(object_by_id(&semaphores, SEMAPHORE_ID), TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

void SIGNAL_SEMAPHORE(SEMAPHORE_ID_TYPE SEMAPHORE_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	struct semaphore *s;
	struct apex_process *p;

	apex_lock();
	s = object_by_id(&semaphores, SEMAPHORE_ID);
	if (s == NULL)
		rc = INVALID_PARAM;
	else if (s->value == s->max)
		rc = NO_ACTION;
	else if ((p = waitq_first(&s->o.queue)) != NULL)
		process_wake(p, NO_ERROR);
	else
		s->value++;
	apex_unlock();
	*RETURN_CODE = rc;
}

void GET_SEMAPHORE_ID(SEMAPHORE_NAME_TYPE SEMAPHORE_NAME, SEMAPHORE_ID_TYPE *SEMAPHORE_ID,
		      RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&semaphores, SEMAPHORE_NAME, SEMAPHORE_ID);
}

void GET_SEMAPHORE_STATUS(SEMAPHORE_ID_TYPE SEMAPHORE_ID, SEMAPHORE_STATUS_TYPE *SEMAPHORE_STATUS,
			  RETURN_CODE_TYPE *RETURN_CODE)
{
	SEMAPHORE_STATUS_TYPE status = { 0 };
	const struct semaphore *s;

	apex_lock();
	s = object_by_id(&semaphores, SEMAPHORE_ID);
	if (s != NULL)
		status = (SEMAPHORE_STATUS_TYPE){ s->value, s->max, s->o.queue.count };
	apex_unlock();
	if (s != NULL)
		*SEMAPHORE_STATUS = status;
	*RETURN_CODE = s != NULL ? NO_ERROR : INVALID_PARAM;
}
