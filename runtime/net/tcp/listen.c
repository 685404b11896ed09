/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - passive opens. A half-open connection is a full one in SYN_RECEIVED, and their number
 * is bounded by the backlog; beyond it (or out of memory) SYN cookies answer and nothing is kept.
 */
#include "runtime/net/tcp/tcp_internal.h"

#define COOKIE_PERIOD_NS (64 * NS_PER_SEC)

struct tcp_listener *listener_find(struct net_stack *s, struct tcp_pair addr, uint16_t port)
{
	struct tcp_listener *any = NULL;
	struct net_endpoint at = { .family = addr.six != NULL ? 6 : 4 };

	if (addr.six != NULL)
		memcpy(at.ip6, addr.six + 16, 16);
	else
		at.ip4 = (uint32_t)(addr.key >> 32);

	list_for_each (n, &s->tcp.listeners) {
		struct tcp_listener *l = list_entry(n, struct tcp_listener, link);

		if (l->at.port != port || l->at.family != at.family)
			continue;
		if (net_endpoint_same_address(&l->at, &at))
			return l;
		if (net_endpoint_is_any(&l->at))
			any = l;
	}
	return any;
}

int tcp_listen(struct net_stack *s, const struct net_endpoint *local, unsigned backlog, void *owner,
	       struct tcp_listener **out)
{
	struct tcp_listener *l;

	if (local->family != 4 && local->family != 6)
		return -EAFNOSUPPORT;
	if (local->port == 0)
		return -EADDRINUSE;
	list_for_each (n, &s->tcp.listeners) {
		l = list_entry(n, struct tcp_listener, link);
		if (l->at.port == local->port && net_endpoint_same_address(&l->at, local))
			return -EADDRINUSE;
	}
	l = s->cfg.alloc(sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->stack = s;
	l->owner = owner;
	l->at = *local;
	l->backlog = GW_MAX(backlog, 1u);
	list_add_tail(&s->tcp.listeners, &l->link);
	*out = l;
	return 0;
}

void tcp_unlisten(struct net_stack *s, struct tcp_listener *l)
{
	for (uint32_t i = 0; l->half != 0 && i <= s->tcp.mask; i++) {
		struct tcp_conn *next;

		for (struct tcp_conn *c = s->tcp.hash[i]; c != NULL; c = next) {
			next = c->hash_next;
			if (c->listener != l)
				continue;
			tcp_send_rst(c);
			conn_bury(c);
		}
	}
	list_del(&l->link);
	s->cfg.free(l, sizeof(*l));
}

void listen_forget(struct tcp_conn *c)
{
	if (c->listener == NULL)
		return;
	c->listener->half--;
	c->stack->tcp.n_half--;
	c->listener = NULL;
	c->flags &= ~TF_LISTENED;
}

static void answer_cookie(struct net_stack *s, const struct tcp_seg *g)
{
	uint32_t ts[2] = { 0, g->o.tsval };
	uint8_t o[12], ece = g->o.has_ts && ecn_wanted(s, g->flags) ? TH_ECE : 0;
	uint32_t n = 4, isn = cookie_make(s, g, &ts[0]);

	o[0] = 2;
	o[1] = 4;
	stbe16(o + 2, (uint16_t)(g->addr.six != NULL ? ip6_mtu(s) - IP6_HLEN - TCP_HLEN
						     : s->cfg.mtu - 40u));
	if (g->o.has_ts && g->o.sack_ok) {
		o[n++] = 1;
		o[n++] = 1;
		o[n++] = 4;
		o[n++] = 2;
	}
	if (g->o.has_ts && g->o.has_wscale) {
		uint8_t scale = 0;

		while (scale < 14 && s->cfg.rcvbuf_max >> scale > 65535)
			scale++;
		o[n++] = 1;
		o[n++] = 3;
		o[n++] = 3;
		o[n++] = scale;
	}
	s->n.syn_cookies++;
	s->tcp.cookie_until = s->now + 2 * COOKIE_PERIOD_NS;
	tcp_send_raw(s, g->addr, g->port, isn, g->seq + 1,
		     GW_MIN(TCP_INIT_BUF - 1, s->cfg.rcvbuf_max), TH_SYN | TH_ACK | ece,
		     g->o.has_ts ? ts : NULL, o, n);
}

/* extra: how many above the backlog are allowed. */
static struct tcp_conn *half_open(struct net_stack *s, struct tcp_listener *l,
				  const struct tcp_seg *g, uint32_t extra)
{
	struct tcp_conn *c;

	if (l->half >= l->backlog + extra)
		return NULL;
	c = conn_new(s, g->addr, g->port);
	if (c == NULL)
		return NULL;
	c->state = TCP_SYN_RECEIVED;
	c->irs = g->seq;
	c->rcv_nxt = c->rcv_wup = g->seq + 1;
	c->flags |= TF_LISTENED;
	c->listener = l;
	l->half++;
	s->tcp.n_half++;
	c->peer_mss = seg_peer_mss(g);
	if (g->o.has_ts) {
		c->flags |= TF_TS;
		c->ts_recent = g->o.tsval;
	}
	if (!g->o.sack_ok)
		c->flags &= ~TF_SACK;
	if (g->o.has_wscale)
		c->snd_scale = g->o.wscale;
	else
		c->rcv_scale = 0;
	if (ecn_wanted(s, g->flags))
		ecn_set(c, ECN_ON, 0);
	conn_set_mss(c);
	(void)conn_insert(c);
	return c;
}

/* The third packet of a handshake that we kept nothing of. */
static bool from_cookie(struct net_stack *s, struct tcp_listener *l, struct tcp_seg *g)
{
	struct tcp_seg syn = *g;
	struct tcp_conn *c;

	if (s->now >= s->tcp.cookie_until || !cookie_check(s, g, &syn.o))
		return false;
	syn.seq = g->seq - 1;
	syn.flags = syn.o.ecn ? TH_ECE | TH_CWR : 0;
	c = half_open(s, l, &syn, 1); /* it passes through half-open for a moment */
	if (c == NULL)
		return false;
	if (c->rcv_scale != 0 && !syn.o.has_wscale)
		c->rcv_scale = 0;
	c->iss = g->ack - 1;
	c->snd_una = c->iss;
	c->snd_nxt = c->snd_end = c->recover = g->ack;
	c->rcv_adv = c->rcv_nxt + GW_MIN(TCP_INIT_BUF - 1, s->cfg.rcvbuf_max);
	if (g->o.has_ts)
		c->ts_recent = g->o.tsval;
	tcp_segment(c, g);
	return true;
}

void listen_input(struct net_stack *s, struct tcp_listener *l, struct tcp_seg *g)
{
	struct tcp_conn *c;
	uint32_t hop;

	if (g->flags & TH_RST) {
		s->n.drop_seq++;
		return;
	}
	if (g->flags & TH_ACK) {
		if ((g->flags & (TH_SYN | TH_FIN)) == 0 && from_cookie(s, l, g)) {
			g->p = NULL; /* the connection took it */
			return;
		}
		tcp_send_raw(s, g->addr, g->port, g->ack, 0, 0, TH_RST, NULL, NULL, 0);
		s->n.drop_seq++;
		return;
	}
	if (!(g->flags & TH_SYN) || (g->flags & TH_FIN)) {
		s->n.drop_seq++;
		return;
	}
	if (g->addr.six == NULL && /* RFC 9293 MUST-63; ip6.c lets no group through to TCP */
	    ip4_route(s, (uint32_t)g->addr.key, &hop) == ROUTE_BROADCAST) {
		s->n.drop_addr++;
		return;
	}
	c = half_open(s, l, g, 0);
	if (c == NULL) {
		answer_cookie(s, g);
		return;
	}
	(void)tcp_send_syn(c);
	conn_set_rto(c);
}

bool listen_promote(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	struct tcp_listener *l = c->listener;

	listen_forget(c);
	conn_established(c);
	c->flags |= TF_OWNED;
	if (!s->tcp.cb.accepted(l, l->owner, c)) {
		s->n.drop_backlog++;
		c->flags &= ~TF_OWNED;
		tcp_send_rst(c);
		conn_bury(c);
		return false;
	}
	s->n.conns_accepted++;
	return c->state != TCP_CLOSED;
}
