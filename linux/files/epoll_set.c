/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_set.c - which files an epoll watches, epolls in epolls, and the life of an epoll. Who
 * protects what: epoll.c. */
#include "linux/files/epoll_internal.h"

#define NEST_MAX 5u

static struct spinlock files_lock;
static struct mutex
	nest_lock; /* adding an epoll to an epoll: one at a time, so that no cycle slips in */

static void epoll_unref(struct epoll *ep)
{
	if (atomic_fetch_sub(&ep->refs, 1) == 1)
		mem_free(ep, sizeof(*ep));
}

static struct epitem *item_find(struct epoll *ep, int fd, const struct file *f)
{
	struct epitem *it = (uint32_t)fd < ep->n_fds ? ep->by_fd[fd] : NULL;

	while (it && it->file != f)
		it = it->next;
	return it;
}

/* mutex held. */
static void item_remove(struct epitem *it)
{
	struct epoll *ep = it->ep;
	struct epitem **p = &ep->by_fd[it->fd];

	waitq_del(it->file->waitq, &it->w); /* no callback runs or starts after this */
	spin_lock(&files_lock);
	list_del(&it->file_link);
	spin_unlock(&files_lock);
	spin_lock(&ep->lock);
	if (it->ready) {
		list_del(&it->ready_link);
		ep->n_ready--;
	}
	spin_unlock(&ep->lock);
	while (*p != it)
		p = &(*p)->next;
	*p = it->next;
	if (it->file->ops == &epoll_ops)
		((struct epoll *)it->file->object)->inside--;
	mem_free(it, sizeof(*it));
}

static int grow(struct epoll *ep, uint32_t fd)
{
	uint32_t n = ep->n_fds ? ep->n_fds : 16;
	struct epitem **a;

	while (n <= fd)
		n *= 2;
	a = mem_resize(ep->by_fd, ep->n_fds * sizeof(void *), n * sizeof(void *));
	if (!a)
		return -ENOMEM;
	memset(a + ep->n_fds, 0, (n - ep->n_fds) * sizeof(void *));
	ep->by_fd = a;
	ep->n_fds = n;
	return 0;
}

/* Report it if it is ready now: what happened before the interest was set made no notification. */
static void item_check(struct epitem *it)
{
	/* The interest is visible before the state is read: pairs with the waitq's lock, taken
	 * after a change of state. */
	atomic_thread_fence(memory_order_seq_cst);
	if (it->events & ~PRIVATE_BITS && item_poll(it))
		epoll_item_ready(it);
}

static void set_events(struct epitem *it, const struct epoll_event64 *ev)
{
	it->data = ev->data;
	it->events = ev->events | POLLERR | POLLHUP;
	it->w.events = it->events & ~PRIVATE_BITS;
	it->w.exclusive = ev->events & EPOLLEXCLUSIVE;
}

static int item_add(struct epoll *ep, int fd, struct file *f, const struct epoll_event64 *ev)
{
	struct epitem *it;

	if ((uint32_t)fd >= ep->n_fds && grow(ep, (uint32_t)fd))
		return -ENOMEM;
	it = mem_zalloc(sizeof(*it));
	if (!it)
		return -ENOMEM;
	it->ep = ep;
	it->file = f;
	it->fd = fd;
	it->w.notify = epoll_item_notify;
	list_init(&it->ready_link);
	list_init(&it->w.link);
	set_events(it, ev);
	it->next = ep->by_fd[fd];
	ep->by_fd[fd] = it;
	spin_lock(&files_lock);
	list_add_tail(&f->epoll_items, &it->file_link);
	spin_unlock(&files_lock);
	waitq_add(f->waitq, &it->w);
	item_check(it);
	return 0;
}

static int item_modify(struct epitem *it, const struct epoll_event64 *ev)
{
	if (it->events & EPOLLEXCLUSIVE || ev->events & EPOLLEXCLUSIVE)
		return -EINVAL;
	set_events(it, ev);
	item_check(it);
	return 0;
}

static int control(struct epoll *ep, int op, int fd, struct file *f, const struct epoll_event64 *ev)
{
	struct epitem *it;
	int r;

	ep_lock(ep);
	it = item_find(ep, fd, f);
	if (op == 1)
		r = it ? -EEXIST : item_add(ep, fd, f, ev);
	else if (!it)
		r = -ENOENT;
	else if (op == 3)
		r = item_modify(it, ev);
	else {
		item_remove(it);
		r = 0;
	}
	ep_unlock(ep);
	return r;
}

/* An epoll in an epoll. No loop can arise, as one that is inside another takes in no more epolls
 * (-ELOOP; Linux also allows chains built from the top), and none is higher than NEST_MAX. */
static int nest(struct epoll *outer, int op, int fd, struct file *f, const struct epoll_event64 *ev)
{
	struct epoll *inner = f->object;
	uint32_t height = GW_MAX(outer->height, inner->height + 1);
	int r = 0;

	if (op != 1)
		return control(outer, op, fd, f, ev);
	mutex_lock(&nest_lock);
	if (ev->events & EPOLLEXCLUSIVE)
		r = -EINVAL;
	else if (outer->inside || height > NEST_MAX)
		r = -ELOOP;
	else
		r = control(outer, op, fd, f, ev);
	if (!r) {
		outer->height = height;
		inner->inside++;
	}
	mutex_unlock(&nest_lock);
	return r;
}

SYS(epoll_ctl)
{
	struct epoll_event64 ev = { 0, 0 };
	int op = fd_arg(r->rsi), n = -EBADF;
	struct file *e = fd_get(fd_arg(r->rdi)), *f = fd_get(fd_arg(r->rdx));

	if (!e || !f)
		goto out;
	n = -EINVAL;
	if (e->ops != &epoll_ops || e == f || op < 1 || op > 3)
		goto out;
	n = -EFAULT;
	if (op != 2 && copy_from_program(&ev, r->r10, sizeof(ev)))
		goto out;
	n = -EPERM;
	if (!f->ops->poll || !f->waitq)
		goto out;
	if (f->ops == &epoll_ops)
		n = nest(e->object, op, fd_arg(r->rdx), f, &ev);
	else
		n = control(e->object, op, fd_arg(r->rdx), f, &ev);
out:
	if (e)
		file_drop(e);
	if (f)
		file_drop(f);
	return n;
}

/* ---- life and death ---- */
void epoll_file_closed(struct file *f)
{
	for (;;) {
		struct epitem *it = NULL;
		struct epoll *ep = NULL;

		spin_lock(&files_lock);
		if (!list_empty(&f->epoll_items)) {
			it = list_entry(f->epoll_items.next, struct epitem, file_link);
			ep = it->ep;
			ep->refs++;
		}
		spin_unlock(&files_lock);
		if (!ep)
			return;
		ep_lock(ep);
		spin_lock(
			&files_lock); /* the epoll's own release may have taken it off meanwhile */
		if (list_empty(&f->epoll_items) || f->epoll_items.next != &it->file_link ||
		    it->ep != ep)
			it = NULL;
		spin_unlock(&files_lock);
		if (it)
			item_remove(it);
		ep_unlock(ep);
		epoll_unref(ep);
	}
}

static void epoll_release(struct file *f)
{
	struct epoll *ep = f->object;

	ep_lock(ep);
	for (uint32_t k = 0; k < ep->n_fds; k++)
		while (ep->by_fd[k])
			item_remove(ep->by_fd[k]);
	if (ep->by_fd)
		mem_free(ep->by_fd, ep->n_fds * sizeof(void *));
	ep->by_fd = NULL;
	ep->n_fds = 0;
	ep_unlock(ep);
	epoll_unref(ep);
}

/* Readiness of the epoll itself. Items that are not ready any more leave the list on the way;
 * nested ones come here again, NEST_MAX deep at most. If somebody else is looking, a ready list
 * that is not empty counts as ready. */
static uint32_t epoll_poll(struct file *f)
{
	struct epoll *ep = f->object;
	bool any = ep->n_ready != 0;

	if (any && !atomic_exchange_explicit(&ep->busy, 1, memory_order_acquire)) {
		any = false;
		spin_lock(&ep->lock);
		for (uint32_t left = ep->n_ready; left && ep->n_ready && !any; left--) {
			struct epitem *it = ready_pop(ep);

			spin_unlock(&ep->lock);
			any = item_poll(it) != 0;
			spin_lock(&ep->lock);
			if (any && !it->ready) {
				it->ready = true;
				ep->n_ready++;
				list_add_head(&ep->ready, &it->ready_link);
			}
		}
		spin_unlock(&ep->lock);
		ep_unlock(ep);
	}
	return any ? POLLIN | POLLRDNORM : 0;
}

void epoll_init(void)
{
	mutex_init(&nest_lock);
}

const struct file_ops epoll_ops = { .poll = epoll_poll,
				    .release = epoll_release,
				    .kind = "anon_inode:[eventpoll]" };

static long make(uint32_t flags)
{
	struct epoll *ep = mem_zalloc(sizeof(*ep));
	struct file *f;

	if (!ep)
		return -ENOMEM;
	ep->refs = 1;
	list_init(&ep->ready);
	list_init(&ep->sleepers);
	waitq_init(&ep->wq);
	f = file_create(&epoll_ops, O_RDWR, ep, &ep->wq);
	if (!f) {
		epoll_unref(ep);
		return -ENOMEM;
	}
	return fd_give(f, flags);
}

SYS(epoll_create)
{
	return (int32_t)lo32(r->rdi) <= 0 ? -EINVAL : make(0);
}

SYS(epoll_create1)
{
	return lo32(r->rdi) & ~O_CLOEXEC ? -EINVAL : make(lo32(r->rdi));
}
