/* SPDX-License-Identifier: Apache-2.0 */
/* cookie.c - SYN cookies (RFC 4987 3.6): the SYN's facts in our initial sequence number, keyed and
 * good for one to two minutes; window scale and SACK in the low bits of the timestamp when the peer
 * uses timestamps. */
#include "runtime/net/tcp/tcp_internal.h"

#define MSS_BITS 3u
#define TS_BITS 6u /* ECN, scale (4; 15: none), SACK */

static const uint16_t mss_table[1 << MSS_BITS] = { 64, 536, 1200, 1360, 1440, 1460, 4312, 8960 };

static uint32_t cookie_hash(struct net_stack *s, struct tcp_pair addr, uint32_t port, uint32_t irs,
			    uint32_t period)
{
	uint64_t w[3] = { addr.key, (uint64_t)irs << 32 | port, 0x636b0000ull << 32 | period };

	return (uint32_t)siphash(&s->tcp.secret, w, 3) & ~((1u << MSS_BITS) - 1);
}

static uint32_t cookie_period(const struct net_stack *s)
{
	return (uint32_t)(s->now >> 36); /* 69 s */
}

uint32_t cookie_make(struct net_stack *s, const struct tcp_seg *g, uint32_t *tsval)
{
	uint32_t mss = seg_peer_mss(g), i = (1u << MSS_BITS) - 1;
	uint32_t ts = now_tick(s) + tcp_ts_offset(s, g->addr), mask = (1u << TS_BITS) - 1, bits;

	while (i > 0 && mss_table[i] > mss)
		i--;
	bits = (uint32_t)ecn_wanted(s, g->flags) << 5 |
	       (g->o.has_wscale ? g->o.wscale & 15u : 15u) << 1 | g->o.sack_ok;
	ts = (ts & ~mask) | bits;
	if (SEQ_GT(ts, now_tick(s) + tcp_ts_offset(s, g->addr)))
		ts -= mask + 1; /* never ahead of the connection's clock */
	*tsval = ts;
	return cookie_hash(s, g->addr, g->port, g->seq, cookie_period(s)) | i;
}

bool cookie_check(struct net_stack *s, const struct tcp_seg *g, struct tcp_opts *out)
{
	uint32_t isn = g->ack - 1, irs = g->seq - 1, period = cookie_period(s),
		 i = isn & ((1u << MSS_BITS) - 1);

	if ((isn & ~((1u << MSS_BITS) - 1)) != cookie_hash(s, g->addr, g->port, irs, period) &&
	    (isn & ~((1u << MSS_BITS) - 1)) != cookie_hash(s, g->addr, g->port, irs, period - 1))
		return false;
	*out = g->o;
	out->mss = mss_table[i];
	out->has_wscale = out->sack_ok = false;
	if (g->o.has_ts) {
		uint32_t bits = g->o.tsecr & ((1u << TS_BITS) - 1);

		out->sack_ok = bits & 1;
		out->has_wscale = (bits >> 1 & 15) != 15;
		out->wscale = out->has_wscale ? (uint8_t)(bits >> 1 & 15) : 0;
		out->ecn = bits >> 5;
	}
	return true;
}
