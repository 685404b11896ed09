/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - sending, queueing and taking signals, and what happens to them before a thread returns
 * to the program. Senders may be timer callbacks, so queueing allocates nothing: entries come from
 * one list made at start. */
#include "linux/process/process.h"

#define QUEUE_ENTRIES 56u
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
#define STOPS (SIGBIT(SIGSTOP) | SIGBIT(SIGTSTP) | SIGBIT(SIGTTIN) | SIGBIT(SIGTTOU))
/* Default action: nothing. Nobody continues a stopped program, so stopping is ignored as well. */
#define IGNORED_BY_DEFAULT \
	(SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH) | STOPS)
#define SYNCHRONOUS                                                                             \
	(SIGBIT(SIGSEGV) | SIGBIT(SIGBUS) | SIGBIT(SIGILL) | SIGBIT(SIGTRAP) | SIGBIT(SIGFPE) | \
	 SIGBIT(SIGSYS))

struct entry {
	struct list_node link;
	struct siginfo64 info;
};

static struct {
	struct spinlock lock;
	struct list_node unused;
} pool;

static struct entry *entry_take(void)
{
	struct list_node *n;

	spin_lock(&pool.lock);
	n = list_pop(&pool.unused);
	spin_unlock(&pool.lock);
	return n != NULL ? list_entry(n, struct entry, link) : NULL;
}

static void entry_give(struct entry *e)
{
	spin_lock(&pool.lock);
	list_add_tail(&pool.unused, &e->link);
	spin_unlock(&pool.lock);
}

int signal_init(void)
{
	struct entry *e = mem_zalloc(QUEUE_ENTRIES * sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	list_init(&pool.unused);
	for (uint32_t i = 0; i < QUEUE_ENTRIES; i++)
		list_add_tail(&pool.unused, &e[i].link);
	return 0;
}

void signal_init_thread(struct thread *t)
{
	list_init(&t->sigqueue);
	t->altstack_flags = 2; /* SS_DISABLE */
}

const char *signal_name(int sig)
{
	static const char names[] =
		"HUP\0INT\0QUIT\0ILL\0TRAP\0ABRT\0BUS\0FPE\0KILL\0USR1\0SEGV\0USR2\0PIPE\0ALRM\0"
		"TERM\0STKFLT\0CHLD\0CONT\0STOP\0TSTP\0TTIN\0TTOU\0URG\0XCPU\0XFSZ\0VTALRM\0"
		"PROF\0WINCH\0IO\0PWR\0SYS";
	const char *s = names;

	if (sig < 1 || sig > 31)
		return "RT";
	while (--sig > 0)
		s += strlen(s) + 1;
	return s;
}

static bool is_ignored(const struct process *p, int sig)
{
	uint64_t h = p->actions[sig - 1].handler;

	return h == SIG_IGN || (h == SIG_DFL && (IGNORED_BY_DEFAULT & SIGBIT(sig)) != 0);
}

/* Tell a thread to look at its signals. signal_lock held; process->lock too unless t is the caller.
 */
static void alert(struct thread *t)
{
	atomic_fetch_or(&t->work, WORK_SIGNAL);
	if (t->uthread != NULL) {
		upcall_kick(t->uthread);
		uthread_wake(t->uthread);
	}
}

/* Does t wait for sig or leave it unblocked? */
static bool takes(const struct thread *t, int sig)
{
	return (t->sigwait & SIGBIT(sig)) != 0 || (t->sigmask & SIGBIT(sig)) == 0;
}

/* Both locks held. */
static void alert_taker(struct process *p, struct thread *t, int sig)
{
	struct thread *first = NULL;

	if (t != NULL) {
		if (takes(t, sig))
			alert(t);
		return;
	}
	list_for_each (n, &p->threads) {
		struct thread *at = list_entry(n, struct thread, link);

		if ((at->sigwait & SIGBIT(sig)) != 0) {
			first = at;
			break;
		}
		if (first == NULL && takes(at, sig))
			first = at;
	}
	if (first != NULL)
		alert(first);
}

static bool enqueue(struct process *p, struct thread *t, const struct siginfo64 *info)
{
	sigset64 *pending = t != NULL ? &t->pending : &p->pending, bit = SIGBIT(info->signo);
	struct entry *e;

	if ((*pending & bit) != 0 && info->signo < 32)
		return true; /* one of a standard kind is enough */
	e = entry_take();
	if (e == NULL && info->signo >= 32 && info->code != SI_KERNEL)
		return false;
	*pending |= bit;
	if (e != NULL) {
		e->info = *info;
		list_add_tail(t != NULL ? &t->sigqueue : &p->sigqueue, &e->link);
	}
	return true;
}

/* p->lock held. */
static int queue_locked(struct process *p, struct thread *t, const struct siginfo64 *info)
{
	const struct list_node *threads = &p->threads;
	const struct thread *at = t;
	int sig = info->signo, r = 0;

	if (at == NULL && !list_empty(threads))
		at = list_entry(threads->next, struct thread, link);
	spin_lock(&p->signal_lock);
	/* An ignored signal is dropped, unless it is blocked: the action may change meanwhile. */
	if (at != NULL &&
	    (!is_ignored(p, sig) || ((at->sigmask | at->sigwait) & SIGBIT(sig)) != 0)) {
		if (enqueue(p, t, info))
			alert_taker(p, t, sig);
		else
			r = -EAGAIN;
	}
	spin_unlock(&p->signal_lock);
	return r;
}

void (*signal_arrived)(void);

int signal_queue(struct process *p, struct thread *t, const struct siginfo64 *info)
{
	int r;

	spin_lock(&p->lock);
	r = queue_locked(p, t, info);
	spin_unlock(&p->lock);
	if (signal_arrived != NULL)
		signal_arrived();
	return r;
}

int signal_queue_tid(struct process *p, int tid, const struct siginfo64 *info)
{
	struct thread *t;
	int r = -ESRCH;

	spin_lock(&p->lock);
	t = thread_find(p, tid);
	if (t != NULL)
		r = info->signo != 0 ? queue_locked(p, t, info) : 0;
	spin_unlock(&p->lock);
	if (signal_arrived != NULL)
		signal_arrived();
	return r;
}

void signal_send(struct thread *t, const struct siginfo64 *info)
{
	(void)!signal_queue(t != NULL ? t->process : process_first, t, info);
}

void signal_reset(struct process *p)
{
	spin_lock(&p->signal_lock);
	for (int i = 0; i < NSIG; i++) {
		uint64_t keep = p->actions[i].handler == SIG_IGN ? SIG_IGN : SIG_DFL;

		p->actions[i] = (struct signal_action){ .handler = keep };
	}
	spin_unlock(&p->signal_lock);
}

void signal_process_ended(struct process *p)
{
	struct list_node *n;

	spin_lock(&p->signal_lock);
	while ((n = list_pop(&p->sigqueue)) != NULL)
		entry_give(list_entry(n, struct entry, link));
	spin_unlock(&p->signal_lock);
}

void signal_fault(struct thread *t, int sig, int code, uint64_t addr)
{
	struct siginfo64 info = { .signo = sig, .code = code, .u.fault.addr = addr };
	struct process *p = t->process;

	spin_lock(&p->signal_lock);
	/* A fault cannot be put off: blocked or ignored, it kills. */
	if ((t->sigmask & SIGBIT(sig)) != 0 || p->actions[sig - 1].handler == SIG_IGN) {
		p->actions[sig - 1].handler = SIG_DFL;
		t->sigmask &= ~SIGBIT(sig);
	}
	t->pending &= ~SIGBIT(sig);
	(void)!enqueue(p, t, &info);
	alert(t);
	spin_unlock(&p->signal_lock);
}

/* Take the first entry of sig out of a queue. */
static void dequeue(struct list_node *queue, sigset64 *pending, int sig, struct siginfo64 *info)
{
	bool found = false, more = false;

	*info = (struct siginfo64){ .signo = sig, .code = SI_KERNEL };
	list_for_each_safe(n, queue)
	{
		struct entry *e = list_entry(n, struct entry, link);

		if (e->info.signo != sig)
			continue;
		if (found) {
			more = true;
			break;
		}
		found = true;
		*info = e->info;
		list_del(&e->link);
		entry_give(e);
	}
	if (!more)
		*pending &= ~SIGBIT(sig);
}

bool signal_take(struct thread *t, sigset64 from, struct siginfo64 *info)
{
	struct process *p = t->process;
	sigset64 set;
	int sig;

	spin_lock(&p->signal_lock);
	set = (t->pending | p->pending) & from;
	if (set == 0) {
		spin_unlock(&p->signal_lock);
		return false;
	}
	if ((set & SIGBIT(SIGKILL)) != 0)
		set = SIGBIT(SIGKILL);
	else if ((set & SYNCHRONOUS) != 0)
		set &= SYNCHRONOUS;
	sig = __builtin_ctzll(set) + 1;
	if ((t->pending & SIGBIT(sig)) != 0)
		dequeue(&t->sigqueue, &t->pending, sig, info);
	else
		dequeue(&p->sigqueue, &p->pending, sig, info);
	spin_unlock(&p->signal_lock);
	return true;
}

void signal_recheck(struct thread *t)
{
	atomic_fetch_and(&t->work, ~WORK_SIGNAL);
	if (((t->pending | t->process->pending) & ~t->sigmask) != 0)
		atomic_fetch_or(&t->work, WORK_SIGNAL);
}

/* Work for others: process signals that this thread does not take any more. */
static void hand_over(struct process *p, sigset64 set)
{
	while (set != 0) {
		int sig = __builtin_ctzll(set) + 1;

		set &= set - 1;
		alert_taker(p, NULL, sig);
	}
}

void signal_set_mask(struct thread *t, sigset64 mask)
{
	struct process *p = t->process;

	mask &= ~UNBLOCKABLE;
	if (mask == t->sigmask)
		return;
	if ((t->pending | p->pending) ==
	    0) { /* a sender that comes now sees the old or the new mask */
		spin_lock(&p->signal_lock);
		t->sigmask = mask;
		if ((t->pending | p->pending) & ~mask)
			alert(t);
		spin_unlock(&p->signal_lock);
		return;
	}
	spin_lock(&p->lock);
	spin_lock(&p->signal_lock);
	t->sigmask = mask;
	if ((t->pending | p->pending) & ~mask)
		alert(t);
	hand_over(p, p->pending & mask);
	spin_unlock(&p->signal_lock);
	spin_unlock(&p->lock);
}

void signal_thread_ended(struct thread *t)
{
	struct process *p = t->process;
	struct list_node *n;

	spin_lock(&p->lock);
	spin_lock(&p->signal_lock);
	while ((n = list_pop(&t->sigqueue)) != NULL)
		entry_give(list_entry(n, struct entry, link));
	hand_over(p, p->pending);
	spin_unlock(&p->signal_lock);
	spin_unlock(&p->lock);
}

/* ---- before returning to the program ---- */

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
	if (f->orig_rax != ~0ull && (long)f->regs.rax == -ERESTARTSYS) {
		if ((act.flags & SA_RESTART) != 0)
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
	if (!handled && f->orig_rax != ~0ull && (long)f->regs.rax == -ERESTARTSYS)
		restart(f);
	if (t->restore_sigmask) {
		t->restore_sigmask = false;
		signal_set_mask(t, t->saved_sigmask);
	}
}
