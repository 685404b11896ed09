/* SPDX-License-Identifier: Apache-2.0 */
/* ip_test.c - below TCP: ARP, fragments, ICMP, UDP, and malformed packets, each dropped and
 * counted. */
#include "runtime/net/arp_internal.h"
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static unsigned got_datagrams, got_error;
static size_t got_len;
static uint8_t got[4096];
static unsigned seen_arp, seen_icmp, seen_icmp_type;

static bool look(struct sim *s, unsigned from, uint8_t *f, size_t len)
{
	(void)s;
	(void)len;
	if (from != 1)
		return false;
	seen_arp += ldbe16(f + 12) == ETH_ARP;
	if (ldbe16(f + 12) == ETH_IP4 && f[23] == IP_ICMP) {
		seen_icmp++;
		seen_icmp_type = f[34];
	}
	return false;
}

static void udp_got(struct udp_sock *u, void *owner, struct pbuf *p,
		    const struct net_endpoint *from, const struct net_endpoint *to)
{
	struct net_stack *s = owner;

	(void)u;
	(void)from;
	(void)to;
	got_datagrams++;
	got_len = p->total;
	CHECK(pbuf_copy_out(p, 0, got, GW_MIN(p->total, (uint32_t)sizeof(got))));
	pbuf_free(s->cfg.pool, p);
}

static void udp_err(struct udp_sock *u, void *owner, int err)
{
	(void)u;
	(void)owner;
	CHECK_EQ(err, -ECONNREFUSED);
	got_error++;
}

static void begin(void)
{
	static const struct udp_callbacks cb = { .input = udp_got, .error = udp_err };

	sim_init(&m, 3, NULL);
	for (int i = 0; i < 2; i++)
		udp_set_callbacks(m.host[i].stack, &cb);
	m.host[1].out.tap = look;
	got_datagrams = got_error = seen_arp = seen_icmp = 0;
	sim_run(&m, 100 * MS, NULL, NULL);
	seen_arp = 0;
}

static void end(void)
{
	for (int i = 0; i < 2; i++)
		CHECK_EQ(m.host[i].pool.n_free, m.host[i].pool.n_total);
	sim_free(&m);
}

static size_t arp_frame(uint8_t *f, uint16_t op, uint32_t spa, uint32_t tpa, uint8_t last)
{
	memset(f, 0, 60);
	memset(f, 0xff, 6);
	f[6] = f[22] = 2;
	f[11] = f[27] = last;
	stbe16(f + 12, ETH_ARP);
	memcpy(f + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4 }, 6);
	stbe16(f + 20, op);
	st32(f + 28, spa);
	st32(f + 38, tpa);
	return 60;
}

static void to_host1(const uint8_t *f, size_t len)
{
	sim_inject(&m, 1, f, len);
	sim_run(&m, 2 * MS, NULL, NULL);
}

TEST(arp)
{
	uint8_t f[60];
	struct net_stack *s;
	unsigned known = 0;

	begin();
	s = m.host[1].stack;
	to_host1(f, arp_frame(f, 1, sim_ip(50), sim_ip(1), 50));
	CHECK_EQ(seen_arp, 1); /* answered */
	CHECK(arp_find(s, sim_ip(50)) != NULL);
	to_host1(f, arp_frame(f, 1, sim_ip(51), sim_ip(77), 51)); /* for another */
	CHECK_EQ(seen_arp, 1);
	CHECK(arp_find(s, sim_ip(51)) == NULL);
	to_host1(f, arp_frame(f, 2, sim_ip(52), sim_ip(1), 52)); /* nobody asked */
	CHECK(arp_find(s, sim_ip(52)) == NULL);
	to_host1(f, arp_frame(f, 1, sim_ip(50), sim_ip(50),
			      60)); /* gratuitous: updates what is known */
	CHECK_EQ(arp_find(s, sim_ip(50))->mac[5], 60);
	to_host1(f, arp_frame(f, 1, sim_ip(53), sim_ip(53), 60)); /* and only that */
	CHECK(arp_find(s, sim_ip(53)) == NULL);
	to_host1(f, arp_frame(f, 1, sim_ip(1), sim_ip(1), 99)); /* our address: defended, once */
	to_host1(f, arp_frame(f, 1, sim_ip(1), sim_ip(1), 99));
	CHECK_EQ(seen_arp, 2);
	to_host1(f, 30);
	CHECK(s->n.drop_short > 0);
	/* a flood: bounded, and it does not push out an address in use */
	arp_find(s, sim_ip(50))->wanted = true;
	for (unsigned i = 0; i < 5000; i++) {
		uint32_t ip = be32(0x0a000000u + 2 + i % 240);

		arp_frame(f, 1, ip, sim_ip(1), (uint8_t)i);
		if (ip != sim_ip(50))
			to_host1(f, 60);
	}
	CHECK(arp_find(s, sim_ip(50)) != NULL);
	for (unsigned i = 0; i < ARP_SETS * ARP_WAYS; i++)
		known += s->arp[i / ARP_WAYS][i % ARP_WAYS].state != ARP_FREE;
	CHECK(known <= ARP_SETS * ARP_WAYS);
	end();
}

static struct udp_sock *bound(unsigned host, uint16_t port)
{
	struct net_endpoint at = { .family = 4, .port = port };
	struct udp_sock *u = NULL;

	CHECK_EQ(udp_bind(m.host[host].stack, &at, false, m.host[host].stack, &u), 0);
	return u;
}

static int send(struct udp_sock *u, uint32_t ip, uint16_t port, size_t len)
{
	struct net_endpoint to = { .family = 4, .port = port, .ip4 = ip };
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
	return udp_send(u, head, &to);
}

TEST(unanswered_arp)
{
	struct udp_sock *u;

	begin();
	u = bound(1, 5000);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(send(u, sim_ip(200), 9, 10), 0);
	CHECK_EQ(m.host[1].pool.n_total - m.host[1].pool.n_free, ARP_QUEUE_MAX);
	CHECK_EQ(seen_arp, 1);
	sim_run(&m, 10 * SEC, NULL, NULL);
	CHECK_EQ(seen_arp, ARP_TRIES); /* once a second, then quiet */
	for (unsigned i = 100; i < 250; i++)
		CHECK_EQ(send(u, sim_ip(i), 9, 10), 0);
	CHECK(m.host[1].pool.n_total - m.host[1].pool.n_free <= ARP_QUEUE_TOTAL);
	sim_run(&m, 10 * SEC, NULL, NULL);
	CHECK_EQ(send(u, be32(0xe0000001u), 9, 10), -ENETUNREACH);
	udp_close(u);
	end();
}

TEST(udp_and_fragments)
{
	struct udp_sock *a, *b, *again;
	struct net_endpoint at = { .family = 4, .port = 5000 };

	begin();
	a = bound(0, 0);
	b = bound(1, 5000);
	CHECK_EQ(udp_bind(m.host[1].stack, &at, false, NULL, &again), -EADDRINUSE);
	CHECK_EQ(send(a, sim_ip(1), 5000, 100), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK_EQ(got_datagrams, 1);
	CHECK_EQ(got_len, 100);
	CHECK_EQ(send(a, sim_ip(1), 5000, 4000), 0); /* three fragments */
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK_EQ(got_datagrams, 2);
	CHECK_EQ(got_len, 4000);
	for (size_t i = 0; i < 4000; i++)
		CHECK(got[i] == (uint8_t)(i * 13));
	m.host[0].out.reorder = 5000;
	for (int i = 0; i < 20; i++)
		CHECK_EQ(send(a, sim_ip(1), 5000, 4000), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK_EQ(got_datagrams, 22);
	m.host[0].out.reorder = 0;
	m.host[0].out.loss = 5000;
	for (int i = 0; i < 200; i++)
		CHECK_EQ(send(a, sim_ip(1), 5000, 9000), 0);
	sim_run(&m, 1 * SEC, NULL, NULL);
	CHECK(m.host[1].stack->frag_pbufs <= FRAG_PBUFS);
	sim_run(&m, 40 * SEC, NULL, NULL);
	CHECK_EQ(m.host[1].stack->frag_pbufs, 0);
	CHECK(m.host[1].stack->n.drop_frag > 0);
	/* a closed port: the connected sender hears of it */
	m.host[0].out.loss = 0;
	udp_connect(a, &(struct net_endpoint){ .family = 4, .port = 7, .ip4 = sim_ip(1) });
	CHECK_EQ(send(a, sim_ip(1), 7, 10), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK_EQ(got_error, 1);
	udp_close(a);
	udp_close(b);
	end();
}

TEST(overlapping_fragments)
{
	uint8_t f[200], data[64] = { 0 };
	struct udp_sock *u;
	uint64_t dropped;

	begin();
	u = bound(1, 5000);
	dropped = m.host[1].stack->n.drop_frag;
	stbe16(data + 2, 5000);
	stbe16(data + 4, 56);
	for (int i = 0; i < 3; i++) {
		size_t n = sim_ip_frame(f, 0, 1, IP_UDP, data, 32);

		stbe16(f + 18, 77);
		stbe16(f + 20, i == 0 ? 0x2000 : i == 1 ? 0x2000 | 3 : 4);
		sim_fix_csums(f, n);
		to_host1(f, n);
	}
	CHECK_EQ(got_datagrams, 0);
	CHECK(m.host[1].stack->n.drop_frag >= dropped + 3);
	udp_close(u);
	end();
}

TEST(ping)
{
	uint8_t f[1500], echo[1400] = { 8, 0, 0, 0, 1, 2, 3, 4 };

	begin();
	to_host1(f, sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo)));
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK_EQ(seen_icmp, 1);
	CHECK_EQ(seen_icmp_type, 0);
	for (int i = 0; i < 1000; i++) { /* errors: 200 a second at most */
		uint8_t udp[8] = { 1, 1, 9, 9, 0, 8, 0, 0 };

		sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_UDP, udp, 8));
	}
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK(seen_icmp <= 201 && seen_icmp > 100);
	CHECK_EQ(seen_icmp_type, 3);
	end();
}

/* Each malformed packet is dropped and adds one to its counter. */
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
	BAD(0, 4, false, &n->drop_addr);      /* another's address */
	BAD(13, 0x99, false, &n->drop_proto); /* unknown Ethernet type */
	BAD(14, 0x65, false, &n->drop_short); /* version 6 */
	BAD(14, 0x44, false, &n->drop_short); /* header of 16 bytes */
	BAD(14, 0x4f, false, &n->drop_short); /* header longer than the packet */
	BAD(16, 0x10, false, &n->drop_short); /* total beyond the frame */
	BAD(17, 10, false, &n->drop_short);   /* total below the header */
	BAD(24, 1, false, &n->drop_csum);
	BAD(26, 127, true, &n->drop_addr); /* from loopback */
	BAD(26, 224, true, &n->drop_addr); /* from a group */
	BAD(30, 11, true, &n->drop_addr);  /* not for us */
	BAD(30, 127, true, &n->drop_addr);
	BAD(23, 99, true, &n->drop_proto);   /* unknown protocol */
	BAD(46, 0x40, true, &n->drop_short); /* TCP header of 16 bytes */
	BAD(46, 0xf0, true, &n->drop_short); /* longer than the packet */
	BAD(50, 1, false, &n->drop_csum);
	BAD(37, 81, true, &n->drop_noport);
	BAD(47, TH_SYN | TH_FIN, true, &n->drop_seq);
	for (unsigned i = 0; i < k; i++) {
		uint64_t before = *cases[i].counter;

		memcpy(f, good, len);
		f[cases[i].off] = cases[i].value;
		if (cases[i].fix)
			sim_fix_csums(f, len);
		to_host1(f, len);
		if (*cases[i].counter != before + 1)
			printf("case %u: byte %u\n", i, cases[i].off);
		CHECK_EQ(*cases[i].counter, before + 1);
	}
	for (size_t cut = 0; cut < len; cut++) /* cut short anywhere */
		to_host1(good, cut);
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 0);
	/* and in pieces of every size it is the same packet */
	for (size_t part = 1; part < len; part++) {
		struct pbuf *p = sim_pbuf(&m.host[1], good, len, part);

		net_input(m.host[1].stack, p);
	}
	CHECK_EQ(m.host[1].stack->tcp.n_conns, 1);
	sim_run(&m, 300 * SEC, NULL, NULL);
	end();
}

UNIT_MAIN(CASE(arp), CASE(unanswered_arp), CASE(udp_and_fragments), CASE(overlapping_fragments),
	  CASE(ping), CASE(malformed))
