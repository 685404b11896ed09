/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_bulk_test.c - data both ways over good and bad links, byte for byte, and how well it goes. */
#include <stdlib.h>
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct sim_app client, server;
static uint64_t csum_drops;

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

static bool both_done(void *arg)
{
	(void)arg;
	return client.error || server.error ||
	       (client.rx_done == server.tx_total && server.rx_done == client.tx_total &&
		client.eof && server.eof);
}

static void start(uint64_t seed, void (*tune)(struct sim *), uint64_t up, uint64_t down)
{
	sim_init(&m, seed, tune);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.tx_seed = server.rx_seed = 17;
	client.rx_seed = server.tx_seed = 91;
	client.tx_total = up;
	server.tx_total = down;
	client.close_when_sent = server.close_when_sent = true;
	m.host[1].on_accept = take_server;
	CHECK_EQ(sim_listen(&m, 1, 6379, 16), 0);
	CHECK_EQ(sim_connect(&m, 0, 6379, &client), 0);
}

static void finish(void)
{
	CHECK(!client.bad);
	CHECK(!server.bad);
	CHECK(!client.error);
	CHECK(!server.error);
	CHECK_EQ(client.rx_done, server.tx_total);
	CHECK_EQ(server.rx_done, client.tx_total);
	CHECK(client.eof && server.eof);
	if (client.c != NULL)
		tcp_close(client.c);
	if (server.c != NULL)
		tcp_close(server.c);
	sim_run(&m, 130 * SEC, NULL, NULL);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(m.host[i].stack->tcp.n_conns, 0);
		CHECK_EQ(m.host[i].stack->tcp.n_tw, 0);
		CHECK_EQ(m.host[i].pool.n_free, m.host[i].pool.n_total);
	}
	csum_drops = m.host[0].stack->n.drop_csum + m.host[1].stack->n.drop_csum;
	sim_free(&m);
}

static void set_links(struct sim *s, struct sim_link l)
{
	s->host[0].out = s->host[1].out = l;
}

static unsigned loss_now, reorder_now, dup_now, corrupt_now, congestion_now;
static bool offload_now, nosack_now;

static void tune_bad(struct sim *s)
{
	set_links(s, (struct sim_link){ .loss = loss_now,
					.reorder = reorder_now,
					.dup = dup_now,
					.corrupt = corrupt_now,
					.delay_ns = 5 * MS,
					.rate_bps = 100000000,
					.queue_bytes = 100000 });
	s->host[0].cfg.congestion = s->host[1].cfg.congestion = congestion_now;
	if (offload_now) {
		for (int i = 0; i < 2; i++)
			s->host[i].cfg.csum_tx = s->host[i].cfg.csum_rx = s->host[i].cfg.tso4 =
				s->host[i].cfg.tso6 = s->host[i].cfg.gro_rx = true;
	}
}

static bool strip_sack(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	(void)from;
	size_t l4 = sim_l4();

	if (len > l4 + 20 && sim_is_tcp(f) && (f[l4 + 13] & TH_SYN)) {
		for (size_t i = l4 + 20; i + 1 < len; i++) {
			if (f[i] == 4 && f[i + 1] == 2)
				f[i] = f[i + 1] = 1;
		}
		sim_fix_csums(f, len);
	}
	return false;
}

static uint64_t transfer(unsigned loss, unsigned reorder, unsigned dup, unsigned corrupt,
			 uint64_t up, uint64_t down)
{
	uint64_t t0;

	loss_now = loss;
	reorder_now = reorder;
	dup_now = dup;
	corrupt_now = corrupt;
	start(loss * 7 + reorder + dup * 3 + corrupt + 1, tune_bad, up, down);
	if (nosack_now)
		m.host[0].out.tap = m.host[1].out.tap = strip_sack;
	t0 = m.now;
	CHECK(sim_run(&m, 4000 * SEC, both_done, NULL));
	t0 = m.now - t0;
	finish();
	return t0;
}

TEST(clean)
{
	uint64_t t = transfer(0, 0, 0, 0, 8 << 20, 0);

	/* 8 MiB at 100 Mbit/s take 0.67 s */
	CHECK(t < 1500 * MS);
	transfer(0, 0, 0, 0, 3 << 20, 3 << 20);
	transfer(0, 0, 0, 0, 0, 1);
	transfer(0, 0, 0, 0, 0, 0);
}

TEST(loss)
{
	static const unsigned losses[] = { 10, 100, 500, 1000, 2000 };

	for (unsigned i = 0; i < ARRAY_SIZE(losses); i++) {
		uint64_t t = transfer(losses[i], 0, 0, 0, 1 << 20, 1 << 20);

		CHECK(t < (losses[i] < 2000 ? 5 : 60) * SEC);
		printf("loss %.1f %%: 1 MiB both ways in %.2f s\n", losses[i] / 100.0,
		       (double)t / 1e9);
	}
}

/* A path that loses without being full: BBR keeps its pace where CUBIC gives way. */
TEST(bbr)
{
	uint64_t cubic = 0, bbr = 0;

	for (unsigned i = 0; i < 4; i++) {
		congestion_now = TCP_CUBIC;
		cubic += transfer(500, i, 0, 0, 4 << 20, 0);
		congestion_now = TCP_BBR;
		bbr += transfer(500, i, 0, 0, 4 << 20, 0);
	}
	printf("5 %% loss, 4 MiB: CUBIC %.2f s, BBR %.2f s\n", (double)cubic / 4e9,
	       (double)bbr / 4e9);
	CHECK(bbr * 2 < cubic);
	/* nothing lost: the whole rate, and bounded queueing */
	bbr = transfer(0, 0, 0, 0, 8 << 20, 0);
	CHECK(bbr < 1500 * MS);
	transfer(1000, 500, 200, 100, 1 << 19, 1 << 19);
	nosack_now = true;
	transfer(100, 0, 0, 0, 1 << 19, 1 << 19);
	nosack_now = false;
	offload_now = true;
	transfer(100, 0, 0, 0, 4 << 20, 1 << 20);
	offload_now = false;
	congestion_now = TCP_CUBIC;
}

/* Chosen and unchosen while data is in flight. */
TEST(congestion_switch)
{
	loss_now = 100;
	reorder_now = dup_now = corrupt_now = 0;
	start(3, tune_bad, 4 << 20, 0);
	for (int i = 0; i < 40 && !both_done(NULL); i++) {
		if (client.c != NULL && client.connected) {
			CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_CONGESTION,
					     i & 1 ? TCP_BBR : TCP_CUBIC),
				 0);
			CHECK_EQ(tcp_get_opt(client.c, TCP_OPT_CONGESTION),
				 i & 1 ? TCP_BBR : TCP_CUBIC);
			CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_CONGESTION, 7), -EINVAL);
		}
		sim_run(&m, 15 * MS, both_done, NULL);
	}
	CHECK(sim_run(&m, 100 * SEC, both_done, NULL));
	finish();
}

TEST(reorder_dup)
{
	transfer(0, 500, 0, 0, 2 << 20, 1 << 20);
	transfer(0, 3000, 0, 0, 1 << 20, 1 << 20);
	transfer(0, 0, 2000, 0, 1 << 20, 1 << 20);
	transfer(200, 500, 500, 0, 1 << 20, 1 << 20);
}

static uint64_t dsacks;

/* RFC 2883: a first block that lies below the acknowledgement, or inside the second block. */
static bool count_dsack(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	size_t l4 = sim_l4(), end = l4 + (size_t)(f[l4 + 12] >> 4) * 4;

	(void)s;
	(void)from;
	if (len < l4 + 20 || !sim_is_tcp(f) || end > len)
		return false;
	for (size_t i = l4 + 20; i + 1 < end && f[i] != 0; i += f[i] == 1 ? 1 : f[i + 1]) {
		if (f[i] == 5 && f[i + 1] >= 10)
			dsacks += (int32_t)(ldbe32(f + i + 6) - ldbe32(f + l4 + 8)) <= 0;
		if (f[i] != 1 && f[i + 1] < 2)
			break;
	}
	return false;
}

/* What comes twice is reported; a path that delays some but loses none makes the sender more
 * patient. */
TEST(duplicates_reported)
{
	loss_now = corrupt_now = reorder_now = 0;
	dup_now = 500;
	start(5, tune_bad, 1 << 20, 0);
	dsacks = 0;
	m.host[1].out.tap = count_dsack;
	CHECK(sim_run(&m, 100 * SEC, both_done, NULL));
	CHECK(dsacks > 10);
	finish();
	dup_now = 0;
	reorder_now = 1000;
	start(6, tune_bad, 4 << 20, 0);
	CHECK(sim_run(&m, 100 * SEC, both_done, NULL));
	CHECK(client.c->flags & TF_REORDERED);
	printf("a tenth of the packets late, 4 MiB: %u of %u segments sent again in vain\n",
	       (unsigned)m.host[0].stack->n.retransmits, (4u << 20) / 1448);
	CHECK(m.host[0].stack->n.retransmits < (4u << 20) / 1448 / 10);
	finish();
	reorder_now = 0;
}

TEST(corruption)
{
	transfer(0, 0, 0, 300, 1 << 20, 1 << 20);
	CHECK(csum_drops > 0);
}

TEST(no_sack)
{
	nosack_now = true;
	transfer(100, 0, 0, 0, 1 << 20, 1 << 20);
	transfer(1000, 300, 300, 0, 1 << 19, 1 << 19);
	nosack_now = false;
}

TEST(offload)
{
	offload_now = true;
	transfer(0, 0, 0, 0, 8 << 20, 0);
	CHECK(m.host[0].gso_out > 10);
	CHECK(m.host[0].max_frame > 5 * 1460);
	transfer(300, 200, 200, 0, 1 << 20, 1 << 20);
	offload_now = false;
}

TEST(over_ip6)
{
	sim_family = 6;
	test_clean();
	test_loss();
	test_bbr();
	test_reorder_dup();
	test_duplicates_reported();
	test_corruption();
	test_no_sack();
	test_offload();
	sim_family = 4;
}

UNIT_MAIN(CASE(clean), CASE(loss), CASE(bbr), CASE(congestion_switch), CASE(reorder_dup),
	  CASE(duplicates_reported), CASE(corruption), CASE(no_sack), CASE(offload), CASE(over_ip6))
