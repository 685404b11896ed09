/* SPDX-License-Identifier: Apache-2.0 */
/* rfc7323_test.c - window scale, timestamps, PAWS (RFC 7323), and resets and blind data (RFC 5961),
 * with the peer played by hand. */
#include "runtime/net/test/peer.h"

static uint32_t ts_val, ts_ecr;

static void stamp(uint32_t val, uint32_t ecr)
{
	uint8_t o[12] = { 1, 1, 8, 10 };

	stbe32(o + 4, val);
	stbe32(o + 8, ecr);
	peer_set_opts(o, 12);
	ts_val = val;
	ts_ecr = ecr;
}

/* A connection with timestamps, and scale 7 of the peer's. */
static void open_stamped(void)
{
	static const uint8_t syn[20] = { 2, 4,	 5, 180, 4, 2, 8, 10, 0, 0,
					 3, 232, 0, 0,	 0, 0, 1, 3,  3, 7 };

	peer_set_opts(syn, 20);
	peer_wnd = 60000;
	peer_say(TH_SYN, peer_seq++, 0, NULL, 0);
	CHECK(peer_last()->o.has_ts && peer_last()->o.has_wscale);
	CHECK_EQ(peer_last()->o.tsecr, 1000);
	peer_ack = peer_last()->seq + 1;
	stamp(1001, peer_last()->o.tsval);
	peer_wnd = 1000;
	peer_ack_now();
	CHECK(app.c != NULL);
	app.lazy = true;
}

/* 2.2, 2.3: scale is used when both offered it, never in a SYN, and above 14 as 14. */
TEST(scale)
{
	static const uint8_t big[8] = { 1, 3, 3, 200, 2, 4, 5, 180 };

	peer_init();
	open_stamped();
	CHECK_EQ(app.c->snd_wnd, 1000 << 7);
	CHECK_EQ(got[0].wnd, GW_MIN(65535u, app.c->rcvbuf)); /* its own SYN: not scaled */
	peer_end();
	peer_init();
	peer_open(NULL, 0);
	CHECK(!got[0].o.has_wscale); /* not answered when not offered */
	CHECK_EQ(app.c->snd_scale + app.c->rcv_scale, 0);
	peer_end();
	peer_init();
	peer_open(big, 8);
	CHECK_EQ(app.c->snd_scale, 14);
	peer_end();
	/* offered by us, not answered: not used */
	peer_init();
	peer_opened();
	CHECK(peer_last()->o.has_wscale && peer_last()->o.has_ts);
	peer_say(TH_SYN | TH_ACK, peer_seq, peer_ack, NULL, 0);
	CHECK_EQ(app.c->snd_scale + app.c->rcv_scale, 0);
	CHECK(!peer_last()->o.has_ts);
	peer_end();
}

/* 3.2: agreed, each segment has one, echoing; without one it is dropped, but a reset is not. Not
 * agreed: ignored. */
TEST(stamps_everywhere)
{
	peer_init();
	open_stamped();
	stamp(1002, peer_last()->o.tsval);
	peer_data(10);
	peer_write(3000);
	peer_run(2 * SEC); /* data, acknowledgements, retransmissions */
	CHECK(n_got > 4);
	for (unsigned i = 1; i < n_got; i++) {
		CHECK(got[i].o.has_ts);
		CHECK_EQ(got[i].o.tsecr, 1002);
		CHECK(SEQ_GE(got[i].o.tsval, got[i - 1].o.tsval));
	}
	peer_set_opts(NULL, 0);
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 10);
	peer_seq -= 10;
	peer_say(TH_RST, peer_seq, 0, NULL, 0);
	CHECK_EQ(app.err, -ECONNRESET);
	peer_end();
	peer_init();
	peer_open(NULL, 0);
	stamp(5, 6);
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 10);
	peer_run(100 * MS);
	CHECK(!peer_last()->o.has_ts);
	peer_end();
}

/* 4.3: what is echoed is the newest that lies at or below the last ACK sent, so that a delayed
 * acknowledgement echoes the earliest, and a segment behind a hole nothing. */
TEST(which_stamp_is_echoed)
{
	uint32_t first;

	peer_init();
	open_stamped();
	first = ts_ecr;
	stamp(1100, first);
	peer_data(100);
	stamp(1101, first);
	peer_data(100);
	peer_run(100 * MS);
	CHECK_EQ(peer_last()->ack, peer_seq);
	CHECK_EQ(peer_last()->o.tsecr, 1100); /* two segments, one ACK: the first's */
	stamp(1200, first);
	peer_say(TH_ACK, peer_seq + 100, peer_ack, "later", 5);
	CHECK_EQ(peer_last()->o.tsecr, 1100);
	stamp(1201, first);
	peer_data(100);
	CHECK_EQ(peer_last()->o.tsecr, 1201);
	peer_end();
}

/* 5.3, 5.5: old timestamps are dropped and answered, over the wrap, too; after 24 days of silence
 * believed again. */
TEST(paws)
{
	uint32_t ecr;

	peer_init();
	open_stamped();
	ecr = ts_ecr;
	stamp(0xfffffff0u + 1000 - 1000, ecr); /* as seen from 1001: earlier */
	n_got = 0;
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 0);
	CHECK_EQ(n_got, 1);
	CHECK_EQ(peer_last()->flags, TH_ACK);
	peer_seq -= 10;
	stamp(1001 + 0x7fffffffu, ecr); /* later */
	peer_data(10);
	peer_run(50 * MS);
	CHECK_EQ(app.c->bytes_in, 10);
	stamp(1001 + 0x80000003u, ecr); /* later still, beyond the wrap */
	peer_data(10);
	peer_run(50 * MS);
	CHECK_EQ(app.c->bytes_in, 20);
	stamp(1001, ecr); /* half the space ahead: later; then back: earlier */
	peer_data(10);
	peer_run(50 * MS);
	CHECK_EQ(app.c->bytes_in, 30);
	stamp(1000, ecr);
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 30);
	peer_seq -= 10;
	peer_run(25ull * 86400 * SEC);
	peer_data(10);
	CHECK_EQ(app.c->bytes_in, 40);
	peer_end();
}

/* RFC 7323 4.1: an echo measures the round trip of what was sent twice, too. */
TEST(echo_measures)
{
	peer_init();
	open_stamped();
	peer_write(100);
	peer_run(1200 * MS); /* sent again at about 1 s, or probed before */
	CHECK(n_got >= 4);
	peer_run(30 * MS);
	stamp(1300, peer_last()->o.tsval);
	peer_ack += 100;
	peer_ack_now();
	CHECK_EQ(app.c->backoff, 0);
	peer_end();
}

/* RFC 5961 3.2: a reset counts at RCV.NXT only; elsewhere in the window it is challenged, outside
 * nothing. 4.2: a SYN is challenged wherever it lies. 5.2: an ACK must lie between SND.UNA - MAX.
 * SND.WND and SND.NXT. */
TEST(blind)
{
	static const int32_t off[] = { 1, 1000, -1, -70000, 1 << 20, 1 << 30 };

	peer_init();
	peer_open(NULL, 0);
	peer_write(100);
	for (unsigned i = 0; i < ARRAY_SIZE(off); i++) {
		bool inside = off[i] > 0 && (uint32_t)off[i] <= app.c->rcv_adv - app.c->rcv_nxt;

		n_got = 0;
		peer_say(TH_RST, peer_seq + (uint32_t)off[i], 0, NULL, 0);
		CHECK_EQ(n_got, inside);
		n_got = 0;
		peer_say(TH_SYN, peer_seq + (uint32_t)off[i], 0, NULL, 0);
		CHECK_EQ(n_got, 1);
		CHECK_EQ(peer_last()->flags, TH_ACK);
		CHECK_EQ(peer_last()->ack, peer_seq);
	}
	for (int k = 0; k < 2; k++) {
		n_got = 0;
		peer_say(TH_ACK, peer_seq, k == 0 ? app.c->snd_nxt + 1 : app.c->snd_una - 65537,
			 "evil", 4);
		CHECK_EQ(n_got, 1);
		CHECK_EQ(app.c->bytes_in, 0);
	}
	peer_say(TH_ACK, peer_seq, app.c->snd_una - 65535, "late", 4); /* old, but possible */
	CHECK_EQ(app.c->bytes_in, 4);
	CHECK_EQ(tcp_get_state(app.c), TCP_ESTABLISHED);
	peer_end();
}

/* RFC 5961 7: not more than so many challenges a second, whoever asks. */
TEST(challenges_are_limited)
{
	peer_init();
	peer_open(NULL, 0);
	n_got = 0;
	for (int i = 0; i < 1000; i++)
		peer_say(TH_SYN, peer_seq + 5, 0, NULL, 0);
	CHECK_EQ(n_got, 100);
	peer_run(1100 * MS);
	peer_say(TH_SYN, peer_seq + 5, 0, NULL, 0);
	CHECK_EQ(n_got, 101);
	peer_end();
}

UNIT_MAIN(CASE(scale), CASE(stamps_everywhere), CASE(which_stamp_is_echoed), CASE(paws),
	  CASE(echo_measures), CASE(blind), CASE(challenges_are_limited))
