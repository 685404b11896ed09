/* SPDX-License-Identifier: Apache-2.0 */
/* epoll.c - readiness lists. An item hangs on its file's wait queue; a notification moves it to the
 * ready list, so epoll_wait looks at items that something happened to, and at level-triggered ones
 * it reported last time.
 *
 * Who protects what:
 *   epoll.busy    which items exist, their interest; held while items are looked at (ops->poll) and
 * removed. A yielding lock: its holder never sleeps for long, and taking it costs three
 * instructions epoll.lock    ready list, item.ready, sleepers; taken inside notify callbacks, under
 * the file's waitq lock files_lock    file->epoll_items; taken under epoll.busy An item's file has
 * no reference from it: the last file_put takes the items off (epoll_file_closed) before the file
 * goes, and waits for epoll.busy to do so; so under epoll.busy an item's file is always there.
 *
 * No wake-up is lost: an item leaves the ready list before its file is polled, so an event between
 * the two puts it back; a sleeper enters the list of sleepers under epoll.lock with the ready list
 * seen empty. */
#include "linux/files/files_internal.h"

#define PRIVATE_BITS (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)
#define BATCH 16u
#define NEST_MAX 5u

struct epoll;
struct epitem {
	struct waiter w; /* on file->waitq */
	struct list_node ready_link, file_link;
	struct epitem *next; /* same descriptor number, other file */
	struct epoll *ep;
	struct file *file;
	int fd;
	bool ready;	 /* on the ready list; epoll.lock */
	uint32_t events; /* without public bits: disabled (one-shot) */
	uint64_t data;
};

struct sleeper {
	struct list_node link;
	struct uthread *uthread;
};

struct epoll {
	_Atomic uint32_t busy;
	struct spinlock lock;
	struct list_node ready, sleepers;
	uint32_t n_ready;
	_Atomic uint32_t refs, inside; /* inside: how many epolls it is in */
	uint32_t height;	       /* of the epolls in it; nest_lock */
	struct waitq wq;	       /* who polls the epoll itself */
	struct epitem **by_fd;
	uint32_t n_fds;
};

static struct spinlock files_lock;
static struct mutex
	nest_lock; /* adding an epoll to an epoll: one at a time, so that no cycle slips in */
static const struct file_ops epoll_ops;

static inline void ep_lock(struct epoll *ep)
{
	while (unlikely(atomic_exchange_explicit(&ep->busy, 1, memory_order_acquire)))
		uthread_yield();
}

static inline void ep_unlock(struct epoll *ep)
{
	atomic_store_explicit(&ep->busy, 0, memory_order_release);
}

/* Take the first item off the ready list, which is not empty; epoll.lock held. ready_link is free
 * then: item.ready says so. */
static inline struct epitem *ready_pop(struct epoll *ep)
{
	struct list_node *n = ep->ready.next;
	struct epitem *it = list_entry(n, struct epitem, ready_link);

	ep->ready.next = n->next;
	n->next->prev = &ep->ready;
	ep->n_ready--;
	it->ready = false;
	return it;
}

static inline void ready_push(struct epoll *ep, struct epitem *it)
{
	if (it->ready)
		return;
	it->ready = true;
	ep->n_ready++;
	list_add_tail(&ep->ready, &it->ready_link);
}

static void epoll_unref(struct epoll *ep)
{
	if (atomic_fetch_sub(&ep->refs, 1) == 1)
		mem_free(ep, sizeof(*ep));
}

/* Put an item on the ready list and wake one sleeper. Any context that may take spinlocks. */
static void item_ready(struct epitem *it)
{
	struct epoll *ep = it->ep;
	struct sleeper *s = NULL;

	spin_lock(&ep->lock);
	ready_push(ep, it);
	if (!list_empty(&ep->sleepers)) {
		s = list_entry(list_pop(&ep->sleepers), struct sleeper, link);
		uthread_wake(s->uthread); /* under the lock: the sleeper's frame is there until it
					     has it */
	}
	spin_unlock(&ep->lock);
	if (!list_empty(&ep->wq.waiters))
		waitq_notify(&ep->wq, POLLIN);
}

static void item_notify(struct waiter *w, uint32_t events)
{
	struct epitem *it = container_of(w, struct epitem, w);

	(void)events; /* the queue compared them with w.events */
	if (it->events & ~PRIVATE_BITS)
		item_ready(it);
}

static uint32_t item_poll(const struct epitem *it)
{
	return it->file->ops->poll(it->file) & it->events & ~PRIVATE_BITS;
}

/* Take ready items that still are; at most max, of the first *look. Level-triggered ones go back to
 * the end. Apart from its callers, so that what is used for each item stays in registers. */
static __attribute__((noinline)) uint32_t harvest(struct epoll *ep, struct epoll_event64 *out,
						  uint32_t max, uint32_t *look)
{
	const struct epoll_event64 *end = out + max, *start = out;
	uint32_t left = *look;

	ep_lock(ep);
	spin_lock(&ep->lock);
	while (left && out != end && ep->n_ready) {
		struct epitem *it = ready_pop(ep);
		uint32_t revents;

		left--;
		spin_unlock(&ep->lock);
		revents = item_poll(it);
		spin_lock(&ep->lock);
		if (!revents)
			continue;
		out->events = revents;
		out->data = it->data;
		out++;
		if (likely(!(it->events & (EPOLLET | EPOLLONESHOT))))
			ready_push(ep, it);
		else if (it->events & EPOLLONESHOT)
			it->events &= PRIVATE_BITS;
	}
	spin_unlock(&ep->lock);
	ep_unlock(ep);
	*look = left;
	return (uint32_t)(out - start);
}

/* Give up to max events to the program at va: how many, or -EFAULT. */
static __attribute__((noinline)) long deliver(struct epoll *ep, uint64_t va, uint32_t max)
{
	struct epoll_event64 ev[BATCH];
	uint32_t done = 0, n,
		 look = ep->n_ready; /* once each: level-triggered items come round again */

	do {
		n = harvest(ep, ev, GW_MIN(max - done, BATCH), &look);
		if (!n)
			break;
		if (copy_to_program(va + done * sizeof(ev[0]), ev, n * sizeof(ev[0])))
			return done ? (long)done : -EFAULT;
		done += n;
	} while (unlikely(look && done < max));
	return done;
}

static long give_one(struct epoll *ep, const struct epitem *it, uint32_t revents, uint64_t va)
{
	struct epoll_event64 ev = { revents, it->data };

	ep_unlock(ep);
	return copy_to_program(va, &ev, sizeof(ev)) ? -EFAULT : 1;
}

/* The same for the usual case of one item on the list. Before a sleep it is mostly one that was
 * reported last time, and is not ready any more. After a sleep (fresh) it mostly is ready, and a
 * level-triggered one can stay where it is. */
static __attribute__((noinline)) long deliver_one(struct epoll *ep, uint64_t va, bool fresh)
{
	struct epitem *it;
	uint32_t revents;

	ep_lock(ep);
	if (fresh && ep->n_ready) { /* only we, with ep->busy, take items off */
		it = list_entry(ep->ready.next, struct epitem, ready_link);
		revents = it->events & (EPOLLET | EPOLLONESHOT) ? 0 : item_poll(it);
		if (likely(revents))
			return give_one(ep, it, revents, va);
	}
	spin_lock(&ep->lock);
	it = ep->n_ready ? ready_pop(ep) : NULL;
	spin_unlock(&ep->lock);
	revents = it ? item_poll(it) : 0;
	if (!revents) {
		ep_unlock(ep);
		return 0;
	}
	if (it->events & EPOLLONESHOT)
		it->events &= PRIVATE_BITS;
	if (!(it->events & (EPOLLET | EPOLLONESHOT))) {
		spin_lock(&ep->lock);
		ready_push(ep, it);
		spin_unlock(&ep->lock);
	}
	return give_one(ep, it, revents, va);
}

/* Sleep until an item is ready. 0, -ETIMEDOUT, -ERESTARTSYS. */
static __attribute__((noinline)) int sleep_ready(struct epoll *ep, uint64_t deadline)
{
	struct sleeper s;
	int r;

	spin_lock(&ep->lock);
	if (ep->n_ready) {
		spin_unlock(&ep->lock);
		return 0;
	}
	s.uthread = uthread_self();
	list_add_tail(&ep->sleepers, &s.link);
	spin_unlock(&ep->lock);
	r = thread_park(deadline);
	spin_lock(&ep->lock);
	if (!list_empty(&s.link))
		list_del(&s.link);
	else if (unlikely(r && ep->n_ready &&
			  !list_empty(&ep->sleepers))) /* woken, but leaving: pass it on */
		uthread_wake(list_entry(list_pop(&ep->sleepers), struct sleeper, link)->uthread);
	spin_unlock(&ep->lock);
	return r;
}

static long wait_events(struct epoll *ep, uint64_t va, uint32_t max, uint64_t deadline)
{
	bool turned = false;
	long n = 0;
	int r = 0;

	for (;; turned = true) {
		if (ep->n_ready) {
			n = ep->n_ready == 1 ? deliver_one(ep, va, turned) : deliver(ep, va, max);
			if (n)
				break;
		}
		if (unlikely(r))
			return r == -ETIMEDOUT ? 0 : -EINTR;
		if (deadline) {
			r = sleep_ready(ep, deadline);
		} else { /* a program that never blocks: devices move here */
			if (turned)
				return 0;
			shard_turn();
		}
	}
	if (!turned) /* more work without a sleep: let replies go out and packets come in */
		shard_turn();
	return n;
}

static long epoll_wait_call(uint64_t epfd, uint64_t va, uint64_t max, uint64_t deadline)
{
	struct file *f;
	long n;

	if ((int32_t)lo32(max) <= 0 || lo32(max) > 0x7fffffffu / sizeof(struct epoll_event64))
		return -EINVAL;
	f = fd_get(fd_arg(epfd));
	if (unlikely(!f))
		return -EBADF;
	n = unlikely(f->ops != &epoll_ops) ? -EINVAL
					   : wait_events(f->object, va, lo32(max), deadline);
	file_drop(f);
	return n;
}

uint64_t deadline_in(int64_t ns)
{
	return ns < 0 ? GW_NEVER : ns == 0 ? 0 : clock_now() + (uint64_t)ns;
}

static uint64_t deadline_ms(uint64_t ms)
{
	int32_t v = (int32_t)lo32(ms);

	return deadline_in(v < 0 ? -1 : (int64_t)v * (int64_t)NS_PER_MS);
}

SYS(epoll_wait)
{
	return epoll_wait_call(r->rdi, r->rsi, r->rdx, deadline_ms(r->r10));
}

SYS(epoll_pwait)
{
	long n = sigmask_enter(t, r->r8, r->r9);

	return n ? n
		 : sigmask_leave(t, epoll_wait_call(r->rdi, r->rsi, r->rdx, deadline_ms(r->r10)));
}

SYS(epoll_pwait2)
{
	uint64_t deadline;
	long n = deadline_from_timespec(r->r10, &deadline);

	if (!n)
		n = sigmask_enter(t, r->r8, r->r9);
	return n ? n : sigmask_leave(t, epoll_wait_call(r->rdi, r->rsi, r->rdx, deadline));
}

/* ---- the set of items ---- */
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
		item_ready(it);
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
	it->w.notify = item_notify;
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

static const struct file_ops epoll_ops = { .poll = epoll_poll,
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
