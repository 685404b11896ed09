/* SPDX-License-Identifier: Apache-2.0 */
/* sack.c - the sender's scoreboard: marks what the peer has selectively acknowledged (RFC 2018).
 * The blocks are the peer's word: out-of-range ones are ignored. What is lost is rack.c's decision.
 */
#include "runtime/net/tcp/tcp_internal.h"

/* Returns true when something new was reported. */
bool sack_take(struct tcp_conn *c, const struct tcp_seg *g)
{
	uint32_t b[4][2], n = 0, top = c->snd_una;
	bool news = false;

	for (unsigned i = 0; i < g->o.n_sack; i++) {
		uint32_t l = g->o.sack[i][0], r = g->o.sack[i][1];

		/* below snd_una: a duplicate report (RFC 2883), nothing to mark */
		if (i == 0 && SEQ_LE(r, g->ack))
			rack_duplicate(c);
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
		rack_delivered(c, p);
	}
	return news;
}
