/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_option.c - options of TCP sockets that the stack must know, and TCP_INFO. */
#include "linux/sockets/tcp.h"

struct option_call {
	enum tcp_opt opt;
	int value;
};

static long step_option(struct tcp_socket *t, void *arg)
{
	struct option_call *c = arg;

	return tcp_set_opt(t->conn, c->opt, c->value);
}

int tcp_socket_option(struct socket *s, int level, int opt, int value)
{
	static const struct {
		uint8_t level, name, opt;
	} known[] = {
		{ SOL_SOCKET, SO_KEEPALIVE, TCP_OPT_KEEPALIVE },
		{ SOL_SOCKET, SO_SNDBUF, TCP_OPT_SNDBUF },
		{ SOL_SOCKET, SO_RCVBUF, TCP_OPT_RCVBUF },
		{ SOL_SOCKET, SO_LINGER, TCP_OPT_LINGER_S },
		{ SOL_TCP, TCP_NODELAY, TCP_OPT_NODELAY },
		{ SOL_TCP, TCP_CORK, TCP_OPT_CORK },
		{ SOL_TCP, TCP_KEEPIDLE, TCP_OPT_KEEPIDLE_S },
		{ SOL_TCP, TCP_KEEPINTVL, TCP_OPT_KEEPINTVL_S },
		{ SOL_TCP, TCP_KEEPCNT, TCP_OPT_KEEPCNT },
		{ SOL_TCP, TCP_USER_TIMEOUT, TCP_OPT_USER_TIMEOUT_MS },
		{ SOL_TCP, TCP_QUICKACK, TCP_OPT_QUICKACK },
		{ SOL_TCP, TCP_CONGESTION, TCP_OPT_CONGESTION },
		{ SOL_IP, IP_TOS, TCP_OPT_TOS },
		{ SOL_IP, IP_TTL, TCP_OPT_TTL },
	};
	struct tcp_socket *t = to_tcp(s);

	if (level == SOL_IPV6)
		return opt == IPV6_V6ONLY && t->flags & TF_BOUND ? -EINVAL : 0;
	if (!t->conn)
		return 0; /* applied when there is one */
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		struct option_call c = { (enum tcp_opt)known[i].opt, value };

		if (known[i].level == level && known[i].name == opt)
			return (int)tcp_at_home(t, step_option, &c);
	}
	if (level == SOL_TCP && opt == TCP_MAXSEG && value != 0) {
		struct option_call c = { TCP_OPT_MAXSEG, value };

		return (int)tcp_at_home(t, step_option, &c);
	}
	return 0;
}

static uint8_t linux_state(enum tcp_state state)
{
	static const uint8_t map[] = {
		[TCP_CLOSED] = 7,      [TCP_SYN_SENT] = 2,   [TCP_SYN_RECEIVED] = 3,
		[TCP_ESTABLISHED] = 1, [TCP_FIN_WAIT_1] = 4, [TCP_FIN_WAIT_2] = 5,
		[TCP_CLOSE_WAIT] = 8,  [TCP_CLOSING] = 11,   [TCP_LAST_ACK] = 9,
		[TCP_TIME_WAIT] = 6,
	};

	return map[state];
}

static long step_info(struct tcp_socket *t, void *arg)
{
	struct tcp_info64 *i = arg;
	struct tcp_stats st;
	uint32_t mss;

	tcp_get_stats(t->conn, &st);
	mss = st.mss ? st.mss : 536;
	i->state = linux_state(tcp_get_state(t->conn));
	i->options = 1; /* timestamps: informative */
	i->rto = st.rto_ms * 1000;
	i->ato = 40000;
	i->snd_mss = i->rcv_mss = i->advmss = mss;
	i->unacked = (st.unacked_bytes + mss - 1) / mss;
	i->pmtu = mss + (t->remote.family == 6 ? 60 : 40);
	i->rtt = st.srtt_us;
	i->rttvar = st.rttvar_us;
	i->snd_ssthresh = st.ssthresh_bytes / mss;
	i->snd_cwnd = st.cwnd_bytes / mss;
	i->reordering = 3;
	i->rcv_space = (uint32_t)t->s.ints[SI_RCVBUF];
	i->total_retrans = st.retransmits;
	i->pacing_rate = i->max_pacing_rate = ~0ull;
	i->bytes_acked = st.bytes_out;
	i->bytes_received = st.bytes_in;
	return 0;
}

int tcp_socket_special(struct socket *s, int level, int opt, void *to, uint32_t *len)
{
	struct tcp_socket *t = to_tcp(s);

	if (level == SOL_SOCKET && opt == SO_ACCEPTCONN) {
		int32_t value = t->state == TS_LISTEN;

		*len = sizeof(value);
		memcpy(to, &value, sizeof(value));
		return 0;
	}
	if (level == SOL_TCP && opt == TCP_INFO) {
		struct tcp_info64 info;

		memset(&info, 0, sizeof(info));
		info.state = t->state == TS_LISTEN ? 10 : 7;
		if (t->conn && tcp_at_home(t, step_info, &info) < 0)
			return -ENOTCONN;
		*len = sizeof(info);
		memcpy(to, &info, sizeof(info));
		return 0;
	}
	if ((level == SOL_IP && opt == IP_MTU) || (level == SOL_IPV6 && opt == IPV6_MTU)) {
		struct tcp_info64 info;

		if (!t->conn || tcp_at_home(t, step_info, &info) < 0)
			return -ENOTCONN;
		*len = sizeof(info.pmtu);
		memcpy(to, &info.pmtu, sizeof(info.pmtu));
		return 0;
	}
	return -ENOPROTOOPT;
}
