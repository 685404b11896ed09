/* SPDX-License-Identifier: Apache-2.0 */
/* exec.c - another program in the same process. It is loaded into a fresh memory; only when that
 * has succeeded do the other threads end and the old memory goes, so that a failure leaves
 * everything as it was. */
#include "linux/files/vfs.h"
#include "linux/process/process.h"

#define STRING_MAX (32u * GW_PAGE_SIZE)
#define STRINGS_MAX (2u << 20)
#define PATH_SIZE 4096u
#define AT_FDCWD (-100)
#define AT_SYMLINK_NOFOLLOW 0x100u
#define AT_EMPTY_PATH 0x1000u

SYSCALL_FN(execve);
SYSCALL_FN(execveat);

struct strings { /* a vector of strings, copied from the program */
	char *text;
	size_t len, cap;
	const char **v; /* NULL-terminated; made at the end */
	uint32_t n;
};

static void strings_free(struct strings *s)
{
	if (s->text != NULL)
		mem_free(s->text, s->cap);
	if (s->v != NULL)
		mem_free(s->v, (s->n + 1) * sizeof(*s->v));
}

/* Room for one more string of the longest kind, or for what is left of the whole. */
static int room(struct strings *s, size_t want)
{
	size_t cap = s->cap != 0 ? s->cap * 2 : GW_PAGE_SIZE;
	char *text;

	while (cap < s->len + want)
		cap *= 2;
	text = s->text == NULL ? mem_alloc(cap) : mem_resize(s->text, s->cap, cap);
	if (text == NULL)
		return -ENOMEM;
	s->text = text;
	s->cap = cap;
	return 0;
}

static int add_string(struct strings *s, uint64_t va)
{
	for (;;) {
		long n = s->cap > s->len
				 ? copy_string_from_program(s->text + s->len, va, s->cap - s->len)
				 : -ENAMETOOLONG;

		if (n >= 0) {
			s->len += (size_t)n + 1;
			s->n++;
			return n >= (long)STRING_MAX || s->len > STRINGS_MAX ? -E2BIG : 0;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		if (s->cap - s->len > STRING_MAX || s->cap > STRINGS_MAX)
			return -E2BIG;
		if (room(s, s->cap - s->len + 1) != 0)
			return -ENOMEM;
	}
}

static int get_strings(struct strings *s, uint64_t va)
{
	uint64_t at = 0;
	size_t off = 0;
	int r = 0;

	for (; va != 0; va += 8) {
		if (copy_from_program(&at, va, sizeof(at)) != 0)
			return -EFAULT;
		if (at == 0)
			break;
		r = add_string(s, at);
		if (r != 0)
			return r;
	}
	s->v = mem_alloc((s->n + 1) * sizeof(*s->v));
	if (s->v == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n; i++) {
		s->v[i] = s->text + off;
		off += strlen(s->v[i]) + 1;
	}
	s->v[s->n] = NULL;
	return 0;
}

/* Until this thread is the only one. False: the process is ending instead. */
static bool alone(struct thread *t)
{
	struct process *p = t->process;
	struct waiter w = { .uthread = t->uthread };
	bool mine;

	spin_lock(&p->lock);
	mine = !p->exiting && p->execing == NULL;
	if (mine) {
		p->execing = t;
		threads_stop(p, t);
	}
	spin_unlock(&p->lock);
	if (!mine)
		return false;
	waitq_add(&p->changed, &w);
	while (*(volatile uint32_t *)&p->n_threads != 1 && (t->work & WORK_EXIT) == 0)
		(void)uthread_park(GW_NEVER);
	waitq_del(&p->changed, &w);
	spin_lock(&p->lock);
	p->execing = NULL;
	mine = p->n_threads == 1 && !p->exiting;
	if (mine)
		t->tid = p->pid; /* it is the first thread now, whichever it was */
	spin_unlock(&p->lock);
	return mine;
}

/* Give the process its new memory and forget what belonged to the old program. There is no way
 * back. */
static void take_over(struct thread *t, struct mm *mm, const char *path)
{
	struct process *p = t->process;
	const char *base = strrchr(path, '/');
	struct mm *old;

	mm_enter(p->mm);
	thread_leave_memory(t);
	mm_enter(mm);
	spin_lock(&p->lock);
	old = p->mm;
	p->mm = mm;
	spin_unlock(&p->lock);
	mm_put(old);
	process_release_vfork(p);
	if (fd_table_exec() != 0)
		process_exit(128 + SIGKILL, SIGKILL);
	posix_timers_drop(p, false);
	signal_reset(p);
	t->altstack_va = t->altstack_len = 0;
	t->altstack_flags = 2;
	t->restore_sigmask = false;
	p->execed = true;
	p->exit_signal = SIGCHLD;
	p->pdeath_signal = 0;
	str_copy(t->comm, base != NULL ? base + 1 : path, sizeof(t->comm));
	fpu_init_area(t->uthread->fpu);
	fpu_load_current();
	t->uthread->fs_base = 0;
}

/* Load in a fresh memory: 0 and it is the current one, or -errno and nothing has changed. */
static int load(struct thread *t, const char *path, const struct strings *argv,
		const struct strings *envp, struct gw_regs *regs, struct mm **mm)
{
	static const char *const no_name[] = { "", NULL };
	char why[400] = "";
	int r;

	*mm = mm_create();
	if (*mm == NULL)
		return -ENOMEM;
	mm_enter(*mm);
	r = elf_load(path, argv->n != 0 ? argv->v : no_name, envp->v, regs, why, sizeof(why));
	if (r == 0 && alone(t))
		return 0;
	mm_enter(t->process->mm);
	mm_put(*mm);
	return r != 0 ? r : -EINTR;
}

/* path: PATH_SIZE bytes, freed here. */
static long do_exec(struct thread *t, char *path, uint64_t argv_va, uint64_t envp_va)
{
	struct strings argv = { 0 }, envp = { 0 };
	struct gw_regs regs;
	struct mm *mm = NULL;
	int r = get_strings(&argv, argv_va);

	if (r == 0)
		r = get_strings(&envp, envp_va);
	if (r == 0 && argv.len + envp.len > STRINGS_MAX)
		r = -E2BIG;
	if (r == 0)
		r = load(t, path, &argv, &envp, &regs, &mm);
	strings_free(&argv);
	strings_free(&envp);
	if (r == 0)
		take_over(t, mm, path);
	mem_free(path, PATH_SIZE);
	if (r != 0)
		return r;
	upcall_enter_program(&regs);
}

/* The path of an open file, with a relative one behind it. */
static int base_path(int fd, char *to, size_t size)
{
	struct file *f = fd_file(fd);
	int n = f == NULL ? -EBADF : f->inode == NULL ? -EACCES : inode_path(f->inode, to, size);

	if (f != NULL)
		file_put(f);
	return n;
}

static long exec_at(struct thread *t, int dirfd, const struct gw_regs *args, uint64_t path_va,
		    uint64_t flags)
{
	char *path = mem_alloc(PATH_SIZE), *name;
	long n, base;

	(void)args;
	if (path == NULL)
		return -ENOMEM;
	n = copy_string_from_program(path, path_va, PATH_SIZE);
	if (n == 0 && (flags & AT_EMPTY_PATH) == 0)
		n = -ENOENT;
	if (n >= 0 && dirfd != AT_FDCWD && path[0] != '/') {
		name = mem_alloc(PATH_SIZE);
		base = name == NULL ? -ENOMEM : base_path(dirfd, name, PATH_SIZE);
		if (base >= 0 && n > 0) {
			if (base + n + 2 > (long)PATH_SIZE)
				base = -ENAMETOOLONG;
			else
				fmt_print(name + base, PATH_SIZE - (size_t)base, "/%s", path);
		}
		if (base >= 0)
			memcpy(path, name, PATH_SIZE);
		if (name != NULL)
			mem_free(name, PATH_SIZE);
		n = base;
	}
	if (n < 0) {
		mem_free(path, PATH_SIZE);
		return n;
	}
	return do_exec(t, path, args->rsi, args->rdx);
}

SYSCALL_FN(execve)
{
	return exec_at(t, AT_FDCWD, r, r->rdi, 0);
}

SYSCALL_FN(execveat)
{
	struct gw_regs args = { .rsi = r->rdx, .rdx = r->r10 };

	if ((r->r8 & ~(uint64_t)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW)) != 0)
		return -EINVAL;
	return exec_at(t, (int)r->rdi, &args, r->rsi, r->r8);
}
