/* SPDX-License-Identifier: Apache-2.0 */
/* cores_cases.c - a partition of several cores: affinity, processes that run at the same time, what
 * one core does to another's process, the preemption lock, the error handler, time. */
#include "arinc653/test/sim.h"

#define ANY CORE_AFFINITY_NO_PREFERENCE

static PROCESS_ID_TYPE a, b, c, d;
static int counts[4]; /* steps of a..d */
static APEX_INTEGER object;

static PROCESS_ID_TYPE on(PROCESSOR_CORE_ID_TYPE core, const char *name, void (*entry)(void),
			  PRIORITY_TYPE priority)
{
	PROCESS_ID_TYPE id = process_make(name, entry, priority);

	OK(INITIALIZE_PROCESS_CORE_AFFINITY, id, core);
	return id;
}

static PROCESSOR_CORE_ID_TYPE core(void)
{
	PROCESSOR_CORE_ID_TYPE id = -7;

	OK(GET_MY_PROCESSOR_CORE_ID, &id);
	return id;
}

static void wait_for(SYSTEM_TIME_TYPE ns)
{
	OK(TIMED_WAIT, ns);
}

static void start_normal(void)
{
	memset(counts, 0, sizeof(counts));
	OK(START, a);
	OK(START, b);
	if (c != 0)
		OK(START, c);
	OK(SET_PARTITION_MODE, NORMAL);
}

static void run_on(uint32_t n, void (*main_process)(void))
{
	a = b = c = d = 0;
	sim_run_cores(n, main_process);
}

static void count_to(int i, int n)
{
	while (counts[i] < n) {
		sim_work(100);
		counts[i]++;
	}
}

static void counts_b(void)
{
	count_to(1, 1000);
}

static void counts_c(void)
{
	count_to(2, 1000);
}

static void counts_d(void)
{
	count_to(3, 1000);
}

/* ---- affinity ---- */

static void at_once_a(void)
{
	uint64_t start = sim.now;
	PARTITION_STATUS_TYPE s;

	IS(core(), 0);
	OK(GET_PARTITION_STATUS, &s);
	IS(s.NUM_ASSIGNED_CORES, 2);
	sim_work(500);
	IS(state_of(a), RUNNING);
	IS(state_of(b), RUNNING);
	IS(state_of(c), READY); /* on core 1, below b */
	while (counts[1] < 10)
		sim_work(100);
	IS(sim.now - start < 2500, true); /* beside each other, not in turn */
	SAYS(INVALID_MODE, INITIALIZE_PROCESS_CORE_AFFINITY, a, 1);
	wait_for(100000);
	IS(counts[2] > 0, true);
}

static void at_once_b(void)
{
	IS(core(), 1);
	count_to(1, 20);
}

static void at_once(void)
{
	a = on(0, "A", at_once_a, 10);
	b = on(1, "B", at_once_b, 10);
	c = on(1, "C", counts_c, 5);
	SAYS(INVALID_CONFIG, INITIALIZE_PROCESS_CORE_AFFINITY, a, 2);
	SAYS(INVALID_CONFIG, INITIALIZE_PROCESS_CORE_AFFINITY, a, -2);
	SAYS(INVALID_PARAM, INITIALIZE_PROCESS_CORE_AFFINITY, 99, 1);
	start_normal();
}

/* Of three of any core the first two run; one with a core drives one of them to the other. */
static void any_a(void)
{
	sim_work(300);
	IS(state_of(b), RUNNING);
	IS(state_of(c), READY);
	OK(START, d); /* pinned to this core, above all: two of the others are left without one */
	sim_work(300);
	IS(state_of(d), RUNNING);
	IS(state_of(c), READY);
	IS(state_of(b), READY);
	IS(core(), 1);
	OK(STOP, d);
	sim_work(300);
	IS(state_of(b), RUNNING);
	OK(SET_PRIORITY, c, 25);
	sim_work(300);
	IS(state_of(c), RUNNING);
	IS(state_of(b), READY);
	OK(STOP, c);
	OK(STOP, b);
	IS(state_of(a), RUNNING);
}

static void any(void)
{
	a = on(ANY, "A", any_a, 30);
	b = on(ANY, "B", counts_b, 20);
	c = on(ANY, "C", counts_c, 10);
	d = on(0, "D", counts_d, 40);
	start_normal();
}

static void on_default(void)
{
	mark((char)('0' + core()));
}

static void defaults(void)
{
	a = process_make("A", on_default, 10);
	b = on(0, "B", on_default, 10);
	start_normal();
}

static void affinity(void)
{
	run_on(2, at_once);
	run_on(2, any);
	a = b = c = d = 0;
	sim_reset();
	sim.cores = 2;
	sim_default_core(1);
	sim_run_on(defaults);
	IS(strlen(trace), 2);
	IS(strchr(trace, '0') != NULL && strchr(trace, '1') != NULL, true);
}

/* ---- another core's process ---- */

static void others_a(void)
{
	int was;

	sim_work(1000);
	IS(counts[1] > 5, true);
	OK(STOP, b);
	was = counts[1];
	IS(state_of(b), DORMANT);
	sim_work(1000);
	IS(counts[1], was); /* not one step more */
	counts[1] = 0;
	OK(START, b);
	sim_work(1000);
	IS(counts[1] > 5, true);
	/* Again at once, before its core has looked. */
	counts[1] = 0;
	OK(STOP, b);
	OK(START, b);
	sim_work(1000);
	IS(counts[1] > 5 && counts[1] < 20, true);

	OK(SUSPEND, b);
	was = counts[1];
	IS(state_of(b), WAITING);
	sim_work(1000);
	IS(counts[1], was);
	SAYS(NO_ACTION, SUSPEND, b);
	OK(RESUME, b);
	sim_work(1000);
	IS(counts[1] > was, true);
	OK(SET_PRIORITY, b, 5); /* below c */
	sim_work(500);
	IS(state_of(b), READY);
	IS(state_of(c), RUNNING);
	OK(SET_PARTITION_MODE, IDLE);
}

static void others(void)
{
	a = on(0, "A", others_a, 10);
	b = on(1, "B", counts_b, 20);
	c = on(1, "C", counts_c, 10);
	start_normal();
}

/* ---- objects: whoever waits has another core ---- */

static void waits_b(void)
{
	MESSAGE_SIZE_TYPE n = 0;
	APEX_BYTE m[8];

	OK(WAIT_SEMAPHORE, object, INFINITE_TIME_VALUE);
	mark('s');
	OK(WAIT_EVENT, object, INFINITE_TIME_VALUE);
	mark('e');
	OK(RECEIVE_BUFFER, object, INFINITE_TIME_VALUE, m, &n);
	IS(n, 3);
	IS(m[0], 'x');
	mark('b');
	OK(READ_BLACKBOARD, object, INFINITE_TIME_VALUE, m, &n);
	IS(n, 2);
	mark('d');
	OK(ACQUIRE_MUTEX, object, INFINITE_TIME_VALUE);
	mark('m');
	OK(RELEASE_MUTEX, object);
	OK(RECEIVE_QUEUING_MESSAGE, 1, INFINITE_TIME_VALUE, m, &n);
	mark('q');
	SAYS(TIMED_OUT, WAIT_SEMAPHORE, object, 500);
	mark('t');
	IS(core(), 1);
}

static void gives_a(void)
{
	APEX_BYTE m[8] = "xyz";

	OK(ACQUIRE_MUTEX, object, 0);
	sim_work(300);
	OK(SIGNAL_SEMAPHORE, object);
	sim_work(300);
	TRACE("s");
	OK(SET_EVENT, object);
	sim_work(300);
	TRACE("se");
	OK(SEND_BUFFER, object, m, 3, 0);
	sim_work(300);
	TRACE("seb");
	OK(DISPLAY_BLACKBOARD, object, m, 2);
	sim_work(300);
	TRACE("sebd"); /* b waits for the mutex */
	IS(state_of(b), WAITING);
	SAYS(INVALID_MODE, SUSPEND, b);
	OK(RELEASE_MUTEX, object);
	sim_work(300);
	TRACE("sebdm");
	(void)plat_port_write(3, m, 3);
	sim_post();
	sim_work(300);
	TRACE("sebdmq");
	sim_work(1000);
	TRACE("sebdmqt");
}

static void objects(void)
{
	APEX_INTEGER port;

	OK(CREATE_SEMAPHORE, "S", 0, 5, FIFO, &object);
	OK(CREATE_EVENT, "E", &object);
	OK(CREATE_BUFFER, "B", 8, 2, FIFO, &object);
	OK(CREATE_BLACKBOARD, "D", 8, &object);
	OK(CREATE_MUTEX, "M", 50, PRIORITY, &object);
	OK(CREATE_QUEUING_PORT, "QUEUE_IN", 64, 3, DESTINATION, FIFO, &port);
	IS(port, 1);
	a = on(0, "A", gives_a, 10);
	b = on(1, "B", waits_b, 10);
	start_normal();
}

/* ---- the preemption lock ---- */

static void locks_a(void)
{
	LOCK_LEVEL_TYPE level = -1;

	OK(LOCK_PREEMPTION, &level);
	IS(level, 1);
	OK(START, d); /* above it, but it has the core for itself */
	sim_work(2000);
	IS(counts[3], 0);
	TRACE("u"); /* the other core went on, up to its own lock */
	IS(state_of(b), WAITING);
	SAYS(INVALID_MODE, SUSPEND, b);
	OK(UNLOCK_PREEMPTION, &level);
	mark('a');
	IS(counts[3], 10); /* d was first */
	sim_work(3000);
	TRACE("ula");
	SAYS(NO_ACTION, UNLOCK_PREEMPTION, &level);
	IS(level, 0);
}

static void locks_b(void)
{
	LOCK_LEVEL_TYPE level = -1;
	MUTEX_STATUS_TYPE s;

	sim_work(500);
	SAYS(INVALID_MODE, UNLOCK_PREEMPTION, &level);
	IS(level, 1);
	OK(GET_MUTEX_STATUS, PREEMPTION_LOCK_MUTEX, &s);
	IS(s.MUTEX_OWNER, a);
	mark('u');
	OK(LOCK_PREEMPTION, &level);
	IS(level, 1);
	mark('l');
	OK(GET_MUTEX_STATUS, PREEMPTION_LOCK_MUTEX, &s);
	IS(s.MUTEX_OWNER, b);
	OK(UNLOCK_PREEMPTION, &level);
	IS(level, 0);
}

static void counts_d_short(void)
{
	count_to(3, 10);
}

static void locks(void)
{
	a = on(0, "A", locks_a, 10);
	b = on(1, "B", locks_b, 10);
	d = on(0, "D", counts_d_short, 20);
	start_normal();
}

/* An owner without preference keeps its core; others of any core, above it, go elsewhere. */
static void lock_any_a(void)
{
	PROCESSOR_CORE_ID_TYPE mine = core();
	LOCK_LEVEL_TYPE level;

	OK(LOCK_PREEMPTION, &level);
	sim_work(500);
	IS(counts[2] > 2, true); /* below a, it has the other core */
	OK(START, b);		 /* drives c away */
	sim_work(500);
	IS(core(), mine);
	IS(counts[1] > 2, true);
	IS(state_of(c), READY);
	OK(START, d);
	sim_work(500);
	IS(core(), mine);
	IS(state_of(b), READY);
	IS(state_of(d), RUNNING);
	IS(state_of(a), RUNNING);
	OK(UNLOCK_PREEMPTION, &level);
	IS(counts[1] == 1000 || counts[3] == 1000, true); /* one had to end first */
}

static void lock_any(void)
{
	a = on(ANY, "A", lock_any_a, 10);
	b = on(ANY, "B", counts_b, 20);
	c = on(ANY, "C", counts_c, 5);
	d = on(ANY, "D", counts_d, 30);
	memset(counts, 0, sizeof(counts));
	OK(START, c);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* One that runs on the other core is to run here: not before that has let go. */
static void moves_c(void)
{
	sim_work(500);
	IS(state_of(a), RUNNING);
	OK(START, d); /* on a's core: a comes here, and then goes back */
	mark('c');
	IS(counts[0] >= 30, true);
	IS(counts[3], 1000);
}

static void moves_a(void)
{
	count_to(0, 3);
	IS(core(), 0);
	while (core() == 0 && counts[0] < 1000)
		count_to(0, counts[0] + 1);
	IS(core(), 1);
	count_to(0, 1500);
	mark('a');
}

static void moves(void)
{
	a = on(ANY, "A", moves_a, 30);
	c = on(1, "C", moves_c, 20);
	d = on(0, "D", counts_d, 40);
	memset(counts, 0, sizeof(counts));
	OK(START, c);
	OK(START, a);
	OK(SET_PARTITION_MODE, NORMAL);
}

/* Its owner is stopped: the next one has it, on its own core. */
static void lock_stop_a(void)
{
	LOCK_LEVEL_TYPE level;

	sim_work(500);
	IS(counts[2], 0); /* c is above b, on its core */
	OK(START, c);
	sim_work(500);
	IS(counts[2], 0);
	OK(STOP, b);
	sim_work(500);
	IS(counts[2] > 0, true);
	OK(LOCK_PREEMPTION, &level);
	OK(UNLOCK_PREEMPTION, &level);
	OK(SET_PARTITION_MODE, IDLE);
}

static void lock_stop_b(void)
{
	LOCK_LEVEL_TYPE level;

	OK(LOCK_PREEMPTION, &level);
	count_to(1, 1000);
}

static void lock_stop(void)
{
	a = on(0, "A", lock_stop_a, 10);
	b = on(1, "B", lock_stop_b, 10);
	OK(START, a);
	OK(START, b);
	c = on(1, "C", counts_c, 20);
	memset(counts, 0, sizeof(counts));
	OK(SET_PARTITION_MODE, NORMAL);
}

/* ---- errors ---- */

static bool shares;
static PROCESSOR_CORE_ID_TYPE handled_on;
static int handled, during;

static void handler(void)
{
	ERROR_STATUS_TYPE e;
	int was = counts[1];

	if (!shares)
		IS(state_of(b), READY); /* it has stopped before this begins */
	handled_on = core();
	sim_work(1000);
	during = counts[1] - was;
	OK(GET_ERROR_STATUS, &e);
	handled++;
	if (e.ERROR_CODE == NUMERIC_ERROR)
		OK(STOP, e.FAILED_PROCESS_ID);
	STOP_SELF();
}

static void fails_a(void)
{
	APEX_BYTE text[4] = "oh";

	sim_work(500);
	OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 3);
	while (handled == 0)
		sim_work(100);
	mark('w');
	sim_fault(NUMERIC_ERROR, 0);
	mark('!'); /* it was stopped there */
}

static void watches_c(void)
{
	while (handled < 2)
		wait_for(1000);
	IS(state_of(a), DORMANT);
	OK(SET_PARTITION_MODE, IDLE);
}

static void errors_on(PROCESSOR_CORE_ID_TYPE where)
{
	handled = 0;
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(uintptr_t)handler, 4096);
	SAYS(INVALID_CONFIG, CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 2);
	OK(CONFIGURE_ERROR_HANDLER, shares ? PROCESSES_SCHEDULED : PROCESSES_PAUSE, where);
	a = on(0, "A", fails_a, 10);
	b = on(1, "B", counts_b, 10);
	c = on(1, "C", watches_c, 20);
	start_normal();
}

static void errors_here(void)
{
	errors_on(ANY);
}

static void errors_there(void)
{
	errors_on(1);
}

static void errors(void)
{
	shares = false;
	run_on(2, errors_here);
	IS(sim.ended, true);
	IS(handled, 2);
	IS(handled_on, 0);
	IS(during, 0);
	TRACE("w");
	run_on(2, errors_there);
	IS(handled, 2);
	IS(handled_on, 1);
	IS(during, 0);
	shares = true;
	run_on(2, errors_here);
	IS(handled, 2);
	IS(handled_on, 0);
	IS(during > 5, true);
}

/* ---- time ---- */

static void misses_b(void)
{
	sim_work(5000);
	mark('-');
}

static void late_handler(void)
{
	ERROR_STATUS_TYPE e;

	OK(GET_ERROR_STATUS, &e);
	IS(e.ERROR_CODE, DEADLINE_MISSED);
	IS(e.FAILED_PROCESS_ID, b);
	IS(sim.now >= 3100 && sim.now < 3400, true);
	OK(STOP, b);
	mark('d');
	STOP_SELF();
}

static void works_a(void)
{
	sim_work(10000);
	TRACE("d");
	wait_for(100);
	IS(core(), 0);
	OK(SET_PARTITION_MODE, IDLE);
}

static void deadline(void)
{
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(uintptr_t)late_handler, 4096);
	a = on(0, "A", works_a, 10);
	b = process_make_timed("B", misses_b, 10, INFINITE_TIME_VALUE, 3000);
	OK(INITIALIZE_PROCESS_CORE_AFFINITY, b, 1);
	start_normal();
}

static uint64_t released[2];

static void periodic_process(void)
{
	for (int i = 0; i < 3; i++) {
		IS(sim.now - (uint64_t)(i + 1) * PERIOD_NS < 500, true);
		released[core()]++;
		SAYS0(NO_ERROR, PERIODIC_WAIT);
	}
	STOP_SELF();
}

static void releases(void)
{
	released[0] = released[1] = 0;
	a = process_make_timed("A", periodic_process, 10, PERIOD_NS, PERIOD_NS);
	b = process_make_timed("B", periodic_process, 10, PERIOD_NS, PERIOD_NS);
	OK(INITIALIZE_PROCESS_CORE_AFFINITY, b, 1);
	start_normal();
}

/* The partition's mode is set from another core than that of its main process. */
static void restarts_b(void)
{
	sim_work(300);
	OK(SET_PARTITION_MODE, COLD_START);
}

static void restart(void)
{
	a = on(0, "A", works_a, 10);
	b = on(1, "B", restarts_b, 10);
	start_normal();
}

void cases_cores(void)
{
	affinity();
	run_on(2, others);
	IS(sim.ended, true);
	run_on(2, objects);
	TRACE("sebdmqt");
	run_on(2, locks);
	run_on(2, lock_any);
	run_on(2, moves);
	TRACE("ca");
	run_on(2, lock_stop);
	IS(sim.ended, true);
	errors();
	run_on(2, deadline);
	IS(sim.ended, true);
	run_on(2, releases);
	IS(released[0], 3);
	IS(released[1], 3);
	run_on(2, restart);
	IS(sim.restarted, true);
}
