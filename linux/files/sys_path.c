/* SPDX-License-Identifier: Apache-2.0 */
/* sys_path.c - system calls on names: directories, links, modes, owners, times, extended
 * attributes. */
#include "linux/files/files_internal.h"

int path_begin(struct path_arg *p, int dirfd, uint64_t va)
{
	struct file *f;
	long n;

	p->at = NULL;
	p->text = mem_alloc(PATH_MAX);
	if (!p->text)
		return -ENOMEM;
	n = copy_string_from_program(p->text, va, PATH_MAX);
	if (n > 0 && p->text[0] != '/' && dirfd != AT_FDCWD) {
		f = fd_get(dirfd);
		if (!f) {
			n = -EBADF;
		} else {
			if (f->inode && S_ISDIR(f->inode->mode))
				p->at = inode_get(f->inode);
			else
				n = -ENOTDIR;
			file_drop(f);
		}
	}
	if (n < 0)
		path_end(p);
	return n < 0 ? (int)n : 0;
}

void path_end(struct path_arg *p)
{
	mem_free(p->text, PATH_MAX);
	if (p->at)
		inode_put(p->at);
}

static int inode_of_fd(int fd, struct inode **out)
{
	struct file *f;
	int r = -EBADF;

	if (fd == AT_FDCWD) {
		*out = inode_get(process_self()->cwd ? process_self()->cwd : vfs_root);
		return 0;
	}
	f = fd_get(fd);
	if (f) {
		r = f->inode ? 0 : -EINVAL;
		if (f->inode)
			*out = inode_get(f->inode);
		file_drop(f);
	}
	return r;
}

int lookup_at(int dirfd, uint64_t va, uint32_t vfs_flags, bool empty_ok, struct inode **out)
{
	struct path_arg p;
	int r;

	if (empty_ok && !va)
		return inode_of_fd(dirfd, out);
	r = path_begin(&p, dirfd, va);
	if (r)
		return r;
	if (empty_ok && !p.text[0])
		r = inode_of_fd(dirfd, out);
	else
		r = vfs_lookup(p.at, p.text, vfs_flags, out);
	path_end(&p);
	return r;
}

static uint32_t at_flags(uint64_t flags)
{
	return flags & AT_SYMLINK_NOFOLLOW ? VFS_NOFOLLOW : 0;
}

/* ---- making and removing names ---- */
static long make_node(int dirfd, uint64_t va, uint32_t mode, uint32_t rdev)
{
	struct path_arg p;
	int r = path_begin(&p, dirfd, va);

	if (r)
		return r;
	r = vfs_mknod(p.at, p.text, mode, rdev, NULL);
	path_end(&p);
	return r;
}

SYS(mkdir)
{
	return make_node(AT_FDCWD, r->rdi, S_IFDIR | (lo32(r->rsi) & 01777), 0);
}

SYS(mkdirat)
{
	return make_node(fd_arg(r->rdi), r->rsi, S_IFDIR | (lo32(r->rdx) & 01777), 0);
}

static long mknod_at(int dirfd, uint64_t va, uint32_t mode)
{
	uint32_t type = mode & S_IFMT;

	if (type == 0)
		mode |= S_IFREG;
	else if (type == S_IFCHR || type == S_IFBLK)
		return -EPERM;
	else if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
		return -EINVAL;
	return make_node(dirfd, va, mode & (S_IFMT | 07777), 0);
}

SYS(mknod)
{
	return mknod_at(AT_FDCWD, r->rdi, lo32(r->rsi));
}

SYS(mknodat)
{
	return mknod_at(fd_arg(r->rdi), r->rsi, lo32(r->rdx));
}

static long unlink_at(int dirfd, uint64_t va, bool dir)
{
	struct path_arg p;
	int r = path_begin(&p, dirfd, va);

	if (r)
		return r;
	r = vfs_unlink(p.at, p.text, dir);
	path_end(&p);
	return r;
}

SYS(unlink)
{
	return unlink_at(AT_FDCWD, r->rdi, false);
}

SYS(rmdir)
{
	return unlink_at(AT_FDCWD, r->rdi, true);
}

SYS(unlinkat)
{
	if (lo32(r->rdx) & ~AT_REMOVEDIR)
		return -EINVAL;
	return unlink_at(fd_arg(r->rdi), r->rsi, (r->rdx & AT_REMOVEDIR) != 0);
}

static long symlink_at(uint64_t target_va, int dirfd, uint64_t va)
{
	struct path_arg target, p;
	int r = path_begin(&target, AT_FDCWD, target_va);

	if (r)
		return r;
	r = path_begin(&p, dirfd, va);
	if (!r) {
		r = vfs_symlink(p.at, p.text, target.text);
		path_end(&p);
	}
	path_end(&target);
	return r;
}

SYS(symlink)
{
	return symlink_at(r->rdi, AT_FDCWD, r->rsi);
}

SYS(symlinkat)
{
	return symlink_at(r->rdi, fd_arg(r->rsi), r->rdx);
}

static long link_at(int dirfd, uint64_t va, int to_dirfd, uint64_t to_va, uint32_t flags)
{
	struct path_arg p;
	struct inode *i;
	int r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = lookup_at(dirfd, va, flags & AT_SYMLINK_FOLLOW ? 0 : VFS_NOFOLLOW,
		      (flags & AT_EMPTY_PATH) != 0, &i);
	if (r)
		return r;
	r = path_begin(&p, to_dirfd, to_va);
	if (!r) {
		r = vfs_link(i, p.at, p.text);
		path_end(&p);
	}
	inode_put(i);
	return r;
}

SYS(link)
{
	return link_at(AT_FDCWD, r->rdi, AT_FDCWD, r->rsi, 0);
}

SYS(linkat)
{
	return link_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, lo32(r->r8));
}

static long rename_at(int dirfd, uint64_t va, int to_dirfd, uint64_t to_va, uint32_t flags)
{
	struct path_arg from, to;
	int r = path_begin(&from, dirfd, va);

	if (r)
		return r;
	r = path_begin(&to, to_dirfd, to_va);
	if (!r) {
		r = vfs_rename(from.at, from.text, to.at, to.text, flags);
		path_end(&to);
	}
	path_end(&from);
	return r;
}

SYS(rename)
{
	return rename_at(AT_FDCWD, r->rdi, AT_FDCWD, r->rsi, 0);
}

SYS(renameat)
{
	return rename_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, 0);
}

SYS(renameat2)
{
	return rename_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, lo32(r->r8));
}

/* ---- links and the working directory ---- */
static int inode_readlink(struct inode *i, char *to, size_t size)
{
	int n = (int)i->size;

	mutex_lock(&vfs_tree);
	if (i->ops || i->synth)
		n = synth_readlink(i, to, size);
	else
		memcpy(to, i->u.target, (size_t)n);
	mutex_unlock(&vfs_tree);
	return n;
}

static long readlink_at(int dirfd, uint64_t va, uint64_t to, uint64_t size)
{
	struct inode *i;
	char *text;
	long r;

	if ((int64_t)size <= 0)
		return -EINVAL;
	r = lookup_at(dirfd, va, VFS_NOFOLLOW, dirfd != AT_FDCWD, &i);
	if (r)
		return r;
	text = mem_alloc(PATH_MAX);
	if (!S_ISLNK(i->mode))
		r = -EINVAL;
	else if (!text)
		r = -ENOMEM;
	else
		r = inode_readlink(i, text, PATH_MAX);
	if (r > (long)size)
		r = (long)size;
	if (r > 0 && copy_to_program(to, text, (size_t)r))
		r = -EFAULT;
	if (text)
		mem_free(text, PATH_MAX);
	inode_put(i);
	return r;
}

SYS(readlink)
{
	return readlink_at(AT_FDCWD, r->rdi, r->rsi, r->rdx);
}

SYS(readlinkat)
{
	return readlink_at(fd_arg(r->rdi), r->rsi, r->rdx, r->r10);
}

SYS(getcwd)
{
	char *text = mem_alloc(PATH_MAX);
	struct inode *i;
	long n;

	if (!text)
		return -ENOMEM;
	mutex_lock(&vfs_tree);
	i = inode_get(process_self()->cwd ? process_self()->cwd : vfs_root);
	mutex_unlock(&vfs_tree);
	n = inode_path(i, text, PATH_MAX);
	inode_put(i);
	if (n > 0 && (uint64_t)n + 1 > r->rsi)
		n = -ERANGE;
	if (n > 0) {
		n++; /* with its NUL */
		if (copy_to_program(r->rdi, text, (size_t)n))
			n = -EFAULT;
	}
	mem_free(text, PATH_MAX);
	return n;
}

/* Consumes i. */
static long change_dir(struct inode *i)
{
	struct inode *old;
	int r = !S_ISDIR(i->mode) ? -ENOTDIR : inode_access(i, 1, false);

	if (r) {
		inode_put(i);
		return r;
	}
	mutex_lock(&vfs_tree);
	old = process_self()->cwd;
	process_self()->cwd = i;
	mutex_unlock(&vfs_tree);
	if (old)
		inode_put(old);
	return 0;
}

SYS(chdir)
{
	struct inode *i;
	int n = lookup_at(AT_FDCWD, r->rdi, VFS_DIRECTORY, false, &i);

	return n ? n : change_dir(i);
}

SYS(fchdir)
{
	struct inode *i;
	int n = inode_of_fd(fd_arg(r->rdi), &i);

	return n == -EINVAL ? -ENOTDIR : n ? n : change_dir(i);
}

/* ---- access ---- */
static long access_at(int dirfd, uint64_t va, uint64_t mode, uint64_t flags)
{
	struct inode *i;
	long r;

	if (mode & ~7ull || flags & ~(0x200ull | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = lookup_at(dirfd, va, at_flags(flags), (flags & AT_EMPTY_PATH) != 0, &i);
	if (r)
		return r;
	r = mode ? inode_access(i, lo32(mode), !(flags & 0x200)) : 0;
	inode_put(i);
	return r;
}

SYS(access)
{
	return access_at(AT_FDCWD, r->rdi, r->rsi, 0);
}

SYS(faccessat)
{
	return access_at(fd_arg(r->rdi), r->rsi, r->rdx, 0);
}

SYS(faccessat2)
{
	return access_at(fd_arg(r->rdi), r->rsi, r->rdx, r->r10);
}

/* ---- modes and owners ---- */
static bool owns(const struct inode *i)
{
	return !process_self() || process_self()->euid == 0 || process_self()->euid == i->uid;
}

static long set_mode(struct inode *i, long r, uint64_t mode)
{
	if (r)
		return r;
	if (S_ISLNK(i->mode)) {
		r = -EOPNOTSUPP;
	} else if (!owns(i)) {
		r = -EPERM;
	} else {
		i->mode = (i->mode & S_IFMT) | (lo32(mode) & 07777);
		i->ctime = realtime_ns();
	}
	inode_put(i);
	return r;
}

static long set_owner(struct inode *i, long r, uint64_t uid, uint64_t gid)
{
	if (r)
		return r;
	if (process_self() && process_self()->euid &&
	    ((lo32(uid) != ~0u && lo32(uid) != i->uid) || !owns(i))) {
		r = -EPERM;
	} else {
		if (lo32(uid) != ~0u)
			i->uid = lo32(uid);
		if (lo32(gid) != ~0u)
			i->gid = lo32(gid);
		if (S_ISREG(i->mode))
			i->mode &= ~(S_ISUID | (i->mode & 010 ? S_ISGID : 0));
		i->ctime = realtime_ns();
	}
	inode_put(i);
	return r;
}

SYS(chmod)
{
	struct inode *i = NULL;
	int n = lookup_at(AT_FDCWD, r->rdi, 0, false, &i);

	return set_mode(i, n, r->rsi);
}

SYS(fchmod)
{
	struct inode *i = NULL;
	int n = inode_of_fd(fd_arg(r->rdi), &i);

	return set_mode(i, n, r->rsi);
}

SYS(fchmodat)
{
	struct inode *i = NULL;
	int n = lookup_at(fd_arg(r->rdi), r->rsi, 0, false, &i);

	return set_mode(i, n, r->rdx);
}

SYS(fchmodat2)
{
	struct inode *i = NULL;
	int n = lookup_at(fd_arg(r->rdi), r->rsi, at_flags(r->r10), (r->r10 & AT_EMPTY_PATH) != 0,
			  &i);

	return set_mode(i, n, r->rdx);
}

SYS(chown)
{
	struct inode *i = NULL;
	int n = lookup_at(AT_FDCWD, r->rdi, 0, false, &i);

	return set_owner(i, n, r->rsi, r->rdx);
}

SYS(lchown)
{
	struct inode *i = NULL;
	int n = lookup_at(AT_FDCWD, r->rdi, VFS_NOFOLLOW, false, &i);

	return set_owner(i, n, r->rsi, r->rdx);
}

SYS(fchown)
{
	struct inode *i = NULL;
	int n = inode_of_fd(fd_arg(r->rdi), &i);

	return set_owner(i, n, r->rsi, r->rdx);
}

SYS(fchownat)
{
	struct inode *i = NULL;
	int n = lookup_at(fd_arg(r->rdi), r->rsi, at_flags(r->r8), (r->r8 & AT_EMPTY_PATH) != 0,
			  &i);

	return set_owner(i, n, r->rdx, r->r10);
}

/* ---- times ---- */
#define UTIME_NOW 0x3fffffff
#define UTIME_OMIT 0x3ffffffe

/* Access and modification time; tv_nsec may be UTIME_NOW or UTIME_OMIT. Consumes i unless r. */
static long set_times(struct inode *i, long r, const struct timespec64 ts[2])
{
	uint64_t now = realtime_ns();

	if (r)
		return r;
	for (int k = 0; !r && k < 2; k++) {
		uint64_t *to = k ? &i->mtime : &i->atime;

		if (ts[k].nsec == UTIME_NOW)
			*to = now;
		else if (ts[k].nsec < 0 ||
			 (ts[k].nsec >= (int64_t)NS_PER_SEC && ts[k].nsec != UTIME_OMIT))
			r = -EINVAL;
		else if (ts[k].nsec != UTIME_OMIT)
			*to = ts[k].sec < 0
				      ? 0
				      : (uint64_t)ts[k].sec * NS_PER_SEC + (uint64_t)ts[k].nsec;
	}
	if (!r && !owns(i))
		r = -EPERM;
	if (!r)
		i->ctime = now;
	inode_put(i);
	return r;
}

static const struct timespec64 times_now[2] = { { 0, UTIME_NOW }, { 0, UTIME_NOW } };

SYS(utimensat)
{
	struct timespec64 ts[2] = { times_now[0], times_now[1] };
	struct inode *i = NULL;
	int n;

	if (r->rdx && copy_from_program(ts, r->rdx, sizeof(ts)))
		return -EFAULT;
	n = lookup_at(fd_arg(r->rdi), r->rsi, at_flags(r->r10), !r->rsi || r->r10 & AT_EMPTY_PATH,
		      &i);
	return set_times(i, n, ts);
}

static long utimes_at(int dirfd, uint64_t va, uint64_t times)
{
	struct timespec64 ts[2] = { times_now[0], times_now[1] };
	struct inode *i = NULL;
	int n;

	if (times) {
		if (copy_from_program(ts, times, sizeof(ts)))
			return -EFAULT;
		for (int k = 0; k < 2; k++) {
			if (ts[k].nsec < 0 || ts[k].nsec >= 1000000)
				return -EINVAL;
			ts[k].nsec *= 1000;
		}
	}
	n = lookup_at(dirfd, va, 0, !va, &i);
	return set_times(i, n, ts);
}

SYS(utimes)
{
	return utimes_at(AT_FDCWD, r->rdi, r->rsi);
}

SYS(futimesat)
{
	return utimes_at(fd_arg(r->rdi), r->rsi, r->rdx);
}

SYS(utime)
{
	struct timespec64 ts[2] = { times_now[0], times_now[1] };
	int64_t sec[2];
	struct inode *i = NULL;
	int n;

	if (r->rsi) {
		if (copy_from_program(sec, r->rsi, sizeof(sec)))
			return -EFAULT;
		ts[0] = (struct timespec64){ sec[0], 0 };
		ts[1] = (struct timespec64){ sec[1], 0 };
	}
	n = lookup_at(AT_FDCWD, r->rdi, 0, false, &i);
	return set_times(i, n, ts);
}

/* ---- extended attributes: none are kept ---- */
static long xattr(uint64_t va, uint32_t vfs_flags, int result)
{
	struct inode *i;
	int n = lookup_at(AT_FDCWD, va, vfs_flags, false, &i);

	if (n)
		return n;
	inode_put(i);
	return result;
}

static long xattr_fd(uint64_t fd, int result)
{
	struct file *f = fd_get(fd_arg(fd));

	if (!f)
		return -EBADF;
	file_drop(f);
	return result;
}

#define XATTR_CALLS(verb, result)                           \
	SYS(verb##xattr)                                    \
	{                                                   \
		return xattr(r->rdi, 0, result);            \
	}                                                   \
	SYS(l##verb##xattr)                                 \
	{                                                   \
		return xattr(r->rdi, VFS_NOFOLLOW, result); \
	}                                                   \
	SYS(f##verb##xattr)                                 \
	{                                                   \
		return xattr_fd(r->rdi, result);            \
	}
XATTR_CALLS(set, -EOPNOTSUPP)
XATTR_CALLS(get, -ENODATA)
XATTR_CALLS(list, 0)
XATTR_CALLS(remove, -ENODATA)

/* ---- what one fixed root does not offer ---- */
SYS(chroot)
{
	return -EPERM;
}

SYS(mount)
{
	return -EPERM;
}

SYS(umount2)
{
	return -EPERM;
}

SYS(pivot_root)
{
	return -EPERM;
}
