/* SPDX-License-Identifier: Apache-2.0 */
/* rack.c - what is lost (RFC 8985 6.2): a segment is, when one that was sent later has been
 * delivered and the reordering window has passed since it should have been. That finds lost
 * retransmissions too. */
#include "runtime/net/tcp/tcp_internal.h"

#define DUP_THRESH 3u
#define REO_PERSIST 16u /* recoveries that a widened window lasts */

/* The round trip in ns, as the RTT fields have it. */
static uint64_t rtt_ns(uint32_t us)
{
	return (uint64_t)us << 10;
}

static bool sent_after(uint64_t t1, uint32_t end1, uint64_t t2, uint32_t end2)
{
	return t1 > t2 || (t1 == t2 && SEQ_GT(end1, end2));
}

/* Steps 2 and 3. */
void rack_delivered(struct tcp_conn *c, struct pbuf *p)
{
	uint64_t rtt = c->stack->now - p->time_ns;

	if (c->flags & TF_PACED)
		rate_delivered(c, p);
	/* An answer too soon after a retransmission is to the original. */
	if ((seg_marks(p) & SEG_EVER_RETRANS) && rtt < rtt_ns(c->min_rtt))
		return;
	if (!(seg_marks(p) & SEG_EVER_RETRANS) && c->sacked != 0 &&
	    SEQ_LT(p->end_seq, c->high_sacked) && SEQ_LT(p->end_seq, c->rack_end) &&
	    !(seg_marks(p) & SEG_SACKED))
		c->flags |= TF_REORDERED;
	if (!sent_after(p->time_ns, p->end_seq, c->rack_time, c->rack_end))
		return;
	c->rack_time = p->time_ns;
	c->rack_end = p->end_seq;
	c->rack_rtt = (uint32_t)GW_MIN(rtt >> 10, 0x7fffffffu);
}

/* Step 4: the peer had it already, so the window was too narrow: once a round trip it grows. */
void rack_duplicate(struct tcp_conn *c)
{
	if (SEQ_LT(c->snd_una, c->reo_round))
		return;
	c->reo_round = c->snd_nxt;
	if (c->reo_mult < 16)
		c->reo_mult++;
	c->reo_left = REO_PERSIST;
}

void rack_recovered(struct tcp_conn *c)
{
	if (c->reo_left != 0 && --c->reo_left == 0)
		c->reo_mult = 0;
}

static uint64_t window(const struct tcp_conn *c)
{
	uint32_t n = 0;

	if (!(c->flags & TF_REORDERED)) {
		if (c->cong > CONG_CWR || c->sacked > (DUP_THRESH - 1) * c->mss)
			return 0;
		for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next && n < DUP_THRESH;
		     p = seg_next(p))
			n += (seg_marks(p) & SEG_SACKED) != 0;
		if (n >= DUP_THRESH)
			return 0;
	}
	return GW_MIN(rtt_ns(c->min_rtt) / 4 * (1u + c->reo_mult), rtt_ns(c->srtt >> 3));
}

/* Step 5. Returns true when something was found lost; what may be later makes rack_at. */
bool rack_detect(struct tcp_conn *c)
{
	uint64_t now = c->stack->now, allowed = rtt_ns(c->rack_rtt) + window(c), wait = 0;
	bool found = false;

	for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next; p = seg_next(p)) {
		uint32_t m = seg_marks(p);

		if ((m & SEG_SACKED) || (m & (SEG_LOST | SEG_RETRANS)) == SEG_LOST ||
		    !sent_after(c->rack_time, c->rack_end, p->time_ns, p->end_seq))
			continue;
		/* sent again in the same moment as new data: no saying which was later */
		if ((m & SEG_RETRANS) && c->rack_time == p->time_ns)
			continue;
		if (now - p->time_ns < allowed) {
			wait = GW_MAX(wait, p->time_ns + allowed - now);
			continue;
		}
		found = true;
		if (m & SEG_RETRANS) { /* the retransmission was lost too */
			seg_mark(p, 0, SEG_RETRANS);
			c->retrans -= seg_len(p);
		} else {
			seg_mark(p, SEG_LOST, 0);
			c->lost += seg_len(p);
		}
	}
	c->rack_wait = (uint32_t)(wait >> WHEEL_SHIFT) + (wait != 0);
	return found;
}
