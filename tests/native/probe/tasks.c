/* SPDX-License-Identifier: Apache-2.0 */
/* tasks.c - tasks, timers, waiting, other shards. */
#include "tests/native/probe/probe.h"

static struct gw_waiters place;
static unsigned ran, timers, everywhere;
static bool waited_in_callback;

static void count(void *arg)
{
	ran += *(unsigned *)arg;
	gw_signal(&place, true);
}

static void ticked(void *arg)
{
	struct gw_waiters none = { 0 };

	timers++;
	waited_in_callback = gw_may_wait() || gw_wait(&none, GW_NEVER_NS) != -EDEADLK;
	gw_signal(arg, false);
}

static void on_shard(void *arg)
{
	unsigned *seen = arg;

	everywhere++;
	*seen |= 1u << gw_shard();
}

static _Atomic unsigned far;

static void far_task(void *arg)
{
	gw_sleep(GW_MS);
	if (gw_shard() == *(unsigned *)arg)
		far++;
}

static void deep(void *arg)
{
	volatile char big[100000];

	for (size_t i = 0; i < sizeof(big); i += 1000)
		big[i] = (char)i;
	*(bool *)arg = big[99000] == (char)99000;
	gw_signal(&place, true);
}

static void many(void)
{
	unsigned one = 1;
	uint64_t end = gw_now() + 20 * GW_SEC;

	ran = 0;
	for (unsigned i = 0; i < 1000; i++)
		CHECK(gw_spawn(count, &one, 8192) == 0);
	while (ran < 1000 && gw_now() < end)
		gw_yield();
	CHECK(ran == 1000);
}

void try_tasks(void)
{
	unsigned three = 3, seen = 0, last = gw_shards() - 1;
	struct gw_waiters w = { 0 };
	struct gw_timer t;
	uint64_t end = gw_now() + 20 * GW_SEC;
	bool went = false;

	CHECK(gw_spawn(count, &three, GW_STACK_DEFAULT) == 0);
	while (ran == 0 && gw_now() < end)
		(void)gw_wait(&place, end);
	CHECK(ran == 3);
	CHECK(gw_spawn(count, &three, 100) == -EINVAL);
	CHECK(gw_spawn_on(gw_shards(), count, &three, 0) == -EINVAL);
	CHECK(gw_wait(&w, gw_now() + GW_MS) == -ETIMEDOUT);
	gw_timer_init(&t, ticked, &w);
	CHECK(gw_timer_set(&t, gw_now() + 2 * GW_MS) == 0);
	CHECK(gw_wait(&w, end) == 0 && timers == 1 && !waited_in_callback);
	CHECK(gw_timer_set(&t, gw_now() + GW_MS) == 0);
	gw_timer_cancel(&t);
	gw_sleep(3 * GW_MS);
	CHECK(timers == 1);
	gw_run_everywhere(on_shard, &seen);
	CHECK(everywhere == gw_shards() && seen == (1u << gw_shards()) - 1);
	CHECK(gw_spawn_on(last, far_task, &last, 0) == 0);
	while (far == 0 && gw_now() < end)
		gw_sleep(GW_MS);
	CHECK(far == 1);
	CHECK(gw_spawn(deep, &went, 1u << 18) == 0);
	while (!went && gw_now() < end)
		(void)gw_wait(&place, end);
	CHECK(went);
	many();
}
