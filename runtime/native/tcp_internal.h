/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_internal.h - a connection and a listener as godwit.h's functions see them: listening
 * (listen.c), the connection's own calls (tcp.c), those that wait (tcp_wait.c). */
#ifndef GODWIT_RUNTIME_NATIVE_TCP_INTERNAL_H
#define GODWIT_RUNTIME_NATIVE_TCP_INTERNAL_H

#include "runtime/native/native_internal.h"

/* gw_tcp.flags */
#define TCP_IN_CALLBACK 0x1u /* gw_tcp_close leaves freeing to who called back */
#define TCP_CLOSE_ASKED 0x2u
#define TCP_SERVED 0x4u /* the same, to its task */
#define TCP_TOLD_CLOSED 0x8u

struct gw_tcp {
	struct tcp_conn *conn;	  /* NULL: closed, about to be freed */
	struct list_node link;	  /* in native.ready while events are to be told; or accept queue */
	struct list_node waiting; /* tasks (wait_node) */
	const struct gw_tcp_ops *ops; /* NULL: nobody is called */
	struct listener_part *part;   /* where it was accepted, or NULL */
	void *user;
	unsigned events; /* TCP_EV_* not told yet */
	uint16_t flags;
	uint16_t port; /* taken for it by platform_pick_port, or 0 */
};

/* A listener on one shard. */
struct listener_part {
	struct tcp_listener *l[2]; /* for each of gw_listener.at; [0] NULL: closed */
	struct gw_listener *of;
	struct list_node queue; /* accepted by nobody yet (gw_tcp.link) */
	struct list_node waiting;
	uint32_t n_open, n_queued;
};

struct gw_listener {
	struct gw_tcp_service service;
	struct net_endpoint at[2]; /* one, or IPv6's and IPv4's any address */
	unsigned n_at;
	_Atomic uint32_t refs;	      /* parts that listen, and connections */
	struct listener_part parts[]; /* n_shards of them */
};

/* A new one for conn, which it owns. NULL: memory is out (conn is untouched). */
struct gw_tcp *native_tcp_new(struct tcp_conn *conn, const struct gw_tcp_ops *ops, void *user);
/* Close conn if it is open, and free. */
void native_tcp_free(struct gw_tcp *c);
/* Call back at the end of this turn. */
void native_tcp_ready(struct gw_tcp *c, unsigned events);
bool native_accepted(struct tcp_listener *l, void *owner, struct tcp_conn *conn);
void native_listener_left(struct listener_part *part);

#endif
