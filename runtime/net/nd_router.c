/* SPDX-License-Identifier: Apache-2.0 */
/* nd_router.c - routers and what they advertise (RFC 4861 6.3, RFC 4862 5.5, RFC 8106, RFC 7559).
 * All tables are of fixed size, and what is in them and valid is not pushed out: the first routers,
 * prefixes and name servers of a link stay, however many follow. */
#include "runtime/net/ip6_internal.h"

#define RS_FIRST WHEEL_MS(4000) /* RFC 7559 2: doubled up to an hour, until one answers */
#define RS_LATEST WHEEL_MS(3600000)

static uint64_t until(const struct net_stack *s, uint32_t seconds)
{
	return seconds == 0xffffffffu ? GW_NEVER : s->now + seconds * NS_PER_SEC;
}

/* ---- routers ---- */

bool nd_is_router(const struct net_stack *s, const uint8_t *addr)
{
	for (unsigned i = 0; i < IP6_ROUTERS; i++) {
		if (s->v6->routers[i].until != 0 && ip6_same(s->v6->routers[i].addr, addr))
			return true;
	}
	return ip6_same(s->v6->pub.gateway, addr);
}

int nd_add_router(struct net_stack *s, const uint8_t *addr, uint64_t until_ns)
{
	struct ip6_router *free_one = NULL;

	for (unsigned i = 0; i < IP6_ROUTERS; i++) {
		struct ip6_router *r = &s->v6->routers[i];

		if (r->until != 0 && ip6_same(r->addr, addr)) {
			if (r->until != GW_NEVER) /* configured: stays */
				r->until = until_ns;
			return 0;
		}
		if (r->until == 0 && free_one == NULL)
			free_one = r;
	}
	if (free_one == NULL || until_ns == 0)
		return -ENOMEM;
	memcpy(free_one->addr, addr, 16);
	free_one->until = until_ns;
	return 0;
}

/* Is there reason to think that it answers? */
static bool seems_alive(const struct net_stack *s, const uint8_t *addr)
{
	const struct nd_entry *n = nd_find(s, addr);

	return n == NULL || n->state != ND_FAILED;
}

/* RFC 4861 6.3.6: the one in use as long as it answers, then one that may, in turn. */
void nd_pick_router(struct net_stack *s)
{
	struct ip6_state *v = s->v6;
	unsigned at = 0, found = 0;

	for (unsigned i = 0; i < IP6_ROUTERS; i++) {
		if (v->routers[i].until != 0 && ip6_same(v->routers[i].addr, v->pub.gateway))
			at = i;
		found += v->routers[i].until != 0;
	}
	if (found == 0) {
		memset(v->pub.gateway, 0, 16);
		return;
	}
	/* from the present one on; the second time round, whoever is there */
	for (unsigned i = 0; i < 2 * IP6_ROUTERS; i++) {
		const struct ip6_router *r = &v->routers[(at + i) % IP6_ROUTERS];

		if (r->until == 0 || (i < IP6_ROUTERS && !seems_alive(s, r->addr)))
			continue;
		memcpy(v->pub.gateway, r->addr, 16);
		return;
	}
}

/* ---- lists ---- */

static void on_link(struct net_stack *s, const struct nd_prefix *p)
{
	struct net_ip6_prefix *free_one = NULL;

	for (unsigned i = 0; i < NET_IP6_PREFIXES; i++) {
		struct net_ip6_prefix *x = &s->v6->pub.on_link[i];

		if (x->until != 0 && x->len == p->len &&
		    ip6_in_prefix(p->prefix, x->addr, p->len)) {
			if (x->until != GW_NEVER || p->valid == 0xffffffffu)
				x->until = p->valid != 0 ? until(s, p->valid) : 0;
			return;
		}
		if (x->until == 0 && i != 0 && free_one == NULL) /* the first: configuration's */
			free_one = x;
	}
	if (free_one == NULL || p->valid == 0)
		return;
	memcpy(free_one->addr, p->prefix, 16);
	free_one->len = p->len;
	free_one->until = until(s, p->valid);
}

void nd_name_server(struct net_stack *s, const uint8_t *addr, uint32_t lifetime)
{
	struct ip6_state *v = s->v6;
	int free_one = -1;

	if (ip6_is_multicast(addr) || ip6_is_any(addr))
		return;
	for (int i = 1; i >= 0; i--) {
		if (v->dns_until[i] == 0) {
			free_one = i;
		} else if (ip6_same(v->pub.dns[i], addr)) {
			if (v->dns_until[i] != GW_NEVER)
				v->dns_until[i] = lifetime != 0 ? until(s, lifetime) : s->now;
			return;
		}
	}
	if (free_one < 0 || lifetime == 0)
		return;
	memcpy(v->pub.dns[free_one], addr, 16);
	v->dns_until[free_one] = until(s, lifetime);
}

void nd_routers_expire(struct net_stack *s, uint64_t *next)
{
	struct ip6_state *v = s->v6;

	for (unsigned i = 0; i < IP6_ROUTERS; i++) {
		if (v->routers[i].until <= s->now)
			v->routers[i].until = 0;
		else
			*next = GW_MIN(*next, v->routers[i].until);
	}
	for (unsigned i = 0; i < NET_IP6_PREFIXES; i++) {
		if (v->pub.on_link[i].until <= s->now)
			v->pub.on_link[i].until = 0;
		else
			*next = GW_MIN(*next, v->pub.on_link[i].until);
	}
	for (unsigned i = 0; i < 2; i++) {
		if (v->dns_until[i] > s->now) {
			*next = GW_MIN(*next, v->dns_until[i]);
			continue;
		}
		v->dns_until[i] = 0;
		memset(v->pub.dns[i], 0, 16);
	}
	nd_pick_router(s);
	ip6_changed(s);
}

/* ---- advertisements ---- */

static void take_prefix(struct net_stack *s, const struct nd_prefix *p)
{
	if (ip6_is_link_local(p->prefix) || ip6_is_multicast(p->prefix) ||
	    (p->len == 0 && p->on_link)) /* the whole Internet on this link: no */
		return;
	if (p->on_link)
		on_link(s, p);
	if (p->autonomous && p->len == 64) /* the rest is the interface identifier (5.5.3 d) */
		ip6_autoconf(s, p->prefix, p->valid, p->preferred);
}

static uint32_t ticks(uint32_t ms, uint32_t low, uint32_t high)
{
	return WHEEL_MS(GW_MIN(GW_MAX(ms, low), high));
}

void nd_router_input(struct net_stack *s, const uint8_t *src, const struct nd_msg *m)
{
	struct ip6_state *v = s->v6;

	if (m->has_mac) /* every shard sends to it; a stranger pushes out nobody */
		nd_heard(s, src, m->mac, true);
	if (!v->follow)
		return;
	if (m->lifetime != 0 || nd_is_router(s, src))
		(void)nd_add_router(s, src, m->lifetime != 0 ? until(s, m->lifetime) : 0);
	if (m->hop_limit != 0)
		v->pub.hop_limit = m->hop_limit;
	if (m->reachable_ms != 0)
		v->reachable = ticks(m->reachable_ms, 1000, 3600000);
	if (m->retrans_ms != 0)
		v->retrans = ticks(m->retrans_ms, 100, 10000);
	if (m->mtu >= IP6_MIN_MTU && m->mtu <= s->cfg.mtu)
		v->pub.mtu = (uint16_t)m->mtu;
	for (unsigned i = 0; i < m->n_prefixes; i++)
		take_prefix(s, &m->prefixes[i]);
	for (unsigned i = 0; i < m->n_dns; i++)
		nd_name_server(s, m->dns[i], m->dns_lifetime[i]);
	if (m->lifetime != 0) /* RFC 7559 2.1: found */
		timer_cancel(&v->rs_timer);
	if (m->flags & 0xc0)
		dhcp6_start(s);
	ip6_look_at(s, s->now); /* expires, picks and tells */
}

/* ---- solicitations ---- */

static void rs_fire(struct net_stack *s, struct net_timer *t)
{
	struct ip6_state *v = s->v6;
	bool have = v->pub.addr[0].state == NET_IP6_PREFERRED;
	struct pbuf *p = icmp6_new(s, ND_RS, 0, have ? 16 : 8);

	if (p != NULL) {
		if (have) {
			p->data[8] = 1;
			p->data[9] = 1;
			memcpy(p->data + 10, s->cfg.mac, 6);
		}
		(void)icmp6_send(s, p, have ? v->pub.addr[0].addr : ip6_zero, ip6_all_routers, 255);
	}
	/* a tenth more or less each time (RFC 7559 2) */
	net_timer_by(s, t, v->rs_wait - v->rs_wait / 10 + random_u32() % (v->rs_wait / 5 + 1));
	v->rs_wait = GW_MIN(v->rs_wait * 2, RS_LATEST);
}

void nd_routers_init(struct net_stack *s)
{
	timer_init(&s->v6->rs_timer, rs_fire);
}

/* The first goes out at once, without an address: answers come to all nodes, and the addresses that
 * they give are detected together with the link-local one. */
void nd_solicit_routers(struct net_stack *s)
{
	timer_cancel(&s->v6->rs_timer);
	s->v6->rs_wait = RS_FIRST;
	rs_fire(s, &s->v6->rs_timer);
}
