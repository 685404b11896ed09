/* SPDX-License-Identifier: Apache-2.0 */
/* wait.c - waiting for children: wait4, waitid; and the calls about process groups and sessions.
 * Children do not stop here (signal.c), so WUNTRACED and WCONTINUED never report anything. */
#include "linux/process/process.h"

#define WNOHANG 1u
#define WUNTRACED 2u
#define WEXITED 4u
#define WCONTINUED 8u
#define WNOWAIT 0x01000000u
#define WAIT_KINDS                                                                    \
	0xe0000000u /* __WNOTHREAD, __WALL, __WCLONE: every child is waited for alike \
		     */
#define P_ALL 0
#define P_PID 1
#define P_PGID 2

SYSCALL_FN(wait4);
SYSCALL_FN(waitid);
SYSCALL_FN(getppid);
SYSCALL_FN(getpgrp);
SYSCALL_FN(getpgid);
SYSCALL_FN(setpgid);
SYSCALL_FN(getsid);
SYSCALL_FN(setsid);

struct wanted {
	int pid, pgid; /* 0: any */
};

struct ended { /* what is told of a child */
	int pid, status;
	uint32_t uid;
	uint64_t cpu_ns;
};

/* Take an ended child of p. 1: *e has it; 0: none has ended; -ECHILD: there is none. */
static int take_child(struct process *p, const struct wanted *w, bool keep, struct ended *e)
{
	struct process *found = NULL;
	bool any = false;

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list) {
		struct process *c = list_entry(n, struct process, link);

		if (c->parent != p || (w->pid != 0 && c->pid != w->pid) ||
		    (w->pgid != 0 && c->pgid != w->pgid))
			continue;
		any = true;
		if (!c->zombie)
			continue;
		*e = (struct ended){ c->pid, c->exit_status, c->uid, c->ended_ns + c->children_ns };
		found = c;
		break;
	}
	if (found != NULL && !keep) {
		p->children_ns += e->cpu_ns;
		list_del(&found->link);
		processes.n--;
	}
	spin_unlock(&processes.lock);
	if (found != NULL && !keep)
		process_put(found);
	return found != NULL ? 1 : any ? 0 : -ECHILD;
}

static int wait_child(struct process *p, const struct wanted *w, uint64_t options, struct ended *e)
{
	struct waiter waiter = { .uthread = uthread_self() };
	bool keep = (options & WNOWAIT) != 0;
	int r = take_child(p, w, keep, e), stop = 0;

	if (r != 0 || (options & WNOHANG) != 0)
		return r;
	waitq_add(&p->changed, &waiter);
	while ((r = take_child(p, w, keep, e)) == 0 && stop == 0)
		stop = thread_park(GW_NEVER);
	waitq_del(&p->changed, &waiter);
	return r != 0 ? r : stop;
}

static int put_usage(uint64_t va, uint64_t cpu_ns)
{
	uint64_t usage[18] = {
		0
	}; /* struct rusage: user and system time, then what nobody counts */
	struct timeval64 tv = timeval_of(cpu_ns);

	memcpy(usage, &tv, sizeof(tv));
	return va != 0 ? copy_to_program(va, usage, sizeof(usage)) : 0;
}

SYSCALL_FN(wait4)
{
	int32_t pid = (int32_t)r->rdi;
	int32_t group = pid < -1 && pid != INT32_MIN ? -pid : 0;
	struct wanted w = { pid > 0 ? pid : 0, pid == 0 ? t->process->pgid : group };
	struct ended e = { 0 };
	int got;

	if ((r->rdx & ~(uint64_t)(WNOHANG | WUNTRACED | WCONTINUED | WAIT_KINDS)) != 0)
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	got = wait_child(t->process, &w, r->rdx, &e);
	if (got != 1)
		return got;
	if ((r->rsi != 0 && copy_to_program(r->rsi, &e.status, sizeof(e.status)) != 0) ||
	    put_usage(r->r10, e.cpu_ns) != 0)
		return -EFAULT;
	return e.pid;
}

SYSCALL_FN(waitid)
{
	struct wanted w = { 0, 0 };
	struct siginfo64 info = { 0 };
	struct ended e = { 0 };
	int got;

	if ((r->r10 &
	     ~(uint64_t)(WNOHANG | WUNTRACED | WEXITED | WCONTINUED | WNOWAIT | WAIT_KINDS)) != 0 ||
	    (r->r10 & (WUNTRACED | WEXITED | WCONTINUED)) == 0)
		return -EINVAL;
	if (r->rdi == P_PID)
		w.pid = (int32_t)r->rsi;
	else if (r->rdi == P_PGID)
		w.pgid = (int32_t)r->rsi != 0 ? (int32_t)r->rsi : t->process->pgid;
	else if (r->rdi != P_ALL)
		return -EINVAL;
	if (r->rdi == P_PID ? w.pid <= 0 : w.pgid < 0)
		return -EINVAL;
	got = wait_child(t->process, &w, r->r10, &e);
	if (got < 0)
		return got;
	if (got == 1) {
		info = (struct siginfo64){ .signo = SIGCHLD };
		info.code = (e.status & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED;
		info.u.child.pid = e.pid;
		info.u.child.uid = e.uid;
		info.u.child.status = (e.status & 0x7f) != 0 ? e.status & 0x7f : e.status >> 8;
		if (put_usage(r->r8, e.cpu_ns) != 0)
			return -EFAULT;
	}
	return r->rdx != 0 ? copy_to_program(r->rdx, &info, 32) : 0;
}

/* ---- groups and sessions ---- */

SYSCALL_FN(getppid)
{
	(void)r;
	return process_parent(t->process);
}

SYSCALL_FN(getpgrp)
{
	(void)r;
	return t->process->pgid;
}

static long number_of(struct thread *t, uint64_t who, bool session)
{
	const struct process *p;
	long n = -ESRCH;

	spin_lock(&processes.lock);
	p = (int32_t)who == 0 ? t->process : process_find((int32_t)who);
	if (p != NULL)
		n = session ? p->sid : p->pgid;
	spin_unlock(&processes.lock);
	return n;
}

SYSCALL_FN(getpgid)
{
	return number_of(t, r->rdi, false);
}

SYSCALL_FN(getsid)
{
	return number_of(t, r->rdi, true);
}

/* Is there a process of that group in the session? Lock held. */
static bool group_in_session(int pgid, int sid)
{
	list_for_each (n, &processes.list) {
		const struct process *p = list_entry(n, struct process, link);

		if (p->pgid == pgid && p->sid == sid)
			return true;
	}
	return false;
}

static long set_group(const struct process *self, int pid, int pgid)
{
	struct process *p = process_find(pid);

	if (p == NULL || (p != self && p->parent != self))
		return -ESRCH;
	if (p != self && p->execed)
		return -EACCES;
	if (p->sid != self->sid || p->sid == p->pid)
		return -EPERM;
	if (pgid != pid && !group_in_session(pgid, self->sid))
		return -EPERM;
	p->pgid = pgid;
	return 0;
}

SYSCALL_FN(setpgid)
{
	int pid = (int32_t)r->rdi != 0 ? (int32_t)r->rdi : t->process->pid;
	int pgid = (int32_t)r->rsi != 0 ? (int32_t)r->rsi : pid;
	long result;

	if ((int32_t)r->rsi < 0)
		return -EINVAL;
	spin_lock(&processes.lock);
	result = set_group(t->process, pid, pgid);
	spin_unlock(&processes.lock);
	return result;
}

SYSCALL_FN(setsid)
{
	struct process *self = t->process;
	bool leads = false;

	(void)r;
	spin_lock(&processes.lock);
	list_for_each (n, &processes.list)
		leads |= list_entry(n, struct process, link)->pgid == self->pid;
	if (!leads)
		self->sid = self->pgid = self->pid;
	spin_unlock(&processes.lock);
	return leads ? -EPERM : self->pid;
}
