/* SPDX-License-Identifier: Apache-2.0 */
/* arp.c - address resolution (RFC 826, 1122 2.3.2): a fixed table, 32 sets of 4, so a flood costs
 * no memory, and pushes out nobody who has answered and whom we are sending to. Only requests for
 * our own address are answered; replies nobody asked for change nothing but entries that exist. */
#include "runtime/net/arp_internal.h"

#define RELAY_MAX 32u /* answers passed on to the other shards in a tenth of a second */
#define ARP_LEN 28u
#define ARP_IDLE WHEEL_MS(10000) /* unused that long, an entry may go */

static void arp_fire(struct net_stack *s, struct net_timer *t);

/* At most so many requests a second, however many addresses are asked for; the last of them for
 * those that have answered before. */
#define ARP_BURST 50u
#define ARP_RESERVE 10u

void arp_init(struct net_stack *s)
{
	for (unsigned i = 0; i < ARP_SETS; i++) {
		for (unsigned w = 0; w < ARP_WAYS; w++)
			list_init(&s->arp[i][w].queue);
	}
	timer_init(&s->arp_timer, arp_fire);
	s->arp_left = ARP_BURST; /* the clock may start at 0: the first second has its share too */
}

static unsigned set_of(const struct net_stack *s, uint32_t ip)
{
	return (unsigned)(((ip ^ (uint32_t)s->tcp.key[0]) * 0x9e3779b97f4a7c15ull) >> 59) %
	       ARP_SETS;
}

struct arp_entry *arp_find(struct net_stack *s, uint32_t ip)
{
	struct arp_entry *set = s->arp[set_of(s, ip)];

	for (unsigned w = 0; w < ARP_WAYS; w++) {
		if (set[w].state != ARP_FREE && set[w].ip == ip)
			return &set[w];
	}
	return NULL;
}

struct arp_entry *arp_usable(struct net_stack *s, uint32_t ip)
{
	struct arp_entry *a = arp_find(s, ip);

	return arp_ready(a, ip, now_tick(s)) ? a : NULL;
}

static void queue_drop(struct net_stack *s, struct arp_entry *a)
{
	struct list_node *n;

	while ((n = list_pop(&a->queue)) != NULL) {
		s->arp_queued--;
		drop(s, list_entry(n, struct pbuf, link), &s->n.drop_arp);
	}
	a->queued = 0;
}

static void forget(struct net_stack *s, struct arp_entry *a)
{
	queue_drop(s, a);
	a->state = ARP_FREE;
	a->wanted = false;
}

void arp_flush(struct net_stack *s)
{
	for (unsigned i = 0; i < ARP_SETS; i++) {
		for (unsigned w = 0; w < ARP_WAYS; w++)
			forget(s, &s->arp[i][w]);
	}
}

/* How much an entry is worth: who has answered is not pushed out by who has not. */
enum keep { KEEP_FAILED, KEEP_PENDING, KEEP_STRANGER, KEEP_WANTED, KEEP_GATEWAY };

static enum keep keep(const struct net_stack *s, const struct arp_entry *a)
{
	if (a->ip == s->ip.gateway)
		return KEEP_GATEWAY;
	if (a->state == ARP_PENDING || a->state == ARP_FAILED)
		return a->state == ARP_PENDING ? KEEP_PENDING : KEEP_FAILED;
	return a->wanted ? KEEP_WANTED : KEEP_STRANGER;
}

/* A stranger, who has shown himself, takes no place of one who was asked just now; one whom we send
 * to, and who may never answer, none of those that we talk to. */
static bool may_push(const struct arp_entry *a, enum keep k, bool wanted, uint32_t now)
{
	if (k == KEEP_PENDING && !wanted)
		return a->tries > 1 || a->when - now < ARP_RETRY - WHEEL_MS(100);
	if (k == KEEP_WANTED)
		return wanted && now - a->used > ARP_IDLE;
	return k != KEEP_GATEWAY;
}

/* A place for ip: a free one, or that of the one worth least, of equals the longest unused. wanted:
 * we send to it. */
static struct arp_entry *make(struct net_stack *s, uint32_t ip, bool wanted)
{
	struct arp_entry *set = s->arp[set_of(s, ip)], *best = NULL;
	uint32_t now = now_tick(s);

	for (unsigned w = 0; w < ARP_WAYS; w++) {
		struct arp_entry *a = &set[w];

		if (a->state == ARP_FREE) {
			best = a;
			break;
		}
		if (may_push(a, keep(s, a), wanted, now) &&
		    (best == NULL || keep(s, a) < keep(s, best) ||
		     (keep(s, a) == keep(s, best) && now - a->used > now - best->used)))
			best = a;
	}
	if (best == NULL)
		return NULL;
	forget(s, best);
	best->ip = ip;
	best->wanted = wanted;
	best->used = best->when = now;
	best->tries = 0;
	return best;
}

static void emit(struct net_stack *s, uint16_t op, const uint8_t to[6], uint32_t spa,
		 const uint8_t tha[6], uint32_t tpa)
{
	static const uint8_t head[6] = { 0, 1, 8, 0, 6, 4 };
	struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);
	uint8_t *a;

	if (p == NULL)
		return;
	a = p->data;
	p->len = p->total = ARP_LEN;
	memcpy(a, head, 6);
	stbe16(a + 6, op);
	memcpy(a + 8, s->cfg.mac, 6);
	st32(a + 14, spa);
	memcpy(a + 18, tha, 6);
	st32(a + 24, tpa);
	(void)eth_send(s, p, to, ETH_ARP);
}

static const uint8_t all_ones[6] = { 255, 255, 255, 255, 255, 255 }, zeros[6];

/* everyone: not only the address that we know, which may be another's by now. Returns whether it
 * was sent. */
static bool request(struct net_stack *s, struct arp_entry *a, bool everyone)
{
	uint32_t now = now_tick(s);

	if (now - s->arp_tick >= WHEEL_MS(1000)) {
		s->arp_tick = now;
		s->arp_left = ARP_BURST;
	}
	if (s->arp_left <= (a->state == ARP_PROBE ? 0 : ARP_RESERVE))
		return false;
	s->arp_left--;
	emit(s, 1, everyone ? all_ones : a->mac, s->ip.addr, zeros, a->ip);
	return true;
}

void arp_announce(struct net_stack *s)
{
	emit(s, 1, all_ones, s->ip.addr, zeros, s->ip.addr);
}

static void arp_fire(struct net_stack *s, struct net_timer *t)
{
	uint32_t now = now_tick(s);
	bool more = false;

	for (unsigned i = 0; i < ARP_SETS * ARP_WAYS; i++) {
		struct arp_entry *a = &s->arp[i / ARP_WAYS][i % ARP_WAYS];

		if (a->state != ARP_PENDING && a->state != ARP_PROBE && a->state != ARP_FAILED)
			continue;
		if (!tick_due(now, a->when)) {
			more = true;
		} else if (a->state == ARP_FAILED) {
			forget(s, a);
		} else if (a->tries >= ARP_TRIES) {
			queue_drop(s, a);
			a->state = ARP_FAILED; /* and no more requests for a while */
			a->when = now + ARP_RETRY * 2;
			more = true;
		} else {
			a->when = now + ARP_RETRY;
			if (request(s, a, true) || a->state == ARP_PENDING)
				a->tries++;
			more = true;
		}
	}
	if (more)
		net_timer_by(s, t, ARP_RETRY / 4);
}

static void start_asking(struct net_stack *s, struct arp_entry *a, uint8_t state, bool everyone)
{
	a->state = state;
	a->when = now_tick(s) + ARP_RETRY;
	a->tries = request(s, a, everyone) || state == ARP_PENDING;
	net_timer_by(s, &s->arp_timer, ARP_RETRY);
}

void arp_doubt(struct net_stack *s, uint32_t ip)
{
	struct arp_entry *a = arp_find(s, ip);

	if (a != NULL && a->state == ARP_OK && now_tick(s) - a->when >= ARP_DOUBT)
		start_asking(s, a, ARP_PROBE, true);
}

int arp_send(struct net_stack *s, struct pbuf *p, uint32_t next_hop)
{
	struct arp_entry *a = arp_find(s, next_hop);

	if (a == NULL) {
		a = make(s, next_hop, true);
		if (a == NULL) {
			drop(s, p, &s->n.drop_arp);
			return 0;
		}
		start_asking(s, a, ARP_PENDING, true);
	}
	a->wanted = true;
	a->used = now_tick(s);
	if (a->state == ARP_OK && now_tick(s) - a->when >= ARP_FRESH)
		start_asking(s, a, ARP_PROBE, false); /* old: use it, and ask */
	if (a->state == ARP_OK || a->state == ARP_PROBE)
		return eth_send(s, p, a->mac, ETH_IP4);
	if (a->state == ARP_FAILED || s->arp_queued >= ARP_QUEUE_TOTAL) {
		drop(s, p, &s->n.drop_arp);
		return 0;
	}
	if (a->queued >= ARP_QUEUE_MAX) { /* the oldest makes room */
		struct list_node *n = list_pop(&a->queue);

		a->queued--;
		s->arp_queued--;
		drop(s, list_entry(n, struct pbuf, link), &s->n.drop_arp);
	}
	list_add_tail(&a->queue, &p->link);
	a->queued++;
	s->arp_queued++;
	return 0;
}

static void learned(struct net_stack *s, struct arp_entry *a, const uint8_t mac[6])
{
	struct list_node *n;

	memcpy(a->mac, mac, 6);
	memcpy(a->eth + 2, mac, 6);
	memcpy(a->eth + 8, s->cfg.mac, 6);
	st16(a->eth + 14, be16((uint16_t)ETH_IP4));
	a->state = ARP_OK;
	a->tries = 0;
	a->when = now_tick(s);
	while ((n = list_pop(&a->queue)) != NULL) {
		s->arp_queued--;
		a->queued--;
		(void)eth_send(s, list_entry(n, struct pbuf, link), a->mac, ETH_IP4);
	}
}

/* The device gives an answer to one queue, whichever shard asked: the others get copies. Bounded: a
 * flood of answers nobody asked for is not multiplied. */
static void relay(struct net_stack *s, const struct pbuf *p, const uint8_t *arp)
{
	uint32_t now = now_tick(s);

	if (s->cfg.n_shards < 2 || (p->flags & PBUF_RELAYED))
		return;
	if (now - s->relay_tick >= WHEEL_MS(100)) {
		s->relay_tick = now;
		s->relay_left = RELAY_MAX;
	}
	if (s->relay_left == 0)
		return;
	s->relay_left--;
	for (uint32_t i = 0; i < s->cfg.n_shards; i++) {
		struct pbuf *q = i == s->cfg.shard ? NULL : pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL)
			continue;
		memcpy(q->data, s->cfg.mac, 6);
		memcpy(q->data + 6, arp + 8, 6);
		stbe16(q->data + 12, ETH_ARP);
		memcpy(q->data + ETH_HLEN, arp, ARP_LEN);
		q->len = q->total = ETH_HLEN + ARP_LEN;
		q->flags = PBUF_RELAYED;
		s->cfg.forward(s->cfg.ctx, i, q);
	}
}

void arp_input(struct net_stack *s, struct pbuf *p)
{
	static const uint8_t head[6] = { 0, 1, 8, 0, 6, 4 };
	uint8_t d[ARP_LEN], sha[6];
	uint32_t spa, tpa, now = now_tick(s);
	struct arp_entry *a;
	uint16_t op;
	bool for_us;

	if (!pbuf_copy_out(p, 0, d, ARP_LEN)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	op = ldbe16(d + 6);
	spa = ld32(d + 14);
	tpa = ld32(d + 24);
	memcpy(sha, d + 8, 6);
	/* A sender with a group or zero hardware address is nobody (the broadcast trick). */
	if (memcmp(d, head, 6) != 0 || (op != 1 && op != 2) || (sha[0] & 1) ||
	    memcmp(sha, zeros, 6) == 0) {
		drop(s, p, &s->n.drop_arp);
		return;
	}
	if (op == 2)
		relay(s, p, d);
	pbuf_free(s->cfg.pool, p);
	if (!s->ip.up)
		return;
	if (spa ==
	    s->ip.addr) { /* somebody has our address: defend it, once in ten seconds (RFC 5227) */
		if (memcmp(sha, s->cfg.mac, 6) != 0) {
			s->n.drop_arp++;
			if (s->arp_defended == 0 || now - s->arp_defended > WHEEL_MS(10000)) {
				s->arp_defended = now | 1;
				arp_announce(s);
			}
		}
		return;
	}
	for_us = tpa == s->ip.addr;
	a = spa != 0 ? arp_find(s, spa) : NULL;
	if (a != NULL)
		learned(s, a, sha);
	else if (for_us && op == 1 && spa != 0 && ((spa ^ s->ip.addr) & s->ip.mask) == 0 &&
		 (a = make(s, spa, false)) != NULL)
		learned(s, a, sha);
	else if (op == 2)
		s->n.drop_arp++;
	if (for_us && op == 1)
		emit(s, 2, sha, s->ip.addr, sha, spa);
}
