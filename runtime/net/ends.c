/* SPDX-License-Identifier: Apache-2.0 */
/* ends.c - what is asked of a stack about addresses of either family, and the way of a packet to
 * the shard that it belongs to. No packet's ordinary way leads through here. */
#include "runtime/net/ip6_internal.h"

const struct net_ip6 *net_get_ip6(const struct net_stack *s)
{
	static const struct net_ip6 none;

	return s->v6 != NULL ? &s->v6->pub : &none;
}

bool net_is_own(const struct net_stack *s, const struct net_endpoint *e)
{
	if (e->family == 6)
		return ip6_is_loopback(e->ip6) || ip6_is_own(s, e->ip6);
	return e->family == 4 && ip4_is_loop(s, e->ip4);
}

int net_source(const struct net_stack *s, const struct net_endpoint *to, struct net_endpoint *out)
{
	uint8_t hop6[16];
	uint32_t hop;

	if (to->family == 6) {
		*out = (struct net_endpoint){ .family = 6 };
		return ip6_route(s, to->ip6, hop6) != ROUTE_NONE && ip6_source(s, to->ip6, out->ip6)
			       ? 0
			       : -ENETUNREACH;
	}
	if (to->family != 4)
		return -EAFNOSUPPORT;
	if (ip4_route(s, to->ip4, &hop) == ROUTE_NONE)
		return -ENETUNREACH;
	*out = (struct net_endpoint){ .family = 4, .ip4 = ip4_source(s, to->ip4) };
	return 0;
}

/* Whole frames travel: give the Ethernet header back; what came by loopback never had one. */
void net_forward(struct net_stack *s, struct pbuf *p, uint32_t shard)
{
	bool six = p->data[0] >> 4 == 6;

	p->data -= ETH_HLEN;
	p->len += ETH_HLEN;
	p->total += ETH_HLEN;
	if (p->flags & PBUF_LOOPBACK) {
		memcpy(p->data, s->cfg.mac, 6);
		memcpy(p->data + 6, s->cfg.mac, 6);
		stbe16(p->data + 12, six ? ETH_IP6 : ETH_IP4);
	}
	s->n.forwarded++;
	s->cfg.forward(s->cfg.ctx, shard, p);
}
