/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP (RFC 768) with checksums always sent and always checked. */
#include "runtime/net/net_internal.h"

#define UDP_HLEN 8u

void udp_set_callbacks(struct net_stack *s, const struct udp_callbacks *cb)
{
	s->udp_cb = *cb;
}

static bool port_taken(struct net_stack *s, uint32_t ip, uint16_t port, bool reuse)
{
	list_for_each (n, &s->udp_socks) {
		struct udp_sock *u = list_entry(n, struct udp_sock, link);

		if (u->local.port == port && (u->local.ip4 == ip || u->local.ip4 == 0 || ip == 0) &&
		    !(reuse && u->reuse))
			return true;
	}
	return false;
}

int udp_bind(struct net_stack *s, const struct net_endpoint *local, bool reuse, void *owner,
	     struct udp_sock **out)
{
	struct net_endpoint l = *local;
	struct udp_sock *u;

	if (l.family != 4)
		return -EAFNOSUPPORT;
	if (l.ip4 != 0 && l.ip4 != IP4_BROADCAST && !ip4_is_loop(s, l.ip4))
		return -EADDRNOTAVAIL;
	if (l.port == 0) {
		uint32_t start = random_u32();

		for (uint32_t i = 0; i < 28232 && l.port == 0; i++) {
			uint16_t port = (uint16_t)(32768 + (start + i) % 28232);

			if (!port_taken(s, l.ip4, port, false))
				l.port = port;
		}
		if (l.port == 0)
			return -EADDRINUSE;
	} else if (port_taken(s, l.ip4, l.port, reuse)) {
		return -EADDRINUSE;
	}
	u = s->cfg.alloc(sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
	l.family = 4;
	u->stack = s;
	u->owner = owner;
	u->local = l;
	u->reuse = reuse;
	list_add_head(&s->udp_socks, &u->link);
	*out = u;
	return 0;
}

void udp_connect(struct udp_sock *u, const struct net_endpoint *remote)
{
	u->remote = *remote;
}

void udp_local(const struct udp_sock *u, struct net_endpoint *out)
{
	*out = u->local;
}

void udp_close(struct udp_sock *u)
{
	list_del(&u->link);
	u->stack->cfg.free(u, sizeof(*u));
}

/* The socket for a datagram: connected ones first, then bound to the address, then to any. */
static struct udp_sock *find(struct net_stack *s, uint32_t src, uint16_t sport, uint32_t dst,
			     uint16_t dport)
{
	struct udp_sock *best = NULL;
	int best_score = -1;

	list_for_each (n, &s->udp_socks) {
		struct udp_sock *u = list_entry(n, struct udp_sock, link);
		int score = 0;

		if (u->local.port != dport)
			continue;
		if (u->local.ip4 != 0) {
			if (u->local.ip4 != dst)
				continue;
			score++;
		}
		if (u->remote.family != 0) {
			if (u->remote.ip4 != src || u->remote.port != sport)
				continue;
			score += 2;
		}
		if (score > best_score) {
			best = u;
			best_score = score;
		}
	}
	return best;
}

void udp_input(struct net_stack *s, struct pbuf *p)
{
	uint32_t hl = (uint32_t)(p->data[0] & 15) * 4, n, src, dst, hop;
	struct net_endpoint from, to;
	struct udp_sock *u;
	const uint8_t *h;
	uint16_t sport, dport;

	if (!pbuf_pull(s, p, hl + UDP_HLEN)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	h = p->data + hl;
	n = ldbe16(h + 4);
	if (n < UDP_HLEN || n > p->total - hl) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	src = ld32(p->data + 12);
	dst = ld32(p->data + 16);
	if (ld16(h + 6) != 0 && !(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    csum_fold(csum_chain(p, hl, n, pseudo_sum(src, dst, IP_UDP, n))) != 0xffff) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	sport = ldbe16(h);
	dport = ldbe16(h + 2);
	if (dport == 68 && sport == 67 && s->dhcp != NULL) {
		pbuf_trim(s, p, hl + n);
		pbuf_skip(p, hl + UDP_HLEN);
		dhcp_input(s, p);
		return;
	}
	u = s->ip.up || (p->flags & PBUF_LOOPBACK) ? find(s, src, sport, dst, dport) : NULL;
	if (u == NULL) {
		if (dst == s->ip.addr && s->ip.up && ip4_route(s, src, &hop) != ROUTE_BROADCAST)
			icmp_error(s, p, 3, 3, 0);
		drop(s, p, &s->n.drop_noport);
		return;
	}
	from = (struct net_endpoint){ .family = 4, .port = sport, .ip4 = src };
	to = (struct net_endpoint){ .family = 4, .port = dport, .ip4 = dst };
	pbuf_trim(s, p, hl + n);
	p->seq = hl + UDP_HLEN; /* for udp_ends: how far before the payload */
	p->end_seq = UDP_HLEN;
	pbuf_skip(p, hl + UDP_HLEN);
	s->udp_cb.input(u, u->owner, p, &from, &to);
}

void udp_ends(const struct pbuf *p, struct net_endpoint *from, struct net_endpoint *to)
{
	const uint8_t *ip = p->data - p->seq, *h = p->data - p->end_seq;

	*from = (struct net_endpoint){ .family = 4, .port = ldbe16(h), .ip4 = ld32(ip + 12) };
	*to = (struct net_endpoint){ .family = 4, .port = ldbe16(h + 2), .ip4 = ld32(ip + 16) };
}

void udp_icmp(struct net_stack *s, uint32_t src, uint32_t dst, const uint8_t *l4, int err)
{
	struct udp_sock *u = find(s, dst, ldbe16(l4 + 2), src, ldbe16(l4));

	if (u != NULL && u->remote.family != 0 && s->udp_cb.error != NULL)
		s->udp_cb.error(u, u->owner, err);
}

void udp_refuse(struct udp_sock *u, struct pbuf *payload)
{
	drop(u->stack, payload, &u->stack->n.drop_socket);
}

int udp_output(struct net_stack *s, struct pbuf *p, uint32_t src, uint16_t sport, uint32_t dst,
	       uint16_t dport)
{
	uint32_t n = p->total + UDP_HLEN;
	uint16_t sum;
	uint8_t *h;

	if (n > 65535 - IP4_HLEN) {
		pbuf_free(s->cfg.pool, p);
		return -EMSGSIZE;
	}
	if (pbuf_headroom(p) < UDP_HLEN + IP4_HLEN + ETH_HLEN) {
		struct pbuf *q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL) {
			drop(s, p, &s->n.drop_nomem);
			return -ENOBUFS;
		}
		q->next = p;
		q->total = p->total;
		p = q;
	}
	h = p->data -= UDP_HLEN;
	p->len += UDP_HLEN;
	p->total = n;
	stbe16(h, sport);
	stbe16(h + 2, dport);
	stbe16(h + 4, (uint16_t)n);
	st16(h + 6, 0);
	sum = (uint16_t)~csum_fold(csum_chain(p, 0, n, pseudo_sum(src, dst, IP_UDP, n)));
	st16(h + 6, sum != 0 ? sum : 0xffff);
	p->flags = 0;
	return ip4_output(s, p, src, dst, IP_UDP, 64);
}

int udp_send(struct udp_sock *u, struct pbuf *payload, const struct net_endpoint *to)
{
	struct net_stack *s = u->stack;
	uint32_t src = u->local.ip4 != 0 && u->local.ip4 != IP4_BROADCAST ? u->local.ip4 : 0, hop;

	if (to == NULL)
		to = &u->remote;
	if (to->family == 6) {
		pbuf_free(s->cfg.pool, payload);
		return -EAFNOSUPPORT;
	}
	if (to->family == 0 || ip4_route(s, to->ip4, &hop) == ROUTE_NONE) {
		drop(s, payload, &s->n.drop_route);
		return -ENETUNREACH;
	}
	if (src == 0)
		src = ip4_source(s, to->ip4);
	return udp_output(s, payload, src, u->local.port, to->ip4, to->port);
}
