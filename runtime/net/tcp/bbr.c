/* SPDX-License-Identifier: Apache-2.0 */
/* bbr.c - BBR version 1 (draft-cardwell-iccrg-bbr-congestion-control-00): a model of the path, the
 * most it delivered in ten round trips and the shortest round trip in ten seconds, sets the pace
 * and the window; a lost packet by itself does not. For paths that lose packets without being full.
 * Chosen by setsockopt TCP_CONGESTION; its state is allocated then. */
#include "runtime/net/tcp/tcp_internal.h"

#define GAIN 256u      /* 1.0 */
#define HIGH_GAIN 739u /* 2 / ln 2 */
#define DRAIN_GAIN 88u /* its inverse */
#define BW_ROUNDS 10u  /* that a bandwidth sample lasts */
#define FULL_ROUNDS 3u /* without a quarter more: the pipe is full */
#define MIN_CWND 4u    /* segments */
#define PROBE_RTT_EVERY WHEEL_MS(10000)
#define PROBE_RTT_TICKS WHEEL_MS(200)
#define PACE_AHEAD (250 * NS_PER_US) /* the poll comes back that soon */
#define CYCLE 8u

static const uint16_t cycle_gain[CYCLE] = { 320, 192, GAIN, GAIN, GAIN, GAIN, GAIN, GAIN };

/* ---- the model ---- */

/* The largest of the last rounds: the best three samples, each later than the one before (a
 * windowed filter of constant size). */
static void bw_add(struct tcp_bbr *b, uint64_t bw)
{
	struct bbr_sample now = { bw, b->round };

	if (bw >= b->bw[0].bw || b->round - b->bw[2].round > BW_ROUNDS) {
		b->bw[0] = b->bw[1] = b->bw[2] = now;
		return;
	}
	if (bw >= b->bw[1].bw)
		b->bw[1] = b->bw[2] = now;
	else if (bw >= b->bw[2].bw)
		b->bw[2] = now;
	if (b->round - b->bw[0].round > BW_ROUNDS) {
		b->bw[0] = b->bw[1];
		b->bw[1] = b->bw[2];
		b->bw[2] = now;
		if (b->round - b->bw[0].round > BW_ROUNDS) {
			b->bw[0] = b->bw[1];
			b->bw[1] = b->bw[2];
		}
	} else if (b->bw[1].round == b->bw[0].round && b->round - b->bw[1].round > BW_ROUNDS / 4) {
		b->bw[1] = b->bw[2] = now;
	} else if (b->bw[2].round == b->bw[1].round && b->round - b->bw[2].round > BW_ROUNDS / 2) {
		b->bw[2] = now;
	}
}

/* Bytes that fill the path times gain, and what offload and delayed acknowledgements add. */
static uint32_t inflight(const struct tcp_conn *c, uint32_t gain)
{
	const struct tcp_bbr *b = c->bbr;
	uint64_t bdp;

	if (b->min_rtt == 0 || b->bw[0].bw == 0)
		return 10u * c->mss;
	bdp = (b->bw[0].bw * b->min_rtt / 1000000 * 1049 >> 10) * gain /
	      GAIN; /* a unit is 1.024 us */
	return (uint32_t)GW_MIN(bdp + 3 * (uint64_t)bbr_quantum(c), 0x3fffffffu);
}

uint32_t bbr_quantum(const struct tcp_conn *c)
{
	uint64_t q = c->bbr->rate / 1024; /* a millisecond's worth */

	return (uint32_t)GW_MIN(GW_MAX(q, 2u * c->mss), (uint64_t)TCP_TSO_BYTES);
}

static void set_rate(struct tcp_conn *c, uint64_t bw, uint32_t gain)
{
	struct tcp_bbr *b = c->bbr;
	uint64_t rate = bw * gain / GAIN * 99 / 100;

	if (b->full || rate > b->rate)
		b->rate = GW_MAX(rate, (uint64_t)c->mss);
}

static void enter_probe_bw(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;

	b->mode = BBR_PROBE_BW;
	/* anywhere in the cycle but where the queue is drained */
	b->phase = (uint8_t)((c->stack->now >> 10) % (CYCLE - 1));
	if (b->phase >= 1)
		b->phase++;
	b->phase_us = b->delivered_us;
}

static void next_phase(struct tcp_conn *c, uint32_t prior_flight, bool lost)
{
	struct tcp_bbr *b = c->bbr;
	bool lasted = b->delivered_us - b->phase_us > b->min_rtt;
	uint16_t gain = cycle_gain[b->phase];

	if (gain > GAIN)
		lasted = lasted && (lost || prior_flight >= inflight(c, gain));
	else if (gain < GAIN)
		lasted = lasted || prior_flight <= inflight(c, GAIN);
	if (!lasted)
		return;
	b->phase = (uint8_t)((b->phase + 1) % CYCLE);
	b->phase_us = b->delivered_us;
}

static void update_mode(struct tcp_conn *c, uint32_t prior_flight, bool lost)
{
	struct tcp_bbr *b = c->bbr;

	if (b->round_start && !b->full && !b->prior_app) {
		if (b->bw[0].bw >= b->full_bw * 5 / 4) {
			b->full_bw = b->bw[0].bw;
			b->full_rounds = 0;
		} else {
			b->full = ++b->full_rounds >= FULL_ROUNDS;
		}
	}
	if (b->mode == BBR_STARTUP && b->full)
		b->mode = BBR_DRAIN;
	if (b->mode == BBR_DRAIN && conn_flight(c) <= inflight(c, GAIN))
		enter_probe_bw(c);
	if (b->mode == BBR_PROBE_BW)
		next_phase(c, prior_flight, lost);
}

/* A shortest round trip ten seconds old is doubted: nearly stop, so that the queue empties, and
 * measure. */
static void update_min_rtt(struct tcp_conn *c, uint32_t rtt)
{
	struct tcp_bbr *b = c->bbr;
	uint32_t now = now_tick(c->stack);
	bool old = now - b->min_rtt_tick > PROBE_RTT_EVERY;

	if (rtt != 0 && (b->min_rtt == 0 || rtt <= b->min_rtt || old)) {
		b->min_rtt = rtt;
		b->min_rtt_tick = now;
	}
	if (old && b->mode != BBR_PROBE_RTT && b->delivered != 0) {
		b->mode = BBR_PROBE_RTT;
		b->saved_cwnd = GW_MAX(b->saved_cwnd, c->cwnd);
		b->probe_end = 0;
	}
	if (b->mode != BBR_PROBE_RTT)
		return;
	b->app_limited = b->delivered + conn_flight(c) + 1;
	if (b->probe_end == 0 && conn_flight(c) <= MIN_CWND * c->mss) {
		b->probe_end = (now + PROBE_RTT_TICKS) | 1;
		b->next_round = b->delivered;
	} else if (b->probe_end != 0 && b->round_start && tick_due(now, b->probe_end)) {
		b->min_rtt_tick = now;
		c->cwnd = GW_MAX(c->cwnd, b->saved_cwnd);
		b->saved_cwnd = 0;
		if (b->full)
			enter_probe_bw(c);
		else
			b->mode = BBR_STARTUP;
	}
}

static void set_cwnd(struct tcp_conn *c, uint32_t acked)
{
	struct tcp_bbr *b = c->bbr;
	uint32_t target =
		inflight(c, b->mode == BBR_STARTUP || b->mode == BBR_DRAIN ? HIGH_GAIN : 2 * GAIN);

	if ((c->cong == CONG_RECOVERY || c->cong == CONG_CWR) && b->conserve) {
		c->cwnd = GW_MAX(c->cwnd, conn_flight(c) + acked);
	} else if (b->full) {
		c->cwnd = GW_MIN(c->cwnd + acked, target);
	} else if (c->cwnd < target || b->delivered < 10u * c->mss) {
		c->cwnd += acked;
	}
	c->cwnd = GW_MAX(c->cwnd, MIN_CWND * c->mss);
	if (b->mode == BBR_PROBE_RTT)
		c->cwnd = GW_MIN(c->cwnd, MIN_CWND * c->mss);
}

/* One sample of the rate that the peer's acknowledgements show. */
static uint64_t take_sample(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;
	uint64_t got = b->delivered - b->prior_delivered, bw;
	uint32_t us = GW_MAX(b->send_us, b->delivered_us - b->prior_us);

	b->round_start = b->prior_delivered >= b->next_round;
	if (b->round_start) {
		b->next_round = b->delivered;
		b->round++;
		b->conserve = false;
	}
	if (us == 0 || us < b->min_rtt) /* too short to be true */
		return 0;
	bw = got * 1000000 / us * 1000 / 1024;
	if (!b->prior_app || bw >= b->bw[0].bw)
		bw_add(b, bw);
	return bw;
}

void bbr_acked(struct tcp_conn *c, uint32_t prior_flight, uint64_t prior_delivered, bool lost)
{
	struct tcp_bbr *b = c->bbr;
	uint32_t acked = (uint32_t)(b->delivered - prior_delivered), gain = GAIN;

	b->round_start = false;
	if (b->app_limited != 0 && b->delivered > b->app_limited)
		b->app_limited = 0;
	if (b->sampled)
		(void)take_sample(c);
	b->sampled = false;
	update_mode(c, prior_flight, lost);
	update_min_rtt(c, acked != 0 ? c->last_rtt : 0);
	if (b->mode == BBR_STARTUP)
		gain = HIGH_GAIN;
	else if (b->mode == BBR_DRAIN)
		gain = DRAIN_GAIN;
	else if (b->mode == BBR_PROBE_BW)
		gain = cycle_gain[b->phase];
	set_rate(c, b->bw[0].bw, gain);
	set_cwnd(c, acked);
	cc_fit_sndbuf(c, 4); /* holes keep what is above them */
}

void bbr_loss(struct tcp_conn *c, bool timeout)
{
	struct tcp_bbr *b = c->bbr;

	ecn_cut(c);
	b->saved_cwnd = GW_MAX(b->saved_cwnd, c->cwnd);
	if (timeout) {
		c->cwnd = MIN_CWND * c->mss;
		b->full_bw = 0;
		return;
	}
	b->conserve = true;
	b->next_round = b->delivered;
	c->cwnd = GW_MAX(conn_flight(c), MIN_CWND * c->mss);
}

/* A queue stands on the path. As when startup has found the pipe full; later, the phase that drains
 * comes at once. Marks in every round take a quarter of the rate as the samples above it expire. */
void bbr_marked(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;

	b->full = true;
	if (b->mode == BBR_PROBE_BW) {
		b->phase = 1;
		b->phase_us = b->delivered_us;
	}
	b->conserve = true;
	b->next_round = b->delivered;
	c->cwnd = GW_MAX(GW_MIN(c->cwnd, inflight(c, GAIN)), MIN_CWND * c->mss);
}

void bbr_recovered(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;

	if (b->mode == BBR_PROBE_RTT)
		return;
	c->cwnd = GW_MAX(c->cwnd, b->saved_cwnd);
	b->saved_cwnd = 0;
	b->conserve = false;
}

/* ---- pacing ---- */

bool bbr_hold(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;
	uint64_t now = c->stack->now;

	if (b->next_ns <= now + PACE_AHEAD)
		return false;
	if (b->next_ns - now > 2 * NS_PER_MS) /* the wheel is good enough */
		conn_arm(c, now_tick(c->stack) + (uint32_t)((b->next_ns - now) >> WHEEL_SHIFT));
	else
		conn_block(c);
	return true;
}

void bbr_sent(struct tcp_conn *c, uint32_t bytes)
{
	struct tcp_bbr *b = c->bbr;

	b->next_ns = GW_MAX(b->next_ns, c->stack->now) + (uint64_t)bytes * NS_PER_SEC / b->rate;
}

int bbr_start(struct tcp_conn *c)
{
	struct tcp_bbr *b = c->bbr;
	uint64_t srtt = GW_MAX(c->srtt >> 3, 1000u);

	if (b == NULL && (b = c->stack->cfg.alloc(sizeof(*b))) == NULL)
		return -ENOMEM;
	memset(b, 0, sizeof(*b));
	c->bbr = b;
	c->flags |= TF_PACED;
	b->min_rtt = c->min_rtt;
	b->min_rtt_tick = now_tick(c->stack);
	b->delivered_us = b->first_us = rate_us(c->stack->now);
	b->rate = (uint64_t)GW_MAX(c->cwnd, 10u * c->mss) * 1000000 / srtt * HIGH_GAIN / GAIN;
	for (struct pbuf *p = c->tx_head; p != NULL && p != c->tx_next; p = seg_next(p))
		rate_sent(c, p);
	return 0;
}
