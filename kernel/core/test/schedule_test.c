/* SPDX-License-Identifier: Apache-2.0 */
/* schedule_test.c - who runs when: windows, gaps, elastic windows, turns, deadlines and lateness,
 * with a clock that the test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/restart.h"
#include "kernel/core/log.h"
#include "kernel/core/schedule.h"
#include "tests/unit.h"

uint64_t direct_base;
struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions = 2, n_cores = 1;
struct core *cores[GW_MAX_VCORES];
static struct partition part[2];
static struct core core;
static struct vcore vc[4]; /* 0, 1: of partition 0. 2, 3: of partition 1 */
static struct gw_vcore areas[4] __attribute__((aligned(4096)));
static struct gw_bundle bundle;
static struct gw_status *status;
static uint64_t now, armed, wake;
static struct vcore *saved, *loaded;
static uint32_t rests, upcalls, steps;

struct vcore *arch_vcore(void)
{
	return core.current;
}

uint64_t arch_now_ns(void)
{
	return now;
}

bool arch_timer_arm(struct core *c, uint64_t ns)
{
	CHECK(c == &core);
	armed = ns;
	return ns > now;
}

void arch_idle(void)
{
	if (armed == ~0ULL)
		abort();
	now = armed + 5;
}

void arch_flush_poll(struct core *c)
{
	(void)c;
}

bool log_drain(uint32_t n)
{
	(void)n;
	return false;
}

void log_text(const char *fmt, ...)
{
	(void)fmt;
}

void arch_kick(const struct core *c)
{
	(void)c;
	abort();
}

void fail(uint32_t code, const char *fmt, ...)
{
	(void)code, (void)fmt;
	abort();
}

void upcall_event(struct vcore *v, struct trap *t)
{
	(void)v, (void)t;
	upcalls++;
}

void restart_step(struct vcore *v)
{
	now += 100;
	if (++steps % 3 == 0)
		v->part->state = PARTITION_RUNNING;
}

void arch_context_save(struct vcore *v, const struct trap *t)
{
	v->trap = *t;
	saved = v;
}

void arch_context_load(struct core *c, struct vcore *v, struct trap *t)
{
	CHECK(c->current == v);
	*t = v->trap;
	loaded = v;
}

static jmp_buf entered;
static uint64_t entered_ns;

void arch_enter_at(struct trap *t, uint64_t ns)
{
	(void)t;
	entered_ns = ns;
	longjmp(entered, 1);
}

void arch_context_rest(struct core *c)
{
	CHECK(c->current == &c->idle);
	rests++;
}

static void setup(uint32_t n_slots)
{
	memset(part, 0, sizeof(part));
	memset(&core, 0, sizeof(core));
	memset(vc, 0, sizeof(vc));
	memset(areas, 0, sizeof(areas));
	core.self = &core;
	core.shared = true;
	core.current = &core.idle;
	core.idle.core = &core;
	cores[0] = &core;
	for (uint32_t i = 0; i < 4; i++) {
		vc[i].core = &core;
		vc[i].part = &part[i / 2];
		vc[i].id = i % 2;
		vc[i].area = &areas[i];
		vc[i].tick_ns = ~0ULL;
		vc[i].state = VCORE_RUNNING;
		vc[i].trap.rip = i;
		areas[i].masked = 1;
		core.vcores[core.n_vcores++] = &vc[i];
		part[i / 2].vcores[i % 2] = &vc[i];
	}
	part[1].number = 1;
	partitions[0] = &part[0], partitions[1] = &part[1];
	memset(&bundle, 0, sizeof(bundle));
	bundle.frame_ns = 1000000;
	bundle.n_slots = n_slots;
	bundle.slots[0] = (struct gw_bundle_slot){ 0, 200000, 0, 0, 0 };
	bundle.slots[1] = (struct gw_bundle_slot){ 300000, 100000, 0, 1, GW_WINDOW_ELASTIC };
	bundle.slots[2] = (struct gw_bundle_slot){ 500000, 500000, 0, GW_WINDOW_POOL, 0 };
	free(status);
	status = n_slots != 0 ? calloc(1, schedule_status_bytes(&bundle)) : NULL;
	now = 1000;
	rests = upcalls = steps = 0;
	saved = loaded = NULL;
	schedule_init(&bundle, status, 1000);
}

static struct vcore *at(uint64_t ns)
{
	now = 1000 + ns;
	return schedule_pick(&core, now, &wake);
}

static void sleep_all(void)
{
	for (uint32_t i = 0; i < 4; i++)
		vc[i].waiting = 1;
}

TEST(windows)
{
	setup(3);
	CHECK(at(0) == &vc[0] || at(0) == &vc[1]);
	CHECK_EQ(core.window_fresh, true);
	schedule_late(&core, now + 7);
	CHECK_EQ(wake, 1000 + 200000);
	CHECK(at(199999)->part == &part[0]);
	CHECK(at(200000) == NULL); /* a gap */
	CHECK_EQ(wake, 1000 + 300000);
	CHECK(at(299999) == NULL);
	CHECK(at(300000)->part == &part[1]);
	schedule_late(&core, now + 9);
	CHECK(at(400000) == NULL);
	CHECK(at(500000) != NULL);
	CHECK(at(999999) != NULL);
	CHECK(at(1000000)->part == &part[0]);	/* the next frame */
	CHECK_EQ(status->windows[2].missed, 1); /* nobody said that it was served */
	CHECK_EQ(status->windows[0].starts, 1);
	CHECK_EQ(status->windows[0].late_max, 7);
	CHECK_EQ(status->windows[0].late[7], 1);
	CHECK_EQ(status->windows[1].late[gw_status_bucket(9)], 1);
	/* the machine stood still for a thousand frames */
	CHECK(at(1000000000ULL + 350000)->part == &part[1]);
	CHECK_EQ(core.frame_ns, 1000 + 1000000000ULL);
	CHECK_EQ(wake <= 1000 + 1000000000ULL + 400000, true);
}

TEST(owner_waits)
{
	setup(3);
	vc[0].waiting = vc[1].waiting = 1;
	CHECK(at(10) == NULL); /* its window stays its own */
	CHECK_EQ(wake, 1000 + 200000);
	vc[0].tick_ns = 1000 + 50000;
	vc[2].tick_ns = 1000 + 20000; /* not in this window */
	CHECK(at(20) == NULL);
	CHECK_EQ(wake, 1000 + 50000);
	CHECK(at(60000) == &vc[0]);
	CHECK_EQ(areas[0].pending, 1);
	CHECK_EQ(areas[2].pending, 0);
	/* elastic: the others run, until the owner wakes */
	sleep_all();
	vc[1].waiting = 0;
	CHECK(at(310000) == &vc[2]);
	CHECK_EQ(areas[2].pending, 1); /* late, but at the begin of its window */
	areas[0].pending = areas[2].pending = 0;
	CHECK(at(311000) == &vc[1]);
	areas[3].pending = 2;
	CHECK(at(320000) == &vc[3]);
}

TEST(turns)
{
	uint32_t ran[4] = { 0 };

	setup(0);
	for (uint64_t t = 0; t < 40 * SLICE_NS; t += SLICE_NS / 2) {
		struct vcore *v = at(t);

		CHECK(v != NULL);
		ran[v - vc]++;
		CHECK_EQ(wake, core.slice_end_ns);
	}
	for (uint32_t i = 0; i < 4; i++)
		CHECK_EQ(ran[i], 20);
	sleep_all();
	CHECK(at(41 * SLICE_NS) == NULL);
	CHECK_EQ(wake, ~0ULL);
	areas[3].pending = 1;
	CHECK(at(41 * SLICE_NS) == &vc[3]);
	part[1].state = PARTITION_ENDED;
	CHECK(at(41 * SLICE_NS) == NULL);
	part[1].state = PARTITION_RESTARTING; /* only its vcore 0 works on that */
	CHECK(at(41 * SLICE_NS) == &vc[2]);
	CHECK(!schedule_due(&vc[2]));
	now = core.switch_ns;
	CHECK(schedule_due(&vc[2]));
}

TEST(switching)
{
	struct trap t = { .rip = 99 };

	setup(3);
	schedule(&core, &t);
	CHECK(core.current == loaded && loaded->part == &part[0]);
	CHECK_EQ(t.rip, (uint64_t)(loaded - vc));
	CHECK_EQ(status->windows[0].starts, 1);
	t.rip = 77;
	vc[2].waiting = 1;
	areas[2].pending = 2;
	areas[2].masked = 0;
	vc[2].upcall_entry = 0x700000000000;
	vc[3].waiting = 1;
	now = 1000 + 250000;
	schedule(&core, &t); /* idles through the gap */
	CHECK(saved->part == &part[0]);
	CHECK_EQ(saved->trap.rip, 77);
	CHECK(core.current == &vc[2]);
	CHECK_EQ(t.rip, 2);
	CHECK_EQ(rests, 1);
	CHECK_EQ(vc[2].waiting, 0);
	CHECK_EQ(upcalls, 1);
	CHECK_EQ(status->windows[1].late_max, 5);
	/* a call that is to be made again is no place for an upcall */
	vc[2].again = 1;
	schedule(&core, &t);
	CHECK_EQ(upcalls, 1);
	CHECK_EQ(vc[2].again, 0);
	/* a restart works in steps, in its own window */
	part[1].state = PARTITION_RESTARTING;
	schedule(&core, &t);
	CHECK_EQ(steps, 3);
	CHECK(core.current == &vc[2]);
}

TEST(buckets)
{
	uint32_t last = 0;

	for (uint64_t ns = 0; ns < 1000000; ns++) {
		uint32_t b = gw_status_bucket(ns);

		CHECK(b == last || b == last + 1);
		last = b;
	}
	CHECK_EQ(gw_status_bucket(~0ULL), GW_STATUS_BUCKETS - 1);
	free(status);
	status = NULL;
}

UNIT_MAIN(CASE(windows), CASE(owner_waits), CASE(turns), CASE(switching), CASE(buckets))
