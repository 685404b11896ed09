/* SPDX-License-Identifier: Apache-2.0 */
/* rfc5681_test.c - congestion control's demands (RFC 5681), selective acknowledgements (RFC 2018,
 * 2883), RACK and tail probes (RFC 8985), with the peer played by hand. */
#include "runtime/net/test/peer.h"

static const uint8_t sack_ok[8] = { 2, 4, 2, 24, 1, 1, 4, 2 }; /* MSS 536 */

/* SACK blocks on what the peer says, relative to peer_ack. */
static void say_sack(unsigned n, const uint32_t (*b)[2])
{
	uint8_t o[40] = { 1, 1, 5, (uint8_t)(2 + 8 * n) };

	for (unsigned i = 0; i < n; i++) {
		stbe32(o + 4 + 8 * i, peer_ack + b[i][0]);
		stbe32(o + 8 + 8 * i, peer_ack + b[i][1]);
	}
	peer_set_opts(o, 4 + 8 * n);
	peer_ack_now();
	peer_set_opts(NULL, 0);
}

/* 3.1: ten segments at first (RFC 6928), at most doubled a round trip; 3.2, 3: after the third
 * duplicate the first hole is filled at once, with ssthresh at least two segments. */
TEST(slow_start)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	peer_write(60000);
	CHECK_EQ(peer_count_data(0), 10);
	for (unsigned round = 1; round <= 2; round++) {
		unsigned flight = 10u << (round - 1);

		n = n_got;
		peer_run(20 * MS);
		for (unsigned i = 0; i < flight; i++) {
			peer_ack += 536;
			peer_ack_now();
		}
		CHECK_EQ(peer_count_data(n), 2 * flight);
	}
	peer_end();
}

/* RFC 5681 3.2, RFC 6582: without SACK. */
TEST(fast_retransmit)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	peer_write(536 * 10);
	n = n_got;
	peer_ack_now();
	peer_ack_now();
	CHECK_EQ(n_got, n); /* two might be reordering */
	peer_ack_now();
	CHECK_EQ(n_got, n + 1);
	CHECK_EQ(peer_last()->seq, peer_ack);
	CHECK(app.c->ssthresh >= 2u * app.c->mss && app.c->ssthresh < 536 * 10);
	peer_ack += 536 * 5; /* a partial one: the next hole (RFC 6582 3.2) */
	peer_ack_now();
	CHECK_EQ(peer_last()->seq, peer_ack);
	peer_ack += 536 * 5;
	peer_ack_now();
	CHECK(app.c->cong == CONG_OPEN);
	CHECK(app.c->cwnd <= app.c->ssthresh + app.c->mss);
	peer_end();
}

/* RFC 5681 2: what is a duplicate: no data, no new window, nothing without data on its way. */
TEST(what_is_no_duplicate)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	for (int i = 0; i < 10; i++)
		peer_ack_now(); /* nothing is on its way */
	CHECK_EQ(app.c->dupacks, 0);
	peer_write(536 * 5);
	n = peer_count_data(0);
	for (uint32_t i = 0; i < 10; i++) {
		peer_wnd = 30000 + i;
		peer_ack_now();
	}
	for (int i = 0; i < 10; i++)
		peer_data(10);
	CHECK_EQ(peer_count_data(0), n);
	CHECK_EQ(app.c->retransmits, 0);
	peer_end();
}

/* RFC 5681 4.2: out of order is acknowledged at once, and so is what fills a hole. RFC 2018 4: the
 * first block has the newest, the others follow, as many as fit, and each only what is held. */
TEST(blocks_sent)
{
	peer_init();
	peer_open(sack_ok, 8);
	CHECK(got[0].o.sack_ok);
	for (uint32_t i = 1; i <= 4; i++) {
		unsigned n = n_got;

		peer_say(TH_ACK, peer_seq + 200 * i, peer_ack, (uint8_t[100]){ 0 }, 100);
		CHECK_EQ(n_got, n + 1);
		CHECK_EQ(peer_last()->ack, peer_seq);
		CHECK_EQ(peer_last()->o.n_sack, GW_MIN(i, 3u));
		CHECK_EQ(peer_last()->o.sack[0][0], peer_seq + 200 * i);
		CHECK_EQ(peer_last()->o.sack[0][1], peer_seq + 200 * i + 100);
	}
	peer_say(TH_ACK, peer_seq + 300, peer_ack, (uint8_t[100]){ 0 }, 100); /* joins two */
	CHECK_EQ(peer_last()->o.sack[0][0], peer_seq + 200);
	CHECK_EQ(peer_last()->o.sack[0][1], peer_seq + 500);
	peer_data(200);
	CHECK_EQ(peer_last()->ack, peer_seq + 300);
	CHECK_EQ(peer_last()->o.n_sack, 2);
	peer_end();
	/* not permitted: never sent */
	peer_init();
	peer_open(NULL, 0);
	CHECK(!got[0].o.sack_ok);
	peer_say(TH_ACK, peer_seq + 200, peer_ack, (uint8_t[100]){ 0 }, 100);
	CHECK_EQ(peer_last()->o.n_sack, 0);
	peer_end();
}

/* RFC 2883 4: what came twice is the first block, once. */
TEST(duplicates_told_once)
{
	peer_init();
	peer_open(sack_ok, 8);
	peer_data(100);
	peer_say(TH_ACK, peer_seq - 100, peer_ack, (uint8_t[100]){ 0 }, 100);
	CHECK_EQ(peer_last()->o.n_sack, 1);
	CHECK_EQ(peer_last()->o.sack[0][0], peer_seq - 100);
	CHECK_EQ(peer_last()->o.sack[0][1], peer_seq);
	peer_data(100);
	peer_run(100 * MS);
	CHECK_EQ(peer_last()->o.n_sack, 0);
	peer_end();
}

/* RFC 2018 5, 8: what is selectively acknowledged is not sent again, and kept until it is
 * acknowledged; a peer that forgot it (reneged) gets it after all. */
TEST(blocks_heard)
{
	static const uint32_t far[][2] = { { 536 * 2, 536 * 10 } };
	unsigned n;

	peer_init();
	peer_open(sack_ok, 8);
	peer_write(536 * 10);
	n = n_got;
	peer_run(10 * MS);
	say_sack(1, far);
	peer_run(150 * MS); /* segments 0 and 1 are lost, and nothing else */
	CHECK_EQ(peer_count_data(n), 2);
	CHECK_EQ(got[n].seq, peer_ack);
	CHECK_EQ(got[n + 1].seq, peer_ack + 536);
	/* the peer takes the two, and has thrown the others away */
	peer_ack += 536 * 2;
	n = n_got;
	peer_ack_now();
	peer_run(60 * SEC);
	CHECK(peer_count_data(n) > 0);
	for (int i = 0; i < 200 && app.c->snd_una != app.c->snd_nxt; i++) {
		if (peer_last()->seq == peer_ack && peer_last()->len != 0) {
			peer_ack += peer_last()->len;
			peer_ack_now();
		}
		peer_run(1 * SEC);
	}
	CHECK_EQ(app.c->snd_una, app.c->snd_nxt);
	peer_end();
}

/* Blocks are the peer's word: what lies outside, is reversed or half a segment marks nothing. */
TEST(false_blocks)
{
	static const uint32_t bad[][2] = { { 536 * 20, 536 * 30 },
					   { 536 * 3, 536 * 2 },
					   { 0xfff00000u, 0xfff00100u } },
			      half[][2] = { { 700, 1000 } };

	peer_init();
	peer_open(sack_ok, 8);
	peer_write(536 * 10);
	for (int i = 0; i < 5; i++)
		say_sack(3, bad);
	say_sack(1, half);
	CHECK_EQ(app.c->sacked, 0);
	CHECK_EQ(app.c->lost, 0);
	peer_end();
}

/* RFC 8985 6.2: later data delivered a round trip ago makes the earlier one lost, also when it was
 * sent again; 7: silence is probed after two round trips with the last segment. */
TEST(rack_and_probe)
{
	static const uint32_t rest[][2] = { { 536, 536 * 10 } }, more[][2] = { { 536, 536 * 12 } };
	unsigned n;

	peer_init();
	peer_open(sack_ok, 8);
	peer_write(536);
	peer_run(20 * MS);
	peer_ack += 536;
	peer_ack_now(); /* a round trip of 20 ms */
	peer_write(536 * 10);
	peer_run(20 * MS);
	n = n_got;
	say_sack(1, rest);
	CHECK_EQ(n_got, n + 1);
	CHECK_EQ(peer_last()->seq, peer_ack);
	peer_write(536 * 2); /* sent after the repetition, and delivered: it was lost, too */
	peer_run(25 * MS);
	n = n_got;
	say_sack(1, more);
	peer_run(10 * MS);
	CHECK(n_got > n);
	CHECK_EQ(got[n].seq, peer_ack);
	peer_ack += 536 * 12;
	peer_ack_now();
	peer_run(100 * MS);
	peer_write(536 * 4);
	n = n_got;
	peer_run(150 * MS);
	CHECK_EQ(n_got, n + 1);
	CHECK_EQ(peer_last()->seq, peer_ack + 536 * 3);
	peer_end();
}

/* RFC 5681 3.1, 5: after the timer one segment, then slow start from there. */
TEST(after_a_timeout)
{
	unsigned n;

	peer_init();
	peer_open(NULL, 0);
	peer_write(536 * 10);
	n = n_got;
	peer_run(1100 * MS);
	CHECK_EQ(peer_count_data(n), 1);
	CHECK_EQ(app.c->cwnd, app.c->mss);
	n = n_got;
	peer_ack += 536;
	peer_ack_now();
	CHECK_EQ(peer_count_data(n), 2);
	peer_end();
}

UNIT_MAIN(CASE(slow_start), CASE(fast_retransmit), CASE(what_is_no_duplicate), CASE(blocks_sent),
	  CASE(duplicates_told_once), CASE(blocks_heard), CASE(false_blocks), CASE(rack_and_probe),
	  CASE(after_a_timeout))
