/* SPDX-License-Identifier: Apache-2.0 */
/* sys_fd.c - opening, closing and duplicating descriptors, fcntl, ioctl, locks. */
#include "linux/files/files_internal.h"

static long open_at(int dirfd, uint64_t va, uint32_t flags, uint32_t mode)
{
	struct path_arg p;
	struct file *f;
	int r;

	if ((flags & O_ACCMODE) == O_ACCMODE)
		flags &= ~1u; /* 3: as Linux has it for ioctl only; treated as read and write */
	r = path_begin(&p, dirfd, va);
	if (r)
		return r;
	r = vfs_open(p.at, p.text, flags, mode, &f);
	path_end(&p);
	return r ? r : fd_give(f, flags);
}

SYS(open)
{
	return open_at(AT_FDCWD, r->rdi, lo32(r->rsi), lo32(r->rdx));
}

SYS(openat)
{
	return open_at(fd_arg(r->rdi), r->rsi, lo32(r->rdx), lo32(r->r10));
}

SYS(creat)
{
	return open_at(AT_FDCWD, r->rdi, O_CREAT | O_WRONLY | O_TRUNC, lo32(r->rsi));
}

SYS(openat2)
{
	struct {
		uint64_t flags, mode, resolve;
	} how;

	if (r->r10 < sizeof(how))
		return -EINVAL;
	if (copy_from_program(&how, r->rdx, sizeof(how)))
		return -EFAULT;
	if (how.flags >> 32 || how.mode & ~07777ull)
		return -EINVAL;
	if (how.resolve) /* callers fall back to openat */
		return -ENOSYS;
	return open_at(fd_arg(r->rdi), r->rsi, lo32(how.flags), lo32(how.mode));
}

SYS(close)
{
	struct file *f = fd_take(fd_arg(r->rdi));

	if (!f)
		return -EBADF;
	file_drop(f);
	return 0;
}

SYS(close_range)
{
	uint32_t first = lo32(r->rdi), last = lo32(r->rsi), flags = lo32(r->rdx);

	if (first > last || flags & ~6u)
		return -EINVAL;
	if (first > 0x7fffffff)
		return 0;
	for (int fd = fd_next(process_self()->fds, (int)first); fd >= 0 && (uint32_t)fd <= last;
	     fd = fd_next(process_self()->fds, fd + 1)) {
		struct file *f;

		if (flags & 4) { /* CLOSE_RANGE_CLOEXEC */
			fd_set_cloexec(fd, true);
			continue;
		}
		f = fd_take(fd);
		if (f)
			file_drop(f);
	}
	return 0;
}

static long dup_min(uint64_t from, uint64_t min, bool cloexec)
{
	struct file *f = fd_get(fd_arg(from));
	long fd;

	if (!f)
		return -EBADF;
	fd = min > 0x7fffffff ? -EINVAL : fd_install(f, (int)min, cloexec);
	if (fd < 0)
		file_drop(f);
	return fd == -EMFILE && min &&
			       min >= (process_self() ? process_self()->rlimits[7][0] : 1024)
		       ? -EINVAL
		       : fd;
}

SYS(dup)
{
	return dup_min(r->rdi, 0, false);
}

static long dup_to(uint64_t from, uint64_t to, bool cloexec)
{
	struct file *f = fd_get(fd_arg(from)), *old;
	int n;

	if (!f)
		return -EBADF;
	n = fd_replace(fd_arg(to), f, cloexec, &old);
	if (n) {
		file_drop(f);
		return n;
	}
	if (old)
		file_drop(old);
	return fd_arg(to);
}

SYS(dup2)
{
	if (lo32(r->rdi) == lo32(r->rsi)) {
		struct file *f = fd_get(fd_arg(r->rdi));

		if (!f)
			return -EBADF;
		file_drop(f);
		return fd_arg(r->rsi);
	}
	return dup_to(r->rdi, r->rsi, false);
}

SYS(dup3)
{
	if (lo32(r->rdi) == lo32(r->rsi) || lo32(r->rdx) & ~O_CLOEXEC)
		return -EINVAL;
	return dup_to(r->rdi, r->rsi, (r->rdx & O_CLOEXEC) != 0);
}

/* ---- fcntl ---- */
enum {
	F_DUPFD,
	F_GETFD,
	F_SETFD,
	F_GETFL,
	F_SETFL,
	F_GETLK,
	F_SETLK,
	F_SETLKW,
	F_SETOWN,
	F_GETOWN,
	F_SETSIG,
	F_GETSIG,
	F_OFD_GETLK = 36,
	F_OFD_SETLK,
	F_OFD_SETLKW,
	F_DUPFD_CLOEXEC = 1030,
	F_SETPIPE_SZ = 1031,
	F_GETPIPE_SZ = 1032,
	F_ADD_SEALS = 1033,
	F_GET_SEALS = 1034,
};
#define SETFL_MASK (O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME | O_ASYNC)

static void change_flags(struct file *f, uint32_t mask, uint32_t value)
{
	uint32_t old = f->flags;

	while (!atomic_compare_exchange_weak(&f->flags, &old, (old & ~mask) | (value & mask)))
		;
	if (f->ops->set_flags)
		f->ops->set_flags(f);
}

/* Record locks: with one process nothing can conflict (OFD locks of the same process could; they
 * are granted too). */
static long lock_call(struct file *f, int cmd, uint64_t va)
{
	struct {
		int16_t type, whence;
		int32_t pad;
		int64_t start, len;
		int32_t pid, pad2;
	} l;

	if (f->flags & O_PATH)
		return -EBADF;
	if (copy_from_program(&l, va, sizeof(l)))
		return -EFAULT;
	if (l.type < 0 || l.type > 2 || l.whence < 0 || l.whence > 2)
		return -EINVAL;
	if (cmd != F_GETLK && cmd != F_OFD_GETLK) {
		uint32_t mode = f->flags & O_ACCMODE;

		return (l.type == 0 && mode == O_WRONLY) || (l.type == 1 && mode == O_RDONLY)
			       ? -EBADF
			       : 0;
	}
	l.type = 2; /* F_UNLCK: nothing is in the way */
	return copy_to_program(va, &l, sizeof(l));
}

static long fcntl_file(struct file *f, int fd, int cmd, uint64_t arg)
{
	switch (cmd) {
	case F_GETFD:
		return fd_cloexec(fd);
	case F_SETFD:
		fd_set_cloexec(fd, arg & 1);
		return 0;
	case F_GETFL:
		return f->flags |
		       (f->ops == &regular_ops || f->ops == &directory_ops ? O_LARGEFILE : 0);
	case F_SETFL:
		if (f->flags & O_PATH)
			return -EBADF;
		change_flags(f, SETFL_MASK, lo32(arg));
		return 0;
	case F_GETLK:
	case F_SETLK:
	case F_SETLKW:
	case F_OFD_GETLK:
	case F_OFD_SETLK:
	case F_OFD_SETLKW:
		return lock_call(f, cmd, arg);
	case F_SETOWN:
	case F_GETOWN:
	case F_SETSIG:
	case F_GETSIG:
		return 0; /* no SIGIO is ever sent */
	case F_SETPIPE_SZ:
	case F_GETPIPE_SZ:
		return pipe_fcntl_size(f, cmd == F_SETPIPE_SZ, arg);
	case F_ADD_SEALS:
		return f->ops == &regular_ops ? 0 : -EINVAL;
	case F_GET_SEALS:
		return f->ops == &regular_ops ? 1 : -EINVAL; /* F_SEAL_SEAL: no more may be added */
	default:
		return -EINVAL;
	}
}

SYS(fcntl)
{
	struct file *f;
	long n;

	if (fd_arg(r->rsi) == F_DUPFD || fd_arg(r->rsi) == F_DUPFD_CLOEXEC)
		return dup_min(r->rdi, r->rdx, fd_arg(r->rsi) == F_DUPFD_CLOEXEC);
	f = fd_get(fd_arg(r->rdi));
	if (!f)
		return -EBADF;
	n = fcntl_file(f, fd_arg(r->rdi), fd_arg(r->rsi), r->rdx);
	file_drop(f);
	return n;
}

SYS(flock)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	uint32_t op = lo32(r->rsi) & ~4u; /* LOCK_NB */

	if (!f)
		return -EBADF;
	file_drop(f);
	return op == 1 || op == 2 || op == 8 ? 0 : -EINVAL;
}

SYS(ioctl)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	uint32_t cmd = lo32(r->rsi);
	int32_t on;
	long n = 0;

	if (!f)
		return -EBADF;
	switch (cmd) {
	case 0x5421: /* FIONBIO */
	case 0x5452: /* FIOASYNC */
		n = copy_from_program(&on, r->rdx, sizeof(on));
		if (!n)
			change_flags(f, cmd == 0x5421 ? O_NONBLOCK : O_ASYNC, on ? ~0u : 0);
		break;
	case 0x5450: /* FIONCLEX */
	case 0x5451: /* FIOCLEX */
		fd_set_cloexec(fd_arg(r->rdi), cmd == 0x5451);
		break;
	default:
		n = f->flags & O_PATH ? -EBADF
		    : f->ops->ioctl   ? f->ops->ioctl(f, cmd, r->rdx)
				      : -ENOTTY;
	}
	file_drop(f);
	return n;
}
