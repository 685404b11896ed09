/* SPDX-License-Identifier: Apache-2.0 */
/* trap.c - exceptions of the program: page faults are resolved, everything else becomes a signal.
 */
#include "linux/process/process.h"

#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_FETCH 16u
#define STATUS_OOM 137

enum {
	ILL_ILLOPN = 2,
	FPE_INTDIV = 1,
	FPE_FLTINV = 7,
	TRAP_BRKPT = 1,
	TRAP_TRACE = 2,
	BUS_ADRALN = 1
};

/* The first process ends at once, and the machine with it; another one when it is back at its
 * program. */
static void out_of_memory(struct mm *mm, int why)
{
	struct siginfo64 info = { .signo = SIGKILL, .code = SI_KERNEL };
	struct process *p = process_self();
	struct mm_usage u;

	mm_usage(mm, &u);
	if (why == -ENOSPC)
		control_line("error out of page tables: the memory of process %d is spread over "
			     "more address space than the partition's tables can map; give the "
			     "machine more memory with -m",
			     p->pid);
	else
		control_line("error out of memory: process %d holds %lu KiB of the partition's %lu "
			     "KiB and needs more; "
			     "give the machine more with -m",
			     p->pid, u.resident_bytes / 1024,
			     mem_total_pages() * (GW_PAGE_SIZE / 1024));
	if (p == process_first)
		process_exit(STATUS_OOM, SIGKILL);
	(void)!signal_queue(p, NULL, &info);
}

static void note_trap(struct thread *t, uint64_t vector, uint64_t error, uint64_t va)
{
	t->trap_no = vector;
	t->trap_error = error;
	t->trap_va = va;
}

static bool page_fault(struct thread *t, uint64_t error, uint64_t va, bool from_runtime)
{
	bool may_park = shard_self()->nofault == 0;
	int sig = SIGSEGV, code = 1, r = -EFAULT;
	struct mm *mm = mm_current();

	linux_stats.faults++;
	if (mm != NULL && program_range(va, 1))
		r = mm_fault(mm, va, (error & PF_WRITE) != 0, (error & PF_FETCH) != 0,
			     (error & PF_PRESENT) != 0, may_park, &sig, &code);
	if (r == 0)
		return true;
	if ((r == -ENOMEM || r == -ENOSPC) && may_park) {
		out_of_memory(mm, r);
		return !from_runtime;
	}
	if (from_runtime)
		return false;
	note_trap(t, 14, error | 4, va);
	signal_fault(t, sig, code, va);
	return true;
}

bool personality_fault(struct program_frame *f, uint64_t vector, uint64_t error, uint64_t va,
		       bool from_runtime)
{
	struct thread *t = thread_self();
	int sig = SIGSEGV, code = SI_KERNEL;
	uint64_t addr = f->regs.rip;

	if (vector == 14)
		return page_fault(t, error, va, from_runtime);
	if (from_runtime)
		return false;
	note_trap(t, vector, error, 0);
	switch (vector) {
	case 0: /* division */
		sig = SIGFPE;
		code = FPE_INTDIV;
		break;
	case 1: /* debug */
		sig = SIGTRAP;
		code = TRAP_TRACE;
		break;
	case 3: /* int3 */
		sig = SIGTRAP;
		break;
	case 6:
		sig = SIGILL;
		code = ILL_ILLOPN;
		break;
	case 16:
	case 19: /* x87, SSE: the kind is in the status words, which the handler can read */
		sig = SIGFPE;
		code = FPE_FLTINV;
		break;
	case 17:
		sig = SIGBUS;
		code = BUS_ADRALN;
		break;
	default: /* general protection and the segment faults */
		addr = 0;
		break;
	}
	signal_fault(t, sig, code, addr);
	return true;
}
