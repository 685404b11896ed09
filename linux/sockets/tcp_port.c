/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_port.c - local addresses and ports of TCP sockets: who has which, and what excludes what,
 * over both families. The stack knows listeners of one family only; that [::]:80 takes 0.0.0.0:80
 * as well is decided here. */
#include "linux/sockets/tcp.h"

#define PORT_FIRST 32768u
#define PORT_COUNT 28232u /* ephemeral range, as Linux: 32768..60999 */

struct spinlock tcp_ports_lock;
static struct list_node all_bound = { &all_bound, &all_bound }; /* tcp_ports_lock */

bool tcp_port_overlap(const struct net_endpoint *a, bool a_dual, const struct net_endpoint *b,
		      bool b_dual)
{
	if (a->port != b->port)
		return false;
	if (a->family != b->family)
		return a->family == 6 ? a_dual : b_dual;
	return net_endpoint_is_any(a) || net_endpoint_is_any(b) || net_endpoint_same_address(a, b);
}

bool tcp_port_taken(const struct tcp_socket *t, const struct net_endpoint *e)
{
	bool dual = socket_is_dual(&t->s, e);

	list_for_each (n, &all_bound) {
		const struct tcp_socket *o = list_entry(n, struct tcp_socket, bound);

		if (o == t ||
		    !tcp_port_overlap(&o->local, socket_is_dual(&o->s, &o->local), e, dual))
			continue;
		if (o->s.ints[SI_REUSEPORT] && t->s.ints[SI_REUSEPORT])
			continue;
		if (o->s.ints[SI_REUSEADDR] && t->s.ints[SI_REUSEADDR] && o->state != TS_LISTEN)
			continue;
		return true;
	}
	return false;
}

int tcp_port_bind(struct tcp_socket *t, struct net_endpoint e)
{
	int r = 0;

	spin_lock(&tcp_ports_lock);
	if (t->flags & TF_BOUND) {
		r = -EINVAL;
	} else if (e.port != 0) {
		r = tcp_port_taken(t, &e) ? -EADDRINUSE : 0;
	} else {
		uint32_t start = random_u32() % PORT_COUNT, i = 0;

		do
			e.port = (uint16_t)(PORT_FIRST + (start + i) % PORT_COUNT);
		while (tcp_port_taken(t, &e) && ++i < PORT_COUNT);
		r = i == PORT_COUNT ? -EADDRINUSE : 0;
	}
	if (r == 0) {
		t->local = e;
		t->flags |= TF_BOUND;
		list_add_tail(&all_bound, &t->bound);
		if (e.family == 6 && !net_endpoint_is_any(&e))
			t->s.ints[SI_V6ONLY] = 1; /* as Linux shows it from then on */
	}
	spin_unlock(&tcp_ports_lock);
	return r;
}

void tcp_port_free(struct tcp_socket *t)
{
	spin_lock(&tcp_ports_lock);
	list_del(&t->bound);
	spin_unlock(&tcp_ports_lock);
}

int tcp_socket_bind(struct socket *s, const struct sock_name *name)
{
	const struct net_stack *n = shard_self()->net;
	struct tcp_socket *t = to_tcp(s);
	struct net_endpoint e;
	int r = name_to_endpoint(s, name, &e);

	/* bind(2) takes AF_UNSPEC with the any address for AF_INET */
	if (r == -EAFNOSUPPORT && s->domain == AF_INET && name->u.family == AF_UNSPEC &&
	    name->u.in.ip4 == 0) {
		struct sock_name in = *name;

		in.u.family = AF_INET;
		r = name_to_endpoint(s, &in, &e);
	}
	if (r < 0)
		return r;
	if (t->state != TS_NEW || socket_refuses(s, &e) || (e.family == 6 && e.ip6[0] == 0xff))
		return -EINVAL; /* the last: a multicast address */
	if (!net_endpoint_is_any(&e) && !endpoint_is_loopback(&e) && !(n && net_is_own(n, &e)) &&
	    !s->ints[SI_FREEBIND])
		return -EADDRNOTAVAIL;
	return tcp_port_bind(t, e);
}
