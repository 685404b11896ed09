/* SPDX-License-Identifier: Apache-2.0 */
/* rfc6528_test.c - initial sequence numbers (RFC 6528; RFC 9293 MUST-8, 9, SHLD-1) and ephemeral
 * ports (RFC 6056, algorithm 3). */
#include "runtime/net/test/peer.h"

static uint32_t isn(uint16_t rport, uint16_t lport)
{
	return tcp_isn(m.host[1].stack, pair4(sim_ip(0), sim_ip(1)), key_port_of(rport, lport));
}

/* M: one pair's numbers grow by the clock, about one each 4 us or faster, and wrap after minutes.
 */
TEST(clock)
{
	uint32_t a, b;

	peer_init();
	net_set_now(m.host[1].stack, m.now);
	a = isn(4000, 80);
	net_set_now(m.host[1].stack, m.now + 1 * SEC);
	b = isn(4000, 80);
	CHECK(b - a >= 250000);	 /* 4 us a step: no slower */
	CHECK(b - a < 1u << 28); /* and below the window that a fast peer fills */
	net_set_now(m.host[1].stack, m.now);
	CHECK_EQ(isn(4000, 80), a);
	peer_end();
}

/* F: pairs have spaces of their own that do not tell one from the other: differences of neighbours
 * are spread over all bits, and none repeats; another secret, other numbers. */
TEST(secret)
{
	static uint32_t diff[4096];
	uint32_t ones[32] = { 0 }, first, same = 0;

	peer_init();
	first = isn(4000, 80);
	for (unsigned i = 0; i < 4096; i++) {
		diff[i] = isn((uint16_t)(1000 + i + 1), 80) - isn((uint16_t)(1000 + i), 80);
		for (unsigned k = 0; k < 32; k++)
			ones[k] += diff[i] >> k & 1;
		for (unsigned k = 0; k < i; k++)
			same += diff[k] == diff[i];
	}
	CHECK(same <= 20); /* 4096^2 / 2^33: two by chance */
	for (unsigned k = 0; k < 32; k++)
		CHECK(ones[k] > 1800 && ones[k] < 2300);
	peer_end();
	peer_init(); /* a stack that started at the same moment */
	CHECK(isn(4000, 80) != first);
	peer_end();
}

/* What goes out is what is made: SYN, SYN and ACK. */
TEST(on_the_wire)
{
	peer_init();
	peer_open(NULL, 0);
	CHECK_EQ(got[0].seq, app.c->iss);
	CHECK(got[0].seq - isn(4000, 80) + (1u << 20) < 1u << 21);
	peer_end();
}

static uint16_t port_to(uint32_t ip, uint16_t port)
{
	struct net_endpoint to = { .family = 4, .port = port, .ip4 = be32(ip) }, e;
	struct tcp_conn *c;

	if (tcp_connect(m.host[1].stack, NULL, &to, NULL, &c) != 0)
		return 0;
	tcp_local(c, &e);
	return e.port;
}

/* RFC 6056 3.2, 3.3.3: ports of the range, each destination's sequence starts elsewhere; the same
 * pair is not used again while it may live. */
TEST(ports)
{
	static bool used[65536];
	unsigned near = 0;
	uint16_t p, last = 0;

	peer_init();
	memset(used, 0, sizeof(used));
	for (unsigned i = 0; i < 500; i++) {
		p = port_to(0x0a000001u, 80);
		CHECK(p >= 32768 && p < 61000);
		CHECK(!used[p]);
		used[p] = true;
	}
	for (unsigned i = 0; i < 200; i++) { /* to others: no telling from the one before */
		p = port_to(0x0a000001u, (uint16_t)(1000 + i));
		near += (uint16_t)(p - last + 50) < 100;
		last = p;
	}
	CHECK(near < 10);
	peer_end();
}

/* All ports of a pair taken: said so, in bounded time; one that is free again is found. */
TEST(ports_run_out)
{
	struct net_endpoint to = { .family = 4, .port = 80, .ip4 = sim_ip(0) };
	struct tcp_conn *c, *kept = NULL;
	unsigned n = 0;

	peer_init();
	m.host[1].stack->cfg.max_conns = 100000;
	m.host[1].out.black_hole = true;
	m.host[1].out.tap = NULL;
	while (tcp_connect(m.host[1].stack, NULL, &to, NULL, &c) == 0 && n < 70000) {
		kept = n == 777 ? c : kept;
		n++;
	}
	CHECK_EQ(n, 28232);
	CHECK_EQ(tcp_connect(m.host[1].stack, NULL, &to, NULL, &c), -EADDRNOTAVAIL);
	tcp_close(kept);
	CHECK_EQ(tcp_connect(m.host[1].stack, NULL, &to, NULL, &c), 0);
	peer_end();
}

UNIT_MAIN(CASE(clock), CASE(secret), CASE(on_the_wire), CASE(ports), CASE(ports_run_out))
