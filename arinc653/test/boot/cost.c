/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - the instructions of each service, kernel included, as this machine counts time: with
 * -icount shift=0 a nanosecond is an instruction. Each figure is the least of some calls. */
#include "arinc653/test/boot/boot.h"

#define TIMES 8

static SEMAPHORE_ID_TYPE semaphore, ping, pong;
static SAMPLING_PORT_ID_TYPE sampling;
static QUEUING_PORT_ID_TYPE queuing;
static BUFFER_ID_TYPE buffer;
static BLACKBOARD_ID_TYPE board;
static EVENT_ID_TYPE event;
static MUTEX_ID_TYPE mutex;
static PROCESS_ID_TYPE self, idle;
static long long empty;
static RETURN_CODE_TYPE rc;

static void line(const char *name, long long n)
{
	char text[64];
	unsigned i = 0;

	for (; name[i]; i++)
		text[i] = name[i];
	for (; i < 34; i++)
		text[i] = ' ';
	text[i] = 0;
	say_number(text, n);
	IS(n > 0 && n < 20000, 1);
}

#define LEAST(best, body)                             \
	do {                                          \
		best = 1LL << 60;                     \
		for (int k_ = 0; k_ < TIMES; k_++) {  \
			long long t_ = now();         \
			body;                         \
			t_ = now() - t_;              \
			best = t_ < best ? t_ : best; \
		}                                     \
	} while (0)
#define COST(name, body)                \
	do {                            \
		long long n_;           \
		LEAST(n_, body);        \
		IS(rc, NO_ERROR);       \
		line(name, n_ - empty); \
	} while (0)

static void processes(void)
{
	PROCESS_STATUS_TYPE s;
	PROCESS_ID_TYPE id;
	LOCK_LEVEL_TYPE n;
	SYSTEM_TIME_TYPE t;

	COST("GET_TIME", GET_TIME(&t, &rc));
	COST("GET_MY_ID", GET_MY_ID(&id, &rc));
	COST("GET_PROCESS_STATUS", GET_PROCESS_STATUS(self, &s, &rc));
	COST("SET_PRIORITY", SET_PRIORITY(self, 10, &rc));
	COST("START + STOP, lower priority", START(idle, &rc); STOP(idle, &rc));
	COST("LOCK + UNLOCK_PREEMPTION", LOCK_PREEMPTION(&n, &rc); UNLOCK_PREEMPTION(&n, &rc));
	COST("TIMED_WAIT(0)", TIMED_WAIT(0, &rc));
}

static void objects(void)
{
	static APEX_BYTE text[64];
	MESSAGE_SIZE_TYPE n;

	COST("SIGNAL + WAIT_SEMAPHORE", SIGNAL_SEMAPHORE(semaphore, &rc);
	     WAIT_SEMAPHORE(semaphore, 0, &rc));
	COST("SET + WAIT + RESET_EVENT", SET_EVENT(event, &rc); WAIT_EVENT(event, 0, &rc);
	     RESET_EVENT(event, &rc));
	COST("ACQUIRE + RELEASE_MUTEX", ACQUIRE_MUTEX(mutex, 0, &rc); RELEASE_MUTEX(mutex, &rc));
	COST("SEND + RECEIVE_BUFFER, 64 bytes", SEND_BUFFER(buffer, text, 64, 0, &rc);
	     RECEIVE_BUFFER(buffer, 0, text, &n, &rc));
	COST("DISPLAY + READ_BLACKBOARD, 64", DISPLAY_BLACKBOARD(board, text, 64, &rc);
	     READ_BLACKBOARD(board, 0, text, &n, &rc));
	COST("WRITE_SAMPLING_MESSAGE, 64 bytes", WRITE_SAMPLING_MESSAGE(sampling, text, 64, &rc));
	COST("SEND_QUEUING_MESSAGE, 64 bytes", SEND_QUEUING_MESSAGE(queuing, text, 64, 0, &rc));
}

/* ---- with switches of the process ---- */

static void answers(void)
{
	for (;;) {
		WAIT_SEMAPHORE(ping, INFINITE_TIME_VALUE, &rc);
		SIGNAL_SEMAPHORE(pong, &rc);
	}
}

static void raises_nothing(void)
{
	ERROR_STATUS_TYPE e;

	GET_ERROR_STATUS(&e, &rc);
	STOP_SELF();
}

static void measure(void)
{
	APEX_BYTE none = 0;

	LEAST(empty, );
	GET_MY_ID(&self, &rc);
	processes();
	objects();
	COST("ping + pong: 2 switches", SIGNAL_SEMAPHORE(ping, &rc);
	     WAIT_SEMAPHORE(pong, INFINITE_TIME_VALUE, &rc));
	COST("error to the handler and back",
	     RAISE_APPLICATION_ERROR(APPLICATION_ERROR, &none, 1, &rc));
	finish();
}

static void nothing(void)
{
}

void cost_main(void)
{
	OK(CREATE_SEMAPHORE, "S", 0, 1, FIFO, &semaphore);
	OK(CREATE_SEMAPHORE, "PING", 0, 1, FIFO, &ping);
	OK(CREATE_SEMAPHORE, "PONG", 0, 1, FIFO, &pong);
	OK(CREATE_EVENT, "E", &event);
	OK(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	OK(CREATE_BUFFER, "B", 64, 2, FIFO, &buffer);
	OK(CREATE_BLACKBOARD, "B", 64, &board);
	OK(CREATE_SAMPLING_PORT, "SAMPLES", 64, SOURCE, 0, &sampling);
	OK(CREATE_QUEUING_PORT, "MESSAGES", 64, 16, SOURCE, FIFO, &queuing);
	OK(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)raises_nothing, 4096);
	OK(START, make("answers", answers, 20, APERIODIC));
	OK(START, make("measure", measure, 10, APERIODIC));
	idle = make("idle", nothing, 1, APERIODIC);
}
