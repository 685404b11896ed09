/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - the instructions of each service, kernel included, as this machine counts time: with
 * -icount shift=0 a nanosecond is an instruction. Each figure is the least of some calls; those of
 * the main process are single calls. */
#include "arinc653/test/boot/boot.h"

#define TIMES 8
#define MS 1000000

static SEMAPHORE_ID_TYPE semaphore, ping, pong;
static SAMPLING_PORT_ID_TYPE sampling, samples_in;
static QUEUING_PORT_ID_TYPE queuing, messages_in;
static BUFFER_ID_TYPE buffer;
static BLACKBOARD_ID_TYPE board;
static EVENT_ID_TYPE event;
static MUTEX_ID_TYPE mutex;
static PROCESS_ID_TYPE self, idle, quick, overdue;
static long long empty, overdue_cost = 1LL << 60;
static APEX_BYTE text[64];
static RETURN_CODE_TYPE rc;

static void line(const char *name, long long n)
{
	char out[64];
	unsigned i = 0;

	for (; name[i]; i++)
		out[i] = name[i];
	for (; i < 34; i++)
		out[i] = ' ';
	out[i] = 0;
	say_number(out, n);
	IS(n >= 0 && n < 60000, 1);
}

/* The body's least time, after `before` each time. */
#define LEAST(best, times, before, body)               \
	do {                                           \
		best = 1LL << 60;                      \
		for (int k_ = 0; k_ < (times); k_++) { \
			long long t_;                  \
			before;                        \
			t_ = now();                    \
			body;                          \
			t_ = now() - t_;               \
			best = t_ < best ? t_ : best;  \
		}                                      \
	} while (0)
#define COST_AFTER(name, before, body)          \
	do {                                    \
		long long n_;                   \
		LEAST(n_, TIMES, before, body); \
		IS(rc, NO_ERROR);               \
		line(name, n_ - empty);         \
	} while (0)
#define COST(service, ...) COST_AFTER(#service, , service(__VA_ARGS__, &rc))
#define COST_ONCE(service, ...)                            \
	do {                                               \
		long long n_;                              \
		LEAST(n_, 1, , service(__VA_ARGS__, &rc)); \
		IS(rc, NO_ERROR);                          \
		line(#service, n_ - empty);                \
	} while (0)

static void processes(void)
{
	PROCESSOR_CORE_ID_TYPE core;
	PARTITION_STATUS_TYPE partition;
	PROCESS_STATUS_TYPE s;
	PARTITION_ID_TYPE pid;
	PROCESS_ID_TYPE id;
	LOCK_LEVEL_TYPE n;
	SYSTEM_TIME_TYPE t;

	COST(GET_PARTITION_STATUS, &partition);
	COST(GET_MY_PARTITION_ID, &pid);
	COST(GET_PROCESS_ID, "idle", &id);
	COST(GET_PROCESS_STATUS, self, &s);
	COST(SET_PRIORITY, self, 10);
	COST_AFTER("START", STOP(idle, &rc), START(idle, &rc));
	COST_AFTER("SUSPEND", RESUME(idle, &rc), SUSPEND(idle, &rc));
	COST_AFTER("RESUME", SUSPEND(idle, &rc), RESUME(idle, &rc));
	COST_AFTER("STOP", START(idle, &rc), STOP(idle, &rc));
	COST_AFTER("DELAYED_START", STOP(idle, &rc), DELAYED_START(idle, MS, &rc));
	STOP(idle, &rc);
	COST_AFTER("START, 2 switches, STOP_SELF", , START(quick, &rc));
	COST_AFTER("LOCK_PREEMPTION", UNLOCK_PREEMPTION(&n, &rc), LOCK_PREEMPTION(&n, &rc));
	UNLOCK_PREEMPTION(&n, &rc);
	COST_AFTER("UNLOCK_PREEMPTION", LOCK_PREEMPTION(&n, &rc), UNLOCK_PREEMPTION(&n, &rc));
	COST(GET_MY_ID, &id);
	COST(GET_MY_INDEX, &id);
	COST(GET_MY_PROCESSOR_CORE_ID, &core);
	COST(TIMED_WAIT, 0);
	COST(GET_TIME, &t);
	line("PERIODIC_WAIT, due", overdue_cost - empty);
	COST(SUSPEND_SELF, 0);
}

static void ports(void)
{
	SAMPLING_PORT_STATUS_TYPE s;
	QUEUING_PORT_STATUS_TYPE q;
	MESSAGE_SIZE_TYPE n;
	VALIDITY_TYPE v;
	APEX_INTEGER id;

	COST(WRITE_SAMPLING_MESSAGE, sampling, text, 64);
	COST(READ_SAMPLING_MESSAGE, samples_in, text, &n, &v);
	COST(GET_SAMPLING_PORT_ID, "SAMPLES", &id);
	COST(GET_SAMPLING_PORT_STATUS, sampling, &s);
	COST(SEND_QUEUING_MESSAGE, queuing, text, 64, 0);
	COST(RECEIVE_QUEUING_MESSAGE, messages_in, 0, text, &n);
	COST(GET_QUEUING_PORT_ID, "MESSAGES", &id);
	COST(GET_QUEUING_PORT_STATUS, queuing, &q);
	COST(CLEAR_QUEUING_PORT, messages_in);
}

static void messages(void)
{
	BLACKBOARD_STATUS_TYPE bs;
	BUFFER_STATUS_TYPE s;
	MESSAGE_SIZE_TYPE n;
	APEX_INTEGER id;

	COST_AFTER("SEND_BUFFER", RECEIVE_BUFFER(buffer, 0, text, &n, &rc),
		   SEND_BUFFER(buffer, text, 64, 0, &rc));
	COST_AFTER("RECEIVE_BUFFER", SEND_BUFFER(buffer, text, 64, 0, &rc),
		   RECEIVE_BUFFER(buffer, 0, text, &n, &rc));
	COST(GET_BUFFER_ID, "B", &id);
	COST(GET_BUFFER_STATUS, buffer, &s);
	COST(DISPLAY_BLACKBOARD, board, text, 64);
	COST(READ_BLACKBOARD, board, 0, text, &n);
	COST(CLEAR_BLACKBOARD, board);
	COST(GET_BLACKBOARD_ID, "B", &id);
	COST(GET_BLACKBOARD_STATUS, board, &bs);
}

static void synchronisation(void)
{
	SEMAPHORE_STATUS_TYPE ss;
	EVENT_STATUS_TYPE es;
	MUTEX_STATUS_TYPE ms;
	APEX_INTEGER id;

	COST_AFTER("WAIT_SEMAPHORE", SIGNAL_SEMAPHORE(semaphore, &rc),
		   WAIT_SEMAPHORE(semaphore, 0, &rc));
	COST_AFTER("SIGNAL_SEMAPHORE", WAIT_SEMAPHORE(semaphore, 0, &rc),
		   SIGNAL_SEMAPHORE(semaphore, &rc));
	COST(GET_SEMAPHORE_ID, "S", &id);
	COST(GET_SEMAPHORE_STATUS, semaphore, &ss);
	COST(SET_EVENT, event);
	COST(WAIT_EVENT, event, 0);
	COST(RESET_EVENT, event);
	COST(GET_EVENT_ID, "E", &id);
	COST(GET_EVENT_STATUS, event, &es);
	COST_AFTER("ACQUIRE_MUTEX", RELEASE_MUTEX(mutex, &rc), ACQUIRE_MUTEX(mutex, 0, &rc));
	RELEASE_MUTEX(mutex, &rc);
	COST_AFTER("RELEASE_MUTEX", ACQUIRE_MUTEX(mutex, 0, &rc), RELEASE_MUTEX(mutex, &rc));
	COST_AFTER("RESET_MUTEX", ACQUIRE_MUTEX(mutex, 0, &rc), RESET_MUTEX(mutex, self, &rc));
	COST(GET_MUTEX_ID, "M", &id);
	COST(GET_MUTEX_STATUS, mutex, &ms);
	COST(GET_PROCESS_MUTEX_STATE, self, &id);
}

/* ---- with switches of the process ---- */

static void answers(void)
{
	for (;;) {
		WAIT_SEMAPHORE(ping, INFINITE_TIME_VALUE, &rc);
		SIGNAL_SEMAPHORE(pong, &rc);
	}
}

static void handler(void)
{
	ERROR_STATUS_TYPE e;

	GET_ERROR_STATUS(&e, &rc);
	STOP_SELF();
}

/* Too late for its releases, it waits for none of them. */
static void overdue_entry(void)
{
	SYSTEM_TIME_TYPE end = now() + 3 * MS;

	while (now() < end)
		;
	LEAST(overdue_cost, 2, , PERIODIC_WAIT(&rc));
	REPLENISH(MS / 4, &rc);
	STOP_SELF();
}

static void nothing(void)
{
}

static void measure(void)
{
	OK(TIMED_WAIT, 8 * MS); /* until the other partition has written */
	LEAST(empty, TIMES, , );
	GET_MY_ID(&self, &rc);
	processes();
	COST(REPLENISH, MS);
	ports();
	messages();
	synchronisation();
	COST_AFTER("ping + pong: 2 switches", , SIGNAL_SEMAPHORE(ping, &rc);
		   WAIT_SEMAPHORE(pong, INFINITE_TIME_VALUE, &rc));
	COST_AFTER("RAISE_APPLICATION_ERROR + handler", ,
		   RAISE_APPLICATION_ERROR(APPLICATION_ERROR, text, 1, &rc));
	finish();
}

static void made(void)
{
	PROCESS_ATTRIBUTE_TYPE a = { .PERIOD = INFINITE_TIME_VALUE,
				     .TIME_CAPACITY = INFINITE_TIME_VALUE,
				     .ENTRY_POINT = (SYSTEM_ADDRESS_TYPE)nothing,
				     .STACK_SIZE = 4096,
				     .BASE_PRIORITY = 1 };

	copy_name(a.NAME, "idle");
	COST_ONCE(CREATE_PROCESS, &a, &idle);
	COST_ONCE(INITIALIZE_PROCESS_CORE_AFFINITY, idle, 0);
	COST_ONCE(CREATE_SAMPLING_PORT, "SAMPLES", 64, SOURCE, 0, &sampling);
	COST_ONCE(CREATE_QUEUING_PORT, "MESSAGES", 64, 16, SOURCE, FIFO, &queuing);
	COST_ONCE(CREATE_BUFFER, "B", 64, 2, FIFO, &buffer);
	COST_ONCE(CREATE_BLACKBOARD, "B", 64, &board);
	COST_ONCE(CREATE_SEMAPHORE, "S", 0, 9, FIFO, &semaphore);
	COST_ONCE(CREATE_EVENT, "E", &event);
	COST_ONCE(CREATE_MUTEX, "M", 50, FIFO, &mutex);
	COST_ONCE(CREATE_ERROR_HANDLER, (SYSTEM_ADDRESS_TYPE)handler, 4096);
	COST_ONCE(CONFIGURE_ERROR_HANDLER, PROCESSES_PAUSE, 0);
}

void cost_main(void)
{
	LEAST(empty, TIMES, , );
	made();
	OK(CREATE_SAMPLING_PORT, "SAMPLES_IN", 64, DESTINATION, 1000 * MS, &samples_in);
	OK(CREATE_QUEUING_PORT, "MESSAGES_IN", 64, 16, DESTINATION, FIFO, &messages_in);
	OK(CREATE_SEMAPHORE, "PING", 0, 1, FIFO, &ping);
	OK(CREATE_SEMAPHORE, "PONG", 0, 1, FIFO, &pong);
	OK(START, make("answers", answers, 20, APERIODIC));
	OK(START, make("measure", measure, 10, INFINITE_TIME_VALUE, 1000000000));
	quick = make("quick", nothing, 30, APERIODIC);
	overdue = make("overdue", overdue_entry, 40, MS, INFINITE_TIME_VALUE);
	OK(START, overdue);
}

/* ---- the other partition: fills the channels ---- */

void feeder_main(void)
{
	OK(CREATE_SAMPLING_PORT, "SAMPLES_IN", 64, SOURCE, 0, &sampling);
	OK(CREATE_QUEUING_PORT, "MESSAGES_IN", 64, 16, SOURCE, FIFO, &queuing);
	OK(CREATE_SAMPLING_PORT, "SAMPLES", 64, DESTINATION, MS, &samples_in);
	OK(CREATE_QUEUING_PORT, "MESSAGES", 64, 16, DESTINATION, FIFO, &messages_in);
	OK(WRITE_SAMPLING_MESSAGE, sampling, text, 64);
	for (int i = 0; i < 16; i++)
		OK(SEND_QUEUING_MESSAGE, queuing, text, 64, 0);
	finish();
}
