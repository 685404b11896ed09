/* SPDX-License-Identifier: Apache-2.0 */
/* time_cases.c - TIMED_WAIT, PERIODIC_WAIT, GET_TIME, REPLENISH, releases and deadlines. */
#include "arinc653/test/sim.h"

static PROCESS_ID_TYPE a, b;
static MUTEX_ID_TYPE mutex;

static void waits(void)
{
	SYSTEM_TIME_TYPE t = 0, u = 0;

	OK(GET_TIME, &t);
	OK(TIMED_WAIT, 300);
	OK(GET_TIME, &u);
	IS(u - t, 300);
	SAYS(INVALID_PARAM, TIMED_WAIT, INFINITE_TIME_VALUE);
	SAYS(INVALID_PARAM, TIMED_WAIT, -5);
	SAYS(INVALID_PARAM, TIMED_WAIT, INT64_MAX);
	OK(ACQUIRE_MUTEX, mutex, 0);
	SAYS(INVALID_MODE, TIMED_WAIT, 10);
	SAYS0(INVALID_MODE, PERIODIC_WAIT);
	OK(RELEASE_MUTEX, mutex);
	SAYS0(INVALID_MODE, PERIODIC_WAIT); /* it is not periodic */
	SAYS(NO_ACTION, REPLENISH, 10);	    /* and has no deadline */
	SAYS(INVALID_PARAM, REPLENISH, -2);
	SAYS(INVALID_PARAM, REPLENISH, INT64_MAX);
	mark('w');
}

static void wait_main(void)
{
	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	OK(START, process_make("A", waits, 10));
	SAYS(INVALID_MODE, TIMED_WAIT, 10);
	SAYS(NO_ACTION, REPLENISH, 10);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- periodic processes: released relative to the partition's period ---- */

static void periodic(void)
{
	for (uint64_t i = 1; i <= 4; i++) {
		IS(sim.now, i * PERIOD_NS * 2 - PERIOD_NS);
		IS(deadline_of(a), (int64_t)(i * 2 - 1) * PERIOD_NS + 5000);
		sim_work(4000);
		mark('p');
		SAYS0(NO_ERROR, PERIODIC_WAIT);
	}
	STOP_SELF();
}

static void delayed(void)
{
	IS(sim.now, PERIOD_NS + 700000);
	mark('d');
	OK(REPLENISH, 1000);
	IS(deadline_of(b), (int64_t)sim.now + 1000);
	SAYS(INVALID_MODE, REPLENISH, PERIOD_NS + 1); /* beyond the next release */
	SAYS(INVALID_MODE, REPLENISH, INFINITE_TIME_VALUE);
	OK(REPLENISH, PERIOD_NS);
	SAYS0(NO_ERROR, PERIODIC_WAIT);
	IS(sim.now, 2 * PERIOD_NS + 700000);
	mark('e');
	sim_work(3 * PERIOD_NS + 5); /* too late for three releases, without deadlines to miss */
	SAYS(INVALID_MODE, REPLENISH, 0); /* the next release point has passed */
	for (int i = 0; i < 3; i++)
		SAYS0(NO_ERROR, PERIODIC_WAIT); /* due at once, one after the other */
	IS(sim.now, 5 * PERIOD_NS + 700005);
	SAYS0(NO_ERROR, PERIODIC_WAIT);
	IS(sim.now, 6 * PERIOD_NS + 700000);
	mark('f');
}

static void huge(void)
{
	SAYS0(INVALID_CONFIG, PERIODIC_WAIT); /* no such time */
	mark('h');
}

static void periodic_main(void)
{
	SYSTEM_TIME_TYPE most = INT64_MAX / PERIOD_NS * PERIOD_NS;

	a = process_make_timed("A", periodic, 20, 2 * PERIOD_NS, 5000);
	OK(START, a);
	OK(START, process_make_timed("H", huge, 200, most, INFINITE_TIME_VALUE));
	SAYS0(INVALID_MODE, PERIODIC_WAIT);
	OK(SET_PARTITION_MODE, NORMAL);
}

static void delayed_main(void)
{
	b = process_make_timed("B", delayed, 20, PERIOD_NS, PERIOD_NS);
	OK(DELAYED_START, b, 700000);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* A deadline that the calculation has no room for, while the release point has. */
static void far(void)
{
	SAYS0(INVALID_CONFIG, PERIODIC_WAIT);
	mark('c');
}

static void far_main(void)
{
	SYSTEM_TIME_TYPE half = INT64_MAX / 2 / PERIOD_NS * PERIOD_NS;

	OK(START, process_make_timed("F", far, 20, half + PERIOD_NS, half));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- deadlines ---- */

static void misses(void)
{
	IS(deadline_of(a), (int64_t)sim.now + 1000);
	sim_work(900);
	OK(REPLENISH, 500);
	sim_work(400);
	IS(sim.health_calls, 0);
	sim_work(200); /* no error handler: the partition's health */
	IS(sim.health_calls, 1);
	IS(sim.health_code, DEADLINE_MISSED);
	mark('m');
	OK(REPLENISH, INFINITE_TIME_VALUE);
	IS(deadline_of(a), INFINITE_TIME_VALUE);
	sim_work(100000);
	IS(sim.health_calls, 1);
}

/* One that waits misses it, too; one that was stopped does not. */
static void stopped(void)
{
	OK(STOP, a);
	sim_work(5000);
	IS(sim.health_calls, 0);
	OK(START, a);
	OK(SET_PRIORITY, a, 50);
	sim_work(5000);
	IS(sim.health_calls, 1);
	mark('s');
}

static void suspends(void)
{
	SAYS(TIMED_OUT, SUSPEND_SELF, 100000);
}

static void deadline_main(void)
{
	a = process_make_timed("A", misses, 20, INFINITE_TIME_VALUE, 1000);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

static void stopped_main(void)
{
	a = process_make_timed("A", suspends, 5, INFINITE_TIME_VALUE, 1000);
	OK(START, a);
	OK(START, process_make("B", stopped, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_time(void)
{
	sim_run(wait_main);
	TRACE("w");
	sim_run(periodic_main);
	TRACE("hpppp");
	sim_run(delayed_main);
	TRACE("def");
	sim_run(far_main);
	TRACE("c");
	sim_run(deadline_main);
	TRACE("m");
	sim_run(stopped_main);
	TRACE("s");
}
