/* SPDX-License-Identifier: Apache-2.0 */
/* mutex.c - mutexes with priority ceilings, and the preemption lock, which is one, too (ARINC 653
 * Part 1, 3.7.2.5 and 3.3.2.9-10). A process has at most one at a time. */
#include "arinc653/apex_internal.h"
#include "arinc653/object.h"
#include "arinc653/platform.h"

OBJECT_KIND(mutexes, struct apex_mutex, MAX_NUMBER_OF_MUTEXES);

void mutex_take(struct apex_mutex *m, struct apex_process *p)
{
	m->count++;
	if (m->owner == p)
		return;
	m->owner = p;
	p->owned = m;
	p->retained_priority = p->current_priority;
	if (m != &apex.preemption) {
		process_place(p, GW_MAX(m->priority, p->current_priority), true);
		return;
	}
	apex.lock_core = p->running != NO_CORE ? p->running : p->home;
	apex.resched = true;
}

void mutex_give(struct apex_mutex *m, bool all)
{
	struct apex_process *p = m->owner;

	m->count = all ? 0 : m->count - 1;
	if (m->count != 0)
		return;
	m->owner = NULL;
	p->owned = NULL;
	apex.resched = true;
	process_place(p, p->retained_priority, true);
	p = waitq_first(&m->o.queue);
	if (p == NULL)
		return;
	process_wake(p, NO_ERROR);
	mutex_take(m, p);
}

bool mutex_awaited(const struct apex_process *p)
{
	return p->wait == WAIT_QUEUE &&
	       (p->on == &apex.preemption.o.queue ||
		((uint8_t *)p->on >= (uint8_t *)mutexes_table &&
		 (uint8_t *)p->on < (uint8_t *)&mutexes_table[MAX_NUMBER_OF_MUTEXES]));
}

static RETURN_CODE_TYPE create(const NAME_TYPE name, PRIORITY_TYPE priority,
			       QUEUING_DISCIPLINE_TYPE discipline)
{
	bool valid = priority >= MIN_PRIORITY_VALUE && priority <= MAX_PRIORITY_VALUE &&
		     discipline_valid(discipline);
	RETURN_CODE_TYPE rc = object_refused(&mutexes, name, valid);
	struct apex_mutex *m;

	if (rc != NO_ERROR)
		return rc;
	m = object_make(&mutexes, name, discipline);
	m->priority = priority;
	return NO_ERROR;
}

void CREATE_MUTEX(MUTEX_NAME_TYPE MUTEX_NAME, PRIORITY_TYPE MUTEX_PRIORITY,
		  QUEUING_DISCIPLINE_TYPE QUEUING_DISCIPLINE, MUTEX_ID_TYPE *MUTEX_ID,
		  RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;
	MUTEX_ID_TYPE id;
	NAME_TYPE name;

	name_copy(name, MUTEX_NAME);
	apex_lock();
	rc = create(name, MUTEX_PRIORITY, QUEUING_DISCIPLINE);
	id = (MUTEX_ID_TYPE)mutexes.n;
	apex_unlock();
	if (rc == NO_ERROR)
		*MUTEX_ID = id;
	*RETURN_CODE = rc;
}

static RETURN_CODE_TYPE acquire(struct apex_mutex *m, SYSTEM_TIME_TYPE time_out)
{
	struct apex_process *p = current();

	if (m == NULL || !time_valid(time_out, plat_now()))
		return INVALID_PARAM;
	if (p->owned != NULL && p->owned != m)
		return INVALID_MODE;
	if (is_handler() || apex.mode != NORMAL)
		return INVALID_MODE;
	if (p->owned == NULL && p->current_priority > m->priority)
		return INVALID_MODE;
	if (p->owned == m && m->count == MAX_LOCK_LEVEL)
		return INVALID_CONFIG;
	if (m->owner == NULL || m->owner == p) {
		mutex_take(m, p);
		return NO_ERROR;
	}
	if (time_out == 0)
		return NOT_AVAILABLE;
	return apex_wait_on(&m->o.queue, time_out);
}

void ACQUIRE_MUTEX(MUTEX_ID_TYPE MUTEX_ID, SYSTEM_TIME_TYPE TIME_OUT, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc;

	apex_lock();
	rc = acquire(object_by_id(&mutexes, MUTEX_ID), TIME_OUT);
	apex_unlock();
	*RETURN_CODE = rc;
}

void RELEASE_MUTEX(MUTEX_ID_TYPE MUTEX_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	struct apex_mutex *m;

	apex_lock();
	m = object_by_id(&mutexes, MUTEX_ID);
	if (m == NULL)
		rc = INVALID_PARAM;
	else if (m->owner != current())
		rc = INVALID_MODE;
	else
		mutex_give(m, false);
	apex_unlock();
	*RETURN_CODE = rc;
}

void RESET_MUTEX(MUTEX_ID_TYPE MUTEX_ID, PROCESS_ID_TYPE PROCESS_ID, RETURN_CODE_TYPE *RETURN_CODE)
{
	RETURN_CODE_TYPE rc = NO_ERROR;
	struct apex_process *p;
	struct apex_mutex *m;

	apex_lock();
	m = object_by_id(&mutexes, MUTEX_ID);
	p = process_by_id(PROCESS_ID);
	if (m == NULL || p == NULL)
		rc = INVALID_PARAM;
	else if (m->owner != p)
		rc = INVALID_MODE;
	else
		mutex_give(m, true);
	apex_unlock();
	*RETURN_CODE = rc;
}

void GET_MUTEX_ID(MUTEX_NAME_TYPE MUTEX_NAME, MUTEX_ID_TYPE *MUTEX_ID,
		  RETURN_CODE_TYPE *RETURN_CODE)
{
	*RETURN_CODE = object_find(&mutexes, MUTEX_NAME, MUTEX_ID);
}

void GET_MUTEX_STATUS(MUTEX_ID_TYPE MUTEX_ID, MUTEX_STATUS_TYPE *MUTEX_STATUS,
		      RETURN_CODE_TYPE *RETURN_CODE)
{
	const struct apex_mutex *m;
	MUTEX_STATUS_TYPE s = { 0 };

	apex_lock();
	m = MUTEX_ID == PREEMPTION_LOCK_MUTEX ? &apex.preemption : object_by_id(&mutexes, MUTEX_ID);
	if (m != NULL)
		s = (MUTEX_STATUS_TYPE){
			.MUTEX_OWNER = m->owner != NULL ? m->owner->id : NULL_PROCESS_ID,
			.MUTEX_STATE = m->owner != NULL ? OWNED : AVAILABLE,
			.MUTEX_PRIORITY = m->priority,
			.LOCK_COUNT = m->count,
			.WAITING_PROCESSES = m->o.queue.count,
		};
	apex_unlock();
	if (m != NULL)
		*MUTEX_STATUS = s;
	*RETURN_CODE = m != NULL ? NO_ERROR : INVALID_PARAM;
}

void GET_PROCESS_MUTEX_STATE(PROCESS_ID_TYPE PROCESS_ID, MUTEX_ID_TYPE *MUTEX_ID,
			     RETURN_CODE_TYPE *RETURN_CODE)
{
	MUTEX_ID_TYPE id = NO_MUTEX_OWNED;
	const struct apex_process *p;

	apex_lock();
	p = process_by_id(PROCESS_ID);
	if (p != NULL && p->owned == &apex.preemption)
		id = PREEMPTION_LOCK_MUTEX;
	else if (p != NULL && p->owned != NULL)
		id = object_by_name(&mutexes, p->owned->o.name);
	apex_unlock();
	if (p != NULL)
		*MUTEX_ID = id;
	*RETURN_CODE = p != NULL ? NO_ERROR : INVALID_PARAM;
}

/* ---- the preemption lock: its owner's core runs nobody else; other cores go on ---- */

void LOCK_PREEMPTION(LOCK_LEVEL_TYPE *LOCK_LEVEL, RETURN_CODE_TYPE *RETURN_CODE)
{
	struct apex_mutex *m = &apex.preemption;
	RETURN_CODE_TYPE rc = NO_ERROR;
	LOCK_LEVEL_TYPE level;

	apex_lock();
	if (is_handler() || apex.mode != NORMAL)
		rc = NO_ACTION;
	else if (current()->owned != NULL && current()->owned != m)
		rc = INVALID_MODE;
	else if (m->owner == current() && m->count == MAX_LOCK_LEVEL)
		rc = INVALID_CONFIG;
	else if (m->owner == NULL || m->owner == current())
		mutex_take(m, current());
	else /* of a process on another core */
		rc = apex_wait_on(&m->o.queue, INFINITE_TIME_VALUE);
	level = m->count;
	apex_unlock();
	*LOCK_LEVEL = level;
	*RETURN_CODE = rc;
}

void UNLOCK_PREEMPTION(LOCK_LEVEL_TYPE *LOCK_LEVEL, RETURN_CODE_TYPE *RETURN_CODE)
{
	struct apex_mutex *m = &apex.preemption;
	RETURN_CODE_TYPE rc = NO_ERROR;
	LOCK_LEVEL_TYPE level;

	apex_lock();
	if (is_handler() || apex.mode != NORMAL || m->count == 0)
		rc = NO_ACTION;
	else if (m->owner != current())
		rc = INVALID_MODE;
	else
		mutex_give(m, false);
	level = m->count;
	apex_unlock();
	*LOCK_LEVEL = level;
	*RETURN_CODE = rc;
}
