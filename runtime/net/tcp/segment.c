/* SPDX-License-Identifier: Apache-2.0 */
/* segment.c - SEGMENT ARRIVES (RFC 9293 3.10.7) with RFC 5961's checks and RFC 7323's PAWS: the
 * general path. */
#include "runtime/net/tcp/tcp_internal.h"

#define PAWS_IDLE WHEEL_MS(24ull * 86400 * 1000)

/* An ACK that makes a live peer correct us and tells a blind attacker nothing; at most 100 a
 * second. */
void tcp_challenge(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	uint32_t now = now_tick(s);

	if (now - s->tcp.challenge_tick >= WHEEL_MS(1000)) {
		s->tcp.challenge_tick = now;
		s->tcp.challenge_left = 100;
	}
	if (s->tcp.challenge_left == 0)
		return;
	s->tcp.challenge_left--;
	tcp_send_ack(c);
}

void tcp_after_input(struct tcp_conn *c)
{
	if (c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT || (c->flags & TF_DETACHED))
		return;
	if (c->tx_next != NULL || c->lost != 0 ||
	    (c->flags & (TF_FIN_QUEUED | TF_FIN_SENT)) == TF_FIN_QUEUED)
		tcp_output(c);
	if (c->flags & TF_ACK_NOW) {
		tcp_send_ack(c);
	} else if (c->rcv_nxt != c->rcv_wup && c->delack_at == 0) {
		c->delack_at = tick_in(c->stack, TCP_DELACK);
		conn_arm(c, c->delack_at);
	}
}

static void negotiate(struct tcp_conn *c, const struct tcp_seg *g)
{
	c->peer_mss = seg_peer_mss(g);
	if (g->o.has_ts) {
		c->flags |= TF_TS;
		c->ts_recent = g->o.tsval;
	} else {
		c->flags &= ~TF_TS;
	}
	if (!g->o.sack_ok)
		c->flags &= ~TF_SACK;
	if (g->o.has_wscale) {
		c->snd_scale = g->o.wscale;
	} else {
		c->snd_scale = c->rcv_scale = 0;
	}
	conn_set_mss(c);
	ecn_answered(c, g->flags);
}

static void syn_sent(struct tcp_conn *c, struct tcp_seg *g)
{
	bool ack_ok = (g->flags & TH_ACK) && g->ack == c->snd_nxt;
	struct net_stack *s = c->stack;

	if ((g->flags & TH_ACK) && !ack_ok) {
		if (!(g->flags & TH_RST))
			tcp_send_raw(s, g->addr, g->port, g->ack, 0, 0, TH_RST, NULL, NULL, 0);
		s->n.drop_seq++;
		return;
	}
	if (g->flags & TH_RST) {
		if (ack_ok)
			conn_done(c, -ECONNREFUSED);
		else
			s->n.drop_seq++;
		return;
	}
	if (!(g->flags & TH_SYN)) {
		s->n.drop_seq++;
		return;
	}
	c->irs = g->seq;
	c->rcv_nxt = c->rcv_wup = c->tune_seq = g->seq + 1;
	c->rcv_adv = c->rcv_nxt + GW_MIN(c->rcvbuf, 65535u);
	negotiate(c, g);
	c->snd_wnd = c->max_wnd = g->wnd; /* never scaled in a SYN */
	c->snd_wl1 = g->seq;
	c->snd_wl2 = g->ack;
	if (ack_ok) {
		c->snd_una = g->ack;
		if (c->syn_tries == 0 && g->o.has_ts && g->o.tsecr != 0)
			tcp_rtt_sample(c, (conn_ts_now(c) - g->o.tsecr) << 10);
		conn_established(c);
		c->flags |= TF_ACK_NOW;
		tcp_event(c, TCP_EV_CONNECTED | TCP_EV_WRITABLE);
		tcp_after_input(c);
		return;
	}
	/* both sides opened at once */
	c->state = TCP_SYN_RECEIVED;
	(void)tcp_send_syn(c);
}

/* Returns false when the segment goes no further. */
static bool acceptable(struct tcp_conn *c, struct tcp_seg *g)
{
	struct net_stack *s = c->stack;
	uint32_t wnd = c->rcv_adv - c->rcv_nxt;
	uint32_t end = g->seq + g->len + ((g->flags & TH_SYN) != 0) + ((g->flags & TH_FIN) != 0);

	if (c->state == TCP_SYN_RECEIVED &&
	    (g->flags & (TH_SYN | TH_ACK | TH_RST)) == (TH_SYN | TH_ACK) &&
	    g->seq == c->irs) { /* the peer's half of a simultaneous open */
		g->flags &= (uint8_t)~TH_SYN;
		g->seq++;
		g->wnd >>= c->snd_scale; /* never scaled in a SYN */
		end = g->seq + g->len + ((g->flags & TH_FIN) != 0);
	}
	if ((c->flags & TF_TS) && !(g->flags & TH_RST)) {
		if (!g->o.has_ts) { /* RFC 7323 3.2 */
			s->n.drop_seq++;
			return false;
		}
		if (SEQ_LT(g->o.tsval, c->ts_recent) && now_tick(s) - c->last_rx < PAWS_IDLE) {
			s->n.drop_seq++;
			tcp_challenge(c);
			return false;
		}
	}
	if (SEQ_GT(g->seq, c->rcv_nxt + wnd) || SEQ_LT(end, c->rcv_nxt) ||
	    (end == c->rcv_nxt && end != g->seq) /* nothing new in it */) {
		s->n.drop_seq++;
		if (g->flags & TH_RST)
			return false;
		if ((g->flags & TH_SYN) && c->state == TCP_SYN_RECEIVED && g->seq == c->irs) {
			if (!ecn_wanted(s, g->flags)) /* it does not ask again */
				ecn_set(c, 0, ECN_ON);
			(void)tcp_send_syn(c); /* our answer was lost */
			return false;
		}
		if ((g->flags & TH_SYN) || SEQ_GT(g->seq, c->rcv_nxt + wnd)) {
			tcp_challenge(c);
		} else {
			c->dup_from = g->seq;
			c->dup_to = g->seq + g->len;
			tcp_send_ack(c);
		}
		return false;
	}
	if (g->flags & TH_RST) {
		s->n.conns_reset += g->seq == c->rcv_nxt;
		if (g->seq != c->rcv_nxt) {
			s->n.drop_seq++;
			tcp_challenge(c);
		} else if (c->state == TCP_SYN_RECEIVED) {
			conn_done(c, -ECONNREFUSED);
		} else {
			conn_done(c, c->state == TCP_CLOSE_WAIT ? -EPIPE : -ECONNRESET);
		}
		return false;
	}
	if (g->flags & TH_SYN) { /* RFC 5961 section 4 */
		s->n.drop_seq++;
		tcp_challenge(c);
		return false;
	}
	if (!(g->flags & TH_ACK)) {
		s->n.drop_seq++;
		return false;
	}
	return true;
}

/* Returns false when the segment goes no further. */
static bool check_ack(struct tcp_conn *c, struct tcp_seg *g)
{
	if (c->state == TCP_SYN_RECEIVED) {
		if (!SEQ_GT(g->ack, c->snd_una) || SEQ_GT(g->ack, c->snd_nxt)) {
			tcp_send_raw(c->stack, g->addr, g->port, g->ack, 0, 0, TH_RST, NULL, NULL,
				     0);
			c->stack->n.drop_seq++;
			return false;
		}
		c->snd_una = c->iss + 1;
		c->snd_wnd = c->max_wnd = g->wnd << c->snd_scale;
		c->snd_wl1 = g->seq;
		c->snd_wl2 = g->ack;
		if (c->syn_tries == 0 && g->o.has_ts && g->o.tsecr != 0)
			tcp_rtt_sample(c, (conn_ts_now(c) - g->o.tsecr) << 10);
		if (c->flags & TF_ACTIVE) { /* simultaneous open */
			conn_established(c);
			tcp_event(c, TCP_EV_CONNECTED | TCP_EV_WRITABLE);
		} else {
			if (!listen_promote(c))
				return false;
		}
	}
	if (SEQ_GT(g->ack, c->snd_nxt) || SEQ_LT(g->ack, c->snd_una - c->max_wnd)) {
		c->stack->n.drop_seq++;
		tcp_challenge(c);
		return false;
	}
	tcp_ack(c, g);
	return c->state != TCP_CLOSED;
}

/* Our FIN may just have been acknowledged. Returns false when the connection is over. */
static bool fin_acked(struct tcp_conn *c)
{
	if (!(c->flags & TF_FIN_SENT) || c->snd_una != c->snd_nxt || c->tx_head != NULL)
		return true;
	switch (c->state) {
	case TCP_FIN_WAIT_1:
		c->state = TCP_FIN_WAIT_2;
		if (!(c->flags & TF_OWNED)) {
			c->keep_at = tick_in(c->stack, TCP_ORPHAN_TICKS);
			conn_arm(c, c->keep_at);
		}
		return true;
	case TCP_CLOSING:
		tw_enter(c);
		return false;
	case TCP_LAST_ACK:
		conn_done(c, 0);
		return false;
	default:
		return true;
	}
}

/* The payload, cut to the window; afterwards g->p is NULL. Returns events. */
static unsigned take_data(struct tcp_conn *c, struct tcp_seg *g)
{
	struct net_stack *s = c->stack;
	struct pbuf *p = g->p;
	uint32_t skip = g->hdr, right = c->rcv_adv;

	g->p = NULL;
	if (SEQ_LT(g->seq, c->rcv_nxt)) {
		c->dup_from = g->seq;
		c->dup_to = c->rcv_nxt;
		skip += c->rcv_nxt - g->seq;
		g->len -= c->rcv_nxt - g->seq;
		g->seq = c->rcv_nxt;
		c->flags |= TF_ACK_NOW;
	}
	if (SEQ_GT(g->seq + g->len, right)) {
		g->len = SEQ_GT(right, g->seq) ? right - g->seq : 0;
		c->flags |= TF_ACK_NOW;
		if (g->len == 0) {
			drop(s, p, &s->n.drop_seq);
			return 0;
		}
	}
	pbuf_skip(p, skip);
	pbuf_trim(s, p, g->len);
	if (c->flags & TF_RX_SHUT) { /* nobody reads: acknowledge and forget */
		drop(s, p, &s->n.drop_closed);
		if (g->seq == c->rcv_nxt) {
			c->rcv_nxt += g->len;
			c->rcv_adv += g->len;
		}
		c->flags |= TF_ACK_NOW;
		return 0;
	}
	p->seq = g->seq;
	p->end_seq = g->seq + g->len;
	if (g->len > c->rcv_mss)
		c->rcv_mss = (uint16_t)GW_MIN(g->len, c->mss);
	if (g->seq != c->rcv_nxt) {
		ooo_add(c, p);
		return 0;
	}
	c->rcv_nxt = p->end_seq;
	rx_queue(c, p);
	if (c->flags & TF_OOO) {
		ooo_drain(c);
		c->flags |= TF_ACK_NOW; /* RFC 5681 4.2: a gap was filled */
	}
	if (c->rcv_nxt - c->rcv_wup > c->rcv_mss || (c->flags & TF_QUICKACK))
		c->flags |= TF_ACK_NOW;
	return TCP_EV_READABLE;
}

/* The peer's FIN is next in order. */
static unsigned take_fin(struct tcp_conn *c)
{
	if (c->rcv_adv == c->rcv_nxt++)
		c->rcv_adv++; /* the window was full: a FIN is let in all the same */
	c->flags |= TF_RX_FIN | TF_ACK_NOW;
	switch (c->state) {
	case TCP_ESTABLISHED:
		c->state = TCP_CLOSE_WAIT;
		break;
	case TCP_FIN_WAIT_1:
		c->state = TCP_CLOSING;
		break;
	case TCP_FIN_WAIT_2:
		tw_enter(c); /* acknowledges */
		break;
	default:
		break;
	}
	return TCP_EV_READABLE | TCP_EV_HUP;
}

static void process(struct tcp_conn *c, struct tcp_seg *g)
{
	unsigned events = 0;
	uint32_t fin_seq = g->seq + g->len;

	if (!acceptable(c, g) || !check_ack(c, g))
		return;
	c->last_rx = now_tick(c->stack);
	if ((c->ecn & ECN_ON) && g->len != 0)
		ecn_take(c, g);
	if (g->flags & TH_URG)
		urgent_take(c, g);
	if ((c->flags & TF_TS) && SEQ_LE(g->seq, c->rcv_wup) && SEQ_GE(g->o.tsval, c->ts_recent))
		c->ts_recent = g->o.tsval;
	if (!fin_acked(c))
		return;
	if (c->flags & TF_DETACHED)
		return;
	if (g->len != 0 && !(c->flags & TF_RX_FIN)) {
		if (!(c->flags & (TF_OWNED | TF_LISTENED)) && SEQ_GT(g->seq + g->len, c->rcv_nxt)) {
			tcp_send_rst(c); /* RFC 1122 4.2.2.13: data that nobody will read */
			conn_done(c, -ECONNRESET);
			return;
		}
		events = take_data(c, g);
	}
	if ((g->flags & TH_FIN) && !(c->flags & TF_RX_FIN)) {
		if (!(c->flags & TF_FIN_SEEN)) {
			c->flags |= TF_FIN_SEEN;
			c->fin_seq = fin_seq;
		}
		c->flags |= TF_ACK_NOW;
	}
	if ((c->flags & (TF_FIN_SEEN | TF_RX_FIN)) == TF_FIN_SEEN && c->rcv_nxt == c->fin_seq)
		events |= take_fin(c);
	if (events != 0)
		tcp_event(c, events);
	tcp_after_input(c);
}

void tcp_segment(struct tcp_conn *c, struct tcp_seg *g)
{
	struct net_stack *s = c->stack;

	if (c->state == TCP_SYN_SENT)
		syn_sent(c, g);
	else
		process(c, g);
	if (g->p != NULL)
		pbuf_free(s->cfg.pool, g->p);
}
