/* SPDX-License-Identifier: Apache-2.0 */
/* rfc9293_test.c - what RFC 9293 demands of headers, options, opening, closing, resets, and of the
 * layer below; docs/tcp.md says which test is for which MUST. Each test plays the peer. */
#include "runtime/net/test/peer.h"

/* MUST-1: 65,535 without scaling is no negative window. */
TEST(window_is_unsigned)
{
	peer_init();
	peer_open(NULL, 0);
	peer_ack_now();
	CHECK_EQ(app.c->snd_wnd, 65535);
	peer_write(536 * 3);
	CHECK_EQ(peer_count_data(0), 3);
	peer_end();
}

/* MUST-2, 3: what is damaged is dropped, wherever the damage; peer_tap checks what is sent. */
TEST(checksum)
{
	uint8_t f[200];
	size_t n;

	peer_init();
	peer_open(NULL, 0);
	for (unsigned bit = 0; bit < (20 + 10) * 8; bit++) {
		n = sim_tcp_frame(f, 0, 1, peer_port, 80, peer_seq, peer_ack, TH_ACK, 1000, NULL, 0,
				  "0123456789", 10);
		f[34 + bit / 8] ^= (uint8_t)(1u << bit % 8);
		sim_inject(&m, 1, f, n);
		peer_run(1000);
	}
	CHECK_EQ(app.c->bytes_in, 0);
	CHECK_EQ(m.host[1].stack->n.drop_csum + m.host[1].stack->n.drop_short, 240);
	CHECK(m.host[1].stack->n.drop_short <= 4); /* the data offset makes no sense */
	n = sim_tcp_frame(f, 0, 1, peer_port, 80, peer_seq, peer_ack, TH_ACK, 1000, NULL, 0,
			  "0123456789", 10);
	sim_inject(&m, 1, f, n);
	peer_run(1000);
	CHECK_EQ(app.c->bytes_in, 10);
	peer_end();
}

/* MUST-4, 5, 6, 64: options in any segment, any order, at odd places, unknown ones with a length
 * skipped; MUST-68. */
TEST(options_in_any_order)
{
	static const uint8_t orders[][20] = {
		{ 2, 4, 5, 0, 4, 2, 3, 3, 7, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1 },
		{ 1, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 3, 3, 7, 4, 2, 2, 4, 5, 0 },
		{ 3, 3, 7, 2, 4, 5, 0, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 4, 2, 0 },
	};
	static const uint8_t unknown[] = {
		253, 5, 1, 2, 3, 2, 4, 3, 232, 254, 3, 9, 0, 77, 77, 77
	};

	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		peer_init();
		peer_set_opts(orders[i], 20);
		peer_say(TH_SYN, peer_seq, 0, NULL, 0);
		CHECK(peer_last()->o.has_ts && peer_last()->o.sack_ok && peer_last()->o.has_wscale);
		CHECK_EQ(peer_last()->o.tsecr, 9);
		peer_end();
	}
	peer_init();
	peer_open(unknown, sizeof(unknown));
	CHECK_EQ(app.c->peer_mss,
		 1000); /* between unknown ones; nothing behind the end of the list */
	peer_set_opts(unknown, sizeof(unknown));
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 10);
	CHECK_EQ(app.c->peer_mss, 1000);
	peer_end();
}

/* MUST-7: lengths of 0, 1 and beyond the header: the segment is dropped, the connection lives. */
TEST(illegal_option_lengths)
{
	static const uint8_t bad[][4] = {
		{ 8, 0, 0, 0 }, { 254, 1, 1, 1 }, { 1, 1, 5, 9 }, { 1, 1, 1, 5 }
	};

	peer_init();
	peer_open(NULL, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		peer_set_opts(bad[i], 4);
		peer_say(TH_ACK, peer_seq, peer_ack, "x", 1);
		CHECK_EQ(app.c->bytes_in, 0);
	}
	CHECK_EQ(m.host[1].stack->n.drop_short, ARRAY_SIZE(bad));
	peer_set_opts(NULL, 0);
	peer_data(1);
	CHECK_EQ(app.c->bytes_in, 1);
	peer_end();
}

/* MUST-14, 65, 67, 69, SHLD-5: we send MSS in each SYN, no more than can be received, and in no
 * other segment; what follows the options is zeros. */
TEST(mss_sent)
{
	static const uint8_t ts[12] = { 1, 1, 8, 10, 0, 0, 0, 1 };

	for (int active = 0; active < 2; active++) {
		peer_init();
		if (active) {
			peer_opened();
		} else {
			peer_set_opts(ts, 12);
			peer_say(TH_SYN, peer_seq, 0, NULL, 0);
		}
		CHECK_EQ(peer_last()->o.mss, m.host[1].cfg.mtu - 40);
		CHECK(peer_last()->n_opts % 4 == 0);
		for (unsigned i = 0, end = 0; i < peer_last()->n_opts;
		     i += peer_last()->raw_opts[i] < 2 ? 1 : peer_last()->raw_opts[i + 1]) {
			end |= peer_last()->raw_opts[i] == 0;
			CHECK(!end || peer_last()->raw_opts[i] == 0);
		}
		peer_end();
	}
	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	peer_write(5000);
	for (unsigned i = 0; i < n_got; i++)
		CHECK_EQ(got[i].o.mss, 0);
	peer_end();
}

/* MUST-15: without the option 536; MUST-16: the smaller of what the peer said and the MTU allows,
 * options counted. */
TEST(mss_used)
{
	static const uint8_t mss[][4] = { { 2, 4, 3, 232 }, { 2, 4, 255, 255 }, { 2, 4, 0, 1 } };
	static const uint8_t with_ts[16] = { 2, 4, 3, 232, 1, 1, 8, 10, 0, 0, 0, 1 };
	static const uint32_t want[] = { 1000, 1460, TCP_MIN_MSS };
	uint8_t ts[12] = { 1, 1, 8, 10 };

	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	peer_write(5000);
	CHECK_EQ(got[0].len, 536);
	peer_end();
	for (unsigned i = 0; i < ARRAY_SIZE(mss); i++) {
		peer_init();
		peer_open(mss[i], 4);
		n_got = 0;
		peer_write(20000);
		CHECK_EQ(got[0].len, want[i]);
		peer_end();
	}
	peer_init();
	peer_set_opts(with_ts, 16);
	peer_say(TH_SYN, peer_seq++, 0, NULL, 0);
	peer_ack = peer_last()->seq + 1;
	stbe32(ts + 4, 2);
	stbe32(ts + 8, peer_last()->o.tsval);
	peer_set_opts(ts, 12);
	peer_ack_now();
	n_got = 0;
	app.lazy = true;
	peer_write(5000);
	CHECK_EQ(got[0].len + got[0].n_opts, 1000);
	peer_end();
}

/* MUST-12, SHLD-2: closed or aborted, the owner hears which; a reset may carry data. */
TEST(told_how_it_ended)
{
	peer_init();
	peer_open(NULL, 0);
	peer_say(TH_FIN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(app.hups, 1);
	CHECK(!app.error);
	CHECK_EQ(tcp_error(app.c), 0);
	peer_end();
	peer_init();
	peer_open(NULL, 0);
	peer_say(TH_RST, peer_seq, 0, "why", 3);
	CHECK(app.error && app.err == -ECONNRESET);
	CHECK_EQ(app.hups, 0);
	peer_end();
}

/* MUST-11: a reset in SYN-RECEIVED returns a passive open to LISTEN, and refuses an active one. */
TEST(reset_in_syn_received)
{
	peer_init();
	peer_say(TH_SYN, peer_seq, 0, NULL, 0);
	CHECK_EQ(m.host[1].stack->tcp.n_half, 1);
	peer_say(TH_RST, peer_seq + 1, 0, NULL, 0);
	CHECK_EQ(m.host[1].stack->tcp.n_half, 0);
	CHECK_EQ(m.host[1].n_accepted, 0);
	peer_seq += 1000;
	peer_open(NULL, 0); /* it listens as before */
	CHECK_EQ(m.host[1].n_accepted, 1);
	peer_end();
	peer_init();
	peer_opened();
	peer_say(TH_SYN, peer_seq, 0, NULL, 0);
	CHECK_EQ(tcp_get_state(app.c), TCP_SYN_RECEIVED);
	peer_say(TH_RST | TH_ACK, peer_seq + 1, peer_ack, NULL, 0);
	CHECK_EQ(app.err, -ECONNREFUSED);
	peer_end();
}

/* 3.10.7.3: what SYN-SENT does with each kind of answer. */
TEST(syn_sent_answers)
{
	peer_init();
	peer_opened();
	peer_say(TH_ACK, peer_seq, peer_ack + 7, NULL, 0); /* acknowledges nothing of ours */
	CHECK_EQ(peer_last()->flags, TH_RST);
	CHECK_EQ(peer_last()->seq, peer_ack + 7);
	peer_say(TH_RST, peer_seq, 0, NULL, 0); /* anybody's */
	peer_say(TH_RST | TH_ACK, peer_seq, peer_ack + 7, NULL, 0);
	peer_say(TH_ACK, peer_seq, peer_ack, NULL, 0); /* without SYN */
	CHECK_EQ(tcp_get_state(app.c), TCP_SYN_SENT);
	peer_say(TH_SYN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(tcp_get_state(app.c), TCP_ESTABLISHED);
	CHECK_EQ(peer_last()->flags, TH_ACK);
	CHECK_EQ(peer_last()->ack, peer_seq + 1);
	peer_end();
	peer_init();
	peer_opened();
	peer_say(TH_RST | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(app.err, -ECONNREFUSED);
	peer_end();
}

/* 3.5.2, 3.5.3: resets for what belongs to no connection; none for a reset. */
TEST(reset_generation)
{
	static const struct {
		uint8_t flags;
		size_t len;
		uint8_t answer;
		uint32_t seq, ack;
	} t[] = {
		{ TH_SYN, 0, TH_RST | TH_ACK, 0, 101 }, { TH_SYN, 5, TH_RST | TH_ACK, 0, 106 },
		{ TH_FIN, 5, TH_RST | TH_ACK, 0, 106 }, { 0, 0, TH_RST | TH_ACK, 0, 100 },
		{ TH_ACK, 0, TH_RST, 777, 0 },		{ TH_SYN | TH_ACK, 0, TH_RST, 777, 0 },
		{ TH_FIN | TH_ACK, 9, TH_RST, 777, 0 }, { TH_RST, 0, 0, 0, 0 },
		{ TH_RST | TH_ACK, 0, 0, 0, 0 },
	};

	peer_init();
	stack_port = 81; /* nobody's */
	for (unsigned i = 0; i < ARRAY_SIZE(t); i++) {
		n_got = 0;
		peer_say(t[i].flags, 100, 777, "012345678", t[i].len);
		CHECK_EQ(n_got, t[i].answer != 0);
		CHECK_EQ(peer_last()->flags, t[i].answer);
		CHECK_EQ(peer_last()->seq, t[i].seq);
		CHECK_EQ(peer_last()->ack, t[i].ack);
		n_got = 0;
	}
	stack_port = 80; /* a listener: an ACK is reset, anything else but SYN ignored */
	peer_say(TH_ACK, 100, 777, NULL, 0);
	CHECK_EQ(peer_last()->flags, TH_RST);
	CHECK_EQ(peer_last()->seq, 777);
	n_got = 0;
	peer_say(TH_RST, 100, 0, NULL, 0);
	peer_say(TH_FIN, 100, 0, NULL, 0);
	peer_say(0, 100, 0, "x", 1);
	CHECK_EQ(n_got, 0);
	peer_end();
}

/* 3.5.1: the peer lost its memory (half-open): its SYN is challenged, its reset then exact. */
TEST(half_open)
{
	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	peer_say(TH_SYN, 12345, 0, NULL, 0);
	CHECK_EQ(n_got, 1);
	CHECK_EQ(peer_last()->flags, TH_ACK);
	CHECK_EQ(peer_last()->ack, peer_seq);
	CHECK_EQ(tcp_get_state(app.c), TCP_ESTABLISHED);
	peer_say(TH_RST, peer_last()->ack, 0, NULL, 0); /* as RFC 9293 has SYN-SENT answer */
	CHECK_EQ(app.err, -ECONNRESET);
	peer_end();
}

/* MUST-13, SHLD-4: the last FIN is acknowledged again, for a minute; then the pair is forgotten. A
 * new SYN with a higher sequence number may use it again at once, an old one not. */
TEST(time_wait)
{
	peer_init();
	peer_open(NULL, 0);
	tcp_close(app.c);
	peer_run(1000);
	CHECK(peer_last()->flags & TH_FIN);
	peer_ack = peer_last()->seq + 1;
	peer_say(TH_FIN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(m.host[1].stack->tcp.n_tw, 1);
	for (int i = 0; i < 4; i++) { /* restarts the minute each time */
		peer_run(50 * SEC);
		n_got = 0;
		peer_say(TH_FIN | TH_ACK, peer_seq, peer_ack, NULL, 0);
		CHECK_EQ(n_got, 1);
		CHECK_EQ(peer_last()->flags, TH_ACK);
		CHECK_EQ(peer_last()->ack, peer_seq + 1);
	}
	n_got = 0;
	peer_say(TH_SYN, peer_seq - 50, 0, NULL, 0);
	CHECK_EQ(peer_last()->flags, TH_ACK);
	peer_say(TH_RST, peer_seq + 1, 0, NULL, 0); /* RFC 1337 */
	CHECK_EQ(m.host[1].stack->tcp.n_tw, 1);
	peer_run(59 * SEC);
	CHECK_EQ(m.host[1].stack->tcp.n_tw, 1);
	peer_say(TH_SYN, peer_seq + 2, 0, NULL, 0);
	CHECK_EQ(peer_last()->flags, TH_SYN | TH_ACK);
	CHECK_EQ(m.host[1].stack->tcp.n_tw, 0);
	peer_end();
}

/* SHLD-3 (RFC 2525 2.17): data that comes after the owner has closed for good is answered by a
 * reset. */
TEST(data_after_close)
{
	peer_init();
	peer_open(NULL, 0);
	tcp_close(app.c);
	peer_run(1000);
	peer_ack = peer_last()->seq + 1;
	peer_say(TH_ACK, peer_seq, peer_ack, NULL, 0);
	peer_data(5);
	CHECK(peer_last()->flags & TH_RST);
	peer_end();
}

/* MUST-66: with the window shut, resets, urgent pointers and acknowledgements are still processed.
 */
TEST(shut_window_hears)
{
	peer_init();
	peer_open(NULL, 0);
	app.rx_limit = 1;
	for (int i = 0; i < 400 && app.c->rcv_adv != app.c->rcv_nxt; i++)
		peer_data(GW_MIN(1000u, app.c->rcv_adv - app.c->rcv_nxt));
	CHECK_EQ(app.c->rcv_adv, app.c->rcv_nxt);
	n_got = 0;
	peer_write(100);
	CHECK_EQ(peer_count_data(0), 1);
	peer_ack += 100;
	peer_say(TH_ACK, peer_seq, peer_ack, "more", 4); /* does not fit; its ACK counts */
	CHECK_EQ(app.c->snd_una, peer_ack);
	CHECK_EQ(app.c->rcv_nxt, peer_seq);
	peer_say(TH_RST, peer_seq, 0, NULL, 0);
	CHECK_EQ(app.err, -ECONNRESET);
	peer_end();
}

/* 3.10.7.4: a segment is cut to the window on both sides, and FIN counts only in order. */
TEST(trimmed_to_the_window)
{
	const uint8_t *p;

	peer_init();
	peer_open(NULL, 0);
	peer_say(TH_ACK, peer_seq, peer_ack, "abcdef", 6);
	peer_say(TH_ACK, peer_seq + 3, peer_ack, "defghi", 6);
	CHECK_EQ(tcp_rx_available(app.c), 9);
	CHECK(tcp_rx_peek(app.c, 0, &p) == 9 && memcmp(p, "abcdefghi", 9) == 0);
	peer_say(TH_ACK | TH_FIN, peer_seq + 12, peer_ack, "mno", 3);
	CHECK_EQ(app.hups, 0);
	peer_say(TH_ACK, peer_seq + 9, peer_ack, "jkl", 3);
	CHECK_EQ(app.hups, 1);
	CHECK_EQ(tcp_rx_available(app.c), 15);
	CHECK_EQ(peer_last()->ack, peer_seq + 16);
	peer_end();
}

/* 3.10.7.4: a FIN right behind a window that is full is taken, and the other direction goes on. */
TEST(fin_at_the_edge)
{
	peer_init();
	peer_open(NULL, 0);
	app.rx_limit = 1;
	for (int i = 0; i < 400 && app.c->rcv_adv != app.c->rcv_nxt; i++)
		peer_data(GW_MIN(1000u, app.c->rcv_adv - app.c->rcv_nxt));
	CHECK_EQ(app.c->rcv_adv, app.c->rcv_nxt);
	peer_say(TH_FIN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	peer_seq++;
	CHECK_EQ(app.hups, 1);
	CHECK_EQ(peer_last()->ack, peer_seq);
	CHECK_EQ(peer_last()->wnd, 0);
	peer_write(100);
	peer_ack += 100;
	peer_ack_now();
	CHECK_EQ(app.c->snd_una, peer_ack);
	peer_end();
}

/* MUST-60, 61: what is queued last says PUSH. */
TEST(push)
{
	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_NODELAY, 1), 0);
	for (unsigned n = 500; n < 3000; n += 536) {
		n_got = 0;
		peer_write(n);
		CHECK(peer_last()->len != 0);
		CHECK(peer_last()->flags & TH_PSH);
		peer_ack += n;
		peer_ack_now();
	}
	peer_end();
}

/* MUST-58, 59: what a segment that fills a hole sets free is acknowledged by one ACK. */
TEST(one_ack_for_a_filled_hole)
{
	peer_init();
	peer_open(NULL, 0);
	for (uint32_t i = 1; i < 10; i++)
		peer_say(TH_ACK, peer_seq + i * 100, peer_ack, (uint8_t[100]){ 0 }, 100);
	n_got = 0;
	peer_say(TH_ACK, peer_seq, peer_ack, (uint8_t[100]){ 0 }, 100);
	CHECK_EQ(n_got, 1);
	CHECK_EQ(peer_last()->ack, peer_seq + 1000);
	peer_end();
}

/* MUST-41, 42, 43: listeners of one port and several addresses, beside connections of that port. */
TEST(listeners)
{
	struct net_endpoint any = { .family = 4, .port = 90 },
			    own = { .family = 4, .port = 90, .ip4 = sim_ip(1) },
			    to = { .family = 4, .port = 4000, .ip4 = sim_ip(0) },
			    from = { .family = 4, .port = 91, .ip4 = sim_ip(1) };
	struct net_stack *s;
	struct tcp_listener *a, *b, *c;

	peer_init();
	s = m.host[1].stack;
	CHECK_EQ(tcp_listen(s, &any, 4, NULL, &a), 0);
	CHECK_EQ(tcp_listen(s, &any, 4, NULL, &b), -EADDRINUSE);
	CHECK_EQ(tcp_listen(s, &own, 4, NULL, &b), 0);
	CHECK(listener_find(s, pair4(0, sim_ip(1)), 90) == b); /* the nearer one */
	CHECK(listener_find(s, pair4(0, be32(0x7f000001)), 90) == a);
	CHECK_EQ(tcp_connect(s, &from, &to, &app, &app.c), 0);
	peer_run(1000);
	CHECK_EQ(tcp_get_state(app.c), TCP_SYN_SENT);
	from.ip4 = 0;
	CHECK_EQ(tcp_listen(s, &from, 4, NULL, &c), 0); /* a connection block has that port */
	CHECK_EQ(tcp_get_state(app.c), TCP_SYN_SENT);
	tcp_unlisten(s, a);
	tcp_unlisten(s, b);
	tcp_unlisten(s, c);
	peer_end();
}

/* MUST-44, 45: the local address is chosen before the SYN, and stays. */
TEST(local_address)
{
	struct net_endpoint e, foreign = { .family = 4, .port = 0, .ip4 = be32(0x0a000063u) },
			       to = { .family = 4, .port = 4000, .ip4 = sim_ip(0) };
	struct tcp_conn *c;

	peer_init();
	peer_opened();
	tcp_local(app.c, &e);
	CHECK_EQ(e.ip4, sim_ip(1));
	CHECK_EQ(tcp_connect(m.host[1].stack, &foreign, &to, NULL, &c), -EADDRNOTAVAIL);
	net_set_ip4(m.host[1].stack, be32(0x0a000063u), 24, 0,
		    0); /* it moves; the connection not */
	n_got = 0;
	peer_run(2 * SEC);
	CHECK(n_got > 0);
	tcp_local(app.c, &e);
	CHECK_EQ(e.ip4, sim_ip(1));
	peer_end();
}

/* MUST-46, 57, 63: addresses that TCP has no business with, to open to, in a SYN from, and to. */
TEST(invalid_addresses)
{
	static const uint32_t remote[] = { 0xffffffffu, 0xe0000001u, 0x0a0000ffu, 0u },
			      source[] = { 0xe0000001u, 0xffffffffu, 0x0a0000ffu, 0u, 0x7f000001u },
			      target[] = { 0xffffffffu, 0xe0000001u, 0x0a0000ffu };
	uint8_t f[100];
	size_t n;

	peer_init();
	for (unsigned i = 0; i < ARRAY_SIZE(remote); i++) {
		struct net_endpoint to = { .family = 4, .port = 80, .ip4 = be32(remote[i]) };
		struct tcp_conn *c;

		CHECK_EQ(tcp_connect(m.host[1].stack, NULL, &to, NULL, &c), -ENETUNREACH);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(source) + ARRAY_SIZE(target); i++) {
		n = sim_tcp_frame(f, 0, 1, 4000, 80, 1, 0, TH_SYN, 1000, NULL, 0, NULL, 0);
		if (i < ARRAY_SIZE(source)) {
			st32(f + 26, be32(source[i]));
		} else {
			st32(f + 30, be32(target[i - ARRAY_SIZE(source)]));
			memset(f, 0xff, 6);
		}
		sim_fix_csums(f, n);
		sim_inject(&m, 1, f, n);
		peer_run(10 * MS);
	}
	CHECK_EQ(n_got, 0);
	CHECK_EQ(n_icmp, 0);
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 0);
	peer_end();
}

/* MUST-48, SHLD-21, 22; MUST-49: services and time to live are the owner's, in each segment. */
TEST(services_and_ttl)
{
	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(peer_last()->ttl, 64);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_TTL, 0), -EINVAL);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_TTL, 256), -EINVAL);
	for (int i = 1; i < 256; i++) {
		CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_TTL, i), 0);
		CHECK_EQ(tcp_get_opt(app.c, TCP_OPT_TTL), i);
		CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_TOS, i), 0);
		n_got = 0;
		peer_write(1);
		peer_ack++;
		peer_data(1);
		peer_run(50 * MS);
		CHECK(n_got >= 2); /* data, and an acknowledgement; their checksums are right */
		for (unsigned k = 0; k < n_got; k++) {
			CHECK_EQ(got[k].ttl, i);
			CHECK_EQ(got[k].tos, i & 0xfc);
		}
	}
	peer_end();
}

/* MUST-50: IP options, known or not, do not disturb TCP; a source route is not followed. */
TEST(ip_options)
{
	static const uint8_t options[][8] = { { 1, 1, 1, 1, 1, 1, 1, 0 },
					      { 0x83, 7, 4, 10, 0, 0, 9, 0 },
					      { 0x44, 8, 5, 0, 1, 2, 3, 4 },
					      { 0x9f, 4, 7, 7, 0, 0, 0, 0 } };
	uint8_t f[200], g[208];

	peer_init();
	peer_open(NULL, 0);
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		size_t n = sim_tcp_frame(f, 0, 1, peer_port, 80, peer_seq, peer_ack, TH_ACK, 1000,
					 NULL, 0, "abcd", 4);

		memcpy(g, f, 34);
		memcpy(g + 34, options[i], 8);
		memcpy(g + 42, f + 34, n - 34);
		g[14] = 0x47;
		stbe16(g + 16, (uint16_t)(n + 8 - 14));
		sim_fix_csums(g, n + 8);
		sim_inject(&m, 1, g, n + 8);
		peer_run(50 * MS);
		peer_seq += 4;
		CHECK_EQ(app.c->bytes_in, 4u * (i + 1));
		CHECK_EQ(peer_last()->ack, peer_seq);
	}
	peer_end();
}

static void icmp(uint8_t type, uint8_t code, uint32_t seq)
{
	uint8_t msg[36] = { type, code }, t[20] = { 0 }, f[200], q[200];
	size_t n;

	stbe16(t, stack_port);
	stbe16(t + 2, peer_port);
	stbe32(t + 4, seq);
	(void)sim_ip_frame(q, 1, 0, IP_TCP, t, 20);
	memcpy(msg + 8, q + 14, 28);
	st16(msg + 2, (uint16_t)~csum_fold(csum_bytes(msg, 36, 0)));
	n = sim_ip_frame(f, 0, 1, IP_ICMP, msg, 36);
	sim_inject(&m, 1, f, n);
	peer_run(1000);
}

/* MUST-54, 55, 56, 47, SHLD-25: errors reach the connection they quote, end none that is
 * established, and say why when it ends by itself; source quench is nothing. */
TEST(icmp_errors)
{
	struct tcp_stats st;

	peer_init();
	peer_open(NULL, 0);
	peer_write(100);
	for (uint8_t code = 0; code < 6; code++) {
		if (code == 4)
			continue;
		icmp(3, code, app.c->snd_una);
		icmp(11, code & 1, app.c->snd_una);
		icmp(12, 0, app.c->snd_una);
	}
	CHECK_EQ(tcp_get_state(app.c), TCP_ESTABLISHED);
	CHECK(!app.error);
	CHECK_EQ(tcp_error(app.c), 0);
	tcp_get_stats(app.c, &st);
	CHECK_EQ(st.soft_error, -EHOSTUNREACH);
	app.c->error = 0;
	n_got = 0;
	icmp(4, 0, app.c->snd_una);	/* MUST-55 */
	icmp(3, 1, app.c->snd_una - 1); /* quotes nothing on its way (RFC 5927) */
	icmp(3, 1, app.c->snd_nxt);
	CHECK_EQ(app.c->error, 0);
	CHECK_EQ(n_got, 0);
	peer_run(1 * SEC);
	icmp(3, 0, app.c->snd_una);
	peer_run(1200 * SEC); /* nothing comes any more */
	CHECK_EQ(app.err, -ENETUNREACH);
	peer_end();
	/* SHLD-26: a hard error refuses an opening connection, another one does not */
	peer_init();
	peer_opened();
	icmp(3, 1, app.c->iss);
	CHECK(!app.error);
	icmp(3, 3, app.c->iss);
	CHECK_EQ(app.err, -ECONNREFUSED);
	peer_end();
}

/* 3.10.7.4: the window is updated by newer segments only; with each acknowledgement that advances,
 * else the offer would seem to move with it. */
TEST(window_updates)
{
	peer_init();
	peer_open(NULL, 0);
	peer_data(10);
	peer_wnd = 3000;
	peer_ack_now();
	CHECK_EQ(app.c->snd_wnd, 3000);
	peer_wnd = 9000;
	peer_say(TH_ACK, peer_seq - 5, peer_ack, "12345", 5); /* older */
	CHECK_EQ(app.c->snd_wnd, 3000);
	n_got = 0;
	peer_write(536 * 20);
	CHECK_EQ(peer_count_data(0), 5);
	peer_wnd = 100;
	peer_say(TH_ACK, peer_seq - 5, peer_ack + 536 * 5, "12345678", 8);
	CHECK_EQ(app.c->snd_wnd, 100);
	CHECK_EQ(peer_count_data(0), 5);
	peer_end();
}

/* MUST-17, SHLD-7: Nagle, and without. */
TEST(nagle)
{
	for (int off = 0; off < 2; off++) {
		peer_init();
		peer_open(NULL, 0);
		CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_NODELAY, off), 0);
		n_got = 0;
		for (int i = 0; i < 5; i++)
			peer_write(10);
		CHECK_EQ(peer_count_data(0), off ? 5 : 1);
		peer_end();
	}
}

/* MUST-30, 31, 62: what was written is urgent to its end, in each segment that reaches there. */
TEST(urgent_sent)
{
	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	app.tx_total = 536 * 3 + 100;
	sim_app_pump(&app);
	tcp_tx_urgent(app.c);
	peer_run(1000);
	for (int i = 0; i < 2; i++) { /* at first, and again after the timeout */
		const struct peer_seg *g = peer_last();

		CHECK(g->flags & TH_URG);
		CHECK_EQ(g->seq + g->urgent, peer_ack + 536 * 3 + 100);
		peer_run(1100 * MS);
	}
	peer_ack += 536 * 3 + 100;
	peer_ack_now();
	n_got = 0;
	peer_write(10);
	CHECK_EQ(peer_last()->flags & TH_URG, 0);
	CHECK_EQ(peer_last()->urgent, 0);
	peer_end();
}

static void urgent_data(size_t n, uint16_t pointer)
{
	uint8_t f[1600];
	size_t k = sim_tcp_frame(f, 0, 1, peer_port, 80, peer_seq, peer_ack, TH_ACK | TH_URG, 1000,
				 NULL, 0, (uint8_t[1000]){ 0 }, n);

	stbe16(f + 34 + 18, pointer);
	sim_fix_csums(f, k);
	sim_inject(&m, 1, f, k);
	peer_run(1000);
	peer_seq += (uint32_t)n;
}

/* MUST-31, 32, 33, SHLD-20: the owner hears of urgent data when there was none, and can learn how
 * much of it is left; of any length; it stays in the stream. */
TEST(urgent_received)
{
	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(tcp_rx_urgent(app.c), 0);
	urgent_data(100, 5000);
	CHECK(app.events & TCP_EV_URGENT);
	CHECK_EQ(tcp_rx_urgent(app.c), 5000);
	app.events = 0;
	urgent_data(100, 4900); /* the same place */
	urgent_data(100, 5800); /* farther: was pending already */
	CHECK_EQ(tcp_rx_urgent(app.c), 6000);
	tcp_rx_consume(app.c, 300);
	CHECK_EQ(tcp_rx_urgent(app.c), 5700);
	for (int i = 0; i < 57; i++)
		peer_data(100);
	CHECK_EQ(tcp_rx_available(app.c), 5700);
	tcp_rx_consume(app.c, 5700);
	CHECK_EQ(tcp_rx_urgent(app.c), 0);
	app.events = 0;
	urgent_data(0, 1);
	CHECK(app.events & TCP_EV_URGENT);
	CHECK_EQ(tcp_rx_urgent(app.c), 1);
	peer_end();
}

/* MUST-10 is tcp_test's simultaneous_open; here its details: both SYNs cross, and cross again. */
TEST(crossing_syns)
{
	peer_init();
	peer_opened();
	peer_say(TH_SYN, peer_seq, 0, NULL, 0);
	CHECK_EQ(peer_last()->flags, TH_SYN | TH_ACK);
	CHECK_EQ(peer_last()->seq, peer_ack - 1);
	CHECK_EQ(peer_last()->ack, peer_seq + 1);
	peer_say(TH_SYN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(tcp_get_state(app.c), TCP_ESTABLISHED);
	CHECK(app.connected);
	peer_seq++;
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 10);
	peer_end();
}

UNIT_MAIN(CASE(window_is_unsigned), CASE(checksum), CASE(options_in_any_order),
	  CASE(illegal_option_lengths), CASE(mss_sent), CASE(mss_used), CASE(told_how_it_ended),
	  CASE(reset_in_syn_received), CASE(syn_sent_answers), CASE(reset_generation),
	  CASE(half_open), CASE(time_wait), CASE(data_after_close), CASE(shut_window_hears),
	  CASE(trimmed_to_the_window), CASE(fin_at_the_edge), CASE(push),
	  CASE(one_ack_for_a_filled_hole), CASE(listeners), CASE(local_address),
	  CASE(invalid_addresses), CASE(services_and_ttl), CASE(ip_options), CASE(icmp_errors),
	  CASE(window_updates), CASE(nagle), CASE(urgent_sent), CASE(urgent_received),
	  CASE(crossing_syns))
