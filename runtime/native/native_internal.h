/* SPDX-License-Identifier: Apache-2.0 */
/* native_internal.h - what the files behind godwit.h share. One `struct native` a shard; a
 * connection, a socket's part and a timer are touched by their own shard only. */
#ifndef GODWIT_RUNTIME_NATIVE_INTERNAL_H
#define GODWIT_RUNTIME_NATIVE_INTERNAL_H

#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/godwit.h"
#include "runtime/mem/mem.h"
#include "runtime/net/net.h"
#include "runtime/sched/sched.h"

/* A shard's part. */
struct native {
	struct poller poller;	/* first */
	struct list_node ready; /* connections whose callbacks are due (gw_tcp.link) */
	uint32_t n_conns;
};

extern struct native natives[SHARD_MAX];

static inline struct native *native_self(void)
{
	return shard_self()->personality;
}

/* A task that waits on a connection, a listener or a socket; on the task's stack. */
struct wait_node {
	struct list_node link;
	struct uthread *task;
	unsigned events; /* what it waits for; 0: anything */
	bool gone;	 /* what it waited on is closed, and not to be touched */
};
/* Wait in `list`. 0, -ETIMEDOUT, -EDEADLK (a callback), -EPIPE (native_gone). */
int native_wait(struct list_node *list, unsigned events, uint64_t deadline_ns) MUST_CHECK;
/* Wake those that wait for any of events. */
void native_wake(struct list_node *list, unsigned events, bool all);
/* What `list` belongs to is about to be freed. */
void native_gone(struct list_node *list);

/* Addresses. 0, -EAFNOSUPPORT (family 0, and what is no family). IPv4-mapped ones become family 4.
 */
int native_endpoint(const struct gw_addr *a, struct net_endpoint *out) MUST_CHECK;
/* Where to listen for a: the one endpoint, or the two of "any of both"; how many. 0: no family. */
unsigned native_listen_at(const struct gw_addr *a, struct net_endpoint at[2]) MUST_CHECK;
void native_addr(const struct net_endpoint *e, struct gw_addr *out);

/* Callbacks of the stacks, and what the poller does; each shard's. */
void native_tcp_init(struct net_stack *s);
void native_udp_init(struct net_stack *s);
bool native_tcp_deliver(struct native *n);

/* On every shard, as callbacks, until one answers other than 0 (which is returned). */
int native_everywhere(int (*fn)(void *arg), void *arg) MUST_CHECK;

/* control.c: the host's wishes ("stop", "stat"); 0, -ENOMEM. */
int native_control_start(void) MUST_CHECK;

/* file.c: look at the image anew (tests). */
void native_files_forget(void);

/* metrics.c */
void native_stats(void);

#endif
