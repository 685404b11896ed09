/* SPDX-License-Identifier: Apache-2.0 */
/* tcp.c - TCP sockets: making, connecting, names, readiness, shutdown and the end. Events come from
 * the stack in its shard's loop. */
#include "linux/sockets/tcp.h"

const struct socket_ops *tcp_ops_used = &tcp_ops;

COLD struct tcp_socket *tcp_socket_new(int domain)
{
	struct tcp_socket *t = mem_zalloc(sizeof(*t));

	if (!t)
		return NULL;
	socket_init(&t->s, tcp_ops_used, domain, SOCK_STREAM, IPPROTO_TCP);
	list_init(&t->bound);
	list_init(&t->in_group);
	list_init(&t->queue);
	list_init(&t->in_queue);
	return t;
}

int tcp_socket_create(int domain, int protocol, struct socket **out)
{
	struct tcp_socket *t;

	if (protocol != 0 && protocol != IPPROTO_TCP)
		return -EPROTONOSUPPORT;
	t = tcp_socket_new(domain);
	if (!t)
		return -ENOMEM;
	*out = &t->s;
	return 0;
}

void tcp_socket_free(struct tcp_socket *t)
{
	mem_free(t, sizeof(*t));
}

void tcp_adopt(struct tcp_socket *t, struct tcp_conn *conn, uint32_t state)
{
	t->conn = conn;
	tcp_local(conn, &t->local);
	tcp_remote(conn, &t->remote);
	t->state = state;
	t->home = shard_self();
	socket_apply_options(&t->s);
	if (t->s.linger_s >= 0)
		(void)t->s.ops->option(&t->s, SOL_SOCKET, SO_LINGER, t->s.linger_s);
	tcp_publish(t);
}

/* ---- readiness ---- */
uint32_t tcp_ready(struct tcp_socket *t)
{
	uint32_t state = t->state, flags = t->flags, ready = 0;
	unsigned can;

	if (state == TS_CONNECTING)
		return 0;
	if (unlikely(state == TS_DEAD))
		return POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLRDHUP |
		       (t->s.err ? POLLERR : 0);
	can = tcp_readiness(t->conn, (size_t)t->s.ints[SI_RCVLOWAT]);
	if (can & TCP_EV_READABLE)
		ready |= POLLIN | POLLRDNORM;
	if (likely(can & TCP_EV_WRITABLE))
		ready |= POLLOUT | POLLWRNORM;
	if (unlikely(flags & (TF_HUP | TF_SHUT_RX | TF_SHUT_TX))) {
		if (flags & (TF_HUP | TF_SHUT_RX))
			ready |= POLLIN | POLLRDNORM | POLLRDHUP;
		if (flags & TF_SHUT_TX)
			ready |= POLLOUT | POLLWRNORM |
				 (flags & (TF_HUP | TF_SHUT_RX) ? POLLHUP : 0);
	}
	return ready;
}

static uint32_t tcp_file_poll(struct file *f)
{
	struct tcp_socket *t = f->object;

	if (likely(t->home == shard_self()))
		return tcp_ready(t);
	switch ((uint32_t)t->state) {
	case TS_NEW:
		return POLLOUT | POLLWRNORM | POLLHUP | (t->s.err ? POLLERR : 0);
	case TS_LISTEN:
		return tcp_listener_poll(t);
	default:
		return t->ready;
	}
}

/* From the stack, at home. */
void tcp_socket_event(struct tcp_conn *c, void *owner, unsigned events)
{
	struct tcp_socket *t = owner;
	uint32_t bits = 0;

	if (events & TCP_EV_READABLE)
		bits |= POLLIN | POLLRDNORM;
	if (events & TCP_EV_WRITABLE)
		bits |= POLLOUT | POLLWRNORM;
	if (unlikely(events & (TCP_EV_CONNECTED | TCP_EV_HUP | TCP_EV_ERROR))) {
		if (events & TCP_EV_CONNECTED) {
			tcp_local(c, &t->local);
			t->state = TS_CONNECTED;
			bits |= POLLOUT | POLLWRNORM;
		}
		if (events & TCP_EV_HUP) {
			t->flags |= TF_HUP;
			bits |= POLLIN | POLLRDNORM | POLLRDHUP |
				(t->flags & TF_SHUT_TX ? POLLHUP : 0);
		}
		if (events & TCP_EV_ERROR) {
			t->s.err = -tcp_error(c);
			t->state = TS_DEAD;
			bits |= POLLERR | POLLHUP | POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM |
				POLLRDHUP;
		}
	}
	tcp_publish(t);
	waitq_notify(&t->s.wq, bits);
}

void tcp_sockets_init_shard(struct net_stack *n)
{
	static const struct tcp_callbacks callbacks = { .event = tcp_socket_event,
							.accepted = tcp_listener_accepted };

	tcp_set_callbacks(n, &callbacks);
	tcp_trace_shard(n);
}

/* ---- connect ---- */
static int connect_start(struct tcp_socket *t, const struct net_endpoint *to)
{
	struct net_endpoint local = { .family = to->family };
	struct net_stack *n = shard_self()->net;
	struct tcp_conn *c;
	int r;

	if (!n || socket_refuses(&t->s, to))
		return -ENETUNREACH;
	if (t->flags & TF_BOUND) {
		if (t->local.family == to->family)
			local = t->local;
		else if (socket_is_dual(&t->s, &t->local))
			local.port = t->local.port;
		else
			return -EAFNOSUPPORT; /* bound to an IPv4-mapped address */
	}
	net_set_now(n, clock_now());
	r = tcp_connect(n, &local, to, t, &c);
	if (r == 0)
		tcp_adopt(t, c, TS_CONNECTING);
	return r;
}

/* The connection attempt is over: its result, once. */
static int connect_result(struct tcp_socket *t)
{
	int r;

	if (t->state == TS_CONNECTED) {
		t->flags |= TF_REPORTED;
		return 0;
	}
	r = socket_take_error(&t->s);
	return r < 0 ? r : -ECONNABORTED;
}

static int connect_wait(struct tcp_socket *t)
{
	int r = socket_wait(&t->s, POLLOUT, 0, socket_deadline(t->s.sndtimeo_ns));

	if (r == -EAGAIN)
		return -EINPROGRESS;
	return r < 0 ? r : connect_result(t);
}

COLD static int disconnect(struct tcp_socket *t)
{
	if (t->state == TS_LISTEN)
		tcp_listen_stop(t);
	if (t->conn)
		tcp_give_up(t, true);
	t->flags &= TF_BOUND;
	t->remote = (struct net_endpoint){ 0 };
	t->state = TS_NEW;
	return 0;
}

COLD static int tcp_socket_connect(struct socket *s, const struct sock_name *name)
{
	struct tcp_socket *t = to_tcp(s);
	uint32_t state = TS_NEW;
	struct net_endpoint to;
	int r;

	if (name->u.family == AF_UNSPEC)
		return disconnect(t);
	r = name_to_endpoint(s, name, &to);
	if (r < 0)
		return r;
	if (to.family == 6 && net_endpoint_is_any(&to) && t->local.family == 4)
		to.family = 4; /* bound to an IPv4-mapped address: so is the loopback one */
	endpoint_default(&to);
	if (t->state == TS_CONNECTED && !(t->flags & TF_REPORTED))
		return connect_result(t);
	if (t->state == TS_CONNECTING)
		return s->file->flags & SOCK_NONBLOCK ? -EALREADY : connect_wait(t);
	if (t->state == TS_DEAD) {
		if (s->err)
			return socket_take_error(s);
		if (t->flags & TF_REPORTED)
			return -EISCONN;
		(void)disconnect(t); /* a failed attempt may be followed by another */
	}
	if (!atomic_compare_exchange_strong(&t->state, &state, TS_CONNECTING))
		return -EISCONN;
	r = connect_start(t, &to);
	if (r < 0) {
		t->state = TS_NEW;
		return r;
	}
	return connect_wait(t);
}

/* ---- names, shutdown, FIONREAD ---- */
COLD static int tcp_socket_name(struct socket *s, bool peer, struct sock_name *out)
{
	struct tcp_socket *t = to_tcp(s);
	struct net_endpoint none = socket_any(s);

	if (peer && t->state != TS_CONNECTED)
		return -ENOTCONN;
	name_from_endpoint(s, out, peer ? &t->remote : t->local.family ? &t->local : &none);
	return 0;
}

COLD static long step_shutdown(struct tcp_socket *t, void *arg)
{
	int how = *(int *)arg;
	uint32_t bits = 0;

	if (t->state != TS_CONNECTED && !(t->state == TS_CONNECTING && how != SHUT_RD))
		return -ENOTCONN;
	if (how != SHUT_RD) {
		t->flags |= TF_SHUT_TX;
		bits |= POLLOUT | POLLWRNORM;
		tcp_shutdown_tx(t->conn);
	}
	if (how != SHUT_WR) {
		t->flags |= TF_SHUT_RX;
		bits |= POLLIN | POLLRDNORM | POLLRDHUP;
		tcp_shutdown_rx(t->conn);
	}
	if (how == SHUT_RDWR || (t->flags & (TF_HUP | TF_SHUT_RX) && t->flags & TF_SHUT_TX))
		bits |= POLLHUP;
	tcp_publish(t);
	waitq_notify(&t->s.wq, bits);
	return 0;
}

COLD static int tcp_socket_shutdown(struct socket *s, int how)
{
	struct tcp_socket *t = to_tcp(s);

	if (t->state == TS_LISTEN) {
		if (how == SHUT_WR)
			return 0;
		tcp_listen_stop(t);
		t->state = TS_NEW;
		waitq_notify(&s->wq, POLLIN | POLLHUP);
		return 0;
	}
	return (int)tcp_at_home(t, step_shutdown, &how);
}

static long step_queued(struct tcp_socket *t, void *arg)
{
	struct tcp_stats st;

	if (!*(bool *)arg)
		return (long)tcp_rx_available(t->conn);
	tcp_get_stats(t->conn, &st);
	return st.unacked_bytes;
}

static int64_t tcp_socket_queued(struct socket *s, bool out)
{
	struct tcp_socket *t = to_tcp(s);

	if (t->state == TS_LISTEN)
		return -EINVAL;
	return t->conn ? tcp_at_home(t, step_queued, &out) : 0;
}

/* ---- the end ---- */
static long step_give_up(struct tcp_socket *t, void *arg)
{
	if (*(bool *)arg)
		tcp_abort(t->conn);
	else
		tcp_close(t->conn);
	t->conn = NULL;
	t->home = NULL;
	return 0;
}

void tcp_give_up(struct tcp_socket *t, bool reset)
{
	(void)tcp_at_home(t, step_give_up, &reset);
}

COLD static void tcp_file_release(struct file *f)
{
	struct tcp_socket *t = f->object;

	if (!t)
		return;
	if (t->state == TS_LISTEN)
		tcp_listen_stop(t);
	if (t->conn)
		tcp_give_up(t, t->s.linger_s == 0);
	tcp_port_free(t);
	tcp_socket_free(t);
}

const struct socket_ops tcp_ops = {
	.bind = tcp_socket_bind,
	.listen = tcp_socket_listen,
	.accept = tcp_socket_accept,
	.unaccept = tcp_socket_unaccept,
	.connect = tcp_socket_connect,
	.get_name = tcp_socket_name,
	.shutdown = tcp_socket_shutdown,
	.send = tcp_socket_send,
	.recv = tcp_socket_recv,
	.option = tcp_socket_option,
	.get_special = tcp_socket_special,
	.queued = tcp_socket_queued,
	.file = {
		.read = tcp_file_read,
		.write = tcp_file_write,
		.poll = tcp_file_poll,
		.ioctl = socket_ioctl,
		.stat = socket_stat,
		.release = tcp_file_release,
		.kind = socket_kind,
	},
};
