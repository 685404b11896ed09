/* SPDX-License-Identifier: Apache-2.0 */
/* sigreturn.c - what is done before a thread returns to its program: its end, its signals, a system
 * call that is made again. */
#include "linux/process/signal_internal.h"

static const char *trap_text(uint64_t vector)
{
	switch (vector) {
	case 0:
		return "division by zero, or its result is too large";
	case 3:
		return "breakpoint instruction";
	case 6:
		return "unknown instruction";
	case 13:
		return "privileged instruction, or an address that cannot be";
	case 16:
	case 19:
		return "floating-point exception";
	case 17:
		return "misaligned access";
	default:
		return "processor exception";
	}
}

static void report_death(struct thread *t, const struct program_frame *f,
			 const struct siginfo64 *info)
{
	char where[240], what[240];
	int sig = info->signo;

	if ((SYNCHRONOUS & SIGBIT(sig)) == 0 || info->code <= 0)
		return;
	mm_describe(t->process->mm, f->regs.rip, where, sizeof(where));
	mm_describe(t->process->mm, info->u.fault.addr, what, sizeof(what));
	if (t->trap_no != 14)
		control_line("error %s was killed by SIG%s at 0x%lx (%s): %s", t->comm,
			     signal_name(sig), f->regs.rip, where, trap_text(t->trap_no));
	else if (sig == SIGSEGV && mm_below_stack(t->process->mm, info->u.fault.addr))
		control_line(
			"error %s overflowed its stack of 8 MiB at 0x%lx (%s), stack pointer 0x%lx",
			t->comm, f->regs.rip, where, f->regs.rsp);
	else
		control_line("error %s was killed by SIG%s at 0x%lx (%s): %s address 0x%lx (%s)",
			     t->comm, signal_name(sig), f->regs.rip, where,
			     (t->trap_error & 16) != 0	? "it jumped to"
			     : (t->trap_error & 2) != 0 ? "it wrote to"
							: "it read",
			     info->u.fault.addr, what);
}

static void restart(struct program_frame *f)
{
	f->regs.rax = f->orig_rax;
	f->regs.rip -= 2; /* the syscall instruction */
}

/* Did the system call end for a signal? */
static bool interrupted(const struct program_frame *f)
{
	long result = (long)f->regs.rax;

	return f->orig_rax != ~0ull && (result == -ERESTARTSYS || result == -ERESTARTNOINTR);
}

/* Run or apply one signal. True: a handler's frame was pushed. */
static bool deliver(struct thread *t, struct program_frame *f, const struct siginfo64 *info)
{
	struct process *p = t->process;
	struct signal_action act;
	int sig = info->signo;
	sigset64 saved;

	spin_lock(&p->signal_lock);
	act = p->actions[sig - 1];
	if (act.handler > SIG_IGN && (act.flags & SA_RESETHAND) != 0)
		p->actions[sig - 1].handler = SIG_DFL;
	spin_unlock(&p->signal_lock);
	if (act.handler == SIG_IGN ||
	    (act.handler == SIG_DFL && (IGNORED_BY_DEFAULT & SIGBIT(sig)) != 0))
		return false;
	if (act.handler == SIG_DFL) {
		report_death(t, f, info);
		process_exit(128 + sig, sig);
	}
	if (interrupted(f)) {
		if ((act.flags & SA_RESTART) != 0 || (long)f->regs.rax == -ERESTARTNOINTR)
			restart(f);
		else
			f->regs.rax = (uint64_t)-EINTR;
	}
	f->orig_rax = ~0ull; /* a further handler must not restart it again */
	saved = t->restore_sigmask ? t->saved_sigmask : t->sigmask;
	t->restore_sigmask = false;
	if (!sigframe_push(t, f, info, &act, saved)) {
		control_line("error %s: no room on the stack for the handler of SIG%s (stack "
			     "pointer 0x%lx)",
			     t->comm, signal_name(sig), f->regs.rsp);
		process_exit(128 + SIGSEGV, SIGSEGV);
	}
	signal_set_mask(t,
			t->sigmask | act.mask | ((act.flags & SA_NODEFER) != 0 ? 0 : SIGBIT(sig)));
	return true;
}

void personality_return(struct program_frame *f)
{
	struct thread *t = thread_self();
	struct siginfo64 info;
	bool handled = false;

	if (t == NULL)
		return;
	if ((t->work & WORK_EXIT) != 0)
		thread_exit(0);
	if ((t->work & WORK_SIGNAL) != 0) {
		atomic_fetch_and(&t->work, ~WORK_SIGNAL);
		while (signal_take(t, ~t->sigmask, &info))
			handled |= deliver(t, f, &info);
	}
	if (!handled && interrupted(f))
		restart(f);
	if (t->restore_sigmask) {
		t->restore_sigmask = false;
		signal_set_mask(t, t->saved_sigmask);
	}
}
