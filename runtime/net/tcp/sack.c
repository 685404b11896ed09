/* SPDX-License-Identifier: Apache-2.0 */
/* sack.c - the sender's scoreboard: marks what the peer has selectively acknowledged, and decides
 * what is lost: three segments above it arrived (RFC 6675), or something sent clearly later did
 * (RFC 8985's rule, which also finds lost retransmissions). The blocks are the peer's word:
 * out-of-range ones are ignored. */
#include "runtime/net/tcp/tcp_internal.h"

#define DUP_THRESH 3u

/* Returns true when something new was reported. */
bool sack_take(struct tcp_conn *c, const struct tcp_seg *g)
{
	uint32_t b[4][2], n = 0, top = c->snd_una;
	bool news = false;

	for (unsigned i = 0; i < g->o.n_sack; i++) {
		uint32_t l = g->o.sack[i][0], r = g->o.sack[i][1];

		/* below snd_una: a duplicate report (RFC 2883), nothing to mark */
		if (!SEQ_LT(l, r) || SEQ_LT(l, c->snd_una) || SEQ_LE(r, g->ack) ||
		    SEQ_GT(r, c->snd_nxt))
			continue;
		b[n][0] = l;
		b[n++][1] = r;
		if (SEQ_GT(r, top))
			top = r;
	}
	if (n == 0)
		return false;
	if (c->sacked == 0 || SEQ_GT(top, c->high_sacked))
		c->high_sacked = top;
	for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next && SEQ_LT(p->seq, top);
	     p = seg_next(p)) {
		uint32_t m = seg_marks(p), len = seg_len(p), i;

		if (m & SEG_SACKED)
			continue;
		for (i = 0; i < n; i++) {
			if (SEQ_LE(b[i][0], p->seq) && SEQ_LE(p->end_seq, b[i][1]))
				break;
		}
		if (i == n)
			continue;
		if (m & SEG_LOST)
			c->lost -= len;
		if (m & SEG_RETRANS)
			c->retrans -= len;
		c->sacked += len;
		seg_mark(p, SEG_SACKED, SEG_LOST | SEG_RETRANS);
		news = true;
		/* An answer too soon after a retransmission is to the original. */
		if (p->time_ns > c->rack_time &&
		    (!(m & SEG_EVER_RETRANS) ||
		     c->stack->now - p->time_ns > (uint64_t)(c->srtt >> 4) << 10))
			c->rack_time = p->time_ns;
	}
	return news;
}

/* RFC 8985 6.2 step 5, with time as the only judge: what was sent more than a round trip and the
 * reordering allowance ago, and lies below something that arrived, is lost. */
bool sack_overdue(struct tcp_conn *c)
{
	uint64_t age = (uint64_t)((c->srtt >> 3) + (c->srtt >> 5)) << 10;
	bool found = false;

	for (struct pbuf *p = c->tx_head;
	     p != NULL && p != c->tx_next && SEQ_LT(p->seq, c->high_sacked); p = seg_next(p)) {
		if ((seg_marks(p) & (SEG_SACKED | SEG_LOST)) || c->stack->now - p->time_ns < age)
			continue;
		seg_mark(p, SEG_LOST, 0);
		c->lost += seg_len(p);
		found = true;
	}
	return found;
}

/* Mark lost segments. Returns true when one was found. */
bool sack_find_lost(struct tcp_conn *c)
{
	uint64_t reorder = GW_MAX((uint64_t)(c->srtt >> 5) << 10, NS_PER_MS);
	uint32_t above = c->sacked, segs = 0, thresh = (DUP_THRESH - 1) * c->mss;
	bool found = false;
	struct pbuf *p;

	if (c->sacked == 0)
		c->high_sacked = c->snd_una;
	/* The segment count matters for small ones only: look no further than the threshold needs.
	 */
	for (p = c->tx_head; p != NULL && p != c->tx_next && SEQ_LT(p->seq, c->high_sacked);
	     p = seg_next(p))
		segs += (seg_marks(p) & SEG_SACKED) != 0;
	for (p = c->tx_head; p != NULL && p != c->tx_next; p = seg_next(p)) {
		uint32_t m = seg_marks(p), len = seg_len(p);
		bool later = p->time_ns + reorder < c->rack_time;

		if (m & SEG_SACKED) {
			above -= len;
			segs--;
			continue;
		}
		if (!SEQ_LT(p->seq, c->high_sacked) && !later)
			break;
		if ((m & SEG_LOST) == 0 && (above > thresh || segs >= DUP_THRESH || later)) {
			seg_mark(p, SEG_LOST, 0);
			c->lost += len;
			found = true;
		} else if ((m & SEG_RETRANS) && later) { /* the retransmission was lost too */
			seg_mark(p, 0, SEG_RETRANS);
			c->retrans -= len;
			found = true;
		}
	}
	return found;
}
