/* SPDX-License-Identifier: Apache-2.0 */
/* unix.h - a local socket: its receive queue, and the other end.
 *
 *   a ---peer---> b      each holds a reference of the other until its own release
 *   a sends:  chunk -> b->queue, notifies b      b reads: notifies a that there is room
 *
 * Locks: unix_names.lock and socket.lock, one at a time; socket.rx (mutex) is held by one reader
 * over the copy to the program: it keeps chunks in place while senders append. A chunk is copied
 * from the program before any lock. */
#ifndef GODWIT_LINUX_SOCKETS_UNIX_H
#define GODWIT_LINUX_SOCKETS_UNIX_H

#include "linux/files/vfs.h"
#include "linux/sockets/socket_internal.h"

enum unix_state { UX_NEW, UX_LISTEN, UX_CONNECTED };
#define SHUT_RX_BIT 1u
#define SHUT_TX_BIT 2u

struct unix_socket;
struct unix_chunk {
	struct list_node link;
	uint32_t len, off; /* bytes in all, already read */
	struct scm *scm;
	struct unix_socket *from; /* datagrams: who sent it, referenced */
	uint8_t data[];
};

struct unix_socket {
	struct socket s;
	_Atomic uint32_t
		refs; /* its file or a listener's queue, peers, look-ups, datagrams under way */
	struct spinlock lock; /* what follows */
	struct mutex rx;
	struct list_node queue;	 /* chunks */
	_Atomic uint32_t queued; /* bytes of them, bookkeeping counted */
	struct unix_socket *peer;
	_Atomic uint32_t state, shut; /* UX_*; SHUT_*_BIT */
	bool gone;		      /* released */
	struct list_node waiting;     /* listener: connections to accept */
	struct list_node in_waiting;
	uint32_t n_waiting, backlog;
	struct list_node named; /* unix_names.lock */
	struct inode *inode;	/* of a path name */
	struct sock_name *name; /* as the program gave it; NULL: none. Set once */
};

static inline struct unix_socket *to_unix(struct socket *s)
{
	return container_of(s, struct unix_socket, s);
}
static inline bool is_dgram(const struct unix_socket *u)
{
	return u->s.type == SOCK_DGRAM;
}
static inline struct unix_socket *unix_get(struct unix_socket *u)
{
	u->refs++;
	return u;
}
void unix_put(struct unix_socket *u);
/* The peer with a reference, or NULL. */
struct unix_socket *unix_peer(struct unix_socket *u);
/* Room in u's queue for senders. */
static inline bool unix_has_room(const struct unix_socket *u)
{
	return u->queued < (uint32_t)u->s.ints[SI_RCVBUF];
}
/* Wait on another socket's queue until ready(other), as socket_wait does on one's own. */
int unix_wait_for(struct unix_socket *u, struct unix_socket *other,
		  bool (*ready)(struct unix_socket *other), uint32_t msg_flags,
		  uint64_t deadline) MUST_CHECK;

/* unix_name.c */
int unix_bind(struct socket *s, const struct sock_name *name);
/* The socket bound to a name, referenced. -ECONNREFUSED, -ENOENT, ... */
int unix_find(const struct sock_name *name, struct unix_socket **out) MUST_CHECK;
int unix_name_copy(struct unix_socket *to, const struct unix_socket *from) MUST_CHECK;
void unix_unname(struct unix_socket *u); /* may park */

/* unix_io.c */
long unix_send(struct socket *s, struct sock_msg *m);
long unix_recv(struct socket *s, struct sock_msg *m);
void unix_chunk_free(struct unix_chunk *c); /* may park */
#endif
