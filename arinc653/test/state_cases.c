/* SPDX-License-Identifier: Apache-2.0 */
/* state_cases.c - identities, priorities, suspension, affinity. */
#include "arinc653/test/sim.h"

static PROCESS_ID_TYPE a, b, periodic;

static void idle(void)
{
	mark('i');
}

static void identities(void)
{
	PROCESSOR_CORE_ID_TYPE core = 9;
	PROCESS_INDEX_TYPE index = 9;
	PROCESS_STATUS_TYPE s;
	PROCESS_ID_TYPE id = 9;

	OK(GET_MY_ID, &id);
	IS(id, a);
	OK(GET_MY_INDEX, &index);
	IS(index, a - 1);
	OK(GET_MY_PROCESSOR_CORE_ID, &core);
	IS(core, 0);
	OK(GET_PROCESS_ID, "B", &id);
	IS(id, b);
	SAYS(INVALID_CONFIG, GET_PROCESS_ID, "nobody", &id);
	OK(GET_PROCESS_STATUS, a, &s);
	IS(s.PROCESS_STATE, RUNNING);
	IS(s.ATTRIBUTES.STACK_SIZE, 4096);
	IS(strcmp(s.ATTRIBUTES.NAME, "A"), 0);
	SAYS(INVALID_PARAM, GET_PROCESS_STATUS, 0, &s);
	SAYS(INVALID_PARAM, GET_PROCESS_STATUS, 99, &s);
	SAYS(INVALID_MODE, INITIALIZE_PROCESS_CORE_AFFINITY, a, 0);
}

static void priorities(void)
{
	SAYS(INVALID_PARAM, SET_PRIORITY, 99, 5);
	SAYS(INVALID_PARAM, SET_PRIORITY, a, 0);
	SAYS(INVALID_PARAM, SET_PRIORITY, a, 240);
	SAYS(INVALID_MODE, SET_PRIORITY, b, 5); /* DORMANT */
	OK(START, b);
	mark('1');
	OK(SET_PRIORITY, b, 100); /* preempts */
	mark('2');
	OK(START, b);
	OK(SET_PRIORITY, a, 5); /* as B: behind it */
	mark('3');
	IS(priority_of(a), 5);
	OK(START, b);
	OK(SET_PRIORITY, a, 4);
	mark('4');
}

static void both(void)
{
	identities();
	priorities();
}

static void identity_main(void)
{
	PROCESS_INDEX_TYPE index = 9;
	PROCESS_ID_TYPE id = 9;

	a = process_make("A", both, 10);
	b = process_make("B", idle, 5);
	OK(GET_MY_ID, &id);
	IS(id, MAIN_PROCESS_ID);
	SAYS(INVALID_MODE, GET_MY_INDEX, &index);
	OK(INITIALIZE_PROCESS_CORE_AFFINITY, a, 0);
	OK(INITIALIZE_PROCESS_CORE_AFFINITY, a, CORE_AFFINITY_NO_PREFERENCE);
	SAYS(INVALID_CONFIG, INITIALIZE_PROCESS_CORE_AFFINITY, a, 1);
	SAYS(INVALID_PARAM, INITIALIZE_PROCESS_CORE_AFFINITY, 99, 0);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- suspension ---- */

static SEMAPHORE_ID_TYPE semaphore;
static MUTEX_ID_TYPE mutex;

static void sleeper(void)
{
	mark('s');
	SAYS(INVALID_PARAM, SUSPEND_SELF, -2);
	SAYS(INVALID_PARAM, SUSPEND_SELF, INT64_MAX);
	OK(SUSPEND_SELF, 0); /* returns at once */
	SAYS(TIMED_OUT, SUSPEND_SELF, 1000);
	mark('t');
	OK(SUSPEND_SELF, 100000); /* resumed */
	mark('u');
	OK(SUSPEND_SELF, INFINITE_TIME_VALUE);
	mark('v');
	OK(WAIT_SEMAPHORE, semaphore, INFINITE_TIME_VALUE);
	mark('w');
	SAYS(TIMED_OUT, WAIT_SEMAPHORE, semaphore, 1000); /* while it is suspended */
	mark('x');
	OK(ACQUIRE_MUTEX, mutex, 0);
	SAYS(INVALID_MODE, SUSPEND_SELF, 0);
	for (;;)
		sim_work(1000);
}

static void control(void)
{
	SAYS(INVALID_PARAM, SUSPEND, 99);
	SAYS(INVALID_PARAM, SUSPEND, b); /* itself */
	SAYS(INVALID_MODE, SUSPEND, periodic);
	SAYS(INVALID_PARAM, RESUME, 99);
	SAYS(INVALID_PARAM, RESUME, b);
	SAYS(INVALID_MODE, RESUME, periodic);
	SAYS(INVALID_MODE, SUSPEND, 4); /* DORMANT */
	SAYS(INVALID_MODE, RESUME, 4);
	IS(state_of(a), WAITING);
	SAYS(NO_ACTION, SUSPEND, a); /* it has suspended itself */
	sim_work(2000);
	mark('1');
	OK(RESUME, a);
	mark('2');
	OK(RESUME, a);
	mark('3');
	SAYS(NO_ACTION, RESUME, a); /* waits, but is not suspended */
	OK(SUSPEND, a);
	OK(SIGNAL_SEMAPHORE, semaphore); /* its wait is over, it stays suspended */
	IS(state_of(a), WAITING);
	mark('4');
	OK(RESUME, a);
	OK(SUSPEND, a);
	sim_work(5000);
	mark('5');
	OK(SET_PRIORITY, b, 30);
	OK(RESUME, a);
	OK(SUSPEND, a); /* it was only ready */
	IS(state_of(a), WAITING);
	OK(RESUME, a);
	OK(SET_PRIORITY, b, 10);
	mark('!'); /* never: A has it all */
}

static void guard(void)
{
	TIMED_WAIT(20000, &(RETURN_CODE_TYPE){ 0 });
	SAYS(INVALID_MODE, SUSPEND, a); /* it has a mutex */
	mark('g');
	OK(STOP, a);
	OK(STOP, b);
}

static void periodic_entry(void)
{
	SAYS(INVALID_MODE, SUSPEND_SELF, 1000);
	mark('p');
}

static void suspend_main(void)
{
	a = process_make("A", sleeper, 20);
	b = process_make("B", control, 10);
	periodic = process_make_timed("P", periodic_entry, 200, PERIOD_NS, INFINITE_TIME_VALUE);
	process_make("D", idle, 1);
	OK(CREATE_SEMAPHORE, "S", 0, 3, FIFO, &semaphore);
	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	SAYS(INVALID_MODE, SUSPEND_SELF, 10); /* the main process */
	OK(START, a);
	OK(START, b);
	OK(START, periodic);
	OK(START, process_make("G", guard, 100));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* Suspended before NORMAL mode: it does not run then, but when it is resumed. */
static void resumes(void)
{
	mark('1');
	IS(state_of(a), WAITING);
	OK(TIMED_WAIT, 1000);
	IS(state_of(b), WAITING);
	OK(RESUME, a);
	OK(RESUME, b);
	mark('2');
}

static void early_main(void)
{
	a = process_make("A", idle, 20);
	b = process_make("B", idle, 20);
	OK(START, a);
	OK(DELAYED_START, b, 500);
	OK(SUSPEND, a);
	OK(SUSPEND, b);
	SAYS(NO_ACTION, SUSPEND, a);
	OK(START, process_make("R", resumes, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_state(void)
{
	sim_run(early_main);
	TRACE("1ii2");
	sim_run(identity_main);
	TRACE("1i2i3i4");
	sim_run(suspend_main);
	TRACE("st1u2v34w5xgp");
}
