/* SPDX-License-Identifier: Apache-2.0 */
/* ip6_addr.c - a stack's IPv6 addresses: how they are formed (RFC 4291 appendix A, RFC 7217),
 * detected as ours alone, kept and given up (RFC 4862), and which of them talks to whom (RFC 6724).
 * Bounded: a link that advertises many prefixes fills the table, and pushes nothing out of it. */
#include "runtime/net/ip6_internal.h"

_Static_assert(sizeof(struct net_ip6) % 8 == 0, "digest takes words");

#define COUNTER_MAX 3u /* RFC 7217 IDGEN_RETRIES */
#define TWO_HOURS (7200ull * NS_PER_SEC)
#define LOOK_MAX (3600ull * NS_PER_SEC) /* the wheel has its limits: wait in stages */

const uint8_t ip6_all_nodes[16] = { 0xff, 2, [15] = 1 };
const uint8_t ip6_all_routers[16] = { 0xff, 2, [15] = 2 };
const uint8_t ip6_loopback[16] = { [15] = 1 };
const uint8_t ip6_zero[16];

bool ip6_same(const uint8_t *a, const uint8_t *b)
{
	return ((ld64(a) ^ ld64(b)) | (ld64(a + 8) ^ ld64(b + 8))) == 0;
}

bool ip6_is_any(const uint8_t *a)
{
	return ip6_same(a, ip6_zero);
}

bool ip6_is_loopback(const uint8_t *a)
{
	return ip6_same(a, ip6_loopback);
}

bool ip6_is_mapped(const uint8_t *a)
{
	return ld64(a) == 0 && ld32(a + 8) == be32(0xffffu);
}

bool ip6_in_prefix(const uint8_t *a, const uint8_t *prefix, unsigned len)
{
	unsigned bytes = len / 8, bits = len % 8;

	return memcmp(a, prefix, bytes) == 0 &&
	       (bits == 0 || ((a[bytes] ^ prefix[bytes]) >> (8 - bits)) == 0);
}

void ip6_solicited(const uint8_t *addr, uint8_t group[16])
{
	static const uint8_t head[13] = { 0xff, 2, [11] = 1, [12] = 0xff };

	memcpy(group, head, 13);
	memcpy(group + 13, addr + 13, 3);
}

static bool usable(const struct net_ip6_addr *a)
{
	return a->state == NET_IP6_PREFERRED || a->state == NET_IP6_DEPRECATED;
}

int ip6_find(const struct net_stack *s, const uint8_t *addr)
{
	for (unsigned i = 0; s->v6 != NULL && i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &s->v6->pub.addr[i];

		if (a->state != NET_IP6_FREE && ip6_same(a->addr, addr))
			return (int)i;
	}
	return -1;
}

bool ip6_is_own(const struct net_stack *s, const uint8_t *addr)
{
	int i = ip6_find(s, addr);

	return i >= 0 && usable(&s->v6->pub.addr[i]);
}

/* Of what net_get_ip6 shows, without the lifetimes, which every advertisement moves. */
static uint64_t digest(const struct net_stack *s)
{
	struct net_ip6 shown = s->v6->pub;

	for (unsigned i = 0; i < NET_IP6_ADDRS; i++)
		shown.addr[i].preferred_until = shown.addr[i].valid_until = 0;
	for (unsigned i = 0; i < NET_IP6_PREFIXES; i++)
		shown.on_link[i].until = shown.on_link[i].until != 0;
	return siphash(&s->tcp.secret, (const uint64_t *)(const void *)&shown, sizeof(shown) / 8);
}

void ip6_changed(struct net_stack *s)
{
	struct net_ip6 *pub = &s->v6->pub;
	uint64_t now;

	pub->up = false;
	for (unsigned i = 1; i < NET_IP6_ADDRS; i++)
		pub->up |= usable(&pub->addr[i]);
	now = digest(s);
	if (now == s->v6->told)
		return;
	s->v6->told = now;
	if (s->cfg.configured != NULL)
		s->cfg.configured(s->cfg.ctx);
}

void ip6_look_at(struct net_stack *s, uint64_t ns)
{
	uint64_t latest = s->now + LOOK_MAX;

	timer_by(&s->wheel, &s->v6->timer, (GW_MIN(ns, latest) >> WHEEL_SHIFT) + 1);
}

/* ---- interface identifiers ---- */

static void identifier(const struct net_stack *s, const uint8_t *prefix, uint8_t counter,
		       uint8_t to[8])
{
	const uint8_t *mac = s->cfg.mac;
	struct sip_key key = { s->cfg.ip6_secret[0], s->cfg.ip6_secret[1] };

	if ((key.k0 | key.k1) != 0) { /* RFC 7217 5 */
		uint64_t w[3] = { ld64(prefix), s->mac48 & 0xffffffffffffull, counter };

		st64(to, siphash(&key, w, 3));
		return;
	}
	memcpy(to, mac, 3); /* EUI-64, universal bit inverted */
	to[0] ^= 2;
	to[3] = 0xff;
	to[4] = 0xfe;
	memcpy(to + 5, mac + 3, 3);
}

/* ---- duplicate address detection (RFC 4862 5.4) ---- */

static void detect(struct net_stack *s, unsigned i)
{
	struct ip6_how *how = &s->v6->how[i];

	s->v6->pub.addr[i].state = NET_IP6_TENTATIVE;
	how->when = now_tick(s) + s->v6->retrans;
	mld_join(s); /* first, so that a switch passes on what comes in answer (5.4.2) */
	nd_probe_own(s, s->v6->pub.addr[i].addr);
	ip6_look_at(s, s->now + ((uint64_t)s->v6->retrans << WHEEL_SHIFT));
}

void ip6_duplicate(struct net_stack *s, unsigned i)
{
	struct net_ip6_addr *a = &s->v6->pub.addr[i];
	struct ip6_how *how = &s->v6->how[i];

	log_warn("net: IPv6 address ..:%x:%x is somebody else's", ldbe16(a->addr + 12),
		 ldbe16(a->addr + 14));
	mld_leave(s, a->addr);
	if (how->slaac && (s->cfg.ip6_secret[0] | s->cfg.ip6_secret[1]) != 0 &&
	    how->counter < COUNTER_MAX) { /* RFC 7217 6: another one */
		identifier(s, a->addr, ++how->counter, a->addr + 8);
		detect(s, i);
		return;
	}
	a->state = NET_IP6_DUPLICATE;
	ip6_changed(s);
}

/* ---- the table ---- */

static int place(struct net_stack *s, const uint8_t *addr, unsigned prefix, uint64_t preferred,
		 uint64_t valid, bool slaac, bool link_local)
{
	unsigned from = link_local ? 0 : 1, to = link_local ? 1 : NET_IP6_ADDRS;

	for (unsigned i = from; i < to; i++) {
		struct net_ip6_addr *a = &s->v6->pub.addr[i];

		if (a->state != NET_IP6_FREE)
			continue;
		memcpy(a->addr, addr, 16);
		a->prefix = (uint8_t)prefix;
		a->preferred_until = preferred;
		a->valid_until = valid;
		s->v6->how[i] = (struct ip6_how){ .slaac = slaac };
		detect(s, i);
		return (int)i;
	}
	return -1;
}

int ip6_add(struct net_stack *s, const uint8_t *addr, unsigned prefix, uint64_t preferred_until,
	    uint64_t valid_until)
{
	int i = ip6_find(s, addr);

	if (i < 0)
		return place(s, addr, prefix, preferred_until, valid_until, false, false);
	s->v6->pub.addr[i].preferred_until = preferred_until;
	s->v6->pub.addr[i].valid_until = valid_until;
	if (usable(&s->v6->pub.addr[i]))
		s->v6->pub.addr[i].state =
			preferred_until > s->now ? NET_IP6_PREFERRED : NET_IP6_DEPRECATED;
	ip6_look_at(s, s->now);
	return i;
}

static uint64_t until(const struct net_stack *s, uint32_t seconds)
{
	return seconds == 0xffffffffu ? GW_NEVER : s->now + seconds * NS_PER_SEC;
}

void ip6_autoconf(struct net_stack *s, const uint8_t *prefix, uint32_t valid, uint32_t preferred)
{
	uint64_t valid_until = until(s, valid), left;
	uint8_t addr[16];

	if (preferred > valid)
		return;
	for (unsigned i = 1; i < NET_IP6_ADDRS; i++) {
		struct net_ip6_addr *a = &s->v6->pub.addr[i];

		if (a->state == NET_IP6_FREE || !s->v6->how[i].slaac ||
		    !ip6_in_prefix(a->addr, prefix, 64))
			continue;
		/* RFC 4862 5.5.3 e: nobody unknown may cut a life to less than two hours */
		left = a->valid_until > s->now ? a->valid_until - s->now : 0;
		if (valid_until - s->now > TWO_HOURS || valid_until - s->now > left)
			a->valid_until = valid_until;
		else if (left > TWO_HOURS)
			a->valid_until = s->now + TWO_HOURS;
		a->preferred_until = GW_MIN(until(s, preferred), a->valid_until);
		if (a->state == NET_IP6_DEPRECATED && preferred != 0)
			a->state = NET_IP6_PREFERRED;
		ip6_look_at(s, s->now);
		return;
	}
	if (valid == 0)
		return;
	memcpy(addr, prefix, 8);
	identifier(s, prefix, 0, addr + 8);
	if (ip6_find(s, addr) < 0)
		(void)place(s, addr, 64, until(s, preferred), valid_until, true, false);
}

/* What is due for one address. Returns whether it changed; *next: when to look again. */
static bool review(struct net_stack *s, unsigned i, uint64_t *next)
{
	struct net_ip6_addr *a = &s->v6->pub.addr[i];
	struct ip6_how *how = &s->v6->how[i];
	uint8_t before = a->state;

	if (a->state == NET_IP6_FREE)
		return false;
	if (a->valid_until <= s->now) {
		if (a->state != NET_IP6_DUPLICATE)
			mld_leave(s, a->addr);
		a->state = NET_IP6_FREE;
		return true;
	}
	if (a->state == NET_IP6_TENTATIVE && tick_due(now_tick(s), how->when))
		a->state = NET_IP6_PREFERRED;
	if (a->state == NET_IP6_TENTATIVE)
		*next = GW_MIN(*next,
			       s->now + ((uint64_t)(how->when - now_tick(s)) << WHEEL_SHIFT));
	if (a->state == NET_IP6_PREFERRED && a->preferred_until <= s->now)
		a->state = NET_IP6_DEPRECATED;
	*next = GW_MIN(*next, a->valid_until);
	if (a->state == NET_IP6_PREFERRED)
		*next = GW_MIN(*next, a->preferred_until);
	return a->state != before;
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	uint64_t next = GW_NEVER;
	bool changed = false;

	(void)t;
	for (unsigned i = 0; i < NET_IP6_ADDRS; i++)
		changed |= review(s, i, &next);
	nd_routers_expire(s, &next);
	if (changed)
		ip6_changed(s);
	if (next != GW_NEVER)
		ip6_look_at(s, next);
}

struct ip6_state *ip6_state(struct net_stack *s)
{
	struct ip6_state *v = s->v6;

	if (v != NULL)
		return v;
	v = s->cfg.alloc(sizeof(*v));
	if (v == NULL) {
		log_warn("net: no memory for IPv6");
		return NULL;
	}
	v->pub.mtu = s->cfg.mtu;
	v->pub.hop_limit = IP6_HOP_LIMIT;
	v->reachable = WHEEL_MS(30000);
	v->retrans = WHEEL_MS(1000);
	timer_init(&v->timer, fire);
	s->v6 = v;
	nd_init(s);
	nd_routers_init(s);
	mld_init(s);
	return v;
}

/* The link-local address (RFC 4862 5.3), once. false: no memory, or a link that IPv6 does not fit.
 */
static bool begin(struct net_stack *s)
{
	uint8_t addr[16] = { 0xfe, 0x80 };

	if (s->cfg.mtu < IP6_MIN_MTU) {
		log_warn("net: the MTU %u is too small for IPv6", s->cfg.mtu);
		return false;
	}
	if (ip6_state(s) == NULL)
		return false;
	identifier(s, addr, 0, addr + 8);
	if (s->v6->pub.addr[0].state == NET_IP6_FREE)
		(void)place(s, addr, 64, GW_NEVER, GW_NEVER, true, true);
	return true;
}

void net_set_ip6(struct net_stack *s, const uint8_t addr[16], unsigned prefix,
		 const uint8_t gateway[16], const uint8_t dns[16])
{
	struct net_ip6_prefix *x;

	if (!begin(s))
		return;
	prefix = GW_MIN(prefix, 128u);
	if (ip6_add(s, addr, prefix, GW_NEVER, GW_NEVER) < 0)
		log_warn("net: no room for another IPv6 address");
	x = &s->v6->pub.on_link[0]; /* the first is configuration's */
	memcpy(x->addr, addr, 16);
	x->len = (uint8_t)prefix;
	x->until = GW_NEVER;
	if (gateway != NULL)
		(void)nd_add_router(s, gateway, GW_NEVER);
	if (dns != NULL) {
		memcpy(s->v6->pub.dns[0], dns, 16);
		s->v6->dns_until[0] = GW_NEVER;
	}
	nd_pick_router(s);
	ip6_changed(s);
}

void net_start_ip6(struct net_stack *s)
{
	if (!begin(s))
		return;
	s->v6->follow = true;
	nd_solicit_routers(s);
}

void net_adopt_ip6(struct net_stack *s, const struct net_ip6 *from)
{
	if (ip6_state(s) == NULL)
		return;
	s->v6->pub = *from;
	if (s->cfg.configured != NULL)
		s->cfg.configured(s->cfg.ctx);
}

/* ---- source address selection (RFC 6724 5, rules 1, 2, 3, 6 and 8) ---- */

static int scope(const uint8_t *a)
{
	if (ip6_is_multicast(a))
		return a[1] & 15;
	return ip6_is_link_local(a) || ip6_is_loopback(a) ? 2 : 14;
}

static int label(const uint8_t *a) /* the policy table of 2.1, as far as sources differ */
{
	if ((a[0] & 0xfe) == 0xfc)
		return 13;
	if (a[0] == 0x20 && a[1] == 2)
		return 2;
	return ldbe32(a) == 0x20010000u ? 5 : 1;
}

static unsigned common_bits(const uint8_t *a, const uint8_t *b)
{
	unsigned n = 0;

	while (n < 64 && ip6_in_prefix(a, b, n + 1))
		n++;
	return n;
}

/* Is a the better source for dst than b? */
static bool better(const struct net_ip6_addr *a, const struct net_ip6_addr *b, const uint8_t *dst)
{
	int sa = scope(a->addr), sb = scope(b->addr), sd = scope(dst);

	if (sa != sb)
		return sa < sb ? sa >= sd : sb < sd;
	if (a->state != b->state)
		return a->state == NET_IP6_PREFERRED;
	if ((label(a->addr) == label(dst)) != (label(b->addr) == label(dst)))
		return label(a->addr) == label(dst);
	return common_bits(a->addr, dst) > common_bits(b->addr, dst);
}

bool ip6_source(const struct net_stack *s, const uint8_t *dst, uint8_t src[16])
{
	const struct net_ip6_addr *best = NULL;

	if (ip6_is_loopback(dst) || ip6_is_own(s, dst)) {
		memcpy(src, dst, 16);
		return true;
	}
	for (unsigned i = 0; s->v6 != NULL && i < NET_IP6_ADDRS; i++) {
		const struct net_ip6_addr *a = &s->v6->pub.addr[i];

		if (usable(a) && (best == NULL || better(a, best, dst)))
			best = a;
	}
	if (best == NULL)
		return false;
	memcpy(src, best->addr, 16);
	return true;
}
