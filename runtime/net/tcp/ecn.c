/* SPDX-License-Identifier: Apache-2.0 */
/* ecn.c - explicit congestion notification (RFC 3168): a router with a queue marks a packet instead
 * of dropping it, the receiver echoes the mark (ECE) until the sender says that it slowed down
 * (CWR). Agreed in the handshake; then new data is sent as ECT(0), and nothing else is:
 * acknowledgements, retransmissions and probes say no congestion that anybody would act on (6.1.4
 * to 6.1.6). What must be said is in c->ecn as the header's own bits; TF_SAY keeps segments off the
 * short ways as long. */
#include "runtime/net/tcp/tcp_internal.h"

#define ECN_SETUP (TH_ECE | TH_CWR)

void ecn_set(struct tcp_conn *c, uint8_t set, uint8_t clear)
{
	c->ecn = (uint8_t)((c->ecn & ~clear) | set);
	c->flags &= ~TF_SAY;
	if (c->ecn & (TH_ECE | TH_CWR | URG_SAY))
		c->flags |= TF_SAY;
	c->tos = (uint8_t)((c->tos & ~TOS_ECN) | (c->ecn & ECN_ON ? TOS_ECT0 : 0u));
}

/* 6.1.1: both bits ask, ECE alone agrees. A peer that answers with both repeats what it does not
 * understand. */
bool ecn_wanted(const struct net_stack *s, uint8_t flags)
{
	return s->cfg.ecn != NET_ECN_OFF && (flags & ECN_SETUP) == ECN_SETUP;
}

uint8_t ecn_syn(struct tcp_conn *c)
{
	if (c->state == TCP_SYN_RECEIVED)
		return c->ecn & ECN_ON ? TH_ECE : 0;
	/* a SYN that gets no answer may have met someone who throws such away (6.1.1.1) */
	c->ecn = c->stack->cfg.ecn == NET_ECN_REQUEST && c->syn_tries == 0 ? ECN_ASKED : 0;
	return c->ecn != 0 ? ECN_SETUP : 0;
}

void ecn_answered(struct tcp_conn *c, uint8_t flags)
{
	uint8_t agrees = flags & TH_ACK ? TH_ECE : ECN_SETUP; /* without ACK: both opened at once */

	ecn_set(c, (c->ecn & ECN_ASKED) && (flags & ECN_SETUP) == agrees ? ECN_ON : 0,
		ECN_ON | ECN_ASKED);
}

/* In-window data on a connection that agreed. 6.1.3: who says CWR has heard of the marks before;
 * one on that very packet is new. */
void ecn_take(struct tcp_conn *c, const struct tcp_seg *g)
{
	if (g->flags & TH_CWR) {
		ecn_set(c, 0, TH_ECE);
		c->flags |= TF_ACK_NOW; /* its window may be one segment */
	}
	if (g->ce) {
		if (!(c->ecn & TH_ECE))
			c->flags |= TF_ACK_NOW;
		ecn_set(c, TH_ECE, 0);
		c->stack->n.ecn_marked++;
	}
}

/* The window was made smaller, for whatever reason: the next new segment says so (6.1.2). */
void ecn_cut(struct tcp_conn *c)
{
	if (c->ecn & ECN_ON)
		ecn_set(c, TH_CWR, 0);
}

/* The peer echoes a mark, and nothing was done about this window yet: at most once a window, and
 * for a loss in it no more (6.1.2). flight: bytes that were on their way when the echo came. */
void ecn_echoed(struct tcp_conn *c, uint32_t flight)
{
	if (c->flags & TF_PACED)
		bbr_marked(c);
	else
		cc_marked(c, flight);
	c->recover = c->snd_nxt;
	c->cong = CONG_CWR;
	c->stack->n.ecn_slowed++;
	ecn_cut(c);
}
