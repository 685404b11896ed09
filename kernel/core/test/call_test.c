/* SPDX-License-Identifier: Apache-2.0 */
/* call_test.c - kernel calls on the host: events, deadlines, upcalls and the checks of space calls,
 * with a clock, timer and cores that the test plays. */
#include <setjmp.h>
#include <stdlib.h>

#include "abi/call.h"
#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/log.h"
#include "kernel/core/restart.h"
#include "tests/unit.h"

uint64_t direct_base;
static struct partition partition;
struct partition *partitions[GW_BUNDLE_PARTITIONS] = { &partition };
uint32_t n_partitions = 1, n_cores = 2;
struct core *cores[GW_MAX_VCORES];
static struct core real[2];
static struct vcore core[2]; /* each on its own core */
static uint32_t suspended;
static struct gw_vcore areas[2] __attribute__((aligned(4096)));
static struct gw_boot_info info;
static uint64_t now, armed, entered;
static uint32_t kicks, flushes, shot_pages;
static void (*while_idle)(void);
static uint8_t printed[8192];
static size_t n_printed;

struct vcore *arch_vcore(void)
{
	return &core[0];
}

void arch_call_suspend(struct vcore *v)
{
	CHECK(v == &core[0]);
	suspended++;
}

bool schedule_due(const struct vcore *v)
{
	return v->core->shared && now >= v->core->switch_ns;
}

static uint32_t wakes;
static bool wake_here;

bool pool_wake(struct vcore *v)
{
	CHECK(v->floats);
	wakes++;
	return wake_here;
}

void partition_end(struct partition *p, uint32_t status)
{
	p->status = status;
	p->state = PARTITION_ENDED;
}

static uint32_t restarted; /* 1: cold, 2: warm */

void restart_begin(struct partition *p, bool warm, uint32_t start)
{
	CHECK(p == &partition && p->state == PARTITION_STOPPING && start == GW_START_PARTITION);
	restarted = warm ? 2 : 1;
}

static uint32_t room = 4096, drained;

uint32_t log_room(void)
{
	return room;
}

bool log_drain(uint32_t n)
{
	drained += n;
	room = 4096;
	return true;
}

static jmp_buf machine_ended;

void machine_end(uint32_t status)
{
	longjmp(machine_ended, (int)status);
}

void log_text(const char *fmt, ...)
{
	(void)fmt;
}

void log_console(struct log_line *line, const char *name, const uint8_t *bytes, uint32_t n)
{
	(void)line;
	CHECK(name == NULL || name == partition.name);
	for (uint32_t i = 0; i < n; i++)
		printed[n_printed++ % sizeof(printed)] = bytes[i];
}

uint64_t arch_now_ns(void)
{
	return now;
}

bool arch_timer_arm(struct core *c, uint64_t ns)
{
	(void)c;
	if (ns == ~0ULL)
		return true;
	if (ns <= now)
		return false;
	armed = ns;
	return true;
}

void arch_idle(void)
{
	if (while_idle == NULL)
		abort(); /* nothing would ever end this */
	while_idle();
}

void arch_kick(const struct core *c)
{
	kicks |= 1u << c->id;
}

void arch_flush(struct vcore *c, const struct gather *g)
{
	(void)c;
	flushes++;
	shot_pages = g->n;
}

void arch_space_enter(uint64_t root)
{
	entered = root;
}

/* Whoever waits for a lock looks here: the other one gives it back. */
void arch_flush_poll(struct core *c)
{
	(void)c;
	partition.space_lock = 0;
}

int arch_irq_bind(uint32_t device, uint32_t vector, struct vcore *target, uint32_t event)
{
	return (int)(device * 1000 + vector * 100 + target->id * 70 + event);
}

static long call(uint32_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	return call_table[n](a, b, c, d);
}

static uint8_t *tables;

static void setup(void)
{
	memset(&areas, 0, sizeof(areas));
	memset(&partition, 0, sizeof(partition));
	memset(core, 0, sizeof(core));
	for (uint32_t i = 0; i < 2; i++) {
		core[i].id = i;
		core[i].area = &areas[i];
		core[i].core = &real[i];
		core[i].part = &partition;
		core[i].tick_ns = ~0ULL;
		partition.vcores[i] = &core[i];
		real[i] = (struct core){ .id = i, .n_vcores = 1 };
		real[i].vcores[0] = &core[i];
		atomic_store(&real[i].current, &core[i]);
		cores[i] = &real[i];
		areas[i].masked = 1;
	}
	core[0].state = VCORE_RUNNING;
	core[1].state = VCORE_STOPPED;
	partition.n_vcores = 2;
	partition.info = &info;
	partition.n_extents = 2;
	partition.extents[0] = (struct gw_extent){ 0x400000, 0x400000 };
	partition.extents[1] = (struct gw_extent){ 0x1000000, 0x10000 };
	if (tables == NULL)
		tables = aligned_alloc(4096, 40 * 4096);
	direct_base = (uint64_t)(uintptr_t)tables - 0x100000;
	space_init(&partition.spaces[0], &partition.pool, 0x100000, 32, 0x100000 + 32 * 4096,
		   false);
	info.n_devices = 1;
	info.devices[0].vectors = 3;
	now = 1000;
	armed = ~0ULL;
	kicks = flushes = suspended = 0;
	while_idle = NULL;
}

static void idle_until_armed(void)
{
	now = armed;
	timer_expired(&core[0]);
}

static void idle_notify(void)
{
	CHECK_EQ(core[0].waiting, 1);
	event_post(&core[0], 2);
	CHECK_EQ(kicks, 1);
}

TEST(wait)
{
	setup();
	areas[0].pending = 4;
	CHECK_EQ(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0);
	areas[0].pending = 0;
	CHECK_EQ(call(GW_CALL_WAIT, 500, 0, 0, 0), 0); /* passed */
	CHECK_EQ(areas[0].pending, 1);
	areas[0].pending = 0;
	while_idle = idle_until_armed;
	CHECK_EQ(call(GW_CALL_WAIT, 5000, 0, 0, 0), 0);
	CHECK_EQ(areas[0].pending, 1);
	CHECK_EQ(now, 5000);
	CHECK_EQ(core[0].tick_ns, ~0ULL);
	areas[0].pending = 0;
	while_idle = idle_notify;
	CHECK_EQ(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0);
	CHECK_EQ(areas[0].pending, 2);
	CHECK_EQ(core[0].waiting, 0);
}

TEST(tick)
{
	setup();
	CHECK_EQ(call(GW_CALL_TICK_SET, 3000, 0, 0, 0), 0);
	CHECK_EQ(armed, 3000);
	now = 2000;
	timer_expired(&core[0]); /* early: armed again, no event */
	CHECK_EQ(areas[0].pending, 0);
	CHECK_EQ(armed, 3000);
	now = 3000;
	timer_expired(&core[0]);
	CHECK_EQ(areas[0].pending, 1);
	CHECK_EQ(core[0].tick_ns, ~0ULL);
	areas[0].pending = 0;
	CHECK_EQ(call(GW_CALL_TICK_SET, 9000, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0), 0);
	now = 9999;
	timer_expired(&core[0]);
	CHECK_EQ(areas[0].pending, 0);
	CHECK_EQ(call(GW_CALL_TICK_SET, 10, 0, 0, 0), 0);
	CHECK_EQ(areas[0].pending, 1);
}

TEST(deadline_of_wait_is_the_tick)
{
	setup();
	CHECK_EQ(call(GW_CALL_TICK_SET, 8000, 0, 0, 0), 0);
	while_idle = idle_notify;
	CHECK_EQ(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0);
	CHECK_EQ(core[0].tick_ns, 8000);
	areas[0].pending = kicks = 0;
	CHECK_EQ(call(GW_CALL_WAIT, 9000, 0, 0, 0), 0);
	CHECK_EQ(core[0].tick_ns, 9000);
	areas[0].pending = 0;
	now = 8000;
	timer_expired(&core[0]); /* armed for the tick before */
	CHECK_EQ(areas[0].pending, 0);
	CHECK_EQ(armed, 9000);
	while_idle = idle_until_armed;
	CHECK_EQ(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0);
	CHECK_EQ(now, 9000);
	CHECK_EQ(areas[0].pending, 1);
}

TEST(notify)
{
	setup();
	CHECK_EQ(call(GW_CALL_NOTIFY, 2, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_NOTIFY, ~0ULL, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_NOTIFY, 1, 0, 0, 0), 0);
	CHECK_EQ(areas[1].pending, 2);
	CHECK_EQ(kicks, 0); /* masked and not waiting: it will look by itself */
	areas[1].masked = 0;
	CHECK_EQ(call(GW_CALL_NOTIFY, 1, 0, 0, 0), 0);
	CHECK_EQ(kicks, 2);
}

TEST(vcore_start)
{
	setup();
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, 0, 5, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, GW_USER_END, 5, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_VCORE_START, 2, 0x1000, 5, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_VCORE_START, 0, 0x1000, 5, 0), -EBUSY);
	CHECK_EQ(core[1].state, VCORE_STOPPED);
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, 0x1000, 5, 0), 0);
	CHECK_EQ(core[1].state, VCORE_RUNNING);
	CHECK_EQ(core[1].start_arg, 5);
	CHECK_EQ(kicks, 2);
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, 0x1000, 5, 0), -EBUSY);
}

TEST(upcalls)
{
	struct trap t = { .rax = 1,
			  .r15 = 15,
			  .rsp = 0x99,
			  .rip = 0x1234,
			  .rflags = 0x246,
			  .vector = 14,
			  .error = 6 };

	setup();
	CHECK_EQ(call(GW_CALL_UPCALL_SET, 0x700000000000, 0x700000000100, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_UPCALL_SET, 0x800000000000, 0x700000000100, 0, 0), -EINVAL);
	areas[0].masked = 0;
	upcall_fault(&core[0], &t, 0x5678);
	CHECK_EQ(t.rip, 0x700000000100);
	CHECK_EQ(t.rsp, 0x99);
	CHECK_EQ(t.rflags, 0x202);
	CHECK_EQ(areas[0].masked, 1);
	CHECK_EQ(areas[0].frame_masked, 0);
	CHECK_EQ(areas[0].reason, GW_UPCALL_FAULT);
	CHECK_EQ(areas[0].vector, 14);
	CHECK_EQ(areas[0].error, 6);
	CHECK_EQ(areas[0].fault_va, 0x5678);
	CHECK_EQ(areas[0].frame.rip, 0x1234);
	CHECK_EQ(areas[0].frame.r15, 15);
	CHECK_EQ(areas[0].frame.rflags, 0x246);
	upcall_event(&core[0], &t);
	CHECK_EQ(areas[0].frame_masked, 1);
	CHECK_EQ(areas[0].reason, GW_UPCALL_EVENT);
}

static long map1(uint64_t va, uint64_t pa, uint64_t len, uint64_t flags)
{
	areas[0].batch.maps[0] = (struct gw_map){ va, pa, len, flags };
	return call(GW_CALL_SPACE_MAP, 1, 0, 0, 0);
}

TEST(space_calls)
{
	setup();
	CHECK_EQ(map1(0x1000, 0x400000, 0x1000, GW_MAP_W), 0);
	CHECK_EQ(areas[0].done, 1);
	CHECK_EQ(flushes, 0); /* a fresh page needs none */
	CHECK_EQ(map1(0x1000, 0x3ff000, 0x1000, 0), -EPERM);
	CHECK_EQ(map1(0x1000, 0x7ff000, 0x2000, 0), -EPERM);
	CHECK_EQ(map1(0x1000, 0x800000, 0x1000, 0), -EPERM);
	CHECK_EQ(map1(0x1000, 0x1000000, 0x10000, 0), 0);
	CHECK_EQ(map1(0x1000, 0x1000000, 0x11000, 0), -EPERM);
	CHECK_EQ(map1(0x1000, ~0xfffULL, 0x1000, 0), -EPERM);
	CHECK_EQ(map1(GW_PROGRAM_END, 0x400000, 0x1000, 0), -EINVAL);
	CHECK_EQ(map1(0x1000, 0x400000, 0x1000, GW_MAP_W | GW_MAP_X), -EPERM);
	CHECK_EQ(map1(0x1000, 0x400000, 0x1000, GW_MAP_DIRTY), -EINVAL);
	CHECK_EQ(map1(0x200000, 0x401000, 0x200000, GW_MAP_LARGE), -EINVAL);
	CHECK_EQ(map1(0x200000, 0x400000, 0x200000, GW_MAP_LARGE | GW_MAP_W), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x200000, 0x200000, 0, 0), 1);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags, 0x400000 | GW_MAP_LARGE | GW_MAP_W);
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x1000, 0x400000, 0, 0), 17);
	CHECK_EQ(areas[0].next_va, 0x401000);
	CHECK_EQ(flushes, 1); /* tables were given back */
	CHECK_EQ(partition.pool.free, 31);
	CHECK_EQ(partition.space_lock, 0);
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 0, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 128, 0, 0, 0), -EINVAL);
}

TEST(batch_without_memory)
{
	setup();
	for (uint64_t i = 0; i < 20; i++)
		areas[0].batch.maps[i] = (struct gw_map){ 0x1000 + (i << 39), 0x400000, 0x1000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 20, 0, 0, 0), -ENOMEM);
	CHECK_EQ(areas[0].done, 10); /* 31 pages: three a mapping, one left */
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 20ULL << 39, 0, 0), 10);
	CHECK_EQ(partition.space_lock, 0);
}

TEST(spaces)
{
	setup();
	CHECK_EQ(map1(0x1000, 0x400000, 0x1000, GW_MAP_W), 0);
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, GW_MAX_SPACES, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), 1);
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, 1, 0, 0, 0), 0);
	CHECK_EQ(entered, partition.spaces[1].root);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x1000, 0, 0), 0);
	CHECK_EQ(map1(0x1000, 0x401000, 0x1000, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x1000, 0, 0), 1);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags, 0x400000 | GW_MAP_W);
	core[1].space = 1;
	CHECK_EQ(call(GW_CALL_SPACE_DESTROY, 1, 0, 0, 0), -EBUSY);
	core[1].space = 0;
	CHECK_EQ(call(GW_CALL_SPACE_DESTROY, 0, 0, 0, 0), -EBUSY);
	CHECK_EQ(call(GW_CALL_SPACE_DESTROY, 1, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_DESTROY, 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(partition.pool.free, 28);
	CHECK_EQ(partition.space_lock, 0);
	for (uint32_t i = 0; i < 28; i++)
		CHECK_EQ(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), i + 1);
	CHECK_EQ(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), -ENOMEM);
	for (uint32_t i = 0; i < 28; i++)
		CHECK_EQ(call(GW_CALL_SPACE_DESTROY, i + 1, 0, 0, 0), 0);
	CHECK_EQ(partition.pool.free, 28);
}

TEST(irq_and_console)
{
	setup();
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 1, 0, 0, 8), -EINVAL);
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 0, 3, 0, 8), -EINVAL);
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 0, 0, 2, 8), -EINVAL);
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 0, 0, 0, 7), -EINVAL);
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 0, 0, 0, 64), -EINVAL);
	CHECK_EQ(call(GW_CALL_IRQ_BIND, 0, 2, 1, 63), 200 + 70 + 63);
	memcpy(areas[0].batch.bytes, "hello", 5);
	n_printed = 0;
	CHECK_EQ(call(GW_CALL_CONSOLE_WRITE, 5, 0, 0, 0), 5);
	CHECK(n_printed == 5 && memcmp(printed, "hello", 5) == 0);
	CHECK_EQ(call(GW_CALL_CONSOLE_WRITE, GW_BATCH_BYTES + 1, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SHUTDOWN, 256, 0, 0, 0), -EINVAL);
	free(tables);
	tables = NULL;
}

static void share(void)
{
	setup();
	real[0].shared = real[1].shared = true;
	real[0].switch_ns = ~0ULL;
	core[1].core = &real[0];
	real[0].vcores[1] = &core[1];
	real[0].n_vcores = 2;
}

TEST(shared_wait)
{
	share();
	CHECK_EQ(call(GW_CALL_WAIT, 5000, 0, 0, 0), 0);
	CHECK_EQ(suspended, 1);
	CHECK_EQ(core[0].waiting, 1);
	CHECK_EQ(core[0].tick_ns, 5000);
	core[1].waiting = 1;
	event_post(&core[1], 2); /* on the same core: no interrupt, but the scheduler */
	CHECK_EQ(kicks, 0);
	CHECK_EQ(suspended, 2);
	core[1].floats = true; /* wherever it is: the pool knows */
	event_post(&core[1], 4);
	CHECK_EQ(wakes, 1);
	CHECK_EQ(suspended, 2);
	wake_here = true;
	event_post(&core[1], 4);
	CHECK_EQ(suspended, 3);
	core[1].floats = false;
	suspended = 2;
	real[0].slice_end_ns = 7;
	CHECK_EQ(call(GW_CALL_YIELD, 0, 0, 0, 0), 0);
	CHECK_EQ(real[0].slice_end_ns, 0);
	CHECK_EQ(suspended, 3);
}

/* A long mapping is put aside when its time is up, and goes on where it was. */
TEST(mapping_in_pieces)
{
	uint64_t pages = 200;
	uint32_t turns = 0;

	share();
	core[0].again = 0;
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0x400000, 0x1000, GW_MAP_W };
	areas[0].batch.maps[1] = (struct gw_map){ 0x10000, 0x500000, pages * 4096, GW_MAP_W };
	do {
		/* time enough for the checks only, then for one piece a turn */
		real[0].switch_ns = core[0].progress == 0 ? ~0ULL : now;
		core[0].again = 0;
		now += 10;
		CHECK_EQ(call(GW_CALL_SPACE_MAP, 2, 0, 0, 0), 0);
		CHECK(++turns < 100);
		if (core[0].again != 0 && core[0].progress != 0)
			core[0].progress += 32; /* as if a piece had been done */
	} while (core[0].again != 0);
	CHECK_EQ(areas[0].done, 2);
	CHECK_EQ(partition.space_lock, 0);
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x1000, 0x1000, 0, 0), 1);
	real[0].switch_ns = now; /* at once: nothing is changed yet, the call is to be made again */
	areas[0].batch.maps[0] = (struct gw_map){ 0x7000000, 0x400000, 0x1000, GW_MAP_W };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(core[0].again, GW_CALL(GW_CALL_SPACE_MAP));
	CHECK_EQ(core[0].progress, 0);
	real[0].switch_ns = ~0ULL;
	core[0].again = 0;
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(core[0].again, 0);
	CHECK_EQ(areas[0].done, 1);
	/* progress is checked: pretended, it leads nowhere */
	core[0].progress = ~0ULL;
	core[0].progress_of = (uint64_t)GW_CALL_SPACE_MAP << 48 ^ 1;
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	free(tables);
	tables = NULL;
}

TEST(ends_and_restarts)
{
	share();
	CHECK_EQ(call(GW_CALL_SHUTDOWN, 256, 0, 0, 0), -EINVAL);
	n_partitions = 2;
	CHECK_EQ(call(GW_CALL_SHUTDOWN, 7, 0, 0, 0), 0);
	CHECK(partition.state == PARTITION_ENDED && partition.status == 7);
	CHECK_EQ(suspended, 1);
	n_partitions = 1;
	if (setjmp(machine_ended) == 0)
		call(GW_CALL_SHUTDOWN, 5, 0, 0, 0);
	else
		n_partitions = 7; /* was here */
	CHECK_EQ(n_partitions, 7);
	n_partitions = 1;
	setup();
	CHECK_EQ(call(GW_CALL_PARTITION_RESTART, 0, 0, 0, 0), -EPERM); /* a dedicated core */
	share();
	CHECK_EQ(call(GW_CALL_PARTITION_RESTART, 2, 0, 0, 0), -EINVAL);
	for (uint32_t warm = 0; warm < 2; warm++) {
		partition.state = PARTITION_RUNNING;
		CHECK_EQ(call(GW_CALL_PARTITION_RESTART, warm, 0, 0, 0), 0);
		CHECK_EQ(restarted, warm + 1);
	}
	restarted = 0;
	partition.state = PARTITION_RESTARTING; /* another's error came first */
	CHECK_EQ(call(GW_CALL_PARTITION_RESTART, 1, 0, 0, 0), 0);
	CHECK_EQ(restarted, 0);
	CHECK_EQ(suspended, 3);
}

TEST(starting_and_waking_on_one_core)
{
	share();
	core[1].state = VCORE_STOPPED;
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, 0x1000, 0, 0), 0);
	CHECK_EQ(suspended, 1);
	CHECK_EQ(kicks, 0);
	core[1].core = &real[1]; /* shared, but another */
	real[1].shared = true;
	core[1].waiting = 1;
	event_post(&core[1], 2);
	CHECK_EQ(kicks, 2);
	setup();
	CHECK_EQ(call(GW_CALL_YIELD, 0, 0, 0, 0), 0); /* nobody to yield to */
	CHECK_EQ(suspended, 0);
	CHECK_EQ(call(GW_CALL_UPCALL_SET, 0, 0x1000, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_UPCALL_SET, 0x1000, 0, 0, 0), -EINVAL);
	CHECK_EQ(core[0].upcall_entry, 0);
}

/* Console text waits for room in the ring, and gives way when its time is up. */
TEST(console_in_pieces)
{
	share();
	n_partitions = 2;
	n_printed = 0;
	for (uint32_t i = 0; i < 40; i++)
		areas[0].batch.bytes[i] = (uint8_t)('a' + i % 26);
	room = 10;
	drained = 0;
	CHECK_EQ(call(GW_CALL_CONSOLE_WRITE, 40, 0, 0, 0), 40);
	CHECK_EQ(n_printed, 40);
	CHECK_EQ(drained, 4 * 32);
	real[0].switch_ns = now;
	CHECK_EQ(call(GW_CALL_CONSOLE_WRITE, 40, 0, 0, 0), 0);
	CHECK_EQ(core[0].again, GW_CALL(GW_CALL_CONSOLE_WRITE));
	CHECK_EQ(n_printed, 40);
	real[0].switch_ns = ~0ULL;
	CHECK_EQ(call(GW_CALL_CONSOLE_WRITE, 40, 0, 0, 0), 40);
	CHECK_EQ(n_printed, 80);
	n_partitions = 1;
}

TEST(protection)
{
	setup();
	CHECK_EQ(map1(0x1000, 0x400000, 0x3000, GW_MAP_W), 0);
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 5, 0x2000, 0 }; /* pa is ignored */
	areas[0].batch.maps[1] = (struct gw_map){ 0x3000, 0, 0x1000, GW_MAP_NONE };
	CHECK_EQ(call(GW_CALL_SPACE_PROTECT, 2, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x3000, 0, 0), 3);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags, 0x400000);
	CHECK_EQ(areas[0].batch.unmapped[2].pa_flags, 0x402000 | GW_MAP_NONE);
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0, 0x1000, GW_MAP_X };
	CHECK_EQ(call(GW_CALL_SPACE_PROTECT, 1, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x1000, 0, 0), 1);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags, 0x400000 | GW_MAP_X);
	/* the second entry is wrong: nothing is done */
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0, 0x1000, GW_MAP_W };
	areas[0].batch.maps[1] = (struct gw_map){ 0x1001, 0, 0x1000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_PROTECT, 2, 0, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x1000, 0, 0), 1);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags, 0x400000 | GW_MAP_X);
	CHECK_EQ(map1(0x1000, 0x400001, 0x1000, 0), -EINVAL);
	CHECK_EQ(map1(0x1000, 0x400000, 0, 0), -EINVAL);
	CHECK_EQ(map1(0x1000, 0x400000, 0x1001, 0), -EINVAL);
	CHECK_EQ(map1(0, 0x400000, 0x1000, 0), -EINVAL);
	CHECK_EQ(map1(GW_PROGRAM_END - 0x1000, 0x400000, 0x2000, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0, 0x1000, 0, 0), -EINVAL);
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x1000, ~0xfffULL, 0, 0), -EINVAL);
	/* a page that a core may have in its TLB */
	partition.space_lock = 1; /* another holds it; arch_flush_poll gives it back */
	*(uint64_t *)direct(partition.pool.base + 3 * 4096 + 8) |= PTE_A;
	CHECK_EQ(map1(0x1000, 0x403000, 0x1000, GW_MAP_W), 0);
	CHECK_EQ(flushes, 1);
	CHECK_EQ(shot_pages, 1);
}

/* On a shared core: errors in the middle, a flush in each piece, large pages, and time that ends.
 */
TEST(pieces_that_fail)
{
	share();
	core[0].again = 0;
	real[0].switch_ns = ~0ULL;
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0x400000, 0x1000, GW_MAP_W };
	areas[0].batch.maps[1] = (struct gw_map){ 0x2000, 0, 0x1000, GW_MAP_W };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 2, 0, 0, 0), -EPERM);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 0x1000, 0, 0), 0);
	areas[0].batch.maps[0] =
		(struct gw_map){ 0x200000, 0x400000, 0x400000, GW_MAP_W | GW_MAP_LARGE };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x200000, 0x400000, 0, 0), 2);
	areas[0].batch.maps[0] = (struct gw_map){ 0x200000, 0, 0x400000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_PROTECT, 1, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x200000, 0x400000, 0, 0) > 0, 1);
	CHECK_EQ(areas[0].batch.unmapped[0].pa_flags & GW_MAP_W, 0);
	/* the pool ends in the middle: what was done stays */
	for (uint64_t i = 0; i < 20; i++)
		areas[0].batch.maps[i] = (struct gw_map){ 0x1000 + (i << 39), 0x400000, 0x1000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 20, 0, 0, 0), -ENOMEM);
	CHECK(areas[0].done > 0 && areas[0].done < 20);
	/* a batch that changes while it is applied is checked again */
	core[0].progress = 1ULL << 48;
	core[0].progress_of = (uint64_t)GW_CALL_SPACE_MAP << 48 ^ 1;
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0, 0x1000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), -EPERM);
	/* its time is up between two pieces */
	core[0].progress = 1ULL << 48;
	core[0].progress_of = (uint64_t)GW_CALL_SPACE_MAP << 48 ^ 1;
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0x400000, 0x1000, 0 };
	real[0].switch_ns = now;
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(core[0].again, GW_CALL(GW_CALL_SPACE_MAP));
	CHECK_EQ(core[0].progress, 1ULL << 48);
	real[0].switch_ns = ~0ULL;
	core[0].again = 0;
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	*(uint64_t *)direct(partition.pool.base + 3 * 4096 + 8) |= PTE_A;
	flushes = 0;
	for (uint64_t i = 0; i < 512 * 4096; i += 8) { /* all that is mapped was used */
		uint64_t *e = direct(partition.pool.base + i % (32 * 4096));

		if (*e & PTE_P)
			*e |= PTE_A;
	}
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(flushes, 1);
}

TEST(scans_in_pieces)
{
	share();
	real[0].switch_ns = ~0ULL;
	core[0].again = 0;
	areas[0].batch.maps[0] = (struct gw_map){ 0x1000, 0x400000, 300 * 4096, GW_MAP_W };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 300 * 4096, 0, 0), GW_BATCH_UNMAPS);
	real[0].switch_ns = now;
	CHECK_EQ(call(GW_CALL_SPACE_QUERY, 0x1000, 300 * 4096, 0, 0), 8);
	CHECK_EQ(areas[0].next_va, 0x1000 + 8 * 4096);
	real[0].switch_ns = ~0ULL;
	/* a large page, of which a part is to go, and no table left for it */
	areas[0].batch.maps[0] = (struct gw_map){ 0x200000, 0x400000, 0x200000, GW_MAP_LARGE };
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x1000, 0x1ff000, 0, 0), GW_BATCH_UNMAPS);
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), -EINVAL); /* overwritten by the report */
	areas[0].batch.maps[0] = (struct gw_map){ 0x200000, 0x400000, 0x200000, GW_MAP_LARGE };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	areas[0].batch.maps[0] = (struct gw_map){ 0x1ff000, 0x400000, 0x1000, 0 };
	CHECK_EQ(call(GW_CALL_SPACE_MAP, 1, 0, 0, 0), 0);
	partition.pool.free = 0;
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x201000, 0x1000, 0, 0), -ENOMEM);
	/* ... but what is before it goes */
	CHECK_EQ(call(GW_CALL_SPACE_UNMAP, 0x1f0000, 0x11000, 0, 0), 1);
	CHECK_EQ(areas[0].next_va, 0x200000);
}

TEST(all_spaces_taken)
{
	setup();
	for (uint32_t i = 1; i < GW_MAX_SPACES; i++)
		partition.spaces[i].root = 4096;
	CHECK_EQ(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), -ENOSPC);
	partition.spaces[5].dying = true;
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, 5, 0, 0, 0), -EINVAL);
	entered = 0;
	CHECK_EQ(call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), 0); /* it is there already */
	CHECK_EQ(entered, 0);
	memset(&partition.spaces[1], 0, 63 * sizeof(partition.spaces[1]));
	share();
	CHECK_EQ(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), 1);
	CHECK_EQ(call(GW_CALL_SPACE_DESTROY, 1, 0, 0, 0), -EAGAIN); /* not all of it at once */
	while (call(GW_CALL_SPACE_DESTROY, 1, 0, 0, 0) == -EAGAIN)
		;
	CHECK_EQ(partition.spaces[1].root, 0);
}

UNIT_MAIN(CASE(wait), CASE(tick), CASE(deadline_of_wait_is_the_tick), CASE(notify),
	  CASE(vcore_start), CASE(upcalls), CASE(space_calls), CASE(batch_without_memory),
	  CASE(spaces), CASE(irq_and_console), CASE(shared_wait), CASE(mapping_in_pieces),
	  CASE(ends_and_restarts), CASE(starting_and_waking_on_one_core), CASE(console_in_pieces),
	  CASE(protection), CASE(pieces_that_fail), CASE(scans_in_pieces), CASE(all_spaces_taken))
