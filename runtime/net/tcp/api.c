/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - what the owner of a connection calls: reading in place, writing into the send queue,
 * closing. */
#include "runtime/net/tcp/tcp_internal.h"

void tcp_set_callbacks(struct net_stack *s, const struct tcp_callbacks *cb)
{
	s->tcp.cb = *cb;
}

void tcp_set_owner(struct tcp_conn *c, void *owner)
{
	c->owner = owner;
	c->flags |= TF_OWNED;
}

void *tcp_owner(const struct tcp_conn *c)
{
	return c->owner;
}

struct net_stack *tcp_stack(const struct tcp_conn *c)
{
	return c->stack;
}

size_t tcp_rx_peek(const struct tcp_conn *c, size_t off, const uint8_t **data)
{
	const struct pbuf *p = c->rx_head;

	while (p != NULL && off >= p->len) {
		off -= p->len;
		p = p->next;
	}
	if (p == NULL)
		return 0;
	*data = p->data + off;
	return p->len - off;
}

size_t tcp_rx_available(const struct tcp_conn *c)
{
	return c->rx_bytes;
}

bool tcp_rx_eof(const struct tcp_conn *c)
{
	return c->rx_bytes == 0 &&
	       ((c->flags & (TF_RX_FIN | TF_RX_SHUT)) || c->state == TCP_CLOSED);
}

/* Bytes left the receive queue: its size, and the window, may grow. */
static inline __attribute__((always_inline)) void rx_consumed(struct tcp_conn *c)
{
	if (c->state != TCP_ESTABLISHED && c->state != TCP_FIN_WAIT_1 && c->state != TCP_FIN_WAIT_2)
		return;
	if (c->rcv_nxt - c->rx_bytes - c->tune_seq > c->rcvbuf / 2)
		rx_tune(c, c->rcv_nxt - c->rx_bytes);
	/* The window was (nearly) shut and has opened to twice of that: tell (RFC 9293 3.8.6.2.2;
	 * for each piece that a program consumes of many would be too often). */
	if (c->rcv_adv - c->rcv_nxt < c->rcvbuf / 2 && !(c->flags & TF_RX_FIN)) {
		uint32_t gain = c->rcvbuf - GW_MIN(c->rcvbuf, c->rx_bytes);

		gain -= GW_MIN(gain, c->rcv_adv - c->rcv_nxt);
		if (gain >= GW_MIN(2u * c->rcv_mss, c->rcvbuf / 2) &&
		    gain >= c->rcv_adv - c->rcv_nxt)
			tcp_send_ack(c);
	}
}

void tcp_rx_consume(struct tcp_conn *c, size_t n)
{
	struct net_stack *s = c->stack;
	struct pbuf *p = c->rx_head;

	if (likely(p != NULL && n == c->rx_bytes && n == p->len &&
		   p->next == NULL)) { /* all of the one segment */
		c->rx_bytes = 0;
		c->rx_head = c->rx_tail = NULL;
		pbuf_free(s->cfg.pool, p);
		n = 0;
	}
	if (n > c->rx_bytes)
		n = c->rx_bytes;
	c->rx_bytes -= (uint32_t)n;
	while (n > 0 && (p = c->rx_head) != NULL) {
		uint32_t k = (uint32_t)GW_MIN(n, p->len);

		if (k < p->len) {
			p->data += k;
			p->len -= k;
			break;
		}
		n -= k;
		c->rx_head = p->next;
		p->next = NULL;
		pbuf_free(s->cfg.pool, p);
	}
	while (c->rx_bytes == 0 && (p = c->rx_head) != NULL) { /* empty fragments of a chain */
		c->rx_head = p->next;
		p->next = NULL;
		pbuf_free(s->cfg.pool, p);
	}
	if (c->rx_head == NULL)
		c->rx_tail = NULL;
	rx_consumed(c);
}

struct pbuf *tcp_rx_take(struct tcp_conn *c)
{
	struct pbuf *p;

	while ((p = c->rx_head) != NULL) {
		c->rx_head = p->next;
		if (c->rx_head == NULL)
			c->rx_tail = NULL;
		p->next = NULL;
		if (p->len != 0) {
			p->total = p->len;
			c->rx_bytes -= p->len;
			rx_consumed(c);
			return p;
		}
		pbuf_free(c->stack->cfg.pool, p); /* an empty fragment of a chain */
	}
	return NULL;
}

size_t tcp_tx_space(const struct tcp_conn *c)
{
	uint32_t used = conn_queued(c), true_max = 2 * c->sndbuf + 32768;

	if ((c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT) ||
	    (c->flags & TF_FIN_QUEUED))
		return 0;
	if (used >= c->sndbuf || c->tx_count * PBUF_SIZE >= true_max)
		return 0;
	return c->sndbuf - used;
}

unsigned tcp_readiness(struct tcp_conn *c, size_t lowat)
{
	unsigned ready = c->rx_bytes >= lowat ? TCP_EV_READABLE : 0;

	if (likely(tcp_tx_space(c) != 0))
		return ready | TCP_EV_WRITABLE;
	if (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT)
		c->flags |= TF_NOSPACE;
	return ready;
}

/* Send queues leave an eighth of the packet memory to what is received: without acknowledgements
 * they would never shrink. One segment each is always theirs. */
static inline bool may_queue(const struct tcp_conn *c)
{
	const struct pbuf_pool *pool = c->stack->cfg.pool;

	return pool->n_total - pool->n_free < pool->max_total - pool->max_total / 8 ||
	       c->tx_head == NULL;
}

size_t tcp_tx_room(struct tcp_conn *c, uint8_t **data)
{
	uint32_t space = (uint32_t)tcp_tx_space(c), full = GW_MIN((uint32_t)c->mss, TCP_TX_CAP),
		 used;
	struct pbuf *p = c->tx_tail;

	if (unlikely(space == 0)) {
		if (c->state == TCP_ESTABLISHED || c->state == TCP_CLOSE_WAIT)
			c->flags |= TF_NOSPACE;
		return 0;
	}
	/* a spare given out before and not committed goes first: tcp_tx_commit will take it */
	if (p != NULL && c->tx_next != NULL && c->tx_spare == NULL && (used = seg_len(p)) < full &&
	    (p->user[2] >> 32) + full <= PBUF_ROOM) {
		*data = seg_payload(p) + used;
		return GW_MIN(space, full - used);
	}
	p = c->tx_spare;
	if (likely(p == NULL)) {
		if (likely(may_queue(c)))
			p = pbuf_alloc(c->stack->cfg.pool, TCP_TX_OFF);
		if (unlikely(p == NULL)) { /* net_poll looks again */
			c->flags |= TF_NOSPACE;
			conn_block(c);
			return 0;
		}
		p->user[2] = (uint64_t)TCP_TX_OFF << 32;
		c->tx_spare = p;
	}
	*data = p->data;
	return GW_MIN(space, full);
}

/* Copy bytes to the end of the queue, as far as there is room. */
static size_t append_bytes(struct tcp_conn *c, const uint8_t *from, size_t n)
{
	size_t done = 0, room;
	uint8_t *to;

	while (done < n && (room = tcp_tx_room(c, &to)) != 0) {
		room = GW_MIN(room, n - done);
		memcpy(to, from + done, room);
		tcp_tx_commit(c, room, false);
		done += room;
	}
	return done;
}

int tcp_tx_append(struct tcp_conn *c, struct pbuf *p)
{
	uint32_t off = (uint32_t)(p->data - pbuf_block(p)), len = p->len;
	struct pbuf_pool *pool = c->stack->cfg.pool;

	if ((c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT) ||
	    (c->flags & TF_FIN_QUEUED))
		return -EPIPE;
	if (tcp_tx_space(c) < len) { /* all of it or nothing */
		c->flags |= TF_NOSPACE;
		return -EAGAIN;
	}
	if (p->refs != 1 || p->slice_of != NULL || off < TCP_TX_OFF || off > PBUF_ROOM ||
	    len > c->mss) {
		size_t done = append_bytes(c, p->data, len);

		if (done == len) {
			pbuf_free(pool, p);
			return 0;
		}
		p->data += done; /* the pool is empty: the rest stays the caller's */
		p->len -= (uint32_t)done;
		p->total = p->len;
		return -ENOBUFS;
	}
	if (c->tx_spare != NULL) {
		pbuf_free(pool, c->tx_spare);
		c->tx_spare = NULL;
	}
	p->user[2] = (uint64_t)off << 32;
	c->tx_spare = p;
	tcp_tx_commit(c, len, false);
	return 0;
}

/* The only unsent segment, and nothing stands in its way: past the deliberations of tcp_output. */
static inline bool send_at_once(struct tcp_conn *c, struct pbuf *p)
{
	uint32_t len = seg_len(p), out = c->snd_nxt - c->snd_una;

	if (c->state != TCP_ESTABLISHED ||
	    (c->flags & (TF_FIN_QUEUED | TF_CORK | TF_LOOP | TF_DETACHED | TF_LOSS | TF_OOO |
			 TF_PACED | TF_SAY)) ||
	    (!(c->flags & TF_NODELAY) && out != 0) || len > c->mss || out + len > c->snd_wnd ||
	    (out + len) * 2 > c->cwnd || p->refs != 1 || p != c->tx_tail)
		return false;
	if (unlikely(tcp_xmit_fresh(c, p, len) != 0))
		return false; /* tcp_output finds the same, and queues */
	c->tx_next = NULL;
	c->snd_nxt += len;
	if (unlikely(out != 0))
		conn_arm_probe(c);
	return true;
}

void tcp_tx_commit(struct tcp_conn *c, size_t n, bool push)
{
	struct pbuf *p = c->tx_spare;
	uint32_t add = (uint32_t)n;

	if (p != NULL) {
		if (unlikely(n == 0 ||
			     (c->state != TCP_ESTABLISHED && c->state != TCP_CLOSE_WAIT))) {
			c->tx_spare = NULL;
			pbuf_free(c->stack->cfg.pool, p);
			return;
		}
		c->tx_spare = NULL;
		p->seq = c->snd_end;
		p->end_seq = p->seq + add;
		seg_set_next(p, NULL);
		if (c->tx_tail != NULL)
			seg_set_next(c->tx_tail, p);
		else
			c->tx_head = p;
		c->tx_tail = p;
		if (c->tx_next == NULL)
			c->tx_next = p;
		c->tx_count++;
	} else if (likely(c->tx_next != NULL)) {
		p = c->tx_tail;
		p->end_seq += add;
	} else {
		return; /* the connection died since tcp_tx_room */
	}
	c->snd_end += add;
	if (unlikely((uint64_t)conn_queued(c) * 3 > (uint64_t)c->sndbuf * 2))
		c->flags |= TF_NOSPACE;
	if (push) {
		seg_mark(p, SEG_PUSH, 0);
		if (likely(c->tx_next == p) && send_at_once(c, p))
			return;
		tcp_output(c);
	}
}

void tcp_tx_push(struct tcp_conn *c)
{
	struct pbuf *p = c->tx_tail;

	if (p == NULL)
		return;
	seg_mark(p, SEG_PUSH, 0);
	if (c->tx_next == p && send_at_once(c, p))
		return;
	if (c->tx_next != NULL)
		tcp_output(c);
}

COLD void tcp_shutdown_tx(struct tcp_conn *c)
{
	if (c->flags & TF_FIN_QUEUED)
		return;
	if (c->state == TCP_ESTABLISHED)
		c->state = TCP_FIN_WAIT_1;
	else if (c->state == TCP_CLOSE_WAIT)
		c->state = TCP_LAST_ACK;
	else
		return;
	c->flags |= TF_FIN_QUEUED;
	tcp_output(c);
}

COLD void tcp_shutdown_rx(struct tcp_conn *c)
{
	c->flags |= TF_RX_SHUT;
	conn_purge_rx(c);
}

COLD void tcp_abort(struct tcp_conn *c)
{
	if (c->state >= TCP_SYN_RECEIVED && c->state != TCP_TIME_WAIT)
		tcp_send_rst(c);
	conn_bury(c);
}

COLD void tcp_close(struct tcp_conn *c)
{
	bool unread = c->rx_bytes != 0;

	if (c->state == TCP_CLOSED || c->state == TCP_SYN_SENT || c->state == TCP_TIME_WAIT) {
		conn_bury(c);
		return;
	}
	if (unread || c->linger_s == 0 || c->state == TCP_SYN_RECEIVED) { /* RFC 2525 2.17 */
		tcp_abort(c);
		return;
	}
	c->flags &= ~TF_OWNED;
	c->owner = NULL;
	c->keep_at = 0;
	conn_purge_rx(c);
	tcp_shutdown_tx(c);
	if (c->state == TCP_FIN_WAIT_2)
		c->keep_at = tick_in(c->stack, TCP_ORPHAN_TICKS);
	else if (c->linger_s > 0)
		c->keep_at = tick_in(c->stack, WHEEL_MS((uint64_t)(uint16_t)c->linger_s * 1000));
	if (c->keep_at != 0)
		conn_arm(c, c->keep_at);
}

uint32_t tcp_tx_seq(const struct tcp_conn *c)
{
	return c->snd_end;
}

enum tcp_state tcp_get_state(const struct tcp_conn *c)
{
	return (enum tcp_state)c->state;
}

int tcp_error(const struct tcp_conn *c)
{
	return c->state == TCP_CLOSED ? c->error : 0;
}

COLD void tcp_local(const struct tcp_conn *c, struct net_endpoint *out)
{
	*out = (struct net_endpoint){ .family = conn_is6(c) ? 6 : 4, .port = conn_local_port(c) };
	if (conn_is6(c))
		memcpy(out->ip6, c->six->pair + 16, 16);
	else
		out->ip4 = conn_local_ip(c);
}

COLD void tcp_remote(const struct tcp_conn *c, struct net_endpoint *out)
{
	*out = (struct net_endpoint){ .family = conn_is6(c) ? 6 : 4,
				      .port = be16((uint16_t)c->key_port) };
	if (conn_is6(c))
		memcpy(out->ip6, c->six->pair, 16);
	else
		out->ip4 = conn_remote_ip(c);
}
