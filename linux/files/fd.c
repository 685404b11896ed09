/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - open files and the descriptor table. There is one process, so there is one table. */
#include "linux/files/files_internal.h"

#define RLIMIT_NOFILE 7
#define FD_MAX 1048576u

struct fd_table fds;

struct file *file_create(const struct file_ops *ops, uint32_t flags, void *object, struct waitq *wq)
{
	struct file *f = mem_zalloc(sizeof(*f));

	if (!f)
		return NULL;
	f->ops = ops;
	f->refs = 1;
	f->flags = flags & ~(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC);
	f->object = object;
	f->waitq = wq;
	list_init(&f->epoll_items);
	return f;
}

struct file *file_get(struct file *f)
{
	atomic_fetch_add_explicit(&f->refs, 1, memory_order_relaxed);
	return f;
}

void file_destroy(struct file *f)
{
	if (!list_empty(&f->epoll_items))
		epoll_file_closed(f);
	if (f->ops->release)
		f->ops->release(f);
	if (f->inode)
		inode_put(f->inode);
	mem_free(f, sizeof(*f));
}

void file_put(struct file *f)
{
	file_drop(f);
}

struct file *fd_file(int fd)
{
	return fd_get(fd);
}

static uint32_t fd_limit(void)
{
	uint64_t n = process ? process->rlimits[RLIMIT_NOFILE][0] : 1024;

	return n < FD_MAX ? (uint32_t)n : FD_MAX;
}

static size_t table_bytes(uint32_t cap)
{
	return (size_t)cap * sizeof(struct file *) + 2 * (size_t)cap / 8;
}

/* Make room for descriptor fd. Called and returns without the lock. */
static int table_grow(uint32_t fd)
{
	uint32_t cap = 64, old_cap;
	struct file **slots, **old;

	while (cap <= fd)
		cap *= 2;
	slots = mem_zalloc(table_bytes(cap));
	if (!slots)
		return -ENOMEM;
	spin_lock(&fds.lock);
	old = fds.slots;
	old_cap = fds.cap;
	if (old_cap < cap) {
		uint64_t *used = (uint64_t *)(void *)(slots + cap), *cloexec = used + cap / 64;

		if (old) {
			memcpy(slots, old, old_cap * sizeof(void *));
			memcpy(used, fds.used, old_cap / 8);
			memcpy(cloexec, fds.cloexec, old_cap / 8);
		}
		fds.slots = slots;
		fds.used = used;
		fds.cloexec = cloexec;
		fds.cap = cap;
	} else {
		old = slots;
		old_cap = cap;
	}
	spin_unlock(&fds.lock);
	if (old)
		mem_free(old, table_bytes(old_cap));
	return 0;
}

static void slot_set(uint32_t fd, struct file *f, bool cloexec)
{
	uint64_t bit = 1ull << fd % 64;

	fds.slots[fd] = f;
	fds.used[fd / 64] = f ? fds.used[fd / 64] | bit : fds.used[fd / 64] & ~bit;
	fds.cloexec[fd / 64] = cloexec ? fds.cloexec[fd / 64] | bit : fds.cloexec[fd / 64] & ~bit;
}

/* Lowest free descriptor >= min; cap when the table is full. */
static uint32_t lowest_free(uint32_t min)
{
	for (uint32_t w = min / 64; w < fds.cap / 64; w++) {
		uint64_t free = ~fds.used[w];

		if (w == min / 64)
			free &= ~0ull << min % 64;
		if (free)
			return w * 64 + (uint32_t)__builtin_ctzll(free);
	}
	return GW_MAX(fds.cap, min);
}

int fd_install(struct file *f, int min, bool cloexec)
{
	uint32_t limit = fd_limit(), from = (uint32_t)min, fd;
	int r;

	if (min < 0)
		return -EINVAL;
	for (;;) {
		spin_lock(&fds.lock);
		fd = lowest_free(GW_MAX(from, fds.lowest));
		if (fd >= limit) {
			spin_unlock(&fds.lock);
			return -EMFILE;
		}
		if (fd < fds.cap)
			break;
		spin_unlock(&fds.lock);
		r = table_grow(fd);
		if (r)
			return r;
	}
	slot_set(fd, f, cloexec);
	if (from <= fds.lowest)
		fds.lowest = fd + 1;
	spin_unlock(&fds.lock);
	return (int)fd;
}

long fd_give(struct file *f, uint32_t flags)
{
	int fd = fd_install(f, 0, (flags & O_CLOEXEC) != 0);

	if (fd < 0)
		file_drop(f);
	return fd;
}

struct file *fd_take(int fd)
{
	struct file *f = NULL;

	spin_lock(&fds.lock);
	if ((uint32_t)fd < fds.cap) {
		f = fds.slots[fd];
		if (f) {
			slot_set((uint32_t)fd, NULL, false);
			fds.lowest = GW_MIN(fds.lowest, (uint32_t)fd);
		}
	}
	spin_unlock(&fds.lock);
	return f;
}

int fd_replace(int fd, struct file *f, bool cloexec, struct file **old)
{
	if (fd < 0 || (uint32_t)fd >= fd_limit())
		return -EBADF;
	if ((uint32_t)fd >= fds.cap) {
		int r = table_grow((uint32_t)fd);

		if (r)
			return r;
	}
	spin_lock(&fds.lock);
	*old = fds.slots[fd];
	slot_set((uint32_t)fd, f, cloexec);
	spin_unlock(&fds.lock);
	return 0;
}

bool fd_cloexec(int fd)
{
	bool on = false;

	spin_lock(&fds.lock);
	if ((uint32_t)fd < fds.cap)
		on = fds.cloexec[(uint32_t)fd / 64] >> (uint32_t)fd % 64 & 1;
	spin_unlock(&fds.lock);
	return on;
}

void fd_set_cloexec(int fd, bool on)
{
	spin_lock(&fds.lock);
	if ((uint32_t)fd < fds.cap && fds.slots[fd])
		slot_set((uint32_t)fd, fds.slots[fd], on);
	spin_unlock(&fds.lock);
}

int fd_next(int fd)
{
	int found = -1;

	spin_lock(&fds.lock);
	for (uint32_t k = (uint32_t)fd; k < fds.cap; k++) {
		if (fds.slots[k]) {
			found = (int)k;
			break;
		}
	}
	spin_unlock(&fds.lock);
	return found;
}

void files_close_on_exec(void)
{
	for (int fd = fd_next(0); fd >= 0; fd = fd_next(fd + 1)) {
		struct file *f = fd_cloexec(fd) ? fd_take(fd) : NULL;

		if (f)
			file_drop(f);
	}
}

int file_wait(struct file *f, uint32_t events, uint64_t deadline_ns)
{
	struct waiter w = { .events = events | POLLERR | POLLHUP };
	int r;

	if (f->flags & O_NONBLOCK)
		return -EAGAIN;
	if (!f->waitq || !f->ops->poll)
		return 0;
	w.uthread = uthread_self();
	waitq_add(f->waitq, &w);
	for (r = 0; !r && !(f->ops->poll(f) & w.events);)
		r = thread_park(deadline_ns);
	waitq_del(f->waitq, &w);
	return r;
}
