/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.h - a TCP socket: between the program's calls, on any shard, and a connection that lives on
 * one.
 *
 *   home: the shard whose stack holds conn. Only code that runs on home touches conn, and only home
 * gives conn away; so `home == shard_self()` stays true until the caller parks. NULL: no
 * connection, or it is on its way between two shards. ready: what poll said at home lately, for
 * askers on other shards.
 *
 * Locks: port_group.lock > waitq.lock. */
#ifndef GODWIT_LINUX_SOCKETS_TCP_H
#define GODWIT_LINUX_SOCKETS_TCP_H

#include "linux/sockets/socket_internal.h"

enum tcp_socket_state { TS_NEW, TS_LISTEN, TS_CONNECTING, TS_CONNECTED, TS_DEAD };
#define TF_HUP 1u /* the peer's FIN is in */
#define TF_SHUT_RX 2u
#define TF_SHUT_TX 4u
#define TF_REPORTED 8u /* connect() has told the program that it is connected */
#define TF_BOUND 16u

/* One local address in use by listeners (several only with SO_REUSEPORT), registered on every
 * shard's stack: [0] for its family, [1] for IPv4 when it is the any address of both. */
struct port_group {
	struct list_node link; /* all groups; tcp_ports_lock */
	struct net_endpoint local;
	bool dual;
	uint32_t users;		  /* sockets, and listen() under way; tcp_ports_lock */
	struct spinlock lock;	  /* the rest, and the queues of the sockets */
	struct list_node sockets; /* the next connection goes to the first, which then goes last */
	struct tcp_listener *listeners[SHARD_MAX][2];
};

struct tcp_socket {
	struct socket s;
	struct tcp_conn *conn;
	_Atomic(struct shard *) home;
	_Atomic uint32_t ready;
	_Atomic uint32_t state; /* TS_* */
	_Atomic uint32_t flags; /* TF_* */
	struct net_endpoint local, remote;
	_Atomic uint32_t moves; /* between shards, in the period that began at moves_since_ns */
	_Atomic uint64_t moves_since_ns;
	struct list_node bound;	   /* tcp_ports_lock */
	struct port_group *group;  /* listening */
	struct list_node in_group; /* group->lock */
	struct list_node queue;	   /* connections to accept; group->lock */
	uint32_t n_queued, backlog;
	struct list_node in_queue;  /* as one of those */
	struct trace_sample *trace; /* tcp_trace.c's; NULL: nothing of it was followed yet */
};

static inline struct tcp_socket *to_tcp(struct socket *s)
{
	return container_of(s, struct tcp_socket, s);
}

/* A step runs on the connection's home and does not park. */
typedef long tcp_step(struct tcp_socket *t, void *arg);

/* tcp_move.c: run the step at home, or bring the connection here first. -ENOTCONN: there is none.
 */
long tcp_away(struct tcp_socket *t, tcp_step *step, void *arg);
static inline long tcp_at_home(struct tcp_socket *t, tcp_step *step, void *arg)
{
	if (likely(t->home == shard_self()))
		return step(t, arg);
	return tcp_away(t, step, arg);
}
/* After a step that may have changed readiness: tell the other shards' pollers. */
static inline void tcp_publish(struct tcp_socket *t);

/* tcp.c */
extern const struct socket_ops tcp_ops;
extern const struct socket_ops *tcp_ops_used; /* by new sockets: those, or tcp_trace.c's */
void tcp_socket_event(struct tcp_conn *c, void *owner, unsigned events);
uint32_t tcp_ready(struct tcp_socket *t); /* at home */
struct tcp_socket *tcp_socket_new(int domain) MUST_CHECK;
/* Make conn, which lives here, the socket's connection. */
void tcp_adopt(struct tcp_socket *t, struct tcp_conn *conn, uint32_t state);
/* Give the connection up: closed, or reset. Any shard; may park. */
void tcp_give_up(struct tcp_socket *t, bool reset);
void tcp_socket_free(struct tcp_socket *t);

static inline void tcp_publish(struct tcp_socket *t)
{
	if (n_shards > 1)
		t->ready = tcp_ready(t);
}

/* tcp_io.c */
long tcp_socket_recv(struct socket *s, struct sock_msg *m);
long tcp_socket_send(struct socket *s, struct sock_msg *m);
long tcp_file_read(struct file *f, struct uio *u, int64_t off);
long tcp_file_write(struct file *f, struct uio *u, int64_t off);

/* tcp_port.c */
extern struct spinlock tcp_ports_lock; /* what is bound, and the groups */
int tcp_socket_bind(struct socket *s, const struct sock_name *name);
/* Take e, or with port 0 a free port. 0, -EINVAL (bound already), -EADDRINUSE. */
int tcp_port_bind(struct tcp_socket *t, struct net_endpoint e) MUST_CHECK;
void tcp_port_free(struct tcp_socket *t);
/* Do two local endpoints claim the same packets (Linux: inet_rcv_saddr_equal with wildcards)? */
bool tcp_port_overlap(const struct net_endpoint *a, bool a_dual, const struct net_endpoint *b,
		      bool b_dual);
/* Is e, for t, taken by another socket? tcp_ports_lock held. */
bool tcp_port_taken(const struct tcp_socket *t, const struct net_endpoint *e);

/* tcp_listen.c */
int tcp_socket_listen(struct socket *s, int backlog);
int tcp_socket_accept(struct socket *s, struct socket **out);
void tcp_socket_unaccept(struct socket *s, struct socket *child);
bool tcp_listener_accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c);
uint32_t tcp_listener_poll(struct tcp_socket *t);
void tcp_listen_stop(struct tcp_socket *t); /* may park */

/* tcp_option.c */
int tcp_socket_option(struct socket *s, int level, int opt, int value);
int tcp_socket_special(struct socket *s, int level, int opt, void *to, uint32_t *len);

/* tcp_trace.c, nothing when tracing is off: start, once (0, -ENOMEM), and a shard's stack. */
int tcp_trace_init(void);
void tcp_trace_shard(struct net_stack *n);

#endif
