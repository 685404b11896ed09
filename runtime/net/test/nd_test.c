/* SPDX-License-Identifier: Apache-2.0 */
/* nd_test.c - IPv6 on the link: addresses and their detection, router advertisements of all kinds,
 * the neighbour cache and floods of it, listener reports. Host 1 is tested; routers and neighbours
 * are frames by hand. */
#include "runtime/net/test/six.h"

static const uint8_t own_mac[6] = { 2, 0, 0, 0, 0, 2 };

static struct net_stack *stack(void)
{
	return m.host[1].stack;
}

static const struct net_ip6 *conf(void)
{
	return net_get_ip6(stack());
}

/* The EUI-64 of host 1's MAC under a /64. */
static const uint8_t *eui(uint32_t first)
{
	static uint8_t a[16];

	memcpy(a, six(first, 0), 8);
	memcpy(a + 8, (uint8_t[]){ 0, 0, 0, 0xff, 0xfe, 0, 0, 2 }, 8);
	return a;
}

static unsigned state_of(const uint8_t *addr)
{
	int i = ip6_find(stack(), addr);

	return i < 0 ? NET_IP6_FREE : conf()->addr[i].state;
}

/* ---- advertisements by hand ---- */

static uint8_t ra[600];
static size_t ra_len;

static void ra_begin(uint8_t flags, uint16_t lifetime)
{
	memset(ra, 0, sizeof(ra));
	ra[0] = ND_RA;
	ra[5] = flags;
	stbe16(ra + 6, lifetime);
	ra_len = 16;
}

static void ra_prefix(uint32_t first, uint8_t len, uint8_t flags, uint32_t valid, uint32_t pref)
{
	uint8_t *o = ra + ra_len;

	o[0] = 3;
	o[1] = 4;
	o[2] = len;
	o[3] = flags;
	stbe32(o + 4, valid);
	stbe32(o + 8, pref);
	stbe32(o + 16, first);
	ra_len += 32;
}

static void ra_option(uint8_t type, uint8_t words, const void *v, size_t n)
{
	ra[ra_len] = type;
	ra[ra_len + 1] = words;
	memcpy(ra + ra_len + 2, v, n);
	ra_len += words * 8u;
}

static void ra_dns(uint32_t lifetime, uint8_t which)
{
	uint8_t v[22] = { 0 };

	stbe32(v + 2, lifetime);
	memcpy(v + 6, six(0x20010db8, which), 16);
	ra_option(25, 3, v, 22);
}

static void ra_send(uint8_t router)
{
	six_send(six(LINK_LOCAL, router), ip6_all_nodes, IP_ICMP6, 255, ra, ra_len);
}

static void begin(void)
{
	six_begin(4);
	m.host[0].out.black_hole = true; /* host 0 is no part of this */
	net_start_ip6(stack());
}

TEST(link_local)
{
	unsigned told;

	begin();
	CHECK_EQ(sent[ND_RS], 1);
	CHECK_EQ(sent[ND_NS], 1); /* its own address, from nobody, to its group */
	CHECK(ip6_is_any(last[ND_NS] + 22) && last[ND_NS][50] == 0xff && last[ND_NS][21] == 255);
	CHECK(memcmp(last[ND_NS], (uint8_t[]){ 0x33, 0x33, 0xff, 0, 0, 2 }, 6) == 0);
	CHECK(ip6_same(last[ND_NS] + 62, eui(LINK_LOCAL)));
	CHECK(!ip6_is_own(stack(), eui(LINK_LOCAL)));
	told = m.host[1].configured;
	run(1200 * MS);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_PREFERRED);
	CHECK(m.host[1].configured > told);
	CHECK(!conf()->up);
	run(3600 * SEC); /* nobody answers: 4, 8, 16 ... s between solicitations */
	CHECK(sent[ND_RS] > 6 && sent[ND_RS] < 14);
	CHECK(ip6_same(last[ND_RS] + 22, eui(LINK_LOCAL)) && last[ND_RS][62] == 1);
	six_end();
}

/* RFC 4862 5.4: by solicitation and by advertisement; what is detected is not answered for. */
TEST(duplicate)
{
	uint8_t ns[24] = { ND_NS }, na[32] = { ND_NA };

	begin();
	memcpy(ns + 8, eui(LINK_LOCAL), 16);
	six_send(eui(LINK_LOCAL), ip6_all_nodes, IP_ICMP6, 255, ns, 24); /* asks; no conflict */
	CHECK_EQ(sent[ND_NA], 0);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_TENTATIVE);
	six_send(ip6_zero, (const uint8_t[]){ 0xff, 2, [11] = 1, 0xff, 0, 0, 2 }, IP_ICMP6, 255, ns,
		 24);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_DUPLICATE);
	run(5 * SEC);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_DUPLICATE);
	six_end();

	begin();
	memcpy(na + 8, eui(LINK_LOCAL), 16);
	na[4] = 0x20;
	six_send(six(LINK_LOCAL, 9), ip6_all_nodes, IP_ICMP6, 255, na, 24);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_DUPLICATE);
	six_end();

	begin(); /* once it is ours it is defended, and stays */
	run(1200 * MS);
	six_send(ip6_zero, (const uint8_t[]){ 0xff, 2, [11] = 1, 0xff, 0, 0, 2 }, IP_ICMP6, 255, ns,
		 24);
	CHECK_EQ(sent[ND_NA], 1);
	CHECK(ip6_same(last[ND_NA] + 38, ip6_all_nodes));
	six_send(six(LINK_LOCAL, 9), ip6_all_nodes, IP_ICMP6, 255, na, 24);
	CHECK_EQ(state_of(eui(LINK_LOCAL)), NET_IP6_PREFERRED);
	six_end();
}

static void secret(struct sim *s)
{
	s->host[1].cfg.ip6_secret[0] = 77;
}

/* RFC 7217: an address of one's own per prefix, and another after a conflict. */
TEST(stable_identifiers)
{
	uint8_t na[24] = { ND_NA, [4] = 0x20 }, first[16];

	for (int again = 0; again < 2; again++) {
		sim_family = 4;
		sim_init(&m, 3, secret);
		net_start_ip6(stack());
		if (again == 0)
			memcpy(first, conf()->addr[0].addr, 16);
		else
			CHECK(ip6_same(first, conf()->addr[0].addr));
		CHECK(memcmp(first + 8, eui(LINK_LOCAL) + 8, 8) != 0);
		memcpy(na + 8, first, 16);
		six_send(six(LINK_LOCAL, 9), ip6_all_nodes, IP_ICMP6, 255, na, 24);
		CHECK_EQ(conf()->addr[0].state, NET_IP6_TENTATIVE);
		CHECK(!ip6_same(first, conf()->addr[0].addr));
		run(1200 * MS);
		CHECK_EQ(conf()->addr[0].state, NET_IP6_PREFERRED);
		six_end();
	}
}

TEST(autoconfiguration)
{
	uint8_t hop[16];

	begin();
	run(1200 * MS);
	ra_begin(0, 1800);
	ra[4] = 33;
	ra_prefix(0x20010db8, 64, 0xc0, 7200, 3600);
	ra_option(1, 1, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	ra_option(5, 1, (uint8_t[]){ 0, 0, 0, 0, 5, 100 }, 6); /* MTU 1380 */
	ra_dns(600, 53);
	ra_send(1);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_TENTATIVE);
	run(1200 * MS);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED);
	CHECK(conf()->up);
	CHECK(ip6_same(conf()->gateway, six(LINK_LOCAL, 1)));
	CHECK(ip6_same(conf()->dns[0], six(0x20010db8, 53)));
	CHECK_EQ(conf()->mtu, 1380);
	CHECK_EQ(conf()->hop_limit, 33);
	CHECK(nd_find(stack(), six(LINK_LOCAL, 1)) != NULL);
	CHECK_EQ(ip6_route(stack(), six(0x20010db8, 99), hop), ROUTE_LINK);
	CHECK(ip6_same(hop, six(0x20010db8, 99)));
	CHECK_EQ(ip6_route(stack(), six(0x20010db9, 99), hop), ROUTE_LINK);
	CHECK(ip6_same(hop, six(LINK_LOCAL, 1)));
	CHECK_EQ(sent[ND_RS], 1); /* found: no more of them */
	run(1000 * SEC);
	CHECK(ip6_is_any(conf()->dns[0])); /* each thing has its own lifetime */
	run(1000 * SEC);
	CHECK(ip6_is_any(conf()->gateway));
	CHECK_EQ(ip6_route(stack(), six(0x20010db9, 99), hop), ROUTE_NONE);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED);
	run(1700 * SEC);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_DEPRECATED);
	run(3600 * SEC);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_FREE);
	CHECK_EQ(ip6_route(stack(), six(0x20010db8, 99), hop), ROUTE_NONE);
	CHECK(!conf()->up);
	six_end();
}

static uint64_t left(const uint8_t *addr)
{
	return (conf()->addr[ip6_find(stack(), addr)].valid_until - m.now) / SEC;
}

/* RFC 4862 5.5.3 e: an advertisement, which anyone can make up, cuts no life below two hours. */
TEST(two_hours)
{
	begin();
	run(1200 * MS);
	ra_begin(0, 0);
	ra_prefix(0x20010db8, 64, 0x40, 86400, 3600);
	ra_send(1);
	CHECK(left(eui(0x20010db8)) > 86000);
	ra_begin(0, 0);
	ra_prefix(0x20010db8, 64, 0x40, 10, 10);
	ra_send(1);
	CHECK(left(eui(0x20010db8)) > 7100 && left(eui(0x20010db8)) <= 7200);
	run(3600 * SEC);
	ra_send(1); /* less than that is left: nothing */
	CHECK(left(eui(0x20010db8)) > 3500);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED); /* for the 10 s that it says */
	run(20 * SEC);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_DEPRECATED);
	ra_begin(0, 0);
	ra_prefix(0x20010db8, 64, 0x40, 0xffffffff, 0xffffffff);
	ra_send(1);
	run(1 * SEC);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED);
	run(400000 * SEC);
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED);
	/* no router (lifetime 0), and no prefix of the link (no L) */
	CHECK(ip6_is_any(conf()->gateway));
	CHECK_EQ(conf()->on_link[1].until, 0);
	six_end();
}

static bool untouched(void)
{
	unsigned n = 0;

	for (unsigned i = 1; i < NET_IP6_ADDRS; i++)
		n += conf()->addr[i].state != NET_IP6_FREE;
	return n == 0 && ip6_is_any(conf()->gateway) && ip6_is_any(conf()->dns[0]);
}

/* Advertisements that are wrong, by one thing each. */
TEST(bad_advertisements)
{
	begin();
	run(1200 * MS);
	ra_begin(0, 1800);
	ra_prefix(0x20010db8, 64, 0xc0, 7200, 3600);
	six_send(six(LINK_LOCAL, 1), ip6_all_nodes, IP_ICMP6, 254, ra, ra_len); /* came far */
	CHECK(untouched());
	six_send(six(0x20010db8, 1), ip6_all_nodes, IP_ICMP6, 255, ra, ra_len); /* not link-local */
	CHECK(untouched());
	six_send(six(LINK_LOCAL, 1), ip6_all_nodes, IP_ICMP6, 255, ra, ra_len - 1);
	six_send(six(LINK_LOCAL, 1), ip6_all_nodes, IP_ICMP6, 255, ra, 15);
	ra[17] = 0; /* an option of no length */
	ra_send(1);
	ra[17] = 5; /* of more than there is */
	ra_send(1);
	ra[17] = 4;
	ra[1] = 1; /* code */
	ra_send(1);
	ra[1] = 0;
	CHECK(untouched());
	/* prefixes: preferred longer than valid, other lengths, link-local, multicast */
	ra_begin(0, 0);
	ra_prefix(0x20010db8, 64, 0x40, 100, 200);
	ra_prefix(0x20010db8, 65, 0x40, 200, 100);
	ra_prefix(0x20010db8, 63, 0x40, 200, 100);
	ra_prefix(0x20010db8, 200, 0xc0, 200, 100);
	ra_prefix(LINK_LOCAL, 64, 0xc0, 200, 100);
	ra_prefix(0xff020000, 64, 0xc0, 200, 100);
	ra_prefix(0x20010db8, 64, 0x40, 0, 0);
	ra_prefix(0, 0, 0x80, 200, 100);
	ra_option(5, 1, (uint8_t[]){ 0, 0, 0, 0, 1, 0 }, 6); /* MTU 256 */
	ra_send(1);
	ra_option(5, 1, (uint8_t[]){ 0, 0, 0, 1, 0, 0 }, 6); /* 65536 */
	ra_send(1);
	run(2 * SEC);
	CHECK(untouched());
	CHECK_EQ(conf()->mtu, 1500);
	for (unsigned i = 0; i < NET_IP6_PREFIXES; i++)
		CHECK_EQ(conf()->on_link[i].until, 0);
	six_end();
}

/* Many routers, prefixes and name servers: the first stay, memory does not grow. */
TEST(advertisement_flood)
{
	size_t mem;
	unsigned told;

	begin();
	run(1200 * MS);
	ra_begin(0, 1800);
	ra_prefix(0x20010db8, 64, 0xc0, 7200, 3600);
	ra_option(1, 1, (uint8_t[]){ 2, 0, 0, 0, 0, 1 }, 6);
	ra_dns(3600, 53);
	ra_send(1);
	run(2 * SEC);
	mem = m.mem;
	told = m.host[1].configured;
	for (unsigned i = 0; i < 5000; i++) {
		ra_begin(0, 1800);
		ra_prefix(0x20020000 + i, 64, 0xc0, 7200, 3600);
		ra_option(1, 1, (uint8_t[]){ 2, 0, 0, 0, 1, (uint8_t)i }, 6);
		ra_dns(3600, (uint8_t)i);
		six_send(six(LINK_LOCAL + (i << 8), 2), ip6_all_nodes, IP_ICMP6, 255, ra, ra_len);
	}
	CHECK_EQ(m.mem, mem);
	CHECK(ip6_same(conf()->gateway, six(LINK_LOCAL, 1)));
	CHECK(nd_find(stack(), six(LINK_LOCAL, 1)) != NULL);
	CHECK(ip6_same(conf()->dns[0], six(0x20010db8, 53)));
	CHECK_EQ(state_of(eui(0x20010db8)), NET_IP6_PREFERRED);
	CHECK(m.host[1].configured - told < 30); /* nothing new is no news */
	CHECK_EQ(m.host[1].pool.n_free, m.host[1].pool.n_total);
	six_end();
}

/* ---- neighbours ---- */

static struct udp_sock *socket_of(uint16_t port)
{
	struct net_endpoint at = { .family = 6, .port = port };
	struct udp_sock *u = NULL;

	CHECK_EQ(udp_bind(stack(), &at, false, NULL, &u), 0);
	return u;
}

static int send_to(struct udp_sock *u, const uint8_t *dst)
{
	struct net_endpoint to = { .family = 6, .port = 9 };
	struct pbuf *p = pbuf_alloc(stack()->cfg.pool, PBUF_HEADROOM);

	memcpy(to.ip6, dst, 16);
	p->len = p->total = 10;
	memset(p->data, 1, 10);
	return udp_send(u, p, &to);
}

static void begin_static(void)
{
	six_begin(4);
	m.host[0].out.black_hole = true;
	net_set_ip6(stack(), six(OURS, 2), 64, six(OURS, 0xfe), NULL);
	run(1500 * MS);
	CHECK(conf()->up);
	memset(sent, 0, sizeof(sent));
}

static void answer(const uint8_t *who, uint8_t flags, uint8_t mac)
{
	uint8_t na[32] = { ND_NA, [4] = flags, [24] = 2, [25] = 1, [26] = 2, [31] = mac };

	memcpy(na + 8, who, 16);
	six_send(who, six(OURS, 2), IP_ICMP6, 255, na, 32);
}

TEST(neighbour_states)
{
	const uint8_t who[16] = { 0xfd, [15] = 9 };
	struct nd_entry *n;
	struct udp_sock *u;

	begin_static();
	u = socket_of(5000);
	for (int i = 0; i < 1000; i++)
		CHECK_EQ(send_to(u, who), 0);
	n = nd_find(stack(), who);
	CHECK_EQ(n->state, ND_INCOMPLETE);
	CHECK_EQ(m.host[1].pool.n_total - m.host[1].pool.n_free, ND_QUEUE_MAX);
	CHECK_EQ(sent[ND_NS], 1);
	CHECK(ip6_same(last[ND_NS] + 22, six(OURS, 2)) && last[ND_NS][78] == 1);
	answer(who, 0x60, 9); /* solicited, override */
	CHECK_EQ(n->state, ND_REACHABLE);
	CHECK_EQ(m.host[1].pool.n_free, m.host[1].pool.n_total);
	answer(who, 0, 77); /* no override: kept, and doubted */
	CHECK_EQ(n->state, ND_STALE);
	CHECK_EQ(n->eth[7], 9);
	CHECK_EQ(send_to(u, who), 0);
	CHECK_EQ(n->state, ND_DELAY);
	run(5500 * MS);
	CHECK_EQ(n->state, ND_PROBE);
	CHECK_EQ(sent[ND_NS], 2);
	CHECK(ip6_same(last[ND_NS] + 38, who)); /* asked itself */
	answer(who, 0x40, 9);
	CHECK_EQ(n->state, ND_REACHABLE);
	answer(who, 0x20, 78); /* says that it moved */
	CHECK_EQ(n->state, ND_STALE);
	CHECK_EQ(n->eth[7], 78);
	CHECK_EQ(send_to(u, who), 0);
	run(20 *
	    SEC); /* and is not there: three questions, then none for a while, then forgotten */
	CHECK(nd_find(stack(), who) == NULL);
	CHECK_EQ(sent[ND_NS], 5);
	udp_close(u);
	six_end();
}

TEST(unanswered)
{
	struct udp_sock *u;

	begin_static();
	u = socket_of(5000);
	CHECK_EQ(send_to(u, six(OURS, 9)), 0);
	run(10 * SEC);
	CHECK_EQ(sent[ND_NS], ND_TRIES); /* once a second */
	memset(sent, 0, sizeof(sent));
	for (unsigned i = 0; i < 20000; i++) { /* a scan: bounded in memory and in questions */
		uint8_t a[16] = { 0xfd, [13] = 1, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i };

		CHECK_EQ(send_to(u, a), 0);
		if (i % 100 == 0)
			run(1 * MS);
	}
	CHECK(sent[ND_NS] <= 50);
	CHECK(m.host[1].pool.n_total - m.host[1].pool.n_free <= ND_QUEUE_TOTAL);
	run(20 * SEC);
	udp_close(u);
	six_end();
}

static void solicit(const uint8_t *from, const uint8_t *target, uint8_t mac)
{
	uint8_t ns[32] = { ND_NS, [24] = 1, [25] = 1, [26] = 2, [31] = mac }, group[16];

	memcpy(ns + 8, target, 16);
	ip6_solicited(target, group);
	six_send(from, group, IP_ICMP6, 255, ns, 32);
}

TEST(solicited)
{
	uint8_t ns[32] = { ND_NS, [24] = 1, [25] = 1, [26] = 2, [31] = 7 };

	begin_static();
	solicit(six(OURS, 7), six(OURS, 2), 7);
	CHECK_EQ(sent[ND_NA], 1);
	CHECK_EQ(last[ND_NA][58], 0x60);
	CHECK(memcmp(last[ND_NA] + 80, own_mac, 6) == 0);
	CHECK_EQ(nd_find(stack(), six(OURS, 7))->state, ND_STALE);
	solicit(six(OURS, 8), six(OURS, 3), 8); /* for another */
	CHECK_EQ(sent[ND_NA], 1);
	CHECK(nd_find(stack(), six(OURS, 8)) == NULL);
	memcpy(ns + 8, six(OURS, 2), 16);
	six_send(six(OURS, 8), six(OURS, 2), IP_ICMP6, 64, ns, 32); /* came far */
	ns[25] = 0;						    /* a broken option */
	six_send(six(OURS, 8), six(OURS, 2), IP_ICMP6, 255, ns, 32);
	ns[25] = 1;
	six_send(ip6_zero, six(OURS, 2), IP_ICMP6, 255, ns, 32); /* detection, with an address */
	CHECK_EQ(sent[ND_NA], 1);
	CHECK(nd_find(stack(), six(OURS, 8)) == NULL);
	answer(six(OURS, 8), 0x60, 8); /* nobody asked */
	CHECK(nd_find(stack(), six(OURS, 8)) == NULL);
	six_end();
}

/* Strangers without end: neither the router nor a neighbour that we talk to is pushed out. */
TEST(solicitation_flood)
{
	struct udp_sock *u;
	size_t mem;

	begin_static();
	u = socket_of(5000);
	CHECK_EQ(send_to(u, six(OURS, 9)), 0);
	CHECK_EQ(send_to(u, six(0x20010db8, 1)), 0); /* by the router */
	answer(six(OURS, 9), 0x60, 9);
	answer(six(OURS, 0xfe), 0x60, 0xfe);
	mem = m.mem;
	for (unsigned i = 0; i < 20000; i++) {
		uint8_t a[16] = { 0xfd, [12] = 2, [14] = (uint8_t)(i >> 8), [15] = (uint8_t)i };

		if (i % 2 == 0)
			solicit(a, six(OURS, 2), (uint8_t)i);
		else
			CHECK_EQ(send_to(u, a), 0);
		if (i % 1000 == 0)
			CHECK_EQ(send_to(u, six(OURS, 9)), 0);
	}
	CHECK_EQ(m.mem, mem);
	CHECK(nd_find(stack(), six(OURS, 9)) != NULL &&
	      nd_find(stack(), six(OURS, 9))->state != ND_INCOMPLETE);
	CHECK(nd_find(stack(), six(OURS, 0xfe)) != NULL);
	udp_close(u);
	run(30 * SEC);
	six_end();
}

/* RFC 4861 6.3.6: a router that does not answer any more gives way to another. */
TEST(router_fails)
{
	struct udp_sock *u;

	begin();
	run(1200 * MS);
	for (uint8_t r = 1; r <= 3; r += 2) {
		ra_begin(0, 1800);
		ra_prefix(0x20010db8, 64, 0xc0, 7200, 3600);
		ra_option(1, 1, (uint8_t[]){ 2, 0, 0, 0, 0, r }, 6);
		ra_send(r);
	}
	run(2 * SEC);
	u = socket_of(5000);
	CHECK(ip6_same(conf()->gateway, six(LINK_LOCAL, 1)));
	CHECK_EQ(send_to(u, six(0x20020000, 1)), 0);
	run(15 * SEC); /* it is asked, and silent */
	CHECK(ip6_same(conf()->gateway, six(LINK_LOCAL, 3)));
	ra_begin(0, 0); /* one that stops being a router */
	ra_send(3);
	run(1 * SEC);
	CHECK(ip6_same(conf()->gateway, six(LINK_LOCAL, 1)));
	udp_close(u);
	run(60 * SEC);
	six_end();
}

/* ---- listener reports (RFC 3810) ---- */

TEST(listener_reports)
{
	static const uint8_t group[16] = { 0xff, 2, [11] = 1, 0xff, 0, 0, 2 };
	uint8_t query[28] = { 130, [5] = 100 }, all[16] = { 0xff, 2, [15] = 1 };
	const uint8_t *r = last[143] + 14 + 40;

	begin_static();
	CHECK(r[0] == IP_ICMP6 && r[2] == 5 && last[143][21] == 1); /* router alert, hop limit 1 */
	six_send(six(LINK_LOCAL, 1), all, IP_ICMP6, 1, query, 28);
	run(1 * SEC);
	CHECK_EQ(sent[143], 1);
	CHECK_EQ(r[8 + 8], 2); /* MODE_IS_EXCLUDE */
	CHECK_EQ(ldbe16(r + 14), 2);
	CHECK(ip6_same(r + 8 + 12, group));
	six_send(six(LINK_LOCAL, 1), all, IP_ICMP6, 2, query, 28); /* came far */
	six_send(six(OURS, 1), all, IP_ICMP6, 1, query, 28);
	six_send(six(LINK_LOCAL, 1), all, IP_ICMP6, 1, query, 25);
	run(1 * SEC);
	CHECK_EQ(sent[143], 1);
	six_send(six(LINK_LOCAL, 1), all, IP_ICMP6, 1, query, 24); /* RFC 2710 */
	run(1 * SEC);
	CHECK_EQ(sent[131], 2);
	CHECK_EQ(sent[143], 1);
	six_end();
}

/* ---- DHCPv6 (RFC 8415) ---- */

static uint8_t reply[200];
static size_t reply_len;

static void put(uint8_t code, const void *v, uint8_t n)
{
	memcpy(reply + reply_len, (uint8_t[]){ 0, code, 0, n }, 4);
	memcpy(reply + reply_len + 4, v, n);
	reply_len += 4u + n;
}

/* To the latest request. change: which option is wrong (1, 2), or the number (3); 0: nothing. */
static void dhcp_answer(unsigned change)
{
	uint8_t *msg = reply + 8, dns[32];

	memset(reply, 0, sizeof(reply));
	stbe16(reply, 547);
	stbe16(reply + 2, 546);
	memcpy(msg, last_udp + 62, 4);
	msg[0] = 7;
	reply_len = 12;
	if (change != 2)
		put(2, "server", 6);
	put(1, last_udp + 70, 10);
	memcpy(dns, six(0x20010db8, 1), 16);
	memcpy(dns + 16, six(0x20010db8, 2), 16);
	put(23, dns, 32);
	put(32, (uint8_t[]){ 0, 0, 3, 0xe8 }, 4); /* again after 1000 s */
	if (change == 1)
		reply[8 + 4 + 10 + 9] ^= 1;
	if (change == 3)
		msg[2] ^= 1;
	stbe16(reply + 4, (uint16_t)reply_len);
	six_send(six(LINK_LOCAL, 1), eui(LINK_LOCAL), IP_UDP, 64, reply, reply_len);
}

TEST(dhcp6_stateless)
{
	begin();
	run(1200 * MS);
	ra_begin(0x40, 1800);
	ra_prefix(0x20010db8, 64, 0xc0, 86400, 86400);
	ra_send(1);
	run(1100 * MS);
	CHECK_EQ(sent_udp, 1);
	CHECK_EQ(last_udp[62], 11);
	CHECK(last_udp[50] == 0 && last_udp[51] == 1 && last_udp[53] == 2); /* ff02::1:2 */
	CHECK(ip6_same(last_udp + 22, eui(LINK_LOCAL)));
	for (unsigned i = 1; i <= 3; i++) {
		dhcp_answer(i);
		CHECK(ip6_is_any(conf()->dns[0]));
	}
	run(8 * SEC);
	CHECK_EQ(sent_udp, 4); /* 1, 2, 4 s later */
	dhcp_answer(0);
	CHECK(ip6_same(conf()->dns[0], six(0x20010db8, 1)));
	CHECK(ip6_same(conf()->dns[1], six(0x20010db8, 2)));
	ra_send(1); /* says so again: asked already */
	run(900 * SEC);
	CHECK_EQ(sent_udp, 4);
	run(120 * SEC);
	CHECK(sent_udp > 4); /* and nobody answers any more: what was learned goes, too */
	run(1200 * SEC);
	CHECK(ip6_is_any(conf()->dns[0]));
	six_end();
}

/* RFC 6724 5. */
TEST(source_selection)
{
	struct net_ip6 v = { .mtu = 1500, .hop_limit = 64, .up = true };
	static const uint32_t firsts[] = { LINK_LOCAL, 0x20010db8, 0xfd000000, 0x2a000000 };
	uint8_t src[16];

	six_begin(4);
	for (unsigned i = 0; i < 4; i++) {
		memcpy(v.addr[i].addr, six(firsts[i], 2), 16);
		v.addr[i].state = NET_IP6_PREFERRED;
	}
	net_adopt_ip6(stack(), &v);
	CHECK(ip6_source(stack(), six(LINK_LOCAL, 9), src) && src[0] == 0xfe);
	CHECK(ip6_source(stack(), ip6_all_routers, src) && src[0] == 0xfe);
	CHECK(ip6_source(stack(), six(0x20010db8, 9), src) && ldbe32(src) == 0x20010db8);
	CHECK(ip6_source(stack(), six(0xfd110000, 9), src) && src[0] == 0xfd); /* its label */
	CHECK(ip6_source(stack(), six(0x2a010000, 9), src) && src[0] == 0x2a); /* longest match */
	CHECK(ip6_source(stack(), six(0x2a000000, 2), src) && ip6_same(src, six(0x2a000000, 2)));
	v.addr[3].state = NET_IP6_DEPRECATED;
	net_adopt_ip6(stack(), &v);
	CHECK(ip6_source(stack(), six(0x2a010000, 9), src) && ldbe32(src) == 0x20010db8);
	CHECK(ip6_source(stack(), ip6_loopback, src) && ip6_is_loopback(src));
	six_end();
}

UNIT_MAIN(CASE(link_local), CASE(duplicate), CASE(stable_identifiers), CASE(autoconfiguration),
	  CASE(two_hours), CASE(bad_advertisements), CASE(advertisement_flood),
	  CASE(neighbour_states), CASE(unanswered), CASE(solicited), CASE(solicitation_flood),
	  CASE(router_fails), CASE(listener_reports), CASE(source_selection), CASE(dhcp6_stateless))
