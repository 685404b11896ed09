/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ip6.c - libFuzzer: frames into a stack that has IPv6 addresses, listens to router
 * advertisements, has a UDP socket, a listener and one live connection over IPv6; and the same
 * bytes into the parsers alone. The input is a list of steps: a byte of flags, a length, the frame.
 * Flags: 1 repair checksums; 2 make it an IPv6 packet to us, addresses by its first two bytes; 4
 * arrive in pieces; 8 hop limit 255; 16 time passes; 32 we send to somebody; 64 it is from the
 * connection's peer. Invariants are checked after each step. */
#include <stdlib.h>
#include "tests/fuzz/check_conn.h"
#include "runtime/net/test/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim m;
static struct sim_app client, server;

static void *take(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return server.c == NULL ? &server : NULL;
}

static void datagram(struct udp_sock *u, void *owner, struct pbuf *p,
		     const struct net_endpoint *from, const struct net_endpoint *to)
{
	struct net_stack *s = owner;
	struct net_endpoint a, b;

	(void)u;
	udp_ends(p, &a, &b);
	if (memcmp(&a, from, sizeof(a)) != 0 || memcmp(&b, to, sizeof(b)) != 0)
		panic("udp_ends");
	pbuf_free(s->cfg.pool, p);
}

/* Reads of the parsers stay inside, and what they say fits. */
static void parse(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n); /* exact, so that a byte too far is seen */
	struct ip6_chain c;
	struct dhcp6_msg dhcp;
	struct nd_msg msg;

	if (n != 0)
		memcpy(copy, p, n);
	if (nd_parse(copy, n, &msg)) {
		if (msg.n_prefixes > ND_PREFIXES || msg.n_dns > 2)
			panic("nd_parse");
		for (unsigned i = 0; i < msg.n_prefixes; i++) {
			if (msg.prefixes[i].len > 128)
				panic("prefix length");
		}
	}
	if (dhcp6_parse(copy, n, &dhcp)) {
		uint8_t sum = 0;

		for (unsigned i = 0; i < 14; i++)
			sum ^= dhcp.client[i];
		for (unsigned i = 0; i < dhcp.n_dns * 16; i++)
			sum ^= dhcp.dns[i];
		if (dhcp.n_dns > 2 || (sum != 0 && dhcp.refresh == 0)) /* all of it was read */
			panic("dhcp6_parse");
	}
	for (unsigned k = 0; n >= IP6_HLEN && k < 2; k++) {
		size_t total = k == 0 ? n : 65575;

		switch (ip6_walk(copy, n, total, &c)) {
		case CHAIN_FRAGMENT:
			if (c.off + 8u > n || c.prev >= c.off)
				panic("fragment header");
			break;
		case CHAIN_UPPER:
			if (c.off > n || c.off > IP6_CHAIN_MAX || c.prev >= c.off)
				panic("upper header");
			break;
		case CHAIN_MORE:
			if (total == n)
				panic("more than there is");
			break;
		default:
			break;
		}
	}
	free(copy);
}

static void shape(uint8_t *f, size_t len, uint8_t flags)
{
	static const uint8_t groups[4][16] = { { 0xff, 2, [15] = 1 },
					       { 0xff, 2, [11] = 1, 0xff, 0, 0, 2 },
					       { 0xff, 2, [15] = 2 },
					       { 0xff, 2, [11] = 1, 0xff, 1, 2, 3 } };
	const struct net_ip6 *v = net_get_ip6(m.host[1].stack);
	uint8_t src = f[0], dst = f[1];

	if (len < ETH_HLEN + IP6_HLEN)
		return;
	memcpy(f, (uint8_t[]){ 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0 }, 11);
	stbe16(f + 12, ETH_IP6);
	f[14] = 0x60;
	stbe16(f + 18, (uint16_t)(len - ETH_HLEN - IP6_HLEN));
	if (flags & 8)
		f[21] = 255;
	memset(f + 22, 0, 16);
	if (flags & 64)
		sim_ip6(0, f + 22);
	else if (src % 8 != 0) /* 0: from nobody */
		memcpy(f + 22, (uint8_t[]){ src & 1 ? 0xfe : 0xfd, src & 1 ? 0x80 : 0 }, 2),
			f[37] = src;
	if (dst & 0x80)
		memcpy(f + 38, groups[dst & 3], 16);
	else
		memcpy(f + 38, v->addr[dst % NET_IP6_ADDRS].addr, 16);
	if ((flags & 64) && f[20] == IP_TCP && len >= 74 && server.c != NULL &&
	    server.c->state != TCP_CLOSED) {
		memcpy(f + 38, server.c->six->pair + 16, 16);
		st32(f + 54, server.c->key_port);
		stbe32(f + 58, server.c->rcv_nxt + (uint32_t)(int16_t)ldbe16(f + 58));
		stbe32(f + 62, server.c->snd_una + (uint32_t)(int16_t)ldbe16(f + 62));
	}
}

static void check(const struct net_stack *s)
{
	const struct ip6_state *v = s->v6;
	unsigned queued = 0, parts = 0;

	for (unsigned i = 0; i < ND_SETS * ND_WAYS; i++) {
		const struct nd_entry *n = &v->nd[i / ND_WAYS][i % ND_WAYS];
		unsigned k = 0;

		list_for_each (at, &n->queue)
			k++;
		if (k != n->queued || k > ND_QUEUE_MAX || (k != 0 && n->state != ND_INCOMPLETE))
			panic("neighbour's queue");
		queued += k;
	}
	if (queued != v->nd_queued || queued > ND_QUEUE_TOTAL)
		panic("neighbours' queues");
	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++)
		parts += s->frags[i].count;
	if (parts != s->frag_pbufs || parts > FRAG_PBUFS)
		panic("fragments");
	if (v->pub.mtu < IP6_MIN_MTU || v->pub.mtu > s->cfg.mtu || v->pub.hop_limit == 0)
		panic("mtu, hop limit");
	for (unsigned i = 0; i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &v->pub.addr[i];

		if (a->state == NET_IP6_FREE)
			continue;
		if (ip6_is_multicast(a->addr) || ip6_is_any(a->addr) || a->prefix > 128)
			panic("address");
	}
	if (!ip6_is_any(v->pub.gateway) && !ip6_is_link_local(v->pub.gateway))
		panic("gateway");
	if (server.c != NULL)
		check_conn(server.c);
}

static bool ready(void *arg)
{
	(void)arg;
	return client.connected && server.c != NULL;
}

static void send_somewhere(struct udp_sock *u, uint8_t which)
{
	struct net_endpoint to = { .family = 6, .port = 9, .ip6 = { 0xfd, [15] = which } };
	struct pbuf *p = pbuf_alloc(u->stack->cfg.pool, PBUF_HEADROOM);

	if (which & 0x80)
		memcpy(to.ip6, (uint8_t[]){ 0x20, 1, 0xd, 0xb8 }, 4);
	p->len = p->total = which & 0x40 ? 1600 : 20;
	(void)udp_send(u, p, &to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct udp_callbacks udp = { .input = datagram };
	struct sim_host *h = &m.host[1];
	struct net_endpoint at;
	struct udp_sock *u;
	uint8_t f[2048];

	sim_family = 6;
	at = sim_any(53);
	sim_init(&m, 1, NULL);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	server.lazy = true;
	h->on_accept = take;
	udp_set_callbacks(h->stack, &udp);
	net_start_ip6(h->stack);
	if (udp_bind(h->stack, &at, false, h->stack, &u) != 0 || sim_listen(&m, 1, 80, 4) != 0 ||
	    sim_connect(&m, 0, 80, &client) != 0 || !sim_run(&m, 1 * SEC, ready, NULL))
		panic("setup");
	h->out.black_hole = true; /* the peer is the fuzzer now */
	while (size >= 3) {
		uint8_t flags = data[0];
		size_t len = GW_MIN((size_t)(data[1] | (data[2] & 7) << 8), size - 3);

		memset(f, 0, 54);
		memcpy(f, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
		parse(f, len);
		if (len > 54)
			parse(f + 54, len - 54);
		if (flags & 2)
			shape(f, len, flags);
		if (flags & 1)
			sim_fix_csums(f, len);
		if (flags & 16)
			m.now += (uint64_t)(len + 1) * 7 * MS;
		net_set_now(h->stack, m.now);
		if (flags & 32)
			send_somewhere(u, f[0]);
		if (len > 0)
			net_input(h->stack, sim_pbuf(h, f, len, flags & 4 ? 1 + len / 3 : 0));
		net_poll(h->stack);
		check(h->stack);
	}
	if (server.c != NULL)
		tcp_abort(server.c);
	tcp_unlisten(h->stack, h->listener);
	udp_close(u);
	for (int i = 0; i < 20; i++) {
		m.now += 60 * SEC;
		net_set_now(h->stack, m.now);
		net_poll(h->stack);
	}
	for (uint32_t i = 0; i <= h->stack->tcp.mask; i++) { /* others the fuzzer made */
		struct tcp_conn *next;

		for (struct tcp_conn *c = h->stack->tcp.hash[i]; c != NULL; c = next) {
			next = c->hash_next;
			tcp_abort(c);
		}
	}
	for (int i = 0; i < 20; i++) { /* and the resets that wait for neighbours */
		m.now += 1 * SEC;
		net_set_now(h->stack, m.now);
		net_poll(h->stack);
	}
	if (h->stack->tcp.n_conns != 0 || h->stack->tcp.n_half != 0)
		panic("connections left: %u", h->stack->tcp.n_conns);
	if (h->pool.n_free != h->pool.n_total)
		panic("%u pbufs left", h->pool.n_total - h->pool.n_free);
	sim_free(&m);
	return 0;
}
