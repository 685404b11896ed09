/* SPDX-License-Identifier: Apache-2.0 */
/* ip4.c - IPv4 in and out (RFC 791, 1122 3.2). A host, not a router: what is not for us is dropped.
 */
#include "runtime/net/net_internal.h"

enum route ip4_route(const struct net_stack *s, uint32_t dst, uint32_t *next_hop)
{
	*next_hop = dst;
	if (ip4_is_loop(s, dst))
		return ROUTE_LOOP;
	if (dst == IP4_BROADCAST)
		return ROUTE_BROADCAST;
	if (!s->ip.up || dst == 0 || (dst & 0xf0) >= 0xe0)
		return ROUTE_NONE;
	if (((dst ^ s->ip.addr) & s->ip.mask) == 0)
		return s->ip.mask != 0xffffffff && (dst | s->ip.mask) == 0xffffffff &&
				       s->ip.mask != be32(0xfffffffeu)
			       ? ROUTE_BROADCAST
			       : ROUTE_LINK;
	if (s->ip.gateway == 0)
		return ROUTE_NONE;
	*next_hop = s->ip.gateway;
	return ROUTE_LINK;
}

uint32_t ip4_source(const struct net_stack *s, uint32_t dst)
{
	return (dst & 0xff) == 127 ? be32(0x7f000001u) : s->ip.addr;
}

static bool for_us(const struct net_stack *s, uint32_t dst, bool loop, bool *broadcast)
{
	uint32_t hop;

	*broadcast = false;
	if (dst == s->ip.addr && dst != 0)
		return true;
	if (loop)
		return (dst & 0xff) == 127;
	if ((dst & 0xff) == 127)
		return false;
	*broadcast =
		dst == IP4_BROADCAST || (s->ip.up && ip4_route(s, dst, &hop) == ROUTE_BROADCAST);
	return *broadcast ||
	       (s->dhcp != NULL && !s->ip.up); /* an offer may be sent to the address offered */
}

/* Source addresses that nothing honest sends from. */
static bool bad_source(const struct net_stack *s, uint32_t src, bool loop)
{
	if ((src & 0xf0) >= 0xe0)
		return true;
	return !loop && ((src & 0xff) == 127 || (src != 0 && src == s->ip.addr));
}

/* The general checks after the fast ones. Takes the packet. */
static void other(struct net_stack *s, struct pbuf *p, bool broadcast)
{
	switch (p->data[9]) {
	case IP_ICMP:
		icmp_input(s, p);
		return;
	case IP_UDP:
		udp_input(s, p);
		return;
	case IP_TCP:
		if (broadcast || ld32(p->data + 12) == 0) {
			drop(s, p, &s->n.drop_proto);
			return;
		}
		tcp_input(s, p);
		return;
	default:
		if (!broadcast)
			icmp_error(s, p, 3, 2, 0);
		drop(s, p, &s->n.drop_proto);
		return;
	}
}

void ip4_deliver(struct net_stack *s, struct pbuf *p)
{
	bool broadcast;

	(void)for_us(s, ld32(p->data + 16), (p->flags & PBUF_LOOPBACK) != 0, &broadcast);
	other(s, p, broadcast);
}

void ip4_input(struct net_stack *s, struct pbuf *p)
{
	const uint8_t *ip = p->data;
	uint32_t hl = (uint32_t)(ip[0] & 15) * 4, total, dst;
	bool broadcast = false, loop = (p->flags & PBUF_LOOPBACK) != 0;

	if (unlikely(p->len < IP4_HLEN || (ip[0] >> 4) != 4 || hl < IP4_HLEN)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (unlikely(hl != IP4_HLEN)) { /* options: looked over, not used */
		if (!pbuf_pull(s, p, hl)) {
			drop(s, p, &s->n.drop_short);
			return;
		}
		ip = p->data;
	}
	total = ldbe16(ip + 2);
	if (unlikely(total < hl || total > p->total)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (!loop &&
	    unlikely(csum_fold(hl == IP4_HLEN ? csum_20(ip) : csum_bytes(ip, hl, 0)) != 0xffff)) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	if (total != p->total) /* Ethernet padding */
		pbuf_trim(s, p, total);
	dst = ld32(ip + 16);
	if (unlikely(bad_source(s, ld32(ip + 12), loop))) {
		drop(s, p, &s->n.drop_addr);
		return;
	}
	if (unlikely(dst != s->ip.addr || dst == 0) && !for_us(s, dst, loop, &broadcast)) {
		drop(s, p, &s->n.drop_addr);
		return;
	}
	if (unlikely((ldbe16(ip + 6) & 0x3fff) != 0)) {
		p = frag_input(s, p);
		if (p == NULL)
			return;
		ip = p->data;
	}
	if (likely(ip[9] == IP_TCP && !broadcast && ld32(ip + 12) != 0))
		tcp_input(s, p);
	else
		other(s, p, broadcast);
}

static void fill(uint8_t *ip, uint32_t total, uint16_t id, uint16_t frag, uint8_t ttl,
		 uint8_t proto, uint32_t src, uint32_t dst)
{
	ip[0] = 0x45;
	ip[1] = 0;
	stbe16(ip + 2, (uint16_t)total);
	stbe16(ip + 4, id);
	stbe16(ip + 6, frag);
	ip[8] = ttl;
	ip[9] = proto;
	st16(ip + 10, 0);
	st32(ip + 12, src);
	st32(ip + 16, dst);
	st16(ip + 10, (uint16_t)~csum_fold(csum_20(ip)));
}

static int out(struct net_stack *s, struct pbuf *p, enum route r, uint32_t hop)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };

	if (r == ROUTE_BROADCAST)
		return eth_send(s, p, all, ETH_IP4);
	return arp_send(s, p, hop);
}

/* Copy the payload out in pieces that fit the MTU. */
static int fragment(struct net_stack *s, struct pbuf *p, uint32_t src, uint32_t dst, uint8_t proto,
		    uint8_t ttl, enum route r, uint32_t hop)
{
	uint32_t room = GW_MIN((uint32_t)s->cfg.mtu - IP4_HLEN, PBUF_ROOM - PBUF_HEADROOM) & ~7u,
		 total = p->total;
	uint16_t id = s->ip_id++;
	int err = 0;

	for (uint32_t off = 0; off < total && err == 0; off += room) {
		uint32_t n = GW_MIN(room, total - off);
		struct pbuf *q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL) {
			s->n.drop_nomem++;
			err = -ENOBUFS;
			break;
		}
		pbuf_copy_out(p, off, q->data, n);
		q->data -= IP4_HLEN;
		q->len = q->total = n + IP4_HLEN;
		fill(q->data, q->total, id, (uint16_t)(off >> 3 | (off + n < total ? 0x2000u : 0)),
		     ttl, proto, src, dst);
		err = out(s, q, r, hop);
	}
	pbuf_free(s->cfg.pool, p);
	return err;
}

int ip4_output(struct net_stack *s, struct pbuf *p, uint32_t src, uint32_t dst, uint8_t proto,
	       uint8_t ttl)
{
	uint32_t hop, total = p->total + IP4_HLEN;
	enum route r = ip4_route(s, dst, &hop);

	if (r == ROUTE_NONE || total > 65535 || pbuf_headroom(p) < IP4_HLEN + ETH_HLEN) {
		drop(s, p, total > 65535 ? &s->n.drop_short : &s->n.drop_route);
		return total > 65535 ? -EMSGSIZE : -ENETUNREACH;
	}
	if (total > s->cfg.mtu && r != ROUTE_LOOP)
		return fragment(s, p, src, dst, proto, ttl, r, hop);
	p->data -= IP4_HLEN;
	p->len += IP4_HLEN;
	p->total = total;
	fill(p->data, total, s->ip_id++, proto == IP_TCP ? 0x4000 : 0, ttl, proto, src, dst);
	if (r == ROUTE_LOOP) {
		loop_send(s, p);
		return 0;
	}
	return out(s, p, r, hop);
}
