/* SPDX-License-Identifier: Apache-2.0 */
/* listen.c - listeners: one part on each shard; what arrives there stays there. */
#include "runtime/native/tcp_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/console.h"

#define BACKLOG 1024u
#define QUEUE_MAX 1024u /* connections that wait for gw_tcp_accept, each shard */

static size_t listener_bytes(void)
{
	return sizeof(struct gw_listener) + n_shards * sizeof(struct listener_part);
}

static void unref(struct gw_listener *l)
{
	/* acq_rel: what others did with it is before it is freed */
	if (atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) != 1)
		return;
	(void)!platform_port(false, l->at[0].port, false); /* no connection is on it any more */
	mem_free(l, listener_bytes());
}

void native_listener_left(struct listener_part *part)
{
	part->n_open--;
	unref(part->of);
}

/* ---- a connection arrives ---- */

static void serve(void *arg)
{
	struct gw_tcp *c = arg;
	const struct gw_tcp_service *s = &c->part->of->service;

	s->serve(c, s->arg);
	native_tcp_free(c);
}

static int hand_over(struct listener_part *part, struct gw_tcp *c)
{
	const struct gw_tcp_service *s = &part->of->service;

	if (s->serve != NULL) {
		c->flags |= TCP_SERVED;
		return uthread_create_sized(NULL, shard_self(), serve, c, "serve", s->stack_bytes);
	}
	if (c->ops != NULL) {
		native_tcp_ready(c, TCP_EV_CONNECTED);
		return 0;
	}
	if (part->n_queued == QUEUE_MAX)
		return -EAGAIN;
	part->n_queued++;
	list_add_tail(&part->queue, &c->link);
	native_wake(&part->waiting, 0, false);
	return 0;
}

static bool has_ops(const struct gw_tcp_ops *o)
{
	return o->opened != NULL || o->received != NULL || o->writable != NULL || o->closed != NULL;
}

bool native_accepted(struct tcp_listener *tl, void *owner, struct tcp_conn *conn)
{
	struct listener_part *part = owner;
	const struct gw_tcp_service *s = &part->of->service;
	struct gw_tcp *c;

	(void)tl;
	if (s->max_conns != 0 && part->n_open >= s->max_conns)
		return false;
	c = native_tcp_new(conn, s->serve == NULL && has_ops(&s->ops) ? &s->ops : NULL, s->arg);
	if (c == NULL)
		return false;
	c->part = part;
	part->n_open++;
	atomic_fetch_add_explicit(&part->of->refs, 1, memory_order_relaxed);
	if (s->nodelay)
		(void)!tcp_set_opt(conn, TCP_OPT_NODELAY, 1);
	if (s->idle_ms != 0) {
		int seconds = (int)GW_MAX(s->idle_ms / 1000, 1u);

		(void)!tcp_set_opt(conn, TCP_OPT_KEEPIDLE_S, seconds);
		(void)!tcp_set_opt(conn, TCP_OPT_KEEPALIVE, 1);
	}
	if (hand_over(part, c) == 0)
		return true;
	c->conn = NULL; /* stays the stack's, which resets it */
	native_tcp_free(c);
	return false;
}

/* ---- listening ---- */

static int listen_here(void *arg)
{
	struct gw_listener *l = arg;
	struct listener_part *part = &l->parts[shard_self()->id];
	uint32_t backlog = l->service.backlog != 0 ? l->service.backlog : BACKLOG;
	int err;

	part->of = l;
	list_init(&part->queue);
	list_init(&part->waiting);
	err = tcp_listen(shard_self()->net, &l->at[0], backlog, part, &part->l[0]);
	if (err == 0)
		atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	if (err == 0 && l->n_at == 2)
		err = tcp_listen(shard_self()->net, &l->at[1], backlog, part, &part->l[1]);
	return err;
}

static int unlisten_here(void *arg)
{
	struct gw_listener *l = arg;
	struct listener_part *part = &l->parts[shard_self()->id];

	if (part->l[0] == NULL)
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(part->l); i++) {
		if (part->l[i] != NULL)
			tcp_unlisten(shard_self()->net, part->l[i]);
		part->l[i] = NULL;
	}
	while (!list_empty(&part->queue)) {
		struct gw_tcp *c = list_entry(part->queue.next, struct gw_tcp, link);

		part->n_queued--;
		gw_tcp_close(c);
	}
	native_wake(&part->waiting, 0, true);
	unref(l); /* gw_listener_close holds one more */
	return 0;
}

void gw_listener_close(struct gw_listener *l)
{
	atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
	(void)!native_everywhere(unlisten_here, l);
	unref(l);
}

int gw_tcp_listen(const struct gw_addr *at, const struct gw_tcp_service *service,
		  struct gw_listener **out)
{
	struct gw_listener *l = mem_zalloc(listener_bytes());
	int err;

	if (l == NULL)
		return -ENOMEM;
	l->service = *service;
	l->n_at = native_listen_at(at, l->at);
	err = l->n_at == 0 ? -EAFNOSUPPORT : platform_port(false, at->port, true);
	if (err != 0) {
		mem_free(l, listener_bytes());
		return err;
	}
	err = native_everywhere(listen_here, l);
	if (err != 0) {
		gw_listener_close(l);
		return err;
	}
	control_line("listen tcp%s %u", l->n_at == 1 && l->at[0].family == 6 ? "6" : "", at->port);
	if (out != NULL)
		*out = l;
	return 0;
}

int gw_tcp_accept(struct gw_listener *l, uint64_t deadline_ns, struct gw_tcp **out)
{
	struct listener_part *part = &l->parts[shard_self()->id];

	while (list_empty(&part->queue)) {
		int err = -ECANCELED;

		if (part->l[0] != NULL) {
			/* it may be closed meanwhile */
			atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);
			err = native_wait(&part->waiting, 0, deadline_ns);
			if (part->l[0] == NULL)
				err = -ECANCELED;
			unref(l);
		}
		if (err != 0)
			return err;
	}
	part->n_queued--;
	*out = list_entry(list_pop(&part->queue), struct gw_tcp, link);
	return 0;
}

uint32_t gw_listener_open(const struct gw_listener *l)
{
	return l->parts[shard_self()->id].n_open;
}
