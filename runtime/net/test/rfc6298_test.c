/* SPDX-License-Identifier: Apache-2.0 */
/* rfc6298_test.c - timers: retransmission (RFC 6298, RFC 9293 3.8.1, 3.8.3), zero windows
 * (3.8.6.1), keepalive (3.8.4), delayed acknowledgements (3.8.6.3). The peer is played by hand. */
#include "runtime/net/test/peer.h"

/* ms between the n-th and the next segment. */
static unsigned gap(unsigned n)
{
	return (unsigned)((got[n + 1].at - got[n].at + MS / 2) / MS);
}

static bool about(unsigned ms, unsigned want)
{
	return ms + want / 50 + 3 >= want && ms <= want + want / 50 + 3;
}

/* 2.1, 5.5, MUST-23, MUST-20: one second, doubled; a SYN is tried for three minutes and more. */
TEST(syn_backoff)
{
	peer_init();
	peer_opened();
	peer_run(179 * SEC);
	CHECK(!app.error);
	peer_run(60 * SEC);
	CHECK_EQ(app.err, -ETIMEDOUT);
	CHECK_EQ(n_got, 8);
	for (unsigned i = 0; i < 7; i++) {
		CHECK(about(gap(i), GW_MIN(1000u << i, 60000u)));
		CHECK_EQ(got[i + 1].seq, got[0].seq);
	}
	peer_end();
}

/* 5.7: after a SYN that timed out the first data's timer is 3 s. */
TEST(rto_after_lost_syn)
{
	peer_init();
	peer_opened();
	peer_run(1100 * MS);
	CHECK_EQ(n_got, 2);
	peer_say(TH_SYN | TH_ACK, peer_seq++, peer_ack, NULL, 0);
	n_got = 0;
	peer_write(10);
	peer_run(4 * SEC);
	CHECK(n_got >= 2);
	CHECK(about(gap(0), 3000));
	peer_end();
}

/* 2.2 to 2.4: the first sample R: SRTT = R, RTTVAR = R / 2, RTO = SRTT + 4 RTTVAR; then 1/8 and
 * 1/4.
 */
TEST(estimator)
{
	peer_init();
	peer_open(NULL, 0);
	peer_write(100);
	peer_run(400 * MS);
	peer_ack += 100;
	peer_ack_now();
	CHECK(about(app.c->srtt >> 3, 400 * 1000 * 1000 / 1024));
	CHECK(about((unsigned)(((uint64_t)app.c->rto << WHEEL_SHIFT) / MS), 1200));
	for (int i = 0; i < 40; i++) {
		peer_write(100);
		peer_run(400 * MS);
		peer_ack += 100;
		peer_ack_now();
	}
	/* a steady path: the variation goes, the timer approaches the round trip */
	CHECK((((uint64_t)app.c->rto << WHEEL_SHIFT) / MS) < 450);
	CHECK((((uint64_t)app.c->rto << WHEEL_SHIFT) / MS) >= 400);
	peer_end();
}

/* 5.1 to 5.6, MUST-18 (Karn), MUST-19, MUST-20, SHLD-10, 11: doubling up to 60 s, no sample from
 * what was sent twice, more than 100 s until it is given up, and the neighbour asked before. */
TEST(data_backoff)
{
	uint32_t srtt;

	peer_init();
	peer_open(NULL, 0);
	peer_write(100);
	peer_run(100 * MS);
	peer_ack += 100;
	peer_ack_now();
	srtt = app.c->srtt;
	n_got = 0;
	peer_write(100);
	peer_run(3 * SEC);
	CHECK(n_got >= 4);
	CHECK(about(gap(1), 2 * gap(0)));
	CHECK(about(gap(2), 4 * gap(0)));
	CHECK_EQ(app.c->cwnd, app.c->mss); /* the loss window */
	peer_ack += 100;
	peer_ack_now();
	CHECK_EQ(app.c->srtt, srtt); /* Karn */
	n_got = 0;
	peer_write(100);
	peer_run(100 * SEC);
	CHECK(!app.error);
	peer_run(1000 * SEC);
	CHECK_EQ(app.err, -ETIMEDOUT);
	CHECK(got[n_got - 1].at - got[0].at > 100 * SEC);
	for (unsigned i = 0; i + 1 < n_got; i++)
		CHECK(gap(i) <= 60100);
	peer_end();
}

/* MUST-21: R2 is the owner's to set. */
TEST(user_timeout)
{
	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_USER_TIMEOUT_MS, 5000), 0);
	CHECK(about((unsigned)tcp_get_opt(app.c, TCP_OPT_USER_TIMEOUT_MS), 5000));
	peer_write(100);
	peer_run(4900 * MS);
	CHECK(!app.error);
	peer_run(8 * SEC);
	CHECK_EQ(app.err, -ETIMEDOUT);
	peer_end();
}

/* 5.3: each acknowledgement of new data restarts the timer; 5.2: the last one stops it. */
TEST(timer_restarts)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	peer_write(536 * 4);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_NODELAY, 1), 0);
	for (int i = 0; i < 4; i++) { /* one a 900 ms: never 1 s without */
		peer_run(900 * MS);
		peer_ack += 536;
		peer_ack_now();
	}
	n = n_got;
	CHECK_EQ(app.c->retransmits, 0);
	peer_run(100 * SEC);
	CHECK_EQ(n_got, n);
	peer_end();
}

static void shut(void)
{
	peer_wnd = 0;
	peer_ack_now();
}

/* MUST-35, 36, 37, SHLD-29, 30: a window that is shut is probed after the timeout, more and more
 * rarely, and for ever while the peer answers. */
TEST(zero_window_probes)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	shut();
	n_got = 0;
	peer_write(100);
	CHECK_EQ(n_got, 0);
	for (unsigned i = 0; i < 120; i++) { /* two hours, each probe answered */
		n = n_got;
		while (n_got == n && m.now < 20000 * SEC)
			peer_run(10 * MS);
		CHECK_EQ(peer_last()->len, 0);
		CHECK_EQ(peer_last()->seq, peer_ack - 1);
		peer_ack_now();
		CHECK(!app.error);
	}
	for (unsigned i = 0; i < 5; i++)
		CHECK(about(gap(i + 1), GW_MIN(2 * gap(i), 60000u)));
	peer_wnd = 1000;
	peer_ack_now();
	CHECK_EQ(peer_last()->len, 100);
	peer_end();
}

/* MUST-34, SHLD-15, 16, 17: the peer takes back what it offered while data is on its way: nothing
 * new is sent, what is out is repeated, and the connection lives while the peer answers. */
TEST(window_taken_back)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	peer_write(536 * 3);
	CHECK_EQ(peer_count_data(0), 3);
	shut(); /* usable window: minus 1608 */
	peer_write(536);
	CHECK_EQ(peer_count_data(0), 3);
	for (unsigned i = 0; i < 60; i++) {
		n = n_got;
		while (n_got == n && m.now < 20000 * SEC)
			peer_run(10 * MS);
		CHECK(SEQ_LE(peer_last()->seq + peer_last()->len, peer_ack + 3 * 536));
		peer_ack_now();
		CHECK(!app.error);
	}
	peer_ack += 536 * 3;
	peer_wnd = 2000;
	n = n_got;
	peer_ack_now();
	CHECK_EQ(n_got, n + 1);
	CHECK_EQ(peer_last()->seq, peer_ack);
	CHECK_EQ(peer_last()->len, 536);
	peer_end();
}

/* MUST-38, 39, SHLD-14: small windows are not filled, and not offered; ours never shrinks. */
TEST(silly_windows)
{
	uint32_t edge = 0;

	peer_init();
	peer_open(NULL, 0);
	peer_write(536 * 2);
	peer_ack += 536 * 2;
	peer_wnd = 20; /* after 65535: a silly offer */
	peer_ack_now();
	n_got = 0;
	peer_write(536);
	CHECK_EQ(n_got, 0);
	peer_run(70 * SEC); /* the override timeout takes it */
	CHECK(peer_count_data(0) > 0);
	CHECK(got[0].len <= 20);
	peer_end();
	/* as receiver: bytes that are read one by one open nothing; the right edge never moves left
	 */
	peer_init();
	peer_open(NULL, 0);
	app.rx_limit = 1;
	for (int i = 0; i < 400 && app.c->rcv_adv != app.c->rcv_nxt; i++) {
		peer_data(GW_MIN(500u, app.c->rcv_adv - app.c->rcv_nxt));
		if (peer_last()->flags == TH_ACK) {
			CHECK(edge == 0 || SEQ_GE(peer_last()->ack + peer_last()->wnd, edge));
			edge = peer_last()->ack + peer_last()->wnd;
		}
	}
	peer_run(100 * MS);
	n_got = 0;
	for (int i = 0; i < 100; i++)
		tcp_rx_consume(app.c, 1);
	peer_run(100 * MS);
	CHECK_EQ(n_got, 0);
	tcp_rx_consume(app.c, 40000);
	peer_run(100 * MS);
	CHECK(n_got != 0 && peer_last()->wnd >= 1000);
	peer_end();
}

/* MUST-24 to 29, SHLD-12: off by default; two hours; set by the owner; only when idle; empty; one
 * unanswered probe is not the end. */
TEST(keepalive)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(tcp_get_opt(app.c, TCP_OPT_KEEPALIVE), 0);
	CHECK(tcp_get_opt(app.c, TCP_OPT_KEEPIDLE_S) >= 7200);
	n = n_got;
	peer_run(20000 * SEC);
	CHECK_EQ(n_got, n);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_KEEPALIVE, 1), 0);
	peer_run(7190 * SEC);
	CHECK_EQ(n_got, n);
	peer_run(20 * SEC);
	CHECK_EQ(n_got, n + 1);
	CHECK_EQ(peer_last()->len, 0);
	CHECK_EQ(peer_last()->seq, peer_ack - 1);
	peer_ack_now();
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_KEEPIDLE_S, 100), 0);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_KEEPINTVL_S, 10), 0);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_KEEPCNT, 3), 0);
	for (int i = 0; i < 10; i++) { /* never idle for as long */
		peer_run(90 * SEC);
		n = n_got;
		peer_data(1);
		peer_run(1 * SEC);
		CHECK_EQ(n_got, n + 1); /* its ACK, no probe */
	}
	n = n_got;
	peer_run(115 * SEC); /* two probes unanswered, the third answered */
	CHECK(n_got >= n + 2);
	peer_ack_now();
	CHECK(!app.error);
	CHECK_EQ(tcp_set_opt(app.c, TCP_OPT_KEEPALIVE, 0), 0);
	n = n_got;
	peer_run(3000 * SEC);
	CHECK(n_got <= n + 1);
	CHECK(!app.error);
	peer_end();
}

/* MUST-40, SHLD-18, 19: at most 40 ms, at least every second full segment. */
TEST(delayed_acknowledgement)
{
	unsigned n, acks = 0;
	uint64_t t;

	peer_init();
	peer_open(NULL, 0);
	app.rx_limit = 0;
	n = n_got;
	t = m.now;
	peer_data(100);
	CHECK_EQ(n_got, n);
	peer_run(1 * SEC);
	CHECK_EQ(n_got, n + 1);
	CHECK(peer_last()->at - t <= 40 * MS);
	for (int i = 0; i < 20; i++)
		peer_data(536); /* learnt as the peer's full segment */
	for (int i = 0; i < 20; i++) {
		n = n_got;
		peer_data(536);
		acks += n_got - n;
	}
	CHECK(acks >= 10);
	peer_end();
}

UNIT_MAIN(CASE(syn_backoff), CASE(rto_after_lost_syn), CASE(estimator), CASE(data_backoff),
	  CASE(user_timeout), CASE(timer_restarts), CASE(zero_window_probes),
	  CASE(window_taken_back), CASE(silly_windows), CASE(keepalive),
	  CASE(delayed_acknowledgement))
