/* SPDX-License-Identifier: Apache-2.0 */
/* signal.c - sending, queueing and taking signals (what a program makes of them: sigreturn.c).
 * Senders may be timer callbacks, so queueing allocates nothing: entries come from one list made at
 * start. */
#include "linux/process/signal_internal.h"

#define QUEUE_ENTRIES 56u
#define UNBLOCKABLE (SIGBIT(SIGKILL) | SIGBIT(SIGSTOP))
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
