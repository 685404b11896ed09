/* SPDX-License-Identifier: Apache-2.0 */
/* family.c - the table of processes, their end, and who hears of it. A process that has ended stays
 * in the table until its parent has waited for it. One whose parent is gone belongs to an init that
 * waits at once: it has no entry here. */
#include "linux/files/vfs.h"
#include "linux/process/process.h"

struct processes processes = { .list = { &processes.list, &processes.list },
			       .next_number = FIRST_PID };

struct process *process_first;

static void set_limits(struct process *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(p->rlimits); i++)
		p->rlimits[i][0] = p->rlimits[i][1] = ~0ull; /* RLIM_INFINITY */
	p->rlimits[3][0] = 8ull << 20;			     /* STACK */
	p->rlimits[4][0] = 0;				     /* CORE */
	p->rlimits[7][0] = p->rlimits[7][1] = 65536;	     /* NOFILE */
	p->rlimits[11][0] = p->rlimits[11][1] = 56;	     /* SIGPENDING: signal.c's queue */
	p->rlimits[13][0] = p->rlimits[13][1] = 0;	     /* NICE */
	p->rlimits[14][0] = p->rlimits[14][1] = 0;	     /* RTPRIO */
}

int process_init(void)
{
	struct process *p = process_create(NULL);
	int r;

	if (p == NULL)
		return -ENOMEM;
	p->pid = p->pgid = p->sid = thread_number();
	p->umask = 022;
	set_limits(p);
	p->mm = mm_create();
	if (p->mm == NULL)
		return -ENOMEM;
	process_first = p;
	r = process_list(p, NULL, NULL);
	futex_init();
	r = r == 0 ? signal_init() : r;
	posix_timers_init();
	return r;
}

struct process *process_create(const struct process *parent)
{
	struct process *p = mem_zalloc(sizeof(*p));

	if (p == NULL)
		return NULL;
	p->actions = mem_zalloc(NSIG * sizeof(*p->actions));
	if (p->actions == NULL) {
		mem_free(p, sizeof(*p));
		return NULL;
	}
	p->refs = 1;
	list_init(&p->link);
	list_init(&p->threads);
	list_init(&p->sigqueue);
	waitq_init(&p->changed);
	p->start_ns = clock_now();
	if (parent == NULL)
		return p;
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	p->umask = parent->umask;
	p->uid = parent->uid, p->euid = parent->euid, p->suid = parent->suid;
	p->gid = parent->gid, p->egid = parent->egid, p->sgid = parent->sgid;
	memcpy(p->rlimits, parent->rlimits, sizeof(p->rlimits));
	memcpy(p->actions, parent->actions, NSIG * sizeof(*p->actions));
	memcpy(p->exe_path, parent->exe_path, sizeof(p->exe_path));
	p->no_zombies = parent->no_zombies;
	p->exe = parent->exe != NULL ? inode_get(parent->exe) : NULL;
	p->cwd = parent->cwd != NULL ? inode_get(parent->cwd) : NULL;
	return p;
}

struct process *process_get(struct process *p)
{
	atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
	return p;
}

void process_put(struct process *p)
{
	if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
		return;
	mem_free(p->actions, NSIG * sizeof(*p->actions));
	mem_free(p, sizeof(*p));
}

int process_list(struct process *p, struct process *parent, struct thread *by)
{
	int r = 0;

	spin_lock(&processes.lock);
	if (by != NULL && (by->process->pending & ~by->sigmask) != 0)
		atomic_fetch_or(&by->work, WORK_SIGNAL);
	if (by != NULL && (by->work != 0 || by->process->exiting)) {
		r = -ERESTARTNOINTR;
	} else {
		p->parent = parent;
		list_add_tail(&processes.list, &p->link);
		processes.n++;
	}
	spin_unlock(&processes.lock);
	return r;
}

/* Out of the table: its reference passes to the caller. Lock held. */
static void unlist(struct process *p)
{
	list_del(&p->link);
	processes.n--;
}

void process_unlist(struct process *p)
{
	spin_lock(&processes.lock);
	unlist(p);
	spin_unlock(&processes.lock);
}

struct process *process_find(int pid)
{
	list_for_each (n, &processes.list) {
		struct process *p = list_entry(n, struct process, link);

		if (p->pid == pid)
			return p;
	}
	return NULL;
}

struct process *process_of(int pid)
{
	struct process *p;

	spin_lock(&processes.lock);
	p = process_find(pid);
	if (p != NULL)
		process_get(p);
	spin_unlock(&processes.lock);
	return p;
}

int process_parent(struct process *p)
{
	int pid;

	spin_lock(&processes.lock);
	pid = p->parent != NULL ? p->parent->pid : 1;
	spin_unlock(&processes.lock);
	return pid;
}

int process_next(int pid)
{
	int best = -1;

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list) {
		int id = list_entry(n, struct process, link)->pid;

		if (id >= pid && (best < 0 || id < best))
			best = id;
	}
	spin_unlock(&processes.lock);
	return best;
}

uint64_t process_cpu_of(struct process *p)
{
	uint64_t ns;

	spin_lock(&p->lock);
	ns = p->ended_ns;
	list_for_each (n, &p->threads)
		ns += thread_cpu_ns(list_entry(n, struct thread, link));
	spin_unlock(&p->lock);
	return ns;
}

/* ---- the end ---- */

void process_release_vfork(struct process *p)
{
	struct uthread *u;

	spin_lock(&p->lock);
	u = p->vfork_waiter;
	p->vfork_waiter = NULL;
	if (u != NULL)
		uthread_wake(u); /* under the lock: it leaves only through it */
	spin_unlock(&p->lock);
}

void process_empty(struct process *p)
{
	struct fd_table *fds;
	struct mm *mm;

	posix_timers_drop(p, true);
	spin_lock(&p->lock);
	mm = p->mm;
	fds = p->fds;
	p->mm = NULL;
	p->fds = NULL;
	spin_unlock(&p->lock);
	mm_put(mm);
	space_move(0);
	process_release_vfork(p);
	fd_table_put(fds);
	if (p->cwd != NULL)
		inode_put(p->cwd);
	if (p->exe != NULL)
		inode_put(p->exe);
	p->cwd = p->exe = NULL;
	signal_process_ended(p);
}

/* Who gets the children of p: the nearest ancestor that asked for them (PR_SET_CHILD_SUBREAPER).
 * Lock held. */
static struct process *reaper_of(const struct process *p)
{
	struct process *a = p->parent;

	while (a != NULL && !(a->reaper && !a->zombie))
		a = a->parent;
	return a;
}

static void tell_parent(const struct process *p)
{
	struct siginfo64 info = { .signo = p->exit_signal };
	int s = p->exit_status;

	info.code = (s & 0x7f) != 0 ? CLD_KILLED : CLD_EXITED;
	info.u.child.pid = p->pid;
	info.u.child.uid = p->uid;
	info.u.child.status = (s & 0x7f) != 0 ? s & 0x7f : s >> 8;
	info.u.child.utime = (int64_t)(p->ended_ns / (NS_PER_SEC / 100));
	if (info.signo != 0)
		(void)!signal_queue(p->parent, NULL, &info);
	waitq_notify(&p->parent->changed, 0);
}

/* Nobody waits for p: it leaves no zombie. Lock held; the caller puts it. */
static bool unwanted(struct process *p)
{
	return p->parent == NULL || (p->parent->no_zombies && p->exit_signal == SIGCHLD);
}

void process_ended(struct process *p)
{
	struct process *gone[16], *heir;
	uint32_t n = 0;
	bool more;

	do {
		more = false;
		spin_lock(&processes.lock);
		heir = reaper_of(p);
		list_for_each_safe(at, &processes.list)
		{
			struct process *c = list_entry(at, struct process, link);

			if (c->parent != p)
				continue;
			if (n == ARRAY_SIZE(gone) - 1) { /* one place is for p */
				more = true;
				break;
			}
			c->parent = heir;
			if (c->pdeath_signal != 0) {
				struct siginfo64 info = { .signo = (int)c->pdeath_signal };

				(void)!signal_queue(c, NULL, &info);
			}
			if (!c->zombie)
				continue;
			if (heir != NULL)
				tell_parent(c);
			if (unwanted(c)) {
				unlist(c);
				gone[n++] = c;
			}
		}
		if (!more) {
			p->zombie = true;
			if (p->parent != NULL)
				tell_parent(p);
			if (unwanted(p)) {
				unlist(p);
				gone[n++] = p;
			}
		}
		spin_unlock(&processes.lock);
		while (n > 0)
			process_put(gone[--n]);
	} while (more);
}

_Noreturn void process_exit(int status, int signal)
{
	struct process *p = process_self();

	if (p == process_first || thread_self() == NULL)
		machine_end(status, signal);
	spin_lock(&p->lock);
	if (atomic_exchange(&p->exiting, 1) == 0)
		p->exit_status = signal != 0 ? signal : status << 8;
	threads_stop(p, thread_self());
	spin_unlock(&p->lock);
	thread_exit(status);
}

/* ---- signals to processes ---- */

static bool may_signal(const struct process *from, const struct process *to)
{
	return from->euid == 0 || from == to || from->euid == to->uid || from->euid == to->suid ||
	       from->uid == to->uid || from->uid == to->suid;
}

int process_kill(const struct process *from, int64_t pid, const struct siginfo64 *info)
{
	int64_t group = pid == 0 ? from->pgid : pid < -1 ? -pid : 0;
	int r = -ESRCH;

	spin_lock(&processes.lock);
	list_for_each (n, &processes.list) {
		struct process *p = list_entry(n, struct process, link);

		if (pid > 0 ? p->pid != pid : pid == -1 ? p == from : p->pgid != group)
			continue;
		if (!may_signal(from, p)) {
			r = r == 0 ? 0 : -EPERM;
			continue;
		}
		r = 0;
		if (info->signo != 0 && !p->zombie) {
			r = signal_queue(p, NULL, info);
			r = pid > 0 ? r : 0;
		}
	}
	spin_unlock(&processes.lock);
	return r;
}
