/* SPDX-License-Identifier: Apache-2.0 */
/* cubic.c - congestion control: slow start (RFC 5681, byte counting) that ends by HyStart++ (RFC
 * 9406), CUBIC (RFC 9438) in integers. Time in units of 2^-10 s (a tick of the stack is 2^20 ns:
 * close enough to be that unit), windows in bytes. */
#include "runtime/net/tcp/tcp_internal.h"

#define SSTHRESH_INIT 0x7fffffffu
#define HS_MIN_US 4000u
#define HS_MAX_US 16000u
#define HS_SAMPLES 8u
#define HS_CSS_ROUNDS 5u
#define HS_LIMIT 8u /* segments of growth an acknowledgement */

void cc_init(struct tcp_conn *c)
{
	uint32_t iw = 10u * c->mss; /* RFC 6928 */

	c->cwnd = GW_MIN(iw, GW_MAX(2u * c->mss, 14600u));
	c->ssthresh = SSTHRESH_INIT;
	c->hs_end = c->snd_nxt;
	c->hs_last = c->hs_now = ~0u;
	c->hs_base = 0;
	c->hs_samples = c->hs_css = 0;
}

/* The first slow start is over: the fields are CUBIC's from here on. */
static void hystart_end(struct tcp_conn *c)
{
	c->w_max = c->cubic_k = c->epoch = c->w_est = 0;
}

/* From another algorithm's window: no slow start. */
void cc_resume(struct tcp_conn *c)
{
	c->ssthresh = c->cwnd;
	hystart_end(c);
}

/* RFC 9406 4.2: the round trip grows before the queue is full; then grow by a quarter only, for
 * some rounds, in case it was a passing one. Returns the window's growth for so many bytes. */
static uint32_t hystart(struct tcp_conn *c, uint32_t bytes)
{
	if (SEQ_GE(c->snd_una, c->hs_end)) {
		c->hs_last = c->hs_now;
		c->hs_now = ~0u;
		c->hs_end = c->snd_nxt;
		c->hs_samples = 0;
		if (c->hs_css != 0 && c->hs_css++ > HS_CSS_ROUNDS) {
			c->ssthresh = c->cwnd;
			hystart_end(c);
			return 0;
		}
	}
	c->hs_now = GW_MIN(c->hs_now, c->last_rtt);
	if (c->hs_samples < HS_SAMPLES)
		c->hs_samples++;
	if (c->hs_samples >= HS_SAMPLES && c->hs_css != 0 && c->hs_now < c->hs_base) {
		c->hs_css = 0;
	} else if (c->hs_samples >= HS_SAMPLES && c->hs_css == 0 && c->hs_last != ~0u) {
		uint32_t eighth = c->hs_last / 8;

		eighth = GW_MAX(eighth, HS_MIN_US);
		if (c->hs_now >= c->hs_last + GW_MIN(eighth, HS_MAX_US)) {
			c->hs_base = c->hs_now;
			c->hs_css = 1;
		}
	}
	bytes = GW_MIN(bytes, HS_LIMIT * c->mss);
	return c->hs_css != 0 ? bytes / 4 : bytes;
}

static uint32_t cube_root(uint64_t v)
{
	uint64_t r = 0;

	for (int bit = 20; bit >= 0; bit--) {
		uint64_t t = r | 1ull << bit;

		if (t * t * t <= v)
			r = t;
	}
	return (uint32_t)r;
}

static void epoch_start(struct tcp_conn *c)
{
	c->epoch = now_tick(c->stack) | 1;
	c->w_est = c->cwnd;
	if (c->w_max > c->cwnd) {
		/* K = cbrt((W_max - cwnd) / C), C = 0.4 segments / s^3 */
		uint64_t segs_1024 = ((uint64_t)(c->w_max - c->cwnd) << 10) / c->mss;

		c->cubic_k = cube_root((segs_1024 * 5 / 2) << 20);
	} else {
		c->cubic_k = 0;
		c->w_max = c->cwnd;
	}
}

/* W(t) = C (t - K)^3 + W_max */
static uint32_t cubic_target(const struct tcp_conn *c)
{
	int64_t t = (int64_t)(now_tick(c->stack) - c->epoch) + (c->srtt >> 13) - c->cubic_k, w;

	t = t > 200000 ? 200000 : t < -200000 ? -200000 : t;
	w = (t * t * t >> 20) * 2 / 5; /* segments scaled by 1024 */
	w = (w * c->mss >> 10) + c->w_max;
	return w < 2 * c->mss ? 2u * c->mss : w > 0x3fffffff ? 0x3fffffff : (uint32_t)w;
}

void cc_acked(struct tcp_conn *c, uint32_t bytes)
{
	struct net_stack *s = c->stack;
	uint32_t max = GW_MAX(2 * s->cfg.sndbuf_max, 65536u), target;

	c->flags &= ~TF_CWND_LIMITED;
	if (c->ssthresh == SSTHRESH_INIT) {
		c->cwnd += hystart(c, bytes);
	} else if (c->cwnd < c->ssthresh) {
		c->cwnd += GW_MIN(bytes, 2u * c->mss); /* RFC 3465, L = 2 */
	} else {
		uint32_t cwnd = GW_MAX(c->cwnd, 1u);
		uint64_t inc;

		if (c->epoch == 0)
			epoch_start(c);
		target = GW_MIN(cubic_target(c), c->cwnd + c->cwnd / 2);
		/* Reno's pace as a floor: alpha = 3 (1 - b) / (1 + b) = 0.53, b = 0.7 */
		inc = (uint64_t)bytes * c->mss / cwnd;
		c->w_est += (uint32_t)(c->w_est < c->w_max ? inc * 17 / 32 : inc);
		if (target > c->cwnd)
			c->cwnd +=
				(uint32_t)GW_MAX((uint64_t)(target - c->cwnd) * bytes / cwnd, 1u);
		else
			c->cwnd += 1;
		if (c->cwnd < c->w_est)
			c->cwnd = c->w_est;
	}
	c->cwnd = GW_MIN(c->cwnd, max);
	cc_fit_sndbuf(c, 2);
}

void cc_fit_sndbuf(struct tcp_conn *c, uint32_t windows)
{
	struct net_stack *s = c->stack;

	if (!(c->flags & TF_SNDBUF_SET) && c->sndbuf < windows * c->cwnd)
		c->sndbuf = GW_MIN(windows * c->cwnd, GW_MAX(s->cfg.sndbuf_max, c->sndbuf));
}

/* twentieths: of so many bytes, which go on. */
static void reduce(struct tcp_conn *c, uint32_t flight, uint32_t twentieths)
{
	uint32_t w = GW_MIN(c->cwnd, GW_MAX(flight, 2u * c->mss));

	if (c->ssthresh == SSTHRESH_INIT)
		hystart_end(c);
	/* fast convergence: leave room when the window is shrinking */
	c->w_max = w < c->w_max ? w / 20 * 17 : w;
	c->ssthresh = GW_MAX((uint32_t)((uint64_t)w * twentieths / 20), 2u * c->mss);
	c->epoch = 0;
}

void cc_loss(struct tcp_conn *c)
{
	reduce(c, c->snd_nxt - c->snd_una, 14);
	ecn_cut(c);
}

/* A queue that marks is shorter than one that overflows: 0.85 instead of 0.7 (RFC 8511). */
void cc_marked(struct tcp_conn *c, uint32_t flight)
{
	reduce(c, flight, 17);
	c->cwnd = c->ssthresh;
}
