/* SPDX-License-Identifier: Apache-2.0 */
/* udp.h - a UDP socket: registered on every shard's stack, for IPv4, IPv6, or both. */
#ifndef GODWIT_LINUX_SOCKETS_UDP_H
#define GODWIT_LINUX_SOCKETS_UDP_H

#include "linux/sockets/socket_internal.h"

enum udp_family { UDP_IP4, UDP_IP6, UDP_FAMILIES };

struct udp_socket {
	struct socket s;
	struct spinlock lock;	/* queue, charge, remote */
	struct list_node queue; /* of pbufs; udp_ends says from where to where */
	uint32_t charge;	/* bytes of buffers queued */
	uint32_t n_queued;
	bool bound;
	_Atomic uint32_t shut; /* 1: receive, 2: send */
	struct net_endpoint local, remote;
	struct udp_sock *on[][UDP_FAMILIES]; /* [n_shards] */
};

static inline size_t udp_socket_bytes(void)
{
	return sizeof(struct udp_socket) + n_shards * UDP_FAMILIES * sizeof(struct udp_sock *);
}

static inline struct udp_socket *to_udp(struct socket *s)
{
	return container_of(s, struct udp_socket, s);
}

/* udp.c: take a port unless there is one. Parks when there are several shards. */
int udp_bind_any(struct udp_socket *u) MUST_CHECK;

/* udp_io.c */
/* Where a name leads to, from this socket: as name_to_endpoint, and -ENETUNREACH for IPv4 from one
 * that wants none. */
int udp_destination(struct udp_socket *u, const struct sock_name *name,
		    struct net_endpoint *out) MUST_CHECK;
long udp_socket_recv(struct socket *s, struct sock_msg *m);
long udp_socket_send(struct socket *s, struct sock_msg *m);

#endif
