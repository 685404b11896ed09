/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd.c - pending signals as a file: reading takes them off the caller's and the process's
 * queues. All signalfds share one wait queue, notified whenever a signal is queued (signal_arrived,
 * called by process/). */
#include "linux/files/files_internal.h"

struct signalfd_info {
	uint32_t signo;
	int32_t err, code;
	uint32_t pid, uid;
	int32_t fd;
	uint32_t tid, band, overrun, trapno;
	int32_t status, value;
	uint64_t pointer, utime, stime, addr;
	uint8_t pad[48];
};
_Static_assert(sizeof(struct signalfd_info) == 128, "struct signalfd_siginfo");

struct signalfd {
	_Atomic sigset64 mask;
};

static struct waitq arrivals;

void signalfd_init(void)
{
	waitq_init(&arrivals);
}

static void arrived(void)
{
	waitq_notify(&arrivals, POLLIN);
}

static long signalfd_read(struct file *f, struct uio *u, int64_t off)
{
	const struct signalfd *s = f->object;
	struct siginfo64 info;
	long done = 0;
	int r;

	if (off >= 0)
		return -ESPIPE;
	if (u->left < sizeof(struct signalfd_info))
		return -EINVAL;
	while (u->left >= sizeof(struct signalfd_info)) {
		struct signalfd_info out = { 0 };

		if (!signal_take(thread_self(), s->mask, &info)) {
			r = done ? -EAGAIN : file_wait(f, POLLIN, GW_NEVER);
			if (r)
				return done ? done : r;
			continue;
		}
		out.signo = (uint32_t)info.signo;
		out.err = info.err;
		out.code = info.code;
		out.pid = (uint32_t)info.u.sender.pid;
		out.uid = info.u.sender.uid;
		out.pointer = info.u.sender.value;
		out.value = (int32_t)lo32(info.u.sender.value);
		r = uio_put(u, &out, sizeof(out));
		if (r)
			return done ? done : r;
		done += (long)sizeof(out);
	}
	return done;
}

static uint32_t signalfd_poll(struct file *f)
{
	const struct signalfd *s = f->object;

	return (thread_self()->pending | process_self()->pending) & s->mask ? POLLIN | POLLRDNORM
									    : 0;
}

static void signalfd_release(struct file *f)
{
	mem_free(f->object, sizeof(struct signalfd));
}

static const struct file_ops signalfd_ops = { .read = signalfd_read,
					      .poll = signalfd_poll,
					      .release = signalfd_release,
					      .kind = "anon_inode:[signalfd]" };

static long make(uint64_t fd, uint64_t va, uint64_t size, uint32_t flags)
{
	struct signalfd *s;
	struct file *f;
	sigset64 mask;

	if (size != sizeof(mask) || flags & ~(O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	if (copy_from_program(&mask, va, sizeof(mask)))
		return -EFAULT;
	mask &= ~(1ull << 8 | 1ull << 18); /* SIGKILL, SIGSTOP */
	if (fd_arg(fd) != -1) {		   /* change the mask of one that is there */
		f = fd_get(fd_arg(fd));
		if (!f)
			return -EBADF;
		if (f->ops == &signalfd_ops)
			((struct signalfd *)f->object)->mask = mask;
		size = f->ops == &signalfd_ops;
		file_drop(f);
		arrived();
		return size ? fd_arg(fd) : -EINVAL;
	}
	signal_arrived = arrived;
	s = mem_zalloc(sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->mask = mask;
	f = file_create(&signalfd_ops, flags & O_NONBLOCK, s, &arrivals);
	if (!f) {
		mem_free(s, sizeof(*s));
		return -ENOMEM;
	}
	return fd_give(f, flags);
}

SYS(signalfd)
{
	return make(r->rdi, r->rsi, r->rdx, 0);
}

SYS(signalfd4)
{
	return make(r->rdi, r->rsi, r->rdx, lo32(r->r10));
}
