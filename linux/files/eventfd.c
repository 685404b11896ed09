/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd.c - a 64-bit counter as a file. */
#include "linux/files/files_internal.h"

#define EFD_SEMAPHORE 1u
#define COUNT_MAX (~0ull - 1)

struct eventfd {
	_Atomic uint64_t count;
	struct waitq wq;
	bool semaphore;
};

static long eventfd_read(struct file *f, struct uio *u, int64_t off)
{
	struct eventfd *e = f->object;
	uint64_t have, take;
	int r;

	if (off >= 0)
		return -ESPIPE;
	if (u->left < 8)
		return -EINVAL;
	for (;;) {
		have = e->count;
		while (have) {
			take = e->semaphore ? 1 : have;
			if (atomic_compare_exchange_weak(&e->count, &have, have - take)) {
				waitq_notify(&e->wq, POLLOUT);
				r = uio_put(u, &take, 8);
				return r ? r : 8;
			}
		}
		r = file_wait(f, POLLIN, GW_NEVER);
		if (r)
			return r;
	}
}

static long eventfd_write(struct file *f, struct uio *u, int64_t off)
{
	struct eventfd *e = f->object;
	uint64_t add, have;
	int r;

	if (off >= 0)
		return -ESPIPE;
	if (u->left < 8)
		return -EINVAL;
	r = uio_get(u, &add, 8);
	if (r)
		return r;
	if (add == ~0ull)
		return -EINVAL;
	for (;;) {
		have = e->count;
		while (add <= COUNT_MAX - have) {
			if (atomic_compare_exchange_weak(&e->count, &have, have + add)) {
				if (add)
					waitq_notify(&e->wq, POLLIN);
				return 8;
			}
		}
		/* Not file_wait: it asks for room for one, and add may need more. */
		if (f->flags & O_NONBLOCK)
			return -EAGAIN;
		struct waiter w = { .uthread = uthread_self() };

		waitq_add(&e->wq, &w);
		r = add > COUNT_MAX - e->count ? thread_park(GW_NEVER) : 0;
		waitq_del(&e->wq, &w);
		if (r)
			return r;
	}
}

static uint32_t eventfd_poll(struct file *f)
{
	const struct eventfd *e = f->object;
	uint64_t n = e->count;

	return (n ? POLLIN | POLLRDNORM : 0) | (n < COUNT_MAX ? POLLOUT | POLLWRNORM : 0);
}

static void eventfd_release(struct file *f)
{
	mem_free(f->object, sizeof(struct eventfd));
}

static const struct file_ops eventfd_ops = { .read = eventfd_read,
					     .write = eventfd_write,
					     .poll = eventfd_poll,
					     .release = eventfd_release,
					     .kind = "anon_inode:[eventfd]" };

static long make(uint32_t count, uint32_t flags)
{
	struct eventfd *e;
	struct file *f;

	if (flags & ~(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
		return -EINVAL;
	e = mem_zalloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	waitq_init(&e->wq);
	f = file_create(&eventfd_ops, O_RDWR | (flags & O_NONBLOCK), e, &e->wq);
	if (!f) {
		mem_free(e, sizeof(*e));
		return -ENOMEM;
	}
	return fd_give(f, flags);
}

SYS(eventfd)
{
	return make(lo32(r->rdi), 0);
}

SYS(eventfd2)
{
	return make(lo32(r->rdi), lo32(r->rsi));
}
