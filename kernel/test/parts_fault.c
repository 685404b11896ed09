/* SPDX-License-Identifier: Apache-2.0 */
/* parts_fault.c - an injector of errors of every class at random moments, which checks after each
 * that what its health table says was done, and an observer, whose view of time must not show them.
 * Which error comes when is a function of how often the partition has started: its memory may be
 * gone. */
#include "kernel/test/parts.h"

#define GOLDEN 0x9e3779b97f4a7c15ULL
#define SPIN_NS 40000u

/* The bundle's health tables: 0101040204020401 and 0204020402040102 (bundle.py health=). */
static const uint8_t tables[2][GW_HEALTH_CLASSES] = {
	{ GW_HEALTH_IGNORE, GW_HEALTH_IGNORE, GW_HEALTH_WARM_RESTART, GW_HEALTH_COLD_RESTART,
	  GW_HEALTH_WARM_RESTART, GW_HEALTH_COLD_RESTART, GW_HEALTH_WARM_RESTART,
	  GW_HEALTH_IGNORE },
	{ GW_HEALTH_COLD_RESTART, GW_HEALTH_WARM_RESTART, GW_HEALTH_COLD_RESTART,
	  GW_HEALTH_WARM_RESTART, GW_HEALTH_COLD_RESTART, GW_HEALTH_WARM_RESTART, GW_HEALTH_IGNORE,
	  GW_HEALTH_COLD_RESTART },
};
static const uint8_t *table;
static const struct gw_health_log *log;

static uint64_t hash(uint64_t a, uint64_t b)
{
	a = (a + b * GOLDEN) * 0xbf58476d1ce4e5b9ULL;
	return (a ^ a >> 29) * 0x94d049bb133111ebULL >> 7;
}

/* The class of the error that ends run number `run`: one that restarts. */
static uint32_t last_class(uint64_t run)
{
	uint64_t h = hash(run, 1);

	while (table[h % GW_HEALTH_CLASSES] == GW_HEALTH_IGNORE)
		h = h / 8 + 5;
	return h % GW_HEALTH_CLASSES;
}

static void spin(uint64_t ns)
{
	uint64_t until = now_ns() + ns;

	while (now_ns() < until)
		;
}

static void numeric(uint64_t kind)
{
	static const uint16_t unmasked = 0x340;

	if (kind % 3 == 0)
		__asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" : : : "eax", "ecx", "edx");
	else if (kind % 3 == 1)
		__asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\tfwait"
				 :
				 : "m"(unmasked));
}

static void illegal(uint64_t kind)
{
	if (kind % 4 == 0)
		__asm__ volatile("ud2");
	else if (kind % 4 == 1)
		__asm__ volatile("cli");
	else if (kind % 4 == 2)
		__asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
	else
		__asm__ volatile("movq %0, %%cr3" : : "r"(0ULL));
}

static void memory(uint64_t kind)
{
	if (kind % 4 == 0)
		__asm__ volatile("movb $1, 8" : : : "memory");
	else if (kind % 4 == 1)
		*(volatile uint8_t *)0xffff800000100000 = 1;
	else if (kind % 4 == 2)
		*(volatile uint8_t *)(uintptr_t)last_class = 1;
	else
		((void (*)(void))(uintptr_t)&must_be_seven)();
}

/* Make an error of the class. Returns only if it is ignored. */
static long error(uint32_t class, uint64_t kind)
{
	bool real = table[class] != GW_HEALTH_IGNORE; /* an ignored fault happens again for ever */

	if (real && class == GW_HEALTH_NUMERIC)
		numeric(kind);
	else if (real && class == GW_HEALTH_ILLEGAL)
		illegal(kind);
	else if (real && class == GW_HEALTH_MEMORY)
		memory(kind);
	if (class == GW_HEALTH_APPLICATION && kind % 2 == 0)
		return call(GW_CALL_HEALTH_RAISE, kind, class, 0, 0);
	return call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE(class, kind), class, 0, 0);
}

static const struct gw_health_record *last_record(void)
{
	return &log->records[(log->written - 1) % GW_HEALTH_RECORDS];
}

static uint64_t *frame(uint64_t i)
{
	return (uint64_t *)(GW_MEM_BASE + boot->extents[0].pa + i * GW_PAGE);
}

/* What the last run's end must have left. */
static void check_restart(void)
{
	uint32_t class = last_class(boot->restarts - 1);
	bool warm = table[class] == GW_HEALTH_WARM_RESTART;
	const struct gw_health_record *r = last_record();
	uint64_t left = warm ? boot->restarts : 0, n = 0;

	check(boot->start == GW_START_HM_PARTITION, "start condition", boot->start);
	check(((boot->flags & GW_BOOT_WARM) != 0) == warm, "warm", boot->flags);
	check(((boot->flags & GW_BOOT_MEM_ZEROED) != 0) == !warm, "zeroed", boot->flags);
	for (uint64_t i = 0; i < boot->extents[0].len / GW_PAGE; i++)
		n += frame(i)[0] != left || frame(i)[511] != left;
	check(n == 0, "memory", n);
	check(r->number == log->written, "record", r->number);
	check(r->class == class, "class", r->class);
	check(r->action == table[class], "action", r->action);
	check(r->partition == boot->partition && r->vcore == 0, "partition", r->partition);
	check(now_ns() - r->time_ns < 100000000, "time", r->time_ns);
}

static void ignored_errors(void)
{
	for (uint64_t i = hash(boot->restarts, 2) % 4; i > 0; i--) {
		uint64_t kind = hash(boot->restarts, 10 + i), written = log->written;
		uint32_t class = kind % GW_HEALTH_CLASSES;
		long rc;

		if (table[class] != GW_HEALTH_IGNORE)
			continue;
		spin(kind % SPIN_NS);
		rc = error(class, kind & 0xffff);
		check(rc == 0, "ignored", (uint64_t)rc);
		check(log->written == written + 1, "one record", log->written);
		check(last_record()->class == class, "its class", last_record()->class);
		check(last_record()->code == (kind & 0xffff), "its code", last_record()->code);
		check(last_record()->arg == class, "its argument", last_record()->arg);
		check(last_record()->action == GW_HEALTH_IGNORE, "its action",
		      last_record()->action);
	}
}

void inject(uint64_t faults)
{
	log = (const struct gw_health_log *)GW_HEALTH_LOG_VA;
	table = tables[config_number('t', 0) % 2];
	check(boot->health_len == sizeof(*log), "a health log", boot->health_len);
	check(must_be_zero == 0, "bss", must_be_zero);
	check(must_be_seven == 7, "data", must_be_seven);
	must_be_zero = 1, must_be_seven = 8;
	if (failed == 0 && boot->restarts != 0)
		check_restart();
	if (failed != 0 || faults == 0)
		end();
	if (log->written >= faults) {
		out("faults ");
		out_number(log->written);
		out(" restarts ");
		out_number(boot->restarts);
		out_flush();
		end();
	}
	for (uint64_t i = 0; i < boot->extents[0].len / GW_PAGE; i++)
		frame(i)[0] = frame(i)[511] = boot->restarts + 1;
	check(call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE(8, 1), 0, 0, 0) == -22, "no such class", 0);
	ignored_errors();
	if (failed != 0)
		end();
	spin(hash(boot->restarts, 3) % SPIN_NS);
	error(last_class(boot->restarts), hash(boot->restarts, 4) & 0xffff);
	check(0, "an error was passed over", boot->restarts);
	end();
}

/* Module reset, by an error of this partition (raise) or from outside, then restarts that the
 * partition itself asks for. */
void reset(bool raise)
{
	static const uint32_t starts[4] = { GW_START_NORMAL, GW_START_HM_MODULE, GW_START_PARTITION,
					    GW_START_PARTITION };
	uint64_t run = boot->restarts, end_ns = now_ns() + 20000000000ULL;
	bool warm = run == 2;

	check(must_be_zero == 0, "bss", must_be_zero);
	must_be_zero = 1;
	check(run < 4 && boot->start == starts[run], "start condition", boot->start);
	check(((boot->flags & GW_BOOT_WARM) != 0) == warm, "warm", boot->flags);
	check(frame(0)[0] == (warm ? 2 : 0), "memory", frame(0)[0]);
	frame(0)[0] = run + 1;
	if (failed != 0 || run >= 3)
		end();
	if (run == 0) {
		out("ready");
		out_flush();
		if (raise)
			call(GW_CALL_HEALTH_RAISE, GW_HEALTH_CODE(GW_HEALTH_POWER, 7), 0, 0, 0);
		while (now_ns() < end_ns)
			;
	} else {
		check(call(GW_CALL_PARTITION_RESTART, 2, 0, 0, 0) == -22, "no such restart", 0);
		call(GW_CALL_PARTITION_RESTART, run == 1, 0, 0, 0);
	}
	check(0, "goes on", run);
	end();
}

/* All that it sees of time goes into one number, and the kernel's view of its windows. */
void observe(uint64_t ms)
{
	uint64_t end_ns = now_ns() + ms * 1000000, seen = 0, turns = 0, gaps = 0, last = now_ns();
	const struct gw_status *s = (const struct gw_status *)GW_STATUS_VA;
	const struct gw_status_window *w = &s->windows[0];
	uint64_t late = 0;

	while (now_ns() < end_ns) {
		uint64_t now = now_ns();

		seen = hash(seen, now);
		gaps += now - last > 10000;
		last = now;
		if (turns++ % 64 == 0)
			call(GW_CALL_YIELD, 0, 0, 0, 0);
		if (turns % 1024 == 0)
			call(GW_CALL_TICK_SET, now + 3000, 0, 0, 0);
	}
	for (uint32_t i = 0; i < GW_STATUS_BUCKETS; i++)
		late = hash(late, w->late[i]);
	check(gaps > 5, "was never preempted", gaps);
	check(w->missed == 0, "windows missed", w->missed);
	out("saw ");
	out_number(seen);
	out(" in ");
	out_number(turns);
	out(" turns, ");
	out_number(w->starts);
	out(" starts, latest ");
	out_number(w->late_max);
	out(", histogram ");
	out_number(late);
	out_flush();
}
