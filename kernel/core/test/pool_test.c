/* SPDX-License-Identifier: Apache-2.0 */
/* pool_test.c - vcores of elastic partitions on the cores of the pool: claims, wake-ups, ticks that
 * follow, help, the watch, and time of the pool beside windows and vcores that stay. The test plays
 * the cores one after the other. */
#include "kernel/core/test/pool_machine.h"

TEST(claims)
{
	setup(0);
	CHECK_EQ(numbers(0)->cores_max, 2);
	CHECK_EQ(numbers(2)->cores_max, 0);
	begin(0, 0), begin(1, 0), begin(1, 1);
	CHECK(on(0) == &vc[0][0]);
	CHECK(on(1) == &vc[1][0]); /* the fixed one's turn comes, but it has not begun */
	CHECK_EQ(vc[1][0].on, 2);
	now += 2000000;
	CHECK(on(1) == &vc[1][1]); /* in turn */
	CHECK_EQ(vc[1][0].on, 0);
	CHECK_EQ(vc[1][0].ready_ns, now);
	CHECK(on(1) == &vc[1][1]);
	rest(0, 0);
	CHECK(on(0) == &vc[1][0]); /* on another core than before */
	CHECK(vc[1][0].core == &core[0]);
	CHECK_EQ(numbers(0)->cores, 0);
	CHECK_EQ(numbers(1)->cores, 2);
	rest(1, 1);
	nothing_on(1);
	CHECK_EQ(vc[1][1].on, 0);
	CHECK_EQ(armed[1], ~0ULL);
}

TEST(wakes)
{
	setup(0);
	begin(0, 0), begin(1, 0), begin(1, 1);
	rest(0, 0);
	CHECK(on(0) == &vc[1][0]);
	CHECK(on(1) == &vc[1][1]);
	/* an interrupt on core 0 is for the latency partition: it takes core 0, where it was last
	 */
	self = &core[0];
	areas[0][0].pending = 1;
	CHECK(!schedule_due(&vc[1][0]));
	CHECK(pool_wake(&vc[0][0]));
	CHECK(schedule_due(&vc[1][0]));
	CHECK_EQ(kicks[0], 0);
	now += 30;
	CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(numbers(0)->move_max, 30);
	/* it runs: one more event only kicks it */
	self = &core[1];
	CHECK(!pool_wake(&vc[0][0]));
	CHECK_EQ(kicks[0], 1);
	self = &core[0];
	CHECK(pool_wake(&vc[0][0]));
	/* from core 1, when it waits again */
	rest(0, 0);
	CHECK(on(0) == &vc[1][0]);
	self = &core[1];
	areas[0][0].pending = 1;
	CHECK(!pool_wake(&vc[0][0]));
	CHECK_EQ(kicks[0], 2);
	CHECK(on(0) == &vc[0][0]);
	/* what was put aside goes on wherever there is room */
	rest(1, 1);
	CHECK(on(1) == &vc[1][0]);
	CHECK_EQ(numbers(1)->revokes, 2);
}

static void tick_comes(void)
{
	now = armed[self->id] + 3;
}

TEST(ticks)
{
	setup(0);
	begin(0, 0);
	CHECK(on(0) == &vc[0][0]);
	nothing_on(1);
	vc[0][0].tick_ns = now + 500000;
	on(0);
	CHECK_EQ(armed[0], now + 100000); /* its turn's end */
	rest(0, 0);
	while_idle = tick_comes;
	CHECK(on(0) == &vc[0][0]); /* by its tick */
	CHECK_EQ(areas[0][0].pending, 1ULL << GW_EVENT_TICK);
	CHECK_EQ(now, 1000 + 500000 + 3);
	CHECK_EQ(vc[0][0].tick_ns, ~0ULL);
	/* another of its vcores is ready: it has no turn before its bound is passed */
	begin(0, 1);
	vc[0][1].ready_ns = now - 4000;
	pool_leave(&core[1]); /* and no other core comes */
	now = core[0].slice_end_ns;
	vc[0][1].ready_ns = now - 4000;
	CHECK(on(0) == &vc[0][0]);
	now = core[0].slice_end_ns;
	CHECK(on(0) == &vc[0][1]);
	vc[0][1].state = VCORE_STOPPED;
	CHECK(on(0) == &vc[0][0]);
	nothing_on(1);
	/* set on core 0, taken along to core 1: core 0 forgets it */
	vc[0][0].tick_ns = now + 500000;
	rest(0, 0);
	nothing_on(0);
	CHECK(core[0].timed[0] != 0);
	areas[0][0].pending = 1;
	self = &core[1];
	(void)pool_wake(&vc[0][0]);
	CHECK(core[1].current != &vc[0][0]);
	if (numbers(0)->cores == 1 && vc[0][0].on == 0) /* core 0 was the first that is idle */
		CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(vc[0][0].on, 1);
}

TEST(help)
{
	setup(0);
	begin(0, 0), begin(0, 1), begin(1, 0);
	rest(0, 1);
	now += 200000; /* nobody was got up in the last 100 us */
	CHECK(on(0) == &vc[0][0]);
	CHECK(on(1) == &vc[1][0]);
	CHECK_EQ(armed[1], now + ELASTIC_WATCH_NS); /* the batch core watches */
	now += 1;
	CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(armed[0], 201000 + 100000); /* and this one not any more */
	areas[0][0].ready_ns = now + 1;
	now = armed[1];
	CHECK(on(1) == &vc[1][0]); /* not yet */
	now = armed[1];
	CHECK_EQ(now, areas[0][0].ready_ns + 5001);
	CHECK(on(1) == &vc[0][1]); /* help comes, and takes the batch's core */
	CHECK_EQ(areas[0][1].pending, 1ULL << GW_EVENT_NOTIFY);
	CHECK_EQ(numbers(0)->cores, 2);
	rest(0, 1);
	CHECK(on(1) == &vc[1][0]);
	now += ELASTIC_WATCH_NS;
	CHECK(on(1) == &vc[1][0]); /* it could not help: not again at once */
	now += 100000;
	CHECK(on(1) == &vc[0][1]);
	rest(0, 1), rest(1, 0);
	areas[0][0].ready_ns = 0;
	nothing_on(1);
	on(0);
	nothing_on(1);
	now = armed[1];
	nothing_on(1);
	CHECK_EQ(armed[1], now + ELASTIC_WATCH_NS); /* an idle core watches closer */
	/* a delay within its bound: it looks again when the bound is passed */
	now = armed[1];
	areas[0][0].ready_ns = now - 2000;
	nothing_on(1);
	CHECK_EQ(armed[1], now + 3001);
	areas[0][0].ready_ns = now + 1000000; /* nonsense */
	now = armed[1];
	rest(0, 0);
	nothing_on(0);
	nothing_on(1);
	CHECK_EQ(armed[1], ~0ULL); /* nobody to look after */
}

TEST(windows_and_fixed)
{
	setup(2);
	begin(0, 0), begin(1, 0), begin(2, 0);
	CHECK(on(1) == &vc[2][0]); /* its window */
	CHECK(on(0) == &vc[0][0]);
	now = 1000 + 250000; /* the gap */
	nothing_on(1);
	now = 1000 + 300000;
	CHECK(on(1) == &vc[2][0] || on(1) == &vc[1][0]);
	now = 1000 + 310000;
	rest(2, 0);
	CHECK(on(1) == &vc[1][0]);
	CHECK_EQ(numbers(1)->cores, 1);
	/* its tick, when it waits, is core 0's affair: core 1 has windows */
	vc[1][0].tick_ns = 1000 + 1100000;
	rest(1, 0);
	nothing_on(1);
	CHECK(vc[1][0].core == &core[0]);
	CHECK_EQ(kicks[0], 1);
	rest(0, 0);
	nothing_on(0);
	CHECK_EQ(armed[0], 1000 + 1100000);
	areas[2][0].pending = 1;
	now = 1000 + 1000000;
	CHECK(on(1) == &vc[2][0]);
	CHECK_EQ(numbers(1)->cores, 0);
	now = 1000 + 1100000;
	CHECK(on(0) == &vc[1][0]);
	CHECK(vc[1][0].irq_core == &core[0] && vc[1][1].irq_core == &core[0]);
	/* a fixed vcore and the pool take turns on one core */
	now = 1000 + 1310000;
	rest(1, 0);
	begin(0, 1), begin(1, 1);
	(void)on(0);
	for (uint32_t i = 0, fixed = 0; i < 4; i++) {
		fixed += on(1) == &vc[2][0];
		now = core[1].slice_end_ns;
		CHECK(i < 3 || (fixed > 0 && fixed < 4));
	}
}

/* Windows on both cores: nobody keeps ticks for the others. */
static void windows_everywhere(void)
{
	bundle.n_slots = 3;
	bundle.slots[0] = (struct gw_bundle_slot){ 0, 500000, 0, 2, GW_WINDOW_ELASTIC };
	bundle.slots[1] = (struct gw_bundle_slot){ 500000, 500000, 0, 2, 0 };
	bundle.slots[2] = (struct gw_bundle_slot){ 0, 1000000, 1, 2, 0 };
	bundle.partitions[0].cores_max = 1;
}

TEST(windows_everywhere)
{
	describe = windows_everywhere;
	setup(3);
	CHECK(core[0].pooled && !core[1].pooled);
	CHECK(vc[0][1].irq_core == &core[1]); /* there is no better one */
	CHECK_EQ(numbers(0)->cores_max, 1);
	begin(0, 0), begin(2, 0);
	CHECK(on(0) == &vc[0][0]); /* the owner has no vcore on this core */
	vc[0][0].tick_ns = now + 50000;
	rest(0, 0);
	nothing_on(0);
	CHECK(vc[0][0].core == &core[0]);
	CHECK_EQ(armed[0], 1000 + 50000);
	CHECK_EQ(kicks[0] + kicks[1], 0);
	/* the owner's own vcores come first, and then the core is not the pool's */
	core[0].vcores[core[0].n_vcores++] = &vc[2][1];
	vc[2][1].core = &core[0];
	begin(2, 1);
	areas[0][0].pending = 1;
	CHECK(on(0) == &vc[2][1]);
	CHECK_EQ(numbers(0)->cores, 0);
	CHECK(!schedule_due(&vc[2][1]));
	core[0].shared = false;
	now = core[0].switch_ns;
	CHECK(!schedule_due(&vc[2][1]));
	core[0].shared = true;
	CHECK(schedule_due(&vc[2][1]));
	/* no window for the pool */
	if (setjmp(refused) == 0) {
		bundle.slots[0].flags = 0;
		pool_init(&bundle, status);
		CHECK(false);
	}
	describe = NULL;
}

static uint16_t counters[2];

TEST(packets_wait)
{
	struct elastic_load l;

	setup(0);
	part[0].n_extents = 1;
	part[0].extents[0] = (struct gw_extent){ (uint64_t)(uintptr_t)counters, sizeof(counters) };
	areas[0][0].packets_come = GW_MEM_BASE + (uint64_t)(uintptr_t)&counters[0];
	areas[0][0].packets_seen = GW_MEM_BASE + (uint64_t)(uintptr_t)&counters[1];
	counters[0] = counters[1] = 65535;
	begin(0, 0);
	CHECK(on(0) == &vc[0][0]);
	elastic_load(0, now, &l);
	CHECK_EQ(l.running_delay_ns, 0);
	counters[0]++;
	now += 100;
	elastic_load(0, now, &l); /* noted */
	CHECK_EQ(l.running_delay_ns, 0);
	counters[0]++;
	elastic_load(0, now + 3000, &l);
	CHECK_EQ(l.running_delay_ns, 3000);
	counters[1] = counters[0];
	elastic_load(0, now + 4000, &l);
	CHECK_EQ(l.running_delay_ns, 0);
	/* what is not its memory is not read; what is not even is none */
	counters[0]++;
	for (uint64_t wrong = 1; wrong <= 4; wrong += 3) {
		areas[0][0].packets_come = GW_MEM_BASE + (uint64_t)(uintptr_t)counters + wrong;
		areas[0][0].packets_seen = 0;
		elastic_load(0, now + 5000, &l);
		elastic_load(0, now + 6000, &l);
		CHECK_EQ(l.running_delay_ns, 0);
	}
}

/* A core with nothing to do is told that it is to watch. */
TEST(watch_is_handed_over)
{
	setup(0);
	nothing_on(1);
	begin(0, 0);
	CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(kicks[1], 1);
	nothing_on(1);
	CHECK_EQ(armed[1], now + ELASTIC_WATCH_NS);
	schedule_print();
	/* the watcher does not look while somebody waits for it */
	rest(0, 1), begin(0, 1);
	vc[0][1].waiting = 0;
	self = &core[0];
	CHECK(!pool_wake(&vc[0][1]));
	CHECK_EQ(numbers(0)->cores, 2);
	areas[0][0].ready_ns = 1;
	now = armed[1];
	CHECK(on(1) == &vc[0][1]);
	schedule_print();
}

TEST(restart)
{
	setup(0);
	begin(0, 0), begin(0, 1);
	CHECK(on(0) == &vc[0][0]);
	CHECK(on(1) == &vc[0][1]);
	part[0].state = PARTITION_RESTARTING;
	nothing_on(1); /* only its vcore 0 works on that */
	CHECK_EQ(vc[0][1].on, 0);
	CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(steps, 3);
	CHECK_EQ(vc[0][0].on, 1);
	part[0].state = PARTITION_ENDED;
	nothing_on(0);
	CHECK_EQ(vc[0][0].on, 0);
	CHECK_EQ(numbers(0)->cores, 0);
}

TEST(too_much)
{
	setup(0);
	bundle.partitions[0].cores_min = 2;
	pool_init(&bundle, status);
	bundle.partitions[1].cores_min = 1;
	if (setjmp(refused) == 0) {
		pool_init(&bundle, status);
		CHECK(false);
	}
	/* no elastic partition: nothing of all that */
	memset(vc, 0, sizeof(vc));
	for (uint32_t i = 0; i < PARTS; i++)
		bundle.partitions[i].policy = GW_POLICY_FIXED, bundle.partitions[i].cores_min = 0;
	CHECK_EQ(schedule_status_bytes(&bundle), 0);
	pool_init(&bundle, NULL);
	CHECK(!core[0].pooled && !core[1].pooled);
	free(status);
	status = NULL;
}

UNIT_MAIN(CASE(claims), CASE(wakes), CASE(ticks), CASE(help), CASE(windows_and_fixed),
	  CASE(windows_everywhere), CASE(packets_wait), CASE(watch_is_handed_over), CASE(restart),
	  CASE(too_much))
