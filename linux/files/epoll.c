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
#include "linux/files/epoll_internal.h"

#define BATCH 16u

struct sleeper {
	struct list_node link;
	struct uthread *uthread;
};

void epoll_item_ready(struct epitem *it)
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

void epoll_item_notify(struct waiter *w, uint32_t events)
{
	struct epitem *it = container_of(w, struct epitem, w);

	(void)events; /* the queue compared them with w.events */
	if (it->events & ~PRIVATE_BITS)
		epoll_item_ready(it);
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
