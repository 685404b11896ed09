/* SPDX-License-Identifier: Apache-2.0 */
/* health_test.c - every action on every class of error, the limit of restarts, what a cold and a
 * warm restart leave of a partition, module resets that meet restarts and ends, and the records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "kernel/core/arch.h"
#include "kernel/core/health.h"
#include "kernel/core/log.h"
#include "kernel/core/restart.h"
#include "kernel/core/schedule.h"
#include "tests/unit.h"

#define FRAMES 4u
#define SEGMENT_PAGES 3u

uint64_t direct_base;
struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions, n_cores = 2;
struct core *cores[GW_MAX_VCORES];
static struct partition part[2];
static struct core core[2];
static struct vcore vc[4]; /* 0, 1: of partition 0, on cores 0 and 1. 2, 3: of partition 1 */
static struct gw_vcore areas[4] __attribute__((aligned(4096)));
static struct gw_boot_info info[2];
static uint8_t memory[2][FRAMES * 4096] __attribute__((aligned(4096)));
static uint8_t segment[SEGMENT_PAGES * 4096], image[2 * 4096];
static struct gw_bundle bundle;
static struct gw_health_log page;
static struct vcore *self;
static struct trap trap;
static jmp_buf ended;
static uint32_t end_status, scheduled, kicked, stops, starts, reports, rests, emptied, cleared;
static char text[8192];
static size_t n_text;

struct vcore *arch_vcore(void)
{
	return self;
}

uint64_t arch_now_ns(void)
{
	return 12345;
}

void arch_kick(const struct core *c)
{
	kicked |= 1u << c->id;
}

void arch_context_rest(struct core *c)
{
	CHECK(c->current == &c->idle);
	rests++;
}

void arch_devices_stop(const struct partition *p)
{
	stops |= 1u << p->number;
}

void arch_devices_start(const struct partition *p)
{
	starts |= 1u << p->number;
}

void arch_health_report(const struct vcore *v, const struct trap *t)
{
	(void)v, (void)t;
	reports++;
}

void arch_shutdown(uint32_t status)
{
	end_status = status;
	longjmp(ended, 1);
}

void schedule_print(void)
{
}

void log_direct(void)
{
}

/* Names only: which words were said. */
void log_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n_text += (size_t)vsnprintf(text + n_text, sizeof(text) - n_text, fmt, ap);
	va_end(ap);
}

void log_console(struct log_line *line, const char *name, const uint8_t *bytes, uint32_t n)
{
	(void)name, (void)bytes;
	CHECK(n == 1);
	line->n = 0;
}

bool space_empty(struct space *s, uint32_t steps)
{
	(void)s, (void)steps;
	return ++emptied % 2 == 0;
}

static uint64_t entered;

void arch_space_enter(uint64_t root)
{
	entered = root;
}

bool space_clear(struct space *s, uint32_t steps)
{
	(void)steps;
	CHECK(entered == 8192); /* the core is not in s */
	cleared++;
	s->root = 0;
	return true;
}

/* Segment 0: two pages and a half in the bundle, three in memory. Segment 1: another's. */
bool arch_restart_segment(const struct partition *p, uint32_t i, struct restart_segment *s)
{
	(void)p;
	*s = (struct restart_segment){ .pa = (uint64_t)(uintptr_t)segment,
				       .from = (uint64_t)(uintptr_t)image,
				       .file_len = 4096 + 100,
				       .mem_len = i == 0 ? sizeof(segment) : 0 };
	return i < 2;
}

static void setup(uint32_t n)
{
	memset(part, 0, sizeof(part));
	memset(core, 0, sizeof(core));
	memset(vc, 0, sizeof(vc));
	memset(areas, 0, sizeof(areas));
	memset(info, 0, sizeof(info));
	memset(&page, 0, sizeof(page));
	memset(&bundle, 0, sizeof(bundle));
	memset(memory, 0x55, sizeof(memory));
	memset(segment, 0x66, sizeof(segment));
	memset(image, 0x77, sizeof(image));
	n_partitions = n;
	for (uint32_t i = 0; i < 2; i++) {
		core[i].id = i;
		core[i].shared = true;
		core[i].idle.core = &core[i];
		core[i].current = &core[i].idle;
		cores[i] = &core[i];
		partitions[i] = &part[i];
		strcpy(part[i].name, i == 0 ? "p0" : "p1");
		part[i].number = i;
		part[i].n_vcores = 2;
		part[i].info = &info[i];
		part[i].entry_va = 0x700000001000;
		part[i].n_extents = 2;
		part[i].extents[0] = (struct gw_extent){ (uint64_t)(uintptr_t)memory[i], 4096 };
		part[i].extents[1] =
			(struct gw_extent){ (uint64_t)(uintptr_t)memory[i] + 4096, 2 * 4096 };
		part[i].spaces[0].root = 8192;
		part[i].spaces[3].root = 4096;
	}
	for (uint32_t i = 0; i < 4; i++) {
		vc[i] = (struct vcore){ .core = &core[i % 2],
					.part = &part[i / 2],
					.id = i % 2,
					.area = &areas[i],
					.state = VCORE_RUNNING,
					.upcall_entry = 1,
					.syscall_entry = 1,
					.waiting = 1,
					.again = 5,
					.space = 3 };
		part[i / 2].vcores[i % 2] = &vc[i];
		areas[i].pending = 7;
	}
	self = &vc[0];
	core[0].current = &vc[0];
	end_status = ~0u;
	scheduled = kicked = stops = starts = reports = rests = emptied = cleared = 0;
	entered = 0;
	n_text = 0;
	text[0] = 0;
	health_init(&bundle, &page);
}

static void raise_error(struct vcore *v, uint32_t class)
{
	struct health_error e = { class, 0x99, 0x88, 0x700000001234 };

	self = v;
	if (setjmp(ended) == 0)
		scheduled += health_error(v, &e, &trap);
}

static const struct gw_health_record *last_record(void)
{
	return &page.records[(page.written - 1) % GW_HEALTH_RECORDS];
}

TEST(the_log_is_described)
{
	setup(2);
	CHECK(page.magic == GW_HEALTH_LOG_MAGIC && page.size == sizeof(page));
	CHECK_EQ(page.n_records, GW_HEALTH_RECORDS);
	CHECK_EQ(page.written, 0);
}

TEST(every_class_is_recorded_and_ignored)
{
	setup(2);
	memset(part[0].health, GW_HEALTH_IGNORE, sizeof(part[0].health));
	for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++) {
		raise_error(&vc[1], c);
		CHECK_EQ(page.written, c + 1);
		CHECK_EQ(last_record()->number, c + 1);
		CHECK_EQ(last_record()->class, c);
		CHECK_EQ(last_record()->action, GW_HEALTH_IGNORE);
		CHECK_EQ(last_record()->partition, 0);
		CHECK_EQ(last_record()->vcore, 1);
		CHECK_EQ(last_record()->core, 1);
		CHECK_EQ(last_record()->time_ns, 12345);
		CHECK(last_record()->code == 0x99 && last_record()->arg == 0x88);
		CHECK(last_record()->rip == 0x700000001234);
		CHECK_EQ(part[0].errors[c], 1);
	}
	CHECK_EQ(scheduled, 0);
	CHECK_EQ(part[0].state, PARTITION_RUNNING);
	for (uint32_t i = 0; i < 200; i++)
		raise_error(&vc[0], GW_HEALTH_MEMORY);
	CHECK_EQ(page.written, 208);
	CHECK_EQ(last_record()->number, 208);
	n_text = 0;
	health_print();
	CHECK(strstr(text, "errors: p0: 1 deadline missed, 1 application error") != NULL);
	CHECK(strstr(text, "201 memory violation, 1 hardware fault") != NULL);
	CHECK(strstr(text, "0 restarts") != NULL);
	CHECK(strstr(text, "p1") == NULL);
}

TEST(few_errors_of_a_class_are_said)
{
	uint32_t lines = 0;

	setup(2);
	memset(part[0].health, GW_HEALTH_IGNORE, sizeof(part[0].health));
	for (uint32_t i = 0; i < 40; i++)
		raise_error(&vc[0], GW_HEALTH_NUMERIC);
	for (const char *s = text; (s = strstr(s, "p0: numeric error at")) != NULL; s++)
		lines++;
	CHECK_EQ(lines, 16);
}

TEST(stop_ends_the_partition_then_the_machine)
{
	setup(2);
	part[0].line.n = 3;
	raise_error(&vc[0], GW_HEALTH_ILLEGAL);
	CHECK_EQ(part[0].state, PARTITION_ENDED);
	CHECK_EQ(part[0].status, STATUS_FAULT);
	CHECK_EQ(part[0].line.n, 0);
	CHECK_EQ(stops, 1);
	CHECK_EQ(kicked, 2); /* the other core, not its own */
	CHECK_EQ(scheduled, 1);
	CHECK_EQ(end_status, ~0u);
	/* A second error of an ended one changes nothing. */
	raise_error(&vc[1], GW_HEALTH_ILLEGAL);
	CHECK_EQ(part[0].state, PARTITION_ENDED);
	raise_error(&vc[2], GW_HEALTH_ILLEGAL);
	CHECK_EQ(end_status, STATUS_FAULT);
	CHECK_EQ(reports, 0);
}

TEST(alone_a_stop_is_a_module_stop)
{
	setup(1);
	raise_error(&vc[0], GW_HEALTH_STACK);
	CHECK_EQ(end_status, STATUS_FAULT);
	CHECK_EQ(reports, 1);
	CHECK_EQ(last_record()->action, GW_HEALTH_MODULE_STOP);
}

static void step_until_done(struct vcore *v)
{
	uint32_t n = 0;

	self = v;
	while (v->part->state == PARTITION_RESTARTING && n++ < 1000)
		restart_step(v);
	CHECK(n < 1000);
}

static void check_fresh(uint32_t p)
{
	CHECK_EQ(part[p].state, PARTITION_RUNNING);
	CHECK(segment[0] == 0x77 && segment[4096 + 99] == 0x77 && segment[4096 + 100] == 0);
	CHECK_EQ(segment[sizeof(segment) - 1], 0);
	CHECK(part[p].spaces[3].root == 0 && part[p].spaces[0].root != 0);
	for (uint32_t i = 2 * p; i < 2 * p + 2; i++) {
		CHECK_EQ(areas[i].pending, 0);
		CHECK_EQ(areas[i].masked, 1);
		CHECK_EQ(areas[i].id, i % 2);
		CHECK(vc[i].upcall_entry == 0 && vc[i].syscall_entry == 0 && vc[i].fresh);
		CHECK(vc[i].waiting == 0 && vc[i].again == 0 && vc[i].space == 0);
		CHECK_EQ(vc[i].state, i % 2 == 0 ? VCORE_RUNNING : VCORE_STOPPED);
	}
	CHECK(vc[2 * p].start_entry == part[p].entry_va && vc[2 * p].start_arg == GW_BOOT_VA);
	CHECK_EQ(memory[p][FRAMES * 4096 - 1], 0x55); /* not its */
}

TEST(a_cold_restart_clears_memory)
{
	setup(2);
	part[0].health[GW_HEALTH_MEMORY] = GW_HEALTH_COLD_RESTART;
	info[0].flags = GW_BOOT_WARM | GW_BOOT_EMULATED;
	core[1].current = &vc[1];
	raise_error(&vc[0], GW_HEALTH_MEMORY);
	CHECK_EQ(part[0].state, PARTITION_RESTARTING);
	CHECK_EQ(stops, 1);
	/* The other core must let go of its vcore first. */
	kicked = 0;
	restart_step(&vc[0]);
	restart_step(&vc[0]);
	CHECK_EQ(kicked, 2);
	CHECK_EQ(vc[1].state, VCORE_RUNNING);
	core[1].current = &core[1].idle;
	step_until_done(&vc[0]);
	check_fresh(0);
	CHECK(memory[0][0] == 0 && memory[0][3 * 4096 - 1] == 0);
	CHECK_EQ(info[0].flags, GW_BOOT_MEM_ZEROED | GW_BOOT_EMULATED);
	CHECK_EQ(info[0].start, GW_START_HM_PARTITION);
	CHECK_EQ(info[0].restarts, 1);
	CHECK(starts == 1 && rests == 1 && cleared == 1 && emptied == 2);
	CHECK(memory[1][0] == 0x55);
}

TEST(a_warm_restart_keeps_memory)
{
	setup(2);
	part[0].health[GW_HEALTH_MEMORY] = GW_HEALTH_WARM_RESTART;
	info[0].flags = GW_BOOT_MEM_ZEROED;
	raise_error(&vc[0], GW_HEALTH_MEMORY);
	step_until_done(&vc[0]);
	check_fresh(0);
	CHECK(memory[0][0] == 0x55 && memory[0][3 * 4096 - 1] == 0x55);
	CHECK_EQ(info[0].flags, GW_BOOT_WARM);
	CHECK_EQ(info[0].start, GW_START_HM_PARTITION);
}

TEST(restarts_have_a_limit)
{
	setup(2);
	memset(part[0].health, GW_HEALTH_WARM_RESTART, sizeof(part[0].health));
	part[0].restarts_max = 2;
	for (uint32_t i = 0; i < 2; i++) {
		raise_error(&vc[0], i);
		CHECK_EQ(part[0].state, PARTITION_RESTARTING);
		step_until_done(&vc[0]);
	}
	raise_error(&vc[0], 0);
	CHECK_EQ(part[0].state, PARTITION_ENDED);
	CHECK_EQ(last_record()->action, GW_HEALTH_STOP);
}

TEST(a_module_reset_restarts_all)
{
	setup(2);
	part[0].health[GW_HEALTH_POWER] = GW_HEALTH_MODULE_RESET;
	part[0].restarts_max = 1;
	part[1].state = PARTITION_ENDED;
	raise_error(&vc[0], GW_HEALTH_POWER);
	CHECK_EQ(part[0].state, PARTITION_RESTARTING);
	CHECK_EQ(part[1].state, PARTITION_RESTARTING);
	step_until_done(&vc[0]);
	step_until_done(&vc[2]);
	check_fresh(0);
	CHECK_EQ(info[0].start, GW_START_HM_MODULE);
	CHECK_EQ(info[1].start, GW_START_HM_MODULE);
	CHECK_EQ(memory[1][0], 0);
	/* The limit is of him who caused it. */
	raise_error(&vc[0], GW_HEALTH_POWER);
	CHECK_EQ(part[0].state, PARTITION_ENDED);
	CHECK_EQ(part[1].state, PARTITION_RUNNING);
}

TEST(a_module_reset_waits_for_a_restart)
{
	setup(2);
	part[0].health[GW_HEALTH_POWER] = GW_HEALTH_MODULE_RESET;
	part[1].state = PARTITION_STOPPING;
	restart_begin(&part[1], true, GW_START_PARTITION);
	raise_error(&vc[0], GW_HEALTH_POWER);
	CHECK_EQ(part[1].reset_asked, 1);
	while (part[1].reset_asked)
		restart_step(&vc[2]);
	CHECK_EQ(info[1].start, GW_START_PARTITION);
	CHECK_EQ(part[1].state, PARTITION_RESTARTING);
	CHECK_EQ(memory[1][0], 0x55);
	step_until_done(&vc[2]);
	CHECK_EQ(info[1].start, GW_START_HM_MODULE);
	CHECK_EQ(memory[1][0], 0);
	/* Asked for while the partition stops: what follows is the reset. */
	part[1].state = PARTITION_STOPPING;
	part[1].reset_asked = 1;
	restart_begin(&part[1], true, GW_START_PARTITION);
	CHECK(!part[1].warm && part[1].start == GW_START_HM_MODULE);
	step_until_done(&vc[2]);
	part[1].state = PARTITION_STOPPING;
	part[1].reset_asked = 1;
	partition_end(&part[1], 1);
	CHECK_EQ(part[1].state, PARTITION_RESTARTING);
}

TEST(errors_of_the_module)
{
	struct health_error e = { GW_HEALTH_HARDWARE, 2, 3, 4 };

	setup(2);
	CHECK(!health_module_error(&vc[0], &e)); /* its table: stop */
	CHECK_EQ(page.written, 0);
	bundle.module_health[GW_HEALTH_HARDWARE] = GW_HEALTH_IGNORE;
	health_init(&bundle, &page);
	CHECK(health_module_error(&vc[0], &e));
	CHECK_EQ(last_record()->partition, GW_HEALTH_MODULE);
	health_module_act(&vc[0]);
	CHECK(strstr(text, "module: hardware fault") != NULL);
	CHECK_EQ(part[1].state, PARTITION_RUNNING);
	bundle.module_health[GW_HEALTH_HARDWARE] = GW_HEALTH_MODULE_RESET;
	health_init(&bundle, &page);
	CHECK(health_module_error(&vc[0], &e));
	health_module_act(&vc[0]);
	CHECK_EQ(part[0].state, PARTITION_RESTARTING);
	CHECK_EQ(part[1].state, PARTITION_RESTARTING);
	n_text = 0;
	text[0] = 0;
	health_module_act(&vc[0]); /* nothing is due any more */
	CHECK_EQ(text[0], 0);
	for (uint32_t i = 0; i < 30; i++)
		CHECK(health_module_error(&vc[0], &e));
	health_module_act(&vc[0]);
	CHECK_EQ(text[0], 0); /* enough has been said */
}

TEST(before_there_is_a_log)
{
	struct health_error e = { GW_HEALTH_HARDWARE, 2, 3, 4 };

	CHECK(!health_module_error(&vc[0], &e)); /* an NMI early in the boot */
}

TEST(alone_and_ignored)
{
	setup(1);
	part[0].health[GW_HEALTH_STACK] = GW_HEALTH_IGNORE;
	raise_error(&vc[0], GW_HEALTH_STACK);
	CHECK_EQ(end_status, ~0u);
	part[0].health[GW_HEALTH_STACK] = GW_HEALTH_MODULE_STOP;
	raise_error(&vc[0], GW_HEALTH_STACK);
	CHECK_EQ(end_status, STATUS_FAULT);
}

/* A vcore that floats is where it runs, not on a core of its own. */
TEST(a_restart_waits_for_floating_vcores)
{
	setup(2);
	part[0].health[GW_HEALTH_MEMORY] = GW_HEALTH_COLD_RESTART;
	vc[1].floats = true;
	vc[1].on = 2;
	raise_error(&vc[0], GW_HEALTH_MEMORY);
	restart_step(&vc[0]);
	CHECK_EQ(vc[1].state, VCORE_RUNNING);
	vc[1].on = 0;
	step_until_done(&vc[0]);
	check_fresh(0);
}

/* Of a device, on a core that runs another's vcore: nothing is scheduled there, but what the table
 * says happens to the device's partition. */
TEST(errors_of_devices)
{
	struct health_error e = { GW_HEALTH_MEMORY, GW_HEALTH_DMA | 8, 0x5000, 0 };

	setup(2);
	self = &vc[1];
	part[1].health[GW_HEALTH_MEMORY] = GW_HEALTH_IGNORE;
	CHECK(!health_error(&vc[2], &e, NULL));
	CHECK(part[1].state == PARTITION_RUNNING && part[1].errors[GW_HEALTH_MEMORY] == 1);
	CHECK(last_record()->code == (GW_HEALTH_DMA | 8) && last_record()->arg == 0x5000);
	CHECK_EQ(last_record()->partition, 1);
	part[1].health[GW_HEALTH_MEMORY] = GW_HEALTH_COLD_RESTART;
	CHECK(health_error(&vc[2], &e, NULL));
	CHECK_EQ(part[1].state, PARTITION_RESTARTING);
	CHECK_EQ(part[0].state, PARTITION_RUNNING);
	CHECK_EQ(stops, 2);
	step_until_done(&vc[2]);
	part[1].health[GW_HEALTH_MEMORY] = GW_HEALTH_STOP;
	self = &vc[1];
	CHECK(health_error(&vc[2], &e, NULL));
	CHECK_EQ(part[1].state, PARTITION_ENDED);
	CHECK_EQ(scheduled, 0);
	part[0].health[GW_HEALTH_MEMORY] = GW_HEALTH_MODULE_STOP;
	if (setjmp(ended) == 0)
		(void)health_error(&vc[0], &e, NULL);
	CHECK_EQ(end_status, STATUS_FAULT);
	CHECK_EQ(reports, 0);
	CHECK(strstr(text, "p0: memory violation") != NULL);
}

UNIT_MAIN(CASE(before_there_is_a_log), CASE(alone_and_ignored), CASE(the_log_is_described),
	  CASE(every_class_is_recorded_and_ignored), CASE(few_errors_of_a_class_are_said),
	  CASE(stop_ends_the_partition_then_the_machine), CASE(alone_a_stop_is_a_module_stop),
	  CASE(a_cold_restart_clears_memory), CASE(a_warm_restart_keeps_memory),
	  CASE(restarts_have_a_limit), CASE(a_module_reset_restarts_all),
	  CASE(a_module_reset_waits_for_a_restart), CASE(errors_of_the_module),
	  CASE(a_restart_waits_for_floating_vcores), CASE(errors_of_devices))
