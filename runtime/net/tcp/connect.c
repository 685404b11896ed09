/* SPDX-License-Identifier: Apache-2.0 */
/* connect.c - active opens, ephemeral ports (RFC 6056 algorithm 3), and what ICMP says about
 * connections. */
#include "runtime/net/tcp/tcp_internal.h"

#define PORT_LOW 32768u
#define PORT_COUNT 28232u

/* Is the pair of endpoints free? A TIME_WAIT of the same pair gives way when its sequence space is
 * safe. */
static bool pair_free(struct net_stack *s, struct tcp_pair addr, uint32_t port)
{
	struct tcp_tw *tw;

	if (tcp_lookup_pair(s, addr, port) != NULL)
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

static uint16_t pick_port(struct net_stack *s, struct tcp_pair addr, uint16_t rport)
{
	uint64_t w[2] = { addr.key, 0x706f7274ull << 32 | rport };
	uint32_t start = (uint32_t)siphash(&s->tcp.secret, w, 2) + s->tcp.port_offset;

	for (uint32_t i = 0; i < PORT_COUNT; i++) {
		uint16_t port = (uint16_t)(PORT_LOW + (start + i) % PORT_COUNT);

		/* each shard has its own ports, so that no two pick the same pair */
		if (s->cfg.n_shards > 1 && port % s->cfg.n_shards != s->cfg.shard)
			continue;
		if (listener_find(s, addr, port) != NULL)
			continue;
		if (pair_free(s, addr, key_port_of(rport, port))) {
			s->tcp.port_offset += i + 1;
			return port;
		}
	}
	return 0;
}

/* The addresses of a connection to be; six: room for IPv6's. */
static int choose_ends(const struct net_stack *s, const struct net_endpoint *local,
		       const struct net_endpoint *remote, uint8_t six[32], struct tcp_pair *out)
{
	struct net_endpoint src;
	uint8_t hop6[16];
	uint32_t hop4;
	enum route r;
	int err;

	if (local->family != 0 && local->family != remote->family)
		return -EAFNOSUPPORT;
	err = net_source(s, remote, &src);
	if (err != 0)
		return err;
	r = remote->family == 6 ? ip6_route(s, remote->ip6, hop6)
				: ip4_route(s, remote->ip4, &hop4);
	if (r != ROUTE_LINK && r != ROUTE_LOOP) /* nobody, or a group */
		return -ENETUNREACH;
	if (local->family != 0 && !net_endpoint_is_any(local)) {
		src = *local;
		if (!net_is_own(s, &src))
			return -EADDRNOTAVAIL;
	} else if (net_endpoint_is_any(&src)) {
		return -ENETUNREACH;
	}
	if (remote->family == 4) {
		*out = pair4(remote->ip4, src.ip4);
		return 0;
	}
	memcpy(six, remote->ip6, 16);
	memcpy(six + 16, src.ip6, 16);
	*out = pair6(s, six);
	return 0;
}

int tcp_connect(struct net_stack *s, const struct net_endpoint *local,
		const struct net_endpoint *remote, void *owner, struct tcp_conn **out)
{
	static const struct net_endpoint none;
	uint16_t sport;
	uint8_t six[32];
	struct tcp_pair addr;
	struct tcp_conn *c;
	int err;

	if (local == NULL)
		local = &none;
	sport = local->family != 0 ? local->port : 0;
	err = choose_ends(s, local, remote, six, &addr);
	if (err != 0)
		return err;
	if (sport == 0) {
		sport = pick_port(s, addr, remote->port);
		if (sport == 0)
			return -EADDRNOTAVAIL;
	} else if (!pair_free(s, addr, key_port_of(remote->port, sport))) {
		return -EADDRINUSE;
	}
	c = conn_new(s, addr, key_port_of(remote->port, sport));
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

/* The path takes less: what is on its way was lost, and is sent again at once, smaller. */
static void smaller_mtu(struct tcp_conn *c, uint32_t mtu)
{
	if (mtu >= c->rt_mtu)
		return;
	c->rt_mtu = (uint16_t)GW_MAX(mtu, TCP_MIN_MTU);
	if (mtu < TCP_MIN_MTU)
		c->stack->n.drop_proto++;
	conn_set_mss(c);
	if (c->state < TCP_ESTABLISHED || c->tx_head == NULL || c->tx_head == c->tx_next)
		return;
	tcp_mark_all_lost(c); /* no congestion */
	c->recover = c->snd_nxt;
	if (c->cong <= CONG_CWR)
		c->cong = CONG_RECOVERY;
	c->flags |= TF_LOSS;
	tcp_output(c);
}

int tcp_icmp(struct net_stack *s, struct tcp_pair addr, const uint8_t *l4, int err, uint32_t mtu,
	     bool hard)
{
	/* the quoted packet was ours: its source is our end */
	uint32_t port = ld32(l4) << 16 | ld32(l4) >> 16, seq = ldbe32(l4 + 4);
	struct tcp_conn *c = tcp_lookup_pair(s, addr, port);
	int shard = -1;

	if (c == NULL && s->dir != NULL) {
		shard = dir_find(s->dir, addr, port);
		if (shard >= 0 && (uint32_t)shard != s->cfg.shard)
			return shard;
	}
	/* RFC 5927: believe only what quotes something in flight. */
	if (c == NULL || SEQ_LT(seq, c->snd_una) || SEQ_GE(seq, c->snd_nxt)) {
		s->n.drop_seq++;
		return -1;
	}
	if (mtu != 0)
		smaller_mtu(c, mtu);
	else if (hard && c->state == TCP_SYN_SENT)
		conn_done(c, err); /* RFC 9293 3.9.2.2 */
	else if (c->state != TCP_CLOSED)
		c->error = (int16_t)err; /* once established (RFC 5927), or not hard: a soft one */
	return -1;
}
