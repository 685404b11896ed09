/* SPDX-License-Identifier: Apache-2.0 */
/* nd_input.c - neighbour discovery messages arrive (RFC 4861 6.1, 7.1, 7.2): solicitations for our
 * addresses are answered, advertisements believed as far as the cache asked for them. Redirects are
 * not followed (8.3 lets a host be configured so). */
#include "runtime/net/ip6_internal.h"

#define RELAY_MAX 32u /* messages passed on to other shards in a tenth of a second */
#define MESSAGE_MAX 1460u

#define NA_SOLICITED 0x40
#define NA_OVERRIDE 0x20

/* mac: where to, when the message said it (the cache may be full of others); NULL: ask the cache.
 */
static void advertise(struct net_stack *s, const uint8_t *target, const uint8_t *dst,
		      const uint8_t *mac, uint8_t flags)
{
	struct pbuf *p = icmp6_new(s, ND_NA, 0, 32);

	if (p == NULL)
		return;
	p->data[4] = flags;
	memcpy(p->data + 8, target, 16);
	p->data[24] = 2;
	p->data[25] = 1;
	memcpy(p->data + 26, s->cfg.mac, 6);
	if (mac != NULL)
		icmp6_send_to(s, p, target, dst, mac);
	else
		(void)icmp6_send(s, p, target, dst, 255);
}

/* Somebody asks for, or wants for himself, the address that is in our table at i. */
static void asked(struct net_stack *s, unsigned i, const uint8_t *src, const struct nd_msg *m)
{
	uint8_t state = s->v6->pub.addr[i].state;

	if (state == NET_IP6_TENTATIVE) { /* RFC 4862 5.4.3: two that detect at once */
		if (ip6_is_any(src))
			ip6_duplicate(s, i);
		return;
	}
	if (state == NET_IP6_DUPLICATE || !icmp_may_send(s, 1))
		return;
	if (ip6_is_any(src)) {
		advertise(s, m->target, ip6_all_nodes, NULL, NA_OVERRIDE);
		return;
	}
	if (m->has_mac) /* only of neighbours: what is beyond a router does not come to us so */
		nd_heard(s, src, m->mac, true);
	advertise(s, m->target, src, m->has_mac ? m->mac : NULL, NA_SOLICITED | NA_OVERRIDE);
}

/* RFC 4861 7.2.5. */
static void advertised(struct net_stack *s, const struct nd_msg *m)
{
	int own = ip6_find(s, m->target);
	struct nd_entry *n;
	bool same;

	if (own >= 0) {
		if (s->v6->pub.addr[own].state == NET_IP6_TENTATIVE)
			ip6_duplicate(s, (unsigned)own);
		else
			s->n.drop_arp++; /* RFC 4862 5.4.4: too late to tell who was first */
		return;
	}
	n = nd_find(s, m->target);
	if (n == NULL || n->state == ND_FAILED ||
	    (n->state == ND_INCOMPLETE && !m->has_mac)) { /* nobody asked, or no answer */
		s->n.drop_arp++;
		return;
	}
	same = !m->has_mac || memcmp(n->eth + 2, m->mac, 6) == 0;
	if (n->state != ND_INCOMPLETE && !same && !(m->flags & NA_OVERRIDE)) {
		if (n->state == ND_REACHABLE)
			n->state = ND_STALE;
		return;
	}
	if (m->flags & NA_SOLICITED)
		nd_reachable(s, n);
	else if (n->state == ND_INCOMPLETE || !same)
		n->state = ND_STALE;
	if (m->has_mac)
		nd_set_mac(s, n, m->mac);
}

/* The device gives a message to one queue, whichever shard it concerns. Configuration is shard 0's,
 * answers are everybody's. Bounded: a flood is not multiplied. */
static void relay(struct net_stack *s, const struct pbuf *p, uint32_t from, uint32_t to)
{
	struct ip6_state *v = s->v6;
	uint32_t now = now_tick(s), n = p->total + ETH_HLEN;

	if ((p->flags & (PBUF_RELAYED | PBUF_LOOPBACK)) || n > PBUF_ROOM - PBUF_HEADROOM)
		return;
	if (now - v->relay_tick >= WHEEL_MS(100)) {
		v->relay_tick = now;
		v->relay_left = RELAY_MAX;
	}
	if (v->relay_left == 0)
		return;
	v->relay_left--;
	for (uint32_t i = from; i < to; i++) {
		struct pbuf *q = i == s->cfg.shard ? NULL : pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL)
			continue;
		memcpy(q->data, p->data - ETH_HLEN, ETH_HLEN);
		(void)!pbuf_copy_out(p, 0, q->data + ETH_HLEN, p->total);
		q->len = q->total = n;
		q->flags = PBUF_RELAYED;
		s->cfg.forward(s->cfg.ctx, i, q);
	}
}

/* What both sides of 6.1 and 7.1 want of addresses. */
static bool believable(const uint8_t *src, const uint8_t *dst, const struct nd_msg *m)
{
	switch (m->type) {
	case ND_NS:
		if (!ip6_is_any(src))
			return true;
		/* detection: to the solicited-node group, and without an address */
		return !m->has_mac && ip6_is_multicast(dst) && dst[11] == 1 && dst[12] == 0xff;
	case ND_NA:
		return !ip6_is_any(src) && !(ip6_is_multicast(dst) && (m->flags & NA_SOLICITED));
	case ND_RA:
		return ip6_is_link_local(src);
	default: /* solicitations of routers, redirects: not for us */
		return false;
	}
}

void nd_input(struct net_stack *s, const struct pbuf *p, uint32_t off)
{
	const uint8_t *src = p->data + 8;
	uint32_t n = GW_MIN(p->total - off, MESSAGE_MAX);
	uint8_t copy[MESSAGE_MAX];
	struct nd_msg m;
	int own;

	if (s->v6 == NULL || (p->flags & PBUF_LOOPBACK) || n != p->total - off ||
	    !pbuf_copy_out(p, off, copy, n) || !nd_parse(copy, n, &m) ||
	    !believable(src, p->data + 24, &m) ||
	    memcmp(p->data - ETH_HLEN + 6, s->cfg.mac, 6) == 0) { /* our own, come back */
		s->n.drop_arp++;
		return;
	}
	if (m.type == ND_NA)
		relay(s, p, 0, s->cfg.n_shards);
	else if (s->cfg.shard != 0 && (m.type == ND_RA || ip6_is_any(src)))
		relay(s, p, 0, 1);
	if (m.type == ND_RA) {
		nd_router_input(s, src, &m);
	} else if (m.type == ND_NA) {
		advertised(s, &m);
	} else {
		own = ip6_find(s, m.target);
		if (own >= 0)
			asked(s, (unsigned)own, src, &m);
	}
}
