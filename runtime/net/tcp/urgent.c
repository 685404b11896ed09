/* SPDX-License-Identifier: Apache-2.0 */
/* urgent.c - the urgent mechanism (RFC 9293 3.8.5) as RFC 6093 leaves it: urgent data stays in the
 * stream, the pointer only says how far it goes. */
#include "runtime/net/tcp/tcp_internal.h"

void urgent_take(struct tcp_conn *c, const struct tcp_seg *g)
{
	uint32_t up = g->seq + ldbe16(g->th + 18), read = c->rcv_nxt - c->rx_bytes;
	bool pending = (c->ecn & URG_HEARD) && SEQ_LT(read, c->rcv_up);

	if (!SEQ_LT(read, up) || (pending && SEQ_LE(up, c->rcv_up)))
		return;
	c->rcv_up = up;
	c->ecn |= URG_HEARD;
	tcp_event(c, TCP_EV_URGENT);
}

size_t tcp_rx_urgent(const struct tcp_conn *c)
{
	uint32_t read = c->rcv_nxt - c->rx_bytes;

	return (c->ecn & URG_HEARD) && SEQ_LT(read, c->rcv_up) ? c->rcv_up - read : 0;
}

void tcp_tx_urgent(struct tcp_conn *c)
{
	c->snd_up = c->snd_end;
	ecn_set(c, URG_SAY, 0);
	c->flags |= TF_FORCE; /* not held back for the sake of full segments */
	tcp_output(c);
	c->flags &= ~TF_FORCE;
}

/* The header of a segment that begins at seq. */
void urgent_say(struct tcp_conn *c, uint8_t *th, uint32_t seq)
{
	if (SEQ_GE(c->snd_una, c->snd_up)) {
		ecn_set(c, 0, URG_SAY);
	} else if (SEQ_LT(seq, c->snd_up)) {
		th[13] |= TH_URG;
		stbe16(th + 18, (uint16_t)GW_MIN(c->snd_up - seq, 65535u));
	}
}
