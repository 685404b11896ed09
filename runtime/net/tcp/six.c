/* SPDX-License-Identifier: Apache-2.0 */
/* six.c - IPv6 below a connection: its place in the tables, its way, and its headers. The addresses
 * do not fit a table's key: their keyed hash is the key, and they are compared when it matches. */
#include "runtime/net/tcp/tcp_internal.h"

struct tcp_pair pair6(const struct net_stack *s, const uint8_t six[32])
{
	const uint64_t *k = s->tcp.pair_key;

	return (struct tcp_pair){ (ip6_mix(six, k) ^ ip6_mix(six + 16, k + 2)) | PAIR6_MARK, six };
}

struct tcp_conn *tcp_lookup_pair(const struct net_stack *s, struct tcp_pair addr, uint32_t port)
{
	struct tcp_conn *c = s->tcp.hash[tcp_hash_of(s, addr.key, port)];

	while (c != NULL && !conn_is(c, addr, port))
		c = c->hash_next;
	return c;
}

bool six_route(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	enum route r = ip6_route(s, c->six->pair, c->six->next_hop);

	c->flags &= ~TF_LOOP;
	c->rt_mtu = (uint16_t)ip6_path_mtu(s, c->six->pair);
	if (r == ROUTE_LOOP) {
		c->flags |= TF_LOOP;
		c->rt_mtu = TCP_TX_CAP + 72 - (TCP_TX_CAP + 72) % 4; /* one pbuf a segment */
	}
	c->six->nd = NULL;
	return r == ROUTE_LINK || r == ROUTE_LOOP;
}

void six_doubt(struct tcp_conn *c)
{
	uint8_t hop[16];

	nd_doubt(c->stack, c->six->next_hop);
	if (ip6_route(c->stack, c->six->pair, hop) == ROUTE_LINK)
		memcpy(c->six->next_hop, hop, 16);
}

int six_finish(struct tcp_conn *c, struct pbuf *p, uint8_t *th, uint32_t len, uint8_t tos)
{
	struct net_stack *s = c->stack;
	struct tcp_six *six = c->six;
	uint8_t *ip = th - IP6_HLEN;
	uint32_t hl = ((uint32_t)th[12] >> 4) * 4;
	uint64_t ps = (uint64_t)c->ph_sum + be16((uint16_t)len);

	p->len += (uint32_t)(p->data - ip);
	p->data = ip;
	p->total = len + IP6_HLEN;
	ip6_fill(ip, len, IP_TCP, c->ttl);
	ip[0] = (uint8_t)(0x60 | tos >> 4);
	ip[1] = (uint8_t)(tos << 4);
	memcpy(ip + 8, six->pair + 16, 16);
	memcpy(ip + 24, six->pair, 16);
	p->flags = 0;
	if (c->flags & TF_LOOP) {
		loop_send(s, p);
		return 0;
	}
	if (s->cfg.csum_tx) {
		st16(th + 16, csum_fold(ps));
		p->flags = PBUF_CSUM_PARTIAL;
		p->csum_start = ETH_HLEN + IP6_HLEN;
		p->csum_offset = 16;
		p->hdr_len = (uint16_t)(ETH_HLEN + IP6_HLEN + hl);
		if (len - hl > c->mss) {
			p->flags |= PBUF_GSO_TCP6;
			p->gso_size = c->mss;
		}
	} else if (p->next == NULL) {
		st16(th + 16, (uint16_t)~csum_fold(csum_bytes(th, len, ps)));
	} else {
		st16(th + 16, (uint16_t)~csum_fold(csum_chain(p, IP6_HLEN, len, ps)));
	}
	if (unlikely(!nd_ready(six->nd, six->next_hop, now_tick(s)))) {
		six->nd = nd_usable(s, six->next_hop);
		if (six->nd == NULL)
			return nd_send(s, p, six->next_hop);
	}
	six->nd->used = now_tick(s);
	st64(ip - 16, ld64(six->nd->eth)); /* headroom is there: two bytes more than needed */
	st64(ip - 8, ld64(six->nd->eth + 8));
	return frame_out(s, p);
}
