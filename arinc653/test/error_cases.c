/* SPDX-License-Identifier: Apache-2.0 */
/* error_cases.c - the error handler process, errors of each kind, the partition's level. */
#include "arinc653/test/sim.h"

static PROCESS_ID_TYPE a, b;
static MUTEX_ID_TYPE mutex;
static ERROR_STATUS_TYPE got;
static APEX_BYTE text[MAX_ERROR_MESSAGE_SIZE + 1] = "oops";

static void idle(void)
{
	mark('i');
}

static void make_handler(void (*entry)(void))
{
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(uintptr_t)entry, 4096);
}

/* ---- the handler's own rights ---- */

static void careful_handler(void)
{
	SEMAPHORE_ID_TYPE s;
	LOCK_LEVEL_TYPE n;
	PROCESS_ID_TYPE id;

	mark('h');
	OK(GET_ERROR_STATUS, &got);
	SAYS(NO_ACTION, GET_ERROR_STATUS, &got);
	SAYS(INVALID_MODE, GET_MY_ID, &id);
	SAYS(INVALID_MODE, GET_MY_INDEX, &id);
	SAYS(INVALID_MODE, SUSPEND_SELF, 0);
	SAYS(INVALID_MODE, TIMED_WAIT, 0);
	SAYS0(INVALID_MODE, PERIODIC_WAIT);
	SAYS(NO_ACTION, REPLENISH, 10);
	SAYS(NO_ACTION, LOCK_PREEMPTION, &n);
	SAYS(NO_ACTION, UNLOCK_PREEMPTION, &n);
	SAYS(INVALID_MODE, ACQUIRE_MUTEX, mutex, 0);
	OK(GET_SEMAPHORE_ID, "S", &s);
	SAYS(INVALID_MODE, WAIT_SEMAPHORE, s, 10);
	SAYS(NOT_AVAILABLE, WAIT_SEMAPHORE, s, 0);
	SAYS(NO_ACTION, SET_PARTITION_MODE, NORMAL);
	mark('H');
}

static void raises(void)
{
	SAYS(INVALID_CONFIG, GET_ERROR_STATUS, &got); /* not the handler */
	SAYS(INVALID_PARAM, RAISE_APPLICATION_ERROR, NUMERIC_ERROR, text, 4);
	SAYS(INVALID_PARAM, RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, -1);
	SAYS(INVALID_PARAM, RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text,
	     MAX_ERROR_MESSAGE_SIZE + 1);
	SAYS(INVALID_PARAM, REPORT_APPLICATION_MESSAGE, text, -1);
	SAYS(INVALID_PARAM, REPORT_APPLICATION_MESSAGE, text, MAX_ERROR_MESSAGE_SIZE + 1);
	OK(REPORT_APPLICATION_MESSAGE, text, 4);
	IS(strcmp(sim.message, "oops"), 0);
	SAYS(INVALID_MODE, CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 0);
	mark('1');
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 4);
	mark('2');
	IS(got.ERROR_CODE, APPLICATION_ERROR);
	IS(got.FAILED_PROCESS_ID, a);
	IS(got.LENGTH, 4);
	IS(memcmp(got.MESSAGE, "oops", 4), 0);
	IS(sim.health_calls, 0);
}

static void rights_main(void)
{
	ERROR_HANDLER_CONCURRENCY_CONTROL_TYPE bad = (ERROR_HANDLER_CONCURRENCY_CONTROL_TYPE)2;
	void *entry = (SYSTEM_ADDRESS_TYPE)(uintptr_t)careful_handler;

	SAYS(INVALID_CONFIG, CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 0); /* there is none */
	SAYS(INVALID_CONFIG, CREATE_ERROR_HANDLER, entry, 0);
	SAYS(INVALID_CONFIG, CREATE_ERROR_HANDLER, entry, 1u << 30);
	sim.memory_left = 100;
	SAYS(INVALID_CONFIG, CREATE_ERROR_HANDLER, entry, 4096);
	sim.memory_left = 1u << 20;
	make_handler(careful_handler);
	SAYS(NO_ACTION, CREATE_ERROR_HANDLER, entry, 4096);
	OK(CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 0);
	OK(CONFIGURE_ERROR_HANDLER, PROCESSES_SCHEDULED, CORE_AFFINITY_NO_PREFERENCE);
	SAYS(INVALID_PARAM, CONFIGURE_ERROR_HANDLER, bad, 0);
	SAYS(INVALID_CONFIG, CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 1);
	SAYS(INVALID_CONFIG, GET_ERROR_STATUS, &got);
	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	OK(CREATE_SEMAPHORE, "S", 0, 1, FIFO, &(SEMAPHORE_ID_TYPE){ 0 });
	a = process_make("A", raises, 10);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- faults: the process stays where it is until the handler decides ---- */

static void fault_handler(void)
{
	RETURN_CODE_TYPE rc;

	mark('h');
	for (;;) {
		GET_ERROR_STATUS(&got, &rc);
		if (rc != NO_ERROR)
			break;
		IS(state_of(got.FAILED_PROCESS_ID), FAULTED);
		SAYS(INVALID_MODE, SUSPEND, got.FAILED_PROCESS_ID);
		if (got.ERROR_CODE == NUMERIC_ERROR) {
			OK(RESUME, got.FAILED_PROCESS_ID);
		} else {
			OK(STOP, got.FAILED_PROCESS_ID);
			OK(START, b);
		}
	}
}

static void faults(void)
{
	mark('1');
	sim_fault(NUMERIC_ERROR, 0x1234);
	mark('2'); /* resumed */
	IS(got.ERROR_CODE, NUMERIC_ERROR);
	IS(got.FAILED_ADDRESS, 0x1234);
	OK(ACQUIRE_MUTEX, mutex, 0);
	sim_fault(MEMORY_VIOLATION, 0x5678);
	mark('!'); /* stopped */
}

static void successor(void)
{
	IS(got.ERROR_CODE, MEMORY_VIOLATION);
	OK(ACQUIRE_MUTEX, mutex, 0); /* the stopped one has it no more */
	mark('s');
}

static void fault_main(void)
{
	make_handler(fault_handler);
	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	a = process_make_timed("A", faults, 10, PERIOD_NS, INFINITE_TIME_VALUE);
	b = process_make("B", successor, 10);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- a locked process faults: the handler runs nevertheless, nobody else ---- */

static void stop_handler(void)
{
	OK(GET_ERROR_STATUS, &got);
	mark('h');
	OK(STOP, got.FAILED_PROCESS_ID);
}

static void locked_fault(void)
{
	LOCK_LEVEL_TYPE n;

	OK(LOCK_PREEMPTION, &n);
	OK(START, b);
	mark('1');
	sim_fault(STACK_OVERFLOW, 0);
	mark('!');
}

static void locked_main(void)
{
	make_handler(stop_handler);
	a = process_make("A", locked_fault, 10);
	b = process_make("B", idle, 20);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- deadlines, several at once, and one during the handler ---- */

static void deadline_handler(void)
{
	RETURN_CODE_TYPE rc;

	mark('h');
	for (;;) {
		GET_ERROR_STATUS(&got, &rc);
		if (rc != NO_ERROR)
			break;
		IS(got.ERROR_CODE, DEADLINE_MISSED);
		IS(got.LENGTH, 0);
		mark(got.FAILED_PROCESS_ID == a ? 'A' : 'B');
	}
	sim_work(2000); /* B's comes meanwhile: it is handled by a new run */
}

static void long_work(void)
{
	sim_work(1500);
	mark('1');
}

static void deadline_main(void)
{
	make_handler(deadline_handler);
	a = process_make_timed("A", long_work, 10, INFINITE_TIME_VALUE, 1000);
	b = process_make_timed("B", idle, 5, INFINITE_TIME_VALUE, 2000);
	OK(START, a);
	OK(START, b);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- errors of the partition ---- */

static void bad_handler(void)
{
	mark('h');
	sim_fault(ILLEGAL_REQUEST, 0x77);
	mark('!');
}

static void victim(void)
{
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 0);
	IS(sim.health_calls, 1);
	IS(sim.health_code, ILLEGAL_REQUEST);
	IS(sim.health_address, 0x77);
	mark('v');
	sim_fault(POWER_FAIL, 0); /* the configuration says: the partition's */
	mark('!');
}

static void handler_fault_main(void)
{
	make_handler(bad_handler);
	OK(START, process_make("A", victim, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

static void floods(void)
{
	for (uint32_t i = 0; i < ERRORS_MAX; i++) /* one is there */
		error_raise(&apex.processes[0], APPLICATION_ERROR, 0, NULL, 0);
	IS(sim.health_calls, 1); /* the list is full */
	mark('f');
}

static void deaf_handler(void)
{
	floods();
}

static void one_error(void)
{
	mark('1');
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 4);
	mark('2'); /* the handler never asked: it is not run again and again */
}

static void flood_main(void)
{
	make_handler(deaf_handler);
	OK(START, process_make("A", one_error, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

static void no_handler(void)
{
	void *entry = (SYSTEM_ADDRESS_TYPE)(uintptr_t)careful_handler;

	SAYS(INVALID_MODE, CREATE_ERROR_HANDLER, entry, 4096);
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 4);
	IS(sim.health_calls, 1);
	mark('n');
}

static void no_handler_main(void)
{
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 4); /* the main process's */
	IS(sim.health_calls, 1);
	sim.health_calls = 0;
	OK(START, process_make("A", no_handler, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

static void main_faults(void)
{
	sim_fault(MEMORY_VIOLATION, 0x99);
}

void cases_error(void)
{
	sim_run(rights_main);
	TRACE("1hH2");
	sim_run(fault_main);
	TRACE("1h2hs");
	sim_run(locked_main);
	TRACE("1hi");
	sim_run(deadline_main);
	TRACE("hAhB1i");
	sim_run(handler_fault_main);
	TRACE("hv");
	IS(sim.health_code, POWER_FAIL);
	sim_run(no_handler_main);
	TRACE("n");
	sim_run(flood_main);
	TRACE("1f2");
	sim_run(main_faults);
	IS(sim.health_code, MEMORY_VIOLATION);
	IS(sim.ended, true);
}
