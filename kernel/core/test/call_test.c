/* SPDX-License-Identifier: Apache-2.0 */
/* call_test.c - kernel calls on the host: events, deadlines, upcalls and the checks of space calls,
 * with a clock, timer and cores that the test plays. */
#include <stdlib.h>

#include "abi/call.h"
#include "kernel/core/arch.h"
#include "kernel/core/call.h"
#include "kernel/core/log.h"
#include "tests/unit.h"

uint64_t direct_base;
struct partition partition;
struct core *cores[GW_MAX_VCORES];
static struct core core[2];
static struct gw_vcore areas[2] __attribute__((aligned(4096)));
static struct gw_boot_info info;
static uint64_t now, armed, entered;
static uint32_t kicks, flushes, shot_pages;
static void (*while_idle)(void);
static uint8_t printed[8192];
static size_t n_printed;

struct core *arch_core(void)
{
	return &core[0];
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

void arch_flush(struct core *c, const struct gather *g)
{
	(void)c;
	flushes++;
	shot_pages = g->n;
}

void arch_space_enter(uint64_t root)
{
	entered = root;
}

void arch_flush_poll(struct core *c)
{
	(void)c;
}

int arch_irq_bind(uint32_t device, uint32_t vector, const struct core *target, uint32_t event)
{
	return (int)(device * 1000 + vector * 100 + target->id * 70 + event);
}

void arch_console_byte(uint8_t byte)
{
	printed[n_printed++ % sizeof(printed)] = byte;
}

void arch_shutdown(uint32_t status)
{
	exit((int)status);
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
		core[i].vcore = &areas[i];
		core[i].tick_ns = ~0ULL;
		cores[i] = &core[i];
		areas[i].masked = 1;
	}
	core[0].state = CORE_RUNNING;
	core[1].state = CORE_STOPPED;
	partition.vcores = 2;
	partition.info = &info;
	partition.n_extents = 2;
	partition.extents[0] = (struct gw_extent){ 0x400000, 0x400000 };
	partition.extents[1] = (struct gw_extent){ 0x1000000, 0x10000 };
	if (tables == NULL)
		tables = aligned_alloc(4096, 40 * 4096);
	direct_base = (uint64_t)(uintptr_t)tables - 0x100000;
	space_init(&partition.spaces[0], &partition.pool, 0x100000, 32, false);
	info.n_devices = 1;
	info.devices[0].vectors = 3;
	now = 1000;
	armed = ~0ULL;
	kicks = flushes = 0;
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
	CHECK_EQ(core[1].state, CORE_STOPPED);
	CHECK_EQ(call(GW_CALL_VCORE_START, 1, 0x1000, 5, 0), 0);
	CHECK_EQ(core[1].state, CORE_RUNNING);
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

UNIT_MAIN(CASE(wait), CASE(tick), CASE(deadline_of_wait_is_the_tick), CASE(notify),
	  CASE(vcore_start), CASE(upcalls), CASE(space_calls), CASE(batch_without_memory),
	  CASE(spaces),
	  CASE(irq_and_console))
