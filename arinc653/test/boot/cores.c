/* SPDX-License-Identifier: Apache-2.0 */
/* cores.c - a partition of two cores: two processes that run at the same time, or neither would get
 * on; messages and wake-ups across; what one core does to the process of the other; floating point
 * of processes that change their core; starts anew from either core. */
#include "arinc653/test/boot/boot.h"

#define ANY CORE_AFFINITY_NO_PREFERENCE
#define MS 1000000
#define ROUNDS 2000
#define MESSAGES 200

static PROCESS_ID_TYPE driver_id, partner_id, spinner_id, failing_id, overdue_id, sums[3];
static BUFFER_ID_TYPE there, back;
static SEMAPHORE_ID_TYPE step, done;
static volatile long turn, spun, handled, changes;
static volatile long long spun_in_handler;
static long long best_trip = 1LL << 60;

static PROCESS_ID_TYPE on(PROCESSOR_CORE_ID_TYPE core, const char *name, void (*entry)(void),
			  PRIORITY_TYPE priority, SYSTEM_TIME_TYPE capacity)
{
	PROCESS_ID_TYPE id = make(name, entry, priority, INFINITE_TIME_VALUE, capacity);

	OK(INITIALIZE_PROCESS_CORE_AFFINITY, id, core);
	return id;
}

static PROCESSOR_CORE_ID_TYPE core(void)
{
	PROCESSOR_CORE_ID_TYPE id = -1;
	RETURN_CODE_TYPE rc;

	GET_MY_PROCESSOR_CORE_ID(&id, &rc);
	return id;
}

static PROCESS_STATE_TYPE state_of(PROCESS_ID_TYPE id)
{
	PROCESS_STATUS_TYPE s;

	OK(GET_PROCESS_STATUS, id, &s);
	return s.PROCESS_STATE;
}

/* An emulator that runs the cores in turn goes on with the next one here. */
static void pause(void)
{
	__asm__ volatile("pause");
}

/* ---- the other core's side ---- */

/* Turn by turn, without a service: each round needs both to be running. */
static void take_turns(long self)
{
	for (long i = 0; i < ROUNDS; i++) {
		while (turn != 2 * i + self)
			pause();
		turn = turn + 1;
	}
}

static void partner(void)
{
	MESSAGE_SIZE_TYPE n;
	APEX_BYTE m[64];

	IS(core(), 1);
	take_turns(1);
	for (int i = 0; i < MESSAGES; i++) {
		OK(RECEIVE_BUFFER, there, INFINITE_TIME_VALUE, m, &n);
		IS(n, 1 + i % 64);
		IS(m[0], i % 256);
		OK(SEND_BUFFER, back, m, n, INFINITE_TIME_VALUE);
	}
	OK(WAIT_SEMAPHORE, step, INFINITE_TIME_VALUE);
	IS(core(), 1);
	OK(SIGNAL_SEMAPHORE, done);
}

static void spinner(void)
{
	spun = 0;
	for (;;) {
		spun = spun + 1;
		pause();
	}
}

static volatile int zero;

static void failing(void)
{
	zero = 7 / zero;
}

static void overdue(void)
{
	for (;;)
		pause();
}

/* Half of the time it has another core than before. */
static void sum(void)
{
	double want = 0.5, x = 0.5;
	PROCESSOR_CORE_ID_TYPE last = core();

	for (int i = 0; i < 3000; i++) {
		x = x * 1.5 - 0.25; /* 0.5 is what it stays */
		if (i % 30 == 0)
			OK(TIMED_WAIT, 1000 + i % 7 * 1000);
		changes = changes + (core() != last);
		last = core();
	}
	check_at(x == want, "a sum of floating point", (long long)(x * 1000), __LINE__);
	OK(SIGNAL_SEMAPHORE, done);
}

static void handler(void)
{
	ERROR_STATUS_TYPE e;
	RETURN_CODE_TYPE rc;
	long was = spun;
	SYSTEM_TIME_TYPE end = now() + MS / 10;

	IS(state_of(spinner_id) != RUNNING, 1);
	while (now() < end)
		pause();
	spun_in_handler += spun - was;
	for (;;) {
		GET_ERROR_STATUS(&e, &rc);
		if (rc != NO_ERROR)
			break;
		IS(e.FAILED_PROCESS_ID, e.ERROR_CODE == DEADLINE_MISSED ? overdue_id : failing_id);
		OK(STOP, e.FAILED_PROCESS_ID);
		handled++;
	}
	STOP_SELF();
}

/* ---- this core's ---- */

static void together(void)
{
	SYSTEM_TIME_TYPE start = now();
	MESSAGE_SIZE_TYPE n;
	APEX_BYTE m[64];

	IS(core(), 0);
	take_turns(0);
	say_number("turns of two cores, ns each: ", (now() - start) / (2 * ROUNDS));
	for (int i = 0; i < MESSAGES; i++) {
		SYSTEM_TIME_TYPE t = now();

		m[0] = (APEX_BYTE)i;
		OK(SEND_BUFFER, there, m, 1 + i % 64, INFINITE_TIME_VALUE);
		OK(RECEIVE_BUFFER, back, INFINITE_TIME_VALUE, m, &n);
		IS(m[0], i % 256);
		t = now() - t;
		best_trip = t < best_trip ? t : best_trip;
	}
	say_number("message to the other core and back, least ns: ", best_trip);
	OK(SIGNAL_SEMAPHORE, step);
	OK(WAIT_SEMAPHORE, done, INFINITE_TIME_VALUE);
}

static void spin(SYSTEM_TIME_TYPE ns)
{
	SYSTEM_TIME_TYPE end = now() + ns;

	while (now() < end)
		pause();
}

/* The spinner gets on from where it was; how soon, on a machine that has other things to do, nobody
 * knows. */
static void spins_on(long was)
{
	SYSTEM_TIME_TYPE end = now() + 5000LL * MS;

	while (spun < was + 100 && now() < end)
		pause();
	IS(spun >= was + 100, 1);
}

static void others_process(void)
{
	long was;

	OK(START, spinner_id);
	spins_on(0);
	IS(state_of(spinner_id), RUNNING);
	IS(state_of(driver_id), RUNNING);
	OK(STOP, spinner_id);
	was = spun;
	spin(MS / 5);
	IS(spun, was);
	spun = -1000;
	OK(START, spinner_id);
	spins_on(0);
	OK(SUSPEND, spinner_id);
	was = spun;
	spin(MS / 5);
	IS(spun, was);
	OK(RESUME, spinner_id);
	spins_on(was);
	for (int i = 0; i < 50; i++) { /* anew, before its core has looked */
		OK(STOP, spinner_id);
		OK(START, spinner_id);
	}
	spun = -1000;
	spins_on(-1000);
	IS(state_of(spinner_id), RUNNING);
}

static void errors(void)
{
	OK(START, failing_id); /* above the spinner, on its core */
	while (handled == 0)
		pause();
	IS(spun_in_handler, 0);
	IS(state_of(failing_id), DORMANT);
	OK(START, overdue_id); /* its deadline is that core's, while this one spins */
	while (handled == 1)
		pause();
	IS(state_of(overdue_id), DORMANT);
	spins_on(spun);
	OK(STOP, spinner_id);
}

static void locked(void)
{
	LOCK_LEVEL_TYPE level;

	OK(LOCK_PREEMPTION, &level);
	spun = -1000;
	OK(START, spinner_id);
	spins_on(0); /* the other core goes on */
	OK(UNLOCK_PREEMPTION, &level);
	IS(level, 0);
	OK(STOP, spinner_id);
}

static void driver(void)
{
	PARTITION_STATUS_TYPE s;

	OK(GET_PARTITION_STATUS, &s);
	IS(s.NUM_ASSIGNED_CORES, 2);
	together();
	others_process();
	errors();
	locked();
	for (int i = 0; i < 3; i++)
		OK(START, sums[i]);
	for (int i = 0; i < 3; i++)
		OK(WAIT_SEMAPHORE, done, INFINITE_TIME_VALUE);
	IS(changes > 0, 1);
	finish();
}

void cores_main(void)
{
	OK(CREATE_BUFFER, "THERE", 64, 2, FIFO, &there);
	OK(CREATE_BUFFER, "BACK", 64, 2, FIFO, &back);
	OK(CREATE_SEMAPHORE, "STEP", 0, 1, FIFO, &step);
	OK(CREATE_SEMAPHORE, "DONE", 0, 3, FIFO, &done);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)handler, 4096);
	OK(CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, ANY);
	driver_id = on(0, "driver", driver, 10, INFINITE_TIME_VALUE);
	partner_id = on(1, "partner", partner, 10, INFINITE_TIME_VALUE);
	spinner_id = on(1, "spinner", spinner, 10, INFINITE_TIME_VALUE);
	failing_id = on(1, "failing", failing, 20, INFINITE_TIME_VALUE);
	overdue_id = on(1, "overdue", overdue, 20, MS / 2);
	for (int i = 0; i < 3; i++) {
		char name[] = { 's', (char)('0' + i), 0 };

		sums[i] = on(ANY, name, sum, 20 + i, INFINITE_TIME_VALUE);
	}
	OK(START, driver_id);
	OK(START, partner_id);
}

/* ---- starts anew ---- */

static long lives = 1; /* as linked: a cold start's */

static void starts_anew(void)
{
	PARTITION_STATUS_TYPE s;
	RETURN_CODE_TYPE rc;

	OK(GET_PARTITION_STATUS, &s);
	IS(core(), s.START_CONDITION == NORMAL_START);
	lives++;
	if (s.START_CONDITION == NORMAL_START)
		SET_PARTITION_MODE(WARM_START, &rc);
	IS(s.OPERATING_MODE, NORMAL);
	if (lives == 5) {
		say("warm");
		SET_PARTITION_MODE(COLD_START, &rc);
	}
	IS(lives, 3);
	say("cold");
	finish();
}

/* Core 1, the first time; then it begins on that core, and core 0 does it. */
void cores_restart_main(void)
{
	PARTITION_STATUS_TYPE s;

	OK(GET_PARTITION_STATUS, &s);
	lives++;
	spinner_id = on(s.START_CONDITION == NORMAL_START ? 0 : 1, "spinner", spinner, 10,
			INFINITE_TIME_VALUE);
	OK(START, spinner_id);
	OK(START, on(s.START_CONDITION == NORMAL_START ? 1 : 0, "anew", starts_anew, 10,
		     INFINITE_TIME_VALUE));
}
