/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - a connection's settings and figures. */
#include "runtime/net/tcp/tcp_internal.h"

static void set_flag(struct tcp_conn *c, uint32_t flag, int value)
{
	c->flags = value != 0 ? c->flags | flag : c->flags & ~flag;
}

static int set_small(uint16_t *to, int value, int max)
{
	if (value < 1 || value > max)
		return -EINVAL;
	*to = (uint16_t)value;
	return 0;
}

static uint32_t clamp_buf(int value, uint32_t max)
{
	return GW_MIN(GW_MAX((uint32_t)value, 4096u), max);
}

int tcp_set_opt(struct tcp_conn *c, enum tcp_opt opt, int value)
{
	struct net_stack *s = c->stack;
	int err = 0;

	switch (opt) {
	case TCP_OPT_NODELAY:
		set_flag(c, TF_NODELAY, value);
		if (value != 0)
			tcp_output(c);
		return 0;
	case TCP_OPT_CORK:
		set_flag(c, TF_CORK, value);
		if (value == 0) { /* what was held goes out, Nagle or not */
			c->flags |= TF_FORCE;
			tcp_output(c);
			c->flags &= ~TF_FORCE;
		}
		return 0;
	case TCP_OPT_KEEPALIVE:
		set_flag(c, TF_KEEPALIVE, value);
		conn_keepalive_arm(c);
		return 0;
	case TCP_OPT_KEEPIDLE_S:
		err = set_small(&c->keepidle_s, value, 32767);
		conn_keepalive_arm(c);
		return err;
	case TCP_OPT_KEEPINTVL_S:
		return set_small(&c->keepintvl_s, value, 32767);
	case TCP_OPT_KEEPCNT:
		if (value < 1 || value > 127)
			return -EINVAL;
		c->keepcnt = (uint8_t)value;
		return 0;
	case TCP_OPT_SNDBUF:
		if (value < 0)
			return -EINVAL;
		c->sndbuf = clamp_buf(value, s->cfg.sndbuf_max);
		c->flags |= TF_SNDBUF_SET;
		return 0;
	case TCP_OPT_RCVBUF:
		if (value < 0)
			return -EINVAL;
		s->tcp.rcv_growth -= rx_growth(c);
		c->rcvbuf = clamp_buf(value, s->cfg.rcvbuf_max);
		s->tcp.rcv_growth += rx_growth(c);
		c->flags |= TF_RCVBUF_SET;
		return 0;
	case TCP_OPT_USER_TIMEOUT_MS:
		if (value < 0)
			return -EINVAL;
		c->user_timeout = WHEEL_MS((uint32_t)value);
		return 0;
	case TCP_OPT_CONGESTION:
		if (value != TCP_CUBIC && value != TCP_BBR)
			return -EINVAL;
		if (value == TCP_BBR && !(c->flags & TF_PACED))
			return bbr_start(c);
		if (value == TCP_CUBIC && (c->flags & TF_PACED)) {
			c->flags &= ~TF_PACED;
			cc_resume(c);
		}
		return 0;
	case TCP_OPT_MAXSEG:
		if (value < (int)TCP_MIN_MSS + (int)TCP_TS_LEN || value > 32767)
			return -EINVAL;
		c->maxseg = (uint16_t)value;
		if (c->state >= TCP_ESTABLISHED)
			conn_set_mss(c);
		return 0;
	case TCP_OPT_QUICKACK:
		set_flag(c, TF_QUICKACK, value);
		if (value != 0 && c->rcv_nxt != c->rcv_wup && c->state >= TCP_ESTABLISHED)
			tcp_send_ack(c);
		return 0;
	case TCP_OPT_TOS:
		if (value < 0 || value > 255)
			return -EINVAL;
		c->tos = (uint8_t)(((uint32_t)value & ~TOS_ECN) | (c->tos & TOS_ECN));
		return 0;
	case TCP_OPT_TTL:
		if (value < 1 || value > 255)
			return -EINVAL;
		c->ip_sum = csum_fold((uint64_t)c->ip_sum + 0xffff - c->ttl + (uint32_t)value);
		c->ttl = (uint8_t)value;
		return 0;
	case TCP_OPT_LINGER_S:
		if (value < -1)
			return -EINVAL;
		c->linger_s = (int16_t)GW_MIN(value, 32767);
		return 0;
	default:
		return -EINVAL;
	}
}

int tcp_get_opt(const struct tcp_conn *c, enum tcp_opt opt)
{
	switch (opt) {
	case TCP_OPT_NODELAY:
		return (c->flags & TF_NODELAY) != 0;
	case TCP_OPT_CORK:
		return (c->flags & TF_CORK) != 0;
	case TCP_OPT_KEEPALIVE:
		return (c->flags & TF_KEEPALIVE) != 0;
	case TCP_OPT_KEEPIDLE_S:
		return c->keepidle_s;
	case TCP_OPT_KEEPINTVL_S:
		return c->keepintvl_s;
	case TCP_OPT_KEEPCNT:
		return c->keepcnt;
	case TCP_OPT_SNDBUF:
		return (int)c->sndbuf;
	case TCP_OPT_RCVBUF:
		return (int)c->rcvbuf;
	case TCP_OPT_USER_TIMEOUT_MS:
		return (int)(((uint64_t)c->user_timeout << WHEEL_SHIFT) / NS_PER_MS);
	case TCP_OPT_CONGESTION:
		return c->flags & TF_PACED ? TCP_BBR : TCP_CUBIC;
	case TCP_OPT_MAXSEG:
		return c->mss;
	case TCP_OPT_QUICKACK:
		return (c->flags & TF_QUICKACK) != 0;
	case TCP_OPT_TOS:
		return (int)(c->tos & ~TOS_ECN);
	case TCP_OPT_TTL:
		return c->ttl;
	case TCP_OPT_LINGER_S:
		return c->linger_s;
	default:
		return -EINVAL;
	}
}

void tcp_get_stats(const struct tcp_conn *c, struct tcp_stats *out)
{
	*out = (struct tcp_stats){
		.srtt_us = (uint32_t)((uint64_t)(c->srtt >> 3) * 1024 / 1000),
		.rttvar_us = (uint32_t)((uint64_t)(c->rttvar >> 2) * 1024 / 1000),
		.rto_ms = (uint32_t)(((uint64_t)c->rto << WHEEL_SHIFT) / NS_PER_MS),
		.cwnd_bytes = c->cwnd,
		.ssthresh_bytes = c->ssthresh,
		.mss = c->mss,
		.retransmits = c->retransmits,
		.soft_error = c->state != TCP_CLOSED ? c->error : 0,
		.unacked_bytes = c->snd_nxt - c->snd_una,
		.bytes_in = c->bytes_in,
		.bytes_out = c->bytes_out,
	};
}
