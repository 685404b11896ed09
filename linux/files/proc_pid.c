/* SPDX-License-Identifier: Apache-2.0 */
/* proc_pid.c - the live part of /proc: a directory for each process, its files (synth_table.c:
 * "proc/@pid/..."), descriptors and threads. Nothing here is kept: an inode is made for each look,
 * its number says whose it is. */
#include "linux/files/files_internal.h"

#define PREFIX "proc/@pid/"
#define KIND_DIR 0u
#define KIND_FD 1u
#define KIND_TASK 2u
#define KIND_THREAD 3u	      /* as KIND_DIR, without threads of its own */
#define KIND_TABLE 16u	      /* and the index in synth_table */
#define PIDS_FROM 0x40000000u /* cursors of /proc's directory from here on are processes */

static uint64_t ino_of(int pid, uint32_t kind)
{
	return 1ull << 40 | (uint64_t)pid << 8 | (kind & 0xff);
}

int proc_pid_of(const struct inode *i)
{
	return (i->ino >> 40) == 1 ? (int)(i->ino >> 8 & 0xffffffff) : 0;
}

static struct process *process_of_inode(const struct inode *i)
{
	return process_of(proc_pid_of(i));
}

static struct fd_table *table_of(const struct inode *i)
{
	struct process *p = process_of_inode(i);
	struct fd_table *t = NULL;

	if (!p)
		return NULL;
	spin_lock(&p->lock);
	if (p->fds)
		t = fd_table_get(p->fds);
	spin_unlock(&p->lock);
	process_put(p);
	return t;
}

static int parse_number(const char *name, size_t len, uint32_t *out)
{
	uint32_t v = 0;

	if (!len || len > 9)
		return -ENOENT;
	for (size_t k = 0; k < len; k++) {
		if (name[k] < '0' || name[k] > '9')
			return -ENOENT;
		v = v * 10 + (uint32_t)(name[k] - '0');
	}
	*out = v;
	return 0;
}

static struct inode *live_inode(uint32_t mode, uint64_t ino, const struct inode_ops *ops)
{
	struct inode *i = inode_create(mode, 0, 0);

	if (i) {
		i->ino = ino;
		i->ops = ops;
		i->nlink = 1;
	}
	return i;
}

/* ---- /proc ---- */
static int proc_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	struct process *p = NULL;
	struct dentry *d;
	uint32_t pid;
	int r = dir_populate(dir);

	if (r)
		return r;
	d = dentry_find(dir, name, len);
	if (d) {
		r = dentry_inode(d, out);
		if (!r)
			inode_get(*out);
		return r;
	}
	if (!parse_number(name, len, &pid))
		p = process_of((int)pid);
	if (!p)
		return -ENOENT;
	*out = live_inode(S_IFDIR | 0555, ino_of(p->pid, KIND_DIR), &pid_dir_ops);
	process_put(p);
	return *out ? 0 : -ENOMEM;
}

static int proc_readdir(struct inode *dir, uint64_t *cursor, char *name, size_t size, uint64_t *ino,
			uint8_t *type)
{
	int pid, r = dir_populate(dir);

	if (r)
		return r;
	*type = 4; /* DT_DIR */
	if (*cursor < PIDS_FROM) {
		list_for_each (n, &dir->u.dir.order) {
			const struct dentry *d = list_entry(n, struct dentry, order);

			if (d->seq < *cursor || d->len >= size)
				continue;
			fmt_print(name, size, "%s", d->name);
			name[d->len] = 0;
			*ino = d->inode->ino;
			*type = (uint8_t)((d->inode->mode & S_IFMT) >> 12);
			*cursor = d->seq + 1;
			return 1;
		}
		*cursor = PIDS_FROM;
	}
	pid = process_next((int)(*cursor - PIDS_FROM));
	if (pid < 0)
		return 0;
	fmt_print(name, size, "%d", pid);
	*ino = ino_of(pid, KIND_DIR);
	*cursor = PIDS_FROM + (uint64_t)pid + 1;
	return 1;
}

const struct inode_ops proc_dir_ops = { .lookup = proc_lookup, .readdir = proc_readdir };

/* ---- /proc/PID ---- */
static int pid_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	int pid = proc_pid_of(dir);
	bool thread = (dir->ino & 0xff) == KIND_THREAD;

	for (uint32_t k = 0; k < synth_count; k++) {
		const struct synth *s = &synth_table[k];
		const char *rest = s->path + sizeof(PREFIX) - 1;

		if (strncmp(s->path, PREFIX, sizeof(PREFIX) - 1) != 0 || strlen(rest) != len ||
		    memcmp(rest, name, len) != 0 || (thread && s->ops == &task_dir_ops))
			continue;
		*out = synth_inode(s);
		if (!*out)
			return -ENOMEM;
		(*out)->ino = ino_of(pid, s->ops == &fd_dir_ops	    ? KIND_FD
					  : s->ops == &task_dir_ops ? KIND_TASK
								    : KIND_TABLE + k);
		return 0;
	}
	return -ENOENT;
}

static int pid_readdir(struct inode *dir, uint64_t *cursor, char *name, size_t size, uint64_t *ino,
		       uint8_t *type)
{
	for (; *cursor < synth_count; ++*cursor) {
		const struct synth *s = &synth_table[*cursor];

		if (strncmp(s->path, PREFIX, sizeof(PREFIX) - 1) != 0 ||
		    ((dir->ino & 0xff) == KIND_THREAD && s->ops == &task_dir_ops))
			continue;
		fmt_print(name, size, "%s", s->path + sizeof(PREFIX) - 1);
		*type = (uint8_t)((s->mode ? s->mode & S_IFMT : S_IFREG) >> 12);
		*ino = ino_of(proc_pid_of(dir), KIND_TABLE + (uint32_t)*cursor);
		++*cursor;
		return 1;
	}
	return 0;
}

const struct inode_ops pid_dir_ops = { .lookup = pid_lookup, .readdir = pid_readdir };

/* ---- /proc/PID/fd ---- */
/* The file behind a link of a descriptor directory, referenced, or NULL. */
struct file *fd_link_file(const struct inode *i)
{
	struct fd_table *t = table_of(i);
	struct file *f = t ? fd_get_of(t, (int)i->u.value) : NULL;

	if (t)
		fd_table_put(t);
	return f;
}

static int fd_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	uint32_t fd;
	struct file *f;

	if (parse_number(name, len, &fd))
		return -ENOENT;
	*out = live_inode(S_IFLNK | 0700, ino_of(proc_pid_of(dir), KIND_FD), &fd_link_ops);
	if (!*out)
		return -ENOMEM;
	(*out)->u.value = fd;
	f = fd_link_file(*out);
	if (f) {
		file_drop(f);
		return 0;
	}
	inode_put(*out);
	return -ENOENT;
}

static int fd_readdir(struct inode *dir, uint64_t *cursor, char *name, size_t size, uint64_t *ino,
		      uint8_t *type)
{
	struct fd_table *t = table_of(dir);
	int fd = t && *cursor < 0x7fffffff ? fd_next(t, (int)*cursor) : -1;

	if (t)
		fd_table_put(t);
	if (fd < 0)
		return 0;
	fmt_print(name, size, "%d", fd);
	*ino = 0x10000u + (uint32_t)fd;
	*type = 10; /* DT_LNK */
	*cursor = (uint64_t)fd + 1;
	return 1;
}

static int fd_readlink(struct inode *i, char *to, size_t size)
{
	struct file *f = fd_link_file(i);
	int n = -ENOENT;

	if (!f)
		return -ENOENT;
	if (f->inode)
		n = inode_path_locked(f->inode, to, size);
	if (n < 0 && f->ops->kind)
		n = fmt_print(to, size, f->ops->kind[0] == 'a' ? "%s" : "%s:[%u]", f->ops->kind,
			      (unsigned)((uint64_t)f->object >> 4 & 0xffffff));
	else if (n < 0)
		n = fmt_print(to, size, "%s",
			      f->inode && !S_ISREG(f->inode->mode) ? "/dev/console"
								   : "/ (deleted)");
	file_drop(f);
	return n;
}

const struct inode_ops fd_dir_ops = { .lookup = fd_lookup, .readdir = fd_readdir };
const struct inode_ops fd_link_ops = { .readlink = fd_readlink };

/* ---- /proc/PID/task ---- */
/* The lowest thread id >= tid, or -1. */
static int next_tid(const struct inode *dir, int tid)
{
	struct process *p = process_of_inode(dir);
	int best = -1;

	if (!p)
		return -1;
	spin_lock(&p->lock);
	list_for_each (n, &p->threads) {
		int id = list_entry(n, struct thread, link)->tid;

		if (id >= tid && (best < 0 || id < best))
			best = id;
	}
	spin_unlock(&p->lock);
	process_put(p);
	return best;
}

static int task_lookup(struct inode *dir, const char *name, size_t len, struct inode **out)
{
	uint32_t tid;

	if (parse_number(name, len, &tid) || next_tid(dir, (int)tid) != (int)tid)
		return -ENOENT;
	*out = live_inode(S_IFDIR | 0555, ino_of(proc_pid_of(dir), KIND_THREAD), &pid_dir_ops);
	return *out ? 0 : -ENOMEM;
}

static int task_readdir(struct inode *dir, uint64_t *cursor, char *name, size_t size, uint64_t *ino,
			uint8_t *type)
{
	int tid = *cursor < 0x7fffffff ? next_tid(dir, (int)*cursor) : -1;

	if (tid < 0)
		return 0;
	fmt_print(name, size, "%d", tid);
	*ino = 0x20000u + (uint32_t)tid;
	*type = 4; /* DT_DIR */
	*cursor = (uint64_t)tid + 1;
	return 1;
}

const struct inode_ops task_dir_ops = { .lookup = task_lookup, .readdir = task_readdir };
