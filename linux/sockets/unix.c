/* SPDX-License-Identifier: Apache-2.0 */
/* unix.c - local sockets (stream, datagram, sequenced packets): making, pairs, connect and accept,
 * readiness, the end. */
#include "linux/sockets/unix.h"

#define BACKLOG_MAX 4096

static const struct socket_ops unix_ops;

int unix_socket_create(int type, int protocol, struct socket **out)
{
	struct unix_socket *u;

	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM; /* as Linux does */
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	u = mem_zalloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	socket_init(&u->s, &unix_ops, AF_UNIX, type, 0);
	u->refs = 1;
	mutex_init(&u->rx);
	list_init(&u->queue);
	list_init(&u->waiting);
	list_init(&u->in_waiting);
	list_init(&u->named);
	*out = &u->s;
	return 0;
}

void unix_put(struct unix_socket *u)
{
	if (atomic_fetch_sub(&u->refs, 1) != 1)
		return;
	if (u->name)
		mem_free(u->name, sizeof(*u->name));
	mem_free(u, sizeof(*u));
}

struct unix_socket *unix_peer(struct unix_socket *u)
{
	struct unix_socket *p;

	spin_lock(&u->lock);
	p = u->peer ? unix_get(u->peer) : NULL;
	spin_unlock(&u->lock);
	return p;
}

int unix_socket_pair(struct socket *a, struct socket *b)
{
	to_unix(a)->peer = unix_get(to_unix(b));
	to_unix(b)->peer = unix_get(to_unix(a));
	if (!is_dgram(to_unix(a)))
		to_unix(a)->state = to_unix(b)->state = UX_CONNECTED;
	return 0;
}

int unix_wait_for(struct unix_socket *u, struct unix_socket *other,
		  bool (*ready)(struct unix_socket *), uint32_t msg_flags, uint64_t deadline)
{
	struct waiter w = { .uthread = uthread_self(), .events = POLLOUT };
	int r = 0;

	if (msg_flags & MSG_DONTWAIT || u->s.file->flags & SOCK_NONBLOCK)
		return -EAGAIN;
	waitq_add(&other->s.wq, &w);
	while (!ready(other) && r == 0)
		r = thread_park(deadline);
	waitq_del(&other->s.wq, &w);
	if (r == -ETIMEDOUT)
		return -EAGAIN;
	return r == -ERESTARTSYS && deadline != GW_NEVER ? -EINTR : r;
}

/* ---- connect, listen, accept ---- */
static int unix_listen(struct socket *s, int backlog)
{
	struct unix_socket *u = to_unix(s);
	int r = 0;

	if (is_dgram(u))
		return -EOPNOTSUPP;
	spin_lock(&u->lock);
	if (u->state == UX_CONNECTED || !u->name) {
		r = -EINVAL;
	} else {
		u->state = UX_LISTEN;
		u->backlog = (uint32_t)GW_MIN(GW_MAX(backlog, 0), BACKLOG_MAX);
	}
	spin_unlock(&u->lock);
	waitq_notify(&s->wq, POLLOUT); /* connectors that wait for room */
	return r;
}

static bool can_connect(struct unix_socket *l)
{
	return l->state != UX_LISTEN || l->n_waiting <= l->backlog;
}

/* Join u with a fresh socket in the listener's queue. -EAGAIN: the queue is full. */
static int join(struct unix_socket *u, struct unix_socket *l, struct unix_socket *child)
{
	int r = 0;

	spin_lock(&l->lock);
	if (l->state != UX_LISTEN || l->gone || l->shut & SHUT_RX_BIT)
		r = -ECONNREFUSED;
	else if (l->n_waiting > l->backlog)
		r = -EAGAIN;
	if (r == 0) {
		child->peer = unix_get(u);
		child->state = UX_CONNECTED;
		list_add_tail(&l->waiting, &child->in_waiting);
		l->n_waiting++;
	}
	spin_unlock(&l->lock);
	return r;
}

static int connect_stream(struct unix_socket *u, struct unix_socket *l)
{
	uint64_t deadline = socket_deadline(u->s.sndtimeo_ns);
	uint32_t state = UX_NEW;
	struct socket *made;
	struct unix_socket *child;
	int r = unix_socket_create(u->s.type, 0, &made);

	if (r < 0)
		return r;
	child = to_unix(made);
	r = unix_name_copy(child, l);
	if (r == 0 && !atomic_compare_exchange_strong(&u->state, &state, UX_CONNECTED))
		r = state == UX_CONNECTED ? -EISCONN : -EINVAL;
	if (r < 0) {
		unix_put(child);
		return r;
	}
	/* The peer is set before the child can be accepted and answer. */
	spin_lock(&u->lock);
	u->peer = unix_get(child);
	spin_unlock(&u->lock);
	while ((r = join(u, l, child)) == -EAGAIN) {
		r = unix_wait_for(u, l, can_connect, 0, deadline);
		if (r < 0)
			break;
	}
	if (r == 0) {
		waitq_notify(&l->s.wq, POLLIN | POLLRDNORM);
		waitq_notify(&u->s.wq, POLLOUT | POLLWRNORM);
		return 0;
	}
	spin_lock(&u->lock);
	u->peer = NULL;
	spin_unlock(&u->lock);
	u->state = UX_NEW;
	unix_put(child);
	unix_put(child);
	return r;
}

static int connect_dgram(struct unix_socket *u, struct unix_socket *to)
{
	struct unix_socket *old;

	spin_lock(&u->lock);
	old = u->peer;
	u->peer = to ? unix_get(to) : NULL;
	spin_unlock(&u->lock);
	if (old)
		unix_put(old);
	return 0;
}

static int unix_connect(struct socket *s, const struct sock_name *name)
{
	struct unix_socket *u = to_unix(s), *to;
	int r;

	if (name->u.family == AF_UNSPEC && is_dgram(u))
		return connect_dgram(u, NULL);
	if (u->state == UX_CONNECTED)
		return -EISCONN;
	r = unix_find(name, &to);
	if (r < 0)
		return r;
	if (to->s.type != s->type)
		r = -EPROTOTYPE;
	else
		r = is_dgram(u) ? connect_dgram(u, to) : connect_stream(u, to);
	unix_put(to);
	return r;
}

static int unix_accept(struct socket *s, struct socket **out)
{
	struct unix_socket *u = to_unix(s);
	struct list_node *n;

	if (is_dgram(u))
		return -EOPNOTSUPP;
	spin_lock(&u->lock);
	if (u->state != UX_LISTEN || u->shut & SHUT_RX_BIT) {
		spin_unlock(&u->lock);
		return -EINVAL;
	}
	n = list_pop(&u->waiting);
	if (n)
		u->n_waiting--;
	spin_unlock(&u->lock);
	if (!n)
		return -EAGAIN;
	waitq_notify(&s->wq, POLLOUT);
	*out = &list_entry(n, struct unix_socket, in_waiting)->s;
	return 0;
}

static void unix_unaccept(struct socket *s, struct socket *child)
{
	struct unix_socket *u = to_unix(s);

	spin_lock(&u->lock);
	list_add_head(&u->waiting, &to_unix(child)->in_waiting);
	u->n_waiting++;
	spin_unlock(&u->lock);
}

/* ---- names, shutdown, options ---- */
static int unix_get_name(struct socket *s, bool peer, struct sock_name *out)
{
	struct unix_socket *u = to_unix(s), *of = peer ? unix_peer(u) : unix_get(u);

	if (!of)
		return -ENOTCONN;
	if (of->name)
		*out = *of->name;
	else
		*out = (struct sock_name){ .len = 2, .u.family = AF_UNIX };
	unix_put(of);
	return 0;
}

static int unix_shutdown(struct socket *s, int how)
{
	struct unix_socket *u = to_unix(s), *p = unix_peer(u);
	uint32_t mine = (uint32_t)how + 1; /* RD 1, WR 2, RDWR 3 */
	uint32_t theirs =
		(mine & SHUT_RX_BIT ? SHUT_TX_BIT : 0) | (mine & SHUT_TX_BIT ? SHUT_RX_BIT : 0);
	uint32_t bits = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLRDHUP |
			(how == SHUT_RDWR ? POLLHUP : 0);

	if (!p && u->state != UX_LISTEN)
		return -ENOTCONN;
	u->shut |= mine;
	if (p && !is_dgram(u)) {
		p->shut |= theirs;
		waitq_notify(&p->s.wq, bits);
	}
	if (p)
		unix_put(p);
	waitq_notify(&s->wq, bits);
	return 0;
}

static int unix_special(struct socket *s, int level, int opt, void *to, uint32_t *len)
{
	struct unix_socket *u = to_unix(s);

	if (level != SOL_SOCKET)
		return level == SOL_TCP ? -EOPNOTSUPP : -ENOPROTOOPT;
	if (opt == SO_ACCEPTCONN) {
		int32_t value = u->state == UX_LISTEN;

		*len = sizeof(value);
		memcpy(to, &value, sizeof(value));
		return 0;
	}
	if (opt == SO_PEERCRED) {
		/* one process in a partition: the other end is it */
		struct ucred64 c = { process_self()->pid, process_self()->euid,
				     process_self()->egid };

		if (!u->peer && u->state != UX_LISTEN)
			c = (struct ucred64){ 0, ~0u, ~0u };
		*len = sizeof(c);
		memcpy(to, &c, sizeof(c));
		return 0;
	}
	return -ENOPROTOOPT;
}

static int64_t unix_queued(struct socket *s, bool out)
{
	struct unix_socket *u = to_unix(s);
	int64_t n = 0;

	if (out)
		return 0;
	if (u->state == UX_LISTEN)
		return -EINVAL;
	spin_lock(&u->lock);
	list_for_each (k, &u->queue) {
		struct unix_chunk *c = list_entry(k, struct unix_chunk, link);

		n += c->len - c->off;
		if (s->type != SOCK_STREAM)
			break;
	}
	spin_unlock(&u->lock);
	return n;
}

/* ---- readiness ---- */
static uint32_t unix_file_poll(struct file *f)
{
	struct unix_socket *u = f->object, *p;
	uint32_t ready = u->s.err ? POLLERR : 0, shut = u->shut;

	if (u->state == UX_LISTEN) {
		spin_lock(&u->lock);
		ready |= list_empty(&u->waiting) ? 0 : POLLIN | POLLRDNORM;
		spin_unlock(&u->lock);
		return ready | (shut & SHUT_RX_BIT ? POLLIN | POLLHUP : 0);
	}
	if (!is_dgram(u) && u->state == UX_NEW)
		return ready | POLLOUT | POLLWRNORM | POLLHUP;
	p = unix_peer(u);
	if (u->queued != 0)
		ready |= POLLIN | POLLRDNORM;
	if (shut & SHUT_RX_BIT)
		ready |= POLLIN | POLLRDNORM | POLLRDHUP;
	if (shut == (SHUT_RX_BIT | SHUT_TX_BIT))
		ready |= POLLHUP;
	if (!p || unix_has_room(p) || shut & SHUT_TX_BIT)
		ready |= POLLOUT | POLLWRNORM;
	if (p)
		unix_put(p);
	return ready;
}

/* ---- the end ---- */
static void unix_release(struct unix_socket *u)
{
	struct list_node chunks, waiting;
	struct unix_socket *p;
	bool unread;

	unix_unname(u);
	list_init(&chunks);
	list_init(&waiting);
	spin_lock(&u->lock);
	u->gone = true;
	u->shut = SHUT_RX_BIT | SHUT_TX_BIT;
	p = u->peer;
	u->peer = NULL;
	for (struct list_node *n; (n = list_pop(&u->queue)) != NULL;)
		list_add_tail(&chunks, n);
	for (struct list_node *n; (n = list_pop(&u->waiting)) != NULL;)
		list_add_tail(&waiting, n);
	u->n_waiting = 0;
	unread = !list_empty(&chunks);
	spin_unlock(&u->lock);
	waitq_notify(&u->s.wq, POLLOUT); /* who waits to send or connect here */
	if (p && !is_dgram(u)) {
		if (unread)
			p->s.err = ECONNRESET;
		p->shut = SHUT_RX_BIT | SHUT_TX_BIT;
	}
	if (p) {
		waitq_notify(&p->s.wq,
			     POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLHUP | POLLRDHUP);
		unix_put(p);
	}
	for (struct list_node *n; (n = list_pop(&waiting)) != NULL;)
		unix_release(list_entry(n, struct unix_socket,
					in_waiting)); /* these have no queue of their own */
	for (struct list_node *n; (n = list_pop(&chunks)) != NULL;)
		unix_chunk_free(list_entry(n, struct unix_chunk, link));
	unix_put(u);
}

static void unix_file_release(struct file *f)
{
	if (f->object)
		unix_release(f->object);
}

static const struct socket_ops unix_ops = {
	.bind = unix_bind,
	.listen = unix_listen,
	.accept = unix_accept,
	.unaccept = unix_unaccept,
	.connect = unix_connect,
	.get_name = unix_get_name,
	.shutdown = unix_shutdown,
	.send = unix_send,
	.recv = unix_recv,
	.get_special = unix_special,
	.queued = unix_queued,
	.file = {
		.read = socket_file_read,
		.write = socket_file_write,
		.poll = unix_file_poll,
		.ioctl = socket_ioctl,
		.stat = socket_stat,
		.release = unix_file_release,
		.kind = socket_kind,
	},
};
