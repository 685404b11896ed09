/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_seq.c - libFuzzer: segments into a live TCP connection beside a model of the sequence space
 * that is told only what is on the wire. The model says
 *   - which of the peer's bytes may be delivered (they came in a segment that RFC 9293, 7323 and
 *     5961 let in, inside the window as offered) and which must (in order, surely acceptable);
 *   - which acknowledgements may count, and must;
 *   - what the stack may send: its own bytes, once written, inside the peer's window; an ACK and
 *     window that never move back; SACK blocks of what came.
 * At the end an honest peer takes over: whatever came before, both streams arrive whole and the
 * connection closes, unless a reset that had to be believed ended it.
 *
 * Input: a byte of handshake options, then steps of 10 bytes (struct step). */
#include <stdio.h>
#include <stdlib.h>
#include "runtime/net/test/sim.h"
#include "tests/fuzz/check_conn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STREAM 32768u /* bytes of each direction, at most */
#define PEER_PORT 4000u
#define TS_START 5000u

struct step {
	uint8_t op, flags;
	uint16_t a, b, c, d;
};
enum { SEGMENT, BLOCKS, READ, WRITE, WAIT, CONTROL, SHUT, DEVICE };

static struct {
	struct net_stack *stack;
	struct net_config cfg;
	struct pbuf_pool pool;
	unsigned n_chunks;
	uint64_t now;
	struct tcp_conn *c;
	bool ts, sack, scale, ecn; /* of our SYN */
	unsigned refuse;	   /* transmissions that fail */
	/* the peer's stream: offset 0 is the byte after its SYN */
	uint32_t irs;
	uint8_t may[STREAM];   /* came in a segment that could be taken */
	uint32_t may_to, high; /* all below may; none above */
	uint32_t must;	       /* all below were surely taken */
	uint32_t fin_at;       /* offset of the peer's FIN; ~0: not said */
	bool may_fin, must_fin;
	uint32_t edge;	    /* offset that the offered window reaches */
	uint32_t acked;	    /* offset that the stack acknowledged */
	uint32_t delivered; /* read by the owner */
	/* the stack's stream, likewise */
	uint32_t iss;
	uint32_t written, sent, una, una_must, right; /* right: of the window that we offered */
	uint32_t max_wnd, wnd_shift, our_scale;
	bool fin_out, fin_wanted, gone, could_reset, accepted;
	bool asked;    /* who we are */
	uint32_t tick; /* our timestamp clock */
	uint32_t echo; /* its newest timestamp */
} w;

/* The two streams' bytes. Loops over them teach the fuzzer nothing: they are not instrumented. */
#define QUIET __attribute__((no_sanitize("coverage")))

static QUIET void fill(uint8_t *to, uint32_t off, size_t n, unsigned step)
{
	for (size_t i = 0; i < n; i++, off++)
		to[i] = (uint8_t)(off * step + (off >> 8) * 13 + 1);
}

static QUIET bool same(const uint8_t *p, uint32_t off, size_t n, unsigned step)
{
	for (size_t i = 0; i < n; i++, off++)
		if (p[i] != (uint8_t)(off * step + (off >> 8) * 13 + 1))
			return false;
	return true;
}
#define PEER 7
#define OWN 11

#define INSIST(cond)                                                   \
	do {                                                           \
		if (!(cond))                                           \
			panic("%s:%d: %s", __FILE__, __LINE__, #cond); \
	} while (0)

/* ---- what the stack sends ---- */
static void check_out(const uint8_t *f, size_t len)
{
	const uint8_t *th = f + 34;
	uint32_t hl = (uint32_t)(th[12] >> 4) * 4, n = (uint32_t)(len - 34 - hl), seq, ack, wnd;
	struct tcp_opts o;

	INSIST(csum_fold(csum_20(f + 14)) == 0xffff && ldbe16(f + 16) == len - 14);
	INSIST(csum_fold(csum_bytes(th, len - 34,
				    pseudo_sum(ld32(f + 26), ld32(f + 30), IP_TCP,
					       (uint32_t)len - 34))) == 0xffff);
	INSIST(tcp_parse_opts(th, hl, &o));
	if (th[13] & TH_RST) {
		w.could_reset = true;
		return;
	}
	if (th[13] & TH_SYN) {
		w.iss = ldbe32(th + 4);
		INSIST(ldbe32(th + 8) == w.irs + 1);
		w.our_scale = o.has_wscale ? o.wscale : 0;
		w.edge = ldbe16(th + 14);
		w.echo = o.tsval;
		INSIST(o.has_ts == w.ts && o.sack_ok == w.sack);
		/* two scales of nothing need not be said */
		INSIST(o.has_wscale == w.scale || (w.scale && w.wnd_shift == 0));
		INSIST(((th[13] & TH_ECE) != 0) == w.ecn && !(th[13] & TH_CWR));
		return;
	}
	seq = ldbe32(th + 4) - w.iss - 1;
	ack = ldbe32(th + 8) - w.irs - 1;
	wnd = (uint32_t)ldbe16(th + 14) << w.our_scale;
	INSIST(o.has_ts == w.ts);
	if (w.ts) {
		INSIST(SEQ_GE(o.tsval, w.echo));
		w.echo = o.tsval;
	}
	/* the acknowledgement: of nothing that cannot have come, never less than before */
	INSIST(ack <= w.may_to + w.may_fin && ack >= w.acked);
	INSIST(ack <= w.may_to || w.fin_at == w.may_to);
	w.acked = ack;
	INSIST(ack + wnd + ((1u << w.our_scale) - 1) + (w.may_fin ? 1 : 0) >= w.edge);
	w.edge = GW_MAX(w.edge, ack + wnd);
	for (unsigned i = 0; i < o.n_sack; i++) {
		uint32_t l = o.sack[i][0] - w.irs - 1, r = o.sack[i][1] - w.irs - 1;

		INSIST(w.sack && SEQ_LT(l, r));
		if (i == 0 && (int32_t)r <= (int32_t)ack + 1)
			continue; /* what came twice; perhaps bytes of before the stream */
		INSIST(l < STREAM && r <= STREAM);
		INSIST(memchr(w.may + l, 0, r - l) == NULL);
	}
	/* data: its own, written, inside the window */
	INSIST(same(th + hl, seq, n, OWN));
	if (n != 0) {
		INSIST(seq + n <= w.written);
		INSIST(seq + n <= w.right);
		INSIST(seq <= w.sent); /* no holes in what is sent first */
		INSIST((f[15] & 3) == 0 || (w.ecn && seq == w.sent)); /* RFC 3168 6.1.5 */
		if (w.refuse == 0)
			w.sent = GW_MAX(w.sent, seq + n);
	} else {
		INSIST((f[15] & 3) == 0);
	}
	if (th[13] & TH_FIN) {
		INSIST(w.fin_wanted && seq + n == w.written);
		w.fin_out |= w.refuse == 0;
	}
}

static int tx(void *ctx, struct pbuf *p)
{
	static uint8_t f[70000];
	size_t n = 0;

	(void)ctx;
	for (struct pbuf *q = p; q != NULL; q = q->next) {
		memcpy(f + n, q->data, q->len);
		n += q->len;
	}
	pbuf_free(&w.pool, p);
	if (n > 54 - 1 && ld16(f + 12) == be16(ETH_IP4) && f[23] == IP_TCP)
		check_out(f, n);
	w.asked |= ld16(f + 12) == be16(ETH_ARP) && f[21] == 1;
	if (w.refuse > 0) {
		w.refuse--;
		return -ENOBUFS;
	}
	return 0;
}

/* ---- what the peer sends ---- */
static void neighbour(void)
{
	static const uint8_t request[42] = { 2,	 0, 0, 0, 0, 2, 2, 0, 0, 0, 0,	1, 8, 6,
					     0,	 1, 8, 0, 6, 4, 0, 1, 2, 0, 0,	0, 0, 1,
					     10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2 };
	struct pbuf *p = pbuf_alloc(&w.pool, 12);

	if (p == NULL)
		return;
	w.asked = false;
	memcpy(p->data, request, sizeof(request)); /* who asks says who he is */
	p->len = p->total = 60;
	memset(p->data + 42, 0, 18);
	net_input(w.stack, p);
}

static void inject(uint32_t seq, uint32_t ack, uint8_t flags, uint32_t wnd, uint32_t tsval,
		   const uint8_t *more, size_t n_more, size_t len, uint8_t tos)
{
	uint8_t f[2048], o[40], d[1500];
	size_t n = 0, size;
	struct pbuf *p;

	if (w.ts || (flags & TH_SYN)) {
		memcpy(o, (uint8_t[4]){ 1, 1, 8, 10 }, 4);
		stbe32(o + 4, tsval);
		stbe32(o + 8, w.echo);
		n = w.ts ? 12 : 0;
	}
	if (n_more != 0)
		memcpy(o + n, more, n_more);
	fill(d, seq - w.irs - 1, len, PEER);
	size = sim_tcp_frame(f, 0, 1, PEER_PORT, 80, seq, ack, flags, (uint16_t)wnd, o, n + n_more,
			     d, len);
	f[15] = tos;
	sim_fix_csums(f, size);
	p = pbuf_alloc(&w.pool, 12);
	if (p == NULL)
		return;
	memcpy(p->data, f, size);
	p->len = p->total = (uint32_t)size;
	net_set_now(w.stack, w.now);
	net_input(w.stack, p);
}

static uint32_t snd_nxt(void)
{
	return w.sent + w.fin_out;
}

/* Could, must the ACK of this segment be believed? (RFC 9293 3.10.7.4, RFC 5961 5.2) */
static bool ack_ok(uint32_t ack)
{
	return (int32_t)(ack - snd_nxt()) <= 0 && (int32_t)(ack - (w.una_must - w.max_wnd)) >= 0;
}

static QUIET void came(int32_t from, int32_t to)
{
	if (from < to)
		memset(w.may + from, 1, (size_t)(to - from));
	while (w.may_to < STREAM && w.may[w.may_to])
		w.may_to++;
}

/* A segment of the peer's: tell the model, then the stack. off: of its first byte; ack: offset. */
static void segment(int32_t off, uint32_t ack, uint32_t wnd, size_t len, bool fin, unsigned stale,
		    uint8_t extra, const uint8_t *more, size_t n_more, uint8_t tos)
{
	bool could = !w.ts || stale < 2, sure = !w.ts || stale == 0;
	uint32_t end, before, edge = w.edge; /* the answer may move it */

	/* what it acknowledged it has */
	w.must = GW_MAX(w.must, GW_MIN(w.acked, w.may_to));
	w.must_fin |= w.may_fin && w.acked > w.may_to;
	before = w.may_to;
	if (off < 0 && (size_t)-off > 0 && off + (int32_t)len < 0)
		could = sure = false;
	/* no honest peer speaks from beyond its own end; and what it spoke from, it will send */
	if (off > (int32_t)GW_MIN(w.fin_at, STREAM))
		off = (int32_t)GW_MIN(w.fin_at, STREAM) + (w.fin_at != ~0u);
	if (off + (int32_t)len > (int32_t)GW_MIN(w.fin_at, STREAM))
		len = off < (int32_t)GW_MIN(w.fin_at, STREAM)
			      ? (size_t)((int32_t)GW_MIN(w.fin_at, STREAM) - off)
			      : 0;
	end = (uint32_t)(off + (int32_t)len);
	fin = fin && (w.fin_at == ~0u ? end <= STREAM : end == w.fin_at) && off >= 0;
	if (fin && w.fin_at == ~0u) { /* nothing was said beyond it */
		fin = end >= w.high;
		if (fin)
			w.fin_at = end;
	}
	if (!ack_ok(ack))
		could = sure = false;
	/* in the window? */
	if (off > (int32_t)w.edge || (int32_t)end < (int32_t)w.must)
		sure = false;
	if (w.must_fin || w.gone)
		sure = false;
	if (could) {
		came(GW_MAX(off, 0), (int32_t)GW_MIN(end, w.edge));
		if ((int32_t)GW_MIN(end, w.edge) > (int32_t)w.high)
			w.high = GW_MIN(end, w.edge);
		if (fin)
			w.may_fin = true;
		if (ack != ~0u && (int32_t)(ack - w.una) > 0)
			w.una = ack;
		if ((int32_t)(ack + (wnd << w.wnd_shift) - w.right) > 0)
			w.right = ack + (wnd << w.wnd_shift);
		w.max_wnd = GW_MAX(w.max_wnd, wnd << w.wnd_shift);
	}
	inject(w.irs + 1 + (uint32_t)off, w.iss + 1 + ack,
	       (uint8_t)(TH_ACK | (fin ? TH_FIN : 0) | extra), wnd,
	       stale == 2   ? TS_START - 7
	       : stale == 1 ? w.tick - 1
			    : ++w.tick,
	       more, n_more, len, tos);
	/* sure to be let in: it reaches beyond all that may be there */
	if (sure && off <= (int32_t)w.must &&
	    ((int32_t)end > (int32_t)before || (len == 0 && off == (int32_t)before))) {
		w.must = GW_MAX(w.must, GW_MIN(end, edge));
		if (fin && end <= edge && w.must == end)
			w.must_fin = true;
		if ((int32_t)(ack - w.una_must) > 0)
			w.una_must = ack;
	}
}

static void look(void)
{
	struct tcp_conn *c = w.c;
	const uint8_t *p;
	uint32_t rcv, una;
	size_t n, off = 0;

	if (w.gone || c->state == TCP_CLOSED || c->state == TCP_TIME_WAIT) {
		w.gone = true;
		return;
	}
	check_conn(c);
	rcv = c->rcv_nxt - w.irs - 1;
	una = c->snd_una - w.iss - 1;
	INSIST(rcv <= w.may_to + w.may_fin);
	INSIST(rcv >= w.must);
	INSIST((int32_t)(una - w.una) <= 0);
	INSIST((int32_t)(una - w.una_must) >= 0);
	while ((n = tcp_rx_peek(c, off, &p)) > 0) {
		INSIST(same(p, w.delivered + (uint32_t)off, n, PEER));
		off += n;
	}
	INSIST(w.delivered + off == rcv - (w.delivered + off < rcv));
}

static void event(struct tcp_conn *c, void *owner, unsigned events)
{
	(void)c;
	(void)owner;
	if (events & TCP_EV_ERROR) {
		/* only a reset at the next byte, or time, ends it */
		INSIST(w.could_reset);
		w.gone = true;
	}
}

static bool accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	(void)l;
	(void)owner;
	tcp_set_owner(c, &w);
	w.c = c;
	w.accepted = true;
	return true;
}

/* The same pages for each run: poisoning fresh ones would take most of the time. */
static void *more_pages(void *ctx, size_t *bytes)
{
	static void *chunks[64];

	(void)ctx;
	if (w.n_chunks == ARRAY_SIZE(chunks))
		return NULL;
	*bytes = 16 * PBUF_SIZE;
	if (chunks[w.n_chunks] == NULL)
		chunks[w.n_chunks] = aligned_alloc(4096, *bytes);
	return chunks[w.n_chunks++];
}

static void *get(size_t n)
{
	return calloc(1, n);
}

static void put(void *p, size_t n)
{
	(void)n;
	free(p);
}

static void owner_reads(uint32_t n)
{
	n = (uint32_t)GW_MIN(n, tcp_rx_available(w.c));
	w.delivered += n; /* looked at when they came */
	tcp_rx_consume(w.c, n);
}

static void owner_writes(uint32_t n)
{
	uint8_t *to;
	size_t room;

	n = GW_MIN(n, STREAM - w.written);
	while (n > 0 && (room = tcp_tx_room(w.c, &to)) > 0) {
		room = GW_MIN(room, n);
		fill(to, w.written, room, OWN);
		w.written += (uint32_t)room;
		n -= (uint32_t)room;
		tcp_tx_commit(w.c, room, true);
	}
}

static void wait(uint64_t ns)
{
	/* silence for long enough may end any connection that has something to say */
	w.now += ns;
	net_set_now(w.stack, w.now);
	net_poll(w.stack);
	if (w.asked)
		neighbour();
}

static void blocks(const struct step *s)
{
	uint8_t o[20];
	unsigned n = 1 + (s->flags & 1);

	if (!w.sack)
		return;
	memcpy(o, (uint8_t[4]){ 1, 1, 5, (uint8_t)(2 + 8 * n) }, 4);
	stbe32(o + 4, w.iss + 1 + w.una + s->a);
	stbe32(o + 8, w.iss + 1 + w.una + s->a + (s->b & 0xfff));
	stbe32(o + 12, w.iss + 1 + w.una + s->c);
	stbe32(o + 16, w.iss + 1 + w.una + s->c + s->d % 3000);
	segment((int32_t)w.acked, w.una, 2000, 0, false, 0, 0, o, 4 + 8 * n, 0);
}

static void control(const struct step *s)
{
	int32_t off = (int32_t)w.acked + (int16_t)s->a;
	uint8_t flags = s->flags & 1 ? TH_RST : TH_SYN;

	if (flags == TH_RST) { /* w.acked is what was said; the stack may have gone on since */
		if (off >= (int32_t)w.must && off <= (int32_t)(w.may_to + w.may_fin))
			w.could_reset = true;
	}
	inject(w.irs + 1 + (uint32_t)off, w.iss + 1 + w.una,
	       (uint8_t)(flags | (s->flags & 2 ? TH_ACK : 0)), 1000, ++w.tick, NULL, 0, 0, 0);
}

static void run(const struct step *s)
{
	struct tcp_conn *c = w.c;

	switch (s->op & 7) {
	case SEGMENT:
		segment((int32_t)w.acked + (int16_t)s->a % 5000,
			w.una + (uint32_t)((int16_t)s->b % 3000), s->c >> 3, s->d % 1461,
			(s->flags & 7) == 7, s->flags & 8 ? 1 + (s->flags & 1) : 0,
			(uint8_t)((s->flags & 0x10 ? TH_URG : 0) | (s->flags & 0x20 ? TH_ECE : 0) |
				  (s->flags & 0x40 ? TH_CWR : 0) | TH_PSH),
			NULL, 0, s->flags >> 6 & 3);
		break;
	case BLOCKS:
		blocks(s);
		break;
	case READ:
		owner_reads(s->a);
		break;
	case WRITE:
		owner_writes(s->a % 8000);
		break;
	case WAIT:
		wait((uint64_t)(s->a % 3000) * MS + s->b);
		break;
	case CONTROL:
		control(s);
		break;
	case SHUT:
		if ((s->flags & 3) == 3) {
			w.fin_wanted = true;
			tcp_shutdown_tx(c);
		} else {
			(void)!tcp_set_opt(c, s->flags & 1 ? TCP_OPT_NODELAY : TCP_OPT_CORK,
					   s->a & 1);
		}
		break;
	default:
		w.refuse = s->flags % 4;
		break;
	}
}

static bool handshake(uint8_t options)
{
	uint8_t o[40];
	size_t n = 0;

	w.ts = options & 1;
	w.sack = options >> 1 & 1;
	w.scale = options >> 2 & 1;
	w.ecn = options >> 3 & 1;
	w.wnd_shift = w.scale ? options >> 4 & 3 : 0;
	w.irs = options & 0x80 ? 0xfffffe00u : 77;
	w.fin_at = ~0u;
	w.tick = TS_START;
	if (w.sack) {
		memcpy(o, (uint8_t[4]){ 1, 1, 4, 2 }, 4);
		n = 4;
	}
	if (w.scale) {
		memcpy(o + n, (uint8_t[4]){ 1, 3, 3, (uint8_t)w.wnd_shift }, 4);
		n += 4;
	}
	if (options & 0x40) {
		memcpy(o + n, (uint8_t[4]){ 2, 4, 5, 180 }, 4);
		n += 4;
	}
	inject(w.irs, 0, (uint8_t)(TH_SYN | (w.ecn ? TH_ECE | TH_CWR : 0)), 3000, w.tick, o, n, 0,
	       0);
	w.right = w.max_wnd = 3000u << w.wnd_shift;
	w.una = w.una_must = w.sent = 0;
	inject(w.irs + 1, w.iss + 1, TH_ACK, 3000, ++w.tick, NULL, 0, 0, 0);
	return w.accepted;
}

/* From now on all is as it should be: everything arrives, both ways, and the connection closes. */
static void honest_end(void)
{
	uint32_t total =
		w.fin_at != ~0u ? w.fin_at : GW_MAX(w.high, GW_MIN(w.may_to + 1000, STREAM));

	w.refuse = 0;
	for (int round = 0; round < 400 && !w.gone; round++) {
		uint32_t next = w.acked, len;

		if (w.written < 2000)
			owner_writes(2000 - w.written);
		if (!w.fin_wanted && w.written >= 2000) {
			w.fin_wanted = true;
			tcp_shutdown_tx(w.c);
		}
		len = next < total
			      ? GW_MIN(total - next, GW_MIN(1000u, w.edge - GW_MIN(w.edge, next)))
			      : 0;
		w.una = GW_MAX(w.una, snd_nxt());
		segment((int32_t)next, snd_nxt(), 20000u >> w.wnd_shift, len, next + len == total,
			0, 0, NULL, 0, 0);
		look();
		if (w.gone)
			break;
		owner_reads(STREAM);
		wait(300 * MS);
		look();
	}
	INSIST(w.gone);
	if (!w.could_reset) {
		INSIST(w.sent == w.written && w.fin_out);
		INSIST(w.acked >= total);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tcp_callbacks cb = { .event = event, .accepted = accepted };
	struct net_endpoint at = { .family = 4, .port = 80 };
	struct tcp_listener *l;

	if (size == 0)
		return 0;
	memset(&w, 0, sizeof(w));
	w.now = 1000 * SEC;
	w.cfg = (struct net_config){ .mac = { 2, 0, 0, 0, 0, 2 },
				     .mtu = 1500,
				     .n_shards = 1,
				     .max_conns = 100,
				     .sndbuf_max = 1 << 16,
				     .rcvbuf_max = data[0] & 0x20 ? 1 << 18 : 1 << 14,
				     .pool = &w.pool,
				     .alloc = get,
				     .free = put,
				     .tx = tx };
	pbuf_pool_init(&w.pool, 4096, more_pages, NULL);
	w.stack = net_create(&w.cfg, w.now);
	tcp_set_callbacks(w.stack, &cb);
	net_set_ip4(w.stack, sim_ip(1), 24, 0, 0);
	neighbour();
	INSIST(tcp_listen(w.stack, &at, 4, NULL, &l) == 0);
	INSIST(handshake(data[0]));
	data++;
	size--;
	while (size >= sizeof(struct step) && !w.gone) {
		struct step s;

		memcpy(&s, data, sizeof(s));
		data += sizeof(s);
		size -= sizeof(s);
		run(&s);
		net_poll(w.stack);
		look();
	}
	if (!w.gone)
		honest_end();
	tcp_abort(w.c);
	tcp_unlisten(w.stack, l);
	for (int i = 0; i < 4; i++)
		wait(100 * SEC);
	INSIST(w.stack->tcp.n_conns == 0 && w.stack->tcp.n_tw == 0);
	INSIST(w.pool.n_free == w.pool.n_total);
	free(w.stack->tcp.hash);
	free(w.stack->tcp.tw_hash);
	free(w.stack);
	return 0;
}
