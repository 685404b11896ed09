/* SPDX-License-Identifier: Apache-2.0 */
/* sys_stat.c - stat in its forms, statfs, and directory listing. */
#include "linux/files/files_internal.h"

static int stat_file(struct file *f, struct stat64 *st)
{
	if (f->ops->stat)
		return f->ops->stat(f, st);
	if (f->inode) {
		inode_stat(f->inode, st);
		return 0;
	}
	*st = (struct stat64){ .dev = 9, .ino = 1, .nlink = 1, .mode = 0600, .blksize = 4096 };
	return 0;
}

static int stat_fd(int fd, struct stat64 *st)
{
	struct file *f = fd_get(fd);
	int r;

	if (!f)
		return -EBADF;
	r = stat_file(f, st);
	file_drop(f);
	return r;
}

/* Directories count their subdirectories when they are populated. */
static void stat_inode(struct inode *i, struct stat64 *st)
{
	if (S_ISDIR(i->mode) && !(i->ops && i->ops->lookup)) {
		mutex_lock(&vfs_tree);
		if (dir_populate(i)) {
			/* out of memory: the count is too low, nothing else is wrong */
		}
		mutex_unlock(&vfs_tree);
	}
	inode_stat(i, st);
}

static int stat_at(int dirfd, uint64_t va, uint64_t flags, struct stat64 *st)
{
	struct path_arg p;
	struct inode *i;
	int r;

	if ((flags & AT_EMPTY_PATH) && !va)
		return stat_fd(dirfd, st);
	if (flags & AT_EMPTY_PATH &&
	    dirfd != AT_FDCWD) { /* glibc's fstat: look at the path before the directory */
		char c;

		if (copy_from_program(&c, va, 1))
			return -EFAULT;
		if (!c)
			return stat_fd(dirfd, st);
	}
	r = path_begin(&p, dirfd, va);
	if (r)
		return r;
	if (!p.text[0] && flags & AT_EMPTY_PATH)
		r = vfs_lookup(NULL, ".", 0, &i);
	else
		r = vfs_lookup(p.at, p.text, flags & AT_SYMLINK_NOFOLLOW ? VFS_NOFOLLOW : 0, &i);
	path_end(&p);
	if (r)
		return r;
	stat_inode(i, st);
	inode_put(i);
	return 0;
}

static long give(uint64_t va, const struct stat64 *st, int r)
{
	return r ? r : copy_to_program(va, st, sizeof(*st));
}

SYS(stat)
{
	struct stat64 st;
	int n = stat_at(AT_FDCWD, r->rdi, 0, &st);

	return give(r->rsi, &st, n);
}

SYS(lstat)
{
	struct stat64 st;
	int n = stat_at(AT_FDCWD, r->rdi, AT_SYMLINK_NOFOLLOW, &st);

	return give(r->rsi, &st, n);
}

SYS(fstat)
{
	struct stat64 st;
	int n = stat_fd(fd_arg(r->rdi), &st);

	return give(r->rsi, &st, n);
}

SYS(newfstatat)
{
	struct stat64 st;
	int n = stat_at(fd_arg(r->rdi), r->rsi, r->r10, &st);

	return give(r->rdx, &st, n);
}

SYS(statx)
{
	struct stat64 st;
	struct statx64 x;
	int n = stat_at(fd_arg(r->rdi), r->rsi, r->rdx, &st);

	if (n)
		return n;
	x = (struct statx64){
		.mask = 0x7ff,
		.blksize = 4096,
		.nlink = lo32(st.nlink),
		.uid = st.uid,
		.gid = st.gid,
		.mode = (uint16_t)st.mode,
		.ino = st.ino,
		.size = (uint64_t)st.size,
		.blocks = (uint64_t)st.blocks,
		.atime = { (int64_t)st.atime, lo32(st.atime_ns), 0 },
		.mtime = { (int64_t)st.mtime, lo32(st.mtime_ns), 0 },
		.ctime = { (int64_t)st.ctime, lo32(st.ctime_ns), 0 },
		.rdev_major = lo32(st.rdev >> 8),
		.rdev_minor = lo32(st.rdev & 0xff),
		.dev_minor = lo32(st.dev),
		.mnt_id = 1,
	};
	return copy_to_program(r->r8, &x, sizeof(x));
}

static long give_statfs(uint64_t va)
{
	struct statfs64 s = {
		.type = 0x01021994, /* TMPFS_MAGIC */
		.bsize = 4096,
		.blocks = mem_total_pages(),
		.bfree = mem_free_pages(),
		.bavail = mem_free_pages(),
		.files = 1u << 20,
		.ffree = 1u << 19,
		.namelen = NAME_MAX,
		.frsize = 4096,
	};

	return copy_to_program(va, &s, sizeof(s));
}

SYS(statfs)
{
	struct inode *i;
	int n = lookup_at(AT_FDCWD, r->rdi, 0, false, &i);

	if (n)
		return n;
	inode_put(i);
	return give_statfs(r->rsi);
}

SYS(fstatfs)
{
	struct file *f = fd_get(fd_arg(r->rdi));

	if (!f)
		return -EBADF;
	file_drop(f);
	return give_statfs(r->rsi);
}

/* ---- getdents ---- */
struct dirent_out {
	uint8_t *buf;
	size_t len, cap;
	bool old; /* getdents: the type lies behind the name */
};

/* Append one entry; false: no room. */
static bool emit(struct dirent_out *o, uint64_t ino, uint64_t next, uint8_t type, const char *name,
		 size_t len)
{
	size_t head = o->old ? 18 : 19, reclen = ROUND_UP(head + len + (o->old ? 2 : 1), 8ul);
	uint8_t *p = o->buf + o->len;
	uint16_t n = (uint16_t)reclen;

	if (reclen > o->cap - o->len)
		return false;
	memset(p, 0, reclen);
	memcpy(p, &ino, 8);
	memcpy(p + 8, &next, 8);
	memcpy(p + 16, &n, 2);
	p[o->old ? reclen - 1 : 18] = type;
	memcpy(p + head, name, len);
	o->len += reclen;
	return true;
}

static uint8_t type_of(uint32_t mode)
{
	return (uint8_t)((mode & S_IFMT) >> 12);
}

static bool emit_dentry(struct dirent_out *o, const struct dentry *d)
{
	uint64_t ino = d->inode ? d->inode->ino : d->image + 2ull;
	uint32_t mode = d->inode ? d->inode->mode : root_image.entries[d->image].mode;

	return emit(o, ino, d->seq + 1ull, type_of(mode), d->name, d->len);
}

/* Fill o from position *pos of dir; vfs_tree held. */
static int list_dir(struct inode *dir, struct dirent_out *o, int64_t *pos)
{
	struct inode *up = dir->dentry ? dir->dentry->dir : dir;
	int r = 0;

	if (*pos == 0 && emit(o, dir->ino, 1, 4, ".", 1))
		*pos = 1;
	if (*pos == 1 && emit(o, up->ino, 2, 4, "..", 2))
		*pos = 2;
	if (dir->ops && dir->ops->readdir) {
		uint64_t cursor = (uint64_t)*pos - 2, ino;
		char name[32];
		uint8_t type;

		while ((r = dir->ops->readdir(dir, &cursor, name, sizeof(name), &ino, &type)) > 0) {
			if (!emit(o, ino, cursor + 2, type, name, strlen(name)))
				return 0;
			*pos = (int64_t)cursor + 2;
		}
		return r;
	}
	r = dir_populate(dir);
	if (r)
		return r;
	list_for_each (n, &dir->u.dir.order) {
		const struct dentry *d = list_entry(n, struct dentry, order);

		if (d->seq < *pos)
			continue;
		if (!emit_dentry(o, d))
			break;
		*pos = d->seq + 1ll;
	}
	return 0;
}

static long getdents(struct gw_regs *r, bool old)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	struct dirent_out o = { .cap = GW_MIN(lo32(r->rdx), 4096u), .old = old };
	int64_t pos;
	long n = -ENOTDIR;

	if (!f)
		return -EBADF;
	if (f->ops == &directory_ops) {
		o.buf = mem_alloc(4096);
		n = -ENOMEM;
	}
	if (o.buf) {
		mutex_lock(&vfs_tree);
		pos = f->pos;
		n = list_dir(f->inode, &o, &pos);
		mutex_unlock(&vfs_tree);
		if (!n && !o.len) { /* at the end, or no room for the next */
			char probe[NAME_MAX + 32];
			struct dirent_out one = { .buf = (uint8_t *)probe, .cap = sizeof(probe) };
			int64_t at = pos;

			mutex_lock(&vfs_tree);
			n = list_dir(f->inode, &one, &at);
			mutex_unlock(&vfs_tree);
			if (!n && one.len)
				n = -EINVAL;
		}
		if (!n && o.len)
			n = copy_to_program(r->rsi, o.buf, o.len) ? -EFAULT : (long)o.len;
		if (n > 0)
			f->pos = pos;
		mem_free(o.buf, 4096);
	}
	file_drop(f);
	return n;
}

SYS(getdents64)
{
	return getdents(r, false);
}

SYS(getdents)
{
	return getdents(r, true);
}
