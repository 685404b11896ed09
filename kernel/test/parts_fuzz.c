/* SPDX-License-Identifier: Apache-2.0 */
/* parts_fuzz.c - the whole kernel interface with random arguments, some of them nearly right.
 * Nothing but an error code may come of it for the caller, in registers that are otherwise as they
 * were. With `all`, calls that may end in an error of the partition are made, too: its health table
 * must be of warm restarts only, and the count goes on in the memory that these keep. The
 * partition's other vcores do the same as soon as a random call has started them, and
 * scribble over the arguments of the first. */
#include "kernel/test/parts.h"

#define STACK_BYTES 4096u
#define MAX_VCORES 4u
#define MAX_ERRNO 40

/* In the partition's first frame. */
static struct fuzz_state {
	uint64_t calls;
	uint64_t seeds[MAX_VCORES];
	uint64_t by_number[GW_CALL_COUNT + 3], by_error[MAX_ERRNO];
} * state;
static uint64_t limit;
static uint8_t stacks[MAX_VCORES][STACK_BYTES] __attribute__((aligned(16)));

/* fuzz_resume: context_resume with whatever lies in the area's frame; comes back when that is
 * refused, faults, or lands at fuzz_landing. */
long fuzz_resume(void);
void fuzz_landing(void);
void fuzz_start(void);
void fuzz_upcall(void);
void fuzz_second(uint64_t id) __attribute__((noreturn, used));
__asm__(".text\n"
	"fuzz_resume:\n"
	"	pushq %rbx\n	pushq %rbp\n	pushq %r12\n	pushq %r13\n"
	"	pushq %r14\n	pushq %r15\n"
	"	movq %rsp, %gs:0x200\n"
	"	movq $0x800000000000000b, %rax\n"
	"	syscall\n"
	"	jmp fuzz_back\n"
	"fuzz_landing:\n"
	"	movl $1, %gs:8\n"
	"	xorl %eax, %eax\n"
	"fuzz_back:\n"
	"	movq %gs:0x200, %rsp\n"
	"	cld\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n"
	"	popq %rbp\n	popq %rbx\n"
	"	ret\n"
	/* An event goes on with the frame; a fault ends fuzz_resume: there are no others. */
	"fuzz_upcall:\n"
	"	movl $1, %eax\n"
	"	cmpl $1, %gs:0xc\n"
	"	je fuzz_back\n"
	"	movq $0, %gs:0\n"
	"	movq $0x800000000000000b, %rax\n"
	"	syscall\n"
	"	jmp fuzz_back\n"
	/* Where other vcores start: rdi is anything. */
	"fuzz_start:\n"
	"	movq %gs:0x38, %rdi\n"
	"	leaq 1(%rdi), %rsp\n"
	"	shlq $12, %rsp\n"
	"	leaq stacks(%rip), %rax\n"
	"	addq %rax, %rsp\n"
	"	call fuzz_second\n"
	"	ud2\n");

static uint64_t next(uint64_t *s)
{
	*s ^= *s << 13;
	*s ^= *s >> 7;
	*s ^= *s << 17;
	return *s;
}

/* The call, and a look at the registers that it must keep. */
static long call_kept(uint64_t n, const uint64_t a[4])
{
	uint64_t rax = GW_CALL(n), rdi = a[0], rsi = a[1], rdx = a[2], rbx = 0x1111;
	register uint64_t r10 __asm__("r10") = a[3];
	register uint64_t r8 __asm__("r8") = 0x2222;
	register uint64_t r9 __asm__("r9") = 0x3333;
	register uint64_t r12 __asm__("r12") = 0x4444;
	register uint64_t r15 __asm__("r15") = 0x5555;

	__asm__ volatile("syscall"
			 : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+b"(rbx), "+r"(r10),
			   "+r"(r8), "+r"(r9), "+r"(r12), "+r"(r15)
			 :
			 : "rcx", "r11", "memory");
	if (rdi != a[0] || rsi != a[1] || rdx != a[2] || r10 != a[3] || rbx != 0x1111 ||
	    r8 != 0x2222 || r9 != 0x3333 || r12 != 0x4444 || r15 != 0x5555)
		check(0, "registers changed by call", n);
	return (long)rax;
}

static void random_maps(uint64_t *s, struct gw_vcore *v, uint64_t n, uint64_t a[4])
{
	uint64_t va = next(s) % GW_PROGRAM_END & ~4095ULL, len = (1 + next(s) % 600) * 4096;

	a[0] = n <= GW_CALL_SPACE_PROTECT ? 1 + next(s) % 4 : va;
	a[1] = next(s) % 4 ? len : (GW_PROGRAM_END - va) & ~4095ULL;
	for (uint32_t k = 0; k < 4; k++)
		v->batch.maps[k] =
			(struct gw_map){ va + k * len, boot->extents[0].pa + next(s) % 64 * 4096,
					 len, next(s) % 2 };
}

static uint64_t random_address(uint64_t *s)
{
	switch (next(s) % 8) {
	case 0:
		return 0xffff800000000000ULL | next(s) >> 20;
	case 1:
		return GW_USER_END - 8 + next(s) % 16;
	case 2:
		return (uint64_t)(uintptr_t)stacks; /* no code */
	case 3:
		return next(s) >> next(s) % 64;
	default:
		return (uint64_t)(uintptr_t)fuzz_landing;
	}
}

static long random_resume(uint64_t *s, struct gw_vcore *v)
{
	uint64_t *frame = (uint64_t *)&v->frame;

	for (uint32_t i = 0; i < sizeof(v->frame) / 8; i++)
		frame[i] = next(s) >> next(s) % 64;
	v->frame.rip = random_address(s);
	v->frame_masked = next(s) % 3;
	return fuzz_resume();
}

/* Arguments that are refused by most calls, or near what this one takes. */
static void choose(uint64_t *s, struct gw_vcore *v, uint64_t n, uint64_t a[4])
{
	for (uint32_t k = 0; k < 4; k++)
		a[k] = next(s) >> next(s) % 64;
	if (n == GW_CALL_WAIT)
		a[0] = next(s) % 8 ? now_ns() + next(s) % 20000 : 0;
	if (n == GW_CALL_VCORE_START)
		a[0] %= 6, a[1] = next(s) % 8 ? (uint64_t)(uintptr_t)fuzz_start : a[1];
	if (n == GW_CALL_IRQ_BIND && next(s) % 2)
		a[0] %= 2, a[1] %= 3, a[2] %= 5, a[3] %= 70;
	if (n == GW_CALL_CONSOLE_WRITE || n == GW_CALL_SHUTDOWN)
		a[0] |= 1ULL << 40; /* refused: text would hide the results */
	if (n == GW_CALL_SPACE_SWITCH || n == GW_CALL_SPACE_DESTROY)
		a[0] %= 70;
	if (n >= GW_CALL_PORT_WRITE && n <= GW_CALL_PORT_STATUS && next(s) % 4)
		a[0] %= 2, a[1] %= 4100; /* floods the neighbour's port */
	if (n == GW_CALL_PARTITION_RESTART)
		a[0] |= 1; /* not a cold one: the count would be gone */
	if (n >= GW_CALL_SPACE_MAP && n <= GW_CALL_SPACE_QUERY && next(s) % 4 == 0)
		random_maps(s, v, n, a);
}

/* Those that end in a restart come seldom: it takes long. */
static uint64_t random_number(uint64_t *s, bool all)
{
	for (;;) {
		uint64_t n = next(s) % (GW_CALL_COUNT + 3), one_in = 1;

		if (n == GW_CALL_HEALTH_RAISE || n == GW_CALL_PARTITION_RESTART)
			one_in = all ? 64 : 0;
		else if (n == GW_CALL_VCORE_START)
			one_in = all ? 16 : 0;
		if (one_in != 0 && next(s) % one_in == 0)
			return n;
	}
}

static void fuzz_one(uint64_t id, uint64_t *s, bool all)
{
	struct gw_vcore *v = area((uint32_t)id);
	uint64_t a[4], n = random_number(s, all);
	long rc;

	state->by_number[n]++;
	choose(s, v, n, a);
	if (n == GW_CALL_CONTEXT_RESUME)
		rc = random_resume(s, v);
	else
		rc = call_kept(n, a);
	if (n == GW_CALL_UPCALL_SET)
		call(GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall, (uint64_t)fuzz_upcall, 0, 0);
	check(rc > -MAX_ERRNO && rc <= (long)GW_BATCH_BYTES, "no error code", (uint64_t)rc);
	v->pending = 0;
	if (id != 0)
		area(0)->batch.maps[next(s) % 4].len = next(s) >> next(s) % 64;
	if (rc < 0 && rc > -MAX_ERRNO)
		state->by_error[-rc]++;
}

void fuzz_second(uint64_t id)
{
	call(GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall, (uint64_t)fuzz_upcall, 0, 0);
	while (__atomic_fetch_add(&state->calls, 1, __ATOMIC_RELAXED) < limit)
		fuzz_one(id, &state->seeds[id], true);
	for (;;)
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
}

static void summary(void)
{
	uint64_t kinds = 0, errors = 0, fewest = ~0ULL;

	for (uint32_t i = 0; i < GW_CALL_COUNT + 3; i++)
		kinds += state->by_number[i] != 0,
			fewest = state->by_number[i] < fewest ? state->by_number[i] : fewest;
	check(fewest > 10, "calls of a number", fewest);
	for (uint32_t i = 0; i < MAX_ERRNO; i++)
		errors += state->by_error[i] != 0;
	check(boot->restarts > 10, "restarts", boot->restarts);
	out("fuzzed ");
	out_number(state->calls);
	out(" calls of ");
	out_number(kinds);
	out(" numbers, each at least ");
	out_number(fewest);
	out(" times, ");
	out_number(errors);
	out(" kinds of errors, ");
	out_number(boot->restarts);
	out(" restarts");
	out_flush();
}

void fuzz(uint64_t calls, bool all)
{
	static struct fuzz_state local;
	bool first = (boot->flags & GW_BOOT_WARM) == 0;

	state = all ? (struct fuzz_state *)(GW_MEM_BASE + boot->extents[0].pa) : &local;
	limit = calls;
	for (uint32_t i = 0; first && i < MAX_VCORES; i++)
		state->seeds[i] = 0x9e3779b97f4a7c15ULL * (config_number('s', 1) + 2 * i) | 1;
	call(GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall, (uint64_t)fuzz_upcall, 0, 0);
	while (__atomic_fetch_add(&state->calls, 1, __ATOMIC_RELAXED) < calls && failed == 0)
		fuzz_one(0, &state->seeds[0], all);
	if (all)
		summary();
}
