/* SPDX-License-Identifier: Apache-2.0 */
/* udp.c - UDP sockets: one part on each shard, which receives what arrives there and sends what is
 * sent there. */
#include "runtime/native/native_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

#define QUEUE_MAX 256u /* datagrams that wait for gw_udp_recv, each shard */

struct udp_part {
	struct udp_sock *sock[2]; /* for each of gw_udp.at; [0] NULL: closed */
	struct gw_udp *of;
	struct list_node queue; /* pbuf.link; udp_ends says who sent it */
	struct list_node waiting;
	uint32_t n_queued;
};

struct gw_udp {
	gw_udp_received *received;
	void *user;
	struct net_endpoint at[2]; /* one, or IPv6's and IPv4's any address */
	unsigned n_at;
	_Atomic uint32_t refs;
	struct udp_part parts[]; /* n_shards of them */
};

static size_t udp_bytes(void)
{
	return sizeof(struct gw_udp) + n_shards * sizeof(struct udp_part);
}

static inline struct udp_part *own_part(struct gw_udp *u)
{
	return &u->parts[shard_self()->id];
}

static void ref(struct gw_udp *u)
{
	atomic_fetch_add_explicit(&u->refs, 1, memory_order_relaxed);
}

static void unref(struct gw_udp *u)
{
	if (atomic_fetch_sub_explicit(&u->refs, 1, memory_order_acq_rel) == 1)
		mem_free(u, udp_bytes());
}

/* ---- receiving ---- */

static void input(struct udp_sock *sock, void *owner, struct pbuf *p,
		  const struct net_endpoint *from, const struct net_endpoint *to)
{
	struct udp_part *part = owner;
	struct gw_addr addr;

	(void)sock;
	(void)to;
	if (part->of->received != NULL) {
		native_addr(from, &addr);
		part->of->received(part->of, (struct gw_buf *)p, &addr);
		return;
	}
	if (part->n_queued == QUEUE_MAX) {
		pbuf_free(shard_self()->pbufs, p);
		return;
	}
	part->n_queued++;
	list_add_tail(&part->queue, &p->link);
	native_wake(&part->waiting, 0, false);
}

void native_udp_init(struct net_stack *s)
{
	static const struct udp_callbacks callbacks = { .input = input };

	udp_set_callbacks(s, &callbacks);
}

long gw_udp_recv(struct gw_udp *u, void *to, size_t n, struct gw_addr *from, uint64_t deadline_ns)
{
	struct udp_part *part = own_part(u);
	struct net_endpoint e, at;
	struct pbuf *p;
	long len;

	while (list_empty(&part->queue)) {
		int err = -ECANCELED;

		if (part->sock[0] != NULL) {
			ref(u); /* it may be closed meanwhile */
			err = native_wait(&part->waiting, 0, deadline_ns);
			if (part->sock[0] == NULL)
				err = -ECANCELED;
			unref(u);
		}
		if (err != 0)
			return err;
	}
	part->n_queued--;
	p = list_entry(list_pop(&part->queue), struct pbuf, link);
	udp_ends(p, &e, &at);
	if (from != NULL)
		native_addr(&e, from);
	len = p->total;
	(void)!pbuf_copy_out(p, 0, to, (uint32_t)GW_MIN(n, (size_t)len));
	pbuf_free(shard_self()->pbufs, p);
	return len;
}

/* ---- sending ---- */

int gw_udp_give(struct gw_udp *u, struct gw_buf *b, const struct gw_addr *to)
{
	struct pbuf *p = (struct pbuf *)b;
	struct udp_part *part = own_part(u);
	struct net_endpoint e;
	int err = native_endpoint(to, &e);
	unsigned i;

	if (err == 0 && part->sock[0] == NULL)
		err = -ECANCELED;
	i = err == 0 && u->n_at == 2 && e.family == 4; /* at[1] is IPv4's */
	if (err != 0) {
		pbuf_free(shard_self()->pbufs, p);
		return err;
	}
	p->total = 0;
	for (struct pbuf *q = p; q != NULL; q = q->next)
		p->total += q->len;
	return udp_send(part->sock[i], p, &e);
}

int gw_udp_send(struct gw_udp *u, const void *data, size_t n, const struct gw_addr *to)
{
	struct pbuf_pool *pool = shard_self()->pbufs;
	struct pbuf *head = NULL, **link = &head;
	const uint8_t *from = data;

	if (n > 65527) /* 65,535 less the UDP header; with IPv4 its own, too (udp_send) */
		return -EMSGSIZE;
	do {
		struct pbuf *p = pbuf_alloc(pool, PBUF_HEADROOM);

		if (p == NULL) {
			pbuf_free(pool, head);
			return -ENOBUFS;
		}
		p->len = (uint32_t)GW_MIN(n, PBUF_ROOM - PBUF_HEADROOM);
		memcpy(p->data, from, p->len);
		from += p->len;
		n -= p->len;
		*link = p;
		link = &p->next;
	} while (n != 0);
	return gw_udp_give(u, (struct gw_buf *)head, to);
}

/* ---- opening and closing ---- */

static int open_here(void *arg)
{
	struct gw_udp *u = arg;
	struct udp_part *part = own_part(u);
	int err;

	part->of = u;
	list_init(&part->queue);
	list_init(&part->waiting);
	for (unsigned i = 0; i < u->n_at; i++) {
		struct net_endpoint e;

		err = udp_bind(shard_self()->net, &u->at[i], false, part, &part->sock[i]);
		if (err != 0)
			return err;
		if (i == 0)
			ref(u);
		udp_local(part->sock[i], &e); /* port 0: chosen by the first of all */
		u->at[0].port = u->at[1].port = e.port;
	}
	return 0;
}

static int close_here(void *arg)
{
	struct gw_udp *u = arg;
	struct udp_part *part = own_part(u);

	if (part->sock[0] == NULL)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(part->sock); i++) {
		if (part->sock[i] != NULL)
			udp_close(part->sock[i]);
		part->sock[i] = NULL;
	}
	while (!list_empty(&part->queue))
		pbuf_free(shard_self()->pbufs,
			  list_entry(list_pop(&part->queue), struct pbuf, link));
	native_wake(&part->waiting, 0, true);
	unref(u);
	return 0;
}

static void close_all(struct gw_udp *u)
{
	ref(u);
	(void)!native_everywhere(close_here, u);
	unref(u);
}

void gw_udp_close(struct gw_udp *u)
{
	uint16_t port = u->at[0].port;

	close_all(u);
	(void)!platform_port(true, port, false);
}

int gw_udp_open(const struct gw_addr *at, gw_udp_received *received, void *user,
		struct gw_udp **out)
{
	struct gw_udp *u = mem_zalloc(udp_bytes());
	int err;

	if (u == NULL)
		return -ENOMEM;
	u->n_at = native_listen_at(at, u->at);
	if (u->n_at == 0) {
		mem_free(u, udp_bytes());
		return -EAFNOSUPPORT;
	}
	u->received = received;
	u->user = user;
	err = native_everywhere(open_here, u);
	if (err == 0)
		err = platform_port(true, u->at[0].port, true);
	if (err != 0) {
		close_all(u);
		return err;
	}
	control_line("listen udp%s %u", u->n_at == 1 && u->at[0].family == 6 ? "6" : "",
		     u->at[0].port);
	*out = u;
	return 0;
}

void *gw_udp_user(const struct gw_udp *u)
{
	return u->user;
}

void gw_udp_local(const struct gw_udp *u, struct gw_addr *out)
{
	native_addr(&u->at[0], out);
	if (u->n_at == 2)
		out->family = 0;
}
