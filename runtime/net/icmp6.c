/* SPDX-License-Identifier: Apache-2.0 */
/* icmp6.c - ICMPv6 (RFC 4443): answers echo, tells of closed ports and headers it does not know,
 * and passes what it hears to the transports, path MTUs (RFC 8201) and neighbour discovery. All
 * that it sends is limited in rate, whoever asks. */
#include "runtime/net/ip6_internal.h"

#define ECHO_REQUEST 128
#define ECHO_REPLY 129
#define MLD_QUERY 130
#define QUOTE_MAX (IP6_MIN_MTU - IP6_HLEN - 8u)

struct pbuf *icmp6_new(struct net_stack *s, uint8_t type, uint8_t code, uint32_t n)
{
	struct pbuf *p = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

	if (p == NULL) {
		s->n.drop_nomem++;
		return NULL;
	}
	memset(p->data, 0, n);
	p->data[0] = type;
	p->data[1] = code;
	p->len = p->total = n;
	return p;
}

static void add_sum(struct pbuf *p, const uint8_t *src, const uint8_t *dst)
{
	uint8_t six[32];

	memcpy(six, src, 16);
	memcpy(six + 16, dst, 16);
	st16(p->data + 2, 0);
	st16(p->data + 2, (uint16_t)~csum_fold(csum_chain(p, 0, p->total,
							  pseudo6_sum(six, IP_ICMP6, p->total))));
}

int icmp6_send(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
	       uint8_t hop_limit)
{
	add_sum(p, src, dst);
	return ip6_send(s, p, src, dst, IP_ICMP6, hop_limit);
}

void icmp6_send_to(struct net_stack *s, struct pbuf *p, const uint8_t *src, const uint8_t *dst,
		   const uint8_t mac[6])
{
	add_sum(p, src, dst);
	ip6_prepend(p, src, dst, IP_ICMP6, 255);
	(void)eth_send(s, p, mac, ETH_IP6);
}

/* RFC 4443 4.2; to a group's request from an address of ours. Takes the packet. */
static void echo(struct net_stack *s, struct pbuf *p, uint32_t off)
{
	uint32_t n = p->total - off, at = 0;
	struct pbuf *head = NULL, **link = &head;
	uint8_t src[16], dst[16];

	memcpy(dst, p->data + 8, 16);
	memcpy(src, p->data + 24, 16);
	if (ip6_is_any(dst) || !icmp_may_send(s, 1) ||
	    (ip6_is_multicast(src) && !ip6_source(s, dst, src))) {
		drop(s, p, &s->n.drop_rate);
		return;
	}
	/* answered in fresh pbufs: the received one may lack headroom */
	while (at < n) {
		struct pbuf *q = pbuf_alloc(s->cfg.pool, PBUF_HEADROOM);

		if (q == NULL)
			break;
		*link = q;
		link = &q->next;
		q->len = q->total = GW_MIN(n - at, PBUF_ROOM - PBUF_HEADROOM);
		(void)!pbuf_copy_out(p, off + at, q->data, q->len);
		at += q->len;
	}
	pbuf_free(s->cfg.pool, p);
	if (at < n || head == NULL) {
		s->n.drop_nomem++;
		if (head != NULL)
			pbuf_free(s->cfg.pool, head);
		return;
	}
	head->total = n;
	head->data[0] = ECHO_REPLY;
	(void)icmp6_send(s, head, src, dst, ip6_hop_limit(s));
}

/* RFC 4443 3.1 and RFC 9293 3.9.2.2: what an error means to a transport, and whether for good. */
static int meaning(const uint8_t *icmp, bool *hard)
{
	static const int unreachable[8] = { ENETUNREACH,  EACCES, EHOSTUNREACH, EHOSTUNREACH,
					    ECONNREFUSED, EACCES, EACCES,	EHOSTUNREACH };

	*hard = icmp[0] == ICMP6_UNREACHABLE && (icmp[1] == 1 || icmp[1] == 4);
	switch (icmp[0]) {
	case ICMP6_UNREACHABLE:
		return -unreachable[icmp[1] & 7];
	case ICMP6_TOO_BIG:
		return -EMSGSIZE;
	case ICMP6_PROBLEM:
		return -ECONNREFUSED;
	default:
		return -EHOSTUNREACH;
	}
}

/* A complaint about a packet of ours, of which n - 8 bytes are quoted. Returns the shard that it is
 * for when that is another. */
static int heard(struct net_stack *s, const uint8_t *icmp, uint32_t n)
{
	const uint8_t *q = icmp + 8, *l4;
	struct net_endpoint src = { .family = 6 }, dst = { .family = 6 };
	uint32_t mtu = icmp[0] == ICMP6_TOO_BIG ? ldbe32(icmp + 4) : 0, off;
	struct ip6_chain c;
	enum ip6_verdict v;
	uint8_t six[32];
	bool hard;
	int err = meaning(icmp, &hard);

	if (n < 8 + IP6_HLEN + 8 || (q[0] >> 4) != 6 || (icmp[0] == ICMP6_TOO_BIG && mtu == 0)) {
		s->n.drop_short++;
		return -1;
	}
	if (!ip6_is_own(s, q + 8) || ip6_is_multicast(q + 24)) {
		s->n.drop_addr++;
		return -1;
	}
	v = ip6_walk(q, n - 8, n - 8, &c);
	off = c.off;
	if (v == CHAIN_FRAGMENT && (ldbe16(q + off + 2) & 0xfff8) == 0) { /* the first of several */
		c.proto = q[off];
		off += IP6_FRAG_HLEN;
		v = CHAIN_UPPER;
	}
	if (v != CHAIN_UPPER || off + 8 > n - 8) {
		s->n.drop_short++;
		return -1;
	}
	l4 = q + off;
	/* RFC 8201 4: less than every link must take is no path MTU */
	if (mtu != 0 && mtu < IP6_MIN_MTU) {
		s->n.drop_proto++;
		return -1;
	}
	if (c.proto == IP_TCP) {
		memcpy(six, q + 24, 16); /* as in what would be received: the remote end first */
		memcpy(six + 16, q + 8, 16);
		return tcp_icmp(s, pair6(s, six), l4, err, mtu, hard);
	}
	if (c.proto == IP_UDP) {
		memcpy(src.ip6, q + 8, 16);
		memcpy(dst.ip6, q + 24, 16);
		src.port = ldbe16(l4);
		dst.port = ldbe16(l4 + 2);
		/* a path that takes less is no error: the next datagram is cut */
		if (udp_icmp(s, &src, &dst, mtu != 0 ? 0 : err) && mtu != 0)
			ip6_learn_mtu(s, dst.ip6, mtu);
	}
	return -1;
}

/* Takes the packet. */
static void error_input(struct net_stack *s, struct pbuf *p, uint32_t off)
{
	uint8_t copy[8 + IP6_HLEN + 256];
	uint32_t n = GW_MIN(p->total - off, (uint32_t)sizeof(copy));
	int shard;

	(void)!pbuf_copy_out(p, off, copy, n);
	shard = s->v6 != NULL ? heard(s, copy, n) : -1;
	if (shard >= 0)
		net_forward(s, p, (uint32_t)shard);
	else
		pbuf_free(s->cfg.pool, p);
}

/* Neighbour discovery and listener queries: about the link, from a neighbour (hop limit). */
static void link_input(struct net_stack *s, const struct pbuf *p, uint32_t off, uint8_t type)
{
	uint8_t copy[28];
	uint32_t n = p->total - off;

	if (type != MLD_QUERY) {
		if (p->data[7] == 255)
			nd_input(s, p, off);
		else
			s->n.drop_arp++;
	} else if (p->data[7] == 1 && ip6_is_link_local(p->data + 8) && s->v6 != NULL) {
		(void)!pbuf_copy_out(p, off, copy, GW_MIN(n, (uint32_t)sizeof(copy)));
		mld_query(s, copy, n);
	} else {
		s->n.drop_proto++;
	}
}

void icmp6_input(struct net_stack *s, struct pbuf *p, uint32_t off, bool was_fragments)
{
	uint32_t n = p->total - off;
	uint8_t type;

	if (n < 8 || !pbuf_pull(s, p, off + 8)) {
		drop(s, p, &s->n.drop_short);
		return;
	}
	if (csum_fold(csum_chain(p, off, n, pseudo6_sum(p->data + 8, IP_ICMP6, n))) != 0xffff) {
		drop(s, p, &s->n.drop_csum);
		return;
	}
	type = p->data[off];
	if (type == ECHO_REQUEST && p->data[off + 1] == 0) {
		echo(s, p, off);
	} else if (type >= ICMP6_UNREACHABLE && type <= ICMP6_PROBLEM) {
		error_input(s, p, off);
	} else if ((type >= ND_RS && type <= ND_REDIRECT) || type == MLD_QUERY) {
		if (was_fragments) /* RFC 6980 5 */
			s->n.drop_frag++;
		else
			link_input(s, p, off, type);
		pbuf_free(s->cfg.pool, p);
	} else {
		drop(s, p, &s->n.drop_proto);
	}
}

/* Is it an error message (or a redirect), or too mutilated to tell? */
static bool is_error(const struct pbuf *p)
{
	struct ip6_chain c;
	uint8_t type;

	switch (ip6_walk(p->data, p->len, p->total, &c)) {
	case CHAIN_UPPER:
		if (c.proto != IP_ICMP6)
			return false;
		return !pbuf_copy_out(p, c.off, &type, 1) || type < ECHO_REQUEST ||
		       type == ND_REDIRECT;
	case CHAIN_PROBLEM:
	case CHAIN_FRAGMENT:
		return false;
	default:
		return true;
	}
}

void icmp6_error(struct net_stack *s, const struct pbuf *p, uint8_t type, uint8_t code,
		 uint32_t arg)
{
	const uint8_t *src = p->data + 8, *dst = p->data + 24;
	uint32_t n = GW_MIN(p->total, QUOTE_MAX);
	struct pbuf *q;
	uint8_t from[16];

	/* RFC 4443 2.4 e: never about an error, a packet from nobody, or to a group, but for
	 * options that say so */
	if (ip6_is_any(src) || ip6_is_multicast(src) ||
	    (ip6_is_multicast(dst) && !(type == ICMP6_PROBLEM && code == 2)) || is_error(p) ||
	    (ip6_is_multicast(dst) && !ip6_source(s, src, from)) || !icmp_may_send(s, 10))
		return;
	if (!ip6_is_multicast(dst))
		memcpy(from, dst, 16);
	q = icmp6_new(s, type, code, 8);
	if (q == NULL)
		return;
	stbe32(q->data + 4, arg);
	if (!pbuf_copy_out(p, 0, q->data + 8, n)) {
		pbuf_free(s->cfg.pool, q);
		return;
	}
	q->len = q->total = 8 + n;
	(void)icmp6_send(s, q, from, src, ip6_hop_limit(s));
}
