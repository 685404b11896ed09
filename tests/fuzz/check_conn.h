/* SPDX-License-Identifier: Apache-2.0 */
/* check_conn.h - what is true of a TCP connection between any two events: its queues and its
 * scoreboard agree with the sums kept of them. */
#ifndef GODWIT_FUZZ_CHECK_CONN_H
#define GODWIT_FUZZ_CHECK_CONN_H

#include "runtime/net/tcp/tcp_internal.h"

static void check_conn(const struct tcp_conn *c)
{
	uint32_t n = 0, bytes = 0, sacked = 0, lost = 0, retrans = 0;
	const struct pbuf *p;

	if (c->state == TCP_CLOSED)
		return;
	for (p = c->tx_head; p != NULL; p = seg_next(p)) {
		uint32_t len = seg_len(p);

		n++;
		sacked += seg_marks(p) & SEG_SACKED ? len : 0;
		lost += seg_marks(p) & SEG_LOST ? len : 0;
		retrans += seg_marks(p) & SEG_RETRANS ? len : 0;
		if (len == 0 || len > TCP_TX_CAP || (seg_next(p) == NULL && p != c->tx_tail))
			panic("send queue");
	}
	if (n != c->tx_count || lost != c->lost || retrans != c->retrans ||
	    ((c->flags & TF_SACK) && sacked != c->sacked))
		panic("scoreboard");
	for (p = c->rx_head; p != NULL; p = p->next)
		bytes += p->len;
	if (bytes != c->rx_bytes || c->rx_bytes > 4 * c->rcvbuf)
		panic("receive queue: %u of %u", bytes, c->rx_bytes);
	n = 0;
	for (p = c->ooo; p != NULL; p = seg_next(p), n++) {
		if (p->total != p->end_seq - p->seq || SEQ_LE(p->end_seq, c->rcv_nxt))
			panic("out-of-order list");
	}
	if (n != c->ooo_count || (n != 0) != ((c->flags & TF_OOO) != 0))
		panic("out-of-order count");
}

#endif
