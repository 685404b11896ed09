/* SPDX-License-Identifier: Apache-2.0 */
/* drops_test.c - each reason of a drop provoked, counted under its own name once and under no
 * other. (ip_test has the malformed packets.) */
#include "runtime/net/test/sim.h"
#include "tests/unit.h"

static struct sim m;
static struct sim_app client, server;
static struct net_counters before;
static unsigned refused;

static void *take_server(struct sim_host *h, struct tcp_conn *c)
{
	(void)h;
	(void)c;
	return &server;
}

static void full(struct udp_sock *u, void *owner, struct pbuf *p, const struct net_endpoint *from,
		 const struct net_endpoint *to)
{
	(void)owner;
	(void)from;
	(void)to;
	refused++;
	udp_refuse(u, p);
}

static struct net_stack *begin(void)
{
	static const struct udp_callbacks cb = { .input = full };

	sim_init(&m, 7, NULL);
	memset(&client, 0, sizeof(client));
	memset(&server, 0, sizeof(server));
	m.host[1].on_accept = take_server;
	udp_set_callbacks(m.host[1].stack, &cb);
	CHECK_EQ(sim_listen(&m, 1, 80, 8), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	before = m.host[1].stack->n;
	return m.host[1].stack;
}

static void open_pair(void)
{
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK(client.connected && server.c != NULL);
	before = m.host[1].stack->n;
}

/* What was dropped since: that reason n times, no other. */
static void dropped(const uint64_t *reason, uint64_t n)
{
	const struct net_counters *now = &m.host[1].stack->n;
	const uint64_t *a = &before.drop_short, *b = &now->drop_short;

	for (; b <= &now->tx_full; a++, b++) {
		if (*b - *a != (b == reason ? n : 0))
			printf("word %zu of the drops: %llu\n", (size_t)(b - &now->drop_short),
			       (unsigned long long)(*b - *a));
		CHECK_EQ(*b - *a, b == reason ? n : 0);
	}
}

static void end(void)
{
	sim_run(&m, 10 * MS, NULL, NULL);
	sim_free(&m);
}

static void data(uint32_t at, const char *bytes)
{
	uint8_t f[200], opts[12] = { 1, 1, 8, 10 };
	size_t n;

	stbe32(opts + 4, server.c->ts_recent);
	n = sim_tcp_frame(f, 0, 1, be16((uint16_t)server.c->key_port), 80, server.c->rcv_nxt + at,
			  server.c->snd_nxt, TH_ACK, 100, opts, 12, bytes, strlen(bytes));
	sim_inject(&m, 1, f, n);
	sim_run(&m, 2 * MS, NULL, NULL);
}

static struct pbuf *payload(struct net_stack *s)
{
	struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

	p->len = p->total = 8;
	memset(p->data, 7, 8);
	return p;
}

TEST(socket_full)
{
	const struct net_endpoint at = { .family = 4, .port = 53, .ip4 = 0 };
	struct net_stack *s = begin();
	struct udp_sock *u;
	uint8_t f[100], udp[10] = { 9, 9, 0, 53, 0, 10 };

	CHECK_EQ(udp_bind(s, &at, false, NULL, &u), 0);
	sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_UDP, udp, 10));
	sim_run(&m, 2 * MS, NULL, NULL);
	CHECK_EQ(refused, 1);
	dropped(&s->n.drop_socket, 1);
	udp_close(u);
	end();
}

/* 2,000 echo requests a second are answered. */
TEST(rate_limit)
{
	uint8_t f[100], echo[16] = { 8 };
	struct net_stack *s = begin();

	sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo)));
	sim_run(&m, 10 * MS, NULL, NULL); /* the neighbour is known from here on */
	for (unsigned i = 0; i < 2100; i++)
		sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo)));
	sim_run(&m, 100 * MS, NULL, NULL);
	dropped(&s->n.drop_rate, 101);
	end();
}

TEST(duplicate)
{
	struct net_stack *s = begin();

	open_pair();
	data(10, "later");
	dropped(NULL, 0);
	data(10, "later"); /* had it */
	dropped(&s->n.drop_dup, 1);
	end();
}

TEST(queue_full)
{
	struct net_stack *s = begin();
	uint32_t kept;

	open_pair();
	kept = GW_MAX(64u, server.c->rcvbuf / 1024);
	for (uint32_t i = 0; i < kept + 5; i++)
		data(10 + 2 * i, "x"); /* holes between them */
	CHECK(s->n.drop_queue - before.drop_queue >= 5);
	dropped(&s->n.drop_queue, s->n.drop_queue - before.drop_queue);
	end();
}

TEST(closed)
{
	struct net_stack *s = begin();

	open_pair();
	tcp_shutdown_rx(server.c);
	client.tx_total = 5;
	sim_app_pump(&client);
	sim_run(&m, 10 * MS, NULL, NULL);
	dropped(&s->n.drop_closed, 1);
	end();
}

TEST(backlog)
{
	struct net_stack *s = begin();

	m.host[1].refuse = true;
	CHECK_EQ(sim_connect(&m, 0, 80, &client), 0);
	sim_run(&m, 100 * MS, NULL, NULL);
	CHECK(client.error);
	CHECK_EQ(s->n.drop_backlog - before.drop_backlog, 1);
	dropped(&s->n.drop_backlog, 1);
	end();
}

TEST(no_route)
{
	const struct net_endpoint at = { .family = 4, .port = 1000, .ip4 = 0 },
				  far = { .family = 4, .port = 53, .ip4 = 0x08080808 };
	struct net_stack *s = begin();
	struct udp_sock *u;

	net_set_ip4(s, sim_ip(1), 24, 0, 0); /* no gateway */
	before = s->n;
	CHECK_EQ(udp_bind(s, &at, false, NULL, &u), 0);
	CHECK_EQ(udp_send(u, payload(s), &far), -ENETUNREACH);
	dropped(&s->n.drop_route, 1);
	udp_close(u);
	end();
}

TEST(neighbour_does_not_answer)
{
	const struct net_endpoint at = { .family = 4, .port = 1000, .ip4 = 0 },
				  gone = { .family = 4, .port = 53, .ip4 = sim_ip(99) };
	struct net_stack *s = begin();
	struct udp_sock *u;

	CHECK_EQ(udp_bind(s, &at, false, NULL, &u), 0);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQ(udp_send(u, payload(s), &gone), 0);
	dropped(NULL, 0); /* they wait */
	sim_run(&m, 30 * SEC, NULL, NULL);
	dropped(&s->n.drop_arp, 3);
	udp_close(u);
	end();
}

TEST(ring_full)
{
	uint8_t f[100], echo[16] = { 8 };
	struct net_stack *s = begin();

	sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo)));
	sim_run(&m, 10 * MS, NULL, NULL); /* the neighbour is known */
	before = s->n;
	m.host[1].tx_fail = 1;
	sim_inject(&m, 1, f, sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo)));
	sim_run(&m, 10 * MS, NULL, NULL);
	dropped(&s->n.tx_full, 1);
	end();
}

TEST(no_memory)
{
	uint8_t f[100], echo[16] = { 8 };
	struct net_stack *s = begin();
	struct pbuf *held = NULL, *p;

	(void)sim_ip_frame(f, 0, 1, IP_ICMP, echo, sizeof(echo));
	p = sim_pbuf(&m.host[1], f, 14 + 20 + sizeof(echo), 0);
	for (struct pbuf *q; (q = pbuf_alloc(s->cfg.pool, 0)) != NULL; held = q)
		q->next = held; /* one long packet */
	net_input(s, p);	/* its own block comes free only when it is refused */
	dropped(&s->n.drop_nomem, 1);
	pbuf_free(s->cfg.pool, held);
	end();
}

/* 4,096 packets wait for the poll at most. */
TEST(loopback_full)
{
	const struct net_endpoint at = { .family = 4, .port = 1000, .ip4 = 0 },
				  self = { .family = 4, .port = 9, .ip4 = 0x0100007f };
	struct net_stack *s = begin();
	struct udp_sock *u;

	CHECK_EQ(udp_bind(s, &at, false, NULL, &u), 0);
	for (unsigned i = 0; i < LOOP_QUEUE_MAX + 3; i++) {
		struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (p == NULL)
			break;
		p->len = p->total = 1;
		CHECK_EQ(udp_send(u, p, &self), 0);
	}
	CHECK_EQ(s->n_loop, LOOP_QUEUE_MAX);
	dropped(&s->n.drop_queue, 3);
	udp_close(u);
	end();
}

UNIT_MAIN(CASE(socket_full), CASE(rate_limit), CASE(duplicate), CASE(queue_full), CASE(closed),
	  CASE(backlog), CASE(no_route), CASE(neighbour_does_not_answer), CASE(ring_full),
	  CASE(no_memory), CASE(loopback_full))
