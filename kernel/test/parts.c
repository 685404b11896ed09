/* SPDX-License-Identifier: Apache-2.0 */
/* parts.c - the program of the tests with several partitions. The first letter of its configuration
 * says what it does: v (a victim that keeps its window and watches itself), h (a hostile one: calls
 * with random arguments, faults, errors, spinning, a restart after each), f (faults), r and q
 * (module resets), o (observes time), z (fuzzes the kernel's calls), m (measures paths), y
 * (yields), w (waits for ticks), s (spins), p and c (send and receive by ports), b, l and a
 * (elastic.c), x and d (attack by DMA, and its victim), e (ends). Prints `N passed, N failed` for
 * itself.
 */
#include "kernel/test/parts.h"

#define LATE_MAX_NS 2000u
#define HOSTILE_CALLS 100000u

void parts_main(const struct gw_boot_info *info, uint64_t vcore);
uint32_t failed;
volatile uint64_t must_be_zero, must_be_seven = 7;
static uint32_t passed;

__asm__(".text\n"
	".globl parts_entry\n"
	"parts_entry:\n"
	"	leaq stack_top(%rip), %rsp\n"
	"	call parts_main\n"
	"	ud2\n"
	".globl ignore_syscall\n"
	"ignore_syscall:\n" /* a reflected syscall: back behind it */
	"	movl $0, %gs:8\n"
	"	jmpq *%gs:0x10\n"
	".globl ignore_upcall\n"
	"ignore_upcall:\n" /* an event: clear it, go on */
	"	leaq upcall_top(%rip), %rsp\n"
	"	movq $0, %gs:0\n"
	"	movq $0x800000000000000b, %rax\n"
	"	syscall\n"
	"	ud2\n"
	".bss\n"
	".balign 16\n"
	".skip 8192\n"
	"stack_top:\n"
	".skip 4096\n"
	"upcall_top:\n"
	".text\n");

void check(int ok, const char *text, uint64_t got)
{
	passed += ok != 0;
	failed += ok == 0;
	if (ok)
		return;
	out("failed: ");
	out(text);
	out(", got ");
	out_number(got);
	out_flush();
}

void end(void)
{
	out_number(passed);
	out(" passed, ");
	out_number(failed);
	out(" failed");
	out_flush();
	for (;;)
		call(GW_CALL_SHUTDOWN, failed != 0, 0, 0, 0);
}

uint64_t config_number(char key, uint64_t value)
{
	const char *s = (const char *)GW_CONFIG_VA;

	for (uint64_t i = 0; i < boot->config_len; i++) {
		if (s[i] != key)
			continue;
		for (value = 0, i++; i < boot->config_len && s[i] >= '0' && s[i] <= '9'; i++)
			value = value * 10 + (uint64_t)(s[i] - '0');
	}
	return value;
}

/* Registers that the kernel must keep while others run: SSE and FS base. */
static void registers_set(uint64_t value)
{
	__asm__ volatile("movq %0, %%xmm5\n\tmovq %0, %%xmm15\n\twrfsbase %0" : : "r"(value));
}

static int registers_kept(uint64_t value)
{
	uint64_t a, b, c;

	__asm__ volatile("movq %%xmm5, %0\n\tmovq %%xmm15, %1\n\trdfsbase %2"
			 : "=r"(a), "=r"(b), "=r"(c));
	return a == value && b == value && c == value;
}

static void check_windows(const struct gw_status *s)
{
	check(boot->status_len >= sizeof(*s), "a status page", boot->status_len);
	check(s->magic == GW_STATUS_MAGIC, "its magic", s->magic);
	for (uint32_t i = 0; i < s->n_windows; i++) {
		const struct gw_status_window *w = &s->windows[i];
		uint64_t sum = 0;

		for (uint32_t k = 0; k < GW_STATUS_BUCKETS; k++)
			sum += w->late[k];
		check(w->starts > 10, "window starts", w->starts);
		if (w->partition == GW_WINDOW_POOL || config_number('l', 0) == 0)
			continue; /* the host's time, and updates meanwhile */
		check(w->missed == 0, "windows missed", w->missed);
		check(sum == w->starts, "the histogram's sum", sum);
		check(w->late_max < LATE_MAX_NS, "lateness", w->late_max);
	}
}

/* A pattern in all of the memory that no neighbour may change, looked at all the time. */
static void victim(uint64_t ms)
{
	uint64_t end_ns = now_ns() + ms * 1000000, last = now_ns(), turns = 0, gaps = 0, bad = 0;
	uint64_t *memory = (uint64_t *)(GW_MEM_BASE + boot->extents[0].pa);
	uint64_t words = boot->extents[0].len / 8, at = 0;

	for (uint64_t i = 0; i < words; i += 64)
		memory[i] = i;
	registers_set(0x5a5a1234);
	while (now_ns() < end_ns) {
		uint64_t now = now_ns();

		gaps += now - last > 20000;
		last = now;
		bad += memory[at] != at;
		bad += !registers_kept(0x5a5a1234);
		at = at + 64 < words ? at + 64 : 0;
		turns++;
		__builtin_ia32_pause(); /* with -icount the other core's turn */
	}
	check(bad == 0, "memory or registers changed", bad);
	check(turns > 100, "turns", turns);
	check(gaps > 5, "was never preempted", gaps);
	if (boot->status_len != 0)
		check_windows((const struct gw_status *)GW_STATUS_VA);
}

static void hostile(void)
{
	uint64_t end_ns = now_ns() + 20000000;
	const uint64_t *memory = (const uint64_t *)(GW_MEM_BASE + boot->extents[0].pa);

	/* A restart begins with memory, data and bss as they were at first. */
	check(must_be_zero == 0, "bss", must_be_zero);
	check(must_be_seven == 7, "data", must_be_seven);
	for (uint64_t i = 0; boot->restarts != 0 && i < boot->extents[0].len / 8; i += 512)
		if (memory[i] != 0)
			check(0, "memory", i);
	must_be_zero = 1, must_be_seven = 8;
	for (uint64_t i = 0; i < boot->extents[0].len / 8; i += 512)
		*(volatile uint64_t *)&memory[i] = i + 1;
	if (failed)
		end();
	if (boot->restarts == 0) {
		fuzz(HOSTILE_CALLS, false);
		__asm__ volatile("movq $1, %%gs:0x18" : : : "memory");
		call(GW_CALL_HEALTH_RAISE, 1, 2, 0, 0);
	} else if (boot->restarts < 6) {
		__asm__ volatile("movl $1, 8" : : : "memory"); /* no upcall entry is set */
	} else if (boot->restarts == 6) {
		__asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
	} else {
		while (now_ns() < end_ns)
			;
	}
	check(boot->restarts == 7, "restarts", boot->restarts);
	end();
}

static void waiter(uint64_t ms)
{
	uint64_t end_ns = now_ns() + ms * 1000000, late = 0, n = 0;

	while (now_ns() < end_ns) {
		uint64_t at = now_ns() + 100000;

		call(GW_CALL_WAIT, at, 0, 0, 0);
		check(area(0)->pending == 1ULL << GW_EVENT_TICK, "a tick", area(0)->pending);
		area(0)->pending = 0;
		late = now_ns() - at > late ? now_ns() - at : late;
		n++;
	}
	check(n > 2, "waits", n);
}

/* Port 0 is sampling, port 1 queuing, both from the producer to the consumer. */
#define MESSAGES 2000u

static void producer(void)
{
	for (uint64_t i = 1; i <= MESSAGES; i++) {
		uint64_t len = 8 + i % 93;
		long rc;

		for (uint64_t k = 0; k < len; k += 8)
			*(uint64_t *)&area(0)->batch.bytes[k] = i;
		check(call(GW_CALL_PORT_WRITE, 0, len, 0, 0) == 0, "sampling write", i);
		while ((rc = call(GW_CALL_PORT_WRITE, 1, len, 0, 0)) == -11) {
			call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
			area(0)->pending = 0;
		}
		check(rc == 0, "queuing write", i);
	}
	check(call(GW_CALL_PORT_READ, 1, 0, 0, 0) == -1, "the other end", 0);
	check(call(GW_CALL_PORT_WRITE, 1, 101, 0, 0) == -22, "a long message", 0);
	check(call(GW_CALL_PORT_WRITE, 2, 8, 0, 0) == -22, "no such port", 0);
}

static void consumer(void)
{
	uint64_t sampled = 0;

	for (uint64_t i = 1; i <= MESSAGES; i++) {
		long len;
		uint64_t now;

		while ((len = call(GW_CALL_PORT_READ, 1, 0, 0, 0)) == -11) {
			call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
			area(0)->pending = 0;
		}
		check(len == (long)(8 + i % 93), "length", (uint64_t)len);
		check(*(uint64_t *)area(0)->batch.bytes == i, "order",
		      *(uint64_t *)area(0)->batch.bytes);
		len = call(GW_CALL_PORT_READ, 0, 0, 0, 0);
		now = *(uint64_t *)area(0)->batch.bytes;
		check(len == (long)(8 + now % 93), "a whole sample", (uint64_t)len);
		check(now >= i && now >= sampled, "samples in order", now);
		sampled = now;
	}
	check(call(GW_CALL_PORT_STATUS, 1, 0, 0, 0) == 0, "all was read", 0);
	check(call(GW_CALL_PORT_WRITE, 0, 8, 0, 0) == -1, "the other end", 0);
}

void parts_main(const struct gw_boot_info *info, uint64_t vcore)
{
	const char *config = (const char *)GW_CONFIG_VA;

	(void)vcore;
	boot = info;
	if (config[0] == 'v')
		victim(config_number('m', 100));
	else if (config[0] == 'h')
		hostile();
	else if (config[0] == 'f')
		inject(config_number('n', 0));
	else if (config[0] == 'r' || config[0] == 'q')
		reset(config[0] == 'r');
	else if (config[0] == 'o')
		observe(config_number('m', 20));
	else if (config[0] == 'm')
		measure();
	else if (config[0] == 'y')
		for (uint64_t e = now_ns() + config_number('m', 20) * 1000000; now_ns() < e;)
			call(GW_CALL_YIELD, 0, 0, 0, 0);
	else if (config[0] == 'z')
		fuzz(config_number('n', 1000000), true);
	else if (config[0] == 'w')
		waiter(config_number('m', 20));
	else if (config[0] == 'p')
		producer();
	else if (config[0] == 'c')
		consumer();
	else if (config[0] == 'x')
		dma_attack(config_number('n', 0));
	else if (config[0] == 'd')
		dma_victim(config_number('m', 100));
	else if (config[0] == 'b')
		elastic_batch();
	else if (config[0] == 'l')
		elastic_latency();
	else if (config[0] == 'k')
		elastic_kicked();
	else if (config[0] == 'a')
		elastic_helped();
	else if (config[0] == 's')
		for (uint64_t e = now_ns() + config_number('m', 20) * 1000000; now_ns() < e;)
			;
	end();
}
