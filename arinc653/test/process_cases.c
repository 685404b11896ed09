/* SPDX-License-Identifier: Apache-2.0 */
/* process_cases.c - CREATE_PROCESS, START, DELAYED_START, STOP, STOP_SELF and who runs when. */
#include "arinc653/test/sim.h"

static PROCESS_ID_TYPE a, b, c;

static void nothing(void)
{
}

static void create_main(void)
{
	PROCESS_ATTRIBUTE_TYPE good = { .PERIOD = INFINITE_TIME_VALUE,
					.TIME_CAPACITY = INFINITE_TIME_VALUE,
					.ENTRY_POINT = (SYSTEM_ADDRESS_TYPE)(uintptr_t)nothing,
					.STACK_SIZE = 4096,
					.BASE_PRIORITY = 10,
					.NAME = "P" };
	PROCESS_ATTRIBUTE_TYPE t = good;
	PROCESS_ID_TYPE id = 0;

	OK(CREATE_PROCESS, &t, &id);
	IS(id, 1);
	SAYS(NO_ACTION, CREATE_PROCESS, &t, &id);
	strcpy(good.NAME, "Q");
	t = good, t.STACK_SIZE = 0;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.STACK_SIZE = 1u << 30;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.BASE_PRIORITY = 0;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.BASE_PRIORITY = 240;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.PERIOD = 0;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.PERIOD = -2;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.PERIOD = PERIOD_NS + 1;
	SAYS(INVALID_CONFIG, CREATE_PROCESS, &t, &id);
	t = good, t.TIME_CAPACITY = 0;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.PERIOD = PERIOD_NS, t.TIME_CAPACITY = PERIOD_NS + 1;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	t = good, t.DEADLINE = (DEADLINE_TYPE)2;
	SAYS(INVALID_PARAM, CREATE_PROCESS, &t, &id);
	sim.memory_left = 4096;
	SAYS(INVALID_CONFIG, CREATE_PROCESS, &good, &id); /* a context, but no stack */
	sim.memory_left = 0;
	SAYS(INVALID_CONFIG, CREATE_PROCESS, &good, &id);
	sim.memory_left = 64u << 20;
	for (int i = 1; i < MAX_NUMBER_OF_PROCESSES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "many %d", i);
		process_make(name, nothing, 1);
	}
	SAYS(INVALID_CONFIG, CREATE_PROCESS, &good, &id);
}

static void create_late(void)
{
	PROCESS_ATTRIBUTE_TYPE t = { .PERIOD = INFINITE_TIME_VALUE,
				     .TIME_CAPACITY = INFINITE_TIME_VALUE,
				     .STACK_SIZE = 4096,
				     .BASE_PRIORITY = 10,
				     .NAME = "late" };
	PROCESS_ID_TYPE id;

	SAYS(INVALID_MODE, CREATE_PROCESS, &t, &id);
	mark('x');
}

static void create_late_main(void)
{
	OK(START, process_make("A", create_late, 5));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- starting and stopping ---- */

static void letter_a(void)
{
	mark('a');
}

static void letter_b(void)
{
	mark('b');
}

static void starter(void)
{
	PROCESS_ID_TYPE huge = 4;

	SAYS(INVALID_PARAM, START, 0);
	SAYS(INVALID_PARAM, START, 99);
	SAYS(NO_ACTION, START, c); /* itself */
	SAYS(INVALID_CONFIG, START, huge);
	SAYS(INVALID_PARAM, DELAYED_START, 99, 0);
	SAYS(NO_ACTION, DELAYED_START, c, 0);
	SAYS(INVALID_PARAM, DELAYED_START, a, INFINITE_TIME_VALUE);
	SAYS(INVALID_PARAM, DELAYED_START, a, -2);
	SAYS(INVALID_PARAM, DELAYED_START, a, INT64_MAX);
	SAYS(INVALID_PARAM, DELAYED_START, 5, PERIOD_NS); /* not less than its period */
	SAYS(INVALID_CONFIG, DELAYED_START, huge, 1);
	IS(state_of(a), DORMANT);
	mark('1');
	OK(START, a); /* higher priority: runs at once */
	mark('2');
	OK(START, b); /* lower */
	IS(state_of(b), READY);
	mark('3');
	OK(DELAYED_START, a, 1000);
	IS(state_of(a), WAITING);
	sim_work(999);
	mark('4');
	sim_work(2);
	mark('5');
	OK(DELAYED_START, a, 0);
	mark('6');
	OK(STOP, b);
	IS(state_of(b), DORMANT);
	SAYS(NO_ACTION, STOP, b);
	SAYS(INVALID_PARAM, STOP, c);
	SAYS(INVALID_PARAM, STOP, 99);
	OK(DELAYED_START, a, 1000);
	OK(STOP, a);
	sim_work(5000); /* it never starts */
	OK(START, b);
	STOP_SELF();
	mark('!');
}

static void start_main(void)
{
	a = process_make("A", letter_a, 20);
	b = process_make("B", letter_b, 5);
	c = process_make("C", starter, 10);
	process_make_timed("huge", nothing, 1, INFINITE_TIME_VALUE, INT64_MAX);
	process_make_timed("periodic", nothing, 1, PERIOD_NS, PERIOD_NS);
	IS(state_of(c), DORMANT);
	OK(START, c);
	IS(state_of(c), WAITING);
	SAYS(NO_ACTION, START, c);
	SAYS(INVALID_MODE, SET_PARTITION_MODE, WARM_START); /* from COLD_START */
	OK(SET_PARTITION_MODE, NORMAL);
	mark('!');
}

/* ---- order ---- */

static void yields(char first, char second)
{
	mark(first);
	OK(TIMED_WAIT, 0); /* the others of the same priority */
	mark(second);
}

static void yields_a(void)
{
	yields('a', 'A');
}

static void yields_b(void)
{
	yields('b', 'B');
	OK(START, c);
	mark('D');
}

static void yields_c(void)
{
	mark('c');
}

static void order_main(void)
{
	PROCESS_ID_TYPE late = process_make("L", letter_b, 200);

	a = process_make("A", yields_a, 7);
	b = process_make("B", yields_b, 7);
	c = process_make("C", yields_c, 239);
	OK(START, a);
	OK(START, b);
	OK(DELAYED_START, late, 500);
	IS(deadline_of(late), INFINITE_TIME_VALUE);
	OK(STOP, late);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* A preempted process stays the oldest of its priority. */
static void preempted(void)
{
	mark('1');
	sim_work(1000);
	mark('2');
}

static void preempts(void)
{
	mark('p');
}

static void preempt_main(void)
{
	OK(START, process_make("A", preempted, 7));
	OK(START, process_make("B", letter_b, 7));
	OK(DELAYED_START, process_make("C", preempts, 8), 500);
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_process(void)
{
	sim_run(create_main);
	IS(sim.ended, true); /* the main process returned */
	sim_run(create_late_main);
	TRACE("x");
	sim_run(start_main);
	TRACE("1a234a5a6b");
	IS(sim.ended, false);
	sim_run(order_main);
	TRACE("abABcD");
	sim_run(preempt_main);
	TRACE("1p2b");
}
