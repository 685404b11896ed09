/* SPDX-License-Identifier: Apache-2.0 */
/* nd.c - the neighbour cache (RFC 4861 7.2, 7.3): a fixed table, 32 sets of 4. A flood of strangers
 * costs no memory and pushes out nobody whom we send to, a flood of destinations that do not answer
 * no router and nobody who did. */
#include "runtime/net/ip6_internal.h"

#define ND_IDLE WHEEL_MS(10000)	      /* unused that long, an entry may go */
#define ND_DELAY_TICKS WHEEL_MS(5000) /* DELAY_FIRST_PROBE_TIME */
/* At most so many solicitations a second; the last of them for those that have answered before. */
#define ND_BURST 50u
#define ND_RESERVE 10u

static struct nd_entry *set_of(const struct net_stack *s, const uint8_t *ip)
{
	return s->v6->nd[ip6_mix(ip, s->tcp.pair_key) % ND_SETS];
}

struct nd_entry *nd_find(const struct net_stack *s, const uint8_t *ip)
{
	struct nd_entry *set = set_of(s, ip);

	for (unsigned w = 0; w < ND_WAYS; w++) {
		if (set[w].state != ND_FREE && ip6_same(set[w].ip, ip))
			return &set[w];
	}
	return NULL;
}

struct nd_entry *nd_usable(struct net_stack *s, const uint8_t *ip)
{
	struct nd_entry *n = nd_find(s, ip);

	return nd_ready(n, ip, now_tick(s)) ? n : NULL;
}

static void queue_drop(struct net_stack *s, struct nd_entry *n)
{
	struct list_node *at;

	while ((at = list_pop(&n->queue)) != NULL) {
		s->v6->nd_queued--;
		drop(s, list_entry(at, struct pbuf, link), &s->n.drop_arp);
	}
	n->queued = 0;
}

static void forget(struct net_stack *s, struct nd_entry *n)
{
	queue_drop(s, n);
	n->state = ND_FREE;
	n->wanted = false;
}

/* ---- who may take whose place ---- */

enum keep { KEEP_FAILED, KEEP_INCOMPLETE, KEEP_STRANGER, KEEP_WANTED, KEEP_ROUTER };

static enum keep keep(const struct net_stack *s, const struct nd_entry *n)
{
	if (nd_is_router(s, n->ip))
		return KEEP_ROUTER;
	if (n->state == ND_INCOMPLETE || n->state == ND_FAILED)
		return n->state == ND_INCOMPLETE ? KEEP_INCOMPLETE : KEEP_FAILED;
	return n->wanted ? KEEP_WANTED : KEEP_STRANGER;
}

/* asking: how many of the set are being asked. Neither those whom we send to and who may not exist
 * nor strangers, who may be made up, take it whole; a stranger has at least shown himself. */
static bool may_push(const struct nd_entry *n, enum keep k, bool wanted, unsigned asking,
		     uint32_t now)
{
	switch (k) {
	case KEEP_INCOMPLETE: /* one who was asked just now may answer */
		return n->tries > 1 || tick_due(now, n->used + WHEEL_MS(wanted ? 100 : 20));
	case KEEP_STRANGER:
		return !wanted || asking < ND_WAYS / 2;
	case KEEP_WANTED:
		return wanted && now - n->used > ND_IDLE;
	default:
		return k == KEEP_FAILED;
	}
}

/* A place for ip: a free one, or that of the one worth least, of equals the longest unused. */
static struct nd_entry *make(struct net_stack *s, const uint8_t *ip, bool wanted)
{
	struct nd_entry *set = set_of(s, ip), *best = NULL;
	uint32_t now = now_tick(s);
	unsigned asking = 0;

	for (unsigned w = 0; w < ND_WAYS; w++)
		asking += set[w].state == ND_INCOMPLETE;
	for (unsigned w = 0; w < ND_WAYS; w++) {
		struct nd_entry *n = &set[w];
		enum keep k = keep(s, n);

		if (n->state == ND_FREE) {
			best = n;
			break;
		}
		if (may_push(n, k, wanted, asking, now) &&
		    (best == NULL || k < keep(s, best) ||
		     (k == keep(s, best) && now - n->used > now - best->used)))
			best = n;
	}
	if (best == NULL)
		return NULL;
	forget(s, best);
	memcpy(best->ip, ip, 16);
	best->wanted = wanted;
	best->used = best->when = now;
	best->tries = 0;
	return best;
}

/* ---- asking ---- */

/* target's solicitation from src (any: duplicate address detection), to its group or itself. */
static void solicit(struct net_stack *s, const uint8_t *target, const uint8_t *src, bool unicast)
{
	bool detection = ip6_is_any(src);
	struct pbuf *p = icmp6_new(s, ND_NS, 0, detection ? 24 : 32);
	uint8_t group[16];

	if (p == NULL)
		return;
	memcpy(p->data + 8, target, 16);
	if (!detection) {
		p->data[24] = 1;
		p->data[25] = 1;
		memcpy(p->data + 26, s->cfg.mac, 6);
	}
	ip6_solicited(target, group);
	(void)icmp6_send(s, p, src, unicast ? target : group, 255);
}

void nd_probe_own(struct net_stack *s, const uint8_t *addr)
{
	solicit(s, addr, ip6_zero, false);
}

/* Ask for an entry, if the rate allows. Returns whether it was sent. */
static bool ask(struct net_stack *s, struct nd_entry *n)
{
	struct ip6_state *v = s->v6;
	uint32_t now = now_tick(s);
	uint8_t src[16];

	if (now - v->nd_tick >= WHEEL_MS(1000)) {
		v->nd_tick = now;
		v->nd_left = ND_BURST;
	}
	if (v->nd_left <= (n->state == ND_PROBE ? 0 : ND_RESERVE) || !ip6_source(s, n->ip, src))
		return false;
	v->nd_left--;
	solicit(s, n->ip, src, n->state == ND_PROBE);
	return true;
}

static void start(struct net_stack *s, struct nd_entry *n, enum nd_state state)
{
	n->state = (uint8_t)state;
	n->tries = ask(s, n) || state == ND_INCOMPLETE;
	n->when = now_tick(s) + s->v6->retrans;
	net_timer_by(s, &s->v6->nd_timer, s->v6->retrans);
}

/* Three questions and no answer. */
static void fail(struct net_stack *s, struct nd_entry *n)
{
	bool probed = n->state == ND_PROBE;

	queue_drop(s, n);
	n->state = ND_FAILED; /* and no more questions for a while */
	n->when = now_tick(s) + 2 * s->v6->retrans;
	if (probed && nd_is_router(s, n->ip)) { /* RFC 4861 6.3.6: rather another one */
		nd_pick_router(s);
		ip6_changed(s);
	}
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	uint32_t now = now_tick(s);
	bool more = false;

	for (unsigned i = 0; i < ND_SETS * ND_WAYS; i++) {
		struct nd_entry *n = &s->v6->nd[i / ND_WAYS][i % ND_WAYS];

		if (n->state == ND_FREE || n->state == ND_REACHABLE || n->state == ND_STALE)
			continue;
		more = true;
		if (!tick_due(now, n->when))
			continue;
		if (n->state == ND_FAILED) {
			forget(s, n);
		} else if (n->state == ND_DELAY) {
			start(s, n, ND_PROBE);
		} else if (n->tries >= ND_TRIES) {
			fail(s, n);
		} else {
			n->when = now + s->v6->retrans;
			if (ask(s, n) || n->state == ND_INCOMPLETE)
				n->tries++;
		}
	}
	if (more)
		net_timer_by(s, t, GW_MIN(s->v6->retrans, WHEEL_MS(1000)) / 4);
}

void nd_init(struct net_stack *s)
{
	for (unsigned i = 0; i < ND_SETS; i++) {
		for (unsigned w = 0; w < ND_WAYS; w++)
			list_init(&s->v6->nd[i][w].queue);
	}
	timer_init(&s->v6->nd_timer, fire);
	s->v6->nd_left = ND_BURST;
}

void nd_doubt(struct net_stack *s, const uint8_t *ip)
{
	struct nd_entry *n = s->v6 != NULL ? nd_find(s, ip) : NULL;

	if (n != NULL && (n->state == ND_REACHABLE || n->state == ND_STALE))
		start(s, n, ND_PROBE);
}

/* ---- sending and learning ---- */

int nd_send(struct net_stack *s, struct pbuf *p, const uint8_t *hop)
{
	struct nd_entry *n = nd_find(s, hop);

	if (n == NULL) {
		n = make(s, hop, true);
		if (n == NULL) {
			drop(s, p, &s->n.drop_arp);
			return 0;
		}
		start(s, n, ND_INCOMPLETE);
	}
	n->wanted = true;
	if (n->state != ND_INCOMPLETE) /* then: since when it is asked */
		n->used = now_tick(s);
	if (n->state == ND_REACHABLE && tick_due(now_tick(s), n->when))
		n->state = ND_STALE;
	if (n->state == ND_STALE) {
		n->state = ND_DELAY;
		n->when = now_tick(s) + ND_DELAY_TICKS;
		net_timer_by(s, &s->v6->nd_timer, ND_DELAY_TICKS);
	}
	if (n->state != ND_INCOMPLETE && n->state != ND_FAILED)
		return eth_send(s, p, n->eth + 2, ETH_IP6);
	if (n->state == ND_FAILED || s->v6->nd_queued >= ND_QUEUE_TOTAL) {
		drop(s, p, &s->n.drop_arp);
		return 0;
	}
	if (n->queued >= ND_QUEUE_MAX) { /* the oldest makes room */
		struct list_node *at = list_pop(&n->queue);

		n->queued--;
		s->v6->nd_queued--;
		drop(s, list_entry(at, struct pbuf, link), &s->n.drop_arp);
	}
	list_add_tail(&n->queue, &p->link);
	n->queued++;
	s->v6->nd_queued++;
	return 0;
}

void nd_set_mac(struct net_stack *s, struct nd_entry *n, const uint8_t mac[6])
{
	struct list_node *at;

	memcpy(n->eth + 2, mac, 6);
	memcpy(n->eth + 8, s->cfg.mac, 6);
	st16(n->eth + 14, be16((uint16_t)ETH_IP6));
	while ((at = list_pop(&n->queue)) != NULL) {
		s->v6->nd_queued--;
		n->queued--;
		(void)eth_send(s, list_entry(at, struct pbuf, link), n->eth + 2, ETH_IP6);
	}
}

void nd_reachable(struct net_stack *s, struct nd_entry *n)
{
	uint32_t base = s->v6->reachable;

	n->state = ND_REACHABLE; /* for a random 0.5 to 1.5 of the base (RFC 4861 6.3.2) */
	n->when = now_tick(s) + base / 2 + random_u32() % (base + 1);
	n->tries = 0;
}

void nd_heard(struct net_stack *s, const uint8_t *ip, const uint8_t mac[6], bool new_too)
{
	struct nd_entry *n = nd_find(s, ip);
	bool fresh = n == NULL;

	if (fresh && (!new_too || (n = make(s, ip, false)) == NULL))
		return;
	if (!fresh && n->state != ND_INCOMPLETE && n->state != ND_FAILED &&
	    memcmp(n->eth + 2, mac, 6) == 0)
		return;	     /* nothing new */
	n->state = ND_STALE; /* RFC 4861 7.2.3: said, not shown */
	nd_set_mac(s, n, mac);
	if (n->wanted) { /* packets were sent to it: confirm it in time */
		n->state = ND_DELAY;
		n->when = now_tick(s) + ND_DELAY_TICKS;
		net_timer_by(s, &s->v6->nd_timer, ND_DELAY_TICKS);
	}
}
