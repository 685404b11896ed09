/* SPDX-License-Identifier: Apache-2.0 */
/* frag.c - reassembly of IPv4 fragments in bounded memory: 16 datagrams, 64 pbufs, 15 seconds. A
 * datagram with overlapping fragments is dropped whole (as RFC 5722 says for IPv6): overlap is an
 * attack or an error. */
#include "runtime/net/net_internal.h"

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

static void fire(struct net_stack *s, struct net_timer *t)
{
	uint32_t now = now_tick(s);
	bool more = false;

	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++) {
		struct frag_queue *q = &s->frags[i];

		if (q->expires == 0)
			continue;
		if (tick_due(now, q->expires)) {
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

static struct frag_queue *find(struct net_stack *s, const uint8_t *ip)
{
	uint64_t addrs = ld64(ip + 12);
	uint16_t id = ld16(ip + 4);
	struct frag_queue *old = &s->frags[0];

	for (unsigned i = 0; i < FRAG_DATAGRAMS; i++) {
		struct frag_queue *q = &s->frags[i];

		if (q->expires != 0 && q->addrs == addrs && q->id == id && q->proto == ip[9])
			return q;
		if (old->expires != 0 &&
		    (q->expires == 0 || (int32_t)(q->expires - old->expires) < 0))
			old = q;
	}
	clear(s, old); /* the oldest gives way */
	old->addrs = addrs;
	old->id = id;
	old->proto = ip[9];
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

/* All parts are there, at least one: chain them behind the first, whose header becomes the whole's.
 */
static struct pbuf *join(struct net_stack *s, struct frag_queue *q)
{
	struct pbuf *head = NULL, *tail = NULL;
	struct list_node *n;
	uint8_t *ip;

	s->frag_pbufs -= q->count;
	q->count = 0;
	while ((n = list_pop(&q->parts)) != NULL) {
		struct pbuf *p = list_entry(n, struct pbuf, link);

		if (head == NULL) {
			head = p;
		} else {
			uint32_t hl = (uint32_t)(p->data[0] & 15) * 4;

			pbuf_skip(p, hl);
			head->total += p->total;
			tail->next = p;
		}
		for (tail = p; tail->next != NULL;)
			tail = tail->next;
	}
	q->expires = 0;
	if (unlikely(head == NULL))
		return NULL;
	ip = head->data;
	if (q->ecn & 0x8)
		ip[1] |= 3;
	stbe16(ip + 2, (uint16_t)head->total);
	st16(ip + 6, 0);
	st16(ip + 10, 0);
	st16(ip + 10, (uint16_t)~csum_fold(csum_bytes(ip, (size_t)(ip[0] & 15) * 4, 0)));
	head->flags &= PBUF_LOOPBACK; /* the device cannot have checked the whole */
	return head;
}

struct pbuf *frag_input(struct net_stack *s, struct pbuf *p)
{
	const uint8_t *ip = p->data;
	uint32_t hl = (uint32_t)(ip[0] & 15) * 4, off = (uint32_t)(ldbe16(ip + 6) & 0x1fff) * 8,
		 len = p->total - hl;
	bool more = (ldbe16(ip + 6) & 0x2000) != 0;
	struct frag_queue *q;
	uint32_t count = 0;

	if (len == 0 || off + len + hl > 65535 || (more && (len & 7) != 0)) {
		drop(s, p, &s->n.drop_frag);
		return NULL;
	}
	for (struct pbuf *f = p; f != NULL; f = f->next)
		count++;
	q = find(s, ip);
	p->seq = off;
	p->end_seq = off + len;
	if (q->doomed || s->frag_pbufs + count > FRAG_PBUFS ||
	    (q->total != 0 && off + len > q->total) ||
	    (!more && q->total != 0 && q->total != off + len) || !insert(q, p)) {
		drop(s, p, &s->n.drop_frag);
		clear(s, q);
		q->doomed = true;
		return NULL;
	}
	q->ecn |= (uint8_t)(1u << (ip[1] & 3));
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
