/* SPDX-License-Identifier: Apache-2.0 */
/* epoll_internal.h - what waiting (epoll.c) and the set of items (epoll_set.c) share; who protects
 * what is said in epoll.c. */
#ifndef GODWIT_LINUX_EPOLL_INTERNAL_H
#define GODWIT_LINUX_EPOLL_INTERNAL_H

#include "linux/files/files_internal.h"

#define PRIVATE_BITS (EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET)

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

static inline uint32_t item_poll(const struct epitem *it)
{
	return it->file->ops->poll(it->file) & it->events & ~PRIVATE_BITS;
}

/* Put an item on the ready list and wake one sleeper. Any context that may take spinlocks. */
void epoll_item_ready(struct epitem *it);
/* What an item's file calls: the same, if it is interested. */
void epoll_item_notify(struct waiter *w, uint32_t events);
extern const struct file_ops epoll_ops;

#endif
