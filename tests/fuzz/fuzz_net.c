/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_net.c - libFuzzer: frames into a whole stack that has a listener, a UDP socket, a DHCP
 * client and one live connection. The input is a list of steps: a byte of flags, a length, the
 * frame. Flags: 1 repair the checksums; 2 aim at the connection (ports; sequence numbers relative
 * to its own); 4 arrive in pieces; 8 time passes; 16 the owner writes; 32 reads; 64 shuts down or
 * closes. Invariants are checked after each step. */
#include "runtime/net/test/sim.h"
#include "tests/fuzz/check_conn.h"

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

	(void)u;
	(void)from;
	(void)to;
	pbuf_free(s->cfg.pool, p);
}

static void aim(uint8_t *f, size_t len, const struct tcp_conn *c)
{
	if (len < 54 || c == NULL)
		return;
	f[0] = f[6] = 2;
	f[1] = f[2] = f[3] = f[4] = 0;
	f[5] = 2;
	stbe16(f + 12, ETH_IP4);
	f[14] = 0x45;
	stbe16(f + 16, (uint16_t)(len - 14));
	st16(f + 20, 0);
	f[23] = IP_TCP;
	st64(f + 26, c->key_addr);
	st32(f + 34, c->key_port);
	stbe32(f + 38, c->rcv_nxt + (uint32_t)(int16_t)ldbe16(f + 38));
	stbe32(f + 42, c->snd_una + (uint32_t)(int16_t)ldbe16(f + 42));
	if (f[46] >> 4 == 11 && len >= 78) { /* SACK blocks near the send queue */
		st32(f + 66, 0x0a050101u);
		stbe32(f + 70, c->snd_una + ldbe16(f + 72));
		stbe32(f + 74, c->snd_una + ldbe16(f + 76));
	}
	if ((f[46] >> 4 == 8 || f[46] >> 4 == 11) && len >= 66) {
		st32(f + 54, TCP_TS_WORD);
		stbe32(f + 58, c->ts_recent + (f[58] & 3));
	}
}

static bool ready(void *arg)
{
	(void)arg;
	return client.connected && server.c != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct udp_callbacks udp = { .input = datagram };
	struct net_endpoint at = { .family = 4, .port = 53 };
	struct sim_host *h = &m.host[1];
	struct udp_sock *u;
	uint8_t f[2048];

	sim_init(&m, 1, NULL);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	server.lazy = true;
	h->on_accept = take;
	udp_set_callbacks(h->stack, &udp);
	if (udp_bind(h->stack, &at, false, h->stack, &u) != 0 || sim_listen(&m, 1, 80, 4) != 0 ||
	    sim_connect(&m, 0, 80, &client) != 0 || !sim_run(&m, 1 * SEC, ready, NULL))
		panic("setup");
	h->out.black_hole = true; /* the peer is the fuzzer now */
	while (size >= 3) {
		uint8_t flags = data[0];
		size_t len = GW_MIN((size_t)(data[1] | (data[2] & 7) << 8), size - 3);
		struct tcp_conn *c = server.c;

		memcpy(f, data + 3, len);
		data += 3 + len;
		size -= 3 + len;
		if ((flags & 16) && c != NULL) {
			server.tx_total += len * 16;
			sim_app_pump(&server);
		} else if ((flags & 32) && c != NULL) {
			sim_app_pump(&server);
		}
		if ((flags & 64) && c != NULL) {
			if (len & 1) {
				tcp_shutdown_tx(c);
			} else {
				tcp_close(c);
				server.c = c = NULL;
			}
		}
		if ((flags & 2) && c != NULL && c->state != TCP_CLOSED)
			aim(f, len, c);
		if (flags & 1)
			sim_fix_csums(f, len);
		if (flags & 8)
			m.now += (uint64_t)(len + 1) * 7 * MS;
		net_set_now(h->stack, m.now);
		if (len > 0)
			net_input(h->stack, sim_pbuf(h, f, len, flags & 4 ? 1 + len / 3 : 0));
		net_poll(h->stack);
		if (server.c != NULL)
			check_conn(server.c);
	}
	/* when all is over, nothing is left */
	if (server.c != NULL)
		tcp_abort(server.c);
	tcp_unlisten(h->stack, h->listener);
	udp_close(u);
	net_poll(h->stack);
	m.now += 700 * SEC;
	for (int i = 0; i < 100; i++) {
		m.now += 30 * SEC;
		net_set_now(h->stack, m.now);
		net_poll(h->stack);
	}
	for (uint32_t i = 0; i <= h->stack->tcp.mask; i++) {
		struct tcp_conn *next;

		for (struct tcp_conn *c = h->stack->tcp.hash[i]; c != NULL;
		     c = next) { /* others the fuzzer made */
			next = c->hash_next;
			tcp_abort(c);
		}
	}
	net_poll(h->stack);
	if (h->stack->tcp.n_conns != 0 || h->stack->tcp.n_half != 0)
		panic("connections left: %u", h->stack->tcp.n_conns);
	if (h->pool.n_free != h->pool.n_total)
		panic("%u pbufs left", h->pool.n_total - h->pool.n_free);
	sim_free(&m);
	return 0;
}
