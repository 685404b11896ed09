/* SPDX-License-Identifier: Apache-2.0 */
/* clone.c - new threads and new processes: clone, clone3, fork, vfork. A new process starts with
 * one thread, a copy of the caller. With CLONE_VM (vfork, posix_spawn) it runs in the caller's own
 * memory until it ends or execs. */
#include "abi/call.h"
#include "linux/files/vfs.h"
#include "linux/process/process.h"

#define CLONE_VM 0x100u
#define CLONE_FS 0x200u
#define CLONE_FILES 0x400u
#define CLONE_SIGHAND 0x800u
#define CLONE_PIDFD 0x1000u
#define CLONE_VFORK 0x4000u
#define CLONE_PARENT 0x8000u
#define CLONE_THREAD 0x10000u
#define CLONE_SETTLS 0x80000u
#define CLONE_PARENT_SETTID 0x100000u
#define CLONE_CHILD_CLEARTID 0x200000u
#define CLONE_CHILD_SETTID 0x1000000u
#define CLONE_CLEAR_SIGHAND (1ull << 32)
#define CLONE_THREAD_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
/* Namespaces, pid descriptors, cgroups: not here. */
#define CLONE_REFUSED (0x7e020080ull | CLONE_PIDFD | 1ull << 33)
#define NPROC 6 /* RLIMIT_NPROC */

SYSCALL_FN(clone);
SYSCALL_FN(clone3);
SYSCALL_FN(fork);
SYSCALL_FN(vfork);

struct clone_request {
	uint64_t flags, child_tid, parent_tid, stack, tls;
	int exit_signal;
};

struct birth { /* what the new thread starts with; freed by it */
	struct thread *t;
	struct mm *mm; /* where it lives */
	struct gw_regs regs;
	uint64_t fs_base;
	uint64_t set_tid_va;
	void *fpu; /* the parent's extended state */
};

static void thread_main(void *arg)
{
	struct birth b = *(struct birth *)arg;
	struct uthread *u = uthread_self();

	mem_free(arg, sizeof(b));
	mm_enter(b.mm);
	b.t->uthread = u;
	memcpy(u->fpu, b.fpu, fpu_state_size());
	mem_free(b.fpu, fpu_state_size() + 64);
	fpu_load_current();
	upcall_set_fs_base(b.fs_base);
	if (b.set_tid_va != 0 && copy_to_program(b.set_tid_va, &b.t->tid, sizeof(b.t->tid)) != 0)
		log_warn("clone: the child's tid address is bad");
	atomic_thread_fence(memory_order_seq_cst);
	if (b.t->work != 0) /* it came before there was a uthread to tell */
		upcall_kick(u);
	upcall_enter_program(&b.regs);
}

static void birth_free(struct birth *b)
{
	if (b->fpu != NULL)
		mem_free(b->fpu, fpu_state_size() + 64);
	mem_free(b, sizeof(*b));
}

static struct birth *prepare_birth(struct thread *parent, const struct gw_regs *r,
				   const struct clone_request *q, struct process *p)
{
	struct birth *b = mem_zalloc(sizeof(*b));
	struct thread *t = thread_create(p);

	if (b != NULL)
		b->fpu = mem_alloc(fpu_state_size() + 64);
	if (b == NULL || t == NULL || b->fpu == NULL) {
		if (t != NULL)
			mem_free(t, sizeof(*t));
		if (b != NULL)
			birth_free(b);
		return NULL;
	}
	fpu_save_current();
	memcpy(b->fpu, parent->uthread->fpu, fpu_state_size());
	t->sigmask = parent->sigmask;
	memcpy(t->comm, parent->comm, sizeof(t->comm));
	t->clear_child_tid = (q->flags & CLONE_CHILD_CLEARTID) != 0 ? q->child_tid : 0;
	b->t = t;
	b->mm = p->mm;
	b->regs = *r;
	b->regs.rax = 0;
	if (q->stack != 0)
		b->regs.rsp = q->stack;
	b->fs_base = (q->flags & CLONE_SETTLS) != 0 ? q->tls : upcall_fs_base();
	b->set_tid_va = (q->flags & CLONE_CHILD_SETTID) != 0 ? q->child_tid : 0;
	return b;
}

static int start_thread(struct birth *b, const char *name)
{
	int err = uthread_create(&b->t->uthread, NULL, thread_main, b, name, true, b->t);

	if (err == -ENOMEM)
		atomic_fetch_add_explicit(&linux_stats.refused, 1, memory_order_relaxed);
	return err;
}

/* ---- threads ---- */

static long clone_thread(struct thread *t, const struct gw_regs *r, const struct clone_request *q)
{
	struct birth *b;
	struct thread *child;
	int tid, err = 0;

	if ((q->flags & CLONE_THREAD_FLAGS) != CLONE_THREAD_FLAGS)
		return -EINVAL;
	b = prepare_birth(t, r, q, t->process);
	if (b == NULL)
		return -ENOMEM;
	child = b->t;
	tid = thread_number();
	thread_list(child, tid);
	if ((q->flags & CLONE_PARENT_SETTID) != 0 &&
	    copy_to_program(q->parent_tid, &tid, sizeof(tid)) != 0)
		err = -EFAULT;
	else
		err = start_thread(b, "thread");
	if (err != 0) {
		birth_free(b);
		thread_unlist(child);
		return err == -ENOMEM ? -EAGAIN : err;
	}
	return tid;
}

/* ---- processes ---- */

/* The copies a new process gets. What is made is in p, whatever is returned. */
static int copy_parts(struct process *p, struct process *parent, uint64_t flags)
{
	int r = 0;

	p->fds =
		(flags & CLONE_FILES) != 0 ? fd_table_get(parent->fds) : fd_table_copy(parent->fds);
	if (p->fds == NULL)
		return -ENOMEM;
	if ((flags & CLONE_VM) != 0)
		p->mm = mm_get(parent->mm);
	else
		r = mm_fork(parent->mm, &p->mm);
	if ((flags & CLONE_CLEAR_SIGHAND) != 0)
		signal_reset(p);
	return r;
}

/* A process that never was. */
static void abandon(struct process *p)
{
	if (p->mm != NULL)
		mm_put(p->mm);
	if (p->fds != NULL)
		fd_table_put(p->fds);
	if (p->exe != NULL)
		inode_put(p->exe);
	if (p->cwd != NULL)
		inode_put(p->cwd);
	process_put(p);
}

/* Until the child has another memory or has ended; only the end of this process stops that. */
static void wait_vfork(struct thread *t, struct process *child)
{
	while (child->vfork_waiter != NULL && (t->work & WORK_EXIT) == 0)
		(void)uthread_park(GW_NEVER);
	spin_lock(&child->lock);
	child->vfork_waiter = NULL;
	spin_unlock(&child->lock);
}

static int start(struct thread *t, struct process *p, struct birth *b,
		 const struct clone_request *q)
{
	struct thread *child = b->t;
	int err = 0;

	p->pid = thread_number();
	p->exit_signal = q->exit_signal;
	if ((q->flags & CLONE_VFORK) != 0)
		p->vfork_waiter = t->uthread;
	thread_list(child, p->pid);
	if ((q->flags & CLONE_PARENT_SETTID) != 0 &&
	    copy_to_program(q->parent_tid, &p->pid, sizeof(p->pid)) != 0)
		return -EFAULT;
	err = process_list(p, (q->flags & CLONE_PARENT) != 0 ? t->process->parent : t->process, t);
	if (err != 0)
		return err;
	err = start_thread(b, "process");
	if (err != 0)
		process_unlist(p);
	return err;
}

static long clone_process(struct thread *t, const struct gw_regs *r, const struct clone_request *q)
{
	struct process *parent = t->process, *p;
	struct birth *b = NULL;
	int err, pid;

	if (processes.n >= GW_MIN(parent->rlimits[NPROC][0], GW_MAX_SPACES))
		return -EAGAIN;
	p = process_create(parent);
	if (p == NULL)
		return -ENOMEM;
	err = copy_parts(p, parent, q->flags);
	if (err == 0) {
		b = prepare_birth(t, r, q, p);
		err = b != NULL ? 0 : -ENOMEM;
	}
	if (b != NULL && (q->flags & (CLONE_VM | CLONE_VFORK)) != CLONE_VM) {
		b->t->altstack_va = t->altstack_va;
		b->t->altstack_len = t->altstack_len;
		b->t->altstack_flags = t->altstack_flags;
	}
	process_get(p); /* it may end and be waited for before this returns */
	if (err == 0)
		err = start(t, p, b, q);
	pid = p->pid;
	if (err != 0 && b != NULL) {
		if (b->t->tid != 0)
			thread_unlist(b->t);
		birth_free(b);
	}
	if (err != 0)
		abandon(p);
	else if ((q->flags & CLONE_VFORK) != 0)
		wait_vfork(t, p);
	process_put(p);
	return err != 0 ? err : pid;
}

static long do_clone(struct thread *t, const struct gw_regs *r, const struct clone_request *q)
{
	if ((q->flags & CLONE_REFUSED) != 0 || q->exit_signal > NSIG ||
	    ((q->flags & CLONE_SIGHAND) != 0 && (q->flags & CLONE_VM) == 0))
		return -EINVAL;
	if ((q->flags & CLONE_SETTLS) != 0 && q->tls >= GW_PROGRAM_END)
		return -EPERM;
	return (q->flags & CLONE_THREAD) != 0 ? clone_thread(t, r, q) : clone_process(t, r, q);
}

SYSCALL_FN(clone)
{
	struct clone_request q = { r->rdi & 0xffffff00ull, r->r10, r->rdx, r->rsi, r->r8,
				   (int)(r->rdi & 0xff) };

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
	if (a.set_tid_size != 0 || (a.stack == 0) != (a.stack_size == 0) || a.exit_signal > NSIG)
		return -EINVAL;
	q = (struct clone_request){ a.flags,	  a.child_tid,
				    a.parent_tid, a.stack + a.stack_size,
				    a.tls,	  (int)a.exit_signal };
	return do_clone(t, r, &q);
}

SYSCALL_FN(fork)
{
	const struct clone_request q = { .exit_signal = SIGCHLD };

	return do_clone(t, r, &q);
}

SYSCALL_FN(vfork)
{
	const struct clone_request q = { .flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD };

	return do_clone(t, r, &q);
}
