/* SPDX-License-Identifier: Apache-2.0 */
/* stress.c - three cores that are threads: processes of all kinds of affinity use every kind of
 * object at once, and one stops, starts, suspends and moves others. What they share is protected by
 * APEX services only: the thread sanitizer, and sums that must come out, tell when those let two
 * through, or one process run twice. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arinc653/apex.h"
#include "arinc653/test/threads.h"

#define CORES 3
#define ROUNDS 400
#define US 1000
#define ANY CORE_AFFINITY_NO_PREFERENCE
#define FOR_EVER INFINITE_TIME_VALUE

static MUTEX_ID_TYPE mutex;
static SEMAPHORE_ID_TYPE one, done;
static BUFFER_ID_TYPE buffer;
static BLACKBOARD_ID_TYPE board;
static EVENT_ID_TYPE event;
static PROCESS_ID_TYPE victims[3];
static long by_mutex, by_semaphore, by_lock, received, handled, failures;

#define MUST(cond)                                                          \
	do {                                                                \
		if (!(cond)) {                                              \
			printf("line %d: %s\n", __LINE__, #cond);           \
			__atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED); \
		}                                                           \
	} while (0)
#define OK(service, ...)                    \
	do {                                \
		RETURN_CODE_TYPE rc_;       \
		service(__VA_ARGS__, &rc_); \
		MUST(rc_ == NO_ERROR);      \
	} while (0)

static unsigned draw(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static PROCESSOR_CORE_ID_TYPE core(void)
{
	PROCESSOR_CORE_ID_TYPE id;

	OK(GET_MY_PROCESSOR_CORE_ID, &id);
	return id;
}

/* Each increments what only the service before it protects. */
static void one_round(unsigned *seed)
{
	LOCK_LEVEL_TYPE level;

	switch (draw(seed) % 4) {
	case 0:
		OK(ACQUIRE_MUTEX, mutex, FOR_EVER);
		by_mutex++;
		OK(RELEASE_MUTEX, mutex);
		break;
	case 1:
		OK(WAIT_SEMAPHORE, one, FOR_EVER);
		by_semaphore++;
		OK(SIGNAL_SEMAPHORE, one);
		break;
	case 2:
		OK(LOCK_PREEMPTION, &level);
		by_lock++;
		OK(UNLOCK_PREEMPTION, &level);
		break;
	default:
		OK(TIMED_WAIT, draw(seed) % 100 * US);
		break;
	}
}

static long rounds[3]; /* of the first three cases of one_round, by all workers */

static void worker(void)
{
	PROCESS_ID_TYPE id;
	long mine[4] = { 0 };
	unsigned seed, next;

	OK(GET_MY_ID, &id);
	seed = (unsigned)id;
	for (int i = 0; i < ROUNDS; i++) {
		next = seed;
		mine[draw(&next) % 4]++;
		one_round(&seed);
	}
	OK(ACQUIRE_MUTEX, mutex, FOR_EVER);
	for (int i = 0; i < 3; i++)
		rounds[i] += mine[i];
	OK(RELEASE_MUTEX, mutex);
	OK(SIGNAL_SEMAPHORE, done);
}

/* One core only ever runs it. */
static void pinned(void)
{
	PROCESSOR_CORE_ID_TYPE mine = core();
	unsigned seed = 99;

	for (int i = 0; i < ROUNDS; i++) {
		OK(TIMED_WAIT, draw(&seed) % 50 * US);
		MUST(core() == mine);
	}
	OK(SIGNAL_SEMAPHORE, done);
}

static void sender(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		APEX_BYTE m[32];

		memset(m, i & 255, sizeof(m));
		OK(SEND_BUFFER, buffer, m, 1 + i % 32, FOR_EVER);
		OK(DISPLAY_BLACKBOARD, board, m, 32);
		OK(SET_EVENT, event);
	}
	OK(SIGNAL_SEMAPHORE, done);
}

static void receiver(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		MESSAGE_SIZE_TYPE n = 0;
		APEX_BYTE m[32];

		OK(RECEIVE_BUFFER, buffer, FOR_EVER, m, &n);
		MUST(n == 1 + i % 32 && m[0] == (i & 255) && m[n - 1] == (i & 255));
		received++;
		OK(WAIT_EVENT, event, FOR_EVER);
		OK(READ_BLACKBOARD, board, FOR_EVER, m, &n);
		MUST(n == 32 && m[0] == m[31]);
		if (i % 16 == 0)
			OK(RESET_EVENT, event);
		if (i % 16 == 0)
			OK(SET_EVENT, event);
	}
	OK(SIGNAL_SEMAPHORE, done);
}

/* Whatever happens to them, each is in one place at a time. */
static struct {
	long inside, count;
} places[3];

static void victim(void)
{
	PROCESS_ID_TYPE id;
	RETURN_CODE_TYPE rc;
	long i;

	OK(GET_MY_ID, &id);
	i = id - victims[0];
	places[i].inside = 0;
	for (;;) {
		MUST(places[i].inside++ == 0);
		places[i].count++;
		MUST(places[i].inside-- == 1);
		TIMED_WAIT(places[i].count % 3 * 10 * US, &rc);
	}
}

static void raiser(void)
{
	APEX_BYTE text[4] = "err";

	for (int i = 0; i < ROUNDS / 4; i++) {
		OK(RAISE_APPLICATION_ERROR, APPLICATION_ERROR, text, 3);
		OK(TIMED_WAIT, 200 * US);
	}
	OK(SIGNAL_SEMAPHORE, done);
}

static void handler(void)
{
	ERROR_STATUS_TYPE e;
	RETURN_CODE_TYPE rc;

	for (;;) {
		GET_ERROR_STATUS(&e, &rc);
		if (rc != NO_ERROR)
			break;
		MUST(e.ERROR_CODE == APPLICATION_ERROR && e.LENGTH == 3);
		handled++;
	}
	STOP_SELF();
}

static void tormentor(void)
{
	PROCESS_STATUS_TYPE s;
	RETURN_CODE_TYPE rc;
	unsigned seed = 7;

	for (int i = 0; i < ROUNDS * 2; i++) {
		PROCESS_ID_TYPE v = victims[draw(&seed) % 3];

		switch (draw(&seed) % 6) {
		case 0:
			STOP(v, &rc);
			OK(GET_PROCESS_STATUS, v, &s);
			MUST(s.PROCESS_STATE == DORMANT);
			MUST(places[v - victims[0]].inside == 0); /* no core has it */
			break;
		case 1:
			STOP(v, &rc);
			START(v, &rc);
			MUST(rc == NO_ERROR);
			break;
		case 2:
			SUSPEND(v, &rc);
			MUST(places[v - victims[0]].inside == 0);
			break;
		case 3:
			RESUME(v, &rc);
			break;
		case 4:
			SET_PRIORITY(v, 10 + (PRIORITY_TYPE)(draw(&seed) % 30), &rc);
			break;
		default:
			OK(TIMED_WAIT, 50 * US);
			break;
		}
	}
	for (int i = 0; i < 3; i++)
		STOP(victims[i], &rc);
	for (int i = 0; i < 3; i++) /* nobody has them any more */
		printf("victim %d: %ld rounds\n", i, places[i].count);
	OK(SIGNAL_SEMAPHORE, done);
}

/* ---- the main process ---- */

static int to_wait_for;

static PROCESS_ID_TYPE add(const char *name, void (*entry)(void), PRIORITY_TYPE priority,
			   PROCESSOR_CORE_ID_TYPE where)
{
	PROCESS_ATTRIBUTE_TYPE a = { .PERIOD = FOR_EVER,
				     .TIME_CAPACITY = FOR_EVER,
				     .ENTRY_POINT = (SYSTEM_ADDRESS_TYPE)(unsigned long)entry,
				     .STACK_SIZE = 4096,
				     .BASE_PRIORITY = priority };
	PROCESS_ID_TYPE id = 0;

	strncpy(a.NAME, name, sizeof(a.NAME) - 1);
	OK(CREATE_PROCESS, &a, &id);
	OK(INITIALIZE_PROCESS_CORE_AFFINITY, id, where);
	OK(START, id);
	to_wait_for++;
	return id;
}

static void judge(void)
{
	for (int i = 0; i < to_wait_for; i++)
		OK(WAIT_SEMAPHORE, done, FOR_EVER);
	MUST(by_mutex == rounds[0]);
	MUST(by_semaphore == rounds[1]);
	MUST(by_lock == rounds[2]);
	MUST(received == ROUNDS);
	MUST(handled == ROUNDS / 4);
	printf("%ld by mutex, %ld by semaphore, %ld by preemption lock, %ld messages, %ld errors\n",
	       by_mutex, by_semaphore, by_lock, received, handled);
	OK(SET_PARTITION_MODE, IDLE);
}

static void main_process(void)
{
	static const char *const names[] = { "w0", "w1", "w2", "w3", "w4" };

	OK(CREATE_MUTEX, "M", 100, PRIORITY, &mutex);
	OK(CREATE_SEMAPHORE, "ONE", 1, 1, FIFO, &one);
	OK(CREATE_SEMAPHORE, "DONE", 0, 100, FIFO, &done);
	OK(CREATE_BUFFER, "B", 32, 3, FIFO, &buffer);
	OK(CREATE_BLACKBOARD, "D", 32, &board);
	OK(CREATE_EVENT, "E", &event);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)(unsigned long)handler, 4096);
	for (int i = 0; i < 5; i++)
		add(names[i], worker, 20 + i, i % 2 ? i % CORES : ANY);
	add("p1", pinned, 30, 1);
	add("p2", pinned, 31, 2);
	add("sender", sender, 25, 0);
	add("receiver", receiver, 25, ANY);
	add("raiser", raiser, 40, 2);
	add("tormentor", tormentor, 35, ANY);
	victims[0] = add("v0", victim, 15, ANY);
	victims[1] = add("v1", victim, 15, 1);
	victims[2] = add("v2", victim, 15, ANY);
	to_wait_for -= 3;
	add("judge", judge, 50, 0);
	to_wait_for--;
	OK(SET_PARTITION_MODE, NORMAL);
}

int main(void)
{
	threads_run(CORES, main_process);
	printf("%d passed, %d failed\n", failures == 0, failures != 0);
	return failures != 0;
}
