/* SPDX-License-Identifier: Apache-2.0 */
/* icmp.c - ICMP (RFC 792, 1122 3.2.2): answers echo, tells of closed ports and unknown protocols,
 * and passes what it hears to the transports. All that it sends is limited in rate, whoever asks.
 */
#include "runtime/net/net_internal.h"

#define ICMP_PER_SECOND 200u

bool icmp_may_send(struct net_stack *s, uint32_t cost)
{
	uint32_t now = now_tick(s);

	if (now - s->icmp_tick >= WHEEL_MS(1000)) {
		s->icmp_tick = now;
		s->icmp_left = ICMP_PER_SECOND * 10;
	}
	if (s->icmp_left < cost)
		return false;
	s->icmp_left -= cost;
	return true;
}

static void echo(struct net_stack *s, struct pbuf *p, uint32_t hl)
{
	uint32_t src = ld32(p->data + 12), dst = ld32(p->data + 16), n = p->total - hl, off = 0;
	struct pbuf *head = NULL, *tail = NULL;
	bool ok = true;

	if (!icmp_may_send(s, 1)) {
		drop(s, p, &s->n.drop_rate);
		return;
	}
	/* answered in fresh pbufs: the received one may lack headroom */
	while (off < n && ok) {
		struct pbuf *q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);
		uint32_t k = GW_MIN(n - off, PBUF_ROOM - PBUF_HEADROOM);

		if (q == NULL)
			break;
		ok = pbuf_copy_out(p, hl + off, q->data, k);
		q->len = q->total = k;
		off += k;
		if (head == NULL)
			head = q;
		else
			tail->next = q;
		tail = q;
	}
	pbuf_free(s->cfg.pool, p);
	if (head == NULL || off < n || !ok) {
		s->n.drop_nomem++;
		if (head != NULL)
			pbuf_free(s->cfg.pool, head);
		return;
	}
	head->total = n;
	head->data[0] = 0;
	st16(head->data + 2, 0);
	st16(head->data + 2, (uint16_t)~csum_fold(csum_chain(head, 0, n, 0)));
	(void)ip4_output(s, head, dst, src, IP_ICMP, 64);
}

/* A complaint about a packet of ours, quoted in it. Returns the shard that it is for when that is
 * another. */
static int heard(struct net_stack *s, const uint8_t *icmp, uint32_t n)
{
	static const int unreach[16] = { ENETUNREACH,  EHOSTUNREACH, ECONNREFUSED, ECONNREFUSED,
					 EMSGSIZE,     EHOSTUNREACH, ENETUNREACH,  EHOSTUNREACH,
					 EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH,
					 EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH };
	const uint8_t *q = icmp + 8;
	uint32_t qhl, src, dst, mtu = 0;
	int err;

	if (n < 8 + IP4_HLEN + 8 || (q[0] >> 4) != 4 ||
	    (qhl = (uint32_t)(q[0] & 15) * 4) < IP4_HLEN || n < 8 + qhl + 8) {
		s->n.drop_short++;
		return -1;
	}
	src = ld32(q + 12);
	dst = ld32(q + 16);
	if (src != s->ip.addr || !s->ip.up) {
		s->n.drop_addr++;
		return -1;
	}
	err = icmp[0] == 3 ? -unreach[icmp[1] & 15] : -EHOSTUNREACH;
	if (icmp[0] == 3 && icmp[1] == 4) {
		mtu = ldbe16(icmp + 6);
		if (mtu < 68) /* an old router: next lower plateau (RFC 1191 section 7) */
			mtu = ldbe16(q + 2) > 1492 ? 1492 : 576;
	}
	if (q[9] == IP_TCP)
		return tcp_icmp(s, pair4(dst, src), q + qhl, err, mtu,
				icmp[0] == 3 && (icmp[1] == 2 || icmp[1] == 3));
	if (q[9] == IP_UDP)
		(void)udp_icmp(
			s,
			&(struct net_endpoint){ .family = 4, .port = ldbe16(q + qhl), .ip4 = src },
			&(struct net_endpoint){
				.family = 4, .port = ldbe16(q + qhl + 2), .ip4 = dst },
			err);
	return -1;
}

void icmp_input(struct net_stack *s, struct pbuf *p)
{
	uint32_t hl = (uint32_t)(p->data[0] & 15) * 4, n = p->total - hl;
	uint8_t copy[8 + 60 + 8];
	uint32_t dst = ld32(p->data + 16);
	int shard = -1;

	if (n < 8) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (csum_fold(csum_chain(p, hl, n, 0)) != 0xffff) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	n = GW_MIN(n, (uint32_t)sizeof(copy));
	if (!pbuf_copy_out(p, hl, copy, n)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (copy[0] == 8 && copy[1] == 0 && (dst == s->ip.addr || (p->flags & PBUF_LOOPBACK))) {
		echo(s, p, hl); /* not to broadcasts: no amplifier */
		return;
	}
	if (copy[0] == 3 || copy[0] == 11 || copy[0] == 12)
		shard = heard(s, copy, n);
	else
		s->n.drop_proto++;
	if (shard >= 0)
		net_forward(s, p, (uint32_t)shard);
	else
		pbuf_free(s->cfg.pool, p);
}

void icmp_error(struct net_stack *s, const struct pbuf *p, uint8_t type, uint8_t code, uint32_t arg)
{
	uint32_t src = ld32(p->data + 12), hl = (uint32_t)(p->data[0] & 15) * 4,
		 n = GW_MIN(p->total, hl + 8), hop;
	struct pbuf *q;

	/* never about an ICMP error, a fragment or to a group (RFC 1122 3.2.2) */
	if (p->data[9] == IP_ICMP || src == 0 || (ldbe16(p->data + 6) & 0x1fff) != 0 ||
	    ip4_route(s, src, &hop) == ROUTE_BROADCAST || !icmp_may_send(s, 10))
		return;
	q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);
	if (q == NULL)
		return;
	q->data[0] = type;
	q->data[1] = code;
	st16(q->data + 2, 0);
	stbe32(q->data + 4, arg);
	if (!pbuf_copy_out(p, 0, q->data + 8, n)) {
		pbuf_free(s->cfg.pool, q);
		return;
	}
	q->len = q->total = 8 + n;
	st16(q->data + 2, (uint16_t)~csum_fold(csum_bytes(q->data, q->len, 0)));
	(void)ip4_output(s, q, ld32(p->data + 16), src, IP_ICMP, 64);
}
