/* SPDX-License-Identifier: Apache-2.0 */
/* synth_pid.c - what /proc/PID holds. */
#include "linux/files/synth_internal.h"

/* A process's memory with a reference, or NULL. */
static struct mm *mm_of(struct process *p)
{
	struct mm *mm;

	spin_lock(&p->lock);
	mm = p->mm ? mm_get(p->mm) : NULL;
	spin_unlock(&p->lock);
	return mm;
}

struct mm_usage pid_usage(struct process *p)
{
	struct mm_usage u = { 0 };
	struct mm *mm = mm_of(p);

	if (mm) {
		mm_usage(mm, &u);
		mm_put(mm);
	}
	return u;
}

struct head { /* of a process's first thread */
	char comm[16];
	sigset64 pending, blocked;
	uint64_t ticks;
	int ppid;
	char state;
};

static struct head head_of(struct process *p)
{
	struct head h = { .state = p->zombie ? 'Z' : p == process_self() ? 'R' : 'S', .ppid = 0 };

	spin_lock(&p->lock);
	if (!list_empty(&p->threads)) {
		struct thread *t = list_entry(p->threads.next, struct thread, link);

		memcpy(h.comm, t->comm, sizeof(h.comm));
		h.pending = t->pending;
		h.blocked = t->sigmask;
		if (t->uthread)
			h.ticks = t->uthread->cpu_ns / (NS_PER_SEC / 100);
	}
	spin_unlock(&p->lock);
	h.ppid = process_parent(p);
	return h;
}

void pid_link(struct text *t)
{
	text_add(t, "%d", process_self()->pid);
}

void pid_thread_link(struct text *t)
{
	text_add(t, "%d/task/%d", process_self()->pid, thread_self()->tid);
}

void pid_stat(struct text *t)
{
	struct process *p = t->of;
	struct mm_usage u = pid_usage(p);
	struct head h = head_of(p);
	struct mm *mm = mm_of(p);
	struct mm_strings s = { 0 };

	if (mm) {
		s = *mm_strings(mm);
		mm_put(mm);
	}
	text_add(t, "%d (%s) %c %d %d %d 0 -1 4194304 %llu 0 %llu 0 %llu 0 0 0 20 0 %u 0 %llu ",
		 p->pid, h.comm, h.state, h.ppid, p->pgid, p->sid, ULL(linux_stats.faults),
		 ULL(linux_stats.page_ins), ULL(h.ticks), p->n_threads,
		 ULL(p->start_ns / (NS_PER_SEC / 100)));
	text_add(t,
		 "%llu %llu 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 0 0 0 "
		 "%llu %llu %llu %llu 0\n",
		 ULL(u.mapped_bytes), ULL(u.resident_bytes / 4096), shard_self()->id,
		 ULL(s.arg_start), ULL(s.arg_end), ULL(s.env_start), ULL(s.env_end));
}

void pid_statm(struct text *t)
{
	struct mm_usage u = pid_usage(t->of);

	text_add(t, "%llu %llu %llu %llu 0 %llu 0\n", ULL(u.mapped_bytes / 4096),
		 ULL(u.resident_bytes / 4096), ULL(u.file_bytes / 4096), ULL(u.text_bytes / 4096),
		 ULL((u.data_bytes + u.stack_bytes) / 4096));
}

void pid_status(struct text *t)
{
	struct process *p = t->of;
	struct mm_usage u = pid_usage(p);
	struct head h = head_of(p);
	uint32_t cap = 0;

	spin_lock(&p->lock);
	if (p->fds)
		cap = p->fds->cap;
	spin_unlock(&p->lock);
	text_add(t,
		 "Name:\t%s\nUmask:\t%04o\nState:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%"
		 "d\nTracerPid:\t0\n",
		 h.comm, p->umask,
		 h.state == 'Z'	  ? "Z (zombie)"
		 : h.state == 'R' ? "R (running)"
				  : "S (sleeping)",
		 p->pid, p->pid, h.ppid);
	text_add(t, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nFDSize:\t%u\nGroups:\t0\n", p->uid,
		 p->euid, p->suid, p->euid, p->gid, p->egid, p->sgid, p->egid, cap);
	text_add(t,
		 "VmPeak:\t%8llu kB\nVmSize:\t%8llu kB\nVmLck:\t       0 kB\nVmHWM:\t%8llu "
		 "kB\nVmRSS:\t%8llu kB\n",
		 ULL(u.mapped_bytes / 1024), ULL(u.mapped_bytes / 1024), ULL(u.peak_bytes / 1024),
		 ULL(u.resident_bytes / 1024));
	text_add(t,
		 "VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\nVmSwap:\t       0 "
		 "kB\nThreads:\t%u\n",
		 ULL(u.data_bytes / 1024), ULL(u.stack_bytes / 1024), ULL(u.text_bytes / 1024),
		 p->n_threads);
	text_add(
		t,
		"SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\nCapEff:\t0000000000000000\n",
		ULL(h.pending), ULL(p->pending), ULL(h.blocked));
	text_add(t, "Cpus_allowed:\t%llx\nCpus_allowed_list:\t0-%u\n",
		 ULL((2ull << (n_shards - 1)) - 1), n_shards - 1);
}

static void emit_text(void *arg, const char *s, size_t n)
{
	text_bytes(arg, s, n);
}

void pid_maps(struct text *t)
{
	struct mm *mm = mm_of(t->of);

	if (!mm)
		return;
	mm_maps_text(mm, emit_text, t);
	mm_put(mm);
}

/* One area that stands for all of them. */
void pid_smaps(struct text *t)
{
	struct mm_usage u = pid_usage(t->of);
	unsigned long long rss = u.resident_bytes / 1024, file = u.file_bytes / 1024,
			   anon = rss > file ? rss - file : 0;

	text_add(t,
		 "00001000-700000000000 ---p 00000000 00:00 0  [rollup]\nSize: %16llu kB\nRss: "
		 "%17llu kB\nPss: %17llu kB\n",
		 ULL(u.mapped_bytes / 1024), rss, rss);
	text_add(t,
		 "Shared_Clean:          0 kB\nShared_Dirty:          0 kB\nPrivate_Clean: %7llu "
		 "kB\nPrivate_Dirty: %7llu kB\n",
		 file, anon);
	text_add(t,
		 "Referenced: %10llu kB\nAnonymous: %11llu kB\nAnonHugePages:         0 kB\nSwap:  "
		 "                0 kB\n",
		 rss, anon);
}

static void program_bytes(struct text *t, uint64_t from, uint64_t to)
{
	char buf[256];

	for (to = GW_MIN(to, from + 131072); from < to;) {
		size_t n = GW_MIN(to - from, sizeof(buf));

		if (copy_from_program(buf, from, n))
			break;
		text_bytes(t, buf, n);
		from += n;
	}
}

/* Visits the process's memory. Without it, or when it has just been let go: nothing. */
static void pid_strings(struct text *t, bool env)
{
	struct mm *mm = mm_of(t->of), *home = mm_current();
	const struct mm_strings *s;

	if (!mm)
		return;
	s = mm_strings(mm);
	if (mm != home)
		mm_enter(mm);
	program_bytes(t, env ? s->env_start : s->arg_start, env ? s->env_end : s->arg_end);
	if (mm != home)
		mm_enter(home);
	mm_put(mm);
}

void pid_cmdline(struct text *t)
{
	pid_strings(t, false);
}

void pid_environ(struct text *t)
{
	pid_strings(t, true);
}

void pid_exe(struct text *t)
{
	text_add(t, "%s", t->of->exe_path);
}

void pid_cwd(struct text *t)
{
	char *path = mem_alloc(PATH_MAX);

	if (!path)
		return;
	if (inode_path_locked(t->of->cwd ? t->of->cwd : vfs_root, path, PATH_MAX) > 0)
		text_add(t, "%s", path);
	mem_free(path, PATH_MAX);
}

void pid_comm(struct text *t)
{
	struct head h = head_of(t->of);

	text_add(t, "%s\n", h.comm);
}

long pid_comm_store(const char *s, size_t n)
{
	(void)n;
	str_copy(thread_self()->comm, s, sizeof(thread_self()->comm));
	return 0;
}

void pid_limits(struct text *t)
{
	static const char *const names[16] = {
		"cpu time",	  "file size",	   "data size",		"stack size",
		"core file size", "resident set",  "processes",		"open files",
		"locked memory",  "address space", "file locks",	"pending signals",
		"msgqueue size",  "nice priority", "realtime priority", "realtime timeout"
	};

	text_add(t, "%-26s%-21s%-21s%s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (int k = 0; k < 16; k++) {
		text_add(t, "Max %-22s", names[k]);
		for (int h = 0; h < 2; h++) {
			if (t->of->rlimits[k][h] == ~0ull)
				text_add(t, "%-21s", "unlimited");
			else
				text_add(t, "%-21llu", ULL(t->of->rlimits[k][h]));
		}
		text_add(t, "\n");
	}
}

static int32_t oom_score_adj;
void pid_oom_adj(struct text *t)
{
	text_add(t, "%d\n", oom_score_adj);
}

long pid_oom_adj_store(const char *s, size_t n)
{
	bool minus = n && *s == '-';
	uint64_t v;

	if (str_to_u64(s + minus, 1000, &v))
		return -EINVAL;
	oom_score_adj = minus ? -(int32_t)v : (int32_t)v;
	return 0;
}
