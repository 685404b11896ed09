/* SPDX-License-Identifier: Apache-2.0 */
/* upcall.c - what upcall.S calls: events, faults of the program and of the runtime, and the work
 * before a return. */
#include "runtime/base/str.h"
#include "runtime/platform/platform.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"

/* What upcall.S knows of the layouts. */
_Static_assert(offsetof(struct gw_vcore, masked) == 0x08 &&
		       offsetof(struct gw_vcore, syscall_rip) == 0x10 &&
		       offsetof(struct gw_vcore, frame_masked) == 0x30 &&
		       offsetof(struct gw_vcore, user) == 0x200,
	       "vcore area");
_Static_assert(offsetof(struct gw_regs, rsp) == 0x38 && offsetof(struct gw_regs, r15) == 0x78 &&
		       offsetof(struct gw_regs, rip) == 0x80 && sizeof(struct gw_regs) == 0x90,
	       "registers");
_Static_assert(offsetof(struct program_frame, full) == 0x90 &&
		       sizeof(struct program_frame) == 0xa0 &&
		       offsetof(struct uthread_top, work) == 0 && sizeof(struct uthread_top) == 16,
	       "program frame");
_Static_assert(offsetof(struct gw_vcore, vector) == 0x18 &&
		       offsetof(struct gw_vcore, frame) + offsetof(struct gw_regs, rflags) ==
			       0xc8 &&
		       GW_CALL(GW_CALL_CONTEXT_RESUME) == 0x800000000000000b,
	       "debug traps");
_Static_assert(VU_STACK_TOP == 1 && VU_SCRATCH == 2 && VU_JUMP == 3, "user words");

#define RFLAGS_TF 0x100u

extern const char upcall_return_begin[], upcall_return_end[];
_Noreturn void upcall_return_on(struct program_frame *f);
void upcall_from_program(struct program_frame *f);
void upcall_from_runtime(struct gw_regs *saved);
void upcall_return_work(struct program_frame *f);

struct ex_entry { /* each relative to its own place */
	int32_t begin, end, fixup;
};
extern const struct ex_entry ex_table_begin[], ex_table_end[];

struct program_frame *upcall_frame(struct uthread *u)
{
	return (struct program_frame *)(void *)uthread_top(u) - 1;
}

void upcall_kick(struct uthread *u)
{
	struct shard *on = u->shard;

	/* seq_cst: the work is seen by a return after the event, or the return has not looked yet
	 */
	atomic_store_explicit(&uthread_top(u)->work, 1, memory_order_seq_cst);
	if (on != shard_self() &&
	    atomic_load_explicit(&u->state, memory_order_relaxed) == UT_RUNNING)
		gw_call(GW_CALL_NOTIFY, on->id, 0, 0);
}

_Noreturn void upcall_enter_program(const struct gw_regs *regs)
{
	struct uthread *u = uthread_self();
	struct program_frame *f = upcall_frame(u);

	f->regs = *regs;
	f->full = 1;
	f->orig_rax = ~0ull;
	upcall_set_fs_base(u->fs_base);
	upcall_return_on(f);
}

/* Before a full return: signals and the like, then events, until there is nothing more to do. */
void upcall_return_work(struct program_frame *f)
{
	struct uthread *u = uthread_self();
	struct gw_vcore *vc;

	for (;;) {
		if (atomic_load_explicit(&uthread_top(u)->work, memory_order_relaxed)) {
			atomic_exchange_explicit(&uthread_top(u)->work, 0, memory_order_acquire);
			personality_return(f);
		} else if (atomic_load_explicit(&shard_self()->vcore->pending,
						memory_order_relaxed)) {
			sched_preempt();
		} else {
			break;
		}
	}
	if (likely(!(f->regs.rflags & RFLAGS_TF)))
		return;
	/* Single-stepping: our own return must not be stepped. */
	vc = shard_self()->vcore;
	vc->frame = f->regs;
	vc->frame_masked = 0;
	gw_call(GW_CALL_CONTEXT_RESUME, 0, 0, 0);
	panic("context_resume returned");
}

/* An event or a fault while the program ran, or on the last instructions of a return to it. */
void upcall_from_program(struct program_frame *f)
{
	struct gw_vcore *vc = shard_self()->vcore;
	uint64_t vector = vc->vector, error = vc->error, va = vc->fault_va;
	bool fault = vc->reason == GW_UPCALL_FAULT;

	if (vc->frame.rip - (uint64_t)upcall_return_begin >=
	    (uint64_t)(upcall_return_end - upcall_return_begin)) {
		f->regs = vc->frame;
		f->orig_rax = ~0ull;
	}
	f->full = 1;
	if (fault)
		(void)personality_fault(f, vector, error, va, false);
	else
		sched_preempt();
}

static const void *relative(const int32_t *p)
{
	return (const char *)p + *p;
}

static uint64_t fixup_of(uint64_t rip)
{
	for (const struct ex_entry *e = ex_table_begin; e < ex_table_end; e++)
		if (rip >= (uint64_t)relative(&e->begin) && rip < (uint64_t)relative(&e->end))
			return (uint64_t)relative(&e->fixup);
	return 0;
}

static _Noreturn void die(const struct gw_regs *r, uint64_t vector, uint64_t error, uint64_t va)
{
	log_warn("fault %lu in the runtime: error %#lx, address %#lx, uthread %s",
		 (unsigned long)vector, (unsigned long)error, (unsigned long)va,
		 uthread_self()->name);
	log_warn("rip %#lx rsp %#lx rbp %#lx rflags %#lx", r->rip, r->rsp, r->rbp, r->rflags);
	log_warn("rax %#lx rbx %#lx rcx %#lx rdx %#lx rsi %#lx rdi %#lx", r->rax, r->rbx, r->rcx,
		 r->rdx, r->rsi, r->rdi);
	log_warn("r8 %#lx r9 %#lx r10 %#lx r11 %#lx r12 %#lx r13 %#lx r14 %#lx r15 %#lx", r->r8,
		 r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15);
	panic("unexpected fault");
}

/* A fault of the runtime. `saved` gets the registers and is what execution continues with. The
 * vcore area is read first: resolving the fault may park, fault again, or meet other uthreads'
 * faults. */
void upcall_from_runtime(struct gw_regs *saved)
{
	struct gw_vcore *vc = shard_self()->vcore;
	uint64_t vector = vc->vector, error = vc->error, va = vc->fault_va, fixup;

	*saved = vc->frame;
	fixup = fixup_of(saved->rip);
	if (!fixup)
		die(saved, vector, error, va);
	if (!personality_fault(upcall_frame(uthread_self()), vector, error, va, true))
		saved->rip = fixup;
}
