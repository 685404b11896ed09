/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - a TCP peer by hand, for conformance tests: the test writes each segment that reaches the
 * stack of host 1, and sees each that it sends, with its time. Include once a program. */
#ifndef GODWIT_NET_PEER_H
#define GODWIT_NET_PEER_H

#include "runtime/net/test/sim.h"
#include "tests/unit.h"

/* a program uses some of them */
#define PEER __attribute__((unused))

struct peer_seg {
	uint64_t at; /* ns */
	uint32_t seq, ack, wnd, len;
	uint8_t flags, tos, ttl, df;
	uint16_t urgent;
	struct tcp_opts o;
	uint8_t raw_opts[40], n_opts;
	uint8_t first; /* byte of the payload */
};

static struct sim m;
static struct sim_app app;		   /* owner of the stack's end */
static struct peer_seg got[4096];	   /* what the stack sent, */
static unsigned n_got, n_icmp;		   /* by TCP, and by ICMP */
static uint16_t peer_port;		   /* the peer's port; the stack's is 80, or: */
static uint16_t stack_port;		   /* */
static uint32_t peer_seq, peer_ack;	   /* what the peer says next */
static uint32_t peer_wnd;		   /* in its window field */
static uint8_t peer_opts[40], n_peer_opts; /* on each segment */
static uint8_t peer_ip_tweak;		   /* in the TOS field */

static PEER void *peer_owner(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &app;
}

static PEER bool peer_tap(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	struct peer_seg *g = &got[n_got];
	const uint8_t *th = f + 34;
	uint32_t hl;

	if (from != 1 || len < 54 || ld16(f + 12) != be16(ETH_IP4) || f[23] != IP_TCP) {
		n_icmp +=
			from == 1 && len > 42 && ld16(f + 12) == be16(ETH_IP4) && f[23] == IP_ICMP;
		return false;
	}
	if (n_got == ARRAY_SIZE(got))
		panic("peer: too many segments");
	n_got++;
	hl = (uint32_t)(th[12] >> 4) * 4;
	memset(g, 0, sizeof(*g));
	g->at = s->now;
	g->seq = ldbe32(th + 4);
	g->ack = ldbe32(th + 8);
	g->flags = th[13];
	g->wnd = ldbe16(th + 14);
	g->urgent = ldbe16(th + 18);
	g->tos = f[15];
	g->df = (f[20] & 0x40) != 0;
	CHECK(g->df);
	g->ttl = f[22];
	g->len = (uint32_t)ldbe16(f + 16) - 20 - hl;
	g->first = g->len != 0 ? th[hl] : 0;
	g->n_opts = (uint8_t)(hl - 20);
	memcpy(g->raw_opts, th + 20, hl - 20);
	CHECK(tcp_parse_opts(th, hl, &g->o));
	CHECK_EQ(csum_fold(csum_20(f + 14)), 0xffff);
	CHECK_EQ(csum_fold(csum_bytes(th, hl + g->len,
				      pseudo_sum(ld32(f + 26), ld32(f + 30), IP_TCP, hl + g->len))),
		 0xffff);
	return true;
}

static PEER void peer_init(void)
{
	sim_init(&m, 7, NULL);
	memset(&app, 0, sizeof(app));
	n_got = n_icmp = 0;
	peer_port = 4000;
	stack_port = 80;
	peer_seq = 0x7ffffff0u; /* wraps the signed way soon */
	peer_ack = 0;
	peer_wnd = 65535;
	n_peer_opts = 0;
	peer_ip_tweak = 0;
	m.host[1].on_accept = peer_owner;
	m.host[1].out.tap = peer_tap;
	m.host[1].out.delay_ns = m.host[0].out.delay_ns = 0;
	CHECK_EQ(sim_listen(&m, 1, 80, 4), 0);
	/* each knows the other's hardware address */
	arp_announce(m.host[0].stack);
	sim_run(&m, 10 * MS, NULL, NULL);
	n_got = 0;
}

static PEER void peer_run(uint64_t ns)
{
	sim_run(&m, ns, NULL, NULL);
}

/* One segment; time does not pass but for what the stack does at once. */
static PEER void peer_say(uint8_t flags, uint32_t seq, uint32_t ack, const void *data, size_t len)
{
	uint8_t f[2000];
	size_t n = sim_tcp_frame(f, 0, 1, peer_port, stack_port, seq, ack, flags,
				 (uint16_t)peer_wnd, peer_opts, n_peer_opts, data, len);

	f[15] = peer_ip_tweak;
	sim_fix_csums(f, n);
	sim_inject(&m, 1, f, n);
	sim_run(&m, 1000, NULL, NULL);
}

static PEER void peer_ack_now(void)
{
	peer_say(TH_ACK, peer_seq, peer_ack, NULL, 0);
}

static PEER void peer_data(size_t len)
{
	static const uint8_t zeros[1500];

	peer_say(TH_ACK | TH_PSH, peer_seq, peer_ack, zeros, len);
	peer_seq += (uint32_t)len;
}

static PEER const struct peer_seg *peer_last(void)
{
	static const struct peer_seg none;

	return n_got != 0 ? &got[n_got - 1] : &none;
}

/* Segments with data since the n-th. */
static PEER unsigned peer_count_data(unsigned from)
{
	unsigned n = 0;

	for (unsigned i = from; i < n_got; i++)
		n += got[i].len != 0;
	return n;
}

static PEER void peer_set_opts(const void *o, size_t n)
{
	if (n != 0)
		memcpy(peer_opts, o, n);
	n_peer_opts = (uint8_t)n;
}

/* A passive open with these options in the SYN (none after it). */
static PEER void peer_open(const void *opts, size_t n)
{
	peer_set_opts(opts, n);
	peer_say(TH_SYN, peer_seq, 0, NULL, 0);
	peer_set_opts(NULL, 0);
	CHECK_EQ(peer_last()->flags & (TH_SYN | TH_ACK), TH_SYN | TH_ACK);
	peer_seq++;
	CHECK_EQ(peer_last()->ack, peer_seq);
	peer_ack = peer_last()->seq + 1;
	peer_ack_now();
	CHECK(app.c != NULL);
	app.lazy = true;
}

/* The stack opens to us: its SYN is in got[], not answered. */
static PEER void peer_opened(void)
{
	struct net_endpoint to = { .family = 4, .port = 4000, .ip4 = sim_ip(0) };

	CHECK_EQ(tcp_connect(m.host[1].stack, NULL, &to, &app, &app.c), 0);
	peer_run(1000);
	CHECK_EQ(peer_last()->flags & (TH_SYN | TH_ACK), TH_SYN);
	stack_port = conn_local_port(app.c);
	peer_ack = peer_last()->seq + 1;
	app.lazy = true;
}

static PEER void peer_write(size_t n)
{
	app.tx_total += n;
	sim_app_pump(&app);
	peer_run(1000);
}

static PEER void peer_end(void)
{
	sim_free(&m);
}

#endif
