/* SPDX-License-Identifier: Apache-2.0 */
/* reass.c - received data: the in-order queue, the bounded out-of-order list, and buffer tuning.
 *
 * Memory: a segment that fits behind the previous one is copied there, so two neighbours together
 * always exceed what one pbuf holds, and the queue's true size stays near twice its bytes whatever
 * is sent. */
#include "runtime/net/tcp/tcp_internal.h"

#define COPY_SMALL 256u
#define OOO_MIN 16u

static void ooo_set_next(struct pbuf *p, struct pbuf *n)
{
	seg_set_next(p, n);
}

void rx_queue(struct tcp_conn *c, struct pbuf *p)
{
	struct pbuf *t = c->rx_tail;

	c->rx_bytes += p->total;
	c->bytes_in += p->total;
	if (t == NULL) {
		c->rx_head = p;
	} else if (p->next == NULL && t->slice_of == NULL && t->refs == 1 &&
		   p->len <= pbuf_tailroom(t)) {
		memcpy(t->data + t->len, p->data, p->len);
		t->len += p->len;
		pbuf_free(c->stack->cfg.pool, p);
		return;
	} else {
		t->next = p;
	}
	while (unlikely(p->next != NULL))
		p = p->next;
	c->rx_tail = p;
}

/* Drop the part of p before seq. p keeps at least its descriptor. */
static void trim_front(struct pbuf *p, uint32_t seq)
{
	if (SEQ_LT(p->seq, seq)) {
		pbuf_skip(p, seq - p->seq);
		p->seq = seq;
	}
}

/* Keep p, which lies above rcv_nxt. Overlaps are cut off the newcomer: what came first stays. */
void ooo_add(struct tcp_conn *c, struct pbuf *p)
{
	struct net_stack *s = c->stack;
	struct pbuf *prev = NULL, *n = c->ooo;
	uint32_t max = GW_MAX(OOO_MIN, c->rcvbuf / 1024);

	c->flags |= TF_ACK_NOW;
	c->ooo_last = p->seq;
	if (c->ooo_count >= max) {
		drop(s, p, &s->n.drop_queue);
		return;
	}
	while (n != NULL && SEQ_LE(n->seq, p->seq)) {
		prev = n;
		n = seg_next(n);
	}
	if (prev != NULL) {
		if (SEQ_GE(prev->end_seq, p->end_seq)) {
			c->dup_from = p->seq;
			c->dup_to = p->end_seq;
			drop(s, p, &s->n.drop_dup);
			return;
		}
		trim_front(p, prev->end_seq);
	}
	if (n != NULL && SEQ_GT(p->end_seq, n->seq)) {
		/* the part beyond n, if any, will be sent again: rare */
		pbuf_trim(s, p, n->seq - p->seq);
		p->end_seq = n->seq;
		if (p->total == 0) {
			drop(s, p, &s->n.drop_dup);
			return;
		}
	}
	if (prev != NULL && prev->end_seq == p->seq && prev->next == NULL && p->next == NULL &&
	    prev->refs == 1 && prev->slice_of == NULL && p->len <= pbuf_tailroom(prev)) {
		memcpy(prev->data + prev->len, p->data, p->len);
		prev->len += p->len;
		prev->total = prev->len;
		prev->end_seq = p->end_seq;
		pbuf_free(s->cfg.pool, p);
		return;
	}
	ooo_set_next(p, n);
	if (prev != NULL)
		ooo_set_next(prev, p);
	else
		c->ooo = p;
	c->ooo_count++;
	c->flags |= TF_OOO;
}

/* Move what has become in order to the receive queue. */
bool ooo_drain(struct tcp_conn *c)
{
	bool moved = false;
	struct pbuf *p;

	while ((p = c->ooo) != NULL && SEQ_LE(p->seq, c->rcv_nxt)) {
		c->ooo = seg_next(p);
		c->ooo_count--;
		if (SEQ_LE(p->end_seq, c->rcv_nxt)) {
			drop(c->stack, p, &c->stack->n.drop_dup);
			continue;
		}
		trim_front(p, c->rcv_nxt);
		c->rcv_nxt = p->end_seq;
		rx_queue(c, p);
		moved = true;
	}
	if (c->ooo == NULL)
		c->flags &= ~TF_OOO;
	return moved;
}

/* The SACK blocks to report: what came twice (RFC 2883 section 4), then the one with the newest
 * data (RFC 2018 section 4), then from below. */
unsigned sack_blocks(struct tcp_conn *c, uint32_t out[][2], unsigned max)
{
	unsigned n = 0;
	uint32_t newest = c->ooo_last;

	if (c->dup_from != c->dup_to && max != 0) {
		out[n][0] = c->dup_from;
		out[n++][1] = c->dup_to;
		c->dup_to = c->dup_from;
	}

	for (int pass = 0; pass < 2; pass++) {
		for (struct pbuf *p = c->ooo; p != NULL && n < max;) {
			uint32_t l = p->seq, r = p->end_seq;

			while ((p = seg_next(p)) != NULL && p->seq == r)
				r = p->end_seq;
			if ((pass == 0) == (SEQ_LE(l, newest) && SEQ_LT(newest, r))) {
				out[n][0] = l;
				out[n][1] = r;
				n++;
				if (pass == 0)
					break;
			}
		}
	}
	return n;
}

/* Dynamic right-sizing: when the owner took more than half the buffer in one round trip, double it.
 */
void rx_tune(struct tcp_conn *c, uint32_t consumed_to)
{
	struct net_stack *s = c->stack;
	uint32_t now = now_tick(s), rtt = (c->srtt >> 13) + 1;

	if (now - c->tune_tick < rtt)
		return;
	if (consumed_to - c->tune_seq > c->rcvbuf / 2 && !(c->flags & TF_RCVBUF_SET) &&
	    c->rcvbuf < s->cfg.rcvbuf_max &&
	    (s->cfg.rcv_growth_max == 0 ||
	     s->tcp.rcv_growth + c->rcvbuf <= s->cfg.rcv_growth_max)) {
		s->tcp.rcv_growth -= rx_growth(c);
		c->rcvbuf = GW_MIN(c->rcvbuf * 2, s->cfg.rcvbuf_max);
		s->tcp.rcv_growth += rx_growth(c);
	}
	c->tune_seq = consumed_to;
	c->tune_tick = now;
}
