/* SPDX-License-Identifier: Apache-2.0 */
/* pool_test.c - vcores of elastic partitions on the cores of the pool: claims, wake-ups, ticks that
 * follow, help, the watch, and time of the pool beside windows and vcores that stay. The test plays
 * the cores one after the other. */
#include <setjmp.h>
#include <stdlib.h>

#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/health.h"
#include "kernel/core/log.h"
#include "kernel/core/pool.h"
#include "tests/unit.h"

#define CORES 2u
#define PARTS 3u /* 0: latency, 1: batch, 2: fixed, on core 1 */

uint64_t direct_base;
struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions = PARTS, n_cores = CORES;
struct core *cores[GW_MAX_VCORES];
static struct partition part[PARTS];
static struct core core[CORES], *self;
static struct vcore vc[PARTS][2];
static struct gw_vcore areas[PARTS][2] __attribute__((aligned(4096)));
static struct gw_bundle bundle;
static struct gw_status *status;
static uint64_t now, armed[CORES];
static uint32_t kicks[CORES], steps;
static jmp_buf refused;
static void (*while_idle)(void);

struct vcore *arch_vcore(void)
{
	return self->current;
}

uint64_t arch_now_ns(void)
{
	return now;
}

bool arch_timer_arm(struct core *c, uint64_t ns)
{
	armed[c->id] = ns;
	return ns > now;
}

/* No window here is exact. */
void arch_enter_at(struct trap *t, uint64_t ns)
{
	(void)t;
	(void)ns;
	abort();
}

void arch_idle(void)
{
	if (while_idle == NULL)
		abort();
	while_idle();
}

void arch_kick(const struct core *c)
{
	kicks[c->id]++;
}

void arch_flush_poll(struct core *c)
{
	CHECK(c == self);
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

void fail(uint32_t code, const char *fmt, ...)
{
	(void)fmt;
	CHECK_EQ(code, STATUS_CONFIG);
	longjmp(refused, 1);
}

void upcall_event(struct vcore *v, struct trap *t)
{
	(void)v, (void)t;
}

void restart_step(struct vcore *v)
{
	CHECK_EQ(v->on, self->id + 1);
	if (++steps % 3 != 0)
		return;
	v->part->state = PARTITION_RUNNING;
	v->fresh = true;
	atomic_store(&self->current, &self->idle);
}

void arch_context_save(struct vcore *v, const struct trap *t)
{
	CHECK(!v->floats || v->on == self->id + 1);
	v->trap = *t;
}

void arch_context_load(struct core *c, struct vcore *v, struct trap *t)
{
	CHECK(c == self && c->current == v);
	CHECK(!v->floats || v->on == c->id + 1);
	v->core = c;
	*t = v->trap;
}

void arch_context_rest(struct core *c)
{
	CHECK(c->current == &c->idle);
}

static void setup(uint32_t n_slots)
{
	static const uint8_t policies[PARTS] = { GW_POLICY_LATENCY, GW_POLICY_BATCH,
						 GW_POLICY_FIXED };

	memset(part, 0, sizeof(part));
	memset(core, 0, sizeof(core));
	memset(vc, 0, sizeof(vc));
	memset(areas, 0, sizeof(areas));
	memset(kicks, 0, sizeof(kicks));
	memset(&bundle, 0, sizeof(bundle));
	for (uint32_t i = 0; i < CORES; i++) {
		core[i].self = &core[i];
		core[i].id = i;
		core[i].shared = true;
		core[i].current = &core[i].idle;
		core[i].idle.core = &core[i];
		cores[i] = &core[i];
	}
	bundle.n_partitions = PARTS;
	for (uint32_t i = 0; i < PARTS; i++) {
		part[i].number = i;
		part[i].n_vcores = 2;
		partitions[i] = &part[i];
		bundle.partitions[i].vcores = 2;
		bundle.partitions[i].policy = policies[i];
		bundle.partitions[i].delay_ns = 5000;
		for (uint32_t k = 0; k < 2; k++) {
			struct vcore *v = part[i].vcores[k] = &vc[i][k];

			v->core = i == 2 ? &core[1] : &core[k];
			v->part = &part[i];
			v->id = k;
			v->area = &areas[i][k];
			v->tick_ns = ~0ULL;
			v->floats = i != 2;
			areas[i][k].masked = 1;
			if (!v->floats)
				v->core->vcores[v->core->n_vcores++] = v;
		}
	}
	bundle.frame_ns = 1000000;
	bundle.n_slots = n_slots;
	bundle.slots[0] = (struct gw_bundle_slot){ 0, 200000, 1, 2, 0 };
	bundle.slots[1] = (struct gw_bundle_slot){ 300000, 700000, 1, GW_WINDOW_POOL, 0 };
	free(status);
	status = calloc(1, schedule_status_bytes(&bundle));
	now = 1000;
	steps = 0;
	while_idle = NULL;
	schedule_init(&bundle, status, 1000);
	pool_init(&bundle, status);
}

/* vcore k of partition i has work from now on. */
static void begin(uint32_t i, uint32_t k)
{
	vc[i][k].state = VCORE_RUNNING;
}

/* It has none. */
static void rest(uint32_t i, uint32_t k)
{
	vc[i][k].waiting = 1;
	areas[i][k].pending = 0;
}

/* Core i goes through its scheduler, and then runs this. */
static struct vcore *on(uint32_t i)
{
	struct trap t = { 0 };

	self = &core[i];
	schedule(self, &t);
	return self->current;
}

/* Core i looks once, and finds nothing to run. */
static void nothing_on(uint32_t i)
{
	uint64_t wake;
	struct vcore *from = core[i].current;

	self = &core[i];
	CHECK(schedule_pick(self, now, &wake) == NULL);
	armed[i] = wake;
	core[i].current = &core[i].idle;
	if (from->floats)
		CHECK(!pool_release(&core[i], from));
}

static struct gw_status_partition *numbers(uint32_t i)
{
	return &status->partitions[i];
}

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
	CHECK_EQ(armed[0], now + 50000); /* its turn's end */
	rest(0, 0);
	while_idle = tick_comes;
	CHECK(on(0) == &vc[0][0]); /* by its tick */
	CHECK_EQ(areas[0][0].pending, 1ULL << GW_EVENT_TICK);
	CHECK_EQ(now, 1000 + 500000 + 3);
	CHECK_EQ(vc[0][0].tick_ns, ~0ULL);
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
	CHECK_EQ(armed[1], now + ELASTIC_TICK_NS); /* the batch core watches */
	now += 1;
	CHECK(on(0) == &vc[0][0]);
	CHECK_EQ(armed[0], 201000 + 50000); /* and this one not any more */
	areas[0][0].ready_ns = now + 1;
	now = armed[1];
	CHECK(on(1) == &vc[0][1]); /* nearly 10 us: help comes, and takes the batch's core */
	CHECK_EQ(areas[0][1].pending, 1ULL << GW_EVENT_NOTIFY);
	CHECK_EQ(numbers(0)->cores, 2);
	rest(0, 1);
	CHECK(on(1) == &vc[1][0]);
	now += ELASTIC_TICK_NS;
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
	areas[0][0].packet_ns = now - 2000;
	areas[0][0].timer_ns = now + 1000; /* not due */
	nothing_on(1);
	CHECK_EQ(armed[1], now + 3001);
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
	  CASE(restart), CASE(too_much))
