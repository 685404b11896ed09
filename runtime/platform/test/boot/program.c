/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - the program of the runtime's boot test: runs in ring 3 on the test personality and
 * checks what the runtime promises programs. Linked flat at T_CODE; its writable memory is demand
 * zero at T_HEAP. Free to use SSE. */
#include <stdint.h>
#include "runtime/platform/test/boot/calls.h"

#define EFAULT 14
#define ENAMETOOLONG 36
#define ETIMEDOUT 110
#define ENOSYS 38

static long call3(long nr, uint64_t a, uint64_t b, uint64_t c)
{
	long r;

	__asm__ volatile("syscall"
			 : "=a"(r)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return r;
}
#define call(nr, a, b) call3((nr), (uint64_t)(a), (uint64_t)(b), 0)

static uint64_t ticks(void)
{
	return __builtin_ia32_rdtsc();
}

struct shared { /* at T_HEAP, zero at first */
	_Atomic uint64_t flag, count, turn, failures, spins[4];
	uint64_t main_thread;
	_Atomic uint64_t peer;
};
#define S ((struct shared *)T_HEAP)

static void check(int ok, const char *what)
{
	if (!ok) {
		S->failures++;
		call(T_REPORT, what, -1);
	}
}

/* ---- registers over a system call ---- */
static void test_registers(void)
{
	uint64_t bad;

	__asm__ volatile(
		"movq $0x11, %%rbx; movq $0x12, %%rdx; movq $0x13, %%rsi; movq $0x14, %%rdi\n"
		"movq $0x15, %%r8; movq $0x16, %%r9; movq $0x17, %%r10; movq $0x18, %%r12\n"
		"movq $0x19, %%r13; movq $0x1a, %%r14; movq $0x1b, %%r15; xorl %%eax, %%eax\n"
		"movq %%rsp, %%xmm7; std; stc; syscall; setnc %%cl; cld; movzbl %%cl, %%ecx\n"
		"subq $0x15, %%rax; orq %%rax, %%rcx; subq $0x11, %%rbx; orq %%rbx, %%rcx\n"
		"subq $0x12, %%rdx; orq %%rdx, %%rcx; subq $0x13, %%rsi; orq %%rsi, %%rcx\n"
		"subq $0x14, %%rdi; orq %%rdi, %%rcx; subq $0x15, %%r8; orq %%r8, %%rcx\n"
		"subq $0x16, %%r9; orq %%r9, %%rcx; subq $0x17, %%r10; orq %%r10, %%rcx\n"
		"subq $0x18, %%r12; orq %%r12, %%rcx; subq $0x19, %%r13; orq %%r13, %%rcx\n"
		"subq $0x1a, %%r14; orq %%r14, %%rcx; subq $0x1b, %%r15; orq %%r15, %%rcx\n"
		"movq %%xmm7, %%rax; subq %%rsp, %%rax; orq %%rax, %%rcx\n"
		: "=c"(bad)
		:
		: "rax", "rbx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		  "r15", "xmm7", "memory", "cc");
	check(bad == 0, "registers over a system call");
	check(call(9999, 0, 0) == -ENOSYS, "unknown call");
}

/* ---- memory ---- */
static void test_memory(void)
{
	volatile uint64_t *p = (uint64_t *)(T_HEAP + 0x100000);
	uint64_t va = T_HEAP + 0x200000, before = (uint64_t)call(T_STAT, S_FREE_PAGES, 0);
	long pages;

	check(p[0] == 0 && p[512] == 0, "demand zero");
	p[0] = 7;
	check(p[0] == 7, "demand zero store");
	check(call(T_COPY_IN, va + 4090, 100) == 0, "copy in over demand-zero pages");
	check(call(T_COPY_OUT, va + 0x3000 - 50, 256) == 0, "copy out over demand-zero pages");
	for (int i = 0; i < 256; i++)
		check(((uint8_t *)va)[0x3000 - 50 + i] == i, "copied bytes");
	for (uint64_t n = 0; n < 140; n++) {
		uint8_t *q = (uint8_t *)va + 0x4000;

		q[n] = 0x5a;
		check(call(T_COPY_OUT, q, n) == 0, "copy of each length");
		for (uint64_t i = 0; i < n; i++)
			check(q[i] == i, "bytes of each length");
		check(q[n] == 0x5a, "byte after each length");
	}
	for (uint64_t n = 1; n < 20; n++) {
		check(call(T_COPY_IN, 0x3ffff8 - n, n) == -EFAULT, "EFAULT below the program");
		check(call(T_COPY_OUT, T_CODE + n, n) == -EFAULT, "EFAULT on code");
	}
	check(call(T_COPY_IN, T_END - 10, 100) == -EFAULT, "EFAULT at the end");
	check(call(T_COPY_IN, T_END - 100, 100) == 0, "just below the end");
	check(call(T_COPY_IN, 0x700000000000ul, 8) == -EFAULT,
	      "runtime memory is no program memory");
	check(call(T_COPY_IN, ~0ul - 3, 8) == -EFAULT, "a range that wraps");
	check(call(T_COPY_IN, 0x8000000000000000ul, 8) == -EFAULT, "a non-canonical address");
	for (uint64_t n = 0; n < 20; n++)
		check(call(T_PARTIAL_IN, T_END - n, 64) == (long)n, "bytes before a fault");
	check(call(T_PARTIAL_IN, va + 0x4000, 64) == 64, "no fault");
	check(call(T_STRING, "hello", 64) == 5, "string");
	check(call(T_STRING, "hello", 5) == -ENAMETOOLONG, "string too long");
	check(call(T_STRING, 16, 5) == -EFAULT, "string EFAULT");
	check(call3(T_CMPXCHG, va + 0x4000, 0x03020100, 9) == 0x03020100 &&
		      *(uint32_t *)(va + 0x4000) == 9,
	      "cmpxchg");
	check(call3(T_CMPXCHG, 8, 1, 9) == -EFAULT, "cmpxchg EFAULT");
	p[0] = 7;
	pages = call(T_UNMAP, T_HEAP + 0x100000, 0x200000);
	check(pages == 2 + 5, "pages unmapped");
	check(call(T_STAT, S_FREE_PAGES, 0) + 1 >= (long)before, "frames given back");
	check(p[0] == 0, "zero again");
}

static void test_faults(void)
{
	uint64_t va;

	__asm__ volatile("leaq 1f(%%rip), %%rdi; movl %1, %%eax; syscall; movq $0x2000, %%rdx; "
			 "movq (%%rdx), %%rax\n"
			 "1:\n"
			 : "=a"(va)
			 : "i"(T_ON_FAULT)
			 : "rcx", "r11", "rdi", "rdx", "memory");
	check(va == 0x2000, "an unresolved fault");
	__asm__ volatile("leaq 1f(%%rip), %%rdi; movl %1, %%eax; syscall; ud2\n1:\n"
			 : "=a"(va)
			 : "i"(T_ON_FAULT)
			 : "rcx", "r11", "rdi", "memory");
}

/* Single-stepping over a system call: the step ends after it, and the runtime is not stepped. */
static void test_step(void)
{
	uint64_t rdi = 41, rax;

	__asm__ volatile("leaq 1f(%%rip), %%rdi; movl %2, %%eax; syscall; movl $41, %%edi; xorl "
			 "%%eax, %%eax\n"
			 "pushfq; orq $0x100, (%%rsp); popfq; syscall; ud2\n"
			 "1: pushfq; andq $~0x100, (%%rsp); popfq\n"
			 : "=&a"(rax), "=&D"(rdi)
			 : "i"(T_ON_FAULT)
			 : "rcx", "r11", "memory", "cc");
	check(rdi == 41, "a step over a system call");
}

/* ---- threads ---- */
static void spin_peer(uint64_t arg)
{
	S->flag = arg;
	call(T_EXIT, 0, 0);
}

static void test_preemption(void)
{
	uint64_t before = (uint64_t)call(T_STAT, S_PREEMPTIONS, 0), x = 0x1234567, y;

	S->flag = 0;
	call3(T_SPAWN, (uint64_t)spin_peer, 5, 0);
	__asm__ volatile("movq %0, %%xmm5" : : "r"(x) : "xmm5");
	while (S->flag != 5) /* never enters the kernel */
		;
	__asm__ volatile("movq %%xmm5, %0" : "=r"(y) : : "xmm5");
	check(x == y, "xmm over preemption");
	if (call(T_SHARDS, 0, 0) == 1) /* else the idle shard may have taken the peer */
		check((uint64_t)call(T_STAT, S_PREEMPTIONS, 0) > before, "preempted by a tick");
}

/* Each side keeps its own values in extended registers over every switch. */
static uint64_t fpu_round(uint64_t seed, uint64_t peer)
{
	uint64_t bad = 0, tmp = seed;
	long r;

	__asm__ volatile(
		"movq %[t], %%xmm0; movq %[t], %%xmm15; pushq %[t]; fildll (%%rsp); popq %[t]\n"
		"movl %[wake], %%eax; movq %[peer], %%rdi; syscall\n"
		"movl %[park], %%eax; movq $-1, %%rdi; syscall\n"
		"movq %%xmm0, %[t]; subq %[seed], %[t]; orq %[t], %[bad]\n"
		"movq %%xmm15, %[t]; subq %[seed], %[t]; orq %[t], %[bad]\n"
		"pushq $0; fistpll (%%rsp); popq %[t]; subq %[seed], %[t]; orq %[t], %[bad]\n"
		: [t] "+&r"(tmp), [bad] "+&r"(bad), "=&a"(r)
		: [seed] "r"(seed), [peer] "r"(peer), [wake] "i"(T_WAKE), [park] "i"(T_PARK)
		: "rcx", "r11", "rdi", "xmm0", "xmm15", "memory", "cc");
	return bad;
}

/* Strictly in turns, so that a lost wake stops both for ever. Wakes do not count, hence S->turn. */
static uint64_t rounds_of(uint64_t rounds, uint64_t seed, uint64_t me, uint64_t peer,
			  uint64_t fs_base)
{
	uint64_t bad = 0, fs;

	__asm__ volatile("wrfsbase %0" : : "r"(fs_base));
	for (uint64_t i = 0; i < rounds; i++) {
		S->turn = peer;
		bad |= fpu_round(seed + i, peer);
		while (S->turn != me)
			call(T_PARK, ~0ul, 0);
		__asm__ volatile("rdfsbase %0" : "=r"(fs));
		bad |= fs ^ fs_base;
	}
	return bad;
}

static void ping_peer(uint64_t rounds)
{
	while (!S->peer || S->turn != S->peer)
		call(T_PARK, ~0ul, 0);
	check(rounds_of(rounds, 0x5555000, S->peer, S->main_thread, 0x7777000) == 0,
	      "peer's extended state");
	S->flag = 1;
	call(T_WAKE, S->main_thread, 0);
	call(T_EXIT, 0, 0);
}

static void test_ping_pong(uint64_t rounds, uint64_t shard, const char *name)
{
	uint64_t start = ticks();

	S->flag = S->peer = 0;
	S->turn = S->main_thread;
	S->peer = (uint64_t)call3(T_SPAWN, (uint64_t)ping_peer, rounds, shard);
	check(rounds_of(rounds, 0x3333000, S->main_thread, S->peer, 0x1111000) == 0,
	      "main's extended state");
	S->turn = S->peer; /* its last wait */
	call(T_WAKE, S->peer, 0);
	while (!S->flag)
		call(T_PARK, ~0ul, 0);
	call(T_REPORT, name, (ticks() - start) / rounds);
}

static void test_sleep(void)
{
	check(call(T_PARK, 1, 0) == -ETIMEDOUT, "a deadline in the past");
	call(T_WAKE, S->main_thread, 0);
	check(call(T_PARK, ~0ul, 0) == 0, "a wake before the park");
	for (int i = 0; i < 20; i++)
		call(T_YIELD, 0, 0);
}

/* ---- more than one vcore ---- */
static _Noreturn void kicked(void)
{
	S->flag = 2;
	call(T_EXIT, 0, 0);
	__builtin_unreachable();
}

static void spin_forever(uint64_t arg)
{
	(void)arg;
	call(T_ON_KICK, (uint64_t)kicked, 0);
	S->flag = 1;
	for (;;)
		;
}

static void burn(uint64_t slot)
{
	while (S->flag != 9)
		S->spins[slot]++;
	S->count++;
	call(T_EXIT, 0, 0);
}

static void test_shards(void)
{
	uint64_t n = (uint64_t)call(T_SHARDS, 0, 0), victim;

	if (n < 2)
		return;
	check(call(T_CALLS, 2000, 0) == (long)(2000 * n), "shard calls");
	S->flag = 0;
	victim = (uint64_t)call3(T_SPAWN, (uint64_t)spin_forever, 0, 1);
	while (S->flag != 1)
		;
	call(T_KICK, victim, 0);
	while (S->flag != 2)
		;
	/* Four burning threads put on one shard: the other one takes some. */
	S->flag = S->count = 0;
	for (uint64_t i = 0; i < 4; i++)
		call3(T_SPAWN, (uint64_t)burn, i, 1);
	while (!S->spins[0] || !S->spins[1] || !S->spins[2] || !S->spins[3])
		call(T_PARK, 1, 0);
	S->flag = 9;
	while (S->count != 4)
		call(T_PARK, 1, 0);
	check(call(T_STAT, S_STEALS, 0) > 0, "an idle shard took a thread");
	test_ping_pong(100000, 1, "cross-shard ping-pong, ticks a round");
}

/* ---- costs: with -icount shift=0 a tick is an instruction ---- */
static void measure(int n)
{
	volatile uint8_t *p = (uint8_t *)T_HEAP + 0x400000;
	uint64_t start = ticks(), least = ~0ul;

	for (int i = 0; i < 2 * n; i++) {
		uint64_t t = ticks(), d;

		call(T_NULL, 0, 0);
		d = ticks() - t;
		least = d < least ? d : least;
	}
	call(T_REPORT, "null system call, ticks", least);
	start = ticks();
	for (int i = 0; i < n; i++)
		p[i * 4096] = 1;
	call(T_REPORT, "page fault, ticks", (ticks() - start) / (uint64_t)n);
	start = ticks();
	for (int i = 0; i < n; i++) {
		call(T_WAKE, S->main_thread, 0);
		call(T_PARK, ~0ul, 0);
	}
	call(T_REPORT, "wake of oneself and park, ticks", (ticks() - start) / (uint64_t)n);
	start = ticks();
	for (int i = 0; i < n; i++)
		call(T_PARK, 1, 0);
	call(T_REPORT, "park through the loop, a timer due, ticks",
	     (ticks() - start) / (uint64_t)n);
}

__attribute__((section(".text.start"), force_align_arg_pointer)) void _start(uint64_t arg);
void _start(uint64_t arg)
{
	S->main_thread = 0;
	if (arg) { /* test=cost */
		measure(20);
		call(T_SHUTDOWN, 42, 0);
	}
	test_registers();
	test_memory();
	test_faults();
	test_step();
	test_preemption();
	test_sleep();
	test_ping_pong(1000, 0, "ping-pong on one shard, ticks a round");
	measure(1000);
	test_shards();
	call(T_REPORT, "failures", S->failures);
	call(T_SHUTDOWN, S->failures ? 1 : 42, 0);
	for (;;)
		;
}
