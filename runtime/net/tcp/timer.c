/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - a connection's one wheel timer stands for four deadlines: rto_at (retransmission, or
 * persist), pto_at (loss probe), delack_at, and keep_at (keepalive, or an orphan's end). It is
 * moved earlier at once, later only when it fires. */
#include "runtime/net/tcp/tcp_internal.h"

void conn_keepalive_arm(struct tcp_conn *c)
{
	if (!(c->flags & TF_KEEPALIVE) || c->state < TCP_ESTABLISHED || !(c->flags & TF_OWNED))
		return;
	c->keep_tries = 0;
	c->keep_at = tick_in(c->stack, WHEEL_MS(1000ull * c->keepidle_s));
	conn_arm(c, c->keep_at);
}

/* With segments outstanding and no loss known, two round trips of silence call for a probe of the
 * tail (RFC 8985 7.2), and a quarter of one after something arrived behind a hole decides about the
 * hole (6.3). Up to one segment's bytes may be acknowledged late: they get the allowance on top. */
static uint32_t probe_ticks(const struct tcp_conn *c)
{
	if ((c->flags & (TF_SACK | TF_RTT_SEEN | TF_PERSIST | TF_LOOP)) !=
		    (TF_SACK | TF_RTT_SEEN) ||
	    c->rto_at == 0 || c->tx_head == NULL || c->tx_head == c->tx_next)
		return 0;
	if (c->rack_wait != 0)
		return c->rack_wait;
	if ((c->flags & TF_TLP) || c->sacked != 0 || c->cong > CONG_CWR || c->backoff != 0)
		return 0;
	return GW_MAX((c->srtt >> 12) + 2, TCP_PTO_MIN) +
	       (c->snd_nxt - c->snd_una <= c->mss ? TCP_PTO_DELACK : 0);
}

static void arm_probe(struct tcp_conn *c, uint32_t ticks)
{
	uint32_t at = tick_in(c->stack, ticks);

	c->pto_at = 0;
	if (ticks == 0 || tick_due(at, c->rto_at))
		return;
	c->pto_at = at;
	conn_arm(c, at);
}

void conn_arm_probe(struct tcp_conn *c)
{
	arm_probe(c, probe_ticks(c));
}

static void pto(struct tcp_conn *c)
{
	if (c->snd_una == c->snd_nxt || c->state < TCP_ESTABLISHED ||
	    (c->flags & (TF_PERSIST | TF_DETACHED)))
		return;
	if (c->rack_wait != 0)
		tcp_reorder_timeout(c);
	else if (c->cong <= CONG_CWR)
		tcp_probe_tail(c);
}

/* Too many tries, or too long? */
static bool given_up(struct tcp_conn *c, unsigned tries)
{
	uint32_t now = now_tick(c->stack);

	if (c->first_rto == 0) {
		c->first_rto = now | 1;
		c->error = 0; /* what is heard from now on says why */
	}
	if (c->user_timeout != 0)
		return now - c->first_rto >= c->user_timeout;
	return c->backoff >= tries;
}

static void timed_out(struct tcp_conn *c)
{
	conn_done(c, c->error != 0 ? c->error : -ETIMEDOUT);
}

/* A peer that shut its window over what is on its way, and answers (RFC 9293 SHLD-17, MUST-37). */
static bool shut_but_alive(const struct tcp_conn *c)
{
	return c->state >= TCP_ESTABLISHED && c->snd_wnd == 0 && (c->flags & TF_OWNED) &&
	       c->user_timeout == 0 && now_tick(c->stack) - c->last_rx <= TCP_RTO_MAX * 4u;
}

static void persist(struct tcp_conn *c)
{
	int32_t wnd = (int32_t)(c->snd_una + c->snd_wnd - c->snd_nxt);

	if (c->tx_next == NULL) {
		c->flags &= ~TF_PERSIST;
		return;
	}
	/* A peer that answers may keep its window shut as long as it likes (RFC 1122 4.2.2.17), an
	 * orphan's not. */
	if (!(c->flags & TF_OWNED) && given_up(c, TCP_DATA_TRIES)) {
		tcp_send_rst(c);
		conn_done(c, -ETIMEDOUT);
		return;
	}
	if (now_tick(c->stack) - c->last_rx > TCP_RTO_MAX * 4u && given_up(c, TCP_DATA_TRIES)) {
		timed_out(c);
		return;
	}
	if (wnd > 0) { /* a silly window: take what there is (override timeout) */
		c->flags |= TF_FORCE;
		tcp_output(c);
		c->flags &= ~TF_FORCE;
		return;
	}
	if (c->backoff < 15)
		c->backoff++;
	(void)tcp_send_ctl(c, c->snd_una - 1, 0);
	c->flags |= TF_PERSIST;
	conn_set_rto(c);
}

/* Full segments time out again and again, and nobody says that they are too long: perhaps that is
 * what they are (RFC 4821 7.7, black hole detection). */
static void black_hole(struct tcp_conn *c)
{
	uint16_t mtu = conn_is6(c) ? IP6_MIN_MTU : c->backoff < 5 ? TCP_HOLE_MTU : TCP_MIN_MTU;
	const struct pbuf *p = c->tx_head;

	if (c->backoff < 3 || c->snd_wnd == 0 || p == NULL || p == c->tx_next || c->rt_mtu <= mtu ||
	    seg_len(p) + conn_headers(c) <= mtu || (c->flags & TF_LOOP))
		return;
	c->rt_mtu = mtu;
	conn_set_mss(c);
}

/* The shortest path sets the timer of a fresh segment without thinking, to when its probe would be
 * due at the earliest. It is thought about here: probe now, later, or wait for the timeout. */
static bool early(struct tcp_conn *c)
{
	const struct pbuf *p = c->tx_head;
	uint32_t age, ticks;

	if (c->backoff != 0 || c->state < TCP_ESTABLISHED || p == NULL || p == c->tx_next)
		return false;
	age = (uint32_t)((c->stack->now - p->time_ns) >> WHEEL_SHIFT) + 2;
	if (age >= c->rto)
		return false;
	c->rto_at = tick_in(c->stack, c->rto - age + 2);
	/* without timestamps a path that became longer would be probed for ever (Karn) */
	ticks = c->flags & TF_TS ? probe_ticks(c) : 0;
	if (ticks != 0 && ticks <= age)
		pto(c);
	else
		arm_probe(c, ticks != 0 ? ticks - age : 0);
	return true;
}

static void rto(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	bool syn = c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECEIVED;

	if (c->flags & TF_PERSIST) {
		persist(c);
		return;
	}
	if (c->snd_una == c->snd_nxt) {
		if (c->flags & TF_CORK) { /* a corked tail waits 200 ms at most */
			c->flags |= TF_FORCE;
			tcp_output(c);
			c->flags &= ~TF_FORCE;
		}
		return;
	}
	if (early(c))
		return;
	if (given_up(c, c->state == TCP_SYN_SENT       ? TCP_SYN_TRIES
			: c->state == TCP_SYN_RECEIVED ? TCP_SYNACK_TRIES
						       : TCP_DATA_TRIES) &&
	    !shut_but_alive(c)) {
		timed_out(c);
		return;
	}
	if (c->backoff < TCP_DATA_TRIES)
		c->backoff++;
	if (c->backoff >= 2 && !(c->flags & TF_LOOP)) {
		if (conn_is6(c))
			six_doubt(c);
		else
			arp_doubt(s, c->next_hop);
	}
	if (syn) {
		c->syn_tries++;
		s->n.retransmits++;
		(void)tcp_send_syn(c);
	} else {
		black_hole(c);
		tcp_enter_loss(c);
		if (c->tx_head != NULL && c->tx_head != c->tx_next) {
			tcp_output(c);
		} else if (c->flags & TF_FIN_SENT) {
			s->n.retransmits++;
			c->retransmits++;
			(void)tcp_send_ctl(c, c->snd_end, TH_FIN);
		}
	}
	conn_set_rto(c);
}

static void keep(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	uint32_t idle = now_tick(s) - c->last_rx, due = WHEEL_MS(1000ull * c->keepidle_s);

	if (!(c->flags & TF_OWNED)) { /* FIN_WAIT_2 (or a lingering close) has lasted long enough */
		if (c->state != TCP_FIN_WAIT_2)
			tcp_send_rst(c);
		conn_done(c, -ETIMEDOUT);
		return;
	}
	if (!(c->flags & TF_KEEPALIVE))
		return;
	if (c->snd_una != c->snd_nxt || c->tx_head != NULL || idle < due) {
		c->keep_tries = 0;
		c->keep_at = tick_in(s, idle < due ? due - idle : due);
		conn_arm(c, c->keep_at);
		return;
	}
	if (c->keep_tries >= c->keepcnt) {
		tcp_send_rst(c);
		conn_done(c, -ETIMEDOUT);
		return;
	}
	c->keep_tries++;
	(void)tcp_send_ctl(c, c->snd_una - 1, 0);
	c->keep_at = tick_in(s, WHEEL_MS(1000ull * c->keepintvl_s));
	conn_arm(c, c->keep_at);
}

static bool take_due(uint32_t *at, uint32_t now)
{
	if (*at == 0 || !tick_due(now, *at))
		return false;
	*at = 0;
	return true;
}

void conn_timer(struct net_stack *s, struct net_timer *t)
{
	struct tcp_conn *c = list_entry(t, struct tcp_conn, timer);
	uint32_t now = now_tick(s);

	if (take_due(&c->delack_at, now) && c->rcv_nxt != c->rcv_wup)
		tcp_send_ack(c);
	if (take_due(&c->pto_at, now))
		pto(c);
	if (take_due(&c->rto_at, now))
		rto(c);
	if (c->state != TCP_CLOSED && take_due(&c->keep_at, now))
		keep(c);
	if (c->state == TCP_CLOSED)
		return;
	if (c->flags & TF_PACED)
		tcp_output(c);
	conn_arm_all(c);
}

void tcp_poll(struct net_stack *s)
{
	struct list_node again, *n;

	tcp_reap(s);
	if (likely(list_empty(&s->tcp.blocked)))
		return;
	list_init(&again);
	while ((n = list_pop(&s->tcp.blocked)) != NULL)
		list_add_tail(&again, n);
	while ((n = list_pop(&again)) != NULL) {
		struct tcp_conn *c = list_entry(n, struct tcp_conn, work);

		tcp_output(c);
		if (c->state == TCP_CLOSED)
			continue;
		if ((c->flags & TF_ACK_NOW) && c->rcv_nxt != c->rcv_wup)
			tcp_send_ack(c); /* it waited for the rest of its batch */
		if (c->flags & TF_NOSPACE)
			tcp_space_event(c);
	}
}

uint64_t tcp_deadline(const struct net_stack *s)
{
	return list_empty(&s->tcp.blocked) ? GW_NEVER : s->now + 200 * NS_PER_US;
}
