/* SPDX-License-Identifier: Apache-2.0 */
/* sys_attr.c - system calls on what a name leads to: access, modes, owners, times, extended
 * attributes; and those that one fixed root does not offer. */
#include "linux/files/files_internal.h"

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
