/* SPDX-License-Identifier: Apache-2.0 */
/* migrate_test.c - a connection moves between two shards of a host while data flows both ways. The
 * device gives every packet to shard 0, so whatever belongs to shard 1 is found through the
 * directory and forwarded. */
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct net_stack *shard[2];
static struct net_directory *dir;
static struct sim_app client, server;
static unsigned forwarded;

static void *zeroed(size_t n)
{
	return m.host[1].cfg.alloc(n);
}

static void forward(void *ctx, uint32_t to, struct pbuf *frame)
{
	(void)ctx;
	forwarded++;
	net_set_now(shard[to], m.now);
	net_input(shard[to], frame);
}

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

static void run(uint64_t ns)
{
	for (uint64_t end = m.now + ns; m.now < end;) {
		sim_run(&m, GW_MIN(1 * MS, end - m.now), NULL, NULL);
		net_set_now(shard[1], m.now);
		net_poll(shard[1]);
	}
}

static void tune(struct sim *s)
{
	s->host[1].cfg.n_shards = 2;
	s->host[1].cfg.forward = forward;
	s->host[0].out = s->host[1].out =
		(struct sim_link){ .delay_ns = 2 * MS, .rate_bps = 50000000, .loss = 50 };
}

TEST(moves_with_data)
{
	struct net_endpoint at = sim_any(80);
	struct tcp_listener *l;
	struct net_config cfg;

	sim_init(&m, 11, tune);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.tx_seed = server.rx_seed = 1;
	client.rx_seed = server.tx_seed = 2;
	client.tx_total = server.tx_total = 4 << 20;
	client.close_when_sent = server.close_when_sent = true;
	m.host[1].on_accept = take_server;
	shard[0] = m.host[1].stack;
	cfg = m.host[1].cfg;
	cfg.shard = 1;
	shard[1] = net_create(&cfg, m.now);
	tcp_set_callbacks(shard[1], &shard[0]->tcp.cb);
	net_set_ip4(shard[1], sim_ip(1), 24, 0, 0);
	if (sim_family == 6)
		net_adopt_ip6(shard[1], net_get_ip6(shard[0]));
	dir = net_directory_create(zeroed, 64);
	net_set_directory(shard[0], dir);
	net_set_directory(shard[1], dir);
	CHECK_EQ(sim_listen(&m, 1, 80, 4), 0);
	CHECK_EQ(tcp_listen(shard[1], &at, 4, &m.host[1], &l), 0);
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	run(100 * MS);
	CHECK(client.connected && server.c != NULL);
	for (unsigned i = 1; i <= 20; i++) {
		unsigned to = i & 1;

		CHECK_EQ(tcp_detach(server.c, to), 0);
		run(7 * MS); /* packets arrive meanwhile and wait at the new shard */
		net_set_now(shard[to], m.now);
		CHECK_EQ(tcp_attach(shard[to], server.c), 0);
		CHECK(tcp_stack(server.c) == shard[to]);
		run(30 * MS);
	}
	run(60 * SEC);
	CHECK_EQ(server.rx_done, 4 << 20);
	CHECK_EQ(client.rx_done, 4 << 20);
	CHECK(!client.bad && !server.bad && !client.error && !server.error);
	CHECK(forwarded > 100);
	CHECK(shard[0]->n.forwarded > 100);
	tcp_close(client.c);
	tcp_close(server.c);
	run(1 * SEC);
	CHECK_EQ(shard[0]->tcp.n_conns + shard[1]->tcp.n_conns, 0);
	sim_free(&m);
}

/* Its answers to neighbours come to shard 0, too, and are passed on. */
TEST(moves_over_ip6)
{
	sim_family = 6;
	test_moves_with_data();
	sim_family = 4;
}

UNIT_MAIN(CASE(moves_with_data), CASE(moves_over_ip6))
