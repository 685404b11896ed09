/* SPDX-License-Identifier: Apache-2.0 */
/* fd.c - open files and the descriptor tables of the processes. */
#include "linux/files/files_internal.h"

#define RLIMIT_NOFILE 7
#define FD_MAX 1048576u

static struct fd_table *mine(void)
{
	return process_self()->fds;
}

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
	uint64_t n = process_self() ? process_self()->rlimits[RLIMIT_NOFILE][0] : 1024;

	return n < FD_MAX ? (uint32_t)n : FD_MAX;
}

static size_t table_bytes(uint32_t cap)
{
	return (size_t)cap * sizeof(struct file *) + 2 * (size_t)cap / 8;
}

/* Make room for descriptor fd. Called and returns without the lock. */
static int table_grow(struct fd_table *t, uint32_t fd)
{
	uint32_t cap = 64, old_cap;
	struct file **slots, **old;

	while (cap <= fd)
		cap *= 2;
	slots = mem_zalloc(table_bytes(cap));
	if (!slots)
		return -ENOMEM;
	spin_lock(&t->lock);
	old = t->slots;
	old_cap = t->cap;
	if (old_cap < cap) {
		uint64_t *used = (uint64_t *)(void *)(slots + cap), *cloexec = used + cap / 64;

		if (old) {
			memcpy(slots, old, old_cap * sizeof(void *));
			memcpy(used, t->used, old_cap / 8);
			memcpy(cloexec, t->cloexec, old_cap / 8);
		}
		t->slots = slots;
		t->used = used;
		t->cloexec = cloexec;
		t->cap = cap;
	} else {
		old = slots;
		old_cap = cap;
	}
	spin_unlock(&t->lock);
	if (old)
		mem_free(old, table_bytes(old_cap));
	return 0;
}

static void slot_set(struct fd_table *t, uint32_t fd, struct file *f, bool cloexec)
{
	uint64_t bit = 1ull << fd % 64;

	t->slots[fd] = f;
	t->used[fd / 64] = f ? t->used[fd / 64] | bit : t->used[fd / 64] & ~bit;
	t->cloexec[fd / 64] = cloexec ? t->cloexec[fd / 64] | bit : t->cloexec[fd / 64] & ~bit;
}

/* Lowest free descriptor >= min; cap when the table is full. */
static uint32_t lowest_free(const struct fd_table *t, uint32_t min)
{
	for (uint32_t w = min / 64; w < t->cap / 64; w++) {
		uint64_t free = ~t->used[w];

		if (w == min / 64)
			free &= ~0ull << min % 64;
		if (free)
			return w * 64 + (uint32_t)__builtin_ctzll(free);
	}
	return GW_MAX(t->cap, min);
}

int fd_install(struct file *f, int min, bool cloexec)
{
	struct fd_table *t = mine();
	uint32_t limit = fd_limit(), from = (uint32_t)min, fd;
	int r;

	if (min < 0)
		return -EINVAL;
	for (;;) {
		spin_lock(&t->lock);
		fd = lowest_free(t, GW_MAX(from, t->lowest));
		if (fd >= limit) {
			spin_unlock(&t->lock);
			return -EMFILE;
		}
		if (fd < t->cap)
			break;
		spin_unlock(&t->lock);
		r = table_grow(t, fd);
		if (r)
			return r;
	}
	slot_set(t, fd, f, cloexec);
	if (from <= t->lowest)
		t->lowest = fd + 1;
	spin_unlock(&t->lock);
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
	struct fd_table *t = mine();
	struct file *f = NULL;

	spin_lock(&t->lock);
	if ((uint32_t)fd < t->cap) {
		f = t->slots[fd];
		if (f) {
			slot_set(t, (uint32_t)fd, NULL, false);
			t->lowest = GW_MIN(t->lowest, (uint32_t)fd);
		}
	}
	spin_unlock(&t->lock);
	return f;
}

int fd_replace(int fd, struct file *f, bool cloexec, struct file **old)
{
	struct fd_table *t = mine();

	if (fd < 0 || (uint32_t)fd >= fd_limit())
		return -EBADF;
	if ((uint32_t)fd >= t->cap) {
		int r = table_grow(t, (uint32_t)fd);

		if (r)
			return r;
	}
	spin_lock(&t->lock);
	*old = t->slots[fd];
	slot_set(t, (uint32_t)fd, f, cloexec);
	spin_unlock(&t->lock);
	return 0;
}

bool fd_cloexec(int fd)
{
	struct fd_table *t = mine();
	bool on = false;

	spin_lock(&t->lock);
	if ((uint32_t)fd < t->cap)
		on = t->cloexec[(uint32_t)fd / 64] >> (uint32_t)fd % 64 & 1;
	spin_unlock(&t->lock);
	return on;
}

void fd_set_cloexec(int fd, bool on)
{
	struct fd_table *t = mine();

	spin_lock(&t->lock);
	if ((uint32_t)fd < t->cap && t->slots[fd])
		slot_set(t, (uint32_t)fd, t->slots[fd], on);
	spin_unlock(&t->lock);
}

int fd_next(struct fd_table *t, int fd)
{
	int found = -1;

	spin_lock(&t->lock);
	for (uint32_t k = (uint32_t)fd; k < t->cap; k++) {
		if (t->slots[k]) {
			found = (int)k;
			break;
		}
	}
	spin_unlock(&t->lock);
	return found;
}

/* ---- whole tables ---- */
struct fd_table *fd_table_create(void)
{
	struct fd_table *t = mem_zalloc(sizeof(*t));

	if (t)
		t->refs = 1;
	return t;
}

struct fd_table *fd_table_get(struct fd_table *t)
{
	atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
	return t;
}

struct fd_table *fd_table_copy(struct fd_table *from)
{
	struct fd_table *t = fd_table_create();

	if (!t)
		return NULL;
	spin_lock(&from->lock);
	while (t->cap < from->cap) {
		uint32_t want = from->cap;
		int r;

		spin_unlock(&from->lock);
		r = table_grow(t, want - 1);
		if (r) {
			fd_table_put(t);
			return NULL;
		}
		spin_lock(&from->lock);
	}
	for (uint32_t w = 0; w < from->cap / 64; w++) {
		t->used[w] = from->used[w];
		t->cloexec[w] = from->cloexec[w];
		for (uint64_t left = from->used[w]; left; left &= left - 1) {
			uint32_t fd = w * 64 + (uint32_t)__builtin_ctzll(left);

			t->slots[fd] = file_get(from->slots[fd]);
		}
	}
	t->lowest = from->lowest;
	spin_unlock(&from->lock);
	return t;
}

void fd_table_put(struct fd_table *t)
{
	if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (uint32_t fd = 0; fd < t->cap; fd++)
		if (t->slots[fd])
			file_drop(t->slots[fd]);
	if (t->slots)
		mem_free(t->slots, table_bytes(t->cap));
	mem_free(t, sizeof(*t));
}

int fd_table_exec(void)
{
	struct process *p = process_self();
	struct fd_table *old = p->fds;

	if (old->refs > 1) { /* CLONE_FILES */
		struct fd_table *t = fd_table_copy(old);

		if (!t)
			return -ENOMEM;
		spin_lock(&p->lock); /* /proc may be looking */
		p->fds = t;
		spin_unlock(&p->lock);
		fd_table_put(old);
	}
	for (int fd = fd_next(p->fds, 0); fd >= 0; fd = fd_next(p->fds, fd + 1)) {
		struct file *f = fd_cloexec(fd) ? fd_take(fd) : NULL;

		if (f)
			file_drop(f);
	}
	return 0;
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
