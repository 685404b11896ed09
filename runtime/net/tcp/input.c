/* SPDX-License-Identifier: Apache-2.0 */
/* input.c - a TCP segment arrives. The predicted case (established, in order, nothing lost: Van
 * Jacobson) is handled here from header to event; everything else goes the way of RFC 9293 in
 * segment.c. */
#include "runtime/net/tcp/tcp_internal.h"

COLD bool tcp_parse_opts(const uint8_t *th, uint32_t hl, struct tcp_opts *o)
{
	const uint8_t *p = th + TCP_HLEN, *end = th + hl;

	memset(o, 0, sizeof(*o));
	while (p < end) {
		uint32_t kind = *p, len;

		if (kind == 0)
			return true;
		if (kind == 1) {
			p++;
			continue;
		}
		if (end - p < 2 || p[1] < 2 || p[1] > end - p)
			return false;
		len = p[1];
		if (kind == 2 && len == 4) {
			o->mss = ldbe16(p + 2);
		} else if (kind == 3 && len == 3) {
			o->has_wscale = true;
			o->wscale = p[2] > 14 ? 14 : p[2];
		} else if (kind == 4 && len == 2) {
			o->sack_ok = true;
		} else if (kind == 8 && len == 10) {
			o->has_ts = true;
			o->tsval = ldbe32(p + 2);
			o->tsecr = ldbe32(p + 6);
		} else if (kind == 5 && len >= 10 && (len - 2) % 8 == 0) {
			o->n_sack = (uint8_t)GW_MIN((len - 2) / 8, 4u);
			for (unsigned i = 0; i < o->n_sack; i++) {
				o->sack[i][0] = ldbe32(p + 2 + 8 * i);
				o->sack[i][1] = ldbe32(p + 6 + 8 * i);
			}
		}
		p += len;
	}
	return true;
}

/* The answer to a segment that nobody wants (RFC 9293 3.10.7.1). */
COLD static void refuse(struct net_stack *s, const struct tcp_seg *g)
{
	s->n.drop_noport++;
	if (g->flags & TH_RST)
		return;
	if (g->flags & TH_ACK)
		tcp_send_raw(s, g->addr, g->port, g->ack, 0, 0, TH_RST, NULL, NULL, 0);
	else
		tcp_send_raw(s, g->addr, g->port, 0,
			     g->seq + g->len + ((g->flags & TH_SYN) != 0) +
				     ((g->flags & TH_FIN) != 0),
			     0, TH_RST | TH_ACK, NULL, NULL, 0);
}

/* Not in the connection table: TIME_WAIT, a listener, another shard, or nobody. Takes the packet.
 */
COLD static void no_conn(struct net_stack *s, struct tcp_seg *g)
{
	struct tcp_tw *tw = tw_lookup(s, g->addr, g->port);
	struct tcp_listener *l;

	if (tw != NULL && !tw_input(s, tw, g)) {
		pbuf_free(s->cfg.pool, g->p);
		return;
	}
	if (s->dir != NULL && tcp_elsewhere(s, g->p, g->addr, g->port))
		return;
	l = listener_find(s, g->addr, be16((uint16_t)(g->port >> 16)));
	if (l != NULL)
		listen_input(s, l, g);
	else
		refuse(s, g);
	if (g->p != NULL)
		pbuf_free(s->cfg.pool, g->p);
}

/* Did a router mark it? For both versions of IP. */
static inline bool ip_ce(const uint8_t *ip)
{
	return ((ip[0] >> 4 == 4 ? ip[1] : ip[1] >> 4) & TOS_ECN) == TOS_CE;
}

COLD static void slow(struct net_stack *s, struct tcp_conn *c, struct pbuf *p, const uint8_t *th,
		      uint32_t ihl, struct tcp_pair addr)
{
	uint32_t hl = ((uint32_t)th[12] >> 4) * 4;
	struct tcp_seg g = {
		.p = p,
		.th = th,
		.addr = addr,
		.port = ld32(th),
		.seq = ldbe32(th + 4),
		.ack = ldbe32(th + 8),
		.len = p->total - ihl - hl,
		.wnd = ldbe16(th + 14),
		.hdr = ihl + hl,
		.flags = th[13],
		.ce = ip_ce(p->data),
	};

	if (!tcp_parse_opts(th, hl, &g.o)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (c != NULL)
		tcp_segment(c, &g);
	else
		no_conn(s, &g);
}

/* The acknowledgement covers exactly the one segment in flight, never retransmitted. */
static inline bool ack_one(struct tcp_conn *c, uint32_t ack)
{
	struct pbuf *p = c->tx_head;

	if (p == NULL || p->end_seq != ack || p == c->tx_next || seg_next(p) != c->tx_next ||
	    (seg_marks(p) & ~SEG_PUSH) != 0)
		return false;
	c->bytes_out += ack - c->snd_una;
	c->snd_una = ack;
	c->tx_count--;
	c->tx_head = c->tx_next;
	if (c->tx_head == NULL)
		c->tx_tail = NULL;
	/* one sample a millisecond is plenty (RFC 6298 asks for one a round trip) */
	if (now_tick(c->stack) != c->rtt_tick) {
		c->rtt_tick = now_tick(c->stack);
		tcp_rtt_sample(c, (uint32_t)((c->stack->now - p->time_ns) >> 10));
	}
	if (likely(p->refs == 1)) {
		p->next = NULL;
		pbuf_free(c->stack->cfg.pool, p);
	} else {
		p->refs--;
	}
	return true;
}

/* In-order data or a plain acknowledgement on a clean established connection. Takes the packet. */
static inline __attribute__((always_inline)) void fast(struct net_stack *s, struct tcp_conn *c,
						       struct pbuf *p, const uint8_t *th,
						       uint32_t hdr, uint32_t len)
{
	uint32_t ack = ldbe32(th + 8), seq = c->rcv_nxt;
	unsigned events = 0;

	c->snd_wnd = (uint32_t)ldbe16(th + 14) << c->snd_scale;
	c->snd_wl1 = seq;
	c->snd_wl2 = ack;
	if (unlikely(c->snd_wnd > c->max_wnd))
		c->max_wnd = c->snd_wnd;
	c->last_rx = now_tick(s);
	if (c->hdr_len != TCP_HLEN && seq == c->rcv_wup)
		c->ts_recent = ldbe32(th + 24);
	if (ack != c->snd_una) {
		uint32_t before = c->snd_una;

		if (!ack_one(c, ack))
			(void)tcp_clean_acked(c, ack);

		c->first_rto = 0;
		if (c->snd_una == c->snd_nxt)
			c->rto_at = c->pto_at = 0;
		else
			conn_set_rto(c), conn_arm_probe(c);
		if (c->flags & TF_CWND_LIMITED)
			cc_acked(c, ack - before);
		if (unlikely(c->flags & TF_NOSPACE) && tcp_tx_space(c) >= c->sndbuf / 3) {
			c->flags &= ~TF_NOSPACE;
			events = TCP_EV_WRITABLE;
		}
	}
	if (len != 0) {
		p->data += hdr;
		p->len -= hdr;
		p->total = len;
		c->rcv_nxt = seq + len;
		if (len > c->rcv_mss)
			c->rcv_mss = (uint16_t)GW_MIN(len, c->mss);
		if (likely(c->rx_tail == NULL && p->next == NULL)) {
			c->rx_head = c->rx_tail = p;
			c->rx_bytes = len;
			c->bytes_in += len;
		} else {
			rx_queue(c, p);
		}
		events |= TCP_EV_READABLE;
		if (c->rcv_nxt - c->rcv_wup > c->rcv_mss || (c->flags & TF_QUICKACK))
			c->flags |= TF_ACK_NOW;
	} else {
		pbuf_free(s->cfg.pool, p);
	}
	if (events != 0)
		tcp_event(c, events);
	if (c->tx_next != NULL)
		tcp_output(c);
	if (c->rcv_nxt != c->rcv_wup) {
		if (c->flags & TF_ACK_NOW) {
			if (s->cfg.ack_batch)
				conn_block(c); /* until tcp_poll */
			else
				tcp_send_ack(c);
		} else if (c->delack_at == 0) {
			c->delack_at = tick_in(s, TCP_DELACK);
			conn_arm(c, c->delack_at);
		}
	}
}

static __attribute__((noinline)) void fast_general(struct net_stack *s, struct tcp_conn *c,
						   struct pbuf *p, const uint8_t *th, uint32_t hdr,
						   uint32_t len)
{
	fast(s, c, p, th, hdr, len);
}

/* Is this the segment we expect? Everything but checksums and addresses. */
static inline bool predicted(const struct tcp_conn *c, const uint8_t *th, uint32_t len)
{
	uint32_t ack = ldbe32(th + 8);

	return c->state == TCP_ESTABLISHED && (th[13] | TH_PSH) == (TH_ACK | TH_PSH) &&
	       th[12] == c->hdr_len << 2 && ldbe32(th + 4) == c->rcv_nxt &&
	       !(c->flags & (TF_SLOW | TF_PERSIST)) &&
	       ack - c->snd_una <= c->snd_nxt - c->snd_una && len <= c->rcv_adv - c->rcv_nxt &&
	       (c->hdr_len == TCP_HLEN ||
		(ld32(th + 20) == TCP_TS_WORD && SEQ_GE(ldbe32(th + 24), c->ts_recent))) &&
	       (len != 0 || ack != c->snd_una || c->snd_una == c->snd_nxt);
}

bool tcp_fast_input(struct net_stack *s, struct pbuf *p)
{
	const uint8_t *eth = p->data, *ip = eth + ETH_HLEN, *th = ip + IP4_HLEN;
	uint32_t total, len;
	struct tcp_conn *c;

	if (p->len < ETH_HLEN + IP4_HLEN + TCP_HLEN || p->next != NULL)
		return false;
	/* to us; IPv4 without options; neither CE nor ECT(1); no fragment; TCP; all there */
	total = ldbe16(ip + 2);
	if ((ld64(eth) << 16) != s->mac48 << 16 || (ld32(eth + 12) & 0x1ffffff) != 0x450008 ||
	    (ld16(ip + 6) & 0xff3f) != 0 || ip[9] != IP_TCP || total + ETH_HLEN > p->len)
		return false;
	/* A connection's addresses were checked when it was made: its key vouches for the packet's.
	 */
	c = tcp_lookup(s, ld64(ip + 12), ld32(th));
	if (c == NULL)
		return false;
	len = total - IP4_HLEN - c->hdr_len;
	if ((int32_t)len < 0 || !predicted(c, th, len) || csum_fold(csum_20(ip)) != 0xffff)
		return false;
	if (!(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    csum_fold(csum_bytes(th, total - IP4_HLEN,
				 (uint64_t)c->ph_sum + be16((uint16_t)(total - IP4_HLEN)))) !=
		    0xffff)
		return false;
	p->len = total + ETH_HLEN; /* without Ethernet padding */
	fast(s, c, p, th, total + ETH_HLEN - len, len);
	return true;
}

/* The whole TCP header in the first fragment? Takes the packet when not. ihl: where it begins. */
COLD static bool whole_header(struct net_stack *s, struct pbuf *p, uint32_t ihl)
{
	uint32_t hl;

	if (likely(p->len >= ihl + TCP_HLEN) || pbuf_pull(s, p, ihl + TCP_HLEN)) {
		hl = ((uint32_t)p->data[ihl + 12] >> 4) * 4;
		if (likely(hl >= TCP_HLEN && ihl + hl <= p->total &&
			   (ihl + hl <= p->len || pbuf_pull(s, p, ihl + hl))))
			return true;
	}
	drop(s, p, &s->n.drop_short);
	return false;
}

/* pseudo: the pseudo header's sum. */
static inline bool sum_good(const struct pbuf *p, uint32_t ihl, uint64_t pseudo)
{
	uint32_t len = p->total - ihl;

	return csum_fold(p->next == NULL ? csum_bytes(p->data + ihl, len, pseudo)
					 : csum_chain(p, ihl, len, pseudo)) == 0xffff;
}

static void dispatch(struct net_stack *s, struct tcp_conn *c, struct pbuf *p, uint32_t ihl,
		     struct tcp_pair addr)
{
	const uint8_t *th = p->data + ihl;
	uint32_t hl = ((uint32_t)th[12] >> 4) * 4, len = p->total - ihl - hl;

	if (likely(c != NULL) && predicted(c, th, len) && likely(!ip_ce(p->data)))
		fast_general(s, c, p, th, ihl + hl, len);
	else
		slow(s, c, p, th, ihl, addr);
}

void tcp_input(struct net_stack *s, struct pbuf *p)
{
	uint32_t ihl = (uint32_t)(p->data[0] & 15) * 4;
	const uint8_t *ip;
	struct tcp_pair addr;

	if (unlikely(!whole_header(s, p, ihl)))
		return;
	ip = p->data;
	if (!(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    unlikely(!sum_good(p, ihl,
			       pseudo_sum(ld32(ip + 12), ld32(ip + 16), IP_TCP, p->total - ihl)))) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	addr = (struct tcp_pair){ ld64(ip + 12), NULL };
	dispatch(s, tcp_lookup(s, addr.key, ld32(ip + ihl)), p, ihl, addr);
}

void tcp6_input(struct net_stack *s, struct pbuf *p, uint32_t off)
{
	struct tcp_pair addr;

	if (unlikely(!whole_header(s, p, off)))
		return;
	if (!(p->flags & (PBUF_CSUM_GOOD | PBUF_CSUM_PARTIAL)) &&
	    unlikely(!sum_good(p, off, pseudo6_sum(p->data + 8, IP_TCP, p->total - off)))) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	addr = pair6(s, p->data + 8);
	p->seq = off; /* for tcp_attach, should it wait for its connection */
	dispatch(s, tcp_lookup_pair(s, addr, ld32(p->data + off)), p, off, addr);
}
