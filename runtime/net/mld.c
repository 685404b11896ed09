/* SPDX-License-Identifier: Apache-2.0 */
/* mld.c - multicast listener reports (RFC 3810; RFC 2710 where a router speaks only that) for the
 * solicited-node groups of our addresses, so that switches that look at them let neighbour
 * solicitations through. A group is joined with its address, and stays until that goes. */
#include "runtime/net/ip6_internal.h"

#define MODE_IS_EXCLUDE 2 /* record types of 5.2.12 */
#define CHANGE_TO_INCLUDE 3
#define CHANGE_TO_EXCLUDE 4
#define REPORT_V2 143
#define REPORT_V1 131
#define ROBUSTNESS 2
#define V1_TICKS WHEEL_MS(400000) /* older version querier present timeout (9.12) */

static const uint8_t all_mld2[16] = { 0xff, 2, [15] = 0x16 };

/* The hop-by-hop header with a router alert that every report has (5), and out. From our link-local
 * address, or while that is not settled from nobody (RFC 3590). */
static void emit(struct net_stack *s, struct pbuf *p, const uint8_t *dst)
{
	static const uint8_t alert[8] = { IP_ICMP6, 0, 5, 2, 0, 0, 1, 0 };
	const struct net_ip6_addr *a = &s->v6->pub.addr[0];
	uint8_t six[32] = { 0 };

	if (a->state == NET_IP6_PREFERRED)
		memcpy(six, a->addr, 16);
	memcpy(six + 16, dst, 16);
	st16(p->data + 2,
	     (uint16_t)~csum_fold(csum_bytes(p->data, p->len, pseudo6_sum(six, IP_ICMP6, p->len))));
	p->data -= sizeof(alert);
	p->len += (uint32_t)sizeof(alert);
	p->total = p->len;
	memcpy(p->data, alert, sizeof(alert));
	(void)ip6_send(s, p, six, dst, IP6_HOPOPTS, 1);
}

static void put_record(struct pbuf *p, uint8_t type, const uint8_t *addr)
{
	uint8_t *r = p->data + p->len;

	memset(r, 0, 4);
	r[0] = type;
	ip6_solicited(addr, r + 4);
	p->len += 20;
	stbe16(p->data + 6, (uint16_t)(ldbe16(p->data + 6) + 1));
}

/* One version 2 report of all groups; two addresses may share one. */
static void report(struct net_stack *s, uint8_t type)
{
	struct pbuf *p = icmp6_new(s, REPORT_V2, 0, 8);

	if (p == NULL)
		return;
	for (unsigned i = 0; i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &s->v6->pub.addr[i];

		if (a->state != NET_IP6_FREE && a->state != NET_IP6_DUPLICATE)
			put_record(p, type, a->addr);
	}
	emit(s, p, all_mld2);
}

static void report_v1(struct net_stack *s)
{
	for (unsigned i = 0; i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &s->v6->pub.addr[i];
		struct pbuf *p;
		uint8_t group[16];

		if (a->state == NET_IP6_FREE || a->state == NET_IP6_DUPLICATE)
			continue;
		p = icmp6_new(s, REPORT_V1, 0, 24);
		if (p == NULL)
			return;
		ip6_solicited(a->addr, group);
		memcpy(p->data + 8, group, 16);
		emit(s, p, group);
	}
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	struct ip6_state *v = s->v6;

	if (v->mld_v1_until != 0 && !tick_due(now_tick(s), v->mld_v1_until))
		report_v1(s);
	else
		report(s, v->mld_type);
	if (v->mld_again != 0) { /* once more, in case it was lost (6.1) */
		v->mld_again--;
		net_timer_by(s, t, 1 + random_u32() % WHEEL_MS(1000));
	}
}

void mld_init(struct net_stack *s)
{
	timer_init(&s->v6->mld_timer, fire);
}

void mld_join(struct net_stack *s)
{
	timer_cancel(&s->v6->mld_timer);
	s->v6->mld_type = CHANGE_TO_EXCLUDE;
	s->v6->mld_again = ROBUSTNESS - 1;
	fire(s, &s->v6->mld_timer);
}

void mld_leave(struct net_stack *s, const uint8_t *addr)
{
	struct pbuf *p = icmp6_new(s, REPORT_V2, 0, 8);

	if (p == NULL)
		return;
	put_record(p, CHANGE_TO_INCLUDE, addr);
	emit(s, p, all_mld2);
}

/* A router asks (5.1): answer within the time that it gives, all groups together. n: of the
 * message, of which msg has the first 28 bytes. Another shard's addresses are reported by that one.
 */
void mld_query(struct net_stack *s, const uint8_t *msg, uint32_t n)
{
	struct ip6_state *v = s->v6;
	uint32_t code, ms;

	if (n < 24 || (n > 24 && n < 28)) {
		s->n.drop_short++;
		return;
	}
	code = ldbe16(msg + 4);
	if (n == 24)
		v->mld_v1_until = (now_tick(s) + V1_TICKS) | 1;
	/* 5.1.3: large codes are floating point */
	ms = n == 24 || code < 0x8000 ? code
				      : ((code & 0xfff) | 0x1000) << (((code >> 12) & 7) + 3);
	if (timer_armed(&v->mld_timer)) /* a report is on its way */
		return;
	v->mld_type = MODE_IS_EXCLUDE;
	v->mld_again = 0;
	net_timer_by(s, &v->mld_timer, 1 + random_u32() % (WHEEL_MS(GW_MIN(ms, 60000u)) + 1));
}
