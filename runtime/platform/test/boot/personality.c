/* SPDX-License-Identifier: Apache-2.0 */
/* personality.c - the smallest personality that exercises the runtime: threads, demand-zero memory,
 * and calls that show the scheduler and the upcalls to a program in ring 3 (program.c), which does
 * the checking. */
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/metric/metric.h"
#include "runtime/platform/godwit/steps.h"
#include "runtime/platform/platform.h"
#include "runtime/platform/test/boot/calls.h"
#include "runtime/sched/upcall.h"

struct thread {
	struct uthread *uthread;
	uint64_t rip, arg, on_fault, on_kick;
	uint32_t number;
};

static struct thread threads[T_THREADS];
static _Atomic uint32_t n_threads;
static _Atomic uint64_t n_faults;
static struct spinlock fault_lock;
extern const uint8_t program_begin[], program_end[];

static void print_metric(void *ctx, const char *text)
{
	(void)ctx;
	log_info("%s", text);
}

static struct thread *self(void)
{
	return uthread_self()->owner;
}

static void thread_start(void *arg)
{
	struct thread *t = arg;
	struct gw_regs r = {
		.rip = t->rip,
		.rdi = t->arg,
		.rsp = T_STACKS + (t->number + 1) * 0x100000ul - 8,
		.rflags = 0x202,
	};

	upcall_enter_program(&r);
}

static int64_t spawn(uint64_t rip, uint64_t arg, uint64_t shard)
{
	uint32_t n = atomic_fetch_add(&n_threads, 1);
	struct thread *t = &threads[n];
	int err;

	if (n >= T_THREADS)
		panic("too many test threads");
	*t = (struct thread){ .rip = rip, .arg = arg, .number = n };
	err = uthread_create(&t->uthread, shard < n_shards ? shards[shard] : NULL, thread_start, t,
			     "program", true, t);
	return err < 0 ? err : (int64_t)n;
}

static uint64_t stat(uint64_t which)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < n_shards; i++)
		switch (which) {
		case S_PREEMPTIONS:
			sum += shards[i]->stats.preemptions;
			break;
		case S_STEALS:
			sum += shards[i]->stats.steals;
			break;
		case S_TICKS:
			sum += shards[i]->stats.ticks;
			break;
		default:
			break;
		}
	if (which == S_FAULTS)
		sum = atomic_load(&n_faults);
	if (which == S_FREE_PAGES)
		sum = mem_free_pages();
	return sum;
}

static void put_page(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	(void)va;
	(void)flags;
	++*(uint64_t *)arg;
	page_put(pa);
}

static void count_mapped(void *arg, uint64_t va, uint64_t pa, uint32_t flags)
{
	(void)va, (void)pa, (void)flags;
	++*(uint64_t *)arg;
}

static void count_one(void *arg)
{
	++*(uint64_t *)arg;
}

static uint64_t call_all(uint64_t n)
{
	uint64_t ran = 0;

	while (n--)
		for (uint32_t i = 0; i < n_shards; i++)
			shard_call(shards[i], count_one, &ran);
	return ran;
}

static int64_t report(uint64_t name, uint64_t value)
{
	char text[64];
	long n = copy_string_from_program(text, name, sizeof(text));

	if (n < 0)
		return n;
	log_info("%s %ld", text, (long)value);
	return 0;
}

static int64_t copies(uint64_t nr, uint64_t va, uint64_t n)
{
	uint8_t buf[256];

	n = GW_MIN(n, sizeof(buf));
	if (nr == T_COPY_IN)
		return copy_from_program(buf, va, n);
	if (nr == T_PARTIAL_IN)
		return (int64_t)copy_from_program_nofault(buf, va, n);
	if (nr == T_STRING)
		return copy_string_from_program((char *)buf, va, n);
	for (size_t i = 0; i < n; i++)
		buf[i] = (uint8_t)i;
	return copy_to_program(va, buf, n);
}

static int64_t cmpxchg(uint64_t va, uint64_t expect, uint64_t desired)
{
	uint32_t seen = 0;
	int err = program_cmpxchg_u32(va, (uint32_t)expect, (uint32_t)desired, &seen);

	return err ? err : (int64_t)seen;
}

static int64_t slow_call(struct program_frame *f)
{
	uint64_t a = f->regs.rdi, b = f->regs.rsi, c = f->regs.rdx, n = 0;

	switch (f->orig_rax) {
	case T_EXIT:
		uthread_exit();
	case T_SPAWN:
		return spawn(a, b, c);
	case T_REPORT:
		metric_add(metric_counter("reports"), 1);
		metric_record(metric_histogram("reported"), b);
		return report(a, b);
	case T_COPY_IN:
	case T_COPY_OUT:
	case T_PARTIAL_IN:
	case T_STRING:
		return copies(f->orig_rax, a, b);
	case T_SHUTDOWN:
		metric_lines(print_metric, NULL);
		platform_shutdown((int)a);
	case T_YIELD:
		uthread_yield();
		return 0;
	case T_SHARD:
		return shard_self()->id;
	case T_KICK:
		upcall_kick(threads[a % T_THREADS].uthread);
		return 0;
	case T_ON_KICK:
		self()->on_kick = a;
		return 0;
	case T_CMPXCHG:
		return cmpxchg(a, b, c);
	case T_ON_FAULT:
		self()->on_fault = a;
		return 0;
	case T_STAT:
		return (int64_t)stat(a);
	case T_SHARDS:
		return n_shards;
	case T_UNMAP:
		space_unmap(a, b, put_page, &n);
		return (int64_t)n;
	case T_CALLS:
		return (int64_t)call_all(a);
	default:
		return -ENOSYS;
	}
}

void personality_syscall(struct program_frame *f)
{
	switch (f->orig_rax) {
	case T_NULL:
		f->regs.rax = f->regs.rdi + 1;
		return;
	case T_PARK:
		f->regs.rax = (uint64_t)(int64_t)uthread_park(f->regs.rdi);
		return;
	case T_WAKE:
		uthread_wake(threads[f->regs.rdi % T_THREADS].uthread);
		f->regs.rax = 0;
		return;
	default:
		f->regs.rax = (uint64_t)slow_call(f);
		return;
	}
}

bool personality_fault(struct program_frame *f, uint64_t vector, uint64_t error, uint64_t va,
		       bool from_runtime)
{
	struct thread *t = self();
	uint64_t pa;

	atomic_fetch_add(&n_faults, 1);
	if (vector == 14 && !(error & 1) && va >= T_HEAP && va < T_END &&
	    shard_self()->nofault == 0) {
		uint64_t there = 0;
		int err = 0;

		pa = page_alloc_zero();
		if (!pa)
			panic("test: out of memory");
		/* two vcores may fault on one page */
		spin_lock(&fault_lock);
		if (n_shards > 1)
			space_query(va & ~0xffful, GW_PAGE_SIZE, count_mapped, &there);
		if (there == 0)
			err = space_map(va & ~0xffful, pa, GW_PAGE_SIZE, GW_MAP_W);
		else
			page_put(pa);
		spin_unlock(&fault_lock);
		if (err < 0)
			panic("test: space_map: %d", err);
		return true;
	}
	if (from_runtime)
		return false;
	if (!t->on_fault)
		panic("test: fault %lu at %#lx, address %#lx", (unsigned long)vector, f->regs.rip,
		      va);
	f->regs.rflags &= ~0x100ul;
	f->regs.rip = t->on_fault;
	f->regs.rax = va;
	return true;
}

void personality_return(struct program_frame *f)
{
	if (self()->on_kick) {
		f->regs.rip = self()->on_kick;
		self()->on_kick = 0;
	}
}

/* ---- what must end the partition ---- */

/* Its frame reaches past the end of a runtime stack, not far. */
static void overflow(void *arg)
{
	volatile uint8_t frame[UTHREAD_STACK - 128];

	(void)arg;
	for (size_t i = 0; i < 512; i++)
		frame[i] = 1;
	(void)uthread_park(clock_now() + NS_PER_MS + frame[0]);
}

static void load_program(void)
{
	size_t len = (size_t)(program_end - program_begin),
	       pages = ROUND_UP(len, GW_PAGE_SIZE) / GW_PAGE_SIZE;
	uint64_t pa = pages_alloc(pages, 1);

	if (!pa)
		panic("test: no memory");
	memcpy(pa_to_va(pa), program_begin, len);
	if (space_map(T_CODE, pa, pages * GW_PAGE_SIZE, GW_MAP_X) < 0)
		panic("test: cannot map the program");
}

static void start(void)
{
	const char *test = config_get("test");

	shards_start(platform_boot()->vcores, NULL);
	log_info("test %s, %u shards, %lu of %lu pages free", test ? test : "all", n_shards,
		 (unsigned long)mem_free_pages(), (unsigned long)mem_total_pages());
	if (test && strcmp(test, "overflow") == 0) {
		if (uthread_create(NULL, NULL, overflow, NULL, "deep", false, NULL) < 0)
			panic("test: no memory");
		return;
	}
	if (test && strcmp(test, "wild") == 0)
		*(volatile uint64_t *)0x123456789000ul = 1;
	load_program();
	if (spawn(T_CODE, test && strcmp(test, "cost") == 0, 0) < 0)
		panic("test: no memory");
}

const struct boot_step boot_steps[] = {
	{ "test", start },
	{ NULL, NULL },
};
