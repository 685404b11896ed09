/* SPDX-License-Identifier: Apache-2.0 */
/* parts_measure.c - the kernel's path lengths: instructions from the one before the entry to the
 * one after the return, under -icount shift=0, where a TSC tick is an instruction. Each is the
 * least of many, less what reading the TSC takes. `make paths` makes the table of what is printed
 * here. */
#include "kernel/test/parts.h"

#define TIMES 40u
#define VA 0x10000000ULL

static uint64_t none; /* what measuring nothing takes */

/* An upcall: skip the two bytes of a ud2 after a fault; go on. */
void measure_upcall(void);
void measure_fault(void);
void measure_syscall(void);
__asm__(".text\n"
	"measure_upcall:\n"
	"	cmpl $1, %gs:0xc\n"
	"	jne 1f\n"
	"	addq $2, %gs:0xc0\n" /* frame.rip */
	"1:	movq $0, %gs:0\n"
	"	movq $0x800000000000000b, %rax\n"
	"	syscall\n"
	"	ud2\n"
	"measure_fault:\n"
	"	ud2\n"
	"	ret\n"
	"measure_syscall:\n"
	"	movl $0, %gs:8\n"
	"	movl $39, %eax\n"
	"	syscall\n" /* ignore_syscall: 2 instructions */
	"	movl $1, %gs:8\n"
	"	ret\n");

static void cost(const char *name, uint64_t least)
{
	out("cost: ");
	out(name);
	out(" ");
	out_number(least - none);
	out_flush();
}

/* prepare is done each time before, and not counted. */
#define COST(name, prepare, code)                           \
	do {                                                \
		uint64_t least_ = ~0ULL;                    \
		for (uint32_t i_ = 0; i_ < TIMES; i_++) {   \
			uint64_t t_;                        \
			prepare;                            \
			t_ = ticks();                       \
			code;                               \
			t_ = ticks() - t_;                  \
			least_ = t_ < least_ ? t_ : least_; \
		}                                           \
		cost(name, least_);                         \
	} while (0)

#define CALL(name, prepare, number, a, b) COST(name, prepare, call(number, a, b, 0, 0))

static void set_map(uint64_t pages, uint64_t flags)
{
	area(0)->batch.maps[0] = (struct gw_map){ VA, boot->extents[0].pa, pages * GW_PAGE, flags };
}

static void unmap_all(void)
{
	(void)call(GW_CALL_SPACE_UNMAP, VA, 64 * GW_PAGE, 0, 0);
}

static void map_all(uint64_t pages)
{
	set_map(pages, GW_MAP_W);
	(void)call(GW_CALL_SPACE_MAP, 1, 0, 0, 0);
}

static void spaces(void)
{
	long s = 0;

	CALL("space_map, 1 page, the tables are there", (map_all(2), set_map(1, GW_MAP_W)),
	     GW_CALL_SPACE_MAP, 1, 0);
	CALL("space_map, 1 page, and its tables", (unmap_all(), set_map(1, GW_MAP_W)),
	     GW_CALL_SPACE_MAP, 1, 0);
	CALL("space_map, 32 pages", (map_all(32), set_map(32, GW_MAP_W)), GW_CALL_SPACE_MAP, 1, 0);
	CALL("space_protect, 1 page", (map_all(2), set_map(1, 0)), GW_CALL_SPACE_PROTECT, 1, 0);
	CALL("space_query, 1 page", map_all(2), GW_CALL_SPACE_QUERY, VA, GW_PAGE);
	CALL("space_unmap, 1 page", map_all(2), GW_CALL_SPACE_UNMAP, VA, GW_PAGE);
	CALL("space_unmap, 32 pages", map_all(33), GW_CALL_SPACE_UNMAP, VA, 32 * GW_PAGE);
	COST("space_create",
	     if (s > 0) while (call(GW_CALL_SPACE_DESTROY, (uint64_t)s, 0, 0, 0) == -11);
	     , s = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0));
	CALL("space_switch", call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), GW_CALL_SPACE_SWITCH,
	     (uint64_t)s, 0);
	(void)call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0);
	while (call(GW_CALL_SPACE_DESTROY, (uint64_t)s, 0, 0, 0) == -11)
		;
	COST("space_destroy, nothing mapped", s = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0),
	     while (call(GW_CALL_SPACE_DESTROY, (uint64_t)s, 0, 0, 0) == -11));
}

static void ports(void)
{
	CALL("port_write, 8 bytes, sampling", , GW_CALL_PORT_WRITE, 0, 8);
	CALL("port_write, 4000 bytes, sampling", , GW_CALL_PORT_WRITE, 0, 4000);
	CALL("port_write, a full queue", , GW_CALL_PORT_WRITE, 1, 8);
	CALL("port_status", , GW_CALL_PORT_STATUS, 0, 0);
	(void)call(GW_CALL_PORT_WRITE, 2, 8, 0, 0);
	CALL("port_read, sampling", , GW_CALL_PORT_READ, 2, 0);
}

/* The timer's interrupt: how much longer a turn of a loop takes when one comes. */
static void interrupts(const char *name, uint32_t masked)
{
	struct gw_vcore *v = area(0);
	uint64_t least = ~0ULL;

	for (uint32_t i = 0; i < TIMES; i++) {
		uint64_t end = now_ns() + 9000, longest = 0, shortest = ~0ULL;

		(void)call(GW_CALL_TICK_SET, end - 4000, 0, 0, 0);
		v->masked = masked;
		for (uint64_t last = ticks(), t = last; now_ns() < end; last = t) {
			t = ticks();
			longest = t - last > longest ? t - last : longest;
			shortest = t - last < shortest ? t - last : shortest;
		}
		v->masked = 1;
		v->pending = 0;
		least = longest - shortest < least ? longest - shortest : least;
	}
	cost(name, least + none);
}

static void health(void)
{
	uint64_t *kept = (uint64_t *)(GW_MEM_BASE + boot->extents[0].pa);

	if (boot->flags & GW_BOOT_WARM) {
		cost("warm restart, to the first instruction", ticks() - *kept);
		return;
	}
	CALL("health_raise, ignored", , GW_CALL_HEALTH_RAISE, 0, 0);
	*kept = ticks();
	(void)call(GW_CALL_PARTITION_RESTART, 1, 0, 0, 0);
}

/* Configuration: r1: health and restart; p1: ports 0 to 2 are there; y1: another partition on the
 * core does nothing but yield. */
void measure(void)
{
	struct gw_vcore *v = area(0);

	none = ~0ULL;
	for (uint32_t i = 0; i < TIMES; i++) {
		uint64_t t = ticks();

		t = ticks() - t;
		none = t < none ? t : none;
	}
	if (config_number('r', 0) != 0) {
		health();
		return;
	}
	call(GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall, (uint64_t)measure_upcall, 0, 0);
	COST("reflected syscall and back", , measure_syscall());
	COST("fault upcall and context_resume", , measure_fault());
	CALL("a number that there is not", , GW_CALL_COUNT, 0, 0);
	CALL("wait, an event is pending", v->pending = 2, GW_CALL_WAIT, ~0ULL, 0);
	v->pending = 0;
	if (config_number('y', 0) == 0)
		CALL("yield", , GW_CALL_YIELD, 0, 0);
	CALL("notify, itself", v->pending = 0, GW_CALL_NOTIFY, 0, 0);
	v->pending = 0;
	CALL("vcore_start, it runs", , GW_CALL_VCORE_START, 0, (uint64_t)measure_fault);
	CALL("upcall_set", , GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall,
	     (uint64_t)measure_upcall);
	CALL("tick_set", , GW_CALL_TICK_SET, now_ns() + 1000000000, 0);
	(void)call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0);
	CALL("irq_bind, refused", , GW_CALL_IRQ_BIND, 99, 0);
	CALL("console_write, nothing", , GW_CALL_CONSOLE_WRITE, 0, 0);
	CALL("health_raise, refused", , GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE(8, 0), 0);
	CALL("shutdown, refused", , GW_CALL_SHUTDOWN, 256, 0);
	CALL("partition_restart, refused", , GW_CALL_PARTITION_RESTART, 2, 0);
	spaces();
	interrupts("timer interrupt, masked", 1);
	interrupts("timer interrupt, event upcall and context_resume", 0);
	if (config_number('p', 0) != 0)
		ports();
	if (config_number('y', 0) != 0)
		CALL("two partition switches: yield, another's yield", , GW_CALL_YIELD, 0, 0);
}
