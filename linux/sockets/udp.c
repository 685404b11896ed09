/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP sockets: making, binding, connecting, names, readiness and the end. What the stack
 * knows of one family is registered for each that the socket serves. */
#include "linux/sockets/udp.h"

#define EPHEMERAL_TRIES 64u /* ports that are free in the one family, and not in the other */

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
	enum udp_family family;
	bool reuse;
	int result;
};

static void bind_here(void *p)
{
	struct bind_call *c = p;
	struct shard *self = shard_self();
	struct udp_sock **on = &c->u->on[self->id][c->family];

	if (c->result < 0)
		return;
	if (!self->net) {
		c->result = -ENETDOWN;
		return;
	}
	c->result = udp_bind(self->net, &c->local, c->reuse, c->u, on);
	if (c->result == 0) /* an ephemeral port is chosen by the first stack, for all */
		udp_local(*on, &c->local);
}

static void close_here(void *p)
{
	struct udp_socket *u = p;
	struct udp_sock **on = u->on[shard_self()->id];

	for (size_t i = 0; i < UDP_FAMILIES; i++) {
		if (on[i])
			udp_close(on[i]);
		on[i] = NULL;
	}
}

/* A peer of one family: the other's part is tied to one that never sends. */
static void connect_here(void *p)
{
	struct udp_socket *u = p;
	struct udp_sock **on = u->on[shard_self()->id];

	for (size_t i = 0; i < UDP_FAMILIES; i++) {
		struct net_endpoint nobody = { .family = i == UDP_IP6 ? 6 : 4 };

		if (on[i])
			udp_connect(on[i],
				    u->remote.family == 0 || u->remote.family == nobody.family
					    ? &u->remote
					    : &nobody);
	}
}

static int bind_all(struct udp_socket *u, const struct net_endpoint *local)
{
	struct bind_call c = { .u = u };
	bool dual = socket_is_dual(&u->s, local);

	c.reuse = u->s.ints[SI_REUSEADDR] || u->s.ints[SI_REUSEPORT];
	for (uint32_t i = 0; i < EPHEMERAL_TRIES; i++) {
		c.result = 0;
		c.local = *local;
		c.family = local->family == 6 ? UDP_IP6 : UDP_IP4;
		sockets_each_shard(bind_here, &c);
		u->local = c.local;
		if (dual && c.result == 0) {
			c.family = UDP_IP4;
			c.local = (struct net_endpoint){ .family = 4, .port = c.local.port };
			sockets_each_shard(bind_here, &c);
		}
		if (c.result == 0) {
			u->bound = true;
			if (local->family == 6 && !net_endpoint_is_any(local))
				u->s.ints[SI_V6ONLY] = 1; /* as Linux shows it from then on */
			return 0;
		}
		sockets_each_shard(close_here, u);
		if (c.result != -EADDRINUSE || local->port != 0)
			break;
	}
	u->local = (struct net_endpoint){ 0 };
	return c.result;
}

int udp_bind_any(struct udp_socket *u)
{
	struct net_endpoint any = socket_any(&u->s);

	return u->bound ? 0 : bind_all(u, &any);
}

static int udp_socket_bind(struct socket *s, const struct sock_name *name)
{
	struct net_endpoint e;
	int r;

	/* unlike connect and sendto, bind wants a name of the socket's own family */
	if (s->domain == AF_INET6 && name->u.family == AF_INET)
		return name->len < sizeof(struct sockaddr_in6) ? -EINVAL : -EAFNOSUPPORT;
	r = name_to_endpoint(s, name, &e);
	if (r < 0)
		return r;
	if (to_udp(s)->bound || socket_refuses(s, &e))
		return -EINVAL;
	r = bind_all(to_udp(s), &e);
	if (r == 0 && e.port != 0)
		socket_report_listen(s, &e);
	return r;
}

static int udp_socket_connect(struct socket *s, const struct sock_name *name)
{
	struct udp_socket *u = to_udp(s);
	struct net_endpoint e = { 0 }, from;
	int r = 0;

	if (name->u.family != AF_UNSPEC)
		r = udp_destination(u, name, &e);
	if (r == 0)
		r = udp_bind_any(u);
	if (r == 0 && e.family != 0) /* how getaddrinfo finds out what can be reached (RFC 6724) */
		r = net_source(shard_self()->net, &e, &from);
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
	struct net_endpoint e = peer ? u->remote : u->local, source;

	if (peer && e.family == 0)
		return -ENOTCONN;
	if (e.family == 0)
		e = socket_any(s);
	if (!peer && u->remote.family != 0 && net_endpoint_is_any(&e) &&
	    net_source(shard_self()->net, &u->remote, &source) == 0) {
		source.port = e.port; /* connected: the address that is used to get there */
		e = source;
	}
	name_from_endpoint(s, out, &e);
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

static int udp_socket_option(struct socket *s, int level, int opt, int value)
{
	(void)value;
	return level == SOL_IPV6 && opt == IPV6_V6ONLY && to_udp(s)->bound ? -EINVAL : 0;
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
	mem_free(u, udp_socket_bytes());
}

static const struct socket_ops udp_ops = {
	.bind = udp_socket_bind,
	.connect = udp_socket_connect,
	.get_name = udp_socket_name,
	.shutdown = udp_socket_shutdown,
	.send = udp_socket_send,
	.recv = udp_socket_recv,
	.option = udp_socket_option,
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

int udp_socket_create(int domain, int protocol, struct socket **out)
{
	struct udp_socket *u;

	if (protocol != 0 && protocol != IPPROTO_UDP)
		return -EPROTONOSUPPORT;
	u = mem_zalloc(udp_socket_bytes());
	if (!u)
		return -ENOMEM;
	socket_init(&u->s, &udp_ops, domain, SOCK_DGRAM, IPPROTO_UDP);
	list_init(&u->queue);
	*out = &u->s;
	return 0;
}
