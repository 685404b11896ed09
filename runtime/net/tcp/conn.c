/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - connections: made, found by a keyed hash that grows with them, and buried. A dead
 * connection is freed only between inputs (tcp_reap), so no function on the stack above is left
 * with a stale pointer. */
#include "runtime/net/tcp/tcp_internal.h"

#define HASH_MIN 256u

static bool hash_grow(struct net_stack *s)
{
	struct tcp_state_stack *t = &s->tcp;
	uint32_t old_n = t->hash != NULL ? t->mask + 1 : 0, n = old_n != 0 ? old_n * 2 : HASH_MIN;
	struct tcp_conn **old = t->hash, **fresh = s->cfg.alloc(n * sizeof(struct tcp_conn *));

	if (fresh == NULL)
		return old != NULL; /* longer chains, still right */
	t->hash = fresh;
	t->mask = n - 1;
	for (uint32_t i = 0; i < old_n; i++) {
		struct tcp_conn *c = old[i], *next;

		for (; c != NULL; c = next) {
			uint32_t h = tcp_hash_of(s, c->key_addr, c->key_port);

			next = c->hash_next;
			c->hash_next = fresh[h];
			fresh[h] = c;
		}
	}
	if (old != NULL)
		s->cfg.free(old, old_n * sizeof(struct tcp_conn *));
	return true;
}

int tcp_init(struct net_stack *s)
{
	struct tcp_state_stack *t = &s->tcp;

	random_bytes(t->key, sizeof(t->key));
	random_bytes(t->pair_key, sizeof(t->pair_key));
	random_bytes(&t->secret, sizeof(t->secret));
	t->key[1] |= 1ull << 63;
	t->port_offset = random_u32();
	list_init(&t->listeners);
	list_init(&t->blocked);
	list_init(&t->dead);
	list_init(&t->moving);
	if (!hash_grow(s))
		return -ENOMEM;
	return tw_init(s);
}

uint32_t tcp_isn(struct net_stack *s, struct tcp_pair addr, uint32_t port)
{
	uint64_t w[2] = { addr.key, port };

	return (uint32_t)siphash(&s->tcp.secret, w, 2) +
	       (uint32_t)(s->now >> 6); /* RFC 6528: about 4 us a step */
}

/* The same for all connections of a pair of hosts, so that timestamps grow from one to the next. */
uint32_t tcp_ts_offset(struct net_stack *s, struct tcp_pair addr)
{
	uint64_t w[2] = { addr.key, 0x7473ull << 32 };

	return (uint32_t)siphash(&s->tcp.secret, w, 2);
}

void conn_set_mss(struct tcp_conn *c)
{
	uint32_t mss =
		GW_MAX(GW_MIN((uint32_t)c->peer_mss, c->rt_mtu - conn_headers(c)), TCP_MIN_MSS);

	if (c->maxseg != 0)
		mss = GW_MIN(mss, c->maxseg);
	c->hdr_len = TCP_HLEN;
	if (c->flags & TF_TS) {
		c->hdr_len = TCP_HLEN + TCP_TS_LEN;
		mss -= TCP_TS_LEN;
	}
	c->mss = (uint16_t)mss;
	if (c->rcv_mss == 0 || c->rcv_mss > mss)
		c->rcv_mss = (uint16_t)GW_MIN(mss, TCP_DEF_MSS);
}

bool conn_route(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	enum route r;

	if (conn_is6(c))
		return six_route(c);
	r = ip4_route(s, conn_remote_ip(c), &c->next_hop);
	c->flags &= ~TF_LOOP;
	c->rt_mtu = s->cfg.mtu;
	if (r == ROUTE_LOOP) {
		c->flags |= TF_LOOP;
		c->rt_mtu = TCP_TX_CAP + 52 - (TCP_TX_CAP + 52) % 4; /* one pbuf a segment */
	}
	c->arp = NULL;
	return r == ROUTE_LINK || r == ROUTE_LOOP;
}

/* The pseudo header's sum, and for IPv4 the constant part of the header's. */
static void sum_addresses(struct tcp_conn *c)
{
	uint64_t sum;

	if (conn_is6(c)) {
		sum = csum_bytes(c->six->pair, 32, 0);
	} else {
		sum = (c->key_addr & 0xffffffff) + (c->key_addr >> 32);
		c->ip_sum = csum_fold(sum + 0x45 + 0x40 + 0x0640); /* tos is added to it */
	}
	c->ph_sum = csum_fold(csum_add64(sum, (uint32_t)IP_TCP << 8));
}

static void conn_free(struct net_stack *s, struct tcp_conn *c)
{
	if (conn_is6(c))
		s->cfg.free(c->six, sizeof(*c->six));
	s->cfg.free(c, sizeof(*c));
}

struct tcp_conn *conn_new(struct net_stack *s, struct tcp_pair addr, uint32_t port)
{
	struct tcp_conn *c;

	if (s->tcp.n_conns >= s->cfg.max_conns)
		return NULL;
	c = s->cfg.alloc(sizeof(*c));
	if (c == NULL)
		return NULL;
	if (addr.six != NULL) {
		c->six = s->cfg.alloc(sizeof(*c->six));
		if (c->six == NULL) {
			s->cfg.free(c, sizeof(*c));
			return NULL;
		}
		memcpy(c->six->pair, addr.six, 32);
	}
	s->tcp.n_conns++;
	c->stack = s;
	c->key_addr = addr.key;
	c->key_port = port;
	c->shard = (uint16_t)s->cfg.shard;
	timer_init(&c->timer, conn_timer);
	list_init(&c->work);
	c->rto = TCP_RTO_INIT;
	c->rcvbuf = GW_MIN(TCP_INIT_BUF, s->cfg.rcvbuf_max);
	c->sndbuf = GW_MIN(TCP_INIT_BUF, s->cfg.sndbuf_max);
	while (c->rcv_scale < 14 && s->cfg.rcvbuf_max >> c->rcv_scale > 65535)
		c->rcv_scale++;
	c->flags = TF_SACK;
	c->keepidle_s = 7200;
	c->keepintvl_s = 75;
	c->keepcnt = 9;
	c->linger_s = -1;
	c->ts_off = tcp_ts_offset(s, addr);
	c->iss = tcp_isn(s, addr, port);
	c->snd_una = c->iss;
	c->snd_nxt = c->snd_end = c->recover = c->iss + 1;
	c->peer_mss = addr.six != NULL ? TCP_DEF_MSS6 : TCP_DEF_MSS;
	c->last_rx = c->tune_tick = now_tick(s);
	c->ttl = addr.six != NULL ? ip6_hop_limit(s) : 64;
	sum_addresses(c);
	conn_route(c);
	conn_set_mss(c);
	return c;
}

int conn_insert(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	uint32_t h;

	if (s->tcp.n_conns > s->tcp.mask)
		(void)hash_grow(s);
	h = tcp_hash_of(s, c->key_addr, c->key_port);
	c->hash_next = s->tcp.hash[h];
	s->tcp.hash[h] = c;
	c->flags |= TF_HASHED;
	if (s->dir != NULL)
		dir_add(c);
	return 0;
}

void conn_remove(struct tcp_conn *c)
{
	struct net_stack *s = c->stack;
	struct tcp_conn **at;

	timer_cancel(&c->timer);
	c->rto_at = c->pto_at = c->delack_at = c->keep_at = 0;
	if (!(c->flags & TF_HASHED))
		return;
	at = &s->tcp.hash[tcp_hash_of(s, c->key_addr, c->key_port)];
	while (*at != c)
		at = &(*at)->hash_next;
	*at = c->hash_next;
	c->flags &= ~TF_HASHED;
	if (s->dir != NULL)
		dir_del(c);
}

void conn_purge_tx(struct tcp_conn *c)
{
	struct pbuf *p = c->tx_head, *next;

	for (; p != NULL; p = next) {
		next = seg_next(p);
		if (p->refs == 1) {
			p->next = NULL;
			pbuf_free(c->stack->cfg.pool, p);
		} else {
			p->refs--;
		}
	}
	if (c->tx_spare != NULL)
		pbuf_free(c->stack->cfg.pool, c->tx_spare);
	c->tx_head = c->tx_tail = c->tx_next = c->tx_spare = NULL;
	c->tx_count = c->sacked = c->lost = c->retrans = 0;
	c->snd_end = c->snd_una;
}

void conn_purge_rx(struct tcp_conn *c)
{
	struct pbuf *p = c->ooo, *next;

	for (; p != NULL; p = next) {
		next = seg_next(p);
		pbuf_free(c->stack->cfg.pool, p);
	}
	if (c->rx_head != NULL)
		pbuf_free(c->stack->cfg.pool, c->rx_head);
	c->ooo = c->rx_head = c->rx_tail = NULL;
	c->rx_bytes = c->ooo_count = 0;
	c->flags &= ~TF_OOO;
}

void conn_bury(struct tcp_conn *c)
{
	conn_remove(c);
	listen_forget(c);
	conn_purge_tx(c);
	conn_purge_rx(c);
	c->state = TCP_CLOSED;
	c->flags &= ~TF_OWNED;
	list_del(&c->work);
	list_add_tail(&c->stack->tcp.dead, &c->work);
}

void conn_done(struct tcp_conn *c, int err)
{
	bool owned = (c->flags & TF_OWNED) != 0;

	if (!owned) {
		conn_bury(c);
		return;
	}
	conn_remove(c);
	conn_purge_tx(c);
	list_del(&c->work);
	c->state = TCP_CLOSED;
	c->error = (int16_t)err;
	if (err != 0)
		tcp_event(c, TCP_EV_ERROR | TCP_EV_READABLE | TCP_EV_WRITABLE);
}

void tcp_reap(struct net_stack *s)
{
	struct list_node *n;

	while ((n = list_pop(&s->tcp.dead)) != NULL) {
		struct tcp_conn *c = list_entry(n, struct tcp_conn, work);

		s->tcp.rcv_growth -= rx_growth(c);
		if (c->bbr != NULL)
			s->cfg.free(c->bbr, sizeof(*c->bbr));
		conn_free(s, c);
		s->tcp.n_conns--;
	}
}

/* The handshake is done, both ways agreed. */
void conn_established(struct tcp_conn *c)
{
	c->state = TCP_ESTABLISHED;
	c->rto_at = 0;
	c->backoff = 0;
	c->first_rto = 0;
	if (!(c->flags & TF_RTT_SEEN))
		c->rto = c->syn_tries > 0 ? WHEEL_MS(3000) : TCP_RTO_INIT; /* RFC 6298 5.7 */
	cc_init(c);
	if ((c->flags & TF_PACED) || c->stack->cfg.congestion == TCP_BBR)
		(void)bbr_start(c); /* without memory: CUBIC */
	if (c->syn_tries > 1)
		c->cwnd = c->mss; /* RFC 6928: the handshake had losses */
	c->tune_seq = c->rcv_nxt;
	conn_keepalive_arm(c);
}
