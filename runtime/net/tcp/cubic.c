/* SPDX-License-Identifier: Apache-2.0 */
/* cubic.c - congestion control: slow start (RFC 5681, byte counting), CUBIC (RFC 9438) in integers.
 * Time in units of 2^-10 s (a tick of the stack is 2^20 ns: close enough to be that unit), windows
 * in bytes. */
#include "runtime/net/tcp/tcp_internal.h"

void cc_init(struct tcp_conn *c)
{
	uint32_t iw = 10u * c->mss; /* RFC 6928 */

	c->cwnd = GW_MIN(iw, GW_MAX(2u * c->mss, 14600u));
	c->ssthresh = 0x7fffffff;
	c->epoch = 0;
	c->w_max = 0;
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
	if (c->cwnd < c->ssthresh) {
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
	if (!(c->flags & TF_SNDBUF_SET) && c->sndbuf < 2 * c->cwnd)
		c->sndbuf = GW_MIN(2 * c->cwnd, GW_MAX(s->cfg.sndbuf_max, c->sndbuf));
}

void cc_loss(struct tcp_conn *c)
{
	uint32_t w = GW_MIN(c->cwnd, GW_MAX(c->snd_nxt - c->snd_una, 2u * c->mss));

	/* fast convergence: leave room when the window is shrinking */
	c->w_max = w < c->w_max ? w / 20 * 17 : w;
	c->ssthresh = GW_MAX((uint32_t)((uint64_t)w * 7 / 10), 2u * c->mss);
	c->epoch = 0;
}
