/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - threads: their list, their end. A Linux thread is one program uthread. Their creation:
 * clone.c. */
#include "linux/process/process.h"

#define PID_MAX 4194304

static _Atomic uint64_t ended_syscalls;

SYSCALL_FN(exit);
SYSCALL_FN(exit_group);
SYSCALL_FN(set_tid_address);
SYSCALL_FN(gettid);
SYSCALL_FN(set_robust_list);
SYSCALL_FN(get_robust_list);
SYSCALL_FN(arch_prctl);

struct thread *thread_create(struct process *p)
{
	struct thread *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	t->process = p;
	list_init(&t->link);
	signal_init_thread(t);
	return t;
}

/* processes.lock held. */
static bool number_used(int n)
{
	list_for_each (at, &processes.list) {
		struct process *p = list_entry(at, struct process, link);
		bool used;

		if (p->pid == n || p->pgid == n || p->sid == n)
			return true;
		spin_lock(&p->lock);
		used = thread_find(p, n) != NULL;
		spin_unlock(&p->lock);
		if (used)
			return true;
	}
	return false;
}

int thread_number(void)
{
	int n;

	spin_lock(&processes.lock);
	do {
		n = processes.next_number++;
		if (processes.next_number >= PID_MAX) {
			processes.next_number = FIRST_PID;
			processes.wrapped = true;
		}
	} while (processes.wrapped && number_used(n));
	spin_unlock(&processes.lock);
	return n;
}

void thread_list(struct thread *t, int tid)
{
	struct process *p = t->process;

	spin_lock(&p->lock);
	t->tid = tid;
	p->n_threads++;
	list_add_tail(&p->threads, &t->link);
	if (p->exiting || p->execing != NULL)
		atomic_fetch_or(&t->work, WORK_EXIT);
	spin_unlock(&p->lock);
}

void thread_unlist(struct thread *t)
{
	struct process *p = t->process;

	spin_lock(&p->lock);
	list_del(&t->link);
	p->n_threads--;
	spin_unlock(&p->lock);
	mem_free(t, sizeof(*t));
}

struct thread *thread_find(struct process *p, int tid)
{
	list_for_each (n, &p->threads) {
		struct thread *t = list_entry(n, struct thread, link);

		if (t->tid == tid)
			return t;
	}
	return NULL;
}

int thread_park(uint64_t deadline_ns)
{
	struct thread *t = thread_self();
	int r;

	if (t == NULL)
		return uthread_park(deadline_ns);
	if (t->work != 0)
		return -ERESTARTSYS;
	r = uthread_park(deadline_ns);
	return t->work != 0 ? -ERESTARTSYS : r;
}

uint64_t thread_syscalls(struct process *p)
{
	uint64_t sum = 0;

	spin_lock(&p->lock);
	list_for_each (n, &p->threads)
		sum += list_entry(n, struct thread, link)->n_syscalls;
	spin_unlock(&p->lock);
	return sum;
}

uint64_t thread_syscalls_ended(void)
{
	return ended_syscalls;
}

/* What a thread leaves in its memory: at its end, and when it takes another memory by exec. */
void thread_leave_memory(struct thread *t)
{
	const uint32_t zero = 0;

	robust_list_walk(t);
	t->robust_list = 0;
	if (t->clear_child_tid != 0 &&
	    copy_to_program(t->clear_child_tid, &zero, sizeof(zero)) == 0)
		futex_wake(mm_current(), t->clear_child_tid, 1, ~0u);
	t->clear_child_tid = 0;
}

void threads_stop(struct process *p, const struct thread *but)
{
	list_for_each (n, &p->threads) {
		struct thread *t = list_entry(n, struct thread, link);

		if (t == but)
			continue;
		atomic_fetch_or(&t->work, WORK_EXIT);
		if (t->uthread != NULL) {
			upcall_kick(t->uthread);
			uthread_wake(t->uthread);
		}
	}
}

void thread_exit(int status)
{
	struct thread *t = thread_self();
	struct process *p = t->process;
	bool last;

	thread_leave_memory(t);
	signal_thread_ended(t);
	spin_lock(&p->lock);
	last = p->n_threads == 1;
	if (last && p == process_first) {
		spin_unlock(&p->lock);
		process_exit(status, 0);
	}
	list_del(&t->link);
	p->n_threads--;
	p->ended_ns += thread_cpu_ns(t);
	if (last && atomic_exchange(&p->exiting, 1) == 0)
		p->exit_status = status << 8;
	if (!last)
		waitq_notify(&p->changed, 0); /* an exec may wait; under the lock: p is there */
	spin_unlock(&p->lock);
	atomic_fetch_add(&ended_syscalls, t->n_syscalls);
	if (last)
		process_empty(p);
	t->uthread->owner = NULL;
	mem_free(t, sizeof(*t));
	if (last)
		process_ended(p);
	else
		space_move(0); /* its memory may go before the uthread does */
	uthread_exit();
}

SYSCALL_FN(exit)
{
	(void)t;
	thread_exit((int)(r->rdi & 0xff));
}

SYSCALL_FN(exit_group)
{
	(void)t;
	process_exit((int)(r->rdi & 0xff), 0);
}

SYSCALL_FN(set_tid_address)
{
	t->clear_child_tid = r->rdi;
	return t->tid;
}

SYSCALL_FN(gettid)
{
	(void)r;
	return t->tid;
}

SYSCALL_FN(set_robust_list)
{
	if (r->rsi != 24)
		return -EINVAL;
	t->robust_list = r->rdi;
	return 0;
}

SYSCALL_FN(get_robust_list)
{
	struct process *p = t->process;
	struct thread *of;
	uint64_t head = 0, len = 24;

	spin_lock(&p->lock);
	of = r->rdi == 0 ? t : thread_find(p, (int)r->rdi);
	if (of != NULL)
		head = of->robust_list;
	spin_unlock(&p->lock);
	if (of == NULL)
		return -ESRCH;
	if (copy_to_program(r->rdx, &len, 8) != 0 || copy_to_program(r->rsi, &head, 8) != 0)
		return -EFAULT;
	return 0;
}

SYSCALL_FN(arch_prctl)
{
	switch (r->rdi) {
	case 0x1002: /* ARCH_SET_FS */
		if (r->rsi >= GW_PROGRAM_END)
			return -EPERM;
		upcall_set_fs_base(r->rsi);
		return 0;
	case 0x1003: /* ARCH_GET_FS */
		return copy_to_program(r->rsi, &t->uthread->fs_base, 8);
	case 0x1001: /* ARCH_SET_GS: GS is the runtime's */
	case 0x1004:
		return -EPERM;
	default:
		return -EINVAL;
	}
}
