/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - a partition program that tests the kernel from inside: every call, every upcall, and
 * what the kernel must refuse. Prints one line per failure, then `N passed, N failed, N skipped`.
 */
#include "kernel/test/probe.h"

#define EPERM 1
#define EBUSY 16
#define EINVAL 22
#define ENOSYS 38
#define ENOMEM 12
#define ENOSPC 28
#define DATA_VA 0x600000ULL

void probe_main(const struct gw_boot_info *info);
void probe_second(uint64_t arg);

static uint32_t passed, failed, skipped;
static uint64_t frames; /* next free frame */
static volatile uint64_t second_arg, second_stage, second_go, second_space;

void check(int ok, const char *text, long got)
{
	if (ok) {
		passed++;
		return;
	}
	failed++;
	out("probe: failed: ");
	out(text);
	out(" got ");
	if (got < 0) {
		out("-");
		got = -got;
	}
	out_number((uint64_t)got);
	out_flush();
}

void skip(const char *why)
{
	skipped++;
	out("probe: skipped: ");
	out(why);
	out_flush();
}

uint64_t frame_take(uint64_t n)
{
	uint64_t pa = frames;

	frames += n * GW_PAGE;
	return pa;
}

static long map(uint64_t va, uint64_t pa, uint64_t len, uint64_t flags)
{
	area(0)->batch.maps[0] = (struct gw_map){ va, pa, len, flags };
	return call(GW_CALL_SPACE_MAP, 1, 0, 0, 0);
}

static long protect(uint64_t va, uint64_t len, uint64_t flags)
{
	area(0)->batch.maps[0] = (struct gw_map){ va, 0, len, flags };
	return call(GW_CALL_SPACE_PROTECT, 1, 0, 0, 0);
}

static void test_boot(void)
{
	const struct gw_boot_info *b = boot;

	EXPECT(b->magic == GW_BOOT_MAGIC, 1);
	EXPECT(b->size, sizeof(*b));
	EXPECT(b->n_extents >= 1, 1);
	EXPECT(b->clock.tsc_hz > 100000000, 1);
	EXPECT(b->start_tsc > b->boot_tsc, 1);
	EXPECT(area(0)->id, 0);
	EXPECT(area(0)->masked, 1);
	for (uint32_t i = 0; i < b->n_extents; i++) {
		uint64_t *first = window(b->extents[i].pa);
		uint64_t *last = window(b->extents[i].pa + b->extents[i].len - 8);

		*first = 1, *last = 2;
		EXPECT(*first == 1 && *last == 2, 1);
		EXPECT(b->extents[i].pa >= 0x100000 && b->extents[i].len % GW_PAGE == 0, 1);
	}
	if (b->config_len != 0)
		EXPECT(*(const char *)GW_CONFIG_VA, 'c');
}

static void test_syscall(void)
{
	struct gw_vcore *v = area(0);
	uint64_t code = frame_take(1);

	for (uint64_t i = 0; i < (uint64_t)(code_end - code_syscall); i++)
		((char *)window(code))[i] = code_syscall[i];
	EXPECT(map(CODE_VA, code, GW_PAGE, GW_MAP_X), 0);
	EXPECT(call(GW_CALL_UPCALL_SET, (uint64_t)reflect_entry, (uint64_t)upcall_entry, 0, 0), 0);
	EXPECT(call(GW_CALL_UPCALL_SET, GW_USER_END, (uint64_t)upcall_entry, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_UPCALL_SET, (uint64_t)reflect_entry, 1ULL << 63, 0, 0), -EINVAL);
	program_run(code_at(code_syscall), 0x12345, 39, 77);
	EXPECT(seen_rax, 39);
	EXPECT(seen_rdi, 77);
	EXPECT(seen_rsp, 0x12345);
	EXPECT(seen_r11 & 0x200, 0x200);
	EXPECT(v->syscall_rip, code_at(code_syscall) + 2);
	EXPECT(v->masked, 1);
	EXPECT(call(999, 0, 0, 0, 0), -ENOSYS);
	EXPECT(call(0x7fffffff, 0, 0, 0, 0), -ENOSYS);
	EXPECT(call(GW_CALL_YIELD, 0, 0, 0, 0), 0);
}

static uint64_t hook_frame;

static void hook_map_page(void)
{
	struct gw_vcore *v = area(0);

	EXPECT(v->reason, GW_UPCALL_FAULT);
	EXPECT(v->vector, 14);
	EXPECT(v->error & 6, 6);
	EXPECT(v->fault_va, DATA_VA + 8);
	EXPECT(v->frame_masked, 0);
	EXPECT(v->frame.rip, code_at(code_store));
	EXPECT(v->frame.rsp, 0x777);
	EXPECT(map(DATA_VA, hook_frame, GW_PAGE, GW_MAP_W), 0);
}

static void test_faults(void)
{
	struct gw_vcore *v = area(0);

	hook_frame = frame_take(1);
	((uint64_t *)window(hook_frame))[1] = 0;
	upcall_hook = hook_map_page;
	program_run(code_at(code_store), 0x777, DATA_VA + 8, 4711);
	upcall_hook = 0;
	EXPECT(((uint64_t *)window(hook_frame))[1], 4711);
	EXPECT(seen_rdi, 4711); /* the program went on to its syscall */
	EXPECT(seen_rax, DATA_VA + 8);
	v->vector = 0;
	program_run(code_at(code_ud), 0, 0, 0);
	EXPECT(v->vector, 6);
	EXPECT(v->frame.rip, code_at(code_ud));
	program_run(DATA_VA, 0, 0, 0); /* not executable */
	EXPECT(v->vector, 14);
	EXPECT(v->error & 0x15, 0x15);
	EXPECT(v->fault_va, DATA_VA);
	program_run(0x0000800000000000ULL - 4096, 0, 0, 0);
	EXPECT(v->vector, 14);
	program_run(code_at(code_store), 0, 0xffff800000100000ULL, 0); /* kernel memory */
	EXPECT(v->vector, 14);
	program_run(code_at(code_store), 0, 0x1000000000000000ULL, 0); /* not canonical */
	EXPECT(v->vector, 13);
	program_run(code_at(code_store), 0, CODE_VA, 0); /* read-only code */
	EXPECT(v->vector, 14);
	EXPECT(v->error & 7, 7);
	EXPECT(v->masked, 1);
}

static void test_resume(void)
{
	struct gw_vcore *v = area(0);

	v->frame = (struct gw_regs){ .rip = code_at(code_syscall), .rax = 1, .rdi = 2, .rsp = 3 };
	v->frame.rflags = 0x3002 | 0x20000 | 0x4000; /* IOPL 3, VM, NT, interrupts off */
	v->frame_masked = 0;
	resume_run();
	EXPECT(seen_rax, 1);
	EXPECT(seen_rdi, 2);
	EXPECT(seen_rsp, 3);
	EXPECT(seen_r11, 0x202);
	v->frame.rip = 0xffff800000000000ULL;
	EXPECT(resume_run(), -EINVAL);
	v->frame.rip = 0x8000000000000000ULL;
	EXPECT(resume_run(), -EINVAL);
	/* A pending event wins over the frame. */
	v->frame.rip = code_at(code_spin);
	v->frame.rsp = 0x5550;
	v->pending = 2;
	v->reason = 0;
	resume_run();
	EXPECT(v->reason, GW_UPCALL_EVENT);
	EXPECT(v->frame.rip, code_at(code_spin));
	EXPECT(v->frame_masked, 0);
	EXPECT(v->masked, 1);
	v->pending = 0;
	/* A fault of the runtime itself, masked, returns masked. */
	v->frame.rip = code_at(code_ud);
	v->frame_masked = 1;
	resume_run();
	EXPECT(v->reason, GW_UPCALL_FAULT);
	EXPECT(v->frame_masked, 1);
}

static void test_time(void)
{
	struct gw_vcore *v = area(0);
	uint64_t start = now_ns(), end;

	v->pending = 0;
	EXPECT(call(GW_CALL_WAIT, start + 3000000, 0, 0, 0), 0);
	end = now_ns();
	EXPECT(v->pending, 1ULL << GW_EVENT_TICK);
	EXPECT(end >= start + 3000000, 1);
	check(end < start + 500000000, "wait ends soon", (long)(end - start));
	start = now_ns();
	EXPECT(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0); /* pending: at once */
	v->pending = 0;
	EXPECT(call(GW_CALL_WAIT, 1, 0, 0, 0), 0); /* long past */
	EXPECT(v->pending, 1ULL << GW_EVENT_TICK);
	v->pending = 0;
	/* tick_set ends an endless wait, and preempts a spinning program */
	EXPECT(call(GW_CALL_TICK_SET, now_ns() + 1000000, 0, 0, 0), 0);
	EXPECT(call(GW_CALL_WAIT, ~0ULL, 0, 0, 0), 0);
	EXPECT(v->pending, 1ULL << GW_EVENT_TICK);
	v->pending = 0;
	EXPECT(call(GW_CALL_TICK_SET, now_ns() + 2000000, 0, 0, 0), 0);
	v->reason = 0;
	v->frame = (struct gw_regs){ .rip = code_at(code_spin), .rsp = 0x9990 };
	v->frame_masked = 0;
	resume_run();
	EXPECT(v->reason, GW_UPCALL_EVENT);
	EXPECT(v->frame_masked, 0);
	EXPECT(v->masked, 1);
	EXPECT(v->frame.rsp, 0x9990);
	EXPECT(v->frame.rip >= code_at(code_spin) && v->frame.rip < code_at(code_store), 1);
	EXPECT(v->pending, 1ULL << GW_EVENT_TICK);
	v->pending = 0;
	/* cancelled */
	end = now_ns() + 20000000;
	EXPECT(call(GW_CALL_TICK_SET, end, 0, 0, 0), 0);
	EXPECT(call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0), 0);
	if (now_ns() < end) { /* else the host was too slow to tell */
		while (now_ns() < end + 2000000)
			;
		EXPECT(v->pending, 0);
	}
	v->pending = 0;
	/* a far deadline first, then a near one */
	EXPECT(call(GW_CALL_TICK_SET, now_ns() + 3600000000000ULL, 0, 0, 0), 0);
	EXPECT(call(GW_CALL_WAIT, now_ns() + 1000000, 0, 0, 0), 0);
	EXPECT(v->pending, 1ULL << GW_EVENT_TICK);
	v->pending = 0;
	EXPECT(call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0), 0);
	/* notify oneself */
	EXPECT(call(GW_CALL_NOTIFY, 0, 0, 0, 0), 0);
	EXPECT(v->pending, 1ULL << GW_EVENT_NOTIFY);
	EXPECT(call(GW_CALL_NOTIFY, boot->vcores, 0, 0, 0), -EINVAL);
	v->pending = 0;
}

static void test_refusals(void)
{
	uint64_t pa = frame_take(1), end = boot->extents[0].pa + boot->extents[0].len;

	EXPECT(map(DATA_VA, pa, GW_PAGE, GW_MAP_W | GW_MAP_X), -EPERM);
	EXPECT(map(DATA_VA + 1, pa, GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, pa + 8, GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, pa, 0, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, pa, 100, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, pa, GW_PAGE, 0x100), -EINVAL);
	EXPECT(map(0, pa, GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(GW_RUNTIME_BASE, pa, GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(GW_PROGRAM_END - GW_PAGE, pa, 2 * GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(0xffff800000000000ULL, pa, GW_PAGE, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, 0x100000, GW_PAGE, 0), -EPERM); /* the kernel */
	EXPECT(map(DATA_VA, 0x1000, GW_PAGE, 0), -EPERM);
	EXPECT(map(DATA_VA, 0xfee00000, GW_PAGE, GW_MAP_W), -EPERM);
	EXPECT(map(DATA_VA, end - GW_PAGE, 2 * GW_PAGE, GW_MAP_W), -EPERM);
	EXPECT(map(DATA_VA, pa, ~0ULL & ~4095ULL, GW_MAP_W), -EINVAL);
	EXPECT(map(DATA_VA, pa, GW_PAGE, GW_MAP_LARGE), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_MAP, 0, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_MAP, GW_BATCH_MAPS + 1, 0, 0, 0), -EINVAL);
	EXPECT(protect(DATA_VA, GW_PAGE, GW_MAP_W | GW_MAP_X), -EPERM);
	EXPECT(call(GW_CALL_SPACE_UNMAP, 0, GW_PAGE, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_UNMAP, GW_MEM_BASE, GW_PAGE, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_QUERY, DATA_VA, 1, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_CONSOLE_WRITE, GW_BATCH_BYTES + 1, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SHUTDOWN, 256, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_IRQ_BIND, boot->n_devices, 0, 0, 8), -EINVAL);
	EXPECT(call(GW_CALL_VCORE_START, 0, CODE_VA, 0, 0), -EBUSY);
	EXPECT(call(GW_CALL_VCORE_START, boot->vcores, CODE_VA, 0, 0), -EINVAL);
	/* one bad entry in a batch: nothing changes */
	area(0)->batch.maps[0] = (struct gw_map){ 0x900000, pa, GW_PAGE, GW_MAP_W };
	area(0)->batch.maps[1] = (struct gw_map){ 0x901000, 0x100000, GW_PAGE, GW_MAP_W };
	EXPECT(call(GW_CALL_SPACE_MAP, 2, 0, 0, 0), -EPERM);
	EXPECT(call(GW_CALL_SPACE_QUERY, 0x900000, 0x2000, 0, 0), 0);
}

static void test_space(void)
{
	struct gw_vcore *v = area(0);
	uint64_t pa = frame_take(4), va = 0x10000000, large;
	volatile uint64_t *p = (void *)va;

	EXPECT(map(va, pa, 4 * GW_PAGE, GW_MAP_W), 0);
	p[0] = 1, p[1024] = 2;
	EXPECT(call(GW_CALL_SPACE_QUERY, va, 4 * GW_PAGE, 0, 0), 4);
	EXPECT(v->batch.unmapped[0].va, va);
	EXPECT(v->batch.unmapped[0].pa_flags, pa | GW_MAP_W | GW_MAP_ACCESSED | GW_MAP_DIRTY);
	EXPECT(v->batch.unmapped[1].pa_flags, (pa + GW_PAGE) | GW_MAP_W);
	EXPECT(v->next_va, va + 4 * GW_PAGE);
	EXPECT(call(GW_CALL_SPACE_QUERY, va, GW_PAGE, 0, 0), 1);
	EXPECT(v->batch.unmapped[0].pa_flags, pa | GW_MAP_W | GW_MAP_DIRTY); /* cleared */
	EXPECT(protect(va + GW_PAGE, GW_PAGE, GW_MAP_NONE), 0);
	EXPECT(call(GW_CALL_SPACE_QUERY, va + GW_PAGE, GW_PAGE, 0, 0), 1);
	EXPECT(v->batch.unmapped[0].pa_flags, (pa + GW_PAGE) | GW_MAP_NONE);
	program_run(code_at(code_store), 0, va + GW_PAGE, 0);
	EXPECT(v->vector, 14);
	EXPECT(v->error & 1, 0);
	EXPECT(protect(va, 4 * GW_PAGE, 0), 0); /* all read-only */
	program_run(code_at(code_store), 0, va, 0);
	EXPECT(v->error & 3, 3);
	EXPECT(protect(va, 4 * GW_PAGE, GW_MAP_W), 0);
	p[0] = 3;
	EXPECT(((uint64_t *)window(pa))[0], 3);
	EXPECT(call(GW_CALL_SPACE_UNMAP, va - 0x1000000, 0x2000000, 0, 0), 4);
	EXPECT(v->batch.unmapped[3].va, va + 3 * GW_PAGE);
	EXPECT(v->next_va, va + 0x1000000);
	program_run(code_at(code_store), 0, va, 0);
	EXPECT(v->vector, 14);
	EXPECT(v->error & 1, 0);
	/* a large page, split by a partial unmap */
	large = (frames + 0x1fffff) & ~0x1fffffULL;
	if (large + 0x200000 > boot->extents[0].pa + boot->extents[0].len) {
		skip("too little memory for a large page");
		return;
	}
	EXPECT(map(0x40000000, large, 0x200000, GW_MAP_W | GW_MAP_LARGE), 0);
	*(volatile uint64_t *)0x40000000 = 5;
	EXPECT(call(GW_CALL_SPACE_QUERY, 0x40000000, 0x200000, 0, 0), 1);
	EXPECT(v->batch.unmapped[0].pa_flags & GW_MAP_LARGE, GW_MAP_LARGE);
	EXPECT(call(GW_CALL_SPACE_UNMAP, 0x40001000, 0x3000, 0, 0), 3);
	EXPECT(v->batch.unmapped[0].pa_flags & ~0xfffULL, large + 0x1000);
	EXPECT(*(volatile uint64_t *)0x40000000, 5);
	program_run(code_at(code_store), 0, 0x40001000, 0);
	EXPECT(v->error & 1, 0);
	EXPECT(call(GW_CALL_SPACE_UNMAP, 0x40000000, 0x200000, 0, 0), 254);
	EXPECT(call(GW_CALL_SPACE_UNMAP, v->next_va, 0x40200000 - v->next_va, 0, 0), 254);
	EXPECT(call(GW_CALL_SPACE_UNMAP, v->next_va, 0x40200000 - v->next_va, 0, 0), 1);
}

static void destroy(long space)
{
	long r;

	while ((r = call(GW_CALL_SPACE_DESTROY, (uint64_t)space, 0, 0, 0)) == -11)
		;
	EXPECT(r, 0);
}

/* Tables that are left, found by taking them all; then everything is given back. */
static uint64_t tables_left(uint64_t pa)
{
	uint64_t n = 0;
	long s = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0);

	EXPECT(s > 0, 1);
	EXPECT(call(GW_CALL_SPACE_SWITCH, (uint64_t)s, 0, 0, 0), 0);
	while (map(0x40000000 + n * 0x200000, pa, GW_PAGE, 0) == 0)
		n++;
	EXPECT(map(0x40000000 + n * 0x200000, pa, GW_PAGE, 0), -ENOMEM);
	EXPECT(call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0), -ENOMEM);
	EXPECT(call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), 0);
	destroy(s);
	return n;
}

static void test_spaces(void)
{
	uint64_t pa = frame_take(2), va = 0x10000000, n, before;
	volatile uint64_t *p = (void *)va;
	long a, b, s;

	EXPECT(map(va, pa, GW_PAGE, GW_MAP_W), 0);
	p[0] = 10;
	a = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0);
	b = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0);
	EXPECT(a > 0 && b > 0 && a != b, 1);
	EXPECT(call(GW_CALL_SPACE_SWITCH, (uint64_t)a, 0, 0, 0), 0);
	EXPECT(call(GW_CALL_SPACE_QUERY, GW_PROGRAM_BASE, GW_PROGRAM_END - GW_PROGRAM_BASE, 0, 0),
	       0);
	program_run(code_at(code_store), 0, va, 0); /* not there, in spite of a warm TLB */
	EXPECT(area(0)->vector, 14);
	EXPECT(area(0)->error & 1, 0);
	EXPECT(map(va, pa + GW_PAGE, GW_PAGE, GW_MAP_W), 0);
	p[0] = 20;
	EXPECT(call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), 0);
	EXPECT(p[0], 10);
	EXPECT(call(GW_CALL_SPACE_SWITCH, (uint64_t)a, 0, 0, 0), 0);
	EXPECT(p[0], 20);
	EXPECT(call(GW_CALL_SPACE_DESTROY, (uint64_t)a, 0, 0, 0), -EBUSY);
	EXPECT(call(GW_CALL_SPACE_DESTROY, 0, 0, 0, 0), -EBUSY);
	EXPECT(call(GW_CALL_SPACE_SWITCH, GW_MAX_SPACES, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_SWITCH, ~0ULL, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0), 0);
	destroy(a);
	EXPECT(call(GW_CALL_SPACE_SWITCH, (uint64_t)a, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_DESTROY, (uint64_t)a, 0, 0, 0), -EINVAL);
	EXPECT(call(GW_CALL_SPACE_DESTROY, ~0ULL, 0, 0, 0), -EINVAL);
	destroy(b);
	before = tables_left(pa);
	EXPECT(before > 8, 1);
	EXPECT(tables_left(pa), (long)before);
	for (n = 0; (s = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0)) > 0; n++)
		;
	EXPECT(s == -ENOSPC ? n == GW_MAX_SPACES - 1 : s == -ENOMEM, 1);
	for (uint64_t i = 1; i <= n; i++)
		destroy((long)i);
	EXPECT(tables_left(pa), (long)before);
	EXPECT(p[0], 10);
	EXPECT(call(GW_CALL_SPACE_UNMAP, va, GW_PAGE, 0, 0), 1);
}

/* Runs on vcore 1. */
void probe_second(uint64_t arg)
{
	second_arg = arg;
	second_stage = 1;
	call(GW_CALL_UPCALL_SET, (uint64_t)reflect_entry, (uint64_t)upcall_entry, 0, 0);
	call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
	second_stage = area(1)->pending == 1ULL << GW_EVENT_NOTIFY ? 2 : 99;
	area(1)->pending = 0;
	for (uint32_t i = 0; i < 1000; i++) { /* ping-pong: a lost wakeup would hang here */
		call(GW_CALL_NOTIFY, 0, 0, 0, 0);
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
		area(1)->pending = 0;
	}
	second_stage = 3;
	/* Read a page until the first vcore takes it away. */
	while (!second_go)
		(void)*(volatile uint64_t *)0x50000000;
	second_stage = 4;
	call(GW_CALL_NOTIFY, 0, 0, 0, 0);
	while (second_space == 0)
		;
	call(GW_CALL_SPACE_SWITCH, second_space, 0, 0, 0);
	second_stage = *(volatile uint64_t *)0x50000000; /* 5: what the first vcore put there */
	while (second_space != 0)
		;
	call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0);
	second_stage = 6;
	for (;;)
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
}

static int wait_stage(uint64_t stage)
{
	uint64_t start = now_ns();

	while (second_stage != stage)
		if (now_ns() - start > 5000000000ULL)
			return 0;
	return 1;
}

static void test_second(void)
{
	struct gw_vcore *v = area(0);
	uint64_t pa;
	long space;

	if (boot->vcores < 2) {
		skip("one vcore");
		return;
	}
	v->pending = 0;
	EXPECT(area(1)->id, 1);
	EXPECT(call(GW_CALL_VCORE_START, 1, GW_USER_END, 42, 0), -EINVAL);
	EXPECT(call(GW_CALL_VCORE_START, 1, (uint64_t)probe_second_entry, 42, 0), 0);
	EXPECT(wait_stage(1), 1);
	EXPECT(second_arg, 42);
	EXPECT(call(GW_CALL_VCORE_START, 1, (uint64_t)probe_second_entry, 42, 0), -EBUSY);
	EXPECT(call(GW_CALL_NOTIFY, 1, 0, 0, 0), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
		v->pending = 0;
		if (i == 999) {
			pa = frame_take(1);
			EXPECT(map(0x50000000, pa, GW_PAGE, GW_MAP_W), 0);
		}
		call(GW_CALL_NOTIFY, 1, 0, 0, 0);
	}
	EXPECT(wait_stage(3), 1);
	/* Shoot down: replaced under the other core's reads, many times. */
	for (uint32_t i = 0; i < 200; i++) {
		if (protect(0x50000000, GW_PAGE, i & 1 ? GW_MAP_W : 0) != 0)
			second_stage = 98;
	}
	second_go = 1;
	EXPECT(wait_stage(4), 1);
	EXPECT(call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0), 0); /* an earlier wait's */
	v->pending &= ~(1ULL << GW_EVENT_TICK);
	EXPECT(call(GW_CALL_WAIT, now_ns() + 1000000000, 0, 0, 0), 0);
	EXPECT(v->pending, 1ULL << GW_EVENT_NOTIFY);
	v->pending = 0;
	/* The other vcore in a space of its own: busy until it leaves. */
	space = call(GW_CALL_SPACE_CREATE, 0, 0, 0, 0);
	EXPECT(space > 0, 1);
	call(GW_CALL_SPACE_SWITCH, (uint64_t)space, 0, 0, 0);
	EXPECT(map(0x50000000, frame_take(1), GW_PAGE, GW_MAP_W), 0);
	*(volatile uint64_t *)0x50000000 = 5;
	call(GW_CALL_SPACE_SWITCH, 0, 0, 0, 0);
	second_space = (uint64_t)space;
	EXPECT(wait_stage(5), 1);
	EXPECT(call(GW_CALL_SPACE_DESTROY, (uint64_t)space, 0, 0, 0), -EBUSY);
	second_space = 0;
	EXPECT(wait_stage(6), 1);
	destroy(space);
	EXPECT(call(GW_CALL_SPACE_UNMAP, 0x50000000, GW_PAGE, 0, 0), 1);
}

static void list_devices(void)
{
	for (uint32_t i = 0; i < boot->n_devices; i++) {
		const struct gw_device *d = &boot->devices[i];

		out("probe: device ");
		out_number(d->vendor);
		out(":");
		out_number(d->device);
		out(" vectors ");
		out_number(d->vectors);
		for (uint32_t b = 0; b < 6; b++) {
			if (d->bars[b].va == 0)
				continue;
			out(" bar ");
			out_number(b);
			out("=");
			out_number(d->bars[b].len);
		}
		out_flush();
		if (d->kind == GW_DEVICE_MMIO)
			EXPECT(*(volatile uint32_t *)d->bars[0].va, 0x74726976);
		EXPECT(call(GW_CALL_IRQ_BIND, i, d->vectors, 0, 8), -EINVAL);
		EXPECT(call(GW_CALL_IRQ_BIND, i, 0, 0, 7), -EINVAL);
		EXPECT(call(GW_CALL_IRQ_BIND, i, 0, 0, 64), -EINVAL);
		EXPECT(call(GW_CALL_IRQ_BIND, i, 0, boot->vcores, 8), -EINVAL);
		if (d->vendor == 0x1af4 &&
		    (d->device == 0x1005 || d->device == 0x1044 || d->device == 4))
			test_rng(i);
	}
}

/* Costs, in TSC ticks: under -icount shift=0 these are instructions (see README.md). Each is the
 * least of many, less the cost of reading the TSC. */
static void print_cost(const char *what, uint64_t cost)
{
	out("probe: cost: ");
	out(what);
	out(" ");
	out_number(cost);
	out_flush();
}

#define COST(what, code)                                                  \
	do {                                                              \
		uint64_t least_ = ~0ULL, none_ = ~0ULL;                   \
		for (uint32_t i_ = 0; i_ < 20; i_++) {                    \
			uint64_t t0_ = ticks(), t1_ = ticks(), t2_;       \
			code;                                             \
			t2_ = ticks();                                    \
			none_ = t1_ - t0_ < none_ ? t1_ - t0_ : none_;    \
			least_ = t2_ - t1_ < least_ ? t2_ - t1_ : least_; \
		}                                                         \
		print_cost(what, least_ - none_);                         \
	} while (0)

static void hook_nothing(void)
{
	area(0)->frame.rip += 2; /* skip the ud2 */
}

static void measure(void)
{
	struct gw_vcore *v = area(0);
	uint64_t pa = frame_take(64);

	print_cost("firmware", boot->boot_tsc);
	print_cost("boot", boot->start_tsc - boot->boot_tsc);
	EXPECT(map(CODE_VA, pa, GW_PAGE, GW_MAP_W), 0);
	for (uint64_t i = 0; i < (uint64_t)(code_end - code_syscall); i++)
		((char *)window(pa))[i] = code_syscall[i];
	EXPECT(map(CODE_VA, pa, GW_PAGE, GW_MAP_X), 0);
	call(GW_CALL_UPCALL_SET, (uint64_t)reflect_entry, (uint64_t)upcall_entry, 0, 0);
	COST("run a program without a syscall", program_run((uint64_t)back_label, 0, 0, 0));
	COST("run a program with a reflected syscall", program_run(code_at(code_syscall), 0, 0, 0));
	COST("yield", call(GW_CALL_YIELD, 0, 0, 0, 0));
	v->pending = 2;
	COST("wait, pending", call(GW_CALL_WAIT, ~0ULL, 0, 0, 0));
	v->pending = 0;
	COST("tick_set, earlier armed", call(GW_CALL_TICK_SET, now_ns() + 1000000000, 0, 0, 0));
	COST("map 1 page, present", map(DATA_VA, pa + 8192, GW_PAGE, GW_MAP_W));
	COST("map 32 pages, present", map(DATA_VA, pa + 8192, 32 * GW_PAGE, GW_MAP_W));
	COST("unmap and map 1 page", call(GW_CALL_SPACE_UNMAP, DATA_VA, GW_PAGE, 0, 0);
	     map(DATA_VA, pa + 8192, GW_PAGE, GW_MAP_W));
	upcall_hook = hook_nothing;
	COST("fault upcall and resume", program_run(code_at(code_ud_syscall), 0, 0, 0));
	upcall_hook = 0;
	/* Idle to idle, for the counting plugin. */
	call(GW_CALL_TICK_SET, ~0ULL, 0, 0, 0);
	for (uint32_t i = 0; i < 40; i++) {
		call(GW_CALL_WAIT, now_ns() + 1000000, 0, 0, 0);
		v->pending = 0;
	}
	for (uint32_t i = 0; i < boot->n_devices; i++)
		if (boot->devices[i].vendor == 0x1af4)
			measure_rng(i);
	call(GW_CALL_SHUTDOWN, failed != 0, 0, 0, 0);
}

/* The first letter of the configuration chooses a way to fail, or to measure. */
static void run_mode(char mode)
{
	switch (mode) {
	case 'm':
		measure();
		break;
	case 'f': /* a fault before upcall_set */
		__asm__ volatile("movl $1, 8" : : : "memory");
		break;
	case 'h':
		call(GW_CALL_HEALTH_RAISE, 0xabc, 0xdef, 0, 0);
		break;
	case 'r': /* a reflected syscall while masked */
		__asm__ volatile("syscall" : : "a"(39) : "rcx", "r11", "memory");
		break;
	case 'w':
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
		break;
	case 's':
		call(GW_CALL_SHUTDOWN, 42, 0, 0, 0);
		break;
	default:
		return;
	}
	call(GW_CALL_SHUTDOWN, 99, 0, 0, 0);
}

void probe_main(const struct gw_boot_info *info)
{
	boot = info;
	frames = info->extents[0].pa + 0x1000;
	if (info->config_len != 0)
		run_mode(*(const char *)GW_CONFIG_VA);
	test_boot();
	test_syscall();
	test_faults();
	test_resume();
	test_time();
	test_refusals();
	test_space();
	test_spaces();
	list_devices();
	test_second();
	out_number(passed);
	out(" passed, ");
	out_number(failed);
	out(" failed, ");
	out_number(skipped);
	out(" skipped");
	out_flush();
	call(GW_CALL_SHUTDOWN, failed != 0, 0, 0, 0);
}
