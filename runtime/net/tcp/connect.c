/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c - active opens, ephemeral ports (RFC 6056 algorithm 3), and what ICMP says about
 * connections. */
#include "runtime/net/tcp/tcp_internal.h"

#define PORT_LOW 32768u
#define PORT_COUNT 28232u

/* Is the pair of endpoints free? A TIME_WAIT of the same pair gives way when its sequence space is
 * safe. */
static bool pair_free(struct net_stack *s, uint64_t addr, uint32_t port)
{
	struct tcp_tw *tw;

	if (tcp_lookup(s, addr, port) != NULL)
		return false;
	tw = tw_lookup(s, addr, port);
	if (tw == NULL)
		return true;
	/* RFC 6191: timestamps tell the two apart once the clock has moved on. */
	if (!tw->ts || now_tick(s) - tw->ts_tick < WHEEL_MS(1000))
		return false;
	tw_drop(s, tw);
	return true;
}

static uint16_t pick_port(struct net_stack *s, uint32_t remote, uint32_t local, uint16_t rport)
{
	uint64_t w[2] = { key_addr_of(remote, local), 0x706f7274ull << 32 | rport };
	uint32_t start = (uint32_t)siphash(&s->tcp.secret, w, 2) + s->tcp.port_offset;

	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		uint16_t port = (uint16_t)(PORT_LOW + (start + i) % PORT_COUNT);

		/* each shard has its own ports, so that no two pick the same pair */
		if (s->cfg.n_shards > 1 && port % s->cfg.n_shards != s->cfg.shard)
			continue;
		if (listener_find(s, local, port) != NULL)
			continue;
		if (pair_free(s, key_addr_of(remote, local), key_port_of(rport, port))) {
			s->tcp.port_offset += i + 1;
			return port;
		}
	}
	return 0;
}

int tcp_connect(struct net_stack *s, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *owner, struct tcp_conn **out)
{
	uint32_t src = local != NULL && local->family != 0 ? local->ip4 : 0, hop;
	uint16_t sport = local != NULL && local->family != 0 ? local->port : 0;
	enum route r = ip4_route(s, remote->ip4, &hop);
	struct tcp_conn *c;

	if (r != ROUTE_LINK && r != ROUTE_LOOP)
		return -ENETUNREACH;
	if (src == 0)
		src = ip4_source(s, remote->ip4);
	else if (!ip4_is_loop(s, src))
		return -EADDRNOTAVAIL;
	if (src == 0)
		return -ENETUNREACH;
	if (sport == 0) {
		sport = pick_port(s, remote->ip4, src, remote->port);
		if (sport == 0)
			return -EADDRNOTAVAIL;
	} else if (!pair_free(s, key_addr_of(remote->ip4, src), key_port_of(remote->port, sport))) {
		return -EADDRINUSE;
	}
	c = conn_new(s, key_addr_of(remote->ip4, src), key_port_of(remote->port, sport));
	if (c == NULL)
		return -ENOMEM;
	c->state = TCP_SYN_SENT;
	c->flags |= TF_ACTIVE | TF_OWNED;
	c->owner = owner;
	(void)conn_insert(c);
	s->n.conns_opened++;
	*out = c;
	(void)tcp_send_syn(c);
	conn_set_rto(c);
	return 0;
}

void tcp_icmp(struct net_stack *s, uint32_t src, uint32_t dst, const uint8_t *l4, int err,
	      uint32_t mtu, bool hard)
{
	/* the quoted packet was ours: its source is our end */
	struct tcp_conn *c = tcp_lookup(s, key_addr_of(dst, src), ld32(l4) << 16 | ld32(l4) >> 16);
	uint32_t seq = ldbe32(l4 + 4);

	/* RFC 5927: believe only what quotes something in flight. */
	if (c == NULL || SEQ_LT(seq, c->snd_una) || SEQ_GE(seq, c->snd_nxt)) {
		s->n.drop_seq++;
		return;
	}
	if (mtu != 0) {
		if (mtu >= c->rt_mtu)
			return;
		c->rt_mtu = (uint16_t)GW_MAX(mtu, TCP_MIN_MTU);
		if (mtu < TCP_MIN_MTU)
			s->n.drop_proto++;
		conn_set_mss(c);
		if (c->state >= TCP_ESTABLISHED && c->tx_head != NULL && c->tx_head != c->tx_next) {
			tcp_mark_all_lost(c); /* no congestion: send again at once, smaller */
			c->recover = c->snd_nxt;
			if (c->cong <= CONG_CWR)
				c->cong = CONG_RECOVERY;
			c->flags |= TF_LOSS;
			tcp_output(c);
		}
		return;
	}
	if (hard && c->state == TCP_SYN_SENT)
		conn_done(c, err); /* RFC 9293 3.9.2.2 */
	else if (c->state != TCP_CLOSED)
		c->error = (int16_t)err; /* once established (RFC 5927), or not hard: a soft one */
}
