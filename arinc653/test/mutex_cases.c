/* SPDX-License-Identifier: Apache-2.0 */
/* mutex_cases.c - mutexes with priority ceilings, and preemption locks. */
#include "arinc653/test/sim.h"

static MUTEX_ID_TYPE mutex, other;
static PROCESS_ID_TYPE a, b;

/* On one core, with ceilings, nobody who may have it runs while another one has it, unless that one
 * has faulted: the handler leaves it so. */
static void handler(void)
{
	ERROR_STATUS_TYPE e;

	OK(GET_ERROR_STATUS, &e);
	mark('h');
}

static void contender(void)
{
	SAYS(NOT_AVAILABLE, ACQUIRE_MUTEX, mutex, 0);
	SAYS(TIMED_OUT, ACQUIRE_MUTEX, mutex, 500);
	mark('t');
	OK(ACQUIRE_MUTEX, mutex, INFINITE_TIME_VALUE);
	mark('B');
	IS(priority_of(b), 50);
	SAYS(INVALID_MODE, RESET_MUTEX, mutex, a);
	OK(RESET_MUTEX, mutex, b); /* its own, too */
	IS(priority_of(b), 30);
	SAYS(INVALID_MODE, RELEASE_MUTEX, mutex);
}

static void helper(void)
{
	MUTEX_STATUS_TYPE s;

	sim_work(1000);
	OK(GET_MUTEX_STATUS, mutex, &s);
	IS(s.WAITING_PROCESSES, 1);
	SAYS(INVALID_MODE, SUSPEND, b); /* it waits for a mutex */
	mark('r');
	OK(RESUME, a);
}

static void owner(void)
{
	MUTEX_STATUS_TYPE s;
	MUTEX_ID_TYPE id;

	SAYS(INVALID_MODE, CREATE_MUTEX, "late", 50, FIFO, &id);
	SAYS(INVALID_PARAM, ACQUIRE_MUTEX, 99, 0);
	SAYS(INVALID_PARAM, ACQUIRE_MUTEX, PREEMPTION_LOCK_MUTEX, 0);
	SAYS(INVALID_PARAM, ACQUIRE_MUTEX, mutex, -2);
	SAYS(INVALID_PARAM, RELEASE_MUTEX, 99);
	SAYS(INVALID_PARAM, RELEASE_MUTEX, PREEMPTION_LOCK_MUTEX);
	SAYS(INVALID_PARAM, RESET_MUTEX, 99, a);
	SAYS(INVALID_PARAM, RESET_MUTEX, mutex, 99);
	SAYS(INVALID_PARAM, GET_MUTEX_STATUS, 99, &s);
	SAYS(INVALID_PARAM, GET_PROCESS_MUTEX_STATE, 99, &id);
	SAYS(INVALID_CONFIG, GET_MUTEX_ID, "none", &id);
	OK(GET_MUTEX_ID, "M", &id);
	IS(id, mutex);
	SAYS(INVALID_MODE, RELEASE_MUTEX, mutex);
	SAYS(INVALID_MODE, ACQUIRE_MUTEX, other, 0); /* its ceiling is below this priority */
	OK(GET_PROCESS_MUTEX_STATE, a, &id);
	IS(id, NO_MUTEX_OWNED);
	OK(ACQUIRE_MUTEX, mutex, 0);
	IS(priority_of(a), 50);
	SAYS(INVALID_MODE, ACQUIRE_MUTEX, other, 0); /* one at a time */
	OK(SET_PRIORITY, a, 11);		     /* for later */
	IS(priority_of(a), 50);
	OK(GET_PROCESS_MUTEX_STATE, a, &id);
	IS(id, mutex);
	for (int i = 1; i < MAX_LOCK_LEVEL; i++)
		OK(ACQUIRE_MUTEX, mutex, INFINITE_TIME_VALUE);
	SAYS(INVALID_CONFIG, ACQUIRE_MUTEX, mutex, 0);
	OK(GET_MUTEX_STATUS, mutex, &s);
	IS(s.LOCK_COUNT, MAX_LOCK_LEVEL);
	IS(s.MUTEX_OWNER, a);
	IS(s.MUTEX_STATE, OWNED);
	IS(s.MUTEX_PRIORITY, 50);
	OK(START, b); /* 30: does not preempt the ceiling */
	mark('a');
	sim_fault(NUMERIC_ERROR, 0);
	mark('c');
	for (int i = 1; i < MAX_LOCK_LEVEL; i++)
		OK(RELEASE_MUTEX, mutex);
	mark('d');
	OK(RELEASE_MUTEX, mutex);
	mark('e');
	IS(priority_of(a), 11);
	OK(GET_MUTEX_STATUS, mutex, &s);
	IS(s.MUTEX_STATE, AVAILABLE);
	IS(s.MUTEX_OWNER, NULL_PROCESS_ID);
}

static void mutex_main(void)
{
	MUTEX_ID_TYPE id;

	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	OK(CREATE_MUTEX, "O", 5, PRIORITY, &other);
	SAYS(NO_ACTION, CREATE_MUTEX, "M", 50, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_MUTEX, "N", 0, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_MUTEX, "N", 240, FIFO, &id);
	SAYS(INVALID_PARAM, CREATE_MUTEX, "N", 50, (QUEUING_DISCIPLINE_TYPE)2, &id);
	SAYS(INVALID_MODE, ACQUIRE_MUTEX, mutex, 0);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(uintptr_t)handler, 4096);
	a = process_make("A", owner, 25);
	b = process_make("B", contender, 30);
	OK(START, a);
	OK(START, process_make("H", helper, 20));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* A stopped process's mutex goes to the next one. */
static void holds(void)
{
	OK(ACQUIRE_MUTEX, mutex, 0);
	OK(START, b);
	sim_fault(NUMERIC_ERROR, 0);
}

static void waits_for_it(void)
{
	OK(ACQUIRE_MUTEX, mutex, INFINITE_TIME_VALUE);
	mark('w');
	STOP_SELF(); /* and this one's, too */
}

static void stopper(void)
{
	MUTEX_STATUS_TYPE s;

	OK(TIMED_WAIT, 100);
	OK(STOP, a);
	mark('s');
	OK(GET_MUTEX_STATUS, mutex, &s);
	IS(s.MUTEX_OWNER, b);
	OK(TIMED_WAIT, 100);
	OK(GET_MUTEX_STATUS, mutex, &s);
	IS(s.MUTEX_STATE, AVAILABLE);
}

static void stop_main(void)
{
	OK(CREATE_MUTEX, "M", 70, FIFO, &mutex);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(uintptr_t)handler, 4096);
	a = process_make("A", holds, 10);
	b = process_make("B", waits_for_it, 30);
	OK(START, a);
	OK(DELAYED_START, process_make("S", stopper, 100), 1000);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- the preemption lock ---- */

static void urgent(void)
{
	mark('u');
}

static void locks(void)
{
	PARTITION_STATUS_TYPE p;
	MUTEX_STATUS_TYPE s;
	LOCK_LEVEL_TYPE n;
	MUTEX_ID_TYPE id;

	SAYS(NO_ACTION, UNLOCK_PREEMPTION, &n);
	OK(ACQUIRE_MUTEX, mutex, 0);
	SAYS(INVALID_MODE, LOCK_PREEMPTION, &n);
	OK(RELEASE_MUTEX, mutex);
	for (int i = 1; i <= MAX_LOCK_LEVEL; i++) {
		OK(LOCK_PREEMPTION, &n);
		IS(n, i);
	}
	SAYS(INVALID_CONFIG, LOCK_PREEMPTION, &n);
	IS(n, MAX_LOCK_LEVEL);
	OK(GET_PARTITION_STATUS, &p);
	IS(p.LOCK_LEVEL, MAX_LOCK_LEVEL);
	OK(GET_PROCESS_MUTEX_STATE, a, &id);
	IS(id, PREEMPTION_LOCK_MUTEX);
	OK(GET_MUTEX_STATUS, PREEMPTION_LOCK_MUTEX, &s);
	IS(s.MUTEX_OWNER, a);
	sim_work(2000);
	OK(START, b);
	mark('l');
	SAYS(INVALID_MODE, TIMED_WAIT, 0);
	SAYS(INVALID_MODE, ACQUIRE_MUTEX, mutex, 0);
	for (int i = MAX_LOCK_LEVEL - 1; i > 0; i--) {
		OK(UNLOCK_PREEMPTION, &n);
		IS(n, i);
	}
	mark('m');
	OK(UNLOCK_PREEMPTION, &n);
	IS(n, 0);
	mark('n');
	OK(LOCK_PREEMPTION, &n);
	STOP_SELF(); /* gives it back */
}

static void after(void)
{
	MUTEX_STATUS_TYPE s;

	OK(GET_MUTEX_STATUS, PREEMPTION_LOCK_MUTEX, &s);
	IS(s.MUTEX_STATE, AVAILABLE);
	mark('x');
}

static void lock_main(void)
{
	LOCK_LEVEL_TYPE n;

	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	SAYS(NO_ACTION, LOCK_PREEMPTION, &n);
	SAYS(NO_ACTION, UNLOCK_PREEMPTION, &n);
	a = process_make("A", locks, 10);
	b = process_make("B", urgent, 90);
	OK(START, a);
	OK(DELAYED_START, process_make("C", urgent, 91), 1000);
	OK(START, process_make("D", after, 1));
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_mutex(void)
{
	sim_run(mutex_main);
	TRACE("ahtrcdBe");
	sim_run(stop_main);
	TRACE("hsw");
	sim_run(lock_main);
	TRACE("lmuunx");
}
