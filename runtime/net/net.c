/* SPDX-License-Identifier: Apache-2.0 */
/* net.c - the stack's frame: creation, Ethernet in and out, loopback, the poll. The same code
 * serves every shard; a stack touches nothing of another's. Frames come from outside: nothing in
 * them is believed. */
#include "runtime/net/ip6_internal.h"

struct net_stack *net_create(const struct net_config *config, uint64_t now_ns)
{
	struct net_stack *s = config->alloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->cfg = *config;
	memcpy(&s->mac48, config->mac, 6);
	s->now = now_ns;
	wheel_init(&s->wheel, now_ns >> WHEEL_SHIFT);
	list_init(&s->loop);
	list_init(&s->udp_socks);
	arp_init(s);
	frag_init(s);
	if (tcp_init(s) != 0) {
		config->free(s, sizeof(*s));
		return NULL;
	}
	return s;
}

void net_set_now(struct net_stack *s, uint64_t now_ns)
{
	s->now = now_ns;
}

const struct net_counters *net_counters(const struct net_stack *s)
{
	return &s->n;
}

const struct net_ip4 *net_get_ip4(const struct net_stack *s)
{
	return &s->ip;
}

void net_set_ip4(struct net_stack *s, uint32_t addr, unsigned prefix, uint32_t gateway,
		 uint32_t dns)
{
	bool had = s->ip.up && s->ip.addr == addr;

	s->ip.addr = addr;
	s->ip.mask = be32((uint32_t)(0xffffffffull << (32 - GW_MIN(prefix, 32u))));
	s->ip.gateway = gateway;
	if (dns != 0 || addr == 0) {
		s->ip.dns[0] = dns;
		s->ip.dns[1] = 0;
	}
	s->ip.up = addr != 0;
	if (!had)
		arp_flush(s);
	if (s->ip.up && !had)
		arp_announce(s);
	if (s->cfg.configured != NULL)
		s->cfg.configured(s->cfg.ctx);
}

bool pbuf_pull(struct net_stack *s, struct pbuf *p, uint32_t n)
{
	if (n <= p->len)
		return true;
	if (n > p->total || n - p->len > pbuf_tailroom(p) || p->refs != 1 || p->slice_of != NULL)
		return false;
	while (p->len < n && p->next != NULL) {
		struct pbuf *q = p->next;
		uint32_t k = GW_MIN(n - p->len, q->len);

		memcpy(p->data + p->len, q->data, k);
		p->len += k;
		q->data += k;
		q->len -= k;
		if (q->len == 0) {
			p->next = q->next;
			q->next = NULL;
			pbuf_free(s->cfg.pool, q);
		}
	}
	return p->len >= n;
}

void pbuf_trim(struct net_stack *s, struct pbuf *p, uint32_t n)
{
	p->total = n;
	while (n > p->len) {
		n -= p->len;
		p = p->next;
	}
	p->len = n;
	if (p->next != NULL) {
		pbuf_free(s->cfg.pool, p->next);
		p->next = NULL;
	}
}

void pbuf_skip(struct pbuf *p, uint32_t n)
{
	p->total -= n;
	for (; n > 0 && p != NULL; p = p->next) {
		uint32_t k = GW_MIN(n, p->len);

		p->data += k;
		p->len -= k;
		n -= k;
	}
}

int eth_send(struct net_stack *s, struct pbuf *p, const uint8_t mac[6], uint16_t type)
{
	uint8_t *eth = p->data - ETH_HLEN;

	st32(eth, ld32(mac));
	st16(eth + 4, ld16(mac + 4));
	st32(eth + 6, ld32(s->cfg.mac));
	st16(eth + 10, ld16(s->cfg.mac + 4));
	st16(eth + 12, be16(type));
	return frame_out(s, p);
}

void loop_send(struct net_stack *s, struct pbuf *p)
{
	if (s->n_loop >= LOOP_QUEUE_MAX) {
		drop(s, p, &s->n.drop_queue);
		return;
	}
	p->flags |= PBUF_LOOPBACK | PBUF_CSUM_GOOD;
	list_add_tail(&s->loop, &p->link);
	s->n_loop++;
}

/* Deliver queued loopback packets; what they cause to be queued comes in the same pass, up to a
 * bound. */
static void loop_run(struct net_stack *s)
{
	struct list_node *n;

	for (unsigned budget = 256; budget > 0 && (n = list_pop(&s->loop)) != NULL; budget--) {
		struct pbuf *p = list_entry(n, struct pbuf, link);

		s->n_loop--;
		if (p->data[0] >> 4 == 6)
			ip6_input(s, p);
		else
			ip4_input(s, p);
	}
}

void net_input(struct net_stack *s, struct pbuf *p)
{
	const uint8_t *eth;

	s->n.rx_packets++;
	s->n.rx_bytes += p->total;
	if (likely(tcp_fast_input(s, p)))
		return;
	if (unlikely(p->len < ETH_HLEN + IP4_HLEN) && !pbuf_pull(s, p, ETH_HLEN + IP4_HLEN)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	eth = p->data;
	/* Group addresses have the low bit of the first byte set. */
	if (unlikely(ld32(eth) != ld32(s->cfg.mac) || ld16(eth + 4) != ld16(s->cfg.mac + 4)) &&
	    !(eth[0] & 1)) {
		drop(s, p, &s->n.drop_addr);
		return;
	}
	p->data += ETH_HLEN;
	p->len -= ETH_HLEN;
	p->total -= ETH_HLEN;
	if (likely(ld16(eth + 12) == be16((uint16_t)ETH_IP4)))
		ip4_input(s, p);
	else if (ld16(eth + 12) == be16((uint16_t)ETH_IP6))
		ip6_input(s, p);
	else if (ld16(eth + 12) == be16((uint16_t)ETH_ARP))
		arp_input(s, p);
	else
		drop(s, p, &s->n.drop_proto);
	if (unlikely(!list_empty(&s->loop)))
		loop_run(s);
	if (unlikely(!list_empty(&s->tcp.dead)))
		tcp_reap(s);
}

bool net_loop_pending(const struct net_stack *s)
{
	return !list_empty(&s->loop);
}

static __attribute__((noinline)) uint64_t poll_due(struct net_stack *s)
{
	uint64_t tick = s->now >> WHEEL_SHIFT, next;

	if (unlikely(!list_empty(&s->loop)))
		loop_run(s);
	if (unlikely(!list_empty(&s->tcp.dead) || !list_empty(&s->tcp.blocked)))
		tcp_poll(s);
	if (unlikely(tick >= s->wheel.next))
		wheel_advance(&s->wheel, s, tick);
	else if (s->wheel.next == GW_NEVER)
		s->wheel.now = tick; /* nothing armed: keep the clock */
	if (unlikely(!list_empty(&s->loop)))
		return s->now;
	next = s->wheel.next != GW_NEVER ? s->wheel.next << WHEEL_SHIFT : GW_NEVER;
	if (unlikely(!list_empty(&s->tcp.blocked)))
		next = GW_MIN(next, tcp_deadline(s));
	return next;
}

/* Most turns find nothing due: that much without saving registers. */
uint64_t net_poll(struct net_stack *s)
{
	uint64_t next = s->wheel.next;

	if (unlikely(!list_empty(&s->loop) || !list_empty(&s->tcp.dead) ||
		     !list_empty(&s->tcp.blocked) || s->now >> WHEEL_SHIFT >= next))
		return poll_due(s);
	if (next != GW_NEVER)
		return next << WHEEL_SHIFT;
	s->wheel.now = s->now >> WHEEL_SHIFT; /* nothing armed: keep the clock */
	return GW_NEVER;
}
