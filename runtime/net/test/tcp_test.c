/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_test.c - the protocol's corners: handshakes, closes, resets and blind attacks, floods,
 * timers, windows. */
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct sim_app client, server;

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

static bool connected(void *arg)
{
	(void)arg;
	return (client.connected && m.host[1].n_accepted > 0) || client.error;
}

static void begin(void (*tune)(struct sim *))
{
	sim_init(&m, 42, tune);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.tx_seed = server.rx_seed = 5;
	client.rx_seed = server.tx_seed = 9;
	m.host[1].on_accept = take_server;
	CHECK_EQ(sim_listen(&m, 1, 80, 8), 0);
}

static void open_pair(void (*tune)(struct sim *))
{
	begin(tune);
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 5 * SEC, connected, NULL));
	sim_run(&m, 10 * MS, NULL, NULL);
}

static void end(void)
{
	CHECK(!client.bad && !server.bad);
	sim_free(&m);
}

static void idle(uint64_t ns)
{
	sim_run(&m, ns, NULL, NULL);
}

static uint64_t frames(void)
{
	return m.host[0].frames_out + m.host[1].frames_out;
}

TEST(request_response)
{
	uint64_t before;

	open_pair(NULL);
	server.echo_mode = true;
	server.echo_size = 14;
	before = m.host[1].frames_out;
	for (int i = 1; i <= 50; i++) {
		client.tx_total += 14;
		sim_app_pump(&client);
		idle(3 * MS);
		CHECK_EQ(client.rx_done, 14u * (unsigned)i);
	}
	/* one packet a request from the server: the acknowledgement rides on the reply */
	CHECK_EQ(m.host[1].frames_out - before, 50);
	idle(100 * MS);
	CHECK_EQ(m.host[1].frames_out - before, 50);
	end();
}

TEST(orderly_close)
{
	open_pair(NULL);
	tcp_close(client.c);
	idle(100 * MS);
	CHECK_EQ(server.hups, 1);
	CHECK(server.eof);
	CHECK_EQ(tcp_get_state(server.c), TCP_CLOSE_WAIT);
	tcp_close(server.c);
	idle(100 * MS);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 0);
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 0);
	CHECK_EQ(m.host[0].stack->tcp.n_tw, 1);
	CHECK_EQ(m.host[1].stack->tcp.n_tw, 0);
	idle(61 * SEC);
	CHECK_EQ(m.host[0].stack->tcp.n_tw, 0);
	end();
}

TEST(half_close)
{
	open_pair(NULL);
	tcp_shutdown_tx(client.c);
	idle(100 * MS);
	CHECK(server.eof);
	server.tx_total = 100000; /* still flows the other way */
	sim_app_pump(&server);
	idle(1 * SEC);
	CHECK_EQ(client.rx_done, 100000);
	tcp_shutdown_tx(server.c);
	idle(100 * MS);
	CHECK(client.eof);
	CHECK_EQ(tcp_get_state(client.c), TCP_TIME_WAIT);
	tcp_close(client.c);
	tcp_close(server.c);
	idle(100 * MS);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 0);
	end();
}

TEST(simultaneous_close)
{
	open_pair(NULL);
	tcp_shutdown_tx(client.c);
	tcp_shutdown_tx(server.c);
	idle(1 * SEC);
	CHECK_EQ(tcp_get_state(client.c), TCP_TIME_WAIT);
	CHECK_EQ(tcp_get_state(server.c), TCP_TIME_WAIT);
	end();
}

TEST(simultaneous_open)
{
	struct net_endpoint a = sim_end(0, 1000), b = sim_end(1, 2000);

	begin(NULL);
	CHECK_EQ(tcp_connect(m.host[0].stack, &a, &b, &client, &client.c), 0);
	CHECK_EQ(tcp_connect(m.host[1].stack, &b, &a, &server, &server.c), 0);
	idle(5 * SEC);
	CHECK(client.connected && server.connected);
	client.tx_total = server.tx_total = 5000;
	sim_app_pump(&client);
	sim_app_pump(&server);
	idle(1 * SEC);
	CHECK_EQ(client.rx_done, 5000);
	CHECK_EQ(server.rx_done, 5000);
	end();
}

TEST(refused_and_timeout)
{
	begin(NULL);
	CHECK_EQ(sim_connect(&m, 0, 81, &client), 0);
	idle(1 * SEC);
	CHECK_EQ(client.err, -ECONNREFUSED);
	tcp_close(client.c);
	m.host[1].out.black_hole = true;
	memset(&client, 0, sizeof(client));
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	idle(200 * SEC);
	CHECK_EQ(client.err, -ETIMEDOUT);
	tcp_close(client.c);
	idle(1 * SEC);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 0);
	end();
}

TEST(data_timeout)
{
	open_pair(NULL);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_USER_TIMEOUT_MS, 10000), 0);
	m.host[1].out.black_hole = true;
	client.tx_total = 10;
	sim_app_pump(&client);
	idle(8 * SEC);
	CHECK(!client.error);
	idle(20 * SEC);
	CHECK_EQ(client.err, -ETIMEDOUT);
	end();
}

TEST(abort_and_unread)
{
	open_pair(NULL);
	tcp_abort(client.c);
	idle(100 * MS);
	CHECK_EQ(server.err, -ECONNRESET);
	CHECK_EQ(tcp_get_state(server.c), TCP_CLOSED);
	tcp_close(server.c);
	end();

	open_pair(NULL);
	server.lazy = true;
	client.tx_total = 100;
	sim_app_pump(&client);
	idle(100 * MS);
	CHECK_EQ(tcp_rx_available(server.c), 100);
	tcp_close(server.c); /* unread data: RST (RFC 2525) */
	idle(100 * MS);
	CHECK_EQ(client.err, -ECONNRESET);
	end();
}

static uint32_t inject(uint32_t seq, uint32_t ack, uint8_t flags, size_t len)
{
	uint8_t f[2000], data[1000] = { 0 };
	struct tcp_conn *c = server.c;
	size_t n = sim_tcp_frame(f, 0, 1, be16((uint16_t)c->key_port), 80, seq, ack, flags, 100,
				 NULL, 0, data, len);

	sim_inject(&m, 1, f, n);
	idle(5 * MS);
	return 0;
}

TEST(blind_attacks)
{
	uint64_t sent;

	open_pair(NULL);
	sent = m.host[1].frames_out;
	inject(server.c->rcv_nxt + 100000000, 0, TH_RST, 0); /* out of the window: nothing */
	CHECK_EQ(m.host[1].frames_out, sent);
	inject(server.c->rcv_nxt + 1000, 0, TH_RST, 0); /* in it, not exact: challenge ACK */
	CHECK_EQ(m.host[1].frames_out, sent + 1);
	CHECK_EQ(tcp_get_state(server.c), TCP_ESTABLISHED);
	inject(server.c->rcv_nxt + 10, 0, TH_SYN, 0);
	CHECK_EQ(tcp_get_state(server.c), TCP_ESTABLISHED);
	inject(server.c->rcv_nxt, server.c->snd_nxt + 50000, TH_ACK,
	       100); /* blind data: no timestamp, bad ACK */
	inject(server.c->rcv_nxt, server.c->snd_una - 0x40000000, TH_ACK, 100);
	CHECK_EQ(tcp_rx_available(server.c), 0);
	CHECK_EQ(server.rx_done, 0);
	for (int i = 0; i < 1000; i++)
		inject(server.c->rcv_nxt + 1000 + (uint32_t)i, 0, TH_RST, 0);
	CHECK(m.host[1].frames_out - sent < 700); /* 100 a second */
	CHECK_EQ(tcp_get_state(server.c), TCP_ESTABLISHED);
	inject(server.c->rcv_nxt, 0, TH_RST, 0); /* exact: it is the peer */
	CHECK_EQ(server.err, -ECONNRESET);
	end();
}

TEST(paws)
{
	uint8_t f[200], opts[12] = { 1, 1, 8, 10 };
	uint64_t dropped;
	size_t n;

	open_pair(NULL);
	client.tx_total = 10;
	sim_app_pump(&client);
	idle(100 * MS);
	dropped = m.host[1].stack->n.drop_seq;
	stbe32(opts + 4, server.c->ts_recent - 1000);
	n = sim_tcp_frame(f, 0, 1, be16((uint16_t)server.c->key_port), 80, server.c->rcv_nxt,
			  server.c->snd_nxt, TH_ACK, 100, opts, 12, "old", 3);
	sim_inject(&m, 1, f, n);
	idle(10 * MS);
	CHECK_EQ(m.host[1].stack->n.drop_seq, dropped + 1);
	CHECK_EQ(server.rx_done, 10);
	end();
}

TEST(zero_window)
{
	open_pair(NULL);
	server.lazy = true;
	client.tx_total = 3 << 20;
	sim_app_pump(&client);
	idle(120 * SEC); /* the window is shut: probes keep it alive */
	CHECK(!client.error);
	CHECK(client.c->snd_wnd == 0);
	CHECK(tcp_rx_available(server.c) <= server.c->rcvbuf);
	CHECK(m.host[1].pool.n_total * 2048ull < 8 << 20);
	server.lazy = false;
	m.host[1].out.black_hole = true; /* the window update is lost: only a probe can find out */
	sim_app_pump(&server);
	idle(1 * SEC);
	m.host[1].out.black_hole = false;
	idle(200 * SEC);
	CHECK_EQ(server.rx_done, 3 << 20);
	end();
}

static bool count_small(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	if (from == 0 && sim_is_tcp(f) && len > sim_l4() + 32 && len < 200)
		client.requests++;
	return false;
}

TEST(nagle_cork_sws)
{
	open_pair(NULL);
	m.host[0].out.tap = count_small;
	client.chunk = 10;
	client.tx_total = 100; /* the first goes at once, the rest together after its ACK */
	sim_app_pump(&client);
	idle(200 * MS);
	CHECK_EQ(server.rx_done, 100);
	CHECK_EQ(client.requests, 2);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	client.requests = 0;
	client.tx_total += 100;
	sim_app_pump(&client);
	idle(200 * MS);
	CHECK_EQ(client.requests, 10);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_CORK, 1), 0);
	client.requests = 0;
	client.tx_total += 100;
	sim_app_pump(&client);
	idle(50 * MS);
	CHECK_EQ(server.rx_done, 200);
	idle(300 * MS); /* a cork holds 200 ms */
	CHECK_EQ(server.rx_done, 300);
	CHECK_EQ(client.requests, 1);
	client.tx_total += 20;
	sim_app_pump(&client);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_CORK, 0), 0);
	idle(10 * MS);
	CHECK_EQ(server.rx_done, 320);
	end();
}

/* A send queue that is full will not grow: its odd end is not held back for the sake of a full
 * segment. */
TEST(nagle_full_queue)
{
	uint64_t t0;

	open_pair(NULL);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_SNDBUF, 4096), 0);
	client.c->sndbuf = 2000; /* less than an owner can ask for: one segment, and some */
	client.tx_total = 100000;
	t0 = m.now;
	sim_app_pump(&client);
	while (server.rx_done < 100000 && m.now - t0 < 10 * SEC)
		idle(1 * MS);
	CHECK_EQ(server.rx_done, 100000);
	CHECK(m.now - t0 <
	      50 * 20 * MS); /* fifty round trips, not fifty delayed acknowledgements */
	end();
}

/* More may be queued than there is packet memory: something is always left to receive with. */
TEST(memory_for_acknowledgements)
{
	open_pair(NULL);
	m.host[0].pool.max_total = m.host[0].pool.n_total + 64;
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_SNDBUF, 1 << 20), 0);
	client.tx_total = 4 << 20;
	sim_app_pump(&client);
	idle(20 * SEC);
	CHECK_EQ(server.rx_done, 4 << 20);
	end();
}

TEST(keepalive)
{
	open_pair(NULL);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_KEEPALIVE, 1), 0);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_KEEPIDLE_S, 60), 0);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_KEEPINTVL_S, 5), 0);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_KEEPCNT, 3), 0);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_KEEPCNT, 0), -EINVAL);
	idle(600 * SEC);
	CHECK(!client.error);
	m.host[0].out.black_hole = true;
	idle(60 * SEC);
	idle(30 * SEC);
	CHECK_EQ(client.err, -ETIMEDOUT);
	end();
}

TEST(delayed_ack)
{
	uint64_t before;

	open_pair(NULL);
	before = m.host[1].frames_out;
	client.tx_total = 10;
	sim_app_pump(&client);
	idle(20 * MS);
	CHECK_EQ(m.host[1].frames_out, before);
	idle(25 * MS); /* within 40 ms of arrival */
	CHECK_EQ(m.host[1].frames_out, before + 1);
	end();
}

/* Acknowledgements that the other side sends for 1 MiB, which is delivered in batches. */
static uint64_t acks_for_batches(bool batch)
{
	uint64_t before;

	open_pair(NULL);
	m.host[1].stack->cfg.ack_batch = batch;
	before = m.host[1].frames_out;
	client.tx_total = 1 << 20;
	sim_app_pump(&client);
	idle(5 * SEC);
	CHECK_EQ(server.rx_done, 1 << 20);
	CHECK_EQ(client.c->retransmits, 0);
	before = m.host[1].frames_out - before;
	end();
	return before;
}

TEST(acks_of_batches)
{
	uint64_t each = acks_for_batches(false), batch = acks_for_batches(true);

	printf("acknowledgements for 1 MiB: %lu, %lu by batches\n", (unsigned long)each,
	       (unsigned long)batch);
	CHECK(each >= (1 << 20) / 1448 / 2);
	CHECK(batch * 4 < each);
}

/* A program that reads a full queue in small pieces: the window's opening is told some times, not
 * for each piece. */
TEST(window_opens_in_pieces)
{
	uint64_t before;

	open_pair(NULL);
	server.lazy = true;
	client.tx_total = 1 << 20;
	sim_app_pump(&client);
	idle(2 * SEC);
	CHECK(tcp_rx_available(server.c) > 30000);
	m.host[0].out.black_hole = true; /* what comes is not taken in between */
	before = m.host[1].frames_out;
	while (tcp_rx_available(server.c) > 1000)
		tcp_rx_consume(server.c, 1000);
	CHECK(m.host[1].frames_out > before && m.host[1].frames_out - before <= 8);
	CHECK(server.c->rcv_adv - server.c->rcv_nxt >= server.c->rcvbuf / 2);
	server.bad = false;
	sim_free(&m);
}

/* Receive buffers grow as far as all together may, and give it back. */
TEST(growth_is_bounded)
{
	struct net_stack *s;

	open_pair(NULL);
	s = m.host[1].stack;
	s->cfg.rcv_growth_max = 100000;
	m.host[0].out.delay_ns = 20 * MS;
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_SNDBUF, 1 << 20), 0);
	client.tx_total = 8 << 20;
	sim_app_pump(&client);
	idle(20 * SEC);
	CHECK_EQ(server.rx_done, 8 << 20);
	CHECK_EQ(server.c->rcvbuf, 2 * TCP_INIT_BUF);
	CHECK_EQ(s->tcp.rcv_growth, TCP_INIT_BUF);
	CHECK_EQ(tcp_set_opt(server.c, TCP_OPT_RCVBUF, 3 * TCP_INIT_BUF), 0);
	CHECK_EQ(s->tcp.rcv_growth, rx_growth(server.c));
	tcp_close(client.c);
	tcp_close(server.c);
	idle(200 * SEC);
	CHECK_EQ(s->tcp.n_conns, 0);
	CHECK_EQ(s->tcp.rcv_growth, 0);
	end();
}

static struct sim_app many[5000];
static unsigned n_many;

static void *take_many(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return n_many < 5000 ? &many[n_many++] : NULL;
}

TEST(five_thousand)
{
	static struct sim_app clients[5000];
	uint64_t before, deadline;
	size_t mem;

	begin(NULL);
	n_many = 0;
	memset(many, 0, sizeof(many));
	memset(clients, 0, sizeof(clients));
	m.host[1].on_accept = take_many;
	mem = m.mem;
	for (int i = 0; i < 5000; i++) {
		CHECK_EQ(sim_connect(&m, 0, 80, &clients[i]), 0);
		if (i % 8 == 7)
			idle(5 * MS);
	}
	idle(5 * SEC);
	CHECK_EQ(n_many, 5000);
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 5000);
	printf("memory per idle connection: %zu bytes\n", (m.mem - mem) / 10000);
	CHECK((m.mem - mem) / 10000 < 512);
	CHECK_EQ(m.host[1].pool.n_free, m.host[1].pool.n_total); /* no buffers while idle */
	before = frames();
	idle(3600 * SEC);
	CHECK_EQ(frames(), before);
	deadline = net_poll(m.host[1].stack);
	CHECK(deadline == GW_NEVER); /* idle connections wake nobody */
	end();
}

TEST(syn_flood)
{
	uint8_t f[200], opts[4] = { 2, 4, 5, 180 };
	size_t mem;

	begin(NULL);
	mem = m.mem;
	for (unsigned i = 0; i < 20000; i++) {
		size_t n = sim_tcp_frame(f, 0, 1, (uint16_t)(1024 + i % 60000), 80, i * 7919, 0,
					 TH_SYN, 1000, opts, 4, NULL, 0);

		sim_set_source(f, n, 50 + i % 150);
		sim_inject(&m, 1, f, n);
		if (i % 100 == 0)
			idle(1 * MS);
	}
	idle(10 * MS);
	CHECK_EQ(m.host[1].stack->tcp.n_half, 8); /* the backlog, no more */
	CHECK(m.host[1].stack->n.syn_cookies > 19000);
	CHECK(m.mem - mem < 100 * 1024);
	/* while the flood's half-open ones still fill the backlog, an honest client gets in by a
	 * cookie */
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 1 * SEC, connected, NULL));
	CHECK(m.host[1].n_accepted == 1);
	CHECK(server.c->flags & TF_SACK); /* its options came back in the timestamp */
	CHECK(server.c->snd_scale > 0);
	client.tx_total = server.tx_total = 300000;
	sim_app_pump(&client);
	sim_app_pump(&server);
	idle(3 * SEC);
	CHECK_EQ(client.rx_done, 300000);
	CHECK_EQ(server.rx_done, 300000);
	/* a made-up cookie does not */
	{
		size_t n =
			sim_tcp_frame(f, 0, 1, 999, 80, 5, 12345, TH_ACK, 1000, NULL, 0, NULL, 0);

		sim_inject(&m, 1, f, n);
		idle(10 * MS);
		CHECK_EQ(m.host[1].n_accepted, 1);
	}
	idle(200 * SEC);
	CHECK_EQ(m.host[1].stack->tcp.n_half, 0);
	end();
}

static void forget_neighbours(unsigned host)
{
	struct net_stack *s = m.host[host].stack;

	for (unsigned i = 0; s->v6 != NULL && i < ND_SETS * ND_WAYS; i++) {
		struct nd_entry *n = &s->v6->nd[i / ND_WAYS][i % ND_WAYS];

		if (list_empty(&n->queue))
			n->state = ND_FREE;
	}
}

/* SYNs from many addresses of the own link that never answer, without end: who answers is not kept
 * out, nor are those that are connected. */
TEST(syn_flood_from_the_link)
{
	uint8_t f[200], opts[4] = { 2, 4, 5, 180 };
	struct sim_app second = { .tx_seed = 1, .rx_seed = 2 };
	uint64_t asked;

	open_pair(NULL);
	asked = m.host[1].stack->n.tx_packets;
	for (unsigned i = 0; i < 60000; i++) {
		size_t n = sim_tcp_frame(f, 0, 1, (uint16_t)(1024 + i % 60000), 80, i * 7919, 0,
					 TH_SYN, 1000, opts, 4, NULL, 0);

		sim_set_source(f, n, 10 + i % 240);
		sim_inject(&m, 1, f, n);
		if (i % 20 == 0)
			idle(1 * MS);
		if (i == 30000) {
			/* forgotten here, as after a quiet night: it asks, and is known again */
			arp_flush(m.host[0].stack);
			arp_flush(m.host[1].stack);
			forget_neighbours(0);
			forget_neighbours(1);
			m.host[1].on_accept = NULL; /* nobody's */
			CHECK_EQ(sim_connect(&m, 0, 80, &second), 0);
		}
		if (i % 10000 == 9999) {
			client.tx_total += 50000;
			sim_app_pump(&client);
		}
	}
	CHECK(second.connected);
	idle(1 * SEC);
	CHECK_EQ(server.rx_done, 300000);
	/* the answers that found nobody were not all asked for */
	CHECK(m.host[1].stack->n.tx_packets - asked < 5000);
	if (second.c != NULL)
		tcp_abort(second.c);
	idle(200 * SEC);
	end();
}

TEST(time_wait_reuse)
{
	struct net_endpoint a = sim_any(1000), b = sim_end(1, 80);

	open_pair(NULL);
	for (int i = 0; i < 3; i++) { /* the same pair again and again; the server closes first */
		memset(&client, 0, sizeof(client));
		memset(&server, 0, sizeof(server));
		CHECK_EQ(tcp_connect(m.host[0].stack, &a, &b, &client, &client.c), 0);
		idle(1 * SEC);
		CHECK(client.connected);
		CHECK(server.c != NULL);
		if (!client.connected || server.c == NULL)
			break;
		tcp_close(server.c);
		idle(100 * MS);
		tcp_close(client.c);
		idle(1500 * MS);
		CHECK_EQ(m.host[1].stack->tcp.n_tw, 1);
	}
	end();
}

TEST(time_wait_bounded)
{
	begin(NULL);
	m.host[0].stack->tcp.max_tw = 20;
	for (int i = 0; i < 50; i++) {
		memset(&client, 0, sizeof(client));
		memset(&server, 0, sizeof(server));
		CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
		idle(10 * MS);
		tcp_close(client.c);
		idle(10 * MS);
		tcp_close(server.c);
		idle(10 * MS);
	}
	CHECK_EQ(m.host[0].stack->tcp.n_tw, 20);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 0);
	end();
}

TEST(orphan_fin_wait_2)
{
	open_pair(NULL);
	tcp_close(client.c);
	idle(1 * SEC);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 1); /* the server does not close */
	idle(62 * SEC);
	CHECK_EQ(m.host[0].stack->tcp.n_conns, 0);
	end();
}

TEST(path_mtu)
{
	uint32_t mtu = sim_family == 6 ? 1300 : 1000;

	open_pair(NULL);
	m.host[0].out.drop_over = mtu + ETH_HLEN;
	m.host[0].out.icmp = true;
	client.tx_total = 200000;
	sim_app_pump(&client);
	idle(5 * SEC);
	CHECK_EQ(server.rx_done, 200000);
	CHECK_EQ(client.c->rt_mtu, mtu);
	CHECK(client.c->mss <= mtu - conn_headers(client.c));
	end();
}

/* A router drops what is too long and says nothing. */
TEST(path_mtu_black_hole)
{
	static const uint32_t limits[] = { 1200, 700 }, limits6[] = { 1400, 1294 };

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		uint32_t limit = sim_family == 6 ? limits6[i] : limits[i];

		open_pair(NULL);
		m.host[0].out.drop_over = limit;
		client.tx_total = 200000;
		sim_app_pump(&client);
		idle(30 * SEC);
		CHECK_EQ(server.rx_done, 200000);
		CHECK(client.c->rt_mtu + ETH_HLEN <= limit);
		CHECK(client.c->rt_mtu >= TCP_MIN_MTU);
		end();
	}
	/* a path that was down for a second keeps its segments' size */
	open_pair(NULL);
	m.host[0].out.black_hole = true;
	client.tx_total = 200000;
	sim_app_pump(&client);
	idle(SEC / 2);
	m.host[0].out.black_hole = false;
	idle(5 * SEC);
	CHECK_EQ(server.rx_done, 200000);
	CHECK_EQ(client.c->rt_mtu, 1500);
	end();
}

static void tiny(struct sim *s)
{
	s->host[0].cfg.mtu = s->host[1].cfg.mtu = sim_family == 6 ? 1280 : 576;
}

static void jumbo(struct sim *s)
{
	s->host[0].cfg.mtu = s->host[1].cfg.mtu = 9000;
}

TEST(mtus)
{
	for (int i = 0; i < 2; i++) {
		open_pair(i == 0 ? tiny : jumbo);
		client.tx_total = server.tx_total = 1 << 20;
		sim_app_pump(&client);
		sim_app_pump(&server);
		idle(10 * SEC);
		CHECK_EQ(server.rx_done, 1 << 20);
		CHECK_EQ(client.rx_done, 1 << 20);
		CHECK(m.host[0].max_frame > (i == 0 ? 500 : 5000));
		end();
	}
}

static void long_fat(struct sim *s)
{
	for (int i = 0; i < 2; i++) {
		s->host[i].out = (struct sim_link){ .delay_ns = 50 * MS, .rate_bps = 100000000 };
		s->host[i].cfg.sndbuf_max = s->host[i].cfg.rcvbuf_max = 4 << 20;
	}
}

TEST(window_scale_and_tuning)
{
	uint64_t t0;

	open_pair(long_fat);
	CHECK(client.c->snd_scale > 0 && client.c->rcv_scale > 0);
	client.tx_total = 20 << 20;
	t0 = m.now;
	sim_app_pump(&client);
	while (server.rx_done < 20 << 20 && m.now - t0 < 60 * SEC)
		idle(100 * MS);
	CHECK_EQ(server.rx_done, 20 << 20);
	CHECK(server.c->rcvbuf > 1 << 20); /* grew from 64 KiB to the path's need */
	CHECK(m.now - t0 < 5 * SEC);	   /* at 64 KiB a round trip it would take 33 s */
	printf("20 MiB over 100 ms at 100 Mbit/s: %.2f s\n", (double)(m.now - t0) / 1e9);
	end();
}

TEST(ring_full)
{
	open_pair(NULL);
	m.host[0].tx_fail = 50;
	client.tx_total = 100000;
	sim_app_pump(&client);
	idle(100 * MS); /* no retransmission timer needed */
	CHECK_EQ(server.rx_done, 100000);
	CHECK_EQ(client.c->retransmits, 0);
	CHECK(m.host[0].stack->n.tx_full == 50);
	end();
}

TEST(device_keeps_frames)
{
	begin(NULL);
	m.host[0].out.loss = 500;
	m.host[0].hold_tx =
		true; /* completions never come: retransmissions must not touch those frames */
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	idle(5 * SEC);
	client.tx_total = 80000;
	sim_app_pump(&client);
	idle(30 * SEC);
	CHECK_EQ(server.rx_done, 80000);
	for (unsigned i = 0; i < m.host[0].n_held; i++)
		pbuf_free(&m.host[0].pool, m.host[0].held[i]);
	CHECK_EQ(m.host[0].pool.n_free, m.host[0].pool.n_total);
	end();
}

TEST(loopback)
{
	struct net_endpoint to = sim_any(80);

	if (sim_family == 6)
		to.ip6[15] = 1;
	else
		to.ip4 = be32(0x7f000001);
	begin(NULL);
	CHECK_EQ(tcp_connect(m.host[1].stack, NULL, &to, &client, &client.c), 0);
	idle(100 * MS);
	CHECK(client.connected);
	client.tx_total = server.tx_total = 1 << 20;
	sim_app_pump(&client);
	sim_app_pump(&server);
	idle(10 * SEC);
	CHECK_EQ(server.rx_done, 1 << 20);
	CHECK_EQ(client.rx_done, 1 << 20);
	CHECK(m.host[1].frames_out <= 1); /* but its ARP announcement */
	end();
}

TEST(room_not_committed)
{
	uint8_t *out;

	open_pair(NULL);
	server.lazy = true;
	client.tx_total = 200000; /* the peer's window ends inside a segment, later ones are full */
	sim_app_pump(&client);
	idle(100 * MS);
	CHECK(tcp_tx_room(client.c, &out) != 0 || tcp_tx_space(client.c) == 0);
	server.lazy = false;
	sim_app_pump(&server); /* the queue moves and is cut while the room is out */
	idle(100 * MS);
	client.tx_total += 100000;
	sim_app_pump(&client);
	idle(5 * SEC);
	CHECK_EQ(server.rx_done, 300000);
	end();
}

TEST(small_segments_memory)
{
	open_pair(NULL);
	server.lazy = true;
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	client.chunk = 1;
	client.tx_total = 20000;
	for (int i = 0; i < 1100; i++) {
		sim_app_pump(&client);
		idle(10 * MS);
	}
	CHECK_EQ(tcp_rx_available(server.c), 20000);
	CHECK(m.host[1].pool.n_total - m.host[1].pool.n_free < 40); /* not 20,000 pbufs */
	end();
}

/* The peer's hardware address is another now, or somebody claimed so: nothing comes back, and the
 * neighbour is asked again instead of being believed for minutes (RFC 1122 2.3.2.1). */
TEST(false_neighbour)
{
	struct arp_entry *a;

	open_pair(NULL);
	server.echo_mode = true;
	server.echo_size = 14;
	idle(5 * SEC);
	a = arp_find(m.host[1].stack, sim_ip(0));
	CHECK(a != NULL);
	a->mac[5] = a->eth[7] = 77;
	client.tx_total += 14;
	sim_app_pump(&client);
	idle(3 * SEC);
	CHECK_EQ(client.rx_done, 14);
	CHECK_EQ(a->state, ARP_OK);
	CHECK_EQ(a->mac[5], m.host[0].cfg.mac[5]);
	end();
}

static void ten_ms(struct sim *s)
{
	s->host[0].out.delay_ns = s->host[1].out.delay_ns = 5 * MS;
}

static unsigned lose_nth, data_seen, data_lost;

static bool lose_one(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	(void)from;
	if (len < 200 || !sim_is_tcp(f))
		return false;
	data_seen++;
	data_lost += data_seen == lose_nth;
	return data_seen == lose_nth;
}

static bool all_read(void *arg)
{
	(void)arg;
	return server.rx_done == client.tx_total;
}

/* n full segments of which the one numbered lost never arrives. Returns ms until all is there. */
static uint64_t short_flight(unsigned n, unsigned lost)
{
	uint64_t t;

	open_pair(ten_ms);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	client.tx_total = 10; /* a round trip is measured */
	sim_app_pump(&client);
	idle(200 * MS);
	lose_nth = lost;
	data_seen = data_lost = 0;
	m.host[0].out.tap = lose_one;
	client.tx_total += (uint64_t)n * client.c->mss;
	t = m.now;
	sim_app_pump(&client);
	CHECK(sim_run(&m, 5 * SEC, all_read, NULL));
	t = (m.now - t) / MS;
	CHECK_EQ(data_lost, lost != 0);
	return t;
}

/* RFC 8985 7: the last segments of a flight are lost, nothing behind them says so. */
TEST(tail_loss)
{
	for (unsigned n = 2; n <= 6; n++) {
		/* when one alone is left, its acknowledgement might just be delayed */
		CHECK(short_flight(n, n) < (n % 2 == 0 ? 60 : 160));
		CHECK_EQ(client.c->retransmits, 1);
		CHECK(client.c->cong == CONG_OPEN);
		client.tx_total += 3ull * client.c->mss; /* and on it goes, with a smaller window */
		sim_app_pump(&client);
		idle(100 * MS);
		CHECK_EQ(client.c->retransmits, 1);
		CHECK(client.c->cwnd < 10u * client.c->mss);
		CHECK(!(client.c->flags & (TF_LOSS | TF_TLP)));
		end();
	}
}

/* A lone segment that is lost is probed for, before the retransmission timer and without its price.
 */
TEST(lone_loss)
{
	CHECK(short_flight(1, 1) < 160);
	CHECK_EQ(client.c->retransmits, 1);
	CHECK(client.c->cong == CONG_OPEN);
	CHECK(client.c->cwnd > client.c->mss);
	end();
	/* a path longer than the first timer: no probe before two round trips, and no timeout */
	open_pair(NULL);
	m.host[0].out.delay_ns = m.host[1].out.delay_ns = 60 * MS;
	for (int i = 0; i < 30; i++) { /* the round trip is learnt */
		client.tx_total += 100;
		sim_app_pump(&client);
		idle(500 * MS);
	}
	client.c->retransmits = 0;
	for (int i = 0; i < 10; i++) {
		client.tx_total += 100;
		sim_app_pump(&client);
		idle(500 * MS);
	}
	CHECK_EQ(client.c->retransmits, 0);
	CHECK_EQ(server.rx_done, 4000);
	end();
}

/* RFC 8985 6.3: too few arrived behind the hole for a count of three. */
TEST(hole_in_short_flight)
{
	for (unsigned n = 2; n <= 5; n++) {
		for (unsigned lost = 1; lost < n; lost++) {
			CHECK(short_flight(n, lost) < 60);
			CHECK_EQ(client.c->retransmits, 1);
			end();
		}
	}
}

/* Nothing lost: nothing sent twice, whether the peer delays its acknowledgement or not. */
TEST(no_idle_probes)
{
	for (unsigned n = 1; n <= 6; n++) {
		(void)short_flight(n, 0);
		idle(2 * SEC);
		CHECK_EQ(client.c->retransmits, 0);
		CHECK_EQ(server.c->retransmits, 0);
		end();
	}
}

/* The acknowledgement was only late: the probe was in vain, and the window stays. */
TEST(probe_in_vain)
{
	uint32_t before;

	open_pair(ten_ms);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	client.tx_total = 10;
	sim_app_pump(&client);
	idle(200 * MS);
	m.host[1].out.delay_ns = 45 * MS;
	before = client.c->cwnd;
	client.tx_total += 2ull * client.c->mss;
	sim_app_pump(&client);
	idle(300 * MS);
	CHECK_EQ(server.rx_done, client.tx_total);
	CHECK_EQ(client.c->retransmits, 1);
	CHECK(client.c->cwnd >= before);
	CHECK(!(client.c->flags & (TF_LOSS | TF_TLP)));
	end();
}

/* The same over IPv6, but for what is about ARP, or counts on the round trip that its question adds
 * to the first sample. */
TEST(over_ip6)
{
	static void (*const tests[])(void) = {
		test_request_response,
		test_orderly_close,
		test_half_close,
		test_simultaneous_close,
		test_simultaneous_open,
		test_refused_and_timeout,
		test_data_timeout,
		test_abort_and_unread,
		test_blind_attacks,
		test_paws,
		test_zero_window,
		test_nagle_cork_sws,
		test_nagle_full_queue,
		test_memory_for_acknowledgements,
		test_keepalive,
		test_delayed_ack,
		test_syn_flood,
		test_syn_flood_from_the_link,
		test_time_wait_reuse,
		test_time_wait_bounded,
		test_orphan_fin_wait_2,
		test_path_mtu,
		test_path_mtu_black_hole,
		test_mtus,
		test_window_scale_and_tuning,
		test_ring_full,
		test_device_keeps_frames,
		test_loopback,
		test_room_not_committed,
		test_small_segments_memory,
		test_hole_in_short_flight,
		test_no_idle_probes,
		test_probe_in_vain,
	};

	sim_family = 6;
	for (unsigned i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i]();
	sim_family = 4;
}

UNIT_MAIN(CASE(request_response), CASE(orderly_close), CASE(half_close), CASE(simultaneous_close),
	  CASE(simultaneous_open), CASE(refused_and_timeout), CASE(data_timeout),
	  CASE(abort_and_unread), CASE(blind_attacks), CASE(paws), CASE(zero_window),
	  CASE(nagle_cork_sws), CASE(nagle_full_queue), CASE(memory_for_acknowledgements),
	  CASE(keepalive), CASE(delayed_ack), CASE(acks_of_batches), CASE(window_opens_in_pieces),
	  CASE(growth_is_bounded), CASE(five_thousand), CASE(syn_flood),
	  CASE(syn_flood_from_the_link), CASE(time_wait_reuse), CASE(time_wait_bounded),
	  CASE(orphan_fin_wait_2), CASE(path_mtu), CASE(path_mtu_black_hole), CASE(mtus),
	  CASE(window_scale_and_tuning), CASE(ring_full), CASE(device_keeps_frames), CASE(loopback),
	  CASE(room_not_committed), CASE(small_segments_memory), CASE(false_neighbour),
	  CASE(tail_loss), CASE(lone_loss), CASE(hole_in_short_flight), CASE(no_idle_probes),
	  CASE(probe_in_vain), CASE(over_ip6))
