/* SPDX-License-Identifier: Apache-2.0 */
/* migrate.c - connections between shards. The directory says which shard holds a connection; it is
 * asked only when a packet misses in the stack the device gave it to. Its chains run through the
 * connections themselves, under short bucket locks; nothing else here is shared. */
#include "runtime/net/tcp/tcp_internal.h"

#define MOVING_MAX 128u
#define MOVING_TICKS WHEEL_MS(200)

struct net_directory {
	uint32_t mask;
	struct sip_key key;
	uint64_t pair_key[4]; /* an IPv6 pair has the same key in all stacks */
	struct dir_bucket {
		struct spinlock lock;
		struct tcp_conn *first;
	} bucket[];
};

struct net_directory *net_directory_create(void *(*alloc)(size_t), uint32_t buckets)
{
	struct net_directory *d;
	uint32_t n = 16;

	while (n < buckets && n < 1u << 20)
		n *= 2;
	d = alloc(sizeof(*d) + n * sizeof(d->bucket[0]));
	if (d == NULL)
		return NULL;
	d->mask = n - 1;
	random_bytes(&d->key, sizeof(d->key));
	random_bytes(d->pair_key, sizeof(d->pair_key));
	return d;
}

void net_set_directory(struct net_stack *s, struct net_directory *d)
{
	s->dir = d;
	memcpy(s->tcp.pair_key, d->pair_key, sizeof(d->pair_key));
}

static struct dir_bucket *bucket_of(struct net_directory *d, uint64_t addr, uint32_t port)
{
	uint64_t w[2] = { addr, port };

	return &d->bucket[siphash(&d->key, w, 2) & d->mask];
}

void dir_add(struct tcp_conn *c)
{
	struct dir_bucket *b = bucket_of(c->stack->dir, c->key_addr, c->key_port);

	spin_lock(&b->lock);
	c->dir_next = b->first;
	b->first = c;
	spin_unlock(&b->lock);
}

void dir_del(struct tcp_conn *c)
{
	struct dir_bucket *b = bucket_of(c->stack->dir, c->key_addr, c->key_port);
	struct tcp_conn **at;

	spin_lock(&b->lock);
	for (at = &b->first; *at != NULL; at = &(*at)->dir_next) {
		if (*at == c) {
			*at = c->dir_next;
			break;
		}
	}
	spin_unlock(&b->lock);
}

int dir_find(struct net_directory *d, struct tcp_pair addr, uint32_t port)
{
	struct dir_bucket *b = bucket_of(d, addr.key, port);
	int shard = -1;

	spin_lock(&b->lock);
	for (struct tcp_conn *c = b->first; c != NULL; c = c->dir_next) {
		if (conn_is(c, addr, port)) {
			shard = c->shard;
			break;
		}
	}
	spin_unlock(&b->lock);
	return shard;
}

static void moving_fire(struct net_stack *s, struct net_timer *t)
{
	(void)t;
	for (struct list_node *n; (n = list_pop(&s->tcp.moving)) != NULL;)
		drop(s, list_entry(n, struct pbuf, link), &s->n.drop_noport);
	s->tcp.n_moving = 0;
}

bool tcp_elsewhere(struct net_stack *s, struct pbuf *p, struct tcp_pair addr, uint32_t port)
{
	int shard = dir_find(s->dir, addr, port);

	if (shard < 0)
		return false;
	if ((uint32_t)shard != s->cfg.shard) {
		net_forward(s, p, (uint32_t)shard);
		return true;
	}
	/* on its way to us: it waits here until tcp_attach */
	if (s->tcp.n_moving >= MOVING_MAX) {
		drop(s, p, &s->n.drop_queue);
		return true;
	}
	if (s->tcp.moving_timer.fire == NULL)
		timer_init(&s->tcp.moving_timer, moving_fire);
	list_add_tail(&s->tcp.moving, &p->link);
	s->tcp.n_moving++;
	net_timer_by(s, &s->tcp.moving_timer, MOVING_TICKS);
	return true;
}

/* Reference counts are plain, so no block may be in the hands of two shards: what the device (or an
 * ARP queue) of this one still holds of the send queue is replaced by a copy. */
static int unshare(struct tcp_conn *c)
{
	struct pbuf *prev = NULL, *next;

	for (struct pbuf *p = c->tx_head; p != NULL; prev = p, p = next) {
		struct pbuf *q;

		next = seg_next(p);
		if (p->refs == 1)
			continue;
		q = pbuf_alloc(c->stack->cfg.pool, TCP_TX_OFF);
		if (q == NULL)
			return -ENOMEM;
		q->seq = p->seq;
		q->end_seq = p->end_seq;
		q->time_ns = p->time_ns;
		q->user[1] = p->user[1];
		q->user[2] = p->user[2];
		rate_copy(q, p);
		memcpy(seg_payload(q), seg_payload(p), seg_len(p));
		if (prev != NULL)
			seg_set_next(prev, q);
		else
			c->tx_head = q;
		if (c->tx_tail == p)
			c->tx_tail = q;
		if (c->tx_next == p)
			c->tx_next = q;
		p->refs--;
		p = q;
	}
	return 0;
}

int tcp_detach(struct tcp_conn *c, uint32_t to_shard)
{
	struct net_stack *s = c->stack;
	uint32_t left = now_tick(s);

	if (unshare(c) != 0)
		return -ENOMEM;
	if (c->flags & TF_HASHED) {
		struct tcp_conn **at = &s->tcp.hash[tcp_hash_of(s, c->key_addr, c->key_port)];

		while (*at != c)
			at = &(*at)->hash_next;
		*at = c->hash_next;
	}
	timer_cancel(&c->timer);
	list_del(&c->work);
	/* deadlines travel as ticks: the stacks share one clock */
	c->tune_tick = left;
	if (conn_is6(c))
		c->six->nd = NULL;
	else
		c->arp = NULL;
	c->flags |= TF_DETACHED;
	s->tcp.n_conns--;
	s->tcp.rcv_growth -= rx_growth(c);
	if ((c->flags & TF_HASHED) && s->dir != NULL) {
		struct dir_bucket *b = bucket_of(s->dir, c->key_addr, c->key_port);

		spin_lock(&b->lock);
		c->shard = (uint16_t)to_shard;
		spin_unlock(&b->lock);
	} else {
		c->shard = (uint16_t)to_shard;
	}
	return 0;
}

int tcp_attach(struct net_stack *s, struct tcp_conn *c)
{
	struct tcp_pair addr = conn_pair(c);
	uint32_t port = c->key_port;
	struct list_node mine, *n;

	if (s->tcp.n_conns >= s->cfg.max_conns)
		return -ENOMEM;
	s->tcp.n_conns++;
	s->tcp.rcv_growth += rx_growth(c);
	c->stack = s;
	c->flags &= ~TF_DETACHED;
	/* its pbufs may now be freed into this shard's pool */
	if (!(c->flags & TF_HASHED))
		return 0;
	{
		uint32_t h = tcp_hash_of(s, addr.key, port);

		c->hash_next = s->tcp.hash[h];
		s->tcp.hash[h] = c;
	}
	conn_arm_all(c);
	list_init(&mine);
	list_for_each_safe(m, &s->tcp.moving)
	{
		struct pbuf *p = list_entry(m, struct pbuf, link);
		uint32_t off = addr.six != NULL ? p->seq : (uint32_t)(p->data[0] & 15) * 4;

		if (p->data[0] >> 4 != (addr.six != NULL ? 6 : 4) ||
		    (addr.six != NULL ? memcmp(p->data + 8, addr.six, 32) != 0
				      : ld64(p->data + 12) != addr.key) ||
		    ld32(p->data + off) != port)
			continue;
		list_del(m);
		list_add_tail(&mine, m);
		s->tcp.n_moving--;
	}
	while ((n = list_pop(&mine)) != NULL) {
		struct pbuf *p = list_entry(n, struct pbuf, link);

		if (addr.six != NULL)
			tcp6_input(s, p, p->seq);
		else
			tcp_input(s, p);
	}
	tcp_output(c);
	return 0;
}
