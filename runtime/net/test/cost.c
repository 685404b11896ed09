/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - instructions per request of the stack, counted by callgrind (see runtime/net/README.md):
 * one 14-byte request in order with timestamps, and its reply, ROUNDS times over. Each measured
 * step is a function here. */
#include <stdlib.h>
#include "runtime/net/test/sim.h"

#define ROUNDS 1000

static struct sim_app client;
static struct tcp_conn *conn;
static struct pbuf *out_frame;
static unsigned readable;

static int count_tx(void *ctx, struct pbuf *p)
{
	struct sim_host *h = ctx;

	if (out_frame != NULL)
		pbuf_free(&h->pool, out_frame);
	out_frame = p;
	return 0;
}

static void count_event(struct tcp_conn *c, void *owner, unsigned events)
{
	(void)c;
	(void)owner;
	readable += events & TCP_EV_READABLE;
}

static bool take(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	(void)l;
	(void)owner;
	conn = c;
	tcp_set_owner(c, NULL);
	return true;
}

__attribute__((noinline)) void step_input(struct net_stack *s, struct pbuf *p)
{
	net_input(s, p);
}

__attribute__((noinline)) void step_read(struct tcp_conn *c)
{
	const uint8_t *d;
	size_t n = tcp_rx_peek(c, 0, &d);

	tcp_rx_consume(c, n);
}

__attribute__((noinline)) size_t step_room(struct tcp_conn *c, uint8_t **d)
{
	return tcp_tx_room(c, d);
}

__attribute__((noinline)) void step_commit(struct tcp_conn *c)
{
	tcp_tx_commit(c, 7, true);
}

__attribute__((noinline)) void step_poll(struct net_stack *s)
{
	net_poll(s);
}

static bool strip_ts; /* a peer without timestamps, as QEMU's user network */

static bool connected(void *arg)
{
	(void)arg;
	return client.connected && conn != NULL;
}

int main(int argc, char **argv)
{
	static const struct tcp_callbacks cb = { .event = count_event, .accepted = take };
	static struct sim m;
	struct sim_host *h = &m.host[1];
	uint8_t opts[12] = { 1, 1, 8, 10 };
	uint32_t seq, tsval;
	(void)argv;

	strip_ts = argc > 1;
	sim_init(&m, 1, NULL);
	h->stack->cfg.tx = h->cfg.tx;
	tcp_set_callbacks(h->stack, &cb);
	if (sim_listen(&m, 1, 6379, 16) != 0 || sim_connect(&m, 0, 6379, &client) != 0)
		return 1;
	if (!sim_run(&m, 5 * SEC, connected, NULL))
		return 1;
	sim_run(&m, 1 * SEC, NULL, NULL);
	if (strip_ts) {
		conn->flags &= ~TF_TS;
		conn_set_mss(conn);
	}
	tcp_set_opt(conn, TCP_OPT_NODELAY, 1) == 0 ? (void)0 : abort();
	h->stack->cfg.tx = count_tx;
	h->stack->cfg.csum_rx = h->stack->cfg.csum_tx = argc > 2;
	seq = conn->rcv_nxt;
	tsval = conn->ts_recent;
	for (int i = 0; i < ROUNDS; i++) {
		uint8_t frame[200], *d;
		size_t n;

		m.now += 100000;
		stbe32(opts + 4, tsval + (uint32_t)i / 10);
		stbe32(opts + 8, conn_ts_now(conn));
		n = sim_tcp_frame(frame, 0, 1, be16((uint16_t)conn->key_port), 6379, seq,
				  conn->snd_nxt, TH_ACK | TH_PSH, 512, opts, strip_ts ? 0 : 12,
				  "*1\r\n$4\r\nPING\r\n", 14);
		seq += 14;
		net_set_now(h->stack, m.now);
		step_input(h->stack, sim_pbuf(h, frame, n, 0));
		step_read(conn);
		if (step_room(conn, &d) < 7)
			abort();
		memcpy(d, "+PONG\r\n", 7);
		step_commit(conn);
		step_poll(h->stack);
	}
	return readable == ROUNDS && conn->snd_nxt - conn->snd_una == 7 ? 0 : 2;
}
