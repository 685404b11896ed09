/* SPDX-License-Identifier: Apache-2.0 */
/* sigcalls.c - the signal family of system calls. */
#include "linux/process/process.h"

SYSCALL_FN(rt_sigaction);
SYSCALL_FN(rt_sigprocmask);
SYSCALL_FN(rt_sigpending);
SYSCALL_FN(rt_sigtimedwait);
SYSCALL_FN(rt_sigsuspend);
SYSCALL_FN(rt_sigqueueinfo);
SYSCALL_FN(rt_tgsigqueueinfo);
SYSCALL_FN(rt_sigreturn);
SYSCALL_FN(sigaltstack);
SYSCALL_FN(pause);
SYSCALL_FN(kill);
SYSCALL_FN(tkill);
SYSCALL_FN(tgkill);
SYSCALL_FN(restart_syscall);

SYSCALL_FN(rt_sigaction)
{
	int sig = (int)r->rdi;
	struct signal_action act, old;
	struct process *p = t->process;

	if (sig < 1 || sig > NSIG || r->r10 != 8)
		return -EINVAL;
	if (r->rsi != 0) {
		if (sig == SIGKILL || sig == SIGSTOP)
			return -EINVAL;
		if (copy_from_program(&act, r->rsi, sizeof(act)) != 0)
			return -EFAULT;
	}
	spin_lock(&p->signal_lock);
	old = p->actions[sig - 1];
	if (r->rsi != 0) {
		p->actions[sig - 1] = act;
		if (sig == SIGCHLD)
			p->no_zombies = act.handler == SIG_IGN || (act.flags & SA_NOCLDWAIT) != 0;
	}
	spin_unlock(&p->signal_lock);
	return r->rdx != 0 ? copy_to_program(r->rdx, &old, sizeof(old)) : 0;
}

SYSCALL_FN(rt_sigprocmask)
{
	sigset64 set, old = t->sigmask;

	if (r->r10 != 8)
		return -EINVAL;
	if (r->rsi != 0) {
		if (copy_from_program(&set, r->rsi, 8) != 0)
			return -EFAULT;
		switch (r->rdi) {
		case 0: /* SIG_BLOCK */
			set |= old;
			break;
		case 1: /* SIG_UNBLOCK */
			set = old & ~set;
			break;
		case 2: /* SIG_SETMASK */
			break;
		default:
			return -EINVAL;
		}
		signal_set_mask(t, set);
	}
	return r->rdx != 0 ? copy_to_program(r->rdx, &old, 8) : 0;
}

SYSCALL_FN(rt_sigpending)
{
	sigset64 set = (t->pending | t->process->pending) & t->sigmask;

	return r->rsi > 8 ? -EINVAL : copy_to_program(r->rdi, &set, r->rsi);
}

SYSCALL_FN(rt_sigtimedwait)
{
	struct siginfo64 info;
	uint64_t ns, deadline = GW_NEVER;
	sigset64 set;
	long err = 0;

	if (r->r10 != 8)
		return -EINVAL;
	if (copy_from_program(&set, r->rdi, 8) != 0)
		return -EFAULT;
	if (r->rdx != 0) {
		err = timespec_from_program(r->rdx, &ns);
		if (err == 0)
			err = clock_deadline(CLOCK_MONOTONIC, ns, false, &deadline);
		if (err != 0)
			return err;
	}
	set &= ~(SIGBIT(SIGKILL) | SIGBIT(SIGSTOP));
	t->sigwait = set;
	while (!signal_take(t, set, &info)) {
		/* A signal that we wait for sets WORK_SIGNAL too; what is left then is for a
		 * handler. */
		signal_recheck(t);
		if (((t->pending | t->process->pending) & set) != 0)
			continue;
		err = thread_park(deadline);
		if (signal_take(t, set, &info)) {
			err = 0;
			break;
		}
		if (err != 0)
			break;
	}
	t->sigwait = 0;
	if (err != 0)
		return err == -ETIMEDOUT ? -EAGAIN : -EINTR;
	if (r->rsi != 0 && copy_to_program(r->rsi, &info, sizeof(info)) != 0)
		return -EFAULT;
	return info.signo;
}

SYSCALL_FN(rt_sigsuspend)
{
	sigset64 set;

	if (r->rsi != 8)
		return -EINVAL;
	if (copy_from_program(&set, r->rdi, 8) != 0)
		return -EFAULT;
	t->saved_sigmask = t->sigmask;
	t->restore_sigmask = true;
	signal_set_mask(t, set);
	while (thread_park(GW_NEVER) == 0)
		;
	return -EINTR;
}

SYSCALL_FN(pause)
{
	(void)t, (void)r;
	while (thread_park(GW_NEVER) == 0)
		;
	return -EINTR;
}

SYSCALL_FN(rt_sigreturn)
{
	struct program_frame *f = upcall_frame(t->uthread);

	if (sigframe_pop(t, f) != 0) {
		signal_fault(t, SIGSEGV, SI_KERNEL, 0);
		return 0;
	}
	return (long)r->rax;
}

SYSCALL_FN(sigaltstack)
{
	struct {
		uint64_t va;
		uint32_t flags, pad;
		uint64_t len;
	} ss, old = { t->altstack_va, t->altstack_flags, 0, t->altstack_len };
	bool on = r->rsp - t->altstack_va - 1 < t->altstack_len && (t->altstack_flags & 2) == 0;

	if (on)
		old.flags |= 1;
	if (r->rdi != 0) {
		if (copy_from_program(&ss, r->rdi, sizeof(ss)) != 0)
			return -EFAULT;
		if (on)
			return -EPERM;
		if ((ss.flags & 0x7fffffffu) > 2)
			return -EINVAL;
		if ((ss.flags & 2) != 0)
			ss.va = ss.len = 0;
		else if (ss.len < 2048)
			return -ENOMEM;
		t->altstack_va = ss.va;
		t->altstack_len = ss.len;
		t->altstack_flags = ss.flags & ~1u;
	}
	return r->rsi != 0 ? copy_to_program(r->rsi, &old, sizeof(old)) : 0;
}

static struct siginfo64 from_self(struct thread *t, int sig, int code)
{
	struct siginfo64 info = { .signo = sig, .code = code };

	info.u.sender.pid = t->process->pid;
	info.u.sender.uid = t->process->uid;
	return info;
}

SYSCALL_FN(kill)
{
	int64_t pid = (int32_t)r->rdi;
	int sig = (int)r->rsi;
	struct siginfo64 info;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	info = from_self(t, sig, SI_USER);
	return process_kill(t->process, pid, &info);
}

/* To thread tid of process pid (0: of whichever has it). */
static long queue_thread(int pid, int tid, const struct siginfo64 *info)
{
	long result = -ESRCH;

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list) {
		struct process *p = list_entry(n, struct process, link);

		if (pid != 0 && p->pid != pid)
			continue;
		result = signal_queue_tid(p, tid, info);
		if (result != -ESRCH)
			break;
	}
	spin_unlock(&processes.lock);
	return result;
}

static long thread_kill(struct thread *t, int pid, int tid, int sig)
{
	struct siginfo64 info = from_self(t, sig, SI_TKILL);

	if (tid <= 0 || sig < 0 || sig > NSIG)
		return -EINVAL;
	return queue_thread(pid, tid, &info);
}

SYSCALL_FN(tkill)
{
	return thread_kill(t, 0, (int)r->rdi, (int)r->rsi);
}

SYSCALL_FN(tgkill)
{
	return (int)r->rdi <= 0 ? -EINVAL : thread_kill(t, (int)r->rdi, (int)r->rsi, (int)r->rdx);
}

static long queue_info(struct thread *t, int pid, int tid, int sig, uint64_t va)
{
	struct siginfo64 info;

	if (copy_from_program(&info, va, sizeof(info)) != 0)
		return -EFAULT;
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	/* Nobody but the process itself may say that the kernel or kill sent it. */
	if ((info.code >= 0 || info.code == SI_TKILL) && pid != t->process->pid)
		return -EPERM;
	info.signo = sig;
	if (tid != 0)
		return queue_thread(pid, tid, &info);
	return pid <= 0 ? -ESRCH : process_kill(t->process, pid, &info);
}

SYSCALL_FN(rt_sigqueueinfo)
{
	return queue_info(t, (int)r->rdi, 0, (int)r->rsi, r->rdx);
}

SYSCALL_FN(rt_tgsigqueueinfo)
{
	if ((int)r->rsi <= 0 || (int)r->rdi <= 0)
		return -EINVAL;
	return queue_info(t, (int)r->rdi, (int)r->rsi, (int)r->rdx, r->r10);
}

SYSCALL_FN(restart_syscall)
{
	(void)t, (void)r;
	return -EINTR;
}
