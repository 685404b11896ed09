/* SPDX-License-Identifier: Apache-2.0 */
/* pool_machine.h - two cores for the tests of the pool, which play them one after the other: what
 * the architecture gives, a clock that the test moves, and three partitions. Included by one test
 * each. */
#ifndef GODWIT_KERNEL_TEST_POOL_MACHINE_H
#define GODWIT_KERNEL_TEST_POOL_MACHINE_H

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
static void (*while_idle)(void), (*while_resting)(void);
static void (*describe)(void); /* changes the bundle before the machine starts */

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

void arch_enter_at(struct trap *t, uint64_t ns)
{
	(void)t, (void)ns;
	abort(); /* there are no exact windows here */
}

void arch_context_rest(struct core *c)
{
	CHECK(c->current == &c->idle);
	if (while_resting != NULL)
		while_resting();
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
	if (describe != NULL)
		describe();
	free(status);
	status = calloc(1, schedule_status_bytes(&bundle));
	now = 1000;
	steps = 0;
	while_idle = while_resting = NULL;
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
static inline void nothing_on(uint32_t i)
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

#endif
