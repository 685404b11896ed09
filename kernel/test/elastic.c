/* SPDX-License-Identifier: Apache-2.0 */
/* elastic.c - the programs of the tests of the elastic pool: a batch partition that spins on all
 * its vcores, a latency partition that wakes up often and measures how late, one whose second vcore
 * is got up often, and one that asks for help by what it publishes. Figures go out as `name value`
 * for tests/bench. */
#include "kernel/test/parts.h"

#define VCORES 8u
#define STACK 4096u
#define WORK_NS 20000u
#define PAUSE_NS 80000u
#define SAMPLES 4096u

static uint8_t stacks[VCORES][STACK] __attribute__((aligned(16)));
static volatile uint64_t work[VCORES][8]; /* turns of each vcore, a cache line each */
static volatile uint64_t end_ns, helped_ns, bad;
static uint32_t lateness[SAMPLES];

__asm__(".text\n"
	".globl elastic_second\n"
	"elastic_second:\n" /* rdi: the top of a stack, whose last word is the vcore's number */
	"	movq %rdi, %rsp\n"
	"	movq (%rsp), %rdi\n"
	"	movq 8(%rsp), %rax\n"
	"	call *%rax\n"
	"	ud2\n");
void elastic_second(void);

static void start(uint32_t i, void (*run)(uint64_t))
{
	uint64_t *top = (uint64_t *)(void *)&stacks[i][STACK - 16];

	top[0] = i;
	top[1] = (uint64_t)run;
	check(call(GW_CALL_VCORE_START, i, (uint64_t)elastic_second, (uint64_t)top, 0) == 0,
	      "vcore_start", i);
}

static void figure(const char *name, uint64_t value)
{
	out(name);
	out(" ");
	out_number(value);
	out_flush();
}

/* The kernel's own record of what happened to this partition. */
static const struct gw_status_partition *numbers(void)
{
	return &((const struct gw_status *)GW_STATUS_VA)->partitions[boot->partition];
}

/* ---- b: turns as fast as it can, and registers that must be its own ---- */

static void spin(uint64_t vcore)
{
	uint64_t mark = 0x1234567800000000ULL + vcore, kept;

	__asm__ volatile("movq %0, %%xmm7\n\twrfsbase %0" : : "r"(mark));
	while (now_ns() < end_ns) {
		for (uint32_t k = 0; k < 50; k++)
			__asm__ volatile("" : : : "memory");
		__builtin_ia32_pause();
		__asm__ volatile("movq %%xmm7, %0" : "=r"(kept));
		bad += kept != mark;
		__asm__ volatile("rdfsbase %0" : "=r"(kept));
		bad += kept != mark;
		work[vcore][0]++;
	}
}

static void spin_second(uint64_t vcore)
{
	spin(vcore);
	for (;;)
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
}

void elastic_batch(void)
{
	uint64_t sum = 0, least = ~0ULL, part = config_number('s', 8);

	end_ns = now_ns() + config_number('m', 20) * 1000000;
	for (uint32_t i = 1; i < boot->vcores; i++)
		start(i, spin_second);
	spin(0);
	for (uint32_t i = 0; i < boot->vcores; i++) {
		sum += work[i][0];
		least = work[i][0] < least ? work[i][0] : least;
	}
	check(bad == 0, "registers changed", bad);
	/* All its vcores ran, in turn when there were fewer cores than those. */
	check(least > sum / boot->vcores / part, "a vcore starved", least);
	check(numbers()->cores_max != 0, "elastic", numbers()->cores_max);
	figure("turns", sum);
	figure("revokes", numbers()->revokes);
}

/* ---- l: a tick, some work, a pause ---- */

static uint64_t quantile(uint32_t n, uint32_t per_mille)
{
	for (uint32_t i = 1; i < n; i++)
		for (uint32_t k = i; k > 0 && lateness[k] < lateness[k - 1]; k--) {
			uint32_t swap = lateness[k];

			lateness[k] = lateness[k - 1];
			lateness[k - 1] = swap;
		}
	return lateness[(n - 1) * per_mille / 1000];
}

void elastic_latency(void)
{
	uint64_t until = now_ns() + config_number('m', 20) * 1000000;
	uint64_t limit = config_number('d', 0), pause = config_number('p', PAUSE_NS);
	uint64_t n = 0, grants = numbers()->grants;

	while (now_ns() < until && n < SAMPLES) {
		uint64_t at = now_ns() + pause, done;

		call(GW_CALL_WAIT, at, 0, 0, 0);
		while (!(area(0)->pending & 1ULL << GW_EVENT_TICK)) { /* a port, perhaps */
			area(0)->pending = 0;
			call(GW_CALL_WAIT, at, 0, 0, 0);
		}
		area(0)->pending = 0;
		lateness[n++] = (uint32_t)(now_ns() - at);
		for (done = now_ns() + WORK_NS; now_ns() < done;)
			__builtin_ia32_pause();
	}
	check(n > 20, "samples", n);
	check(limit == 0 || numbers()->grants - grants > n / 2, "grants", numbers()->grants);
	check(limit == 0 || quantile((uint32_t)n, 990) < limit, "lateness at p99",
	      quantile((uint32_t)n, 990));
	check(limit == 0 || numbers()->move_max < limit, "reallocation", numbers()->move_max);
	figure("samples", n);
	figure("late_p50", quantile((uint32_t)n, 500));
	figure("late_p99", quantile((uint32_t)n, 990));
	figure("late_max", lateness[n - 1]);
	figure("move_max", numbers()->move_max);
	figure("move_mean", numbers()->move_sum / (numbers()->grants + (numbers()->grants == 0)));
	figure("grants", numbers()->grants);
}

/* ---- vcore 1 of those that follow, and time that passes ---- */

static void helper(uint64_t vcore)
{
	for (;;) {
		if (area((uint32_t)vcore)->pending != 0 && helped_ns == 0)
			helped_ns = now_ns();
		area((uint32_t)vcore)->pending = 0;
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
	}
}

static uint64_t wait_ns(uint64_t ns)
{
	uint64_t from = now_ns();

	while (now_ns() - from < ns)
		__builtin_ia32_pause();
	return from;
}

/* ---- k: vcore 0 gets up vcore 1, whose core another program has: it is taken by an interrupt ----
 */

void elastic_kicked(void)
{
	uint64_t until = now_ns() + config_number('m', 20) * 1000000, n = 0;

	start(1, helper);
	while (now_ns() < until) {
		wait_ns(30000 + n % 7 * 3000);
		helped_ns = 0;
		call(GW_CALL_NOTIFY, 1, 0, 0, 0);
		wait_ns(10000);
		check(helped_ns != 0, "the other core within 10 us", n++);
	}
	figure("kicks", n);
	figure("move_max", numbers()->move_max);
	figure("move_mean", numbers()->move_sum / (numbers()->grants + (numbers()->grants == 0)));
}

/* ---- a: vcore 0 says that its work waits too long; vcore 1 must be got up, to help ---- */

void elastic_helped(void)
{
	uint64_t limit = config_number('d', 0), worst = 0, asked;

	start(1, helper);
	for (uint32_t i = 0; i < 50; i++) {
		helped_ns = 0;
		wait_ns(50000);
		check(i == 0 || helped_ns == 0, "help that nobody asked for", i);
		helped_ns = 0;
		area(0)->ready_ns = asked = now_ns();
		wait_ns(100000);
		area(0)->ready_ns = 0;
		check(helped_ns > asked, "help", i);
		worst = helped_ns - asked > worst ? helped_ns - asked : worst;
	}
	check(limit == 0 || worst < limit, "help came late", worst);
	figure("help_max", worst);
	/* A hostile runtime publishes nonsense: it has what it may have, and no more. */
	area(0)->ready_ns = 1;
	area(0)->packets_come = area(0)->packets_seen = ~1ULL;
	wait_ns(200000);
	check(numbers()->cores <= numbers()->cores_max, "cores", numbers()->cores);
}
