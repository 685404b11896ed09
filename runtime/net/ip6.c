/* SPDX-License-Identifier: Apache-2.0 */
/* ip6.c - IPv6 in and out (RFC 8200). A host, not a router: what is not for us is dropped. */
#include "runtime/net/ip6_internal.h"

#define PMTU_TICKS WHEEL_MS(600000) /* RFC 8201 4: ten minutes, then try more */

/* ---- in ---- */

/* One of the groups that we are in: all nodes, or the solicited-node group of an address. */
static bool our_group(const struct net_stack *s, const uint8_t *dst)
{
	uint8_t group[16];

	if (ip6_same(dst, ip6_all_nodes))
		return true;
	for (unsigned i = 0; s->v6 != NULL && i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &s->v6->pub.addr[i];

		ip6_solicited(a->addr, group);
		if (a->state != NET_IP6_FREE && ip6_same(dst, group))
			return true;
	}
	return false;
}

/* Addresses that nothing honest sends to us so. */
static bool bad_addresses(const struct net_stack *s, const uint8_t *ip, bool loop)
{
	const uint8_t *src = ip + 8, *dst = ip + 24;

	if (ip6_is_multicast(src) || ip6_is_mapped(src) || ip6_is_mapped(dst))
		return true;
	if (loop)
		return !ip6_is_loopback(dst) && !ip6_is_own(s, dst);
	return ip6_is_loopback(src) || ip6_is_own(s, src) || s->v6 == NULL ||
	       !(ip6_is_multicast(dst) ? our_group(s, dst) : ip6_is_own(s, dst));
}

/* The upper layer. Takes the packet. */
static void deliver(struct net_stack *s, struct pbuf *p, const struct ip6_chain *c,
		    bool was_fragments)
{
	bool nobody = ip6_is_any(p->data + 8), group = ip6_is_multicast(p->data + 24);

	if (c->proto == IP_TCP && !nobody && !group) {
		tcp6_input(s, p, c->off);
	} else if (c->proto == IP_UDP && !nobody) {
		udp6_input(s, p, c->off);
	} else if (c->proto == IP_ICMP6) {
		icmp6_input(s, p, c->off, was_fragments);
	} else {
		if (c->proto != IP_TCP && c->proto != IP_UDP)
			icmp6_error(s, p, ICMP6_PROBLEM, 1, c->prev);
		drop(s, p, &s->n.drop_proto);
	}
}

/* The walk, with as much of the packet in one piece as it takes. */
static enum ip6_verdict walk(struct net_stack *s, struct pbuf *p, struct ip6_chain *c)
{
	enum ip6_verdict v = ip6_walk(p->data, p->len, p->total, c);

	if (unlikely(v == CHAIN_MORE) &&
	    pbuf_pull(s, p, GW_MIN(p->total, IP6_CHAIN_MAX + IP6_FRAG_HLEN)))
		v = ip6_walk(p->data, p->len, p->total, c);
	return v;
}

void ip6_input(struct net_stack *s, struct pbuf *p)
{
	bool loop = (p->flags & PBUF_LOOPBACK) != 0, reassembled = false;
	struct ip6_chain c;
	uint32_t total;

	if ((p->len < IP6_HLEN && !pbuf_pull(s, p, IP6_HLEN)) || (p->data[0] >> 4) != 6 ||
	    (total = IP6_HLEN + ldbe16(p->data + 4)) > p->total) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (total != p->total) /* Ethernet padding */
		pbuf_trim(s, p, total);
	if (unlikely(bad_addresses(s, p->data, loop))) {
		drop(s, p, &s->n.drop_addr);
		return;
	}
	for (;;) {
		switch (walk(s, p, &c)) {
		case CHAIN_UPPER:
			deliver(s, p, &c, reassembled);
			return;
		case CHAIN_FRAGMENT:
			if (!reassembled) { /* and no fragments within fragments */
				p = frag6_input(s, p, &c);
				if (p == NULL)
					return;
				reassembled = true;
				continue;
			}
			drop(s, p, &s->n.drop_frag);
			return;
		case CHAIN_PROBLEM:
			if (c.even_multicast || !ip6_is_multicast(p->data + 24))
				icmp6_error(s, p, ICMP6_PROBLEM, c.code, c.pointer);
			drop(s, p, &s->n.drop_proto);
			return;
		case CHAIN_DROP:
			drop(s, p, &s->n.drop_proto);
			return;
		case CHAIN_MORE:
		case CHAIN_SHORT:
		default:
			drop(s, p, &s->n.drop_short);
			return;
		}
	}
}

/* ---- routes and path MTU ---- */

enum route ip6_route(const struct net_stack *s, const uint8_t *dst, uint8_t hop[16])
{
	const struct ip6_state *v = s->v6;

	memcpy(hop, dst, 16);
	if (ip6_is_loopback(dst) || ip6_is_own(s, dst))
		return ROUTE_LOOP;
	if (v == NULL || ip6_is_any(dst) || ip6_is_mapped(dst))
		return ROUTE_NONE;
	if (ip6_is_multicast(dst))
		return (dst[1] & 15) > 1 ? ROUTE_BROADCAST : ROUTE_NONE;
	if (ip6_is_link_local(dst))
		return ROUTE_LINK;
	for (unsigned i = 0; i < NET_IP6_PREFIXES; i++) {
		const struct net_ip6_prefix *x = &v->pub.on_link[i];

		if (x->until != 0 && ip6_in_prefix(dst, x->addr, x->len))
			return ROUTE_LINK;
	}
	if (ip6_is_any(v->pub.gateway)) /* RFC 5942 4: not believed to be on the link */
		return ROUTE_NONE;
	memcpy(hop, v->pub.gateway, 16);
	return ROUTE_LINK;
}

uint32_t ip6_mtu(const struct net_stack *s)
{
	return s->v6 != NULL ? s->v6->pub.mtu : s->cfg.mtu;
}

uint32_t ip6_path_mtu(const struct net_stack *s, const uint8_t *dst)
{
	for (unsigned i = 0; s->v6 != NULL && i < IP6_PMTUS; i++) {
		const struct ip6_pmtu *m = &s->v6->pmtu[i];

		if (m->mtu != 0 && !tick_due(now_tick(s), m->until) && ip6_same(m->dst, dst))
			return GW_MIN((uint32_t)m->mtu, ip6_mtu(s));
	}
	return ip6_mtu(s);
}

void ip6_learn_mtu(struct net_stack *s, const uint8_t *dst, uint32_t mtu)
{
	struct ip6_pmtu *m, *at = &s->v6->pmtu[0];

	/* RFC 8201 4: never less than 1280, never more than before */
	if (mtu < IP6_MIN_MTU || mtu >= ip6_path_mtu(s, dst))
		return;
	for (m = at; m < s->v6->pmtu + IP6_PMTUS; m++) {
		if (m->mtu != 0 && ip6_same(m->dst, dst)) {
			at = m;
			break;
		}
		if (at->mtu != 0 && (m->mtu == 0 || (int32_t)(m->until - at->until) < 0))
			at = m; /* a free one, or the oldest */
	}
	memcpy(at->dst, dst, 16);
	at->mtu = (uint16_t)mtu;
	at->until = now_tick(s) + PMTU_TICKS;
}

/* ---- out ---- */

static int link_out(struct net_stack *s, struct pbuf *p, enum route r, const uint8_t *hop)
{
	uint8_t mac[6] = { 0x33, 0x33 };

	if (r != ROUTE_BROADCAST)
		return nd_send(s, p, hop);
	memcpy(mac + 2, hop + 12, 4); /* RFC 2464 7 */
	return eth_send(s, p, mac, ETH_IP6);
}

void ip6_prepend(struct pbuf *p, const uint8_t *src, const uint8_t *dst, uint8_t proto,
		 uint8_t hop_limit)
{
	uint32_t payload = p->total;

	p->data -= IP6_HLEN;
	p->len += IP6_HLEN;
	p->total += IP6_HLEN;
	ip6_fill(p->data, payload, proto, hop_limit);
	memcpy(p->data + 8, src, 16);
	memcpy(p->data + 24, dst, 16);
}

/* Copy the payload out in pieces that fit the path (RFC 8200 4.5). */
static int fragment(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
		    uint8_t proto, enum route r, const uint8_t *hop)
{
	uint32_t mtu = ip6_path_mtu(s, dst), id = random_u32(), total = p->total;
	uint32_t room = GW_MIN(mtu - IP6_HLEN - IP6_FRAG_HLEN, PBUF_ROOM - PBUF_HEADROOM) & ~7u;
	int err = 0;

	for (uint32_t off = 0; off < total && err == 0; off += room) {
		uint32_t n = GW_MIN(room, total - off);
		struct pbuf *q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL) {
			s->n.drop_nomem++;
			err = -ENOBUFS;
			break;
		}
		(void)!pbuf_copy_out(p, off, q->data, n);
		q->data -= IP6_FRAG_HLEN;
		q->len = q->total = n + IP6_FRAG_HLEN;
		st16(q->data, proto);
		stbe16(q->data + 2, (uint16_t)(off | (off + n < total)));
		st32(q->data + 4, id);
		ip6_prepend(q, src, dst, IP6_FRAGMENT, ip6_hop_limit(s));
		err = link_out(s, q, r, hop);
	}
	pbuf_free(s->cfg.pool, p);
	return err;
}

int ip6_send(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	     uint8_t proto, uint8_t hop_limit)
{
	uint8_t hop[16];
	enum route r = ip6_route(s, dst, hop);

	if (r == ROUTE_NONE || p->total > 65535 || pbuf_headroom(p) < IP6_HLEN + ETH_HLEN) {
		drop(s, p, p->total > 65535 ? &s->n.drop_short : &s->n.drop_route);
		return r == ROUTE_NONE ? -ENETUNREACH : -EMSGSIZE;
	}
	if (r != ROUTE_LOOP && p->total + IP6_HLEN > ip6_path_mtu(s, dst))
		return fragment(s, p, src, dst, proto, r, hop);
	ip6_prepend(p, src, dst, proto, hop_limit);
	if (r == ROUTE_LOOP) {
		loop_send(s, p);
		return 0;
	}
	return link_out(s, p, r, hop);
}

int ip6_output(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	       uint8_t proto)
{
	return ip6_send(s, p, src, dst, proto, ip6_hop_limit(s));
}
