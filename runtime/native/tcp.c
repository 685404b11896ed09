/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - connections: events from the stack told to tasks at once and to callbacks at the end of
 * the turn, outside of the stack, where everything may be called. */
#include "runtime/native/tcp_internal.h"
#include "runtime/platform/platform.h"

struct gw_tcp *native_tcp_new(struct tcp_conn *conn, const struct gw_tcp_ops *ops, void *user)
{
	struct gw_tcp *c = mem_zalloc(sizeof(*c));

	if (c == NULL)
		return NULL;
	c->conn = conn;
	c->ops = ops;
	c->user = user;
	list_init(&c->link);
	list_init(&c->waiting);
	if (conn != NULL)
		tcp_set_owner(conn, c);
	native_self()->n_conns++;
	return c;
}

void native_tcp_free(struct gw_tcp *c)
{
	if (c->conn != NULL)
		tcp_close(c->conn);
	native_gone(&c->waiting);
	list_del(&c->link);
	native_self()->n_conns--;
	if (c->part != NULL)
		native_listener_left(c->part);
	if (c->port != 0)
		(void)!platform_port(false, c->port, false);
	mem_free(c, sizeof(*c));
}

void native_tcp_ready(struct gw_tcp *c, unsigned events)
{
	c->events |= events;
	if (list_empty(&c->link))
		list_add_tail(&native_self()->ready, &c->link);
}

static void event(struct tcp_conn *conn, void *owner, unsigned events)
{
	struct gw_tcp *c = owner;

	(void)conn;
	if (!list_empty(&c->waiting))
		native_wake(&c->waiting, events, true);
	if (c->ops != NULL)
		native_tcp_ready(c, events);
}

void native_tcp_init(struct net_stack *s)
{
	static const struct tcp_callbacks callbacks = { .event = event,
							.accepted = native_accepted };

	tcp_set_callbacks(s, &callbacks);
}

/* ---- callbacks ---- */

static inline bool closing(const struct gw_tcp *c)
{
	return (c->flags & TCP_CLOSE_ASKED) != 0;
}

static void deliver(struct gw_tcp *c)
{
	unsigned events = c->events;

	c->events = 0;
	c->flags |= TCP_IN_CALLBACK;
	if ((events & TCP_EV_ERROR) && tcp_rx_available(c->conn) == 0)
		events &= ~(TCP_EV_READABLE | TCP_EV_HUP);
	/* ops is looked at each time: a callback may change it */
	if ((events & TCP_EV_CONNECTED) && c->ops != NULL && c->ops->opened != NULL)
		c->ops->opened(c);
	if ((events & (TCP_EV_READABLE | TCP_EV_HUP)) && !closing(c) && c->ops != NULL &&
	    c->ops->received != NULL)
		c->ops->received(c);
	if ((events & TCP_EV_WRITABLE) && !(events & TCP_EV_CONNECTED) && !closing(c) &&
	    c->ops != NULL && c->ops->writable != NULL)
		c->ops->writable(c);
	if ((events & TCP_EV_ERROR) && !closing(c) && c->ops != NULL) {
		c->flags |= TCP_TOLD_CLOSED;
		if (c->ops->closed != NULL)
			c->ops->closed(c, tcp_error(c->conn));
		else
			gw_tcp_close(c); /* nobody else would */
	}
	c->flags &= (uint16_t)~TCP_IN_CALLBACK;
	if (closing(c))
		native_tcp_free(c);
}

/* Bounded: what becomes ready meanwhile waits for the next turn. */
bool native_tcp_deliver(struct native *n)
{
	struct list_node *last = n->ready.prev;
	bool any = false;

	while (!list_empty(&n->ready)) {
		struct list_node *node = n->ready.next;

		list_del(node);
		deliver(list_entry(node, struct gw_tcp, link));
		any = true;
		if (node == last)
			break;
	}
	return any;
}

void gw_tcp_set_user(struct gw_tcp *c, void *user)
{
	c->user = user;
}

void *gw_tcp_user(const struct gw_tcp *c)
{
	return c->user;
}

void gw_tcp_set_ops(struct gw_tcp *c, const struct gw_tcp_ops *ops)
{
	c->ops = ops;
	if (ops == NULL)
		return;
	if (tcp_rx_available(c->conn) != 0 || tcp_rx_eof(c->conn))
		native_tcp_ready(c, TCP_EV_READABLE);
	if (tcp_error(c->conn) != 0 && !(c->flags & TCP_TOLD_CLOSED))
		native_tcp_ready(c, TCP_EV_ERROR);
}

/* ---- receiving ---- */

size_t gw_tcp_available(const struct gw_tcp *c)
{
	return tcp_rx_available(c->conn);
}

size_t gw_tcp_peek(const struct gw_tcp *c, const uint8_t **data)
{
	return tcp_rx_peek(c->conn, 0, data);
}

size_t gw_tcp_peek_at(const struct gw_tcp *c, size_t offset, const uint8_t **data)
{
	return tcp_rx_peek(c->conn, offset, data);
}

void gw_tcp_consume(struct gw_tcp *c, size_t n)
{
	tcp_rx_consume(c->conn, n);
}

struct gw_buf *gw_tcp_take(struct gw_tcp *c)
{
	return (struct gw_buf *)tcp_rx_take(c->conn);
}

bool gw_tcp_eof(const struct gw_tcp *c)
{
	return tcp_rx_eof(c->conn) && tcp_error(c->conn) == 0; /* a reset is no orderly end */
}

/* ---- sending ---- */

size_t gw_tcp_space(const struct gw_tcp *c)
{
	return tcp_tx_space(c->conn);
}

size_t gw_tcp_room(struct gw_tcp *c, uint8_t **data)
{
	return tcp_tx_room(c->conn, data);
}

void gw_tcp_commit(struct gw_tcp *c, size_t n)
{
	tcp_tx_commit(c->conn, n, false);
}

void gw_tcp_push(struct gw_tcp *c)
{
	shard_note_write(shard_self()->now_ns);
	tcp_tx_push(c->conn);
}

size_t gw_tcp_write(struct gw_tcp *c, const void *data, size_t n)
{
	const uint8_t *from = data;
	size_t done = 0, room;
	uint8_t *to;

	while (done < n && (room = tcp_tx_room(c->conn, &to)) != 0) {
		room = GW_MIN(room, n - done);
		memcpy(to, from + done, room);
		tcp_tx_commit(c->conn, room, false);
		done += room;
	}
	return done;
}

int gw_tcp_give(struct gw_tcp *c, struct gw_buf *b)
{
	struct pbuf *p = (struct pbuf *)b;
	int err = p->len != 0 ? tcp_tx_append(c->conn, p) : -EPIPE;

	if (err == -EPIPE) { /* or empty */
		err = p->len != 0 ? -EPIPE : 0;
		pbuf_free(shard_self()->pbufs, p);
	}
	return err == -ENOBUFS ? -EAGAIN : err;
}

/* ---- the end, and facts ---- */

void gw_tcp_shutdown(struct gw_tcp *c)
{
	tcp_shutdown_tx(c->conn);
}

static void give_up(struct gw_tcp *c)
{
	c->conn = NULL;
	native_gone(&c->waiting);
	c->flags |= TCP_CLOSE_ASKED;
	if (!(c->flags & (TCP_IN_CALLBACK | TCP_SERVED)))
		native_tcp_free(c);
}

void gw_tcp_close(struct gw_tcp *c)
{
	tcp_close(c->conn);
	give_up(c);
}

void gw_tcp_abort(struct gw_tcp *c)
{
	tcp_abort(c->conn);
	give_up(c);
}

int gw_tcp_error(const struct gw_tcp *c)
{
	return tcp_error(c->conn);
}

void gw_tcp_local(const struct gw_tcp *c, struct gw_addr *out)
{
	struct net_endpoint e;

	tcp_local(c->conn, &e);
	native_addr(&e, out);
}

void gw_tcp_remote(const struct gw_tcp *c, struct gw_addr *out)
{
	struct net_endpoint e;

	tcp_remote(c->conn, &e);
	native_addr(&e, out);
}

int gw_tcp_set_nodelay(struct gw_tcp *c, bool on)
{
	return tcp_set_opt(c->conn, TCP_OPT_NODELAY, on);
}

int gw_tcp_set_buffers(struct gw_tcp *c, uint32_t send, uint32_t receive)
{
	int err;

	if (send < 4096 || receive < 4096 || send > 1u << 20 || receive > 1u << 20)
		return -EINVAL;
	err = tcp_set_opt(c->conn, TCP_OPT_SNDBUF, (int)send);
	return err != 0 ? err : tcp_set_opt(c->conn, TCP_OPT_RCVBUF, (int)receive);
}

uint32_t gw_tcp_rtt_us(const struct gw_tcp *c)
{
	struct tcp_stats s;

	tcp_get_stats(c->conn, &s);
	return s.srtt_us;
}

size_t gw_tcp_unacked(const struct gw_tcp *c)
{
	struct tcp_stats s;

	tcp_get_stats(c->conn, &s);
	return s.unacked_bytes;
}
