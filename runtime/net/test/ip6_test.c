/* SPDX-License-Identifier: Apache-2.0 */
/* ip6_test.c - IPv6 above the link and below TCP: chains of extension headers, fragments, path MTU,
 * ICMPv6 both ways, UDP, malformed packets. */
#include "runtime/net/test/six.h"

static unsigned got_datagrams, got_error;
static int got_err;
static size_t got_len;
static struct net_endpoint got_from, got_to;
static bool got_right;

static void udp_got(struct udp_sock *u, void *owner, struct pbuf *p,
		    const struct net_endpoint *from, const struct net_endpoint *to)
{
	struct net_stack *s = owner;
	uint8_t b;

	(void)u;
	got_datagrams++;
	got_len = p->total;
	got_right = true;
	for (uint32_t i = 0; i < p->total; i++)
		got_right &= pbuf_copy_out(p, i, &b, 1) && b == (uint8_t)(i * 13);
	udp_ends(p, &got_from, &got_to);
	CHECK(memcmp(&got_from, from, sizeof(*from)) == 0 && memcmp(&got_to, to, sizeof(*to)) == 0);
	pbuf_free(s->cfg.pool, p);
}

static void udp_err(struct udp_sock *u, void *owner, int err)
{
	(void)u;
	(void)owner;
	got_err = err;
	got_error++;
}

static void begin(void)
{
	static const struct udp_callbacks cb = { .input = udp_got, .error = udp_err };

	six_begin(6);
	for (int i = 0; i < 2; i++)
		udp_set_callbacks(m.host[i].stack, &cb);
	got_datagrams = got_error = 0;
}

static struct udp_sock *bound(unsigned host, uint16_t port)
{
	struct net_endpoint at = sim_any(port);
	struct udp_sock *u = NULL;

	CHECK_EQ(udp_bind(m.host[host].stack, &at, false, m.host[host].stack, &u), 0);
	return u;
}

static int send(struct udp_sock *u, const struct net_endpoint *to, size_t len)
{
	struct pbuf *head = NULL, *tail = NULL;
	size_t off = 0;

	do {
		struct pbuf *p = pbuf_alloc(u->stack->cfg.pool, PBUF_HEADROOM);

		p->len = (uint32_t)GW_MIN(len - off, 1500u);
		for (size_t i = 0; i < p->len; i++)
			p->data[i] = (uint8_t)((off + i) * 13);
		off += p->len;
		if (head == NULL)
			head = p;
		else
			tail->next = p;
		tail = p;
	} while (off < len);
	head->total = (uint32_t)len;
	return udp_send(u, head, to);
}

TEST(udp)
{
	struct udp_sock *a, *b, *four, *again;
	struct net_endpoint at, to, any4 = { .family = 4, .port = 5000 };

	begin();
	at = sim_any(5000);
	to = sim_end(1, 5000);
	a = bound(0, 0);
	b = bound(1, 5000);
	CHECK_EQ(udp_bind(m.host[1].stack, &at, false, NULL, &again), -EADDRINUSE);
	CHECK_EQ(udp_bind(m.host[1].stack, &any4, false, NULL, &four), 0); /* another family */
	at.family = 7;
	CHECK_EQ(udp_bind(m.host[1].stack, &at, false, NULL, &again), -EAFNOSUPPORT);
	at = sim_end(0, 6000);
	CHECK_EQ(udp_bind(m.host[1].stack, &at, false, NULL, &again), -EADDRNOTAVAIL);
	CHECK_EQ(send(a, &to, 100), 0);
	run(100 * MS);
	CHECK_EQ(got_datagrams, 1);
	CHECK_EQ(got_len, 100);
	CHECK(got_right && got_to.port == 5000);
	CHECK(net_endpoint_same_address(
		&got_from, &(struct net_endpoint){ .family = 6, .ip6 = { 0xfd, [15] = 1 } }));
	CHECK_EQ(send(a, &to, 20000), 0); /* in fragments */
	CHECK_EQ(send(a, &to, 65527), 0);
	run(100 * MS);
	CHECK_EQ(got_datagrams, 3);
	CHECK_EQ(got_len, 65527);
	CHECK(got_right);
	CHECK_EQ(send(a, &to, 65528), -EMSGSIZE);
	CHECK_EQ(send(a, &any4, 10), -EAFNOSUPPORT);
	CHECK_EQ(send(a, &(struct net_endpoint){ .family = 6, .port = 1, .ip6 = { 0x20 } }, 10),
		 -ENETUNREACH);
	to.port = 5001; /* nobody: the connected hear of it */
	udp_connect(a, &to);
	CHECK_EQ(send(a, NULL, 10), 0);
	run(100 * MS);
	CHECK_EQ(got_error, 1);
	CHECK_EQ(got_err, -ECONNREFUSED);
	to = sim_any(5000); /* loopback, with and without an address of one's own */
	to.ip6[15] = 1;
	CHECK_EQ(send(b, &to, 3000), 0);
	run(10 * MS);
	CHECK_EQ(got_datagrams, 4);
	to = sim_end(1, 5000);
	CHECK_EQ(send(b, &to, 3000), 0);
	run(10 * MS);
	CHECK_EQ(got_datagrams, 5);
	udp_close(a);
	udp_close(b);
	udp_close(four);
	run(40 * SEC);
	six_end();
}

/* ---- chains ---- */

static uint8_t pkt[1400];
static size_t pkt_len;

static void put(const void *v, size_t n)
{
	memcpy(pkt + pkt_len, v, n);
	pkt_len += n;
}

#define PUT(...) put((uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

/* A datagram of n bytes to port 5000. */
static void put_udp(uint16_t n)
{
	uint8_t h[8] = { 0, 7, 5000 >> 8, 5000 & 255, (uint8_t)((n + 8) >> 8), (uint8_t)(n + 8) };

	put(h, 8);
	for (unsigned i = 0; i < n; i++)
		PUT((uint8_t)(i * 13));
}

static void give(uint8_t first)
{
	six_send(six(OURS, 1), six(OURS, 2), first, 64, pkt, pkt_len);
	run(10 * MS);
	pkt_len = 0;
}

/* What came of it: delivered, or a parameter problem with this code and pointer. */
static void expect(bool delivered, int code, unsigned pointer)
{
	CHECK_EQ(got_datagrams, delivered);
	CHECK_EQ(sent[4], code >= 0);
	if (code >= 0 && sent[4] != 0) {
		CHECK_EQ(last[4][55], code);
		CHECK_EQ(ldbe32(last[4] + 58), pointer);
	}
	got_datagrams = 0;
	memset(sent, 0, sizeof(sent));
}

TEST(extension_headers)
{
	struct udp_sock *u;

	begin();
	u = bound(1, 5000);
	/* padding of both kinds, in each header that may carry options; routing that is through */
	PUT(IP6_DSTOPTS, 0, 1, 4, 0, 0, 0, 0);
	PUT(IP6_ROUTING, 1, 0, 0, 0, 0, 0, 0, 1, 6, 0, 0, 0, 0, 0, 0);
	PUT(IP6_DSTOPTS, 0, 0, 0, 0, 0, 0, 0);
	PUT(IP_UDP, 0, 0x1e, 4, 9, 9, 9, 9); /* an option to be skipped when unknown */
	put_udp(100);
	give(IP6_HOPOPTS);
	expect(true, -1, 0);
	/* hop-by-hop anywhere but in front */
	PUT(IP6_HOPOPTS, 0, 1, 4, 0, 0, 0, 0, IP_UDP, 0, 1, 4, 0, 0, 0, 0);
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, 1, 40);
	/* an unknown header */
	PUT(200, 0, 1, 4, 0, 0, 0, 0);
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, 1, 40);
	/* unknown options: drop; drop and tell; the same but to a group, and not */
	PUT(IP_UDP, 0, 0x40, 4, 0, 0, 0, 0);
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, -1, 0);
	PUT(IP_UDP, 0, 1, 0, 0x80, 2, 0, 0);
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, 2, 44);
	for (uint8_t kind = 0x80; kind >= 0x80; kind += 0x40) {
		PUT(IP_UDP, 0, kind, 4, 0, 0, 0, 0);
		put_udp(8);
		six_send(six(OURS, 1), ip6_all_nodes, IP6_DSTOPTS, 64, pkt, pkt_len);
		run(10 * MS);
		pkt_len = 0;
		expect(false, kind == 0x80 ? 2 : -1, 42);
	}
	/* routing that is not through: of type 0 (RFC 5095), of any */
	PUT(IP_UDP, 2, 0, 1, 0, 0, 0, 0);
	put(six(OURS, 9), 16);
	put_udp(8);
	give(IP6_ROUTING);
	expect(false, 0, 42);
	/* nothing follows */
	put_udp(8);
	give(IP6_NONE);
	expect(false, -1, 0);
	udp_close(u);
	six_end();
}

TEST(chains_too_long)
{
	struct net_counters *n;
	struct udp_sock *u;

	begin();
	n = &m.host[1].stack->n;
	u = bound(1, 5000);
	for (unsigned headers = 8; headers <= 9; headers++) { /* many headers */
		for (unsigned i = 1; i < headers; i++)
			PUT(IP6_DSTOPTS, 0, 1, 4, 0, 0, 0, 0);
		PUT(IP_UDP, 0, 1, 4, 0, 0, 0, 0);
		put_udp(8);
		give(IP6_DSTOPTS);
		expect(headers == 8, -1, 0);
	}
	PUT(IP_UDP, 3); /* many options in one */
	for (unsigned i = 0; i < 9; i++)
		PUT(0x1e, 1, 7);
	PUT(0, 0, 0);
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, -1, 0);
	PUT(IP_UDP, 60, 1, 255); /* many bytes */
	memset(pkt + pkt_len, 0, 484);
	pkt_len += 484;
	put_udp(8);
	give(IP6_DSTOPTS);
	expect(false, -1, 0);
	n->drop_short = 0;
	PUT(IP_UDP, 200, 1, 4, 0, 0, 0, 0); /* longer than the packet */
	put_udp(8);
	give(IP6_DSTOPTS);
	PUT(IP_UDP, 0, 1, 5, 0, 0, 0, 0); /* an option longer than its header */
	put_udp(8);
	give(IP6_DSTOPTS);
	PUT(IP_UDP); /* a header that is not there */
	give(IP6_DSTOPTS);
	CHECK_EQ(n->drop_short, 3);
	expect(false, -1, 0);
	udp_close(u);
	six_end();
}

/* ---- fragments (RFC 8200 4.5) ---- */

static uint8_t whole[4000];
static size_t whole_len;

/* The part [from, to) of `whole` under number id, behind `before` bytes of options. */
static void part(uint32_t id, size_t from, size_t to, bool more)
{
	uint8_t h[8] = { IP_UDP };

	stbe16(h + 2, (uint16_t)(from | more));
	stbe32(h + 4, id);
	put(h, 8);
	put(whole + from, to - from);
	give(IP6_FRAGMENT);
}

/* A datagram of n bytes of payload with its checksum. */
static void make_whole(uint16_t n)
{
	uint8_t f[4100];

	pkt_len = 0;
	put_udp(0);
	stbe16(pkt + 4, n + 8);
	for (unsigned i = 0; i < n; i++)
		whole[8 + i] = (uint8_t)(i * 13);
	memcpy(whole, pkt, 8);
	whole_len = n + 8u;
	(void)six_frame(f, six(OURS, 1), six(OURS, 2), IP_UDP, 64, whole, whole_len);
	memcpy(whole, f + 54, 8);
	pkt_len = 0;
}

TEST(fragments)
{
	struct udp_sock *u;

	begin();
	u = bound(1, 5000);
	make_whole(2992);
	part(1, 0, 1000, true);
	part(1, 1000, 2000, true);
	part(1, 2000, 3000, false);
	CHECK(got_right);
	expect(true, -1, 0);
	part(2, 2000, 3000, false); /* backwards, two datagrams at once */
	part(3, 2000, 3000, false);
	part(2, 1000, 2000, true);
	part(2, 0, 1000, true);
	CHECK(got_right);
	expect(true, -1, 0);
	part(3, 0, 2000 - 1000, true);
	part(3, 1000, 2000, true);
	expect(true, -1, 0);
	/* RFC 5722: an overlap, exact or not, is the end of all of it */
	part(4, 0, 1000, true);
	part(4, 0, 1000, true);
	part(4, 1000, 2000, true);
	part(4, 2000, 3000, false);
	expect(false, -1, 0);
	part(5, 0, 1000, true);
	part(5, 992, 2000, true);
	part(5, 1000, 2000, true);
	part(5, 2000, 3000, false);
	expect(false, -1, 0);
	/* RFC 6946: one that is no fragment is none, whatever is waiting under its number */
	part(6, 8, 1000, true);
	make_whole(492);
	part(6, 0, 500, false);
	CHECK(got_right);
	expect(true, -1, 0);
	/* RFC 8200 4.5: lengths, and the end of what can be */
	make_whole(2992);
	part(7, 0, 1001, true);
	expect(false, 0, 4);
	part(8, 0, 1000, true);
	PUT(IP_UDP, 0, 0xff, 0xf8, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8);
	give(IP6_FRAGMENT);
	expect(false, 0, 42);
	/* a fragment in a fragment */
	PUT(IP6_FRAGMENT, 0, 0, 0, 0, 0, 0, 9, IP_UDP, 0, 0, 0, 0, 0, 0, 9);
	put_udp(8);
	give(IP6_FRAGMENT);
	expect(false, 3, 0);
	/* RFC 7112: a first fragment without all the headers */
	PUT(IP6_DSTOPTS, 0, 0, 1, 0, 0, 0, 10, IP_UDP, 1, 1, 4, 0, 0, 0, 0);
	give(IP6_FRAGMENT);
	expect(false, 3, 0);
	run(40 * SEC);
	udp_close(u);
	six_end();
}

TEST(fragment_flood)
{
	struct udp_sock *u;
	uint32_t used;

	begin();
	u = bound(1, 5000);
	make_whole(2992);
	part(1, 0, 1000, true);
	run(16 * SEC); /* the rest does not come: who sent it is told (time exceeded, code 1) */
	CHECK_EQ(sent[3], 1);
	CHECK_EQ(last[3][55], 1);
	memset(sent, 0, sizeof(sent));
	part(2, 1000, 2000, true); /* not if the first is missing */
	run(16 * SEC);
	CHECK_EQ(sent[3], 0);
	for (unsigned i = 0; i < 5000; i++)
		part(100 + i, 0, 1000, true);
	used = m.host[1].pool.n_total - m.host[1].pool.n_free;
	CHECK(used <= FRAG_PBUFS);
	CHECK(m.host[1].stack->frag_pbufs <= FRAG_PBUFS);
	part(1, 0, 1000, true); /* the latest still comes through */
	part(1, 1000, 2000, true);
	part(1, 2000, 3000, false);
	CHECK_EQ(got_datagrams, 1);
	CHECK(got_right);
	run(40 * SEC);
	udp_close(u);
	six_end();
}

/* Fragments and extension headers in pieces of every size, and TCP in fragments. */
TEST(in_pieces)
{
	uint8_t f[300], t[60] = { 0 };
	struct udp_sock *u;
	size_t len;

	begin();
	u = bound(1, 5000);
	PUT(IP6_DSTOPTS, 0, 1, 4, 0, 0, 0, 0, IP_UDP, 0, 1, 4, 0, 0, 0, 0);
	put_udp(40);
	len = six_frame(f, six(OURS, 1), six(OURS, 2), IP6_HOPOPTS, 64, pkt, pkt_len);
	for (size_t piece = 1; piece <= len; piece++) {
		net_input(m.host[1].stack, sim_pbuf(&m.host[1], f, len, piece));
		CHECK_EQ(got_datagrams, piece);
		CHECK(got_right);
	}
	for (size_t cut = 0; cut < len; cut++)
		six_give(f, cut);
	CHECK_EQ(got_datagrams, len);
	pkt_len = 0;
	CHECK_EQ(sim_listen(&m, 1, 80, 4), 0);
	len = sim_tcp_frame(f, 0, 1, 1000, 80, 7, 0, TH_SYN, 100, (uint8_t[]){ 2, 4, 5, 180 }, 4,
			    NULL, 0);
	memcpy(t, f + 54, 24);
	for (unsigned i = 0; i < 2; i++) {
		PUT(IP_TCP, 0, 0, (uint8_t)(i == 0 ? 1 : 16), 0, 0, 0, 1);
		put(t + 16 * i, i == 0 ? 16 : 8);
		give(IP6_FRAGMENT);
	}
	CHECK_EQ(m.host[0].stack->n.rst_sent, 1); /* it was answered, to one who had not asked */
	tcp_unlisten(m.host[1].stack, m.host[1].listener);
	run(100 * MS);
	udp_close(u);
	six_end();
}

/* ---- path MTU (RFC 8201) ---- */

static bool narrow(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	uint8_t icmp[600] = { 2 }, out[700];

	if (from != 0 || len <= 1314)
		return false;
	stbe32(icmp + 4, 1300);
	memcpy(icmp + 8, f + 14, 500);
	sim_inject(s, 0, out, sim_ip_frame(out, 1, 0, IP_ICMP6, icmp, 508));
	return true;
}

static void too_big(uint32_t mtu, const uint8_t *src, const uint8_t *dst, uint16_t port)
{
	uint8_t icmp[100] = { 2 };

	stbe32(icmp + 4, mtu);
	ip6_fill(icmp + 8, 1400, IP_UDP, 64);
	memcpy(icmp + 16, src, 16);
	memcpy(icmp + 32, dst, 16);
	stbe16(icmp + 48, port);
	stbe16(icmp + 50, 9);
	six_send(six(OURS, 9), six(OURS, 2), IP_ICMP6, 64, icmp, 80);
}

TEST(path_mtu_of_datagrams)
{
	struct net_endpoint to;
	struct udp_sock *a, *b;

	begin();
	to = sim_end(1, 5000);
	m.host[0].out.tap = narrow;
	a = bound(0, 0);
	b = bound(1, 5000);
	CHECK_EQ(send(a, &to, 1400), 0);
	run(50 * MS);
	CHECK_EQ(got_datagrams, 0); /* lost, but now it is known */
	CHECK_EQ(ip6_path_mtu(m.host[0].stack, to.ip6), 1300);
	CHECK_EQ(send(a, &to, 1400), 0);
	run(50 * MS);
	CHECK_EQ(got_datagrams, 1);
	CHECK(got_right);
	run(601 * SEC); /* and after ten minutes tried again */
	CHECK_EQ(ip6_path_mtu(m.host[0].stack, to.ip6), 1500);
	/* not believed: too small a one, about nobody's packet, about what was not from us */
	too_big(1279, six(OURS, 2), six(OURS, 7), 5000);
	too_big(0, six(OURS, 2), six(OURS, 7), 5000);
	too_big(1400, six(OURS, 2), six(OURS, 7), 4999);
	too_big(1400, six(OURS, 3), six(OURS, 7), 5000);
	CHECK_EQ(ip6_path_mtu(m.host[1].stack, six(OURS, 7)), 1500);
	too_big(1400, six(OURS, 2), six(OURS, 7), 5000);
	CHECK_EQ(ip6_path_mtu(m.host[1].stack, six(OURS, 7)), 1400);
	too_big(1450, six(OURS, 2), six(OURS, 7), 5000); /* never up */
	CHECK_EQ(ip6_path_mtu(m.host[1].stack, six(OURS, 7)), 1400);
	for (unsigned i = 0; i < 200; i++) /* bounded */
		too_big(1400, six(OURS, 2), six(OURS, (uint8_t)(8 + i)), 5000);
	CHECK_EQ(ip6_path_mtu(m.host[1].stack, six(OURS, 7)), 1500);
	udp_close(a);
	udp_close(b);
	six_end();
}

/* ---- ICMPv6 ---- */

TEST(icmp)
{
	uint8_t echo[1400] = { 128, 0, 0, 0, 1, 2, 3, 4, 5 }, err[100] = { 1, 4 };
	uint8_t f[100], udp[8] = { 1, 1, 9, 9, 0, 8, 0, 0 };
	size_t n;

	begin();
	six_send(six(OURS, 1), six(OURS, 2), IP_ICMP6, 64, echo, 1400);
	run(10 * MS);
	CHECK_EQ(sent[129], 1);
	CHECK(memcmp(last[129] + 58, echo + 4, 5) == 0);
	six_send(six(OURS, 1), ip6_all_nodes, IP_ICMP6, 64, echo,
		 40); /* a group: from our address */
	CHECK_EQ(sent[129], 2);
	CHECK(ip6_same(last[129] + 22, six(OURS, 2)));
	/* no error about an error, nor to a group or nobody */
	ip6_fill(err + 8, 8, 200, 64);
	six_send(six(OURS, 1), six(OURS, 2), 200, 64, echo, 40);
	CHECK_EQ(sent[4], 1);
	CHECK_EQ(last[4][55], 1);
	CHECK_EQ(ldbe32(last[4] + 58), 6);
	six_send(six(OURS, 1), ip6_all_nodes, 200, 64, echo, 40);
	six_send(ip6_zero, six(OURS, 2), 200, 64, echo, 40);
	six_send(six(OURS, 1), six(OURS, 2), IP_ICMP6, 64, err, 60);
	CHECK_EQ(sent[4] + sent[1], 1);
	/* 200 a second */
	n = six_frame(f, six(OURS, 1), six(OURS, 2), IP_UDP, 64, udp, 8);
	for (int i = 0; i < 1000; i++)
		sim_inject(&m, 1, f, n);
	run(100 * MS);
	CHECK(sent[1] <= 200 && sent[1] > 100);
	CHECK_EQ(last[1][55], 4);
	six_end();
}

/* What a connection makes of errors (RFC 9293 3.9.2.2, RFC 5927). */
TEST(errors_to_connections)
{
	struct sim_app app = { 0 };
	uint8_t icmp[100] = { 1, 4 };
	struct tcp_conn *c;

	for (unsigned right = 0; right < 2; right++) {
		begin();
		m.host[1].out.black_hole = true; /* the SYN is lost */
		memset(&app, 0, sizeof(app));
		CHECK_EQ(sim_connect(&m, 1, 80, &app), 0);
		c = app.c;
		ip6_fill(icmp + 8, 40, IP_TCP, 64);
		memcpy(icmp + 16, c->six->pair + 16, 16);
		memcpy(icmp + 32, c->six->pair, 16);
		st32(icmp + 48, c->key_port << 16 | c->key_port >> 16);
		stbe32(icmp + 52, right ? c->iss : c->iss + 9); /* guessed wrong */
		six_send(six(OURS, 1), six(OURS, 2), IP_ICMP6, 64, icmp, 60);
		CHECK_EQ(app.error, right);
		CHECK_EQ(app.err, right ? -ECONNREFUSED : 0);
		tcp_close(c);
		run(1 * SEC);
		six_end();
	}
}

TEST(malformed)
{
	struct net_counters *n;
	uint8_t good[100], f[100];
	size_t len;
	struct {
		unsigned off;
		uint8_t value;
		bool fix;
		uint64_t *counter;
	} cases[20];
	unsigned k = 0;

	begin();
	n = &m.host[1].stack->n;
	CHECK_EQ(sim_listen(&m, 1, 80, 4), 0);
	len = sim_tcp_frame(good, 0, 1, 1000, 80, 1, 0, TH_SYN, 100, NULL, 0, NULL, 0);
#define BAD(o, v, fx, c) cases[k++] = (__typeof__(cases[0])){ o, v, fx, c }
	BAD(14, 0x45, false, &n->drop_short); /* version 4 */
	BAD(18, 0x10, false, &n->drop_short); /* longer than the frame */
	BAD(19, 10, false, &n->drop_short);   /* shorter than TCP's header */
	BAD(22, 0xff, true, &n->drop_addr);   /* from a group */
	BAD(37, 2, true, &n->drop_addr);      /* from ourselves */
	BAD(53, 9, true, &n->drop_addr);      /* not for us */
	BAD(38, 0xff, true, &n->drop_addr);   /* for a group that we are not in */
	BAD(20, 99, true, &n->drop_proto);    /* unknown header */
	BAD(66, 0x40, true, &n->drop_short);  /* TCP header of 16 bytes */
	BAD(66, 0xf0, true, &n->drop_short);
	BAD(70, 1, false, &n->drop_csum);
	BAD(57, 81, true, &n->drop_noport);
	BAD(67, TH_SYN | TH_FIN, true, &n->drop_seq);
	for (unsigned i = 0; i < k; i++) {
		uint64_t before = *cases[i].counter;

		memcpy(f, good, len);
		f[cases[i].off] = cases[i].value;
		if (cases[i].fix)
			sim_fix_csums(f, len);
		six_give(f, len);
		if (*cases[i].counter != before + 1)
			printf("case %u: byte %u\n", i, cases[i].off);
		CHECK_EQ(*cases[i].counter, before + 1);
	}
	memcpy(f, good, len); /* mapped and loopback addresses are never on a wire */
	memset(f + 22, 0, 16);
	f[37] = 1;
	sim_fix_csums(f, len);
	n->drop_addr = 0;
	six_give(f, len);
	f[32] = f[33] = 0xff;
	sim_fix_csums(f, len);
	six_give(f, len);
	CHECK_EQ(n->drop_addr, 2);
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 0);
	for (size_t piece = 1; piece < len; piece++)
		net_input(m.host[1].stack, sim_pbuf(&m.host[1], good, len, piece));
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 1);
	run(300 * SEC);
	six_end();
}

/* Without any IPv6 configuration the loopback address works, and nothing comes in. */
TEST(loopback_alone)
{
	struct net_endpoint to = { .family = 6, .port = 5000, .ip6 = { [15] = 1 } };
	struct udp_sock *u;
	uint8_t f[100], data[16] = { 0 };

	begin();
	sim_free(&m);
	six_begin(4);
	sim_family = 6;
	udp_set_callbacks(m.host[1].stack, &(struct udp_callbacks){ .input = udp_got });
	u = bound(1, 5000);
	CHECK_EQ(send(u, &to, 100), 0);
	run(10 * MS);
	CHECK_EQ(got_datagrams, 1);
	CHECK(got_right);
	to = sim_end(0, 5000);
	CHECK_EQ(send(u, &to, 100), -ENETUNREACH);
	m.host[1].stack->n.drop_addr = 0;
	six_give(f, sim_ip_frame(f, 0, 1, IP_UDP, data, 16));
	CHECK_EQ(m.host[1].stack->n.drop_addr, 1);
	udp_close(u);
	six_end();
}

UNIT_MAIN(CASE(udp), CASE(extension_headers), CASE(chains_too_long), CASE(fragments),
	  CASE(fragment_flood), CASE(in_pieces), CASE(path_mtu_of_datagrams), CASE(icmp),
	  CASE(errors_to_connections), CASE(malformed), CASE(loopback_alone))
