/* SPDX-License-Identifier: Apache-2.0 */
/* thread.c - the process, its threads, their creation and end. A Linux thread is one program
 * uthread. */
#include "linux/process/process.h"

#define CLONE_VM 0x100u
#define CLONE_FS 0x200u
#define CLONE_FILES 0x400u
#define CLONE_SIGHAND 0x800u
#define CLONE_PIDFD 0x1000u
#define CLONE_VFORK 0x4000u
#define CLONE_THREAD 0x10000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_CHILD_SETTID 0x1000000u
#define CLONE_THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

#define FIRST_PID 2 /* not 1: some programs behave as init then */
#define RLIM_INFINITY (~0ull)

struct process *process;
static uint64_t ended_syscalls; /* process->lock */

SYSCALL_FN(clone);
SYSCALL_FN(clone3);
SYSCALL_FN(fork);
SYSCALL_FN(vfork);
SYSCALL_FN(exit);
SYSCALL_FN(exit_group);
SYSCALL_FN(set_tid_address);
SYSCALL_FN(gettid);
SYSCALL_FN(set_robust_list);
SYSCALL_FN(get_robust_list);
SYSCALL_FN(arch_prctl);

static void set_limits(struct process *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rlimits); i++)
		p->rlimits[i][0] = p->rlimits[i][1] = RLIM_INFINITY;
	p->rlimits[3][0] = 8ull << 20;		     /* STACK */
	p->rlimits[4][0] = 0;			     /* CORE */
	p->rlimits[7][0] = p->rlimits[7][1] = 65536; /* NOFILE */
	p->rlimits[11][0] = p->rlimits[11][1] = 56;  /* SIGPENDING: signal.c's queue */
	p->rlimits[13][0] = p->rlimits[13][1] = 0;   /* NICE */
	p->rlimits[14][0] = p->rlimits[14][1] = 0;   /* RTPRIO */
}

int process_init(void)
{
	struct process *p = mem_zalloc(sizeof(*p));
	int r;

	if (p == NULL)
		return -ENOMEM;
	p->pid = FIRST_PID;
	p->next_tid = FIRST_PID;
	list_init(&p->threads);
	list_init(&p->sigqueue);
	p->umask = 022;
	set_limits(p);
	p->start_ns = clock_now();
	p->mm = mm_create();
	if (p->mm == NULL)
		return -ENOMEM;
	process = p;
	futex_init();
	r = signal_init();
	posix_timers_init();
	return r;
}

struct thread *thread_create(void)
{
	struct thread *t = mem_zalloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	t->process = process;
	list_init(&t->link);
	signal_init_thread(t);
	return t;
}

void thread_list(struct thread *t)
{
	spin_lock(&process->lock);
	t->tid = (int)process->next_tid++;
	process->n_threads++;
	list_add_tail(&process->threads, &t->link);
	spin_unlock(&process->lock);
}

struct thread *thread_find(int tid)
{
	list_for_each (n, &process->threads) {
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

uint64_t thread_syscalls_ended(void)
{
	return ended_syscalls;
}

void thread_exit(int status)
{
	struct thread *t = thread_self();
	const uint32_t zero = 0;
	bool last;

	robust_list_walk(t);
	if (t->clear_child_tid != 0 &&
	    copy_to_program(t->clear_child_tid, &zero, sizeof(zero)) == 0)
		futex_wake(t->clear_child_tid, 1, ~0u);
	spin_lock(&process->lock);
	last = process->n_threads == 1;
	if (!last) {
		list_del(&t->link);
		process->n_threads--;
		ended_syscalls += t->n_syscalls;
	}
	spin_unlock(&process->lock);
	if (last)
		process_exit(status, 0);
	signal_thread_ended(t);
	t->uthread->owner = NULL;
	mem_free(t, sizeof(*t));
	uthread_exit();
}

/* ---- clone ---- */

struct clone_request {
	uint64_t flags, child_tid, parent_tid, stack, tls;
};

struct birth { /* what the new thread starts with; freed by it */
	struct thread *t;
	struct gw_regs regs;
	uint64_t fs_base;
	uint64_t set_tid_va;
	void *fpu; /* the parent's extended state */
};

static void set_fs(uint64_t base)
{
	uthread_self()->fs_base = base;
	__asm__ volatile("wrfsbase %0" : : "r"(base) : "memory");
}

static void thread_main(void *arg)
{
	struct birth b = *(struct birth *)arg;
	struct uthread *u = uthread_self();

	mem_free(arg, sizeof(b));
	b.t->uthread = u;
	if (b.fpu != NULL) {
		memcpy(u->fpu, b.fpu, fpu_state_size());
		mem_free(b.fpu, fpu_state_size() + 64);
		fpu_load_current();
	}
	set_fs(b.fs_base);
	if (b.set_tid_va != 0 && copy_to_program(b.set_tid_va, &b.t->tid, sizeof(b.t->tid)) != 0)
		log_warn("clone: the child's tid address is bad");
	upcall_enter_program(&b.regs);
}

static struct birth *prepare_birth(struct thread *parent, const struct gw_regs *r,
				   const struct clone_request *q)
{
	struct birth *b = mem_zalloc(sizeof(*b));
	struct thread *t = thread_create();

	if (b != NULL)
		b->fpu = mem_alloc(fpu_state_size() + 64);
	if (b == NULL || t == NULL || b->fpu == NULL) {
		if (t != NULL)
			mem_free(t, sizeof(*t));
		if (b != NULL)
			mem_free(b, sizeof(*b));
		return NULL;
	}
	fpu_save_current();
	memcpy(b->fpu, parent->uthread->fpu, fpu_state_size());
	t->sigmask = parent->sigmask;
	memcpy(t->comm, parent->comm, sizeof(t->comm));
	t->clear_child_tid = (q->flags & CLONE_CHILD_CLEARTID) != 0 ? q->child_tid : 0;
	b->t = t;
	b->regs = *r;
	b->regs.rax = 0;
	if (q->stack != 0)
		b->regs.rsp = q->stack;
	b->fs_base = (q->flags & CLONE_SETTLS) != 0 ? q->tls : parent->uthread->fs_base;
	b->set_tid_va = (q->flags & CLONE_CHILD_SETTID) != 0 ? q->child_tid : 0;
	return b;
}

static long no_processes(struct thread *t, const char *what)
{
	static _Atomic bool said;

	if (!atomic_exchange(&said, true))
		control_line("error %s asked for a new process (%s): Godwit runs one process a "
			     "partition; "
			     "the call failed with ENOSYS",
			     t->comm, what);
	return -ENOSYS;
}

/* A thread's stack wants neighbouring frames, and only single ones are reclaimed for: take and
 * return a number of those. */
static void make_room(void)
{
	uint64_t pas[64];
	uint32_t n = 0;

	while (n < ARRAY_SIZE(pas) && (pas[n] = page_alloc()) != 0)
		n++;
	while (n > 0)
		page_put(pas[--n]);
}

static int start_thread(struct birth *b)
{
	int err = -ENOMEM;

	for (int tries = 0; tries < 4 && err == -ENOMEM; tries++) {
		if (tries > 0)
			make_room();
		err = uthread_create(&b->t->uthread, NULL, thread_main, b, "thread", true, b->t);
	}
	return err;
}

static long do_clone(struct thread *t, const struct gw_regs *r, const struct clone_request *q)
{
	struct birth *b;
	struct thread *child;
	int tid, err;

	if ((q->flags & CLONE_THREAD) == 0)
		return no_processes(t, (q->flags & CLONE_VFORK) != 0 ? "vfork or posix_spawn"
								     : "fork");
	if ((q->flags & CLONE_THREAD_FLAGS) != CLONE_THREAD_FLAGS || (q->flags & CLONE_PIDFD) != 0)
		return -EINVAL;
	if ((q->flags & CLONE_SETTLS) != 0 && q->tls >= GW_PROGRAM_END)
		return -EPERM;
	b = prepare_birth(t, r, q);
	if (b == NULL)
		return -ENOMEM;
	child = b->t;
	thread_list(child);
	tid = child->tid;
	if ((q->flags & CLONE_PARENT_SETTID) != 0 &&
	    copy_to_program(q->parent_tid, &tid, sizeof(tid)) != 0)
		err = -EFAULT;
	else
		err = start_thread(b);
	if (err != 0) {
		spin_lock(&process->lock);
		list_del(&child->link);
		process->n_threads--;
		spin_unlock(&process->lock);
		mem_free(b->fpu, fpu_state_size() + 64);
		mem_free(b, sizeof(*b));
		mem_free(child, sizeof(*child));
		return err == -ENOMEM ? -EAGAIN : err;
	}
	return tid;
}

SYSCALL_FN(clone)
{
	struct clone_request q = { r->rdi & ~0xffull, r->r10, r->rdx, r->rsi, r->r8 };

	return do_clone(t, r, &q);
}

SYSCALL_FN(clone3)
{
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
		uint64_t set_tid, set_tid_size, cgroup;
	} a = { 0 };
	struct clone_request q;

	if (r->rsi < 64 || r->rsi > GW_PAGE_SIZE)
		return -EINVAL;
	if (copy_from_program(&a, r->rdi, GW_MIN(r->rsi, sizeof(a))) != 0)
		return -EFAULT;
	if (a.set_tid_size != 0 || (a.stack == 0) != (a.stack_size == 0))
		return -EINVAL;
	q = (struct clone_request){ a.flags, a.child_tid, a.parent_tid, a.stack + a.stack_size,
				    a.tls };
	return do_clone(t, r, &q);
}

SYSCALL_FN(fork)
{
	(void)r;
	return no_processes(t, "fork");
}

SYSCALL_FN(vfork)
{
	(void)r;
	return no_processes(t, "vfork");
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
	struct thread *of;
	uint64_t head = 0, len = 24;

	spin_lock(&process->lock);
	of = r->rdi == 0 ? t : thread_find((int)r->rdi);
	if (of != NULL)
		head = of->robust_list;
	spin_unlock(&process->lock);
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
		set_fs(r->rsi);
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
