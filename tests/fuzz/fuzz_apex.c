/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_apex.c - the input is a configuration blob, and then on how many cores and what four
 * processes and an error handler do: services with random arguments, work, faults. After each, the
 * executive's lists must agree with its processes' states. */
#include <stdlib.h>
#include "arinc653/test/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define WORKERS 4

static const uint8_t *input;
static size_t left;
static RETURN_CODE_TYPE rc;
static APEX_BYTE message[64];

void sim_pair(const char *service, RETURN_CODE_TYPE want, RETURN_CODE_TYPE got, const char *file,
	      int line)
{
	(void)service, (void)want, (void)got, (void)file, (void)line;
}

static uint8_t next(void)
{
	if (left == 0)
		plat_end();
	left--;
	return *input++;
}

static int id(void)
{
	return (int8_t)next() % 8;
}

static SYSTEM_TIME_TYPE duration(void)
{
	uint8_t b = next();

	return b < 200 ? b % 16 * 100 : b < 230 ? INFINITE_TIME_VALUE : (SYSTEM_TIME_TYPE)b - 250;
}

#define MUST(cond)               \
	do {                     \
		if (!(cond))     \
			abort(); \
	} while (0)

/* In how many queues of r it is; they are in the order of age. */
static uint32_t ready_in(const struct apex_ready *r, const struct apex_process *p)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i <= MAX_PRIORITY_VALUE; i++) {
		bool bit = r->bits[i / 64] >> i % 64 & 1;
		int64_t age = INT64_MIN;

		MUST(bit == !list_empty(&r->heads[i]));
		list_for_each (l, &r->heads[i]) {
			const struct apex_process *q = list_entry(l, struct apex_process, ready);

			MUST(q->age > age);
			age = q->age;
			if (q == p) {
				MUST(p->current_priority == (PRIORITY_TYPE)i);
				n++;
			}
		}
	}
	return n;
}

static uint32_t ready_of(const struct apex_process *p)
{
	uint32_t n = 0;

	for (uint32_t c = 0; c <= apex.n_cores; c++)
		n += ready_in(&apex.ready[c], p);
	return n;
}

/* Each core runs one process at most, each process on one core, where it may. */
static void check_core(uint32_t c)
{
	const struct apex_core *core = &apex.cores[c];
	const struct apex_process *p = core->current;
	uint64_t last = 0;

	MUST(p == NULL || p->running == c);
	MUST(p == NULL || p == &apex.main || p->core == CORE_AFFINITY_NO_PREFERENCE ||
	     p->core == (PROCESSOR_CORE_ID_TYPE)c);
	MUST(p != &apex.handler || apex.handler_shares || apex.n_cores == 1 || core_moved(c) ||
	     (apex.cores[(c + 1) % apex.n_cores].current == NULL &&
	      apex.cores[(c + apex.n_cores - 1) % apex.n_cores].current == NULL));
	list_for_each (l, &core->timers) {
		MUST(list_entry(l, struct apex_process, timer)->timer_at >= last);
		last = list_entry(l, struct apex_process, timer)->timer_at;
	}
}

static void check(void)
{
	MUST(apex.mode != NORMAL || !core_moved(plat_core()));
	for (uint32_t c = 0; c < apex.n_cores; c++)
		check_core(c);
	for (uint32_t i = 0; i < apex.n_processes; i++) {
		const struct apex_process *p = &apex.processes[i];

		MUST(ready_of(p) == (p->state == READY));
		MUST(p->running == NO_CORE || apex.cores[p->running].current == p);
		MUST((p->wait == WAIT_NONE) || p->state == WAITING);
		MUST((p->wait == WAIT_QUEUE) == (p->queue.next != &p->queue) ||
		     apex.mode != NORMAL);
		MUST((p->timer_at != GW_NEVER) == (p->timer.next != &p->timer));
		MUST(p->owned == NULL || (p->owned->owner == p && p->owned->count > 0));
		MUST(p->state != DORMANT || (p->owned == NULL && p->deadline_at == GW_NEVER));
		MUST(p->state == WAITING || p->state == READY || !p->suspended);
	}
	MUST(apex.preemption.owner == NULL || apex.preemption.owner->owned == &apex.preemption);
}

static void process_service(uint8_t op)
{
	LOCK_LEVEL_TYPE level;

	switch (op) {
	case 0:
		START(id(), &rc);
		break;
	case 1:
		DELAYED_START(id(), duration(), &rc);
		break;
	case 2:
		STOP(id(), &rc);
		break;
	case 3:
		SUSPEND(id(), &rc);
		break;
	case 4:
		RESUME(id(), &rc);
		break;
	case 5:
		SUSPEND_SELF(duration(), &rc);
		break;
	case 6:
		SET_PRIORITY(id(), next(), &rc);
		break;
	case 7:
		LOCK_PREEMPTION(&level, &rc);
		break;
	case 8:
		UNLOCK_PREEMPTION(&level, &rc);
		break;
	case 9:
		TIMED_WAIT(duration(), &rc);
		break;
	case 10:
		PERIODIC_WAIT(&rc);
		break;
	case 11:
		REPLENISH(duration(), &rc);
		break;
	default:
		sim_work(next() * 10);
		break;
	}
}

static void object_service(uint8_t op)
{
	MESSAGE_SIZE_TYPE n;
	VALIDITY_TYPE v;

	switch (op) {
	case 0:
		WAIT_SEMAPHORE(id(), duration(), &rc);
		break;
	case 1:
		SIGNAL_SEMAPHORE(id(), &rc);
		break;
	case 2:
		WAIT_EVENT(id(), duration(), &rc);
		break;
	case 3:
		SET_EVENT(id(), &rc);
		break;
	case 4:
		RESET_EVENT(id(), &rc);
		break;
	case 5:
		ACQUIRE_MUTEX(id(), duration(), &rc);
		break;
	case 6:
		RELEASE_MUTEX(id(), &rc);
		break;
	case 7:
		RESET_MUTEX(id(), id(), &rc);
		break;
	case 8:
		SEND_BUFFER(id(), message, id(), duration(), &rc);
		break;
	case 9:
		RECEIVE_BUFFER(id(), duration(), message, &n, &rc);
		break;
	case 10:
		DISPLAY_BLACKBOARD(id(), message, id(), &rc);
		break;
	case 11:
		READ_BLACKBOARD(id(), duration(), message, &n, &rc);
		break;
	case 12:
		CLEAR_BLACKBOARD(id(), &rc);
		break;
	case 13:
		SEND_QUEUING_MESSAGE(id(), message, id(), duration(), &rc);
		break;
	case 14:
		RECEIVE_QUEUING_MESSAGE(id(), duration(), message, &n, &rc);
		break;
	default:
		READ_SAMPLING_MESSAGE(id(), message, &n, &v, &rc);
		break;
	}
}

static void other_service(uint8_t op)
{
	ERROR_STATUS_TYPE e;

	switch (op) {
	case 0:
		sim_fault(next() % 8, 0);
		break;
	case 1:
		RAISE_APPLICATION_ERROR(APPLICATION_ERROR, message, next() % 64, &rc);
		break;
	case 2:
		GET_ERROR_STATUS(&e, &rc);
		break;
	case 3:
		STOP_SELF();
		break;
	case 4: /* the other partition's */
		(void)plat_port_write(3, message, 4);
		sim_post();
		break;
	case 5:
		(void)plat_port_read(2, message, 64, &(uint64_t){ 0 });
		sim_post();
		break;
	case 6:
		CLEAR_QUEUING_PORT(id(), &rc);
		break;
	default:
		SET_PARTITION_MODE(NORMAL, &rc);
		break;
	}
}

static void one(void)
{
	uint8_t op = next();

	if (op % 4 == 0)
		other_service(op / 4 % 8);
	else if (op % 4 == 1)
		process_service(op / 4 % 16);
	else
		object_service(op / 4 % 16);
	apex_lock();
	check();
	apex_unlock();
}

static void worker(void)
{
	for (;;)
		one();
}

static void main_process(void)
{
	APEX_INTEGER made;

	for (int i = 1; i <= 2; i++) {
		char name[32] = { (char)('0' + i) };

		CREATE_SEMAPHORE(name, 0, 2, i == 1 ? FIFO : PRIORITY, &made, &rc);
		CREATE_EVENT(name, &made, &rc);
		CREATE_MUTEX(name, 30 * i, i == 1 ? FIFO : PRIORITY, &made, &rc);
		CREATE_BUFFER(name, 8, 2, i == 1 ? FIFO : PRIORITY, &made, &rc);
		CREATE_BLACKBOARD(name, 8, &made, &rc);
	}
	CREATE_QUEUING_PORT("QUEUE_OUT", 64, 2, SOURCE, FIFO, &made, &rc);
	CREATE_QUEUING_PORT("QUEUE_IN", 64, 3, DESTINATION, PRIORITY, &made, &rc);
	CREATE_SAMPLING_PORT("SAMPLE_IN", 64, DESTINATION, 5000, &made, &rc);
	if (next() % 2) {
		CREATE_ERROR_HANDLER((SYSTEM_ADDRESS_TYPE)(uintptr_t)worker, 4096, &rc);
		CONFIGURE_ERROR_HANDLER(next() % 2, (int8_t)next() % 4, &rc);
	}
	for (int i = 0; i < WORKERS; i++) {
		char name[32] = { (char)('A' + i) };

		process_make_timed(name, worker, 10 + 10 * (i / 2), i == 3 ? PERIOD_NS : -1,
				   i >= 2 ? 100000 : -1);
		INITIALIZE_PROCESS_CORE_AFFINITY(i + 1, next() % 4 - 1, &rc);
	}
	for (int i = 0; i < 8; i++)
		one();
	START(1, &rc);
	START(4, &rc);
	SET_PARTITION_MODE(NORMAL, &rc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void *blob = malloc(size + 1); /* aligned, and no byte more than there is */

	memcpy(blob, data, size);
	(void)apex_config_check(blob, size);
	free(blob);
	input = data;
	left = size < 4000 ? size : 4000;
	sim_run_cores(left == 0 ? 1 : next() % 4 + 1, main_process);
	return 0;
}
