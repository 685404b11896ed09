/* SPDX-License-Identifier: Apache-2.0 */
/* trace_test.c - a ring for each core: order, overwriting, nobody; and the lines that are printed.
 */
#include <stdarg.h>

#include "kernel/core/trace.h"
#include "tests/unit.h"

uint64_t direct_base;
struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions = 2, n_cores = 2;
struct core *cores[GW_MAX_VCORES];
static struct partition part[2] = { { .name = "first" }, { .name = "second", .number = 1 } };
static struct core core[2] = { { .id = 0 }, { .id = 1 } };
static struct gw_vcore area;
static struct vcore vcore = { .part = &part[1], .id = 5, .area = &area };
static struct gw_bundle bundle;
static struct gw_trace_record memory[8];
static uint64_t now = 100;
static char text[4096];
static size_t n_text;

uint64_t arch_now_ns(void)
{
	return now++;
}

void log_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	n_text += (size_t)vsnprintf(text + n_text, sizeof(text) - n_text, fmt, ap);
	va_end(ap);
}

TEST(off)
{
	CHECK_EQ(trace_bytes(&bundle), 0);
	trace(&core[0], GW_TRACE_SWITCH, &vcore, 0);
	trace_print();
	CHECK_EQ(n_text, 0);
	CHECK_EQ(now, 100);
}

TEST(rings)
{
	partitions[0] = &part[0], partitions[1] = &part[1];
	bundle.trace_records = 4;
	bundle.n_slots = 1;
	bundle.slots[0] = (struct gw_bundle_slot){ .core = 1, .partition = GW_WINDOW_POOL };
	CHECK_EQ(trace_bytes(&bundle), sizeof(memory));
	trace_init(&bundle, memory);
	for (uint32_t i = 0; i < 6; i++)
		trace(&core[0], GW_TRACE_INTERRUPT, &vcore, 0x30 + i);
	trace(&core[1], GW_TRACE_SWITCH, &core[1].idle, 0);
	trace(&core[1], GW_TRACE_GAP, NULL, 0);
	trace_print();
	CHECK_STR(text, "godwit: trace: partition 0 first\ngodwit: trace: partition 1 second\n"
			"godwit: trace: window 0 1 255\n"
			"godwit: trace: 0 102 4 1 5 32\ngodwit: trace: 0 103 4 1 5 33\n"
			"godwit: trace: 0 104 4 1 5 34\ngodwit: trace: 0 105 4 1 5 35\n"
			"godwit: trace: 1 106 1 255 0 0\ngodwit: trace: 1 107 3 255 0 0\n");
	CHECK_EQ(trace_records, 0); /* once */
}

UNIT_MAIN(CASE(off), CASE(rings))
