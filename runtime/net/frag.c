/* SPDX-License-Identifier: Apache-2.0 */
/* frag.c - reassembly of fragments (RFC 791 3.2, RFC 8200 4.5) in bounded memory: 16 datagrams, 64
 * pbufs, 15 seconds, for both families together. A datagram with overlapping fragments is dropped
 * whole (RFC 5722; for IPv4, too: overlap is an attack or an error). */
#include "runtime/net/ip6_internal.h"

#define FRAG_TICKS WHEEL_MS(15000)

static void clear(struct net_stack *s, struct frag_queue *q)
{
	struct list_node *n;

	while ((n = list_pop(&q->parts)) != NULL)
		drop(s, list_entry(n, struct pbuf, link), &s->n.drop_frag);
	s->frag_pbufs -= q->count;
	q->count = 0;
	q->have = q->total = 0;
}

/* The first fragment came, the rest did not: RFC 8200 4.5 wants the sender told. Of IPv4's, none is
 * (RFC 1122 3.3.2 would): nobody has missed it. */
static void timed_out(struct net_stack *s, struct frag_queue *q)
{
	const struct pbuf *p;

	if (q->key.family != 6 || list_empty(&q->parts))
		return;
	p = list_entry(q->parts.next, struct pbuf, link);
	if (p->seq == 0)
		icmp6_error(s, p, ICMP6_TIME, 1, 0);
}

static void fire(struct net_stack *s, struct net_timer *t)
{
	uint32_t now = now_tick(s);
	bool more = false;

	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++) {
		struct frag_queue *q = &s->frags[i];

		if (q->expires == 0)
			continue;
		if (tick_due(now, q->expires)) {
			timed_out(s, q);
			clear(s, q);
			q->expires = 0;
		} else {
			more = true;
		}
	}
	if (more)
		net_timer_by(s, t, WHEEL_MS(1000));
}

void frag_init(struct net_stack *s)
{
	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++)
		list_init(&s->frags[i].parts);
	timer_init(&s->frag_timer, fire);
}

static struct frag_queue *find(struct net_stack *s, const struct frag_key *key)
{
	struct frag_queue *old = &s->frags[0];

	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++) {
		struct frag_queue *q = &s->frags[i];

		if (q->expires != 0 && memcmp(&q->key, key, sizeof(*key)) == 0)
			return q;
		if (old->expires != 0 &&
		    (q->expires == 0 || (int32_t)(q->expires - old->expires) < 0))
			old = q;
	}
	clear(s, old); /* the oldest gives way */
	old->key = *key;
	old->doomed = false;
	old->ecn = 0;
	old->expires = (now_tick(s) + FRAG_TICKS) | 1;
	net_timer_by(s, &s->frag_timer, WHEEL_MS(1000));
	return old;
}

/* Put [from, to) into its place. false: it overlaps. */
static bool insert(struct frag_queue *q, struct pbuf *p)
{
	struct list_node *at = &q->parts;

	list_for_each (n, &q->parts) {
		struct pbuf *o = list_entry(n, struct pbuf, link);

		if (p->seq < o->end_seq && o->seq < p->end_seq)
			return false;
		if (o->seq >= p->end_seq) {
			at = n;
			break;
		}
	}
	list_add_tail(at, &p->link);
	return true;
}

/* All parts are there, at least one: chain them behind the first, headers and all; the others lose
 * theirs (hdr_len bytes). */
static struct pbuf *join(struct net_stack *s, struct frag_queue *q)
{
	struct pbuf *head = NULL, *tail = NULL;
	struct list_node *n;

	s->frag_pbufs -= q->count;
	q->count = 0;
	while ((n = list_pop(&q->parts)) != NULL) {
		struct pbuf *p = list_entry(n, struct pbuf, link);

		if (head == NULL) {
			head = p;
		} else {
			pbuf_skip(p, p->hdr_len);
			head->total += p->total;
			tail->next = p;
		}
		for (tail = p; tail->next != NULL;)
			tail = tail->next;
	}
	q->expires = 0;
	if (head == NULL)
		return NULL;
	if (q->ecn & 0x8)
		head->data[1] |= q->key.family == 6 ? 0x30 : 3;
	head->flags &= PBUF_LOOPBACK; /* the device cannot have checked the whole */
	return head;
}

/* The fragment's data begins hdr bytes from p's start; off: its place in the datagram's. max: of
 * that. Returns the chain of all when this was the last missing. Takes p. */
static struct pbuf *add(struct net_stack *s, const struct frag_key *key, struct pbuf *p,
			uint32_t hdr, uint32_t off, bool more, uint32_t max)
{
	uint32_t len = p->total - hdr, count = 0;
	struct frag_queue *q;

	if (len == 0 || off + len > max || (more && (len & 7) != 0)) {
		drop(s, p, &s->n.drop_frag);
		return NULL;
	}
	for (struct pbuf *f = p; f != NULL; f = f->next)
		count++;
	q = find(s, key);
	p->seq = off;
	p->end_seq = off + len;
	p->hdr_len = (uint16_t)hdr;
	if (q->doomed || s->frag_pbufs + count > FRAG_PBUFS ||
	    (q->total != 0 && off + len > q->total) ||
	    (!more && q->total != 0 && q->total != off + len) || !insert(q, p)) {
		drop(s, p, &s->n.drop_frag);
		clear(s, q);
		q->doomed = true;
		return NULL;
	}
	q->ecn |= (uint8_t)(1u << ((key->family == 6 ? p->data[1] >> 4 : p->data[1]) & 3));
	q->have += len;
	q->count = (uint16_t)(q->count + count);
	s->frag_pbufs += count;
	if (!more) {
		q->total = off + len;
		/* nothing may lie beyond the end */
		if (list_entry(q->parts.prev, struct pbuf, link)->end_seq > q->total) {
			clear(s, q);
			q->doomed = true;
			return NULL;
		}
	}
	if (q->total == 0 || q->have != q->total)
		return NULL;
	/* RFC 3168 5.3: a mark on a part is the whole's; beside a part that cannot be marked it is
	 * somebody's invention */
	if ((q->ecn & 0x9) == 0x9) {
		clear(s, q);
		q->doomed = true;
		return NULL;
	}
	return join(s, q);
}

struct pbuf *frag_input(struct net_stack *s, struct pbuf *p)
{
	uint8_t *ip = p->data;
	uint32_t hl = (uint32_t)(ip[0] & 15) * 4, frag = ldbe16(ip + 6);
	struct frag_key key;

	memset(&key, 0, sizeof(key));
	memcpy(key.addrs, ip + 12, 8);
	key.id = ld16(ip + 4);
	key.family = 4;
	key.proto = ip[9];
	p = add(s, &key, p, hl, (frag & 0x1fff) * 8, (frag & 0x2000) != 0, 65535 - hl);
	if (p == NULL)
		return NULL;
	ip = p->data;
	stbe16(ip + 2, (uint16_t)p->total);
	st16(ip + 6, 0);
	st16(ip + 10, 0);
	st16(ip + 10, (uint16_t)~csum_fold(csum_bytes(ip, (size_t)(ip[0] & 15) * 4, 0)));
	return p;
}

/* Take the fragment header out: what is before it, the Ethernet header too, moves up. */
static void close_gap(struct pbuf *p, uint32_t off, uint32_t prev, uint8_t next)
{
	uint32_t link = p->flags & PBUF_LOOPBACK ? 0 : ETH_HLEN;

	p->data[prev] = next;
	memmove(p->data - link + IP6_FRAG_HLEN, p->data - link, off + link);
	p->data += IP6_FRAG_HLEN;
	p->len -= IP6_FRAG_HLEN;
	p->total -= IP6_FRAG_HLEN;
	stbe16(p->data + 4, (uint16_t)(p->total - IP6_HLEN));
}

/* RFC 7112: a first fragment has all headers, up to the upper layer's. Where the unfragmentable
 * part ends is one fragment header less. */
static bool whole_chain(const struct pbuf *p, const struct ip6_chain *at)
{
	uint8_t copy[IP6_CHAIN_MAX + 8];
	uint32_t n = GW_MIN(p->total - at->off - IP6_FRAG_HLEN, (uint32_t)IP6_CHAIN_MAX - IP6_HLEN);
	struct ip6_chain c;

	memset(copy, 0, IP6_HLEN);
	copy[6] = p->data[at->off];
	if (!pbuf_copy_out(p, at->off + IP6_FRAG_HLEN, copy + IP6_HLEN, n))
		return false;
	switch (ip6_walk(copy, IP6_HLEN + n, IP6_HLEN + n, &c)) {
	case CHAIN_UPPER: /* and that much of its header as ports and types take */
		return c.off + 8u <= IP6_HLEN + n;
	case CHAIN_SHORT:
	case CHAIN_MORE:
	case CHAIN_FRAGMENT:
		return false;
	default:
		return true; /* the whole will be judged */
	}
}

struct pbuf *frag6_input(struct net_stack *s, struct pbuf *p, const struct ip6_chain *c)
{
	uint32_t frag = ldbe16(p->data + c->off + 2), prev = c->prev, at = c->off;
	bool more = (frag & 1) != 0;
	uint8_t next = p->data[c->off];
	struct frag_key key;

	frag &= 0xfff8;
	if (frag == 0 && !whole_chain(p, c)) {
		icmp6_error(s, p, ICMP6_PROBLEM, 3, 0);
		drop(s, p, &s->n.drop_frag);
		return NULL;
	}
	if (frag == 0 && !more) { /* RFC 6946: on its own, whatever else has this number */
		close_gap(p, at, prev, next);
		return p;
	}
	if (more && ((p->total - at) & 7) != 0)
		icmp6_error(s, p, ICMP6_PROBLEM, 0, 4); /* RFC 8200 4.5 */
	else if (frag + p->total - at - IP6_FRAG_HLEN > 65535 - (at - IP6_HLEN))
		icmp6_error(s, p, ICMP6_PROBLEM, 0, at + 2);
	memset(&key, 0, sizeof(key));
	memcpy(key.addrs, p->data + 8, 32);
	key.id = ld32(p->data + at + 4);
	key.family = 6;
	p->user[0] = prev;
	p = add(s, &key, p, at + IP6_FRAG_HLEN, frag, more, 65535 - (at - IP6_HLEN));
	if (p == NULL)
		return NULL;
	/* of the first one: its headers are those of the whole */
	at = p->hdr_len - IP6_FRAG_HLEN;
	next = p->data[at];
	prev = (uint32_t)p->user[0];
	close_gap(p, at, prev, next);
	return p;
}
