/* SPDX-License-Identifier: Apache-2.0 */
/* socket_internal.h - what the socket families share: the socket, its family's operations,
 * messages, options.
 *
 *   fd -> struct file -> object: struct socket (first member of struct tcp_socket, udp_socket,
 * unix_socket)
 *                     -> waitq:  &socket->wq
 *
 * A socket that waits in a listener's queue has no file yet. Everything a program gives is copied
 * and checked here before a family sees it. */
#ifndef GODWIT_LINUX_SOCKET_INTERNAL_H
#define GODWIT_LINUX_SOCKET_INTERNAL_H

#include "linux/linux.h"
#include "linux/sockets/abi.h"
#include "runtime/net/net.h"

struct socket;

/* A socket address as the program has it, checked for length only. len 0: none. */
struct sock_name {
	uint32_t len;
	union {
		uint16_t family;
		struct sockaddr_in4 in;
		struct sockaddr_in6 in6;
		struct {
			uint16_t family;
			char path[108];
		} un;
		uint8_t raw[128];
	} u;
};

/* Descriptors under way in a message; each file has a reference. */
struct scm {
	struct scm *next; /* waiting to be dropped */
	uint32_t n;
	struct file *file[];
};
static inline size_t scm_size(uint32_t n)
{
	return sizeof(struct scm) + n * sizeof(struct file *);
}
/* Drop the references; NULL is fine. May park. Not recursive: a dropped socket may itself hold
 * descriptors under way. */
void scm_free(struct scm *s);

/* One send or receive. */
struct sock_msg {
	struct uio *uio;
	uint32_t flags;		/* MSG_* asked for */
	uint32_t out_flags;	/* MSG_TRUNC, MSG_EOR, MSG_CTRUNC: receive's answer */
	struct sock_name *name; /* send: the destination. receive: filled in. NULL: none wanted */
	bool control;		/* receive: the fields below are wanted */
	struct scm *scm;	/* send: taken by the family on success. receive: the caller's */
	bool has_creds, has_to, has_time;
	struct ucred64 creds;
	struct net_endpoint to; /* a datagram's destination */
	uint64_t time_ns;	/* monotonic */
};

struct socket_ops {
	int (*bind)(struct socket *s, const struct sock_name *name);
	int (*listen)(struct socket *s, int backlog);
	/* The next waiting connection, or -EAGAIN, -EINVAL (not listening). Does not wait. */
	int (*accept)(struct socket *s, struct socket **out);
	/* Put back what accept gave, as the next. */
	void (*unaccept)(struct socket *s, struct socket *child);
	/* Waits unless the file is non-blocking. */
	int (*connect)(struct socket *s, const struct sock_name *name);
	int (*get_name)(struct socket *s, bool peer, struct sock_name *out);
	int (*shutdown)(struct socket *s, int how);
	long (*send)(struct socket *s, struct sock_msg *m);
	long (*recv)(struct socket *s, struct sock_msg *m);
	/* An option of the table (options.c) changed to value; the family makes it so. NULL:
	 * nothing to do. */
	int (*option)(struct socket *s, int level, int opt, int value);
	/* Options that only the family knows: *len is the room, then the length. -ENOPROTOOPT.
	 * NULL: none. */
	int (*get_special)(struct socket *s, int level, int opt, void *to, uint32_t *len);
	int64_t (*queued)(struct socket *s,
			  bool out); /* bytes to read (of the next datagram), or not yet sent */
	struct file_ops file;
};

enum sock_int { /* options that are plain integers: index into socket->ints */
		SI_REUSEADDR,
		SI_DONTROUTE,
		SI_BROADCAST,
		SI_KEEPALIVE,
		SI_OOBINLINE,
		SI_PRIORITY,
		SI_REUSEPORT,
		SI_PASSCRED,
		SI_RCVLOWAT,
		SI_TIMESTAMP,
		SI_TIMESTAMPNS,
		SI_MARK,
		SI_RXQ_OVFL,
		SI_BUSY_POLL,
		SI_PACING,
		SI_SNDBUF,
		SI_RCVBUF,
		SI_TOS,
		SI_TTL,
		SI_PKTINFO,
		SI_MTU_DISCOVER,
		SI_RECVERR,
		SI_RECVTTL,
		SI_RECVTOS,
		SI_FREEBIND,
		SI_NO_PORT,
		SI_MCAST_TTL,
		SI_MCAST_LOOP,
		SI_UNICAST_HOPS,
		SI_MCAST_HOPS,
		SI_MCAST_LOOP6,
		SI_MTU_DISCOVER6,
		SI_RECVERR6,
		SI_V6ONLY,
		SI_PKTINFO6,
		SI_RECVHOPLIMIT,
		SI_DONTFRAG,
		SI_RECVTCLASS,
		SI_TCLASS,
		SI_AUTOFLOWLABEL,
		SI_NODELAY,
		SI_MAXSEG,
		SI_CORK,
		SI_KEEPIDLE,
		SI_KEEPINTVL,
		SI_KEEPCNT,
		SI_SYNCNT,
		SI_LINGER2,
		SI_DEFER_ACCEPT,
		SI_WINDOW_CLAMP,
		SI_QUICKACK,
		SI_USER_TIMEOUT,
		SI_FASTOPEN,
		SI_NOTSENT_LOWAT,
		SI_FASTOPEN_CONNECT,
		SI_CONGESTION,
		SI_COUNT
};

struct socket {
	const struct socket_ops *ops;
	struct file *file; /* no reference; NULL while in a listener's queue */
	struct waitq wq;
	uint16_t domain, type, protocol;
	_Atomic int err;		   /* for SO_ERROR, positive */
	int linger_s;			   /* SO_LINGER, -1: off */
	uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: none */
	uint64_t changed;		   /* bit per sock_int that the program set */
	int32_t ints[SI_COUNT];
};
_Static_assert(SI_COUNT <= 64, "socket->changed");

/* ---- socket.c ---- */
extern const char socket_kind[]; /* file_ops.kind of every socket */
void socket_init(struct socket *s, const struct socket_ops *ops, int domain, int type,
		 int protocol);
/* Give the socket a file and a descriptor. fd or -errno (the socket is then as before). */
int socket_install(struct socket *s, uint32_t flags) MUST_CHECK;
/* The socket of a descriptor, with a file reference in *f; NULL: *err is -EBADF or -ENOTSOCK. */
struct socket *socket_get(int fd, struct file **f, int *err);
/* Close a descriptor that was just made. */
static inline void socket_drop_fd(int fd)
{
	struct file *f = fd_take(fd);

	if (f)
		file_put(f);
}
/* Take and clear the pending error: 0 or -errno. */
static inline int socket_take_error(struct socket *s)
{
	return likely(s->err == 0) ? 0 : -atomic_exchange(&s->err, 0);
}
/* Deadline of a wait that starts now. */
uint64_t socket_deadline(uint64_t timeout_ns);
/* Wait until poll & events. 0 (look again), -EAGAIN (non-blocking or timed out), -ERESTARTSYS,
 * -EINTR. */
int socket_wait(struct socket *s, uint32_t events, uint32_t msg_flags,
		uint64_t deadline_ns) MUST_CHECK;
/* -EPIPE, after SIGPIPE to the caller unless MSG_NOSIGNAL. */
long socket_epipe(uint32_t msg_flags);
/* Run fn(arg) on every shard in turn; parks when there are several. */
void sockets_each_shard(void (*fn)(void *), void *arg);
/* Tell the host what the program listens on, unless only the machine itself can reach it. */
void socket_report_listen(const struct socket *s, const struct net_endpoint *at);
/* file_ops shared by all families. */
long socket_file_read(struct file *f, struct uio *u, int64_t off);
long socket_file_write(struct file *f, struct uio *u, int64_t off);
long socket_ioctl(struct file *f, uint64_t cmd, uint64_t arg);
int socket_stat(struct file *f, struct stat64 *out);

/* ---- name.c ---- */
int name_from_program(struct sock_name *n, uint64_t va, uint64_t len) MUST_CHECK;
/* Write to *va, at most the length at *len_va, and the true length there. va 0: nothing. */
int name_to_program(const struct sock_name *n, uint64_t va, uint64_t len_va) MUST_CHECK;
/* The endpoint that the program's name means to a socket of this domain: an IPv4-mapped address is
 * one of family 4. -EINVAL (too short; link-local without a scope), -ENODEV (an unknown scope),
 * -EAFNOSUPPORT. */
int name_to_endpoint(const struct socket *s, const struct sock_name *n,
		     struct net_endpoint *out) MUST_CHECK;
/* As the socket's domain has it: IPv4-mapped for a family 4 endpoint of an IPv6 socket. */
void name_from_endpoint(const struct socket *s, struct sock_name *n, const struct net_endpoint *e);
/* Its address as an IPv6 one, mapped if need be. */
void endpoint_to_in6(const struct net_endpoint *e, uint8_t ip6[16]);
bool endpoint_is_loopback(const struct net_endpoint *e);
bool endpoint_is_link_local(const struct net_endpoint *e);
/* A destination: the loopback address in place of "any", as Linux does. */
void endpoint_default(struct net_endpoint *e);
/* Does what is bound to this endpoint of family 6 serve IPv4 as well (RFC 3493 5.3)? */
static inline bool socket_is_dual(const struct socket *s, const struct net_endpoint *local)
{
	return local->family == 6 && !s->ints[SI_V6ONLY] && net_endpoint_is_any(local);
}
/* An IPv6 socket that wants no IPv4, and an endpoint that is. */
static inline bool socket_refuses(const struct socket *s, const struct net_endpoint *e)
{
	return s->domain == AF_INET6 && e->family == 4 && s->ints[SI_V6ONLY];
}
/* "Any" of the socket's domain, port 0. */
static inline struct net_endpoint socket_any(const struct socket *s)
{
	return (struct net_endpoint){ .family = s->domain == AF_INET6 ? 6 : 4 };
}

/* ---- options.c ---- */
int socket_setopt(struct socket *s, int level, int opt, uint64_t va, uint32_t len) MUST_CHECK;
int socket_getopt(struct socket *s, int level, int opt, uint64_t va, uint64_t len_va) MUST_CHECK;
void socket_default_options(struct socket *s);
/* Call ops->option for everything the program set (on a new connection, or an inherited one). */
void socket_apply_options(struct socket *s);

/* ---- the families ---- */
int tcp_socket_create(int domain, int protocol, struct socket **out) MUST_CHECK;
int udp_socket_create(int domain, int protocol, struct socket **out) MUST_CHECK;
int unix_socket_create(int type, int protocol, struct socket **out) MUST_CHECK;
int unix_socket_pair(struct socket *a, struct socket *b) MUST_CHECK;
void tcp_sockets_init_shard(struct net_stack *n);
void udp_sockets_init_shard(struct net_stack *n);

/* ---- ifconf.c ---- */
long socket_if_ioctl(uint64_t cmd, uint64_t arg);

#endif
