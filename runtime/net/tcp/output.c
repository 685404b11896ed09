/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - decides what may be sent now: retransmissions first, then new data as the peer's
 * window, the congestion window, Nagle and cork allow (RFC 9293 3.7.4, 3.8.6), then FIN, then an
 * owed ACK. */
#include "runtime/net/tcp/tcp_internal.h"

void conn_block(struct tcp_conn *c)
{
	if (list_empty(&c->work))
		list_add_tail(&c->stack->tcp.blocked, &c->work);
}

/* Keep the first n bytes in p, the rest in a new pbuf after it. Only for segments not in the
 * device's hands. */
COLD static bool split(struct tcp_conn *c, struct pbuf *p, uint32_t n)
{
	struct pbuf *q = pbuf_alloc(c->stack->cfg.pool, TCP_TX_OFF);

	if (q == NULL)
		return false;
	memcpy(q->data, seg_payload(p) + n, seg_len(p) - n);
	q->user[2] = (uint64_t)TCP_TX_OFF << 32 | seg_marks(p);
	q->seq = p->seq + n;
	q->end_seq = p->end_seq;
	q->time_ns = p->time_ns;
	rate_copy(q, p);
	seg_set_next(q, seg_next(p));
	seg_set_next(p, q);
	p->end_seq = q->seq;
	seg_mark(p, 0, SEG_PUSH);
	if (c->tx_tail == p)
		c->tx_tail = q;
	c->tx_count++;
	return true;
}

static int xmit_one(struct tcp_conn *c, struct pbuf *p, uint8_t flags)
{
	if (p->refs == 1 && !(c->flags & TF_LOOP))
		return tcp_xmit_chain(c, p, 1, seg_len(p), flags);
	return tcp_xmit_copy(c, p, flags);
}

/* Send again what is marked lost, as far as the congestion window goes. false: stop here. */
static bool retransmit(struct tcp_conn *c)
{
	for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next; p = seg_next(p)) {
		uint32_t len = seg_len(p), flight = conn_flight(c);
		bool fin;

		if ((seg_marks(p) & (SEG_LOST | SEG_RETRANS)) != SEG_LOST)
			continue;
		if (flight + len > c->cwnd && flight > 1) { /* 1: a FIN alone */
			c->flags |= TF_CWND_LIMITED;
			return false;
		}
		if ((c->flags & TF_PACED) && bbr_hold(c))
			return false;
		if (unlikely(len > c->mss)) { /* the path MTU shrank */
			if (!split(c, p, c->mss)) {
				conn_block(c);
				return false;
			}
			len = seg_len(p);
		}
		fin = (c->flags & TF_FIN_SENT) && p->end_seq == c->snd_end;
		if (xmit_one(c, p, fin ? TH_FIN : 0) != 0) {
			conn_block(c);
			return false;
		}
		seg_mark(p, SEG_RETRANS | SEG_EVER_RETRANS, 0);
		c->rtx_tick = now_tick(c->stack);
		c->retrans += len;
		c->retransmits++;
		c->stack->n.retransmits++;
	}
	return true;
}

static bool small_allowed(const struct tcp_conn *c)
{
	if (c->flags & (TF_FIN_QUEUED | TF_FORCE))
		return true;
	if (c->flags & TF_CORK)
		return false;
	/* A full queue waits for acknowledgements: it will not grow into a full segment before. */
	return (c->flags & TF_NODELAY) || c->snd_una == c->snd_nxt ||
	       ((c->flags & TF_NOSPACE) && tcp_tx_space(c) == 0);
}

/* The peer's window ends inside p (or before it). Returns the bytes of p to send now, 0: wait. */
static uint32_t window_cut(struct tcp_conn *c, int32_t wnd)
{
	if (wnd > 0 && ((uint32_t)wnd >= c->max_wnd / 2 || (c->flags & TF_FORCE)))
		return (uint32_t)wnd;
	if (c->snd_una == c->snd_nxt && c->rto_at == 0) { /* nobody else will wake us: persist */
		c->flags |= TF_PERSIST;
		conn_set_rto(c);
	}
	return 0;
}

/* How many pbufs from p on go into one packet; *bytes is their sum. p alone always fits. */
static uint32_t gather(struct tcp_conn *c, struct pbuf *p, uint32_t room, uint32_t *bytes)
{
	struct net_stack *s = c->stack;
	uint32_t n = 1, sum = seg_len(p), limit = c->mss,
		 full = GW_MIN((uint32_t)c->mss, TCP_TX_CAP);

	if ((conn_is6(c) ? s->cfg.tso6 : s->cfg.tso4) && s->cfg.csum_tx)
		limit = TCP_TSO_BYTES;
	limit = GW_MIN(limit, room);
	while (n < TCP_TSO_FRAGS && (p = seg_next(p)) != NULL) {
		uint32_t len = seg_len(p);

		if (sum + len > limit || len > c->mss ||
		    (len < full && seg_next(p) == NULL && !small_allowed(c)))
			break;
		sum += len;
		n++;
	}
	*bytes = sum;
	return n;
}

/* One packet of new data. false: nothing more can be sent now. */
static bool send_new(struct tcp_conn *c)
{
	struct pbuf *p = c->tx_next, *next;
	uint32_t len = seg_len(p), flight = conn_flight(c), n = 1,
		 full = GW_MIN((uint32_t)c->mss, TCP_TX_CAP);
	int32_t wnd = (int32_t)(c->snd_una + c->snd_wnd - c->snd_nxt);
	uint8_t flags = 0;
	int err;

	if (unlikely(len > c->mss)) {
		if (!split(c, p, c->mss))
			return conn_block(c), false;
		len = c->mss;
	}
	next = seg_next(p);
	if (next == NULL && len < full && !small_allowed(c)) {
		if ((c->flags & TF_CORK) && c->rto_at == 0) { /* a cork holds for 200 ms at most */
			c->rto_at = tick_in(c->stack, WHEEL_MS(200));
			conn_arm(c, c->rto_at);
		}
		return false;
	}
	if (unlikely((int32_t)len > wnd)) {
		uint32_t cut = window_cut(c, wnd);

		if (cut == 0)
			return false;
		if (!split(c, p, cut))
			return conn_block(c), false;
		len = cut;
		next = seg_next(p);
	}
	if (flight + len > c->cwnd && flight != 0) {
		c->flags |= TF_CWND_LIMITED;
		return false;
	}
	if ((c->flags & TF_PACED)) {
		if (bbr_hold(c))
			return false;
		wnd = GW_MIN(wnd, (int32_t)bbr_quantum(c));
	}
	/* a device that cuts would repeat CWR and the urgent pointer on each piece */
	if (next != NULL && !(c->flags & TF_LOOP) && !(c->ecn & (TH_CWR | URG_SAY)))
		n = gather(c, p, GW_MIN((uint32_t)wnd, c->cwnd > flight ? c->cwnd - flight : len),
			   &len);
	for (uint32_t i = 1; i < n; i++)
		next = seg_next(next);
	if (next == NULL) {
		flags = TH_PSH;
		if (c->flags & TF_FIN_QUEUED)
			flags = TH_PSH | TH_FIN;
	}
	if (unlikely(c->flags & TF_LOOP))
		err = tcp_xmit_copy(c, p, flags);
	else
		err = tcp_xmit_chain(c, p, n, len, flags);
	if (unlikely(err != 0))
		return conn_block(c), false;
	c->tx_next = next;
	c->snd_nxt += len;
	if (flags & TH_FIN) {
		c->flags |= TF_FIN_SENT;
		c->snd_nxt++;
	}
	if ((flight + len) * 2 >= c->cwnd)
		c->flags |= TF_CWND_LIMITED;
	return next != NULL;
}

/* The peer has been silent for two round trips: one segment more makes it say what it has. New data
 * when there is some, whatever the congestion window; the last that was sent otherwise (RFC 8985
 * 7.3). */
COLD void tcp_probe_tail(struct tcp_conn *c)
{
	struct pbuf *last = c->tx_head;
	uint32_t cwnd = c->cwnd, before = c->snd_nxt;

	if (c->tx_next != NULL) {
		c->cwnd = conn_flight(c) + c->mss;
		(void)send_new(c);
		c->cwnd = cwnd;
	}
	if (c->snd_nxt == before) {
		while (seg_next(last) != c->tx_next)
			last = seg_next(last);
		if (seg_len(last) > c->mss ||
		    xmit_one(c, last,
			     (c->flags & TF_FIN_SENT) && last->end_seq == c->snd_end ? TH_FIN
										     : 0) != 0)
			return;
		seg_mark(last, SEG_EVER_RETRANS, 0);
		c->flags |= TF_TLP_RTX;
		c->rtx_tick = now_tick(c->stack);
		c->retransmits++;
		c->stack->n.retransmits++;
	}
	c->flags |= TF_TLP;
	c->tlp_end = c->snd_nxt;
	conn_set_rto(c);
}

void tcp_output(struct tcp_conn *c)
{
	if (unlikely(c->state < TCP_ESTABLISHED || c->state == TCP_TIME_WAIT ||
		     (c->flags & TF_DETACHED)))
		return;
	if (unlikely(c->lost != 0) && !retransmit(c))
		return;
	if (c->tx_next != NULL) {
		while (send_new(c))
			;
		conn_arm_probe(c);
	}
	if ((c->flags & TF_PACED) && c->tx_next == NULL)
		rate_idle(c);
	if (unlikely((c->flags & (TF_FIN_QUEUED | TF_FIN_SENT)) == TF_FIN_QUEUED) &&
	    c->tx_next == NULL) {
		if (tcp_send_ctl(c, c->snd_nxt, TH_FIN) != 0) {
			conn_block(c);
			return;
		}
		c->flags |= TF_FIN_SENT;
		c->snd_nxt++;
		if (c->rto_at == 0 || (c->flags & TF_PERSIST)) {
			c->flags &= ~TF_PERSIST;
			conn_set_rto(c);
		}
	}
}
