/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c - resource limits, usage, and scheduling: what can be asked about the machine and the
 * process. */
#include "linux/process/process.h"

#define RLIMITS 16u
#define RLIMIT_NOFILE 7u
#define NOFILE_MAX 1048576u
#define MPOL_F_MEMS_ALLOWED 4u
#define MPOL_MODES 6u

SYSCALL_FN(getrlimit);
SYSCALL_FN(setrlimit);
SYSCALL_FN(prlimit64);
SYSCALL_FN(getrusage);
SYSCALL_FN(sysinfo);
SYSCALL_FN(sched_yield);
SYSCALL_FN(sched_setaffinity);
SYSCALL_FN(sched_getaffinity);
SYSCALL_FN(sched_setscheduler);
SYSCALL_FN(sched_getscheduler);
SYSCALL_FN(sched_setparam);
SYSCALL_FN(sched_getparam);
SYSCALL_FN(sched_get_priority_max);
SYSCALL_FN(sched_get_priority_min);
SYSCALL_FN(sched_rr_get_interval);
SYSCALL_FN(getpriority);
SYSCALL_FN(setpriority);
SYSCALL_FN(ioprio_get);
SYSCALL_FN(ioprio_set);
SYSCALL_FN(getcpu);
SYSCALL_FN(get_mempolicy);
SYSCALL_FN(set_mempolicy);
SYSCALL_FN(mbind);

static long limit_get(const struct process *p, uint64_t which, uint64_t va)
{
	return copy_to_program(va, p->rlimits[which], 16);
}

static long limit_set(struct process *p, uint64_t which, uint64_t va)
{
	uint64_t v[2];

	if (copy_from_program(v, va, sizeof(v)) != 0)
		return -EFAULT;
	if (v[0] > v[1])
		return -EINVAL;
	if ((v[1] > p->rlimits[which][1] && p->euid != 0) ||
	    (which == RLIMIT_NOFILE && v[1] > NOFILE_MAX))
		return -EPERM;
	p->rlimits[which][0] = v[0];
	p->rlimits[which][1] = v[1];
	return 0;
}

SYSCALL_FN(getrlimit)
{
	return r->rdi >= RLIMITS ? -EINVAL : limit_get(t->process, r->rdi, r->rsi);
}

SYSCALL_FN(setrlimit)
{
	return r->rdi >= RLIMITS ? -EINVAL : limit_set(t->process, r->rdi, r->rsi);
}

SYSCALL_FN(prlimit64)
{
	struct process *p;
	uint64_t old[2];
	long err = 0;

	if (r->rsi >= RLIMITS)
		return -EINVAL;
	p = process_of((int32_t)r->rdi != 0 ? (int32_t)r->rdi : t->process->pid);
	if (p == NULL)
		return -ESRCH;
	memcpy(old, p->rlimits[r->rsi], sizeof(old));
	if (r->rdx != 0)
		err = limit_set(p, r->rsi, r->rdx);
	process_put(p);
	if (err == 0 && r->r10 != 0)
		err = copy_to_program(r->r10, old, sizeof(old));
	return err;
}

SYSCALL_FN(getrusage)
{
	struct {
		struct timeval64 user, system;
		int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock,
			msgsnd, msgrcv;
		int64_t nsignals, nvcsw, nivcsw;
	} u = { 0 };
	struct mm_usage m;
	int who = (int)r->rdi;

	if (who != 0 && who != 1 && who != -1)
		return -EINVAL;
	if (who == -1) {
		u.user = timeval_of(t->process->children_ns);
	} else {
		u.user = timeval_of(who == 0 ? process_cpu_of(t->process) : thread_cpu_ns(t));
		mm_usage(t->process->mm, &m);
		u.maxrss = (int64_t)(m.peak_bytes / 1024);
		u.minflt = (int64_t)linux_stats.faults;
		u.majflt = (int64_t)linux_stats.page_ins;
		u.nvcsw = (int64_t)shard_self()->stats.parks;
		u.nivcsw = (int64_t)shard_self()->stats.preemptions;
	}
	return copy_to_program(r->rsi, &u, sizeof(u));
}

SYSCALL_FN(sysinfo)
{
	struct {
		int64_t uptime;
		uint64_t loads[3], total, free, shared, buffer, swap_total, swap_free;
		uint16_t procs, pad;
		uint64_t total_high, free_high;
		uint32_t unit;
	} s = { 0 };

	s.uptime = (int64_t)(clock_now() / NS_PER_SEC);
	s.total = mem_total_pages() * GW_PAGE_SIZE;
	s.free = mem_free_pages() * GW_PAGE_SIZE;
	s.procs = (uint16_t)t->process->n_threads;
	s.unit = 1;
	return copy_to_program(r->rdi, &s, sizeof(s));
}

/* ---- scheduling: every thread is alike; vcores appear as processors ---- */

static bool known_thread(uint64_t tid)
{
	struct process *p = process_self();
	bool known;

	if ((int32_t)tid == 0)
		return true;
	spin_lock(&processes.lock);
	known = process_find((int32_t)tid) != NULL;
	spin_unlock(&processes.lock);
	if (known)
		return true;
	spin_lock(&p->lock);
	known = thread_find(p, (int32_t)tid) != NULL;
	spin_unlock(&p->lock);
	return known;
}

SYSCALL_FN(sched_yield)
{
	(void)t, (void)r;
	shard_turn();
	uthread_yield();
	return 0;
}

static uint64_t all_cpus(void)
{
	return n_shards >= 64 ? ~0ull : (1ull << n_shards) - 1;
}

SYSCALL_FN(sched_setaffinity)
{
	uint64_t mask = 0;

	(void)t;
	if (!known_thread(r->rdi))
		return -ESRCH;
	if (copy_from_program(&mask, r->rdx, GW_MIN(r->rsi, 8ull)) != 0)
		return -EFAULT;
	return (mask & all_cpus()) != 0 ? 0
					: -EINVAL; /* a hint: shards balance threads themselves */
}

SYSCALL_FN(sched_getaffinity)
{
	uint64_t mask = all_cpus();

	(void)t;
	if (!known_thread(r->rdi))
		return -ESRCH;
	if (r->rsi < 8 || r->rsi % 8 != 0)
		return -EINVAL;
	return copy_to_program(r->rdx, &mask, 8) != 0 ? -EFAULT : 8;
}

static bool policy_ok(uint64_t policy, int32_t priority)
{
	policy &= ~0x40000000ull; /* SCHED_RESET_ON_FORK */
	if (policy == 1 || policy == 2)
		return priority >= 1 && priority <= 99;
	return (policy == 0 || policy == 3 || policy == 5) && priority == 0;
}

SYSCALL_FN(sched_setscheduler)
{
	int32_t priority;

	(void)t;
	if (copy_from_program(&priority, r->rdx, 4) != 0)
		return -EFAULT;
	if (!policy_ok(r->rsi, priority))
		return -EINVAL;
	return known_thread(r->rdi) ? 0 : -ESRCH; /* accepted; all threads are scheduled alike */
}

SYSCALL_FN(sched_getscheduler)
{
	(void)t;
	return known_thread(r->rdi) ? 0 : -ESRCH;
}

SYSCALL_FN(sched_setparam)
{
	int32_t priority;

	(void)t;
	if (copy_from_program(&priority, r->rsi, 4) != 0)
		return -EFAULT;
	return priority != 0 ? -EINVAL : known_thread(r->rdi) ? 0 : -ESRCH;
}

SYSCALL_FN(sched_getparam)
{
	const int32_t priority = 0;

	(void)t;
	return known_thread(r->rdi) ? copy_to_program(r->rsi, &priority, 4) : -ESRCH;
}

SYSCALL_FN(sched_get_priority_max)
{
	(void)t;
	return r->rdi == 1 || r->rdi == 2 ? 99 : r->rdi <= 6 && r->rdi != 4 ? 0 : -EINVAL;
}

SYSCALL_FN(sched_get_priority_min)
{
	(void)t;
	return r->rdi == 1 || r->rdi == 2 ? 1 : r->rdi <= 6 && r->rdi != 4 ? 0 : -EINVAL;
}

SYSCALL_FN(sched_rr_get_interval)
{
	const struct timespec64 ts = { 0, 4000000 };

	(void)t;
	return known_thread(r->rdi) ? copy_to_program(r->rsi, &ts, sizeof(ts)) : -ESRCH;
}

SYSCALL_FN(getpriority)
{
	(void)t;
	return r->rdi > 2 ? -EINVAL : 20; /* nice 0, as the kernel returns it */
}

SYSCALL_FN(setpriority)
{
	if (r->rdi > 2)
		return -EINVAL;
	return (int32_t)r->rdx < 0 && t->process->euid != 0 ? -EACCES : 0;
}

SYSCALL_FN(ioprio_get)
{
	(void)t;
	return r->rdi < 1 || r->rdi > 3 ? -EINVAL : 0; /* IOPRIO_CLASS_NONE */
}

SYSCALL_FN(ioprio_set)
{
	(void)t;
	return r->rdi < 1 || r->rdi > 3 ? -EINVAL : 0;
}

SYSCALL_FN(getcpu)
{
	uint32_t cpu = shard_self()->id, node = 0;

	(void)t;
	if ((r->rdi != 0 && copy_to_program(r->rdi, &cpu, 4) != 0) ||
	    (r->rsi != 0 && copy_to_program(r->rsi, &node, 4) != 0))
		return -EFAULT;
	return 0;
}

/* One node, and no policy but the default: mode and mask are 0, but for the nodes that may be used.
 * get_mempolicy(2); of rdx - 1 bits, as Linux counts them. */
SYSCALL_FN(get_mempolicy)
{
	const uint64_t node = (r->r8 & MPOL_F_MEMS_ALLOWED) != 0;
	uint64_t n = (r->rdx + 62) / 64 * 8;

	(void)t;
	if (r->rsi != 0 && r->rdx - 1 > 32768)
		return -EINVAL;
	if ((r->rdi != 0 && zero_program(r->rdi, 4) != 0) ||
	    (r->rsi != 0 && (zero_program(r->rsi, n) != 0 ||
			     copy_to_program(r->rsi, &node, GW_MIN(n, 8ull)) != 0)))
		return -EFAULT;
	return 0;
}

/* On one node every policy is kept. */
static long policy_known(uint64_t mode)
{
	return (mode & 0xfff) < MPOL_MODES ? 0 : -EINVAL;
}

SYSCALL_FN(set_mempolicy)
{
	(void)t;
	return policy_known(r->rdi);
}

SYSCALL_FN(mbind)
{
	(void)t;
	return policy_known(r->rdx);
}
