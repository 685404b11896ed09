/* SPDX-License-Identifier: Apache-2.0 */
/* ecn_test.c - explicit congestion notification (RFC 3168, 8511) on a simulated wire whose queue
 * marks. */
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct sim_app client, server;
static enum net_ecn modes[2];
static uint32_t algorithm;
static uint64_t delay = 1 * MS;

/* What went over the wire, by sender. */
static struct seen {
	unsigned ect_data, ce_data, plain_data, ect_other, ece, cwr, cwr_old, ece_acks, again_ect;
	uint8_t syn_flags, syn_tos;
	uint32_t top; /* the highest sequence number sent so far */
	bool any;
} seen[2];

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

/* The byte of TOS, or of the traffic class, that ECN is in: shifted, for IPv6. */
static unsigned codepoint(const uint8_t *f)
{
	return (sim_family == 6 ? f[15] >> 4 : f[15]) & 3u;
}

static bool look(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	const uint8_t *th = f + sim_l4();
	struct seen *w = &seen[from];
	uint32_t n, seq;
	bool old;

	(void)s;
	if (len < 54 || !sim_is_tcp(f))
		return false;
	n = (uint32_t)(sim_family == 6 ? ldbe16(f + 18) : ldbe16(f + 16) - 20) -
	    (uint32_t)(th[12] >> 4) * 4;
	seq = ldbe32(th + 4);
	if (th[13] & TH_SYN) {
		w->syn_flags = th[13];
		w->syn_tos = (uint8_t)codepoint(f);
		return false;
	}
	old = w->any && SEQ_LT(seq, w->top);
	if (n != 0 && !old) {
		w->any = true;
		w->top = seq + n;
	}
	w->ect_data += n != 0 && !old && codepoint(f) == TOS_ECT0;
	w->plain_data += n != 0 && !old && codepoint(f) == 0;
	w->again_ect += n != 0 && old && codepoint(f) != 0;
	w->ect_other += n == 0 && codepoint(f) != 0;
	w->ece += (th[13] & TH_ECE) != 0;
	w->ece_acks += (th[13] & TH_ECE) && n == 0;
	w->cwr += (th[13] & TH_CWR) != 0;
	w->cwr_old += (th[13] & TH_CWR) && (old || n == 0);
	return false;
}

static void tune(struct sim *s)
{
	for (unsigned i = 0; i < 2; i++) {
		s->host[i].cfg.ecn = modes[i];
		s->host[i].cfg.congestion = algorithm;
		s->host[i].out.tap = look;
		s->host[i].out.delay_ns = delay;
	}
}

static bool connected(void *arg)
{
	(void)arg;
	return (client.connected && m.host[1].n_accepted > 0) || client.error;
}

static void begin(enum net_ecn a, enum net_ecn b)
{
	modes[0] = a;
	modes[1] = b;
	memset(seen, 0, sizeof(seen));
	sim_init(&m, 42, tune);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	client.tx_seed = server.rx_seed = 5;
	client.rx_seed = server.tx_seed = 9;
	m.host[1].on_accept = take_server;
	CHECK_EQ(sim_listen(&m, 1, 80, 8), 0);
}

static void idle(uint64_t ns)
{
	sim_run(&m, ns, NULL, NULL);
}

static void open_pair(enum net_ecn a, enum net_ecn b)
{
	begin(a, b);
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 5 * SEC, connected, NULL));
	idle(10 * MS);
}

static void end(void)
{
	CHECK(!client.bad && !server.bad);
	sim_free(&m);
	algorithm = TCP_CUBIC;
	delay = 1 * MS;
}

static void exchange(void)
{
	client.tx_total += 5000;
	server.tx_total += 5000;
	sim_app_pump(&client);
	sim_app_pump(&server);
	idle(1 * SEC);
	CHECK_EQ(client.rx_done, server.tx_total);
	CHECK_EQ(server.rx_done, client.tx_total);
}

/* 6.1.1: who asks, who agrees; and what is sent as ECT then: new data, nothing else. */
TEST(negotiation)
{
	static const struct {
		enum net_ecn client, server;
		uint8_t syn, answer;
	} t[] = {
		{ NET_ECN_REQUEST, NET_ECN_ACCEPT, TH_SYN | TH_ECE | TH_CWR,
		  TH_SYN | TH_ACK | TH_ECE },
		{ NET_ECN_REQUEST, NET_ECN_REQUEST, TH_SYN | TH_ECE | TH_CWR,
		  TH_SYN | TH_ACK | TH_ECE },
		{ NET_ECN_REQUEST, NET_ECN_OFF, TH_SYN | TH_ECE | TH_CWR, TH_SYN | TH_ACK },
		{ NET_ECN_ACCEPT, NET_ECN_REQUEST, TH_SYN, TH_SYN | TH_ACK },
		{ NET_ECN_OFF, NET_ECN_REQUEST, TH_SYN, TH_SYN | TH_ACK },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		bool on = (t[i].answer & TH_ECE) != 0;

		open_pair(t[i].client, t[i].server);
		CHECK_EQ(seen[0].syn_flags, t[i].syn);
		CHECK_EQ(seen[1].syn_flags, t[i].answer);
		CHECK_EQ((client.c->ecn & ECN_ON) != 0, on);
		CHECK_EQ((server.c->ecn & ECN_ON) != 0, on);
		exchange();
		for (unsigned k = 0; k < 2; k++) {
			CHECK_EQ(seen[k].syn_tos, 0);
			CHECK_EQ(seen[k].ect_data != 0, on);
			CHECK_EQ(seen[k].plain_data != 0, !on);
			CHECK_EQ(seen[k].ect_other, 0);
			CHECK_EQ(seen[k].ece + seen[k].cwr, 0);
		}
		end();
	}
}

static bool hates_ecn(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)look(s, from, f, len);
	return len >= 54 && sim_is_tcp(f) && (f[sim_l4() + 13] & TH_SYN) &&
	       (f[sim_l4() + 13] & TH_ECE);
}

/* 6.1.1.1: on a way where such SYNs vanish, the next one does not ask. */
TEST(syn_falls_back)
{
	begin(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	m.host[0].out.tap = hates_ecn;
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 5 * SEC, connected, NULL));
	CHECK(client.connected);
	CHECK(!((client.c->ecn | server.c->ecn) & ECN_ON));
	exchange();
	CHECK_EQ(seen[0].ect_data + seen[1].ect_data, 0);
	end();
	/* the first SYN arrived, its answer did not, the second SYN does not ask any more */
	begin(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	m.host[1].out.tap = hates_ecn;
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 5 * SEC, connected, NULL));
	CHECK(client.connected);
	CHECK(!((client.c->ecn | server.c->ecn) & ECN_ON));
	end();
}

static bool reflects(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	if (from == 1 && len >= 54 && f[23] == IP_TCP && (f[47] & TH_SYN)) {
		f[47] |= TH_ECE | TH_CWR;
		sim_fix_csums(f, len);
	}
	return false;
}

/* 6.1.1: an answer with both bits is that of somebody who copies reserved bits. */
TEST(reflected_bits)
{
	begin(NET_ECN_REQUEST, NET_ECN_OFF);
	m.host[1].out.tap = reflects;
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	CHECK(sim_run(&m, 5 * SEC, connected, NULL));
	CHECK(!(client.c->ecn & ECN_ON));
	exchange();
	end();
}

TEST(simultaneous_open_agrees)
{
	struct net_endpoint a = { .family = 4, .port = 1000, .ip4 = sim_ip(0) },
			    b = { .family = 4, .port = 2000, .ip4 = sim_ip(1) };

	for (int i = 0; i < 2; i++) {
		begin(NET_ECN_REQUEST, i == 0 ? NET_ECN_REQUEST : NET_ECN_ACCEPT);
		CHECK_EQ(tcp_connect(m.host[0].stack, &a, &b, &client, &client.c), 0);
		CHECK_EQ(tcp_connect(m.host[1].stack, &b, &a, &server, &server.c), 0);
		idle(5 * SEC);
		CHECK(client.connected && server.connected);
		CHECK_EQ((client.c->ecn & ECN_ON) != 0, i == 0);
		CHECK_EQ((server.c->ecn & ECN_ON) != 0, i == 0);
		exchange();
		end();
	}
}

/* A flood fills the backlog: the agreement comes back in the timestamp's low bits. */
TEST(cookies_keep_it)
{
	uint8_t f[200], opts[4] = { 2, 4, 5, 180 };

	for (int i = 0; i < 2; i++) {
		begin(i == 0 ? NET_ECN_REQUEST : NET_ECN_ACCEPT, NET_ECN_ACCEPT);
		for (unsigned k = 0; k < 100; k++) {
			size_t n = sim_tcp_frame(f, 0, 1, (uint16_t)(2000 + k), 80, k, 0, TH_SYN,
						 1000, opts, 4, NULL, 0);

			st32(f + 26, be32(0x0a000032u));
			sim_fix_csums(f, n);
			sim_inject(&m, 1, f, n);
		}
		idle(10 * MS);
		CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
		CHECK(sim_run(&m, 1 * SEC, connected, NULL));
		CHECK(m.host[1].stack->n.syn_cookies > 90);
		CHECK_EQ(seen[1].syn_flags & TH_ECE, i == 0 ? TH_ECE : 0);
		CHECK_EQ((server.c->ecn & ECN_ON) != 0, i == 0);
		CHECK(server.c->flags & TF_SACK);
		CHECK(server.c->snd_scale > 0);
		exchange();
		end();
	}
}

static bool mark_next; /* the client's next data segment */

static bool mark_one(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	if (from == 0 && mark_next && len > sim_l4() + 32u && sim_is_tcp(f) && codepoint(f) != 0) {
		mark_next = false;
		f[15] |= sim_family == 6 ? 0x30 : 3;
		sim_fix_csums(f, len);
	}
	return look(s, from, f, len);
}

/* 6.1.3: every acknowledgement echoes a mark until CWR comes; 6.1.2: CWR is on new data. */
TEST(echo_until_cwr)
{
	uint32_t cwnd;

	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	m.host[0].out.tap = mark_one;
	exchange();
	cwnd = client.c->cwnd;
	mark_next = true;
	client.tx_total += 100;
	sim_app_pump(&client);
	idle(100 * MS);
	CHECK_EQ(m.host[1].stack->n.ecn_marked, 1);
	CHECK_EQ(seen[1].ece, 1); /* at once, not delayed by 38 ms */
	CHECK_EQ(m.host[0].stack->n.ecn_slowed, 1);
	CHECK(client.c->cwnd < cwnd);
	server.tx_total += 3000; /* data carries it, too; without new data no CWR comes */
	sim_app_pump(&server);
	idle(100 * MS);
	CHECK(seen[1].ece >= 3);
	CHECK_EQ(seen[0].cwr, 0);
	CHECK_EQ(m.host[0].stack->n.ecn_slowed, 1); /* once */
	client.tx_total += 100;
	sim_app_pump(&client);
	idle(100 * MS);
	CHECK_EQ(seen[0].cwr, 1);
	CHECK_EQ(seen[0].cwr_old, 0);
	CHECK_EQ(server.c->ecn, ECN_ON);
	memset(seen, 0, sizeof(seen));
	exchange();
	CHECK_EQ(seen[0].ece + seen[1].ece + seen[0].cwr + seen[1].cwr, 0);
	CHECK(!((client.c->flags | server.c->flags) & (TF_SAY | TF_LOSS)));
	end();
}

/* A mark on the segment that says CWR is a new one. */
TEST(mark_beside_cwr)
{
	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_NODELAY, 1), 0);
	m.host[0].out.tap = mark_one;
	for (int i = 1; i <= 2; i++) {
		mark_next = true;
		client.tx_total += 100;
		sim_app_pump(&client);
		idle(100 * MS);
		CHECK_EQ(server.c->ecn, ECN_ON | TH_ECE);
	}
	CHECK_EQ(seen[0].cwr, 1);
	CHECK_EQ(m.host[1].stack->n.ecn_marked, 2);
	end();
}

/* RFC 8511: 0.85 of what was in flight; RFC 3168 6.1.2: once a window, however many marks. */
TEST(one_cut_a_window)
{
	uint32_t before;

	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	m.host[0].out.rate_bps = 20000000;
	m.host[0].out.mark_ns = 1; /* all that waits at all */
	client.tx_total = 10u * client.c->mss;
	before = client.c->cwnd;
	sim_app_pump(&client);
	idle(6 * MS + 1 * MS);
	CHECK(m.host[0].out.marked >= 8);
	CHECK_EQ(m.host[0].stack->n.ecn_slowed, 1);
	idle(1 * SEC);
	CHECK_EQ(m.host[0].stack->n.ecn_slowed, 1);
	CHECK_EQ(client.c->ssthresh, GW_MIN(before, 10u * client.c->mss) * 17 / 20);
	CHECK_EQ(client.c->retransmits, 0);
	end();
}

static bool all_there(void *arg)
{
	(void)arg;
	return server.rx_done == client.tx_total;
}

/* Bulk through a bottleneck. Returns ms. */
static uint64_t bulk(uint64_t mark_ns, uint32_t queue)
{
	uint64_t t0;

	delay = 5 * MS;
	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	m.host[0].out.rate_bps = 50000000;
	m.host[0].out.queue_bytes = queue;
	m.host[0].out.mark_ns = mark_ns;
	client.tx_total = 20 << 20;
	t0 = m.now;
	sim_app_pump(&client);
	CHECK(sim_run(&m, 30 * SEC, all_there, NULL));
	return (m.now - t0) / MS;
}

/* The queue marks at 5 ms and holds 40 ms: it never overflows, nothing is sent twice, and the link
 * is used. */
TEST(marks_instead_of_losses)
{
	static const uint32_t kinds[] = { TCP_CUBIC, TCP_BBR };
	uint64_t ms;

	for (unsigned i = 0; i < 2; i++) {
		algorithm = kinds[i];
		ms = bulk(5 * MS, 250000);
		CHECK(m.host[0].out.marked > 0);
		CHECK_EQ(m.host[0].out.dropped, 0);
		CHECK_EQ(client.c->retransmits, 0);
		CHECK(m.host[0].stack->n.ecn_slowed > 0);
		CHECK(m.host[0].stack->n.ecn_slowed <= m.host[0].out.marked);
		CHECK(seen[0].cwr > 0 && seen[0].cwr_old == 0);
		CHECK_EQ(seen[0].plain_data, 0);
		CHECK_EQ(seen[1].ect_other, 0);
		printf("%s, 20 MiB at 50 Mbit/s: %u ms (3355 is the link's), %u marks, %u cuts\n",
		       i == 0 ? "CUBIC" : "BBR", (unsigned)ms, (unsigned)m.host[0].out.marked,
		       (unsigned)m.host[0].stack->n.ecn_slowed);
		CHECK(ms < 4200);
		end();
	}
	/* the same queue, silent: it overflows */
	(void)bulk(0, 60000);
	CHECK(m.host[0].out.dropped > 0);
	end();
}

static unsigned drop_nth, n_data;

static bool drop_data(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	if (from == 0 && len > 200 && ++n_data == drop_nth)
		return true;
	return look(s, from, f, len);
}

/* A loss is a reduction, too: CWR follows (6.1.2), and what is sent again is not ECT (6.1.5). */
TEST(loss_says_cwr)
{
	for (drop_nth = 1; drop_nth <= 20; drop_nth += 19) {
		open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
		n_data = 0;
		m.host[0].out.tap = drop_data;
		client.tx_total = 300000;
		sim_app_pump(&client);
		idle(3 * SEC);
		CHECK_EQ(server.rx_done, 300000);
		CHECK(client.c->retransmits >= 1);
		CHECK_EQ(seen[0].again_ect, 0);
		CHECK(seen[0].cwr >= 1);
		CHECK_EQ(seen[0].cwr_old, 0);
		CHECK_EQ(m.host[0].stack->n.ecn_slowed, 0);
		CHECK_EQ(server.c->ecn, ECN_ON);
		end();
	}
}

static bool mark_and_drop(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	if (from == 0 && len > 200 && (f[15] & 3) != 0) {
		n_data++;
		if (n_data == 21 || n_data == 22)
			f[15] |= 3;
		sim_fix_csums(f, len);
		if (n_data == 26)
			return true;
	}
	return look(s, from, f, len);
}

/* A mark and a loss in one window are one indication (6.1.2). */
TEST(mark_and_loss_cut_once)
{
	uint32_t ssthresh = 0;

	delay = 10 * MS;
	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	n_data = 0;
	m.host[0].out.tap = mark_and_drop;
	client.tx_total = 80000;
	sim_app_pump(&client);
	while (client.c->cong != CONG_RECOVERY && m.now < 1002 * SEC)
		idle(1 * MS);
	ssthresh = client.c->ssthresh;
	CHECK_EQ(ssthresh, 30u * client.c->mss * 17 / 20); /* the mark's cut, not the loss's */
	idle(200 * MS);
	CHECK_EQ(m.host[0].stack->n.ecn_slowed, 1);
	CHECK_EQ(client.c->ssthresh, ssthresh);
	CHECK_EQ(client.c->retransmits, 1);
	CHECK_EQ(server.rx_done, 80000);
	end();
}

/* What an attacker, a stray or a router in front of a peer without it says is not listened to. */
TEST(no_agreement_no_answer)
{
	uint8_t f[300], data[100] = { 0 };
	uint32_t cwnd;
	size_t n;

	open_pair(NET_ECN_ACCEPT, NET_ECN_ACCEPT);
	exchange();
	cwnd = server.c->cwnd;
	n = sim_tcp_frame(f, 0, 1, be16((uint16_t)server.c->key_port), 80, server.c->rcv_nxt,
			  server.c->snd_una, TH_ACK | TH_ECE | TH_CWR, 100, NULL, 0, data, 100);
	server.c->flags &= ~TF_TS; /* its own would be out of date */
	f[15] = 3;
	sim_fix_csums(f, n);
	sim_inject(&m, 1, f, n);
	idle(100 * MS);
	CHECK_EQ(m.host[1].stack->n.ecn_marked + m.host[1].stack->n.ecn_slowed, 0);
	CHECK_EQ(server.c->ecn, 0);
	CHECK_EQ(server.c->cwnd, cwnd);
	CHECK_EQ(seen[1].ece, 0);
	sim_free(&m);
}

/* 6.1.5: a mark on data outside of the window is nobody's. */
TEST(mark_out_of_window)
{
	uint8_t f[300], data[100] = { 0 }, opts[12] = { 1, 1, 8, 10 };
	size_t n;

	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	exchange();
	stbe32(opts + 4, server.c->ts_recent);
	for (int i = 0; i < 2; i++) { /* old; far ahead */
		n = sim_tcp_frame(f, 0, 1, be16((uint16_t)server.c->key_port), 80,
				  i == 0 ? server.c->rcv_nxt - 100 : server.c->rcv_adv + 5000,
				  server.c->snd_una, TH_ACK, 100, opts, 12, data, 100);
		f[15] = 3;
		sim_fix_csums(f, n);
		sim_inject(&m, 1, f, n);
		idle(10 * MS);
	}
	CHECK_EQ(m.host[1].stack->n.ecn_marked, 0);
	CHECK_EQ(server.c->ecn, ECN_ON);
	end();
}

/* 5.3: a mark on one fragment is the whole datagram's; beside one that is not ECT: dropped. */
TEST(marked_fragment)
{
	for (unsigned kind = 0; kind < 3; kind++) { /* ECT + CE, ECT + ECT, plain + CE */
		static const uint8_t tos[3][2] = { { 2, 3 }, { 2, 2 }, { 0, 3 } };
		uint8_t f[300], part[300], data[100] = { 0 }, opts[12] = { 1, 1, 8, 10 };
		size_t n;

		open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
		client.rx_seed = 0;
		exchange();
		stbe32(opts + 4, server.c->ts_recent);
		n = sim_tcp_frame(f, 0, 1, be16((uint16_t)server.c->key_port), 80,
				  server.c->rcv_nxt, server.c->snd_una, TH_ACK, 100, opts, 12, data,
				  100);
		server.lazy = true;
		for (unsigned i = 0; i < 2; i++) {
			size_t off = i * 64, k = i == 0 ? 64 : n - 34 - 64;

			memcpy(part, f, 34);
			memcpy(part + 34, f + 34 + off, k);
			part[15] = tos[kind][i];
			stbe16(part + 16, (uint16_t)(20 + k));
			stbe16(part + 18, 77);
			stbe16(part + 20, (uint16_t)(off / 8 | (i == 0 ? 0x2000 : 0)));
			sim_fix_csums(part, 34 + k);
			sim_inject(&m, 1, part, 34 + k);
		}
		idle(10 * MS);
		CHECK_EQ(tcp_rx_available(server.c), kind == 2 ? 0 : 100);
		CHECK_EQ(m.host[1].stack->n.ecn_marked, kind == 0);
		client.bad = server.bad = false;
		end();
	}
}

static unsigned wrong_tos;

static bool check_tos(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	if (from == 0 && len >= 54 && f[23] == IP_TCP && (f[15] & 0xfc) != 0xb8)
		wrong_tos++;
	return look(s, from, f, len);
}

/* RFC 9293 MUST-48: differentiated services are the owner's choice, beside ECN. */
TEST(differentiated_services)
{
	open_pair(NET_ECN_REQUEST, NET_ECN_ACCEPT);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_TOS, 0xb8 | 1), 0);
	CHECK_EQ(tcp_set_opt(client.c, TCP_OPT_TOS, 256), -EINVAL);
	CHECK_EQ(tcp_get_opt(client.c, TCP_OPT_TOS), 0xb8);
	wrong_tos = 0;
	m.host[0].out.tap = check_tos;
	exchange();
	tcp_shutdown_tx(client.c);
	idle(1 * SEC);
	CHECK_EQ(wrong_tos, 0);
	CHECK(seen[0].ect_data > 0);
	CHECK_EQ(seen[0].ect_other, 0);
	end();
}

/* The traffic class is where TOS is, four bits later. */
TEST(over_ip6)
{
	static void (*const tests[])(void) = {
		test_negotiation,     test_syn_falls_back,	    test_echo_until_cwr,
		test_mark_beside_cwr, test_marks_instead_of_losses, test_loss_says_cwr,
	};

	sim_family = 6;
	for (unsigned i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i]();
	sim_family = 4;
}

UNIT_MAIN(CASE(negotiation), CASE(syn_falls_back), CASE(reflected_bits),
	  CASE(simultaneous_open_agrees), CASE(cookies_keep_it), CASE(echo_until_cwr),
	  CASE(mark_beside_cwr), CASE(one_cut_a_window), CASE(marks_instead_of_losses),
	  CASE(loss_says_cwr), CASE(mark_and_loss_cut_once), CASE(no_agreement_no_answer),
	  CASE(mark_out_of_window), CASE(marked_fragment), CASE(differentiated_services),
	  CASE(over_ip6))
