/* SPDX-License-Identifier: Apache-2.0 */
/* rate.c - what a path delivers, from its acknowledgements
 * (draft-cheng-iccrg-delivery-rate-estimation): each segment remembers how much had been delivered
 * when it was sent; what was delivered since, over the longer of the times it took to send and to
 * acknowledge that, is a sample. */
#include "runtime/net/tcp/tcp_internal.h"

/* What a segment remembers of the moment it was sent, in front of its headers' room. */
struct stamp {
	uint64_t delivered;
	uint32_t delivered_us, first_us;
};
_Static_assert(sizeof(struct stamp) + 12 + ETH_HLEN + IP6_HLEN + 60 <= TCP_TX_OFF,
	       "stamps lie in front of the headers");

static struct stamp *stamp_of(struct pbuf *p)
{
	return (struct stamp *)pbuf_block(p);
}

void rate_copy(struct pbuf *to, struct pbuf *from)
{
	*stamp_of(to) = *stamp_of(from);
}

void rate_sent(struct tcp_conn *c, struct pbuf *p)
{
	struct tcp_bbr *b = c->bbr;

	if (c->snd_nxt == c->snd_una)
		b->first_us = b->delivered_us = rate_us(c->stack->now);
	*stamp_of(p) = (struct stamp){ b->delivered, b->delivered_us, b->first_us };
	seg_mark(p, b->app_limited != 0 ? SEG_APP : 0, SEG_APP);
}

void rate_delivered(struct tcp_conn *c, struct pbuf *p)
{
	struct tcp_bbr *b = c->bbr;
	const struct stamp *t = stamp_of(p);
	uint32_t sent_us = rate_us(p->time_ns);

	b->delivered += seg_len(p);
	b->delivered_us = rate_us(c->stack->now);
	if (b->sampled && (int32_t)(sent_us - b->first_us) < 0)
		return;
	b->sampled = true;
	b->prior_delivered = t->delivered;
	b->prior_us = t->delivered_us;
	b->prior_app = (seg_marks(p) & SEG_APP) != 0;
	b->send_us = sent_us - t->first_us;
	b->first_us = sent_us;
}

void rate_idle(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;

	if (conn_flight(c) < c->cwnd)
		b->app_limited = b->delivered + conn_flight(c) + 1;
}
