/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp.c - the DHCP client (RFC 2131 4.4): discover, request, renew, rebind, expiry. Answers are
 * believed only with our transaction number and hardware address, and in the state that asked for
 * them. */
#include "runtime/net/dhcp.h"
#include "runtime/net/net_internal.h"

enum dhcp_state {
	ST_SELECTING,
	ST_REQUESTING,
	ST_BOUND,
	ST_RENEWING,
	ST_REBINDING,
};

struct dhcp {
	struct net_timer timer;
	struct net_stack *stack;
	uint8_t state, tries, naks;
	uint32_t xid, offered, server;
	uint64_t started, bound;		 /* ns */
	uint64_t renew_at, rebind_at, expire_at; /* ns */
	char hostname[64];
};

static void transmit(struct net_stack *s, struct dhcp *d, uint8_t type)
{
	static const uint8_t all[6] = { 255, 255, 255, 255, 255, 255 };
	struct dhcp_request r = {
		.type = type,
		.xid = d->xid,
		.secs = (uint16_t)GW_MIN((s->now - d->started) / NS_PER_SEC, 65535u),
		.hostname = d->hostname,
		.broadcast = d->state < ST_BOUND,
	};
	struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);
	uint32_t dst = IP4_BROADCAST, total;
	uint8_t *ip;

	if (p == NULL)
		return;
	memcpy(r.mac, s->cfg.mac, 6);
	if (d->state >= ST_BOUND) {
		r.ciaddr = s->ip.addr;
	} else if (type == DHCP_REQUEST) {
		r.requested = d->offered;
		r.server = d->server;
	}
	p->len = p->total = (uint32_t)dhcp_build(p->data, 512, &r);
	if (d->state == ST_RENEWING)
		dst = d->server;
	if (dst != IP4_BROADCAST) {
		(void)udp_output(
			s, p, &(struct net_endpoint){ .family = 4, .port = 68, .ip4 = s->ip.addr },
			&(struct net_endpoint){ .family = 4, .port = 67, .ip4 = dst });
		return;
	}
	/* Broadcast, from 0.0.0.0 while we have no address: below the routing, which knows no such
	 * thing. */
	p->data -= 28;
	p->len = p->total += 28;
	total = p->total;
	ip = p->data;
	memset(ip, 0, 28);
	ip[0] = 0x45;
	stbe16(ip + 2, (uint16_t)total);
	ip[8] = 64;
	ip[9] = IP_UDP;
	st32(ip + 12, r.ciaddr);
	st32(ip + 16, IP4_BROADCAST);
	st16(ip + 10, (uint16_t)~csum_fold(csum_20(ip)));
	stbe16(ip + 20, 68);
	stbe16(ip + 22, 67);
	stbe16(ip + 24, (uint16_t)(total - 20));
	st16(ip + 26, (uint16_t)~csum_fold(
			      csum_bytes(ip + 20, total - 20,
					 pseudo_sum(r.ciaddr, IP4_BROADCAST, IP_UDP, total - 20))));
	(void)eth_send(s, p, all, ETH_IP4);
}

static void arm(struct net_stack *s, struct dhcp *d, uint64_t at)
{
	timer_cancel(&d->timer);
	timer_by(&s->wheel, &d->timer, (at >> WHEEL_SHIFT) + 1);
}

/* 1, 2, 4 .. 32 s, with up to an eighth of randomness (RFC 2131 4.1 starts at 4; a virtual link is
 * faster). */
static void arm_retry(struct net_stack *s, struct dhcp *d)
{
	uint64_t wait = NS_PER_SEC << GW_MIN(d->tries, 5u);

	d->tries++;
	arm(s, d, s->now + wait + random_u32() % (wait / 8));
}

static void discover(struct net_stack *s, struct dhcp *d)
{
	d->state = ST_SELECTING;
	d->tries = 0;
	d->xid = random_u32();
	d->started = s->now;
	transmit(s, d, DHCP_DISCOVER);
	arm_retry(s, d);
}

static void lose(struct net_stack *s, struct dhcp *d)
{
	net_set_ip4(s, 0, 0, 0, 0);
	discover(s, d);
}

/* Half of what is left until the next stage, but not more often than once a minute (RFC
 * 2131 4.4.5). */
static void arm_renewal(struct net_stack *s, struct dhcp *d, uint64_t until)
{
	uint64_t left = until > s->now ? until - s->now : 0;

	arm(s, d, GW_MIN(until, s->now + GW_MAX(left / 2, 60 * NS_PER_SEC)));
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	struct dhcp *d = list_entry(t, struct dhcp, timer);

	switch (d->state) {
	case ST_SELECTING:
		transmit(s, d, DHCP_DISCOVER);
		arm_retry(s, d);
		return;
	case ST_REQUESTING:
		if (d->tries >= 5) {
			discover(s, d);
			return;
		}
		transmit(s, d, DHCP_REQUEST);
		arm_retry(s, d);
		return;
	default:
		break;
	}
	if (s->now >= d->expire_at) {
		lose(s, d);
		return;
	}
	if (s->now >= d->rebind_at) {
		d->state = ST_REBINDING;
	} else if (s->now >= d->renew_at) {
		if (d->state == ST_BOUND) {
			d->xid = random_u32();
			d->started = s->now;
		}
		d->state = ST_RENEWING;
	} else { /* the wheel has its limits: long leases wait in stages */
		arm(s, d, d->renew_at);
		return;
	}
	transmit(s, d, DHCP_REQUEST);
	arm_renewal(s, d, d->state == ST_RENEWING ? d->rebind_at : d->expire_at);
}

static void bind(struct net_stack *s, struct dhcp *d, const struct dhcp_msg *m)
{
	uint64_t lease = m->lease, renew = m->renew, rebind = m->rebind;

	lease = GW_MAX(lease, 30u);
	if (lease == 0xffffffffu) /* for ever */
		lease = 0xffffffffull * 16;
	if (rebind == 0 || rebind >= lease)
		rebind = lease / 8 * 7;
	if (renew == 0 || renew >= rebind)
		renew = GW_MIN(lease / 2, rebind);
	d->bound = s->now;
	d->renew_at = s->now + renew * NS_PER_SEC;
	d->rebind_at = s->now + rebind * NS_PER_SEC;
	d->expire_at = s->now + lease * NS_PER_SEC;
	d->state = ST_BOUND;
	d->tries = d->naks = 0;
	if (m->server != 0)
		d->server = m->server;
	arm(s, d, d->renew_at);
	if (s->ip.up && s->ip.addr == m->yiaddr && s->ip.mask == m->mask &&
	    s->ip.gateway == m->router)
		return;
	s->ip.dns[0] = m->dns[0];
	s->ip.dns[1] = m->dns[1];
	net_set_ip4(s, m->yiaddr,
		    m->mask == 0 ? 0 : 32u - (unsigned)__builtin_ctz(__builtin_bswap32(m->mask)),
		    m->router, 0);
}

void dhcp_input(struct net_stack *s, struct pbuf *p)
{
	struct dhcp *d = s->dhcp;
	uint8_t buf[1500];
	uint32_t n = GW_MIN(p->total, (uint32_t)sizeof(buf));
	struct dhcp_msg m;
	bool ok = pbuf_copy_out(p, 0, buf, n) && dhcp_parse(buf, n, &m);

	pbuf_free(s->cfg.pool, p);
	if (!ok || m.xid != d->xid || memcmp(m.chaddr, s->cfg.mac, 6) != 0 ||
	    d->state == ST_BOUND) {
		s->n.drop_proto++;
		return;
	}
	if (d->state == ST_SELECTING && m.type == DHCP_OFFER && m.server != 0) {
		d->state = ST_REQUESTING;
		d->offered = m.yiaddr;
		d->server = m.server;
		d->tries = 0;
		transmit(s, d, DHCP_REQUEST);
		timer_cancel(&d->timer);
		arm_retry(s, d);
	} else if (d->state >= ST_REQUESTING && m.type == DHCP_ACK &&
		   (d->state != ST_REQUESTING || m.yiaddr == d->offered)) {
		bind(s, d, &m);
	} else if (d->state >= ST_REQUESTING && m.type == DHCP_NAK) {
		/* start over, but not at once: a server that refuses always must not make a storm
		 */
		net_set_ip4(s, 0, 0, 0, 0);
		d->state = ST_SELECTING;
		d->xid = random_u32();
		d->tries = d->naks;
		if (d->naks < 5)
			d->naks++;
		timer_cancel(&d->timer);
		arm_retry(s, d);
	} else {
		s->n.drop_proto++;
	}
}

void net_start_dhcp(struct net_stack *s, const char *hostname)
{
	struct dhcp *d = s->dhcp;

	if (d == NULL) {
		d = s->cfg.alloc(sizeof(*d));
		if (d == NULL) {
			log_warn("dhcp: out of memory");
			return;
		}
		d->stack = s;
		timer_init(&d->timer, fire);
		s->dhcp = d;
	}
	d->hostname[0] = 0;
	for (size_t i = 0; hostname != NULL && i < sizeof(d->hostname) - 1; i++) {
		d->hostname[i] = hostname[i];
		d->hostname[i + 1] = 0;
		if (hostname[i] == 0)
			break;
	}
	discover(s, d);
}
