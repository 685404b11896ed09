/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c - see sim.h. */
#include <stdio.h>
#include <stdlib.h>
#include "runtime/net/test/sim.h"

static struct sim *current; /* for the allocator, whose interface has no context */

uint32_t sim_rand(struct sim *m)
{
	m->rng ^= m->rng << 13;
	m->rng ^= m->rng >> 7;
	m->rng ^= m->rng << 17;
	return (uint32_t)(m->rng >> 32);
}

static bool chance(struct sim *m, unsigned per_10000)
{
	return per_10000 != 0 && sim_rand(m) % 10000 < per_10000;
}

uint32_t sim_ip(unsigned host)
{
	return be32(0x0a000001u + host);
}

unsigned sim_family = 4;

void sim_ip6(unsigned host, uint8_t out[16])
{
	memset(out, 0, 16);
	out[0] = 0xfd;
	out[15] = (uint8_t)(host + 1);
}

struct net_endpoint sim_any(uint16_t port)
{
	return (struct net_endpoint){ .family = (uint16_t)sim_family, .port = port };
}

struct net_endpoint sim_end(unsigned host, uint16_t port)
{
	struct net_endpoint e = sim_any(port);

	if (sim_family == 6)
		sim_ip6(host, e.ip6);
	else
		e.ip4 = sim_ip(host);
	return e;
}

/* Everything the stacks allocate hangs in one list, so that a finished simulation can be given
 * back. */
struct block {
	struct list_node link;
	size_t n;
	uint64_t pad;
};
static struct list_node blocks = { &blocks, &blocks };

static void *more_pages(void *ctx, size_t *bytes)
{
	struct sim_host *h = ctx;

	if (h->n_chunks == ARRAY_SIZE(h->chunks))
		return NULL;
	*bytes = 64 * PBUF_SIZE;
	return h->chunks[h->n_chunks++] = aligned_alloc(4096, *bytes);
}

static void *sim_alloc(size_t n)
{
	struct block *b = calloc(1, sizeof(*b) + n);

	b->n = n;
	list_add_tail(&blocks, &b->link);
	current->mem += n;
	return b + 1;
}

static void sim_release(void *p, size_t n)
{
	struct block *b = (struct block *)p - 1;

	if (b->n != n)
		panic("free of %zu bytes that were %zu", n, b->n);
	current->mem -= n;
	list_del(&b->link);
	free(b);
}

/* ---- the wire ---- */
static void schedule(struct sim *m, unsigned to, const uint8_t *data, size_t len, uint64_t at,
		     bool good)
{
	struct sim_frame *f = malloc(sizeof(*f) + len), **p = &m->frames;

	f->at = at;
	f->order = m->order++;
	f->to = to;
	f->good = good;
	f->len = len;
	memcpy(f->data, data, len);
	while (*p != NULL && ((*p)->at < at || ((*p)->at == at && (*p)->order < f->order)))
		p = &(*p)->next;
	f->next = *p;
	*p = f;
}

void sim_inject(struct sim *m, unsigned to, const void *frame, size_t len)
{
	schedule(m, to, frame, len, m->now, false);
}

/* A router in the middle says "fragmentation needed", or "packet too big". */
static void answer_too_big(struct sim *m, unsigned from, const uint8_t *frame, uint32_t limit)
{
	uint8_t icmp[1300] = { 3, 4 }, out[1400];
	size_t n;

	if (frame[14] >> 4 == 6) {
		icmp[0] = 2;
		icmp[1] = 0;
		stbe32(icmp + 4, limit - ETH_HLEN);
		memcpy(icmp + 8, frame + ETH_HLEN, 500);
		n = sim_ip_frame(out, !from, from, IP_ICMP6, icmp, 508);
		sim_inject(m, from, out, n);
		return;
	}
	stbe16(icmp + 6, (uint16_t)(limit - ETH_HLEN));
	memcpy(icmp + 8, frame + ETH_HLEN, 28);
	st16(icmp + 2, (uint16_t)~csum_fold(csum_bytes(icmp, 36, 0)));
	n = sim_ip_frame(out, !from, from, IP_ICMP, icmp, 36);
	sim_inject(m, from, out, n);
}

/* A queue that marks (RFC 3168 5): what says that it can be marked is, where it would wait for
 * long.
 */
static void mark(struct sim *m, struct sim_link *l, uint8_t *data, size_t len, uint64_t at)
{
	bool six = ld16(data + 12) == be16(ETH_IP6);

	if (l->mark_ns == 0 || len < ETH_HLEN + IP4_HLEN || at - m->now <= l->mark_ns ||
	    (!six && ld16(data + 12) != be16(ETH_IP4)))
		return;
	if (((six ? data[15] >> 4 : data[15]) & 3) == 0) {
		l->unmarkable++;
		return;
	}
	data[15] |= six ? 0x30 : 3;
	l->marked++;
	if (six)
		return;
	st16(data + 24, 0);
	st16(data + 24, (uint16_t)~csum_fold(csum_20(data + ETH_HLEN)));
}

static void wire(struct sim *m, unsigned from, uint8_t *data, size_t len, bool good)
{
	struct sim_link *l = &m->host[from].out;
	uint64_t at = m->now;

	if (l->tap != NULL && l->tap(m, from, data, len))
		return;
	if (l->black_hole || chance(m, l->loss)) {
		l->dropped++;
		return;
	}
	if (l->drop_over != 0 && len > l->drop_over) {
		if (l->icmp)
			answer_too_big(m, from, data, l->drop_over);
		return;
	}
	if (l->rate_bps != 0) {
		uint64_t start = GW_MAX(l->busy_until, m->now);

		if (l->queue_bytes != 0 &&
		    (start - m->now) * l->rate_bps / 8 / SEC > l->queue_bytes) {
			l->dropped++;
			return;
		}
		l->busy_until = start + len * 8 * SEC / l->rate_bps;
		at = l->busy_until;
	}
	mark(m, l, data, len, at);
	at += l->delay_ns;
	if (l->jitter_ns != 0)
		at += sim_rand(m) % l->jitter_ns;
	if (chance(m, l->reorder))
		at += l->delay_ns / 2 + 3 * MS;
	else if (l->jitter_ns == 0 && at < l->last_at && l->reorder == 0)
		at = l->last_at;
	l->last_at = GW_MAX(l->last_at, at);
	if (chance(m, l->corrupt)) {
		data[ETH_HLEN + sim_rand(m) % (len - ETH_HLEN)] ^= (uint8_t)(1u << sim_rand(m) % 8);
		good = false;
	}
	schedule(m, !from, data, len, at, good);
	if (chance(m, l->dup))
		schedule(m, !from, data, len, at + 100000, good);
}

static void bug(const char *what)
{
	panic("device: %s", what);
}

/* What a device does with a TSO packet. */
static void cut(struct sim *m, unsigned from, uint8_t *frame, size_t len, const struct pbuf *p)
{
	bool six = (p->flags & PBUF_GSO_TCP6) != 0;
	uint32_t l4 = six ? 54 : 34, hl = p->hdr_len, seq = ldbe32(frame + l4 + 4);
	uint8_t seg[10000], flags = frame[l4 + 13];

	if (hl < l4 + 20 || hl != l4 + (uint32_t)(frame[l4 + 12] >> 4) * 4)
		bug("hdr_len");
	if (ldbe16(frame + 12) != (six ? ETH_IP6 : ETH_IP4))
		bug("gso type");
	if (flags & TH_CWR) /* each piece would say it again */
		bug("CWR on a packet to cut");
	if (p->gso_size == 0 || len - hl <= p->gso_size)
		bug("gso_size");
	for (size_t off = hl; off < len; off += p->gso_size) {
		size_t n = GW_MIN((size_t)p->gso_size, len - off);

		memcpy(seg, frame, hl);
		memcpy(seg + hl, frame + off, n);
		if (six)
			stbe16(seg + 18, (uint16_t)(hl - 54 + n));
		else
			stbe16(seg + 16, (uint16_t)(hl - 14 + n));
		stbe32(seg + l4 + 4, seq + (uint32_t)(off - hl));
		seg[l4 + 13] = off + n < len ? flags & (uint8_t) ~(TH_FIN | TH_PSH) : flags;
		sim_fix_csums(seg, hl + n);
		wire(m, from, seg, hl + n, true);
	}
}

static int sim_tx(void *ctx, struct pbuf *p)
{
	struct sim_host *h = ctx;
	struct sim *m = h->sim;
	static uint8_t buf[70000];
	size_t len = 0;
	bool good = (p->flags & PBUF_CSUM_PARTIAL) != 0;

	for (struct pbuf *q = p; q != NULL; q = q->next) {
		memcpy(buf + len, q->data, q->len);
		len += q->len;
	}
	if (len != p->total)
		bug("total");
	if (h->tx_fail > 0) {
		h->tx_fail--;
		pbuf_free(&h->pool, p);
		return -ENOBUFS;
	}
	h->frames_out++;
	h->max_frame = GW_MAX(h->max_frame, len);
	if (!(p->flags & (PBUF_GSO_TCP4 | PBUF_GSO_TCP6)) && len > h->cfg.mtu + ETH_HLEN)
		bug("frame longer than the MTU");
	if (pbuf_headroom(p) < 12)
		bug("no headroom for the virtio header");
	if (p->flags & (PBUF_GSO_TCP4 | PBUF_GSO_TCP6)) {
		h->gso_out++;
		cut(m, h->index, buf, len, p);
	} else {
		if (good) {
			uint16_t sum;

			if (p->csum_start + p->csum_offset + 2u > len)
				bug("csum_start");
			sum = (uint16_t)~csum_fold(
				csum_bytes(buf + p->csum_start, len - p->csum_start, 0));
			st16(buf + p->csum_start + p->csum_offset, sum);
		}
		wire(m, h->index, buf, len, good);
	}
	if (h->hold_tx && h->n_held < 64)
		h->held[h->n_held++] = p;
	else
		pbuf_free(&h->pool, p);
	return 0;
}

static void sim_configured(void *ctx)
{
	((struct sim_host *)ctx)->configured++;
}

/* ---- delivery ---- */
struct pbuf *sim_pbuf(struct sim_host *h, const void *frame, size_t len, size_t part)
{
	struct pbuf *head = NULL, *tail = NULL;
	const uint8_t *d = frame;
	size_t off = 0;

	do {
		size_t n = GW_MIN(len - off, part != 0 ? part : 1880);
		struct pbuf *p = pbuf_alloc(&h->pool, 12);

		if (p == NULL) {
			if (head != NULL)
				pbuf_free(&h->pool, head);
			return NULL;
		}
		memcpy(p->data, d + off, n);
		p->len = (uint32_t)n;
		off += n;
		if (head == NULL)
			head = p;
		else
			tail->next = p;
		tail = p;
	} while (off < len);
	head->total = (uint32_t)len;
	return head;
}

static void deliver(struct sim *m, struct sim_frame *f)
{
	struct sim_host *h = &m->host[f->to];
	struct pbuf *p = sim_pbuf(h, f->data, f->len, 0);

	if (p != NULL) {
		if (f->good && h->cfg.csum_rx)
			p->flags |= PBUF_CSUM_GOOD;
		net_set_now(h->stack, m->now);
		net_input(h->stack, p);
		m->delivered++;
	}
	free(f);
}

bool sim_run(struct sim *m, uint64_t for_ns, bool (*done)(void *), void *arg)
{
	uint64_t end = m->now + for_ns;
	unsigned same = 0;

	current = m;
	for (;;) {
		uint64_t next = end;

		for (unsigned i = 0; i < SIM_HOSTS; i++) {
			net_set_now(m->host[i].stack, m->now);
			m->host[i].deadline = net_poll(m->host[i].stack);
			next = GW_MIN(next, m->host[i].deadline);
		}
		if (done != NULL && done(arg))
			return true;
		if (m->frames != NULL)
			next = GW_MIN(next, m->frames->at);
		if (m->now >= end)
			return false;
		same = next <= m->now ? same + 1 : 0;
		if (same > 100000)
			panic("simulated time stands still");
		m->now = GW_MAX(next, m->now);
		while (m->frames != NULL && m->frames->at <= m->now) {
			struct sim_frame *f = m->frames;

			m->frames = f->next;
			deliver(m, f);
		}
	}
}

/* ---- applications ---- */
static uint8_t pattern(uint8_t seed, uint64_t off)
{
	return (uint8_t)(seed + off * 31 + (off >> 8) * 7 + (off >> 16));
}

void sim_app_pump(struct sim_app *a)
{
	struct tcp_conn *c = a->c;
	const uint8_t *in;
	uint8_t *out;
	size_t n;

	while ((a->rx_limit == 0 || a->rx_done < a->rx_limit) && (n = tcp_rx_peek(c, 0, &in)) > 0) {
		if (a->rx_limit != 0)
			n = GW_MIN(n, (size_t)(a->rx_limit - a->rx_done));
		for (size_t i = 0; i < n; i++) {
			if (in[i] != pattern(a->rx_seed, a->rx_done + i))
				a->bad = true;
		}
		a->rx_done += n;
		tcp_rx_consume(c, n);
		if (a->echo_mode) {
			a->requests = a->rx_done / a->echo_size;
			a->tx_total = a->requests * a->echo_size;
		}
	}
	if (tcp_rx_eof(c))
		a->eof = true;
	while (a->tx_done < a->tx_total && (n = tcp_tx_room(c, &out)) > 0) {
		n = GW_MIN(n, (size_t)(a->tx_total - a->tx_done));
		if (a->chunk != 0)
			n = GW_MIN(n, a->chunk);
		for (size_t i = 0; i < n; i++)
			out[i] = pattern(a->tx_seed, a->tx_done + i);
		a->tx_done += n;
		tcp_tx_commit(c, n, true);
	}
	if (a->close_when_sent && a->tx_done == a->tx_total && !a->shut) {
		a->shut = true;
		tcp_shutdown_tx(c);
	}
}

static void on_event(struct tcp_conn *c, void *owner, unsigned events)
{
	struct sim_app *a = owner;

	if (a == NULL)
		return;
	a->c = c;
	a->events |= events;
	if (events & TCP_EV_CONNECTED)
		a->connected = true;
	if (events & TCP_EV_HUP)
		a->hups++;
	if (events & TCP_EV_ERROR) {
		a->error = true;
		a->err = tcp_error(c);
	}
	if (!a->lazy)
		sim_app_pump(a);
}

static bool on_accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	struct sim_host *h = owner;
	struct sim_app *a = NULL;

	(void)l;
	h->n_accepted++;
	if (h->refuse)
		return false;
	h->accepted = c;
	if (h->on_accept != NULL)
		a = h->on_accept(h, c);
	tcp_set_owner(c, a);
	if (a != NULL) {
		a->c = c;
		a->connected = true;
		if (!a->lazy)
			sim_app_pump(a);
	}
	return true;
}

int sim_listen(struct sim *m, unsigned host, uint16_t port, unsigned backlog)
{
	struct net_endpoint at = sim_any(port);

	return tcp_listen(m->host[host].stack, &at, backlog, &m->host[host],
			  &m->host[host].listener);
}

int sim_connect(struct sim *m, unsigned from, uint16_t port, struct sim_app *a)
{
	struct net_endpoint to = sim_end(!from, port);

	return tcp_connect(m->host[from].stack, NULL, &to, a, &a->c);
}

/* ---- setting up ---- */
/* As a shard that took over what another had configured: no detection in these tests' way. */
static void adopt(struct net_stack *s, unsigned host, uint16_t mtu)
{
	struct net_ip6 v = { .mtu = mtu, .hop_limit = 64, .up = true };

	for (unsigned i = 0; i < 2; i++) {
		v.addr[i].state = NET_IP6_PREFERRED;
		v.addr[i].prefix = 64;
		v.addr[i].preferred_until = v.addr[i].valid_until = GW_NEVER;
		sim_ip6(host, v.addr[i].addr);
	}
	v.addr[0].addr[0] = 0xfe;
	v.addr[0].addr[1] = 0x80;
	v.on_link[0] = (struct net_ip6_prefix){ .addr = { 0xfd }, .len = 64, .until = GW_NEVER };
	net_adopt_ip6(s, &v);
	/* and the neighbours know each other, as after IPv4's announcements */
	sim_ip6(!host, v.addr[0].addr);
	nd_heard(s, v.addr[0].addr, (uint8_t[]){ 2, 0, 0, 0, 0, (uint8_t)(!host + 1) }, true);
	nd_reachable(s, nd_find(s, v.addr[0].addr));
}

void sim_init(struct sim *m, uint64_t seed, void (*tune)(struct sim *m))
{
	static const struct tcp_callbacks cb = { .event = on_event, .accepted = on_accepted };

	memset(m, 0, sizeof(*m));
	m->rng = seed * 0x9e3779b97f4a7c15ull + 1;
	m->now = 1000 * SEC;
	current = m;
	for (unsigned i = 0; i < SIM_HOSTS; i++) {
		struct sim_host *h = &m->host[i];

		h->sim = m;
		h->index = i;
		h->cfg = (struct net_config){
			.mac = { 2, 0, 0, 0, 0, (uint8_t)(i + 1) },
			.mtu = 1500,
			.n_shards = 1,
			.max_conns = 16384,
			.sndbuf_max = 1 << 20,
			.rcvbuf_max = 1 << 20,
			.pool = &h->pool,
			.alloc = sim_alloc,
			.free = sim_release,
			.ctx = h,
			.tx = sim_tx,
			.configured = sim_configured,
		};
		h->out.delay_ns = 1 * MS;
	}
	if (tune != NULL)
		tune(m);
	for (unsigned i = 0; i < SIM_HOSTS; i++) {
		struct sim_host *h = &m->host[i];

		pbuf_pool_init(&h->pool, 65536, more_pages, h);
		h->stack = net_create(&h->cfg, m->now);
		tcp_set_callbacks(h->stack, &cb);
		net_set_ip4(h->stack, sim_ip(i), 24, be32(0x0a0000fe), 0);
		if (sim_family == 6)
			adopt(h->stack, i, h->cfg.mtu);
	}
}

void sim_free(struct sim *m)
{
	struct list_node *n;

	while (m->frames != NULL) {
		struct sim_frame *f = m->frames;

		m->frames = f->next;
		free(f);
	}
	while ((n = list_pop(&blocks)) != NULL)
		free(list_entry(n, struct block, link));
	for (unsigned i = 0; i < SIM_HOSTS; i++) {
		for (unsigned k = 0; k < m->host[i].n_chunks; k++)
			free(m->host[i].chunks[k]);
		m->host[i].n_chunks = 0;
		m->host[i].stack = NULL;
	}
}

/* ---- frames by hand ---- */
static void fix_csums6(uint8_t *ip, size_t len)
{
	size_t total = IP6_HLEN + (size_t)ldbe16(ip + 4);
	struct ip6_chain c;
	uint32_t n, at;

	if (total > len || ip6_walk(ip, total, total, &c) != CHAIN_UPPER || c.off > total)
		return;
	n = (uint32_t)total - c.off;
	at = c.proto == IP_TCP ? 16 : c.proto == IP_UDP ? 6 : c.proto == IP_ICMP6 ? 2 : 0;
	if (at == 0 || n < at + 2)
		return;
	st16(ip + c.off + at, 0);
	st16(ip + c.off + at,
	     (uint16_t)~csum_fold(csum_bytes(ip + c.off, n, pseudo6_sum(ip + 8, c.proto, n))));
}

void sim_fix_csums(uint8_t *frame, size_t len)
{
	uint8_t *ip = frame + ETH_HLEN;
	uint32_t hl, total;

	if (len >= ETH_HLEN + IP6_HLEN && (ip[0] >> 4) == 6) {
		fix_csums6(ip, len - ETH_HLEN);
		return;
	}
	if (len < ETH_HLEN + IP4_HLEN || (ip[0] >> 4) != 4)
		return;
	hl = (uint32_t)(ip[0] & 15) * 4;
	total = ldbe16(ip + 2);
	if (hl < IP4_HLEN || total < hl || total > len - ETH_HLEN)
		return;
	st16(ip + 10, 0);
	st16(ip + 10, (uint16_t)~csum_fold(csum_bytes(ip, hl, 0)));
	if ((ldbe16(ip + 6) & 0x3fff) != 0)
		return;
	if (ip[9] == IP_TCP && total >= hl + TCP_HLEN) {
		st16(ip + hl + 16, 0);
		st16(ip + hl + 16,
		     (uint16_t)~csum_fold(csum_bytes(
			     ip + hl, total - hl,
			     pseudo_sum(ld32(ip + 12), ld32(ip + 16), IP_TCP, total - hl))));
	} else if (ip[9] == IP_UDP && total >= hl + 8) {
		st16(ip + hl + 6, 0);
		st16(ip + hl + 6,
		     (uint16_t)~csum_fold(csum_bytes(
			     ip + hl, total - hl,
			     pseudo_sum(ld32(ip + 12), ld32(ip + 16), IP_UDP, total - hl))));
	} else if (ip[9] == IP_ICMP && total >= hl + 8) {
		st16(ip + hl + 2, 0);
		st16(ip + hl + 2, (uint16_t)~csum_fold(csum_bytes(ip + hl, total - hl, 0)));
	}
}

void sim_set_source(uint8_t *frame, size_t len, unsigned last)
{
	frame[sim_family == 6 ? 37 : 29] = (uint8_t)last;
	sim_fix_csums(frame, len);
}

size_t sim_ip_frame(uint8_t *out, unsigned from, unsigned to, uint8_t proto, const void *l4,
		    size_t len)
{
	if (sim_family == 6) {
		memset(out, 0, ETH_HLEN + IP6_HLEN);
		out[0] = out[6] = 2;
		out[5] = (uint8_t)(to + 1);
		out[11] = (uint8_t)(from + 1);
		stbe16(out + 12, ETH_IP6);
		ip6_fill(out + 14, (uint32_t)len, proto, 64);
		sim_ip6(from, out + 22);
		sim_ip6(to, out + 38);
		memcpy(out + 54, l4, len);
		sim_fix_csums(out, 54 + len);
		return 54 + len;
	}
	memset(out, 0, ETH_HLEN + IP4_HLEN);
	out[0] = out[6] = 2;
	out[5] = (uint8_t)(to + 1);
	out[11] = (uint8_t)(from + 1);
	stbe16(out + 12, ETH_IP4);
	out[14] = 0x45;
	stbe16(out + 16, (uint16_t)(IP4_HLEN + len));
	out[22] = 64;
	out[23] = proto;
	st32(out + 26, sim_ip(from));
	st32(out + 30, sim_ip(to));
	memcpy(out + 34, l4, len);
	sim_fix_csums(out, 34 + len);
	return 34 + len;
}

size_t sim_tcp_frame(uint8_t *out, unsigned from, unsigned to, uint16_t sport, uint16_t dport,
		     uint32_t seq, uint32_t ack, uint8_t flags, uint16_t wnd, const void *opts,
		     size_t n_opts, const void *data, size_t len)
{
	uint8_t t[2048] = { 0 };

	stbe16(t, sport);
	stbe16(t + 2, dport);
	stbe32(t + 4, seq);
	stbe32(t + 8, ack);
	t[12] = (uint8_t)((20 + n_opts) / 4 << 4);
	t[13] = flags;
	stbe16(t + 14, wnd);
	if (n_opts != 0)
		memcpy(t + 20, opts, n_opts);
	if (len != 0)
		memcpy(t + 20 + n_opts, data, len);
	return sim_ip_frame(out, from, to, IP_TCP, t, 20 + n_opts + len);
}
