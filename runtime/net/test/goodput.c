/* SPDX-License-Identifier: Apache-2.0 */
/* goodput.c - goodput of one direction over links that lose packets at random, both ways, in
 * simulated time: the mean over seeds, in Mbit/s, by loss and congestion control. `make
 * bench-goodput`. Deterministic. */
#include <stdio.h>
#include <stdlib.h>

#include "runtime/net/test/sim.h"

static struct sim m;
static struct sim_app client, server;
static unsigned congestion, loss, rate_mbit, rtt_ms, queue_kib;

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

static void tune(struct sim *s)
{
	for (int i = 0; i < 2; i++) {
		s->host[i].out = (struct sim_link){ .loss = loss,
						    .delay_ns = rtt_ms * MS / 2,
						    .rate_bps = rate_mbit * 1000000ull,
						    .queue_bytes = queue_kib * 1024 };
		s->host[i].cfg.congestion = congestion;
		s->host[i].cfg.sndbuf_max = s->host[i].cfg.rcvbuf_max = 4 << 20;
	}
}

static bool all_there(void *arg)
{
	(void)arg;
	return client.error || server.error || server.rx_done == client.tx_total;
}

/* Seconds for the bytes; adds segments sent again, and lost on the way. */
static double transfer(uint64_t seed, uint64_t bytes, uint64_t *again, uint64_t *lost)
{
	uint64_t t0;

	sim_init(&m, seed, tune);
	client = (struct sim_app){ .tx_seed = 17, .rx_seed = 91, .tx_total = bytes };
	server = (struct sim_app){ .tx_seed = 91, .rx_seed = 17 };
	m.host[1].on_accept = take_server;
	if (sim_listen(&m, 1, 6379, 16) != 0 || sim_connect(&m, 0, 6379, &client) != 0)
		exit(1);
	t0 = m.now;
	if (!sim_run(&m, 10000 * SEC, all_there, NULL) || client.error || server.error ||
	    server.bad)
		fprintf(stderr, "goodput: seed %lu, loss %u: the transfer failed\n", seed, loss);
	t0 = m.now - t0;
	*again += m.host[0].stack->n.retransmits;
	*lost += m.host[0].out.dropped;
	sim_free(&m);
	return (double)t0 / 1e9;
}

static void row(unsigned n_seeds, uint64_t bytes)
{
	double sum = 0;
	uint64_t again = 0, lost = 0;

	for (unsigned i = 1; i <= n_seeds; i++)
		sum += (double)bytes * 8 / 1e6 / transfer(i, bytes, &again, &lost);
	printf("| %s | %4.1f %% | %8.2f | %6.1f %% | %6.1f %% |\n",
	       congestion == TCP_BBR ? "BBR" : "CUBIC", loss / 100.0, sum / n_seeds,
	       144800.0 * (double)again / (double)bytes / n_seeds,
	       144800.0 * (double)lost / (double)bytes / n_seeds);
}

int main(int argc, char **argv)
{
	static const unsigned losses[] = { 0, 10, 100, 200, 500, 1000, 2000 };

	rate_mbit = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
	rtt_ms = argc > 2 ? (unsigned)atoi(argv[2]) : 10;
	queue_kib = argc > 3 ? (unsigned)atoi(argv[3]) : 128;
	printf("%u Mbit/s, %u ms round trip, %u KiB queue\n| control | loss | goodput | sent again "
	       "| lost |\n|---|---|---|---|---|\n",
	       rate_mbit, rtt_ms, queue_kib);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(losses); i++) {
		congestion = i < ARRAY_SIZE(losses) ? TCP_CUBIC : TCP_BBR;
		loss = losses[i % ARRAY_SIZE(losses)];
		row(12, loss >= 500 ? 512 << 10 : 4 << 20);
	}
	return 0;
}
