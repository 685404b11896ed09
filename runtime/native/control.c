/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - what the host asks on the control port (abi/channel.h), and what the program does
 * when it is asked to end. */
#include "runtime/native/native_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

#define CONTROL_PORT 2u
#define STATUS_KILLED 137

static struct {
	void (*fn)(void *arg);
	void *arg;
	_Atomic bool asked, told;
	struct list_node waiting; /* shard 0's */
	struct spinlock lock;
} stop;

bool gw_stopping(void)
{
	return atomic_load_explicit(&stop.asked, memory_order_acquire);
}

/* Shard 0, as a callback, once. */
static void tell(void *arg)
{
	(void)arg;
	native_wake(&stop.waiting, 0, true);
	if (stop.fn != NULL && !atomic_exchange(&stop.told, true))
		stop.fn(stop.arg);
}

struct setting {
	void (*fn)(void *arg);
	void *arg;
};

static void set(void *arg)
{
	const struct setting *s = arg;

	stop.fn = s->fn;
	stop.arg = s->arg;
	if (gw_stopping())
		tell(NULL);
}

void gw_on_stop(void (*fn)(void *arg), void *arg)
{
	struct setting s = { fn, arg };

	if (shard_self()->id == 0)
		set(&s);
	else
		shard_call(shards[0], set, &s);
}

int gw_wait_stop(void)
{
	while (!gw_stopping()) {
		if (shard_self()->id != 0)
			gw_sleep(10 * NS_PER_MS);
		else if (native_wait(&stop.waiting, 0, GW_NEVER) == -EDEADLK)
			return -EDEADLK;
	}
	return 0;
}

static void metric_line(void *arg, const char *text)
{
	(void)arg;
	control_line("metric %s", text);
}

static void obey(const char *line)
{
	if (strcmp(line, "stop") == 0) {
		atomic_store_explicit(&stop.asked, true, memory_order_release);
		shard_call(shards[0], tell, NULL);
	} else if (strcmp(line, "kill") == 0) {
		gw_exit(STATUS_KILLED);
	} else if (strcmp(line, "stat") == 0) {
		native_stats();
		gw_metrics(metric_line, NULL);
		control_line("metric");
	}
}

static void control_main(void *arg)
{
	struct waiter w = { .uthread = uthread_self() };
	char line[64];
	size_t n = 0;

	(void)arg;
	list_init(&w.link);
	waitq_add(console_waitq(CONTROL_PORT), &w);
	for (;;) {
		char c;

		if (console_read(CONTROL_PORT, &c, 1) == 0) {
			(void)uthread_park(GW_NEVER);
		} else if (c != '\n') {
			if (n < sizeof(line) - 1)
				line[n++] = c;
		} else {
			line[n] = '\0';
			n = 0;
			obey(line);
		}
	}
}

int native_control_start(void)
{
	list_init(&stop.waiting);
	return uthread_create(NULL, shards[0], control_main, NULL, "control", false, NULL);
}
