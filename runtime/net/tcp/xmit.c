/* SPDX-License-Identifier: Apache-2.0 */
/* xmit.c - builds TCP segments and hands them down. Data is sent from the send queue's own pbufs,
 * headers in their headroom; the device holds a second reference until it is done. Only a segment
 * that the device still holds, or one for loopback (whose receiver keeps it), is copied. */
#include "runtime/net/tcp/tcp_internal.h"
#include "runtime/net/arp_internal.h"

/* The window field: never takes back what was promised, never opens by silly steps (RFC
 * 9293 3.8.6.2.2). */
static inline uint32_t window(struct tcp_conn *c)
{
	uint32_t space = c->rcvbuf > c->rx_bytes ? c->rcvbuf - c->rx_bytes : 0;
	uint32_t edge = c->rcv_nxt + space, step = GW_MIN((uint32_t)c->rcv_mss, c->rcvbuf / 2);
	uint32_t wnd;

	if (SEQ_GE(edge, c->rcv_adv + step)) {
		wnd = GW_MIN(space, 65535u << c->rcv_scale);
		wnd &= ~((1u << c->rcv_scale) - 1);
		if (SEQ_GT(c->rcv_nxt + wnd, c->rcv_adv))
			c->rcv_adv = c->rcv_nxt + wnd;
	}
	wnd = c->rcv_adv - c->rcv_nxt;
	return GW_MIN(wnd >> c->rcv_scale, 65535u);
}

uint32_t tcp_window(struct tcp_conn *c)
{
	return window(c);
}

/* The header in front of `end`. room: bytes that options may take beyond the usual (for SACK). */
static inline __attribute__((always_inline)) uint8_t *
build(struct tcp_conn *c, uint8_t *end, uint32_t seq, uint8_t flags, uint32_t room)
{
	uint32_t hl = c->hdr_len;
	uint8_t *th;

	if (room >= 12 && (c->flags & TF_SACK) &&
	    unlikely((c->flags & TF_OOO) || c->dup_from != c->dup_to)) {
		uint32_t b[3][2];
		unsigned n = sack_blocks(c, b, hl > TCP_HLEN ? 3 : GW_MIN(3u, (room - 4) / 8));

		if (n > 0 && room >= 4 + 8 * n) {
			end -= 4 + 8 * n;
			end[0] = end[1] = 1;
			end[2] = 5;
			end[3] = (uint8_t)(2 + 8 * n);
			for (unsigned i = 0; i < n; i++) {
				stbe32(end + 4 + 8 * i, b[i][0]);
				stbe32(end + 8 + 8 * i, b[i][1]);
			}
			hl += 4 + 8 * n;
		}
	}
	if (likely(c->hdr_len != TCP_HLEN)) {
		end -= TCP_TS_LEN;
		st64(end, TCP_TS_WORD | (uint64_t)be32(conn_ts_now(c)) << 32);
		stbe32(end + 8, c->ts_recent);
	}
	th = end - TCP_HLEN;
	st32(th, c->key_port << 16 | c->key_port >> 16);
	stbe32(th + 4, seq);
	stbe32(th + 8, c->rcv_nxt);
	/* offset and flags, window, checksum 0, urgent 0 */
	st64(th + 12, hl << 2 | (uint32_t)flags << 8 | (uint32_t)be16((uint16_t)window(c)) << 16);
	c->rcv_wup = c->rcv_nxt;
	c->flags &= ~TF_ACK_NOW;
	c->delack_at = 0;
	return th;
}

/* Checksum, IP and Ethernet headers, and out. th: TCP header in p's headroom; len: TCP header and
 * payload. */
static inline __attribute__((always_inline)) int finish(struct tcp_conn *c, struct pbuf *p,
							uint8_t *th, uint32_t len, bool ect)
{
	struct net_stack *s = c->stack;
	uint8_t *ip = th - IP4_HLEN;
	struct arp_entry *a = c->arp;
	uint32_t mss = c->mss, total, tos = ect ? c->tos : c->tos & ~TOS_ECN;
	uint64_t ps = (uint64_t)c->ph_sum + be16((uint16_t)len);

	if (unlikely(conn_is6(c)))
		return six_finish(c, p, th, len, (uint8_t)tos);
	p->len += (uint32_t)(p->data - ip);
	p->data = ip;
	p->total = len + IP4_HLEN;
	total = be16((uint16_t)(len + IP4_HLEN));
	/* identification 0 (RFC 6864), don't fragment; TTL, TCP, checksum */
	tos <<= 8;
	st64(ip, 0x0040000000000045ull | (uint64_t)total << 16 | tos);
	st32(ip + 8, 0x0600u | c->ttl |
			     (uint32_t)(uint16_t)~csum_fold((uint64_t)c->ip_sum + total + tos)
				     << 16);
	st64(ip + 12, c->key_addr << 32 | c->key_addr >> 32);
	p->flags = 0;
	if (unlikely(c->flags & TF_LOOP)) {
		p->flags = PBUF_LOOPBACK | PBUF_CSUM_GOOD;
		loop_send(s, p);
		return 0;
	}
	if (s->cfg.csum_tx) {
		st16(th + 16, csum_fold(ps));
		p->flags = PBUF_CSUM_PARTIAL;
		p->csum_start = ETH_HLEN + IP4_HLEN;
		p->csum_offset = 16;
		p->hdr_len = (uint16_t)(ETH_HLEN + IP4_HLEN + ((uint32_t)th[12] >> 4) * 4);
		if (len - (((uint32_t)th[12] >> 4) * 4) > mss) {
			p->flags |= PBUF_GSO_TCP4;
			p->gso_size = (uint16_t)mss;
		}
	} else if (likely(p->next == NULL)) {
		st16(th + 16, (uint16_t)~csum_fold(csum_bytes(th, len, ps)));
	} else {
		st16(th + 16, (uint16_t)~csum_fold(csum_chain(p, IP4_HLEN, len, ps)));
	}
	if (unlikely(!arp_ready(a, c->next_hop, now_tick(s)))) {
		c->arp = a = arp_usable(s, c->next_hop);
		if (a == NULL)
			return arp_send(s, p, c->next_hop);
	}
	a->used = now_tick(s);
	st64(ip - 16, ld64(a->eth)); /* headroom is there: two bytes more than needed */
	st64(ip - 8, ld64(a->eth + 8));
	return frame_out(s, p);
}

/* The same out of line, for all but the one fresh segment. */
static __attribute__((noinline)) uint8_t *build_any(struct tcp_conn *c, uint8_t *end, uint32_t seq,
						    uint8_t flags, uint32_t room)
{
	uint8_t *th = build(c, end, seq, flags | (c->ecn & TH_ECE), room);

	if (unlikely(c->ecn & URG_SAY))
		urgent_say(c, th, seq);
	return th;
}

static __attribute__((noinline)) int finish_any(struct tcp_conn *c, struct pbuf *p, uint8_t *th,
						uint32_t len, bool ect)
{
	return finish(c, p, th, len, ect);
}

static void sent(struct tcp_conn *c, uint32_t bytes, uint8_t flags)
{
	if (flags & TH_CWR)
		ecn_set(c, 0, TH_CWR);
	if (c->flags & TF_PACED)
		bbr_sent(c, bytes);
	if (c->rto_at == 0 || (c->flags & TF_PERSIST)) {
		c->flags &= ~TF_PERSIST;
		conn_set_rto(c);
	}
}

/* One fresh segment, the common case: header, checksum and out in one go. SACK blocks are not
 * wanted. */
int tcp_xmit_fresh(struct tcp_conn *c, struct pbuf *p, uint32_t len)
{
	uint8_t *pay = seg_payload(p), *th;
	int err;

	p->refs++;
	p->next = NULL;
	p->time_ns = c->stack->now;
	th = build(c, pay, p->seq, TH_ACK | TH_PSH, 0);
	p->data = th;
	p->len = len + (uint32_t)(pay - th);
	err = finish(c, p, th, p->len, true);
	if (unlikely(err != 0))
		return err;
	if (likely(c->rto_at == 0 && c->backoff == 0)) {
		c->rto_at = tick_in(c->stack, TCP_LONE); /* timer.c decides: probe or timeout */
		conn_arm(c, c->rto_at);
	} else {
		sent(c, len, 0);
	}
	return 0;
}

/* Send n send-queue pbufs from p on, together `bytes` long, as one packet. None is held by the
 * device. */
int tcp_xmit_chain(struct tcp_conn *c, struct pbuf *p, uint32_t n, uint32_t bytes, uint8_t flags)
{
	uint64_t now = c->stack->now;
	uint32_t seq = p->seq;
	bool fresh = seq == c->snd_nxt;
	struct pbuf *q = p;
	uint8_t *th;
	int err;

	if (fresh)
		flags |= c->ecn & TH_CWR;
	for (;;) {
		struct pbuf *next = seg_next(q);

		q->refs++;
		q->data = seg_payload(q);
		q->len = seg_len(q);
		q->time_ns = now;
		if (unlikely(c->flags & TF_PACED))
			rate_sent(c, q);
		if (seg_marks(q) & SEG_PUSH)
			flags |= TH_PSH;
		if (--n == 0)
			break;
		q->next = next;
		q = next;
	}
	q->next = NULL;
	th = build_any(c, p->data, seq, flags | TH_ACK, c->mss > bytes ? c->mss - bytes : 0);
	p->len += (uint32_t)(p->data - th);
	p->data = th;
	err = finish_any(c, p, th, bytes + (uint32_t)(seg_payload(p) - th), fresh);
	if (likely(err == 0))
		sent(c, bytes, flags);
	return err;
}

int tcp_xmit_copy(struct tcp_conn *c, struct pbuf *p, uint8_t flags)
{
	struct net_stack *s = c->stack;
	uint32_t len = seg_len(p);
	struct pbuf *q = pbuf_alloc(s->cfg.pool, TCP_TX_OFF);
	bool fresh = p->seq == c->snd_nxt;
	uint8_t *th, *pay;
	int err;

	if (q == NULL)
		return -ENOBUFS;
	pay = q->data;
	memcpy(pay, seg_payload(p), len);
	if (fresh)
		flags |= c->ecn & TH_CWR;
	if (seg_marks(p) & SEG_PUSH)
		flags |= TH_PSH;
	th = build_any(c, pay, p->seq, flags | TH_ACK, c->mss > len ? c->mss - len : 0);
	q->data = th;
	q->len = len + (uint32_t)(pay - th);
	p->time_ns = s->now;
	if (c->flags & TF_PACED)
		rate_sent(c, p);
	err = finish_any(c, q, th, q->len, fresh);
	if (err == 0)
		sent(c, len, flags);
	return err;
}

/* A segment without data: ACK, FIN, probe. */
int tcp_send_ctl(struct tcp_conn *c, uint32_t seq, uint8_t flags)
{
	struct pbuf *q = pbuf_alloc(c->stack->cfg.pool, TCP_TX_OFF);
	uint8_t *th;

	if (q == NULL)
		return -ENOBUFS;
	th = build_any(c, q->data, seq, flags | TH_ACK, 28);
	q->len = (uint32_t)(q->data - th);
	q->data = th;
	return finish_any(c, q, th, q->len, false);
}

void tcp_send_ack(struct tcp_conn *c)
{
	if (tcp_send_ctl(c, c->snd_nxt, 0) != 0)
		c->flags |= TF_ACK_NOW; /* with the next packet */
}

/* SYN, or SYN and ACK in SYN_RECEIVED. */
COLD int tcp_send_syn(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	struct pbuf *q = pbuf_alloc(s->cfg.pool, TCP_TX_OFF);
	bool ack = c->state == TCP_SYN_RECEIVED, active = (c->flags & TF_ACTIVE) && !ack;
	uint32_t wnd = GW_MIN(c->rcvbuf, 65535u), n;
	uint8_t o[40], *th;

	if (q == NULL)
		return -ENOBUFS;
	o[0] = 2;
	o[1] = 4;
	stbe16(o + 2, (uint16_t)GW_MIN(c->rt_mtu - conn_headers(c),
				       c->maxseg ? (uint32_t)c->maxseg : TCP_MAX_MSS));
	n = 4;
	if (active || (c->flags & TF_SACK)) {
		o[n++] = 4;
		o[n++] = 2;
	}
	if (active || (c->flags & TF_TS)) {
		while ((n & 3) != 2)
			o[n++] = 1;
		o[n++] = 8;
		o[n++] = 10;
		stbe32(o + n, conn_ts_now(c));
		stbe32(o + n + 4, ack ? c->ts_recent : 0);
		n += 8;
	}
	if (active || c->rcv_scale != 0 || c->snd_scale != 0) {
		o[n++] = 1;
		o[n++] = 3;
		o[n++] = 3;
		o[n++] = c->rcv_scale;
	}
	while ((n & 3) != 0)
		o[n++] = 1;
	th = q->data - n - TCP_HLEN;
	memcpy(th + TCP_HLEN, o, n);
	st32(th, c->key_port << 16 | c->key_port >> 16);
	stbe32(th + 4, c->iss);
	stbe32(th + 8, ack ? c->rcv_nxt : 0);
	stbe16(th + 12,
	       (uint16_t)((TCP_HLEN + n) << 10 | TH_SYN | (ack ? TH_ACK : 0u) | ecn_syn(c)));
	stbe16(th + 14, (uint16_t)wnd);
	st32(th + 16, 0);
	c->rcv_adv = c->rcv_nxt + wnd;
	c->rcv_wup = c->rcv_nxt;
	q->data = th;
	q->len = TCP_HLEN + n;
	return finish_any(c, q, th, q->len, false);
}

COLD void tcp_send_rst(struct tcp_conn *c)
{
	uint32_t ts[2] = { conn_ts_now(c), c->ts_recent };

	tcp_send_raw(c->stack, conn_pair(c), c->key_port, c->snd_nxt, c->rcv_nxt, 0,
		     TH_RST | TH_ACK, c->flags & TF_TS ? ts : NULL, NULL, 0);
}

COLD void tcp_send_raw(struct net_stack *s, struct tcp_pair addr, uint32_t port, uint32_t seq,
		       uint32_t ack, uint32_t wnd, uint8_t flags, const uint32_t *ts,
		       const uint8_t *opts, uint32_t n_opts)
{
	uint32_t src = (uint32_t)(addr.key >> 32), dst = (uint32_t)addr.key;
	struct pbuf *q = pbuf_alloc(s->cfg.pool, TCP_TX_OFF);
	uint8_t *th;
	uint32_t n = n_opts + (ts != NULL ? TCP_TS_LEN : 0);

	if (flags & TH_RST)
		s->n.rst_sent++;
	if (q == NULL)
		return;
	th = q->data -= TCP_HLEN + n;
	q->len = q->total = TCP_HLEN + n;
	st32(th, port << 16 | port >> 16);
	stbe32(th + 4, seq);
	stbe32(th + 8, ack);
	stbe16(th + 12, (uint16_t)((TCP_HLEN + n) << 10 | flags));
	stbe16(th + 14, (uint16_t)wnd);
	st32(th + 16, 0);
	if (n_opts != 0)
		memcpy(th + TCP_HLEN, opts, n_opts);
	if (ts != NULL) {
		st32(th + TCP_HLEN + n_opts, TCP_TS_WORD);
		stbe32(th + TCP_HLEN + n_opts + 4, ts[0]);
		stbe32(th + TCP_HLEN + n_opts + 8, ts[1]);
	}
	if (addr.six != NULL) {
		st16(th + 16, (uint16_t)~csum_fold(csum_bytes(
				      th, q->len, pseudo6_sum(addr.six, IP_TCP, q->len))));
		(void)ip6_output(s, q, addr.six + 16, addr.six, IP_TCP);
		return;
	}
	st16(th + 16,
	     (uint16_t)~csum_fold(csum_bytes(th, q->len, pseudo_sum(src, dst, IP_TCP, q->len))));
	(void)ip4_output(s, q, src, dst, IP_TCP, 64);
}
