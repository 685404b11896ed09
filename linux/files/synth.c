/* SPDX-License-Identifier: Apache-2.0 */
/* synth.c - generated trees: /dev, /proc and /sys come from one table of paths (synth_table.c). A
 * directory gets its part of the table when it is first looked into; a file's text is made when it
 * is read from the start. What belongs to a process is in proc_pid.c. */
#include "linux/files/files_internal.h"

/* ---- text ---- */
static bool text_room(struct text *t, size_t n)
{
	size_t cap = GW_MAX(t->cap * 2, 512ul);
	char *at;

	if (t->cap - t->len >= n)
		return true;
	while (cap - t->len < n)
		cap *= 2;
	at = mem_resize(t->at, t->cap, cap);
	if (!at)
		return false;
	t->at = at;
	t->cap = cap;
	return true;
}

void text_bytes(struct text *t, const char *s, size_t n)
{
	if (n && text_room(t, n)) {
		memcpy(t->at + t->len, s, n);
		t->len += n;
	}
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	if (!text_room(t, 128))
		return;
	va_start(args, fmt);
	n = fmt_vprint(t->at + t->len, t->cap - t->len, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= t->cap - t->len) {
		if (!text_room(t, (size_t)n + 1))
			return;
		va_start(args, fmt);
		n = fmt_vprint(t->at + t->len, t->cap - t->len, fmt, args);
		va_end(args);
	}
	t->len += (size_t)GW_MAX(n, 0);
}

void text_free(struct text *t)
{
	if (t->at)
		mem_free(t->at, t->cap);
	*t = (struct text){ 0 };
}

/* Of a process that is gone nothing is left to read. */
static void synth_text(const struct inode *i, struct text *t)
{
	const struct synth *s = i->synth;
	int pid = proc_pid_of(i);

	t->of = pid ? process_of(pid) : NULL;
	if (pid && !t->of)
		return;
	if (s->fixed)
		text_bytes(t, s->fixed, strlen(s->fixed));
	else if (s->text)
		s->text(t);
	if (t->of)
		process_put(t->of);
	t->of = NULL;
}

/* ---- open files ---- */
static long synth_read(struct file *f, struct uio *u, int64_t off)
{
	struct text *t = f->object;
	uint64_t at = (uint64_t)(off < 0 ? f->pos : off);
	size_t n;
	int r;

	if (at == 0) {
		t->len = 0;
		synth_text(f->inode, t);
	}
	if (at >= t->len)
		return 0;
	n = GW_MIN(t->len - at, u->left);
	r = uio_put(u, t->at + at, n);
	if (!r && off < 0)
		f->pos += (int64_t)n;
	return r ? r : (long)n;
}

static long synth_write(struct file *f, struct uio *u, int64_t off)
{
	char buf[128];
	size_t n = u->left;
	long all = (long)n;
	int r;

	(void)off;
	if (!f->inode->synth->store)
		return -EINVAL;
	if (n >= sizeof(buf))
		return -EINVAL;
	r = uio_get(u, buf, n);
	if (r)
		return r;
	while (n && (buf[n - 1] == '\n' || !buf[n - 1]))
		n--;
	buf[n] = 0;
	r = (int)f->inode->synth->store(buf, n);
	return r ? r : all;
}

static int64_t synth_seek(struct file *f, int64_t off, int whence)
{
	int64_t base = whence == SEEK_CUR ? f->pos : 0;

	if ((whence != SEEK_SET && whence != SEEK_CUR) || base + off < 0)
		return -EINVAL;
	return f->pos = base + off;
}

static void synth_release(struct file *f)
{
	text_free(f->object);
	mem_free(f->object, sizeof(struct text));
}

static const struct file_ops synth_ops = {
	.read = synth_read, .write = synth_write, .seek = synth_seek, .release = synth_release
};

static int synth_open(struct inode *i, uint32_t flags, struct file **out)
{
	struct text *t;

	if ((flags & O_ACCMODE) != O_RDONLY && !i->synth->store)
		return -EACCES;
	t = mem_zalloc(sizeof(*t));
	*out = t ? file_create(&synth_ops, flags, t, NULL) : NULL;
	if (!*out) {
		if (t)
			mem_free(t, sizeof(*t));
		return -ENOMEM;
	}
	(*out)->inode = inode_get(i);
	return 0;
}

const struct inode_ops synth_file_ops = { .open = synth_open };

int synth_readlink(struct inode *i, char *to, size_t size)
{
	struct text t = { 0 };
	size_t n;

	if (i->ops && i->ops->readlink)
		return i->ops->readlink(i, to, size);
	synth_text(i, &t);
	n = GW_MIN(t.len, size - 1);
	if (n)
		memcpy(to, t.at, n);
	to[n] = 0;
	text_free(&t);
	return n ? (int)n : -ENOENT;
}

/* ---- directories ---- */
static const struct synth read_only_dir = { .path = "" };

struct inode *synth_dir(const char *prefix, size_t len)
{
	struct inode *i = inode_create(S_IFDIR | 0555, 0, 0);

	if (i) {
		i->u.dir.synth_path = prefix;
		i->u.dir.synth_len = (uint8_t)len;
		if (strncmp(prefix, "dev", 3) != 0)
			i->synth = &read_only_dir;
		else
			i->mode |= 0200;
	}
	return i;
}

struct inode *synth_inode(const struct synth *s)
{
	uint32_t mode = s->mode ? s->mode : S_IFREG | (s->store ? 0644u : 0444u);
	struct inode *i = inode_create(mode, 0, 0);

	if (i) {
		i->synth = S_ISDIR(mode) ? NULL : s;
		i->rdev = s->rdev;
		i->ops = s->ops ? s->ops : S_ISREG(mode) ? &synth_file_ops : NULL;
	}
	return i;
}

/* A thread's directory has what the process's has, but for the list of threads: it would never end.
 */

int synth_populate(struct inode *dir)
{
	const char *prefix = dir->u.dir.synth_path;
	size_t plen = dir->u.dir.synth_len;

	for (uint32_t k = 0; k < synth_count; k++) {
		const struct synth *s = &synth_table[k];
		const char *name = s->path + plen + 1, *end;
		struct inode *i;
		size_t len;
		int r;

		if (strncmp(s->path, prefix, plen) != 0 || s->path[plen] != '/')
			continue;
		end = strchr(name, '/');
		len = end ? (size_t)(end - name) : strlen(name);
		if (name[0] == '@' || dentry_find(dir, name, len))
			continue;
		i = end ? synth_dir(s->path, (size_t)(end - s->path)) : synth_inode(s);
		if (!i)
			return -ENOMEM;
		r = dentry_add(dir, name, len, false, i, NO_IMAGE);
		inode_put(i);
		if (r)
			return r;
	}
	return 0;
}
