/* SPDX-License-Identifier: Apache-2.0 */
/* many.c - see many.h. The owners keep a byte each, so that what is measured is the stack's. */
#include <stdlib.h>
#include "runtime/net/test/many.h"
#include "runtime/net/test/sim.h"

#define PORTS 60000u /* local ones, from 1024 */
#define REQUEST 14u
#define BATCH 64u

static struct sim m;
static unsigned wanted;
static struct tcp_conn **conns; /* the client's */
static uint8_t *state;		/* of each: bytes of the answer that came */
static struct tcp_conn **over;	/* the server's that were reset, to be closed */
static unsigned n_over;
static struct many_report *report;

static uint8_t byte_of(unsigned i, unsigned k)
{
	return (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16) + k);
}

static void send_back(struct tcp_conn *c)
{
	const uint8_t *in;
	uint8_t *out;
	size_t n;

	while ((n = tcp_rx_peek(c, 0, &in)) > 0 && tcp_tx_room(c, &out) >= n) {
		memcpy(out, in, n);
		tcp_rx_consume(c, n);
		tcp_tx_commit(c, n, true);
	}
}

/* The client's owner is the connection's number, from 1; the server's is NULL. */
static void on_event(struct tcp_conn *c, void *owner, unsigned events)
{
	unsigned i = (unsigned)(uintptr_t)owner - 1;
	const uint8_t *in;
	size_t n;

	if (owner == NULL) {
		if (events & TCP_EV_ERROR)
			over[n_over++] = c;
		else if (events & TCP_EV_READABLE)
			send_back(c);
		return;
	}
	report->opened += (events & TCP_EV_CONNECTED) != 0;
	while ((n = tcp_rx_peek(c, 0, &in)) > 0) {
		for (size_t k = 0; k < n; k++)
			report->wrong += in[k] != byte_of(i, state[i] + (unsigned)k);
		state[i] = (uint8_t)(state[i] + n);
		report->answered += state[i] == REQUEST;
		tcp_rx_consume(c, n);
	}
}

static bool on_accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	(void)l;
	(void)owner;
	tcp_set_owner(c, NULL);
	report->accepted++;
	return true;
}

static void tune(struct sim *s)
{
	for (unsigned i = 0; i < SIM_HOSTS; i++) {
		s->host[i].cfg.max_conns = wanted + 16;
		s->host[i].out.delay_ns = 10 * NS_PER_US;
	}
}

static void open_all(void)
{
	struct tcp_listener *l;

	for (unsigned p = 0; p <= (wanted - 1) / PORTS; p++) {
		struct net_endpoint at = { .family = 4, .port = (uint16_t)(80 + p) };

		if (tcp_listen(m.host[1].stack, &at, BATCH, NULL, &l) != 0)
			abort();
	}
	for (unsigned i = 0; i < wanted; i++) {
		struct net_endpoint from = { .family = 4, .port = (uint16_t)(1024 + i % PORTS) },
				    to = { .family = 4,
					   .port = (uint16_t)(80 + i / PORTS),
					   .ip4 = sim_ip(1) };

		if (tcp_connect(m.host[0].stack, &from, &to, (void *)(uintptr_t)(i + 1),
				&conns[i]) != 0)
			abort();
		if (i % BATCH == BATCH - 1)
			sim_run(&m, 1 * MS, NULL, NULL);
	}
	sim_run(&m, 5 * SEC, NULL, NULL);
}

static void ask_all(void)
{
	for (unsigned i = 0; i < wanted; i++) {
		uint8_t *out;

		if (tcp_tx_room(conns[i], &out) < REQUEST)
			abort();
		for (unsigned k = 0; k < REQUEST; k++)
			out[k] = byte_of(i, k);
		tcp_tx_commit(conns[i], REQUEST, true);
		if (i % BATCH == BATCH - 1)
			sim_run(&m, 1 * MS, NULL, NULL);
	}
	sim_run(&m, 5 * SEC, NULL, NULL);
}

static void close_all(void)
{
	for (unsigned i = 0; i < wanted; i++) {
		tcp_abort(conns[i]);
		if (i % BATCH == BATCH - 1)
			sim_run(&m, 1 * MS, NULL, NULL);
	}
	sim_run(&m, 5 * SEC, NULL, NULL);
	while (n_over > 0)
		tcp_close(over[--n_over]);
	sim_run(&m, 1 * SEC, NULL, NULL);
	for (unsigned k = 0; k < SIM_HOSTS; k++)
		report->left += m.host[k].stack->tcp.n_conns;
}

void many_run(unsigned n, struct many_report *out)
{
	static const struct tcp_callbacks cb = { .event = on_event, .accepted = on_accepted };
	size_t before;
	uint64_t frames;

	memset(out, 0, sizeof(*out));
	report = out;
	wanted = n;
	conns = calloc(n, sizeof(struct tcp_conn *));
	state = calloc(n, 1);
	over = calloc(n, sizeof(struct tcp_conn *));
	sim_init(&m, 1, tune);
	for (unsigned i = 0; i < SIM_HOSTS; i++)
		tcp_set_callbacks(m.host[i].stack, &cb);
	before = m.mem;
	open_all();
	frames = m.host[0].frames_out + m.host[1].frames_out;
	sim_run(&m, 3600 * SEC, NULL, NULL);
	out->frames_idle = m.host[0].frames_out + m.host[1].frames_out - frames;
	out->bytes_idle = m.mem - before;
	out->sleeps = true;
	for (unsigned i = 0; i < SIM_HOSTS; i++) {
		out->sleeps = out->sleeps && net_poll(m.host[i].stack) == GW_NEVER;
		out->buffers_idle += m.host[i].pool.n_total - m.host[i].pool.n_free;
	}
	ask_all();
	close_all();
	sim_free(&m);
	free(conns);
	free(state);
	free(over);
}
