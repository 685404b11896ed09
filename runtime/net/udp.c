/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP (RFC 768) with checksums always sent and always checked. */
#include "runtime/net/ip6_internal.h"

#define UDP_HLEN 8u

void udp_set_callbacks(struct net_stack *s, const struct udp_callbacks *cb)
{
	s->udp_cb = *cb;
}

static bool port_taken(struct net_stack *s, const struct net_endpoint *at, uint16_t port,
		       bool reuse)
{
	list_for_each (n, &s->udp_socks) {
		struct udp_sock *u = list_entry(n, struct udp_sock, link);

		if (u->local.port == port && u->local.family == at->family &&
		    (net_endpoint_same_address(&u->local, at) || net_endpoint_is_any(&u->local) ||
		     net_endpoint_is_any(at)) &&
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

	if (l.family != 4 && l.family != 6)
		return -EAFNOSUPPORT;
	if (!net_endpoint_is_any(&l) && !(l.family == 4 && l.ip4 == IP4_BROADCAST) &&
	    !net_is_own(s, &l))
		return -EADDRNOTAVAIL;
	if (l.port == 0) {
		uint32_t start = random_u32();

		for (uint32_t i = 0; i < 28232 && l.port == 0; i++) {
			uint16_t port = (uint16_t)(32768 + (start + i) % 28232);

			if (!port_taken(s, &l, port, false))
				l.port = port;
		}
		if (l.port == 0)
			return -EADDRINUSE;
	} else if (port_taken(s, &l, l.port, reuse)) {
		return -EADDRINUSE;
	}
	u = s->cfg.alloc(sizeof(*u));
	if (u == NULL)
		return -ENOMEM;
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
static struct udp_sock *find(struct net_stack *s, const struct net_endpoint *from,
			     const struct net_endpoint *to)
{
	struct udp_sock *best = NULL;
	int best_score = -1;

	list_for_each (n, &s->udp_socks) {
		struct udp_sock *u = list_entry(n, struct udp_sock, link);
		int score = 0;

		if (u->local.port != to->port || u->local.family != to->family)
			continue;
		if (!net_endpoint_is_any(&u->local)) {
			if (!net_endpoint_same_address(&u->local, to))
				continue;
			score++;
		}
		if (u->remote.family != 0) {
			if (!net_endpoint_same_address(&u->remote, from) ||
			    u->remote.port != from->port)
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

static void read_ends(const uint8_t *ip, const uint8_t *h, struct net_endpoint *from,
		      struct net_endpoint *to)
{
	from->port = ldbe16(h);
	to->port = ldbe16(h + 2);
	if (ip[0] >> 4 == 6) {
		from->family = to->family = 6;
		memcpy(from->ip6, ip + 8, 16);
		memcpy(to->ip6, ip + 24, 16);
	} else {
		from->family = to->family = 4;
		from->ip4 = ld32(ip + 12);
		to->ip4 = ld32(ip + 16);
	}
}

/* The header, in one piece, and the length it says. 0: dropped. off: where it begins. */
static uint32_t check_length(struct net_stack *s, struct pbuf *p, uint32_t off)
{
	if (pbuf_pull(s, p, off + UDP_HLEN)) {
		uint32_t n = ldbe16(p->data + off + 4);

		if (n >= UDP_HLEN && n <= p->total - off)
			return n;
	}
	drop(s, p, &s->n.drop_short);
	return 0;
}

/* To the socket; false, and not taken, when there is none. n: as in the header. */
static bool give(struct net_stack *s, struct pbuf *p, uint32_t off, uint32_t n)
{
	struct net_endpoint from, to;
	struct udp_sock *u;

	read_ends(p->data, p->data + off, &from, &to);
	u = find(s, &from, &to);
	if (u == NULL)
		return false;
	pbuf_trim(s, p, off + n);
	p->seq = off + UDP_HLEN; /* for udp_ends: how far before the payload */
	p->end_seq = UDP_HLEN;
	pbuf_skip(p, off + UDP_HLEN);
	s->udp_cb.input(u, u->owner, p, &from, &to);
	return true;
}

void udp_input(struct net_stack *s, struct pbuf *p)
{
	uint32_t hl = (uint32_t)(p->data[0] & 15) * 4, n = check_length(s, p, hl), src, dst, hop;
	const uint8_t *h;

	if (n == 0)
		return;
	h = p->data + hl;
	src = ld32(p->data + 12);
	dst = ld32(p->data + 16);
	if (ld16(h + 6) != 0 && !(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    csum_fold(csum_chain(p, hl, n, pseudo_sum(src, dst, IP_UDP, n))) != 0xffff) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	if (ldbe16(h + 2) == 68 && ldbe16(h) == 67 && s->dhcp != NULL) {
		pbuf_trim(s, p, hl + n);
		pbuf_skip(p, hl + UDP_HLEN);
		dhcp_input(s, p);
		return;
	}
	if ((s->ip.up || (p->flags & PBUF_LOOPBACK)) && give(s, p, hl, n))
		return;
	if (dst == s->ip.addr && s->ip.up && ip4_route(s, src, &hop) != ROUTE_BROADCAST)
		icmp_error(s, p, 3, 3, 0);
	drop(s, p, &s->n.drop_noport);
}

void udp6_input(struct net_stack *s, struct pbuf *p, uint32_t off)
{
	uint32_t n = check_length(s, p, off);
	const uint8_t *h;

	if (n == 0)
		return;
	h = p->data + off;
	/* RFC 8200 8.1: the checksum is not optional */
	if (!(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    (ld16(h + 6) == 0 ||
	     csum_fold(csum_chain(p, off, n, pseudo6_sum(p->data + 8, IP_UDP, n))) != 0xffff)) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	if (ldbe16(h + 2) == 546 && s->v6 != NULL && s->v6->dhcp != NULL &&
	    ip6_is_link_local(p->data + 8)) {
		pbuf_trim(s, p, off + n);
		pbuf_skip(p, off + UDP_HLEN);
		dhcp6_input(s, p);
		return;
	}
	if (give(s, p, off, n))
		return;
	icmp6_error(s, p, ICMP6_UNREACHABLE, 4, 0);
	drop(s, p, &s->n.drop_noport);
}

void udp_ends(const struct pbuf *p, struct net_endpoint *from, struct net_endpoint *to)
{
	memset(from, 0, sizeof(*from));
	memset(to, 0, sizeof(*to));
	read_ends(p->data - p->seq, p->data - p->end_seq, from, to);
}

bool udp_icmp(struct net_stack *s, const struct net_endpoint *src, const struct net_endpoint *dst,
	      int err)
{
	struct udp_sock *u = find(s, dst, src);

	if (u != NULL && err != 0 && u->remote.family != 0 && s->udp_cb.error != NULL)
		s->udp_cb.error(u, u->owner, err);
	return u != NULL;
}

void udp_refuse(struct udp_sock *u, struct pbuf *payload)
{
	drop(u->stack, payload, &u->stack->n.drop_socket);
}

int udp_output(struct net_stack *s, struct pbuf *p, const struct net_endpoint *src,
	       const struct net_endpoint *dst)
{
	bool six = dst->family == 6;
	uint32_t n = p->total + UDP_HLEN, ip_len = six ? IP6_HLEN : IP4_HLEN;
	uint8_t *h, both[32];
	uint64_t pseudo;
	uint16_t sum;

	if (n > (six ? 65535 : 65535 - IP4_HLEN)) {
		pbuf_free(s->cfg.pool, p);
		return -EMSGSIZE;
	}
	if (pbuf_headroom(p) < UDP_HLEN + ip_len + ETH_HLEN) {
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
	stbe16(h, src->port);
	stbe16(h + 2, dst->port);
	stbe16(h + 4, (uint16_t)n);
	st16(h + 6, 0);
	if (six) {
		memcpy(both, src->ip6, 16);
		memcpy(both + 16, dst->ip6, 16);
		pseudo = pseudo6_sum(both, IP_UDP, n);
	} else {
		pseudo = pseudo_sum(src->ip4, dst->ip4, IP_UDP, n);
	}
	sum = (uint16_t)~csum_fold(csum_chain(p, 0, n, pseudo));
	st16(h + 6, sum != 0 ? sum : 0xffff);
	p->flags = 0;
	if (six)
		return ip6_output(s, p, src->ip6, dst->ip6, IP_UDP);
	return ip4_output(s, p, src->ip4, dst->ip4, IP_UDP, 64);
}

int udp_send(struct udp_sock *u, struct pbuf *payload, const struct net_endpoint *to)
{
	struct net_stack *s = u->stack;
	struct net_endpoint src;
	int err = -ENETUNREACH;

	if (to == NULL)
		to = &u->remote;
	if (to->family != 0)
		err = to->family != u->local.family ? -EAFNOSUPPORT : net_source(s, to, &src);
	if (err != 0) {
		drop(s, payload, &s->n.drop_route);
		return err;
	}
	if (!net_endpoint_is_any(&u->local) &&
	    !(u->local.family == 4 && u->local.ip4 == IP4_BROADCAST))
		src = u->local;
	src.port = u->local.port;
	return udp_output(s, payload, &src, to);
}
