/* SPDX-License-Identifier: Apache-2.0 */
/* ack.c - what an acknowledgement does to the send side: frees data, samples the round trip (RFC
 * 6298, Karn), opens the windows, and drives loss recovery (RFC 6675 with SACK, RFC 6582 without).
 */
#include "runtime/net/tcp/tcp_internal.h"

void tcp_rtt_sample(struct tcp_conn *c, uint32_t us)
{
	uint32_t ticks;

	if (us == 0)
		us = 1;
	if (likely(c->flags & TF_RTT_SEEN)) {
		int32_t delta = (int32_t)(us - (c->srtt >> 3));

		c->srtt += (uint32_t)delta;
		if (delta < 0)
			delta = -delta;
		c->rttvar += (uint32_t)(delta - (int32_t)(c->rttvar >> 2));
	} else {
		c->srtt = us << 3;
		c->rttvar = us << 1;
		c->flags |= TF_RTT_SEEN;
	}
	c->last_rtt = us;
	if (us <= c->min_rtt || now_tick(c->stack) - c->min_rtt_tick > WHEEL_MS(10000) ||
	    c->min_rtt == 0) {
		c->min_rtt = us;
		c->min_rtt_tick = now_tick(c->stack);
	}
	ticks = (((c->srtt >> 3) + c->rttvar) >> 10) + 1;
	c->rto = ticks < TCP_RTO_MIN ? TCP_RTO_MIN : GW_MIN(ticks, TCP_RTO_MAX);
	c->backoff = 0;
}

/* A segment leaves the scoreboard (acknowledged, n bytes of it). */
static void unmark(struct tcp_conn *c, const struct pbuf *p, uint32_t n)
{
	uint32_t m = seg_marks(p);

	if (likely((m & (SEG_SACKED | SEG_LOST | SEG_RETRANS)) == 0))
		return;
	if (m & SEG_SACKED)
		c->sacked -= n;
	if (m & SEG_LOST)
		c->lost -= n;
	if (m & SEG_RETRANS)
		c->retrans -= n;
}

static void seg_free(struct tcp_conn *c, struct pbuf *p)
{
	if (p->refs == 1) {
		p->next = NULL; /* left over from its last transmission */
		pbuf_free(c->stack->cfg.pool, p);
	} else {
		p->refs--; /* the device still reads it */
	}
}

uint32_t tcp_clean_acked(struct tcp_conn *c, uint32_t ack)
{
	uint64_t sample = 0;
	uint32_t before = c->snd_una;
	struct pbuf *p;

	while ((p = c->tx_head) != NULL && p != c->tx_next && SEQ_LE(p->end_seq, ack)) {
		c->tx_head = seg_next(p);
		c->tx_count--;
		if (!(seg_marks(p) & SEG_SACKED))
			rack_delivered(c, p);
		unmark(c, p, seg_len(p));
		if (likely(!(seg_marks(p) & SEG_EVER_RETRANS))) {
			/* what arrived long ago and was only held back by a hole says nothing */
			if (!(seg_marks(p) & (SEG_SACKED | SEG_LOST)) && !(c->flags & TF_LOSS))
				sample = p->time_ns;
		}
		seg_free(c, p);
	}
	if (p == NULL) {
		c->tx_tail = NULL;
	} else if (unlikely(p != c->tx_next && SEQ_LT(p->seq, ack))) {
		uint32_t n = ack - p->seq;

		unmark(c, p, n);
		p->user[2] += (uint64_t)n << 32;
		p->seq = ack;
	}
	c->snd_una = ack;
	c->bytes_out += ack - before;
	if (sample != 0)
		tcp_rtt_sample(c, (uint32_t)((c->stack->now - sample) >> 10));
	return ack - before;
}

void tcp_space_event(struct tcp_conn *c)
{
	if ((c->flags & TF_NOSPACE) && tcp_tx_space(c) >= c->sndbuf / 3) {
		c->flags &= ~TF_NOSPACE;
		tcp_event(c, TCP_EV_WRITABLE);
	}
}

static void enter_recovery(struct tcp_conn *c)
{
	if (c->flags & TF_PACED) {
		bbr_loss(c, false);
	} else if (c->cong != CONG_CWR) { /* for a mark in this window it was done */
		cc_loss(c);
		c->cwnd = c->ssthresh;
	}
	c->recover = c->snd_nxt;
	c->cong = CONG_RECOVERY;
}

static void mark_lost(struct tcp_conn *c, struct pbuf *p)
{
	if (p == NULL || p == c->tx_next || (seg_marks(p) & (SEG_LOST | SEG_SACKED)))
		return;
	seg_mark(p, SEG_LOST, 0);
	c->lost += seg_len(p);
}

/* The retransmission timer fired: everything outstanding counts as lost (RFC 6675 5.1, RFC 6582
 * section 4). */
void tcp_mark_all_lost(struct tcp_conn *c)
{
	bool reneged = c->tx_head != NULL && (seg_marks(c->tx_head) & SEG_SACKED);

	c->lost = c->retrans = 0;
	if (reneged || !(c->flags & TF_SACK))
		c->sacked = 0;
	for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next; p = seg_next(p)) {
		seg_mark(p, 0, SEG_RETRANS | SEG_LOST | (reneged ? SEG_SACKED : 0));
		if (!(seg_marks(p) & SEG_SACKED)) {
			seg_mark(p, SEG_LOST, 0);
			c->lost += seg_len(p);
		}
	}
}

void tcp_enter_loss(struct tcp_conn *c)
{
	if (!(c->flags & TF_PACED) && (c->cong <= CONG_RECOVERY || SEQ_GE(c->snd_una, c->recover)))
		cc_loss(c);
	tcp_mark_all_lost(c);
	c->cwnd = c->mss;
	if (c->flags & TF_PACED)
		bbr_loss(c, true);
	c->recover = c->snd_nxt;
	c->cong = CONG_LOSS;
	c->dupacks = 0;
	c->pto_at = 0;
	c->flags = (c->flags | TF_LOSS) & ~(TF_TLP | TF_TLP_RTX);
}

void tcp_reorder_timeout(struct tcp_conn *c)
{
	if (rack_detect(c)) {
		if (c->cong <= CONG_CWR)
			enter_recovery(c);
		c->flags |= TF_LOSS;
		tcp_output(c);
	}
	conn_arm_probe(c);
}

/* Without SACK: each duplicate ACK means a segment has left the network (RFC 5681, 6582). */
static void newreno(struct tcp_conn *c, uint32_t acked, bool dup)
{
	if (acked != 0) {
		c->sacked = 0;
		if (c->cong == CONG_RECOVERY && SEQ_LT(c->snd_una, c->recover))
			mark_lost(c, c->tx_head); /* partial: the next hole */
	} else if (dup) {
		uint32_t out = c->snd_nxt - c->snd_una - c->lost;

		c->sacked = GW_MIN(c->sacked + c->mss, out);
		if (c->dupacks == 3 && (c->cong == CONG_CWR ||
					(c->cong == CONG_OPEN && SEQ_GE(c->snd_una, c->recover))))
			mark_lost(c, c->tx_head);
	}
}

static void window_update(struct tcp_conn *c, const struct tcp_seg *g)
{
	/* A window counts from its own acknowledgement: one that advances brings its window along,
	 * also on data that came in part before. */
	if (!SEQ_GT(g->ack, c->snd_una) && !SEQ_LT(c->snd_wl1, g->seq) &&
	    !(c->snd_wl1 == g->seq && SEQ_LE(c->snd_wl2, g->ack)))
		return;
	c->snd_wl1 = g->seq;
	c->snd_wl2 = g->ack;
	c->snd_wnd = g->wnd << c->snd_scale;
	if (c->snd_wnd > c->max_wnd)
		c->max_wnd = c->snd_wnd;
	if (c->flags & TF_PERSIST) {
		if (c->snd_wnd != 0) {
			c->flags &= ~TF_PERSIST;
			c->rto_at = 0;
			c->backoff = 0;
		}
		c->first_rto = 0;
	}
}

/* Retransmitted data was acknowledged. An echoed timestamp newer than the retransmission is a sound
 * sample (RFC 7323 4); otherwise Karn's rule keeps the backoff, of which progress takes half. */
static void ease_backoff(struct tcp_conn *c, const struct tcp_seg *g)
{
	uint32_t echoed = g->o.tsecr - c->ts_off;

	if ((c->flags & TF_TS) && g->o.tsecr != 0 && tick_due(echoed, c->rtx_tick))
		tcp_rtt_sample(c, (now_tick(c->stack) - echoed) << 10);
	else
		c->backoff /= 2;
}

/* All that a tail probe covered is acknowledged. When the probe itself repaired the loss, that was
 * one, and the window answers for it (RFC 8985 7.4); not when the peer says that it had the data
 * (RFC 2883), nor when it echoes a timestamp from before the probe (RFC 3522). */
static void probe_acked(struct tcp_conn *c, const struct tcp_seg *g, bool advanced)
{
	bool twice = g->o.n_sack != 0 && SEQ_LE(g->o.sack[0][1], g->ack);
	bool early = (c->flags & TF_TS) && g->o.tsecr != 0 &&
		     !tick_due(g->o.tsecr - c->ts_off, c->rtx_tick);

	if ((c->flags & (TF_TLP_RTX | TF_PACED)) == TF_TLP_RTX && advanced && !twice && !early &&
	    c->cong == CONG_OPEN) {
		cc_loss(c);
		c->cwnd = c->ssthresh;
	}
	/* whichever was echoed: a path that became longer is learnt (RFC 7323 4.1) */
	if ((c->flags & (TF_TLP_RTX | TF_TS)) == (TF_TLP_RTX | TF_TS) && advanced &&
	    g->o.tsecr != 0)
		tcp_rtt_sample(c, (now_tick(c->stack) - (g->o.tsecr - c->ts_off)) << 10);
	c->flags &= ~(TF_TLP | TF_TLP_RTX);
}

/* g's ACK is acceptable: snd_una - max_wnd <= ack <= snd_nxt. */
void tcp_ack(struct tcp_conn *c, const struct tcp_seg *g)
{
	uint32_t old_wnd = c->snd_wnd, acked = 0, flight = conn_flight(c), lost = c->lost;
	uint64_t delivered = c->flags & TF_PACED ? c->bbr->delivered : 0;
	bool advanced = SEQ_GT(g->ack, c->snd_una), outstanding = c->snd_una != c->snd_nxt,
	     dup = false, sacked,
	     echo = (g->flags & TH_ECE) && c->cong == CONG_OPEN &&
		    (c->ecn & (ECN_ON | TH_CWR)) == ECN_ON;

	if (SEQ_LT(g->ack, c->snd_una))
		return;
	window_update(c, g);
	sacked = (c->flags & TF_SACK) && outstanding && sack_take(c, g);
	if (advanced) {
		uint8_t backoff = c->backoff;

		acked = tcp_clean_acked(c, g->ack);
		c->dupacks = 0;
		c->first_rto = 0;
		if (backoff != 0 && c->backoff == backoff)
			ease_backoff(c, g);
		if (c->snd_una == c->snd_nxt)
			c->rto_at = c->pto_at = 0;
		else
			conn_set_rto(c);
	} else if (outstanding && g->len == 0 && c->snd_wnd == old_wnd &&
		   !(g->flags & (TH_SYN | TH_FIN))) {
		dup = true;
		if (c->dupacks < 255)
			c->dupacks++;
	}
	if ((c->flags & TF_TLP) && SEQ_GE(g->ack, c->tlp_end))
		probe_acked(c, g, advanced);
	if (!(c->flags & TF_SACK))
		newreno(c, acked, dup);
	if (c->cong == CONG_CWR) {
		if (SEQ_GT(c->snd_una, c->recover) || c->snd_una == c->snd_nxt)
			c->cong = CONG_OPEN;
	} else if (c->cong != CONG_OPEN && advanced && SEQ_GE(g->ack, c->recover)) {
		if (c->flags & TF_PACED)
			bbr_recovered(c);
		else if (c->cong == CONG_RECOVERY)
			c->cwnd = GW_MIN(c->cwnd, GW_MAX(c->ssthresh, 2u * c->mss));
		c->cong = CONG_OPEN;
		rack_recovered(c);
	}
	c->rack_wait = 0;
	if ((c->flags & TF_SACK) && (sacked || c->cong != CONG_OPEN || c->sacked != 0))
		rack_detect(c);
	if (c->lost != 0 && c->cong <= CONG_CWR)
		enter_recovery(c);
	else if (unlikely(echo))
		ecn_echoed(c, flight);
	if (c->flags & TF_PACED)
		bbr_acked(c, flight, delivered, c->lost > lost);
	else if (acked != 0 && (c->cong == CONG_OPEN || c->cong == CONG_LOSS) &&
		 (c->flags & TF_CWND_LIMITED))
		cc_acked(c, acked);
	if (c->cong != CONG_OPEN || c->sacked != 0 || c->lost != 0 || c->dupacks != 0)
		c->flags |= TF_LOSS;
	else
		c->flags &= ~TF_LOSS;
	if (advanced || sacked)
		conn_arm_probe(c);
	if (advanced)
		tcp_space_event(c);
}
