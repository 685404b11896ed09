/* SPDX-License-Identifier: Apache-2.0 */
/* dhcp6.c - the stateless DHCPv6 client (RFC 8415 6.1, 18.2.6): a router whose advertisement has
 * the flag O (or M) set is taken at its word, and name servers are asked for. Addresses are not:
 * those come from advertisements. Answers are believed only with our transaction number and
 * identifier, and name servers only into free places. */
#include "runtime/net/ip6_internal.h"

#define FIRST WHEEL_MS(1000) /* INF_TIMEOUT, doubled up to an hour */
#define LATEST WHEEL_MS(3600000)
#define REFRESH_S 86400u /* IRT_DEFAULT, of option 32; at least 600 s */
#define REFRESH_MIN_S 600u
#define MESSAGE_MAX 1460u

enum {
	OPT_CLIENT = 1,
	OPT_SERVER = 2,
	OPT_REQUEST = 6,
	OPT_ELAPSED = 8,
	OPT_DNS = 23,
	OPT_REFRESH = 32
};

struct dhcp6 {
	struct net_timer timer;
	uint8_t id[4]; /* message type, transaction number */
	bool waiting;  /* for an answer */
	uint32_t wait; /* ticks to the next request */
	uint64_t started, refresh_at;
};

static const uint8_t all_servers[16] = { 0xff, 2, [13] = 1, [15] = 2 };

/* Our identifier: of the link-layer address (11.4). */
static void client_id(const struct net_stack *s, uint8_t to[14])
{
	static const uint8_t head[8] = { 0, OPT_CLIENT, 0, 10, 0, 3, 0, 1 };

	memcpy(to, head, sizeof(head));
	memcpy(to + 8, s->cfg.mac, 6);
}

static void ask(struct net_stack *s, struct dhcp6 *d)
{
	struct net_endpoint from = { .family = 6, .port = 546 }, to = { .family = 6, .port = 547 };
	struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);
	static const uint8_t tail[14] = { 0,	       OPT_ELAPSED, 0, 2, 0,	   0, 0,
					  OPT_REQUEST, 0,	    4, 0, OPT_DNS, 0, OPT_REFRESH };
	uint64_t elapsed = (s->now - d->started) / (10 * NS_PER_MS);
	uint8_t *m;

	if (p == NULL)
		return;
	m = p->data;
	p->len = p->total = 4 + 14 + 6 + 8;
	memcpy(m, d->id, 4);
	client_id(s, m + 4);
	memcpy(m + 18, tail, sizeof(tail));
	stbe16(m + 22, (uint16_t)GW_MIN(elapsed, 65535u));
	memcpy(from.ip6, s->v6->pub.addr[0].addr, 16);
	memcpy(to.ip6, all_servers, 16);
	(void)udp_output(s, p, &from, &to);
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	struct dhcp6 *d = list_entry(t, struct dhcp6, timer);

	if (!d->waiting && s->now < d->refresh_at) { /* the wheel has its limits: in stages */
		timer_by(&s->wheel, t,
			 (GW_MIN(d->refresh_at, s->now + 3600 * NS_PER_SEC) >> WHEEL_SHIFT) + 1);
		return;
	}
	if (!d->waiting) {
		st32(d->id, random_u32());
		d->id[0] = 11; /* INFORMATION-REQUEST */
		d->waiting = true;
		d->started = s->now;
		d->wait = FIRST;
	}
	if (s->v6->pub.addr[0].state == NET_IP6_PREFERRED)
		ask(s, d);
	net_timer_by(s, t, d->wait - d->wait / 10 + random_u32() % (d->wait / 5 + 1));
	d->wait = GW_MIN(d->wait * 2, LATEST);
}

void dhcp6_start(struct net_stack *s)
{
	struct dhcp6 *d = s->v6->dhcp;

	if (d != NULL) /* asked already, or waiting for the time to ask again */
		return;
	d = s->cfg.alloc(sizeof(*d));
	if (d == NULL)
		return;
	timer_init(&d->timer, fire);
	s->v6->dhcp = d;
	net_timer_by(s, &d->timer, 1 + random_u32() % WHEEL_MS(1000)); /* INF_MAX_DELAY */
}

bool dhcp6_parse(const uint8_t *p, size_t n, struct dhcp6_msg *out)
{
	memset(out, 0, sizeof(*out));
	if (n < 4 || p[0] != 7) /* REPLY */
		return false;
	out->refresh = REFRESH_S;
	for (size_t at = 4; at < n;) {
		const uint8_t *o = p + at;
		size_t len;

		if (n - at < 4)
			return false;
		len = ldbe16(o + 2);
		if (len > n - at - 4)
			return false;
		if (ldbe16(o) == OPT_CLIENT && len == 10) {
			out->client = o;
		} else if (ldbe16(o) == OPT_SERVER) {
			out->server = true;
		} else if (ldbe16(o) == OPT_REFRESH && len == 4) {
			out->refresh = GW_MAX(ldbe32(o + 4), REFRESH_MIN_S);
		} else if (ldbe16(o) == OPT_DNS && len % 16 == 0) {
			out->n_dns = (unsigned)GW_MIN(len / 16, 2u);
			out->dns = o + 4;
		}
		at += 4 + len;
	}
	return out->client != NULL && out->server;
}

void dhcp6_input(struct net_stack *s, struct pbuf *p)
{
	struct dhcp6 *d = s->v6->dhcp;
	uint8_t copy[MESSAGE_MAX], id[14];
	uint32_t n = GW_MIN(p->total, (uint32_t)sizeof(copy));
	struct dhcp6_msg m;
	bool ok = pbuf_copy_out(p, 0, copy, n) && n == p->total && dhcp6_parse(copy, n, &m);

	pbuf_free(s->cfg.pool, p);
	client_id(s, id);
	if (!ok || !d->waiting || memcmp(copy + 1, d->id + 1, 3) != 0 ||
	    memcmp(m.client, id, 14) != 0) {
		s->n.drop_proto++;
		return;
	}
	d->waiting = false;
	d->refresh_at = s->now + m.refresh * NS_PER_SEC;
	timer_cancel(&d->timer);
	fire(s, &d->timer);
	for (unsigned i = 0; i < m.n_dns; i++) /* good until the one after the next answer */
		nd_name_server(s, m.dns + 16 * i, m.refresh > 0x40000000 ? ~0u : 2 * m.refresh);
	ip6_look_at(s, s->now);
}
