/* SPDX-License-Identifier: Apache-2.0 */
/* udp_io.c - datagrams between the program and the stacks. They queue as the packet buffers they
 * came in, under a short lock, and are sent by the stack of whoever sends. */
#include "linux/sockets/udp.h"

#define DATAGRAM_MAX4 65507u /* 65,535 less the IPv4 and UDP headers */
#define DATAGRAM_MAX6 65527u /* IPv6 counts its header outside */

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
		name_from_endpoint(&u->s, m->name, &from);
	m->has_to = m->has_time = true;
	m->to = to;
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

long udp_socket_recv(struct socket *s, struct sock_msg *m)
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

int udp_destination(struct udp_socket *u, const struct sock_name *name, struct net_endpoint *out)
{
	int r = name_to_endpoint(&u->s, name, out);

	if (r < 0)
		return r;
	if (out->family == 6 && net_endpoint_is_any(out) && u->local.family == 4)
		out->family = 4; /* bound to an IPv4-mapped address: so is the loopback one */
	endpoint_default(out);
	return socket_refuses(&u->s, out) ? -ENETUNREACH : 0;
}

/* The part of the socket, here, that sends to this family. A socket that is bound to an address of
 * one has none for the other. */
static struct udp_sock *sender(struct udp_socket *u, const struct net_endpoint *to)
{
	return u->on[shard_self()->id][to->family == 6 ? UDP_IP6 : UDP_IP4];
}

static int check_destination(struct udp_socket *u, const struct net_endpoint *to, size_t n)
{
	if (n > (to->family == 6 ? DATAGRAM_MAX6 : DATAGRAM_MAX4))
		return -EMSGSIZE;
	if (to->port == 0)
		return -EINVAL;
	if (to->family == 4 && to->ip4 == 0xffffffffu && !u->s.ints[SI_BROADCAST])
		return -EACCES;
	return 0;
}

long udp_socket_send(struct socket *s, struct sock_msg *m)
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
	if (n > DATAGRAM_MAX6)
		return -EMSGSIZE;
	if (m->name)
		r = udp_destination(u, m->name, &to);
	else if (to.family == 0)
		r = -EDESTADDRREQ;
	if (r == 0)
		r = check_destination(u, &to, n);
	if (r == 0 && u->shut & 2)
		return socket_epipe(m->flags);
	if (r == 0)
		r = socket_take_error(s);
	if (r == 0)
		r = udp_bind_any(u);
	if (r == 0 && !sender(u, &to))
		r = to.family == 6 ? -EAFNOSUPPORT : -ENETUNREACH;
	if (r == 0)
		r = payload(m->uio, &p);
	if (r < 0)
		return r;
	net = shard_self()->net;
	now = clock_now();
	net_set_now(net, now);
	shard_note_write(now);
	r = udp_send(sender(u, &to), p, &to);
	/* A full ring is a loss on the way, as it would be a hop further. */
	return r < 0 && r != -ENOBUFS ? r : (long)n;
}
