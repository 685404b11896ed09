/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_listen.c - listening sockets. A listener is registered on every shard's stack; the
 * connections that any of them completes queue here, under the group's lock, until a thread of any
 * shard accepts them. */
#include "linux/sockets/tcp.h"

#define BACKLOG_MAX 4096u /* SOMAXCONN; also the least queue: a burst is not refused */
#define BACKLOG_HALF_MIN 128u
#define RETRY_NS (50 * NS_PER_US)
#define RETRY_MAX 1000u

static struct list_node all_groups = { &all_groups, &all_groups }; /* tcp_ports_lock */

/* ---- groups ---- */
struct group_call {
	struct port_group *g;
	unsigned backlog;
	int result;
};

static void listen_here(void *p)
{
	struct group_call *c = p;
	struct shard *self = shard_self();

	if (c->result < 0)
		return;
	if (!self->net) {
		c->result = -ENETDOWN;
		return;
	}
	c->result = tcp_listen(self->net, &c->g->local, c->backlog, c->g,
			       &c->g->listeners[self->id][0]);
	if (c->result == 0 && c->g->dual) {
		struct net_endpoint any4 = { .family = 4, .port = c->g->local.port };

		c->result = tcp_listen(self->net, &any4, c->backlog, c->g,
				       &c->g->listeners[self->id][1]);
		if (c->result == -EADDRINUSE) /* by SO_REUSEPORT: IPv4 goes to that one first */
			c->result = 0;
	}
}

static void unlisten_here(void *p)
{
	struct port_group *g = p;
	struct shard *self = shard_self();

	for (size_t i = 0; i < ARRAY_SIZE(g->listeners[0]); i++) {
		if (g->listeners[self->id][i])
			tcp_unlisten(self->net, g->listeners[self->id][i]);
		g->listeners[self->id][i] = NULL;
	}
}

static void group_free(struct port_group *g)
{
	sockets_each_shard(unlisten_here, g);
	spin_lock(&tcp_ports_lock);
	list_del(&g->link);
	spin_unlock(&tcp_ports_lock);
	mem_free(g, sizeof(*g));
}

static void group_put(struct port_group *g)
{
	bool last;

	spin_lock(&tcp_ports_lock);
	last = --g->users == 0;
	spin_unlock(&tcp_ports_lock);
	if (last)
		group_free(g); /* found with users 0 meanwhile: the finder tries again */
}

/* The group to join (referenced), or `fresh` put in the list: *out. -EAGAIN: one is just going
 * away. */
static int group_find(struct tcp_socket *t, struct port_group *fresh, struct port_group **out)
{
	int r = 0;

	*out = fresh;
	spin_lock(&tcp_ports_lock);
	list_for_each (n, &all_groups) {
		struct port_group *g = list_entry(n, struct port_group, link);

		if (!tcp_port_overlap(&g->local, g->dual, &t->local, fresh->dual))
			continue;
		if (g->users == 0) {
			r = -EAGAIN;
		} else if (!t->s.ints[SI_REUSEPORT] || tcp_port_taken(t, &t->local)) {
			r = -EADDRINUSE;
		} else if (net_endpoint_same_address(&g->local, &t->local) &&
			   g->dual == fresh->dual) {
			*out = g;
			g->users++;
			break;
		}
		if (r < 0)
			break;
	}
	if (r == 0 && *out == fresh)
		list_add_tail(&all_groups, &fresh->link);
	spin_unlock(&tcp_ports_lock);
	return r;
}

static int group_join(struct tcp_socket *t, unsigned backlog, struct port_group **out)
{
	struct port_group *g = mem_zalloc(sizeof(*g));
	struct group_call c = { .backlog = GW_MAX(backlog, BACKLOG_HALF_MIN) };
	int r = -EAGAIN;

	if (!g)
		return -ENOMEM;
	g->local = t->local;
	g->dual = socket_is_dual(&t->s, &t->local);
	g->users = 1;
	list_init(&g->sockets);
	for (uint32_t i = 0; i < RETRY_MAX; i++) {
		r = group_find(t, g, out);
		if (r != -EAGAIN)
			break;
		uthread_sleep_until(clock_now() + RETRY_NS);
	}
	if (r < 0 || *out != g) {
		mem_free(g, sizeof(*g));
		return r == -EAGAIN ? -EADDRINUSE : r;
	}
	c.g = g;
	sockets_each_shard(listen_here, &c);
	if (c.result < 0)
		group_put(g);
	else
		socket_report_listen(&t->s, &g->local);
	return c.result;
}

/* ---- listen, accept ---- */
int tcp_socket_listen(struct socket *s, int backlog)
{
	struct tcp_socket *t = to_tcp(s);
	uint32_t state = TS_NEW;
	struct port_group *g;
	int r = 0;

	t->backlog = GW_MAX((uint32_t)GW_MAX(backlog, 0), BACKLOG_MAX);
	if (t->state == TS_LISTEN)
		return 0;
	if (!(t->flags & TF_BOUND))
		r = tcp_port_bind(t, socket_any(s));
	if (r < 0)
		return r;
	if (!atomic_compare_exchange_strong(&t->state, &state, TS_LISTEN))
		return -EINVAL;
	r = group_join(t, (unsigned)GW_MIN((uint32_t)GW_MAX(backlog, 0), BACKLOG_MAX), &g);
	if (r < 0) {
		t->state = TS_NEW;
		return r;
	}
	t->group = g;
	spin_lock(&g->lock);
	list_add_tail(&g->sockets, &t->in_group);
	spin_unlock(&g->lock);
	return 0;
}

static void inherit(struct tcp_socket *t, const struct tcp_socket *from)
{
	t->s.domain = from->s.domain;
	memcpy(t->s.ints, from->s.ints, sizeof(t->s.ints));
	t->s.changed = from->s.changed;
	t->s.linger_s = from->s.linger_s;
	t->s.rcvtimeo_ns = from->s.rcvtimeo_ns;
	t->s.sndtimeo_ns = from->s.sndtimeo_ns;
}

/* From a stack, in its shard's loop. */
bool tcp_listener_accepted(struct tcp_listener *l, void *owner, struct tcp_conn *c)
{
	struct port_group *g = owner;
	struct tcp_socket *t, *to = NULL;

	(void)l;
	shard_self()->nofault++; /* the loop must not park for memory */
	t = tcp_socket_new(AF_INET);
	shard_self()->nofault--;
	if (!t)
		return false;
	spin_lock(&g->lock);
	list_for_each (n, &g->sockets) {
		struct tcp_socket *o = list_entry(n, struct tcp_socket, in_group);

		if (o->n_queued < o->backlog) {
			to = o;
			break;
		}
	}
	if (to) {
		list_del(&to->in_group);
		list_add_tail(&g->sockets, &to->in_group);
		inherit(t, to);
		t->flags = TF_REPORTED | (tcp_get_state(c) == TCP_CLOSE_WAIT ? TF_HUP : 0);
		tcp_set_owner(c, t);
		tcp_adopt(t, c, TS_CONNECTED);
		list_add_tail(&to->queue, &t->in_queue);
		to->n_queued++;
		waitq_notify(&to->s.wq, POLLIN | POLLRDNORM);
	}
	spin_unlock(&g->lock);
	if (!to)
		tcp_socket_free(t);
	return to != NULL;
}

int tcp_socket_accept(struct socket *s, struct socket **out)
{
	struct tcp_socket *t = to_tcp(s);
	struct port_group *g = t->group;
	struct list_node *n;

	if (t->state != TS_LISTEN || !g)
		return -EINVAL;
	spin_lock(&g->lock);
	n = list_pop(&t->queue);
	if (n)
		t->n_queued--;
	spin_unlock(&g->lock);
	if (!n)
		return -EAGAIN;
	*out = &list_entry(n, struct tcp_socket, in_queue)->s;
	return 0;
}

void tcp_socket_unaccept(struct socket *s, struct socket *child)
{
	struct tcp_socket *t = to_tcp(s);

	spin_lock(&t->group->lock);
	list_add_head(&t->queue, &to_tcp(child)->in_queue);
	t->n_queued++;
	spin_unlock(&t->group->lock);
}

uint32_t tcp_listener_poll(struct tcp_socket *t)
{
	/* One word is read; a connection that comes at this moment notifies. */
	return *(struct list_node *volatile *)&t->queue.next == &t->queue ? 0 : POLLIN | POLLRDNORM;
}

void tcp_listen_stop(struct tcp_socket *t)
{
	struct port_group *g = t->group;
	struct list_node left;

	if (!g)
		return;
	list_init(&left);
	spin_lock(&g->lock);
	list_del(&t->in_group);
	for (struct list_node *n; (n = list_pop(&t->queue)) != NULL;)
		list_add_tail(&left, n);
	t->n_queued = 0;
	spin_unlock(&g->lock);
	for (struct list_node *n; (n = list_pop(&left)) != NULL;) {
		struct tcp_socket *c = list_entry(n, struct tcp_socket, in_queue);

		tcp_give_up(c, true);
		tcp_socket_free(c);
	}
	t->group = NULL;
	group_put(g);
}
