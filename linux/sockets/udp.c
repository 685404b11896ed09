/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP sockets. One is registered on every shard's stack; datagrams queue here under a short
 * lock, as the packet buffers they came in, and are sent by the stack of whoever sends. */
#include "linux/report.h"
#include "linux/sockets/socket_internal.h"

#define DATAGRAM_MAX 65507u

struct udp_socket {
	struct socket s;
	struct spinlock lock;	/* queue, charge, remote */
	struct list_node queue; /* of pbufs; udp_ends says from where to where */
	uint32_t charge;	/* bytes of buffers queued */
	uint32_t n_queued;
	bool bound;
	_Atomic uint32_t shut; /* 1: receive, 2: send */
	struct net_endpoint local, remote;
	struct udp_sock *on[SHARD_MAX];
};

static struct udp_socket *to_udp(struct socket *s)
{
	return container_of(s, struct udp_socket, s);
}

/* ---- from the stack, in its shard's loop ---- */
static void input(struct udp_sock *on, void *owner, struct pbuf *p, const struct net_endpoint *from,
		  const struct net_endpoint *to)
{
	struct udp_socket *u = owner;
	bool room;

	(void)from;
	(void)to;
	spin_lock(&u->lock);
	room = u->charge < (uint32_t)u->s.ints[SI_RCVBUF] && !(u->shut & 1);
	if (room) {
		list_add_tail(&u->queue, &p->link);
		u->charge += GW_MAX(p->total, PBUF_SIZE);
		u->n_queued++;
	}
	spin_unlock(&u->lock);
	if (room)
		waitq_notify(&u->s.wq, POLLIN | POLLRDNORM);
	else
		udp_refuse(on, p);
}

static void error(struct udp_sock *on, void *owner, int err)
{
	struct udp_socket *u = owner;

	(void)on;
	u->s.err = -err;
	waitq_notify(&u->s.wq, POLLERR | POLLIN | POLLOUT);
}

void udp_sockets_init_shard(struct net_stack *n)
{
	static const struct udp_callbacks callbacks = { input, error };

	udp_set_callbacks(n, &callbacks);
}

/* ---- registration on the stacks ---- */
struct bind_call {
	struct udp_socket *u;
	struct net_endpoint local;
	bool reuse;
	int result;
};

static void bind_here(void *p)
{
	struct bind_call *c = p;
	struct shard *self = shard_self();

	if (c->result < 0)
		return;
	if (!self->net) {
		c->result = -ENETDOWN;
		return;
	}
	c->result = udp_bind(self->net, &c->local, c->reuse, c->u, &c->u->on[self->id]);
	if (c->result == 0) /* an ephemeral port is chosen by the first stack, for all */
		udp_local(c->u->on[self->id], &c->local);
}

static void close_here(void *p)
{
	struct udp_socket *u = p;
	struct udp_sock **on = &u->on[shard_self()->id];

	if (*on)
		udp_close(*on);
	*on = NULL;
}

static void connect_here(void *p)
{
	struct udp_socket *u = p;
	struct udp_sock *on = u->on[shard_self()->id];

	udp_connect(on, &u->remote);
	udp_local(on, &u->local);
}

static int bind_all(struct udp_socket *u, const struct net_endpoint *local)
{
	struct bind_call c = { .u = u, .local = *local };

	c.reuse = u->s.ints[SI_REUSEADDR] || u->s.ints[SI_REUSEPORT];
	sockets_each_shard(bind_here, &c);
	if (c.result < 0) {
		sockets_each_shard(close_here, u);
		return c.result;
	}
	u->local = c.local;
	u->bound = true;
	return 0;
}

static int bind_any(struct udp_socket *u)
{
	struct net_endpoint any = { .family = 4 };

	return u->bound ? 0 : bind_all(u, &any);
}

static int udp_socket_bind(struct socket *s, const struct sock_name *name)
{
	struct net_endpoint e;
	int r = name_to_endpoint(name, &e);

	if (r < 0)
		return r;
	r = to_udp(s)->bound ? -EINVAL : bind_all(to_udp(s), &e);
	if (r == 0 && e.port != 0)
		report_listen("udp", e.ip4, e.port);
	return r;
}

static int udp_socket_connect(struct socket *s, const struct sock_name *name)
{
	struct udp_socket *u = to_udp(s);
	struct net_endpoint e = { 0 };
	int r = 0;

	if (name->u.family != AF_UNSPEC)
		r = name_to_endpoint(name, &e);
	if (r == 0 && e.family && e.ip4 == 0)
		e.ip4 = 0x0100007f; /* 127.0.0.1 */
	if (r == 0)
		r = bind_any(u);
	if (r < 0)
		return r;
	spin_lock(&u->lock);
	u->remote = e;
	spin_unlock(&u->lock);
	sockets_each_shard(connect_here, u);
	return 0;
}

static int udp_socket_name(struct socket *s, bool peer, struct sock_name *out)
{
	struct udp_socket *u = to_udp(s);
	struct net_endpoint e = peer ? u->remote : u->local;

	if (peer && e.family == 0)
		return -ENOTCONN;
	e.family = 4;
	if (!peer && e.ip4 == 0 &&
	    u->remote.family != 0) /* connected: the address that is used to get there */
		e.ip4 = (u->remote.ip4 & 0xff) == 127 ? u->remote.ip4
						      : net_get_ip4(shard_self()->net)->addr;
	name_from_endpoint(out, &e);
	return 0;
}

static int udp_socket_shutdown(struct socket *s, int how)
{
	struct udp_socket *u = to_udp(s);

	if (u->remote.family == 0)
		return -ENOTCONN;
	u->shut |= (uint32_t)how + 1; /* RD 1, WR 2, RDWR 3 */
	waitq_notify(&s->wq, POLLIN | POLLOUT | POLLHUP);
	return 0;
}

/* ---- receive ---- */
/* Copy the first datagram out, and unless peeking remove it. -EAGAIN: none; -EFAULT: the uio stands
 * at a page that must come first. The lock is held over the copy, which cannot park. */
static long take(struct udp_socket *u, struct sock_msg *m)
{
	struct net_endpoint from, to;
	struct pbuf *p;
	size_t left;
	long n;

	spin_lock(&u->lock);
	if (list_empty(&u->queue)) {
		spin_unlock(&u->lock);
		return -EAGAIN;
	}
	p = list_entry(u->queue.next, struct pbuf, link);
	left = GW_MIN((size_t)p->total, m->uio->left);
	n = m->flags & MSG_TRUNC ? (long)p->total : (long)left;
	if (p->total > left)
		m->out_flags |= MSG_TRUNC;
	for (const struct pbuf *b = p; b && left != 0; b = b->next) {
		size_t k = GW_MIN((size_t)b->len, left);

		if (uio_put_nofault(m->uio, b->data, k) < k) {
			spin_unlock(&u->lock);
			return -EFAULT;
		}
		left -= k;
	}
	udp_ends(p, &from, &to);
	if (m->name)
		name_from_endpoint(m->name, &from);
	m->has_to = m->has_time = true;
	m->to_ip4 = to.ip4;
	m->time_ns = p->time_ns;
	if (!(m->flags & MSG_PEEK)) {
		list_del(&p->link);
		u->charge -= GW_MAX(p->total, PBUF_SIZE);
		u->n_queued--;
	} else {
		p = NULL;
	}
	spin_unlock(&u->lock);
	if (p)
		pbuf_free(shard_self()->pbufs, p);
	return n;
}

static long udp_socket_recv(struct socket *s, struct sock_msg *m)
{
	struct udp_socket *u = to_udp(s);
	struct uio before = *m->uio;
	uint64_t deadline = socket_deadline(s->rcvtimeo_ns);

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	for (;;) {
		long n;
		int r;

		if (s->err)
			return socket_take_error(s);
		n = take(u, m);
		if (n >= 0)
			return n;
		if (n == -EFAULT) {
			r = uio_fault_in(m->uio, true);
			*m->uio = before;
			m->out_flags = 0;
		} else if (u->shut & 1) {
			return 0;
		} else {
			r = socket_wait(s, POLLIN, m->flags, deadline);
		}
		if (r < 0)
			return r;
	}
}

/* ---- send ---- */
/* The payload as a chain of buffers of this shard's pool, room for headers in front. May park. */
static int payload(struct uio *from, struct pbuf **out)
{
	struct pbuf *first = NULL, *last = NULL;
	size_t total = from->left;

	do {
		struct pbuf *p = pbuf_alloc(shard_self()->pbufs, first ? 0 : PBUF_HEADROOM);
		uint32_t n;

		if (!p) {
			if (first)
				pbuf_free(shard_self()->pbufs, first);
			return -ENOBUFS;
		}
		n = (uint32_t)GW_MIN((size_t)pbuf_tailroom(p), from->left);
		if (!first)
			first = p;
		else
			last->next = p;
		last = p;
		if (n != 0 && uio_get(from, p->data, n) < 0) {
			pbuf_free(shard_self()->pbufs, first);
			return -EFAULT;
		}
		p->len = n;
	} while (from->left != 0);
	first->total = (uint32_t)total;
	*out = first;
	return 0;
}

static long udp_socket_send(struct socket *s, struct sock_msg *m)
{
	struct udp_socket *u = to_udp(s);
	size_t n = m->uio->left;
	struct net_endpoint to = u->remote;
	struct net_stack *net;
	uint64_t now;
	struct pbuf *p = NULL;
	int r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (n > DATAGRAM_MAX)
		return -EMSGSIZE;
	if (m->name)
		r = name_to_endpoint(m->name, &to);
	else if (to.family == 0)
		r = -EDESTADDRREQ;
	if (r == 0 && to.port == 0)
		r = -EINVAL;
	if (r == 0 && to.ip4 == 0xffffffffu && !s->ints[SI_BROADCAST])
		r = -EACCES;
	if (r == 0 && u->shut & 2)
		return socket_epipe(m->flags);
	if (r == 0)
		r = socket_take_error(s);
	if (r == 0)
		r = bind_any(u);
	if (r == 0)
		r = payload(m->uio, &p);
	if (r < 0)
		return r;
	if (to.ip4 == 0)
		to.ip4 = 0x0100007f; /* 127.0.0.1 */
	net = shard_self()->net;
	now = clock_now();
	net_set_now(net, now);
	shard_note_write(now);
	r = udp_send(u->on[shard_self()->id], p, &to);
	/* A full ring is a loss on the way, as it would be a hop further. */
	return r < 0 && r != -ENOBUFS ? r : (long)n;
}

/* ---- readiness, the end ---- */
static uint32_t udp_file_poll(struct file *f)
{
	struct udp_socket *u = f->object;
	uint32_t ready = POLLOUT | POLLWRNORM;

	if (*(volatile uint32_t *)&u->n_queued != 0)
		ready |= POLLIN | POLLRDNORM;
	if (u->s.err)
		ready |= POLLERR;
	if (u->shut & 1)
		ready |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (u->shut == 3)
		ready |= POLLHUP;
	return ready;
}

static int64_t udp_socket_queued(struct socket *s, bool out)
{
	struct udp_socket *u = to_udp(s);
	int64_t n = 0;

	if (out)
		return 0;
	spin_lock(&u->lock);
	if (!list_empty(&u->queue))
		n = list_entry(u->queue.next, struct pbuf, link)->total;
	spin_unlock(&u->lock);
	return n;
}

static int udp_socket_special(struct socket *s, int level, int opt, void *to, uint32_t *len)
{
	int32_t value = 0;

	(void)s;
	if (level != SOL_SOCKET || opt != SO_ACCEPTCONN)
		return -ENOPROTOOPT;
	*len = sizeof(value);
	memcpy(to, &value, sizeof(value));
	return 0;
}

static void udp_file_release(struct file *f)
{
	struct udp_socket *u = f->object;

	if (!u)
		return;
	if (u->bound)
		sockets_each_shard(close_here, u);
	for (struct list_node *n; (n = list_pop(&u->queue)) != NULL;)
		pbuf_free(shard_self()->pbufs, list_entry(n, struct pbuf, link));
	mem_free(u, sizeof(*u));
}

static const struct socket_ops udp_ops = {
	.bind = udp_socket_bind,
	.connect = udp_socket_connect,
	.get_name = udp_socket_name,
	.shutdown = udp_socket_shutdown,
	.send = udp_socket_send,
	.recv = udp_socket_recv,
	.get_special = udp_socket_special,
	.queued = udp_socket_queued,
	.file = {
		.read = socket_file_read,
		.write = socket_file_write,
		.poll = udp_file_poll,
		.ioctl = socket_ioctl,
		.stat = socket_stat,
		.release = udp_file_release,
		.kind = socket_kind,
	},
};

int udp_socket_create(int type, int protocol, struct socket **out)
{
	struct udp_socket *u;

	(void)type;
	if (protocol != 0 && protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	u = mem_zalloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	socket_init(&u->s, &udp_ops, AF_INET, SOCK_DGRAM, IPPROTO_UDP);
	list_init(&u->queue);
	*out = &u->s;
	return 0;
}
