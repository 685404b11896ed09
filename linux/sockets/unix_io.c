/* SPDX-License-Identifier: Apache-2.0 */
/* unix_io.c - bytes, datagrams and descriptors through local sockets. What is sent is copied into a chunk first, then
 * queued at the receiver; one reader at a time copies it out. */
#include "linux/sockets/unix.h"

#define CHUNK_DATA (4096u - sizeof(struct unix_chunk)) /* of a stream: a page */
#define DATAGRAM_MAX 212992u

static uint32_t charge(const struct unix_chunk *c)
{
	return c->len + (uint32_t)sizeof(*c);
}

void unix_chunk_free(struct unix_chunk *c)
{
	scm_free(c->scm);
	if (c->from)
		unix_put(c->from);
	mem_free(c, sizeof(*c) + c->len);
}

/* ---- send ---- */
static int chunk_make(struct uio *from, size_t n, struct unix_chunk **out)
{
	struct unix_chunk *c = mem_alloc(sizeof(*c) + n);

	if (!c)
		return -ENOBUFS;
	*c = (struct unix_chunk){ .len = (uint32_t)n };
	if (n != 0 && uio_get(from, c->data, n) < 0) {
		mem_free(c, sizeof(*c) + n);
		return -EFAULT;
	}
	*out = c;
	return 0;
}

/* Queue at the receiver. -EPIPE: it does not read any more; -ECONNREFUSED: it is gone. */
static int chunk_give(struct unix_socket *to, struct unix_chunk *c)
{
	int r = 0;

	spin_lock(&to->lock);
	if (to->gone)
		r = -ECONNREFUSED;
	else if (to->shut & SHUT_RX_BIT)
		r = -EPIPE;
	else
		list_add_tail(&to->queue, &c->link);
	if (r == 0)
		to->queued += charge(c);
	spin_unlock(&to->lock);
	if (r == 0)
		waitq_notify(&to->s.wq, POLLIN | POLLRDNORM);
	return r;
}

static long send_stream(struct unix_socket *u, struct unix_socket *p, struct sock_msg *m)
{
	uint64_t deadline = socket_deadline(u->s.sndtimeo_ns);
	long total = 0;
	int r = 0;

	while (m->uio->left != 0) {
		size_t n = GW_MIN(m->uio->left, CHUNK_DATA);
		struct unix_chunk *c;

		if (u->shut & SHUT_TX_BIT)
			r = -EPIPE;
		else if (!unix_has_room(p)) {
			r = socket_wait(&u->s, POLLOUT, m->flags, deadline);
			if (r == 0)
				continue;
		}
		if (r == 0)
			r = chunk_make(m->uio, n, &c);
		if (r != 0)
			break;
		c->scm = m->scm;
		r = chunk_give(p, c);
		if (r < 0) {
			c->scm = NULL;
			unix_chunk_free(c);
			r = -EPIPE;
			break;
		}
		m->scm = NULL;
		total += (long)n;
	}
	if (total != 0)
		return total;
	return r == -EPIPE ? socket_epipe(m->flags) : r;
}

static bool has_room_or_gone(struct unix_socket *p)
{
	return unix_has_room(p) || p->gone;
}

static long send_packet(struct unix_socket *u, struct unix_socket *p, struct sock_msg *m)
{
	uint64_t deadline = socket_deadline(u->s.sndtimeo_ns);
	size_t n = m->uio->left;
	struct unix_chunk *c;
	int r = 0;

	if (n > DATAGRAM_MAX)
		return -EMSGSIZE;
	if (u->shut & SHUT_TX_BIT)
		return socket_epipe(m->flags);
	while (!has_room_or_gone(p)) {
		r = unix_wait_for(u, p, has_room_or_gone, m->flags, deadline);
		if (r < 0)
			return r;
	}
	r = chunk_make(m->uio, n, &c);
	if (r < 0)
		return r;
	c->scm = m->scm;
	if (is_dgram(u))
		c->from = unix_get(u);
	r = chunk_give(p, c);
	if (r < 0) {
		c->scm = NULL;
		unix_chunk_free(c);
		if (!is_dgram(u))
			r = -EPIPE;
		return r == -EPIPE ? socket_epipe(m->flags) : r;
	}
	m->scm = NULL;
	return (long)n;
}

long unix_send(struct socket *s, struct sock_msg *m)
{
	struct unix_socket *u = to_unix(s), *p = NULL;
	long r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name && !is_dgram(u))
		return u->state == UX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	if (m->name) {
		r = unix_find(m->name, &p);
		if (r == 0 && !is_dgram(p))
			r = -EPROTOTYPE;
	} else {
		p = unix_peer(u);
		if (!p)
			r = -ENOTCONN;
	}
	if (r == 0)
		r = socket_take_error(s);
	if (r == 0)
		r = s->type == SOCK_STREAM ? send_stream(u, p, m) : send_packet(u, p, m);
	if (p)
		unix_put(p);
	return r;
}

/* ---- receive ---- */
/* The chunk after prev (NULL: the first). rx held, so it stays. */
static struct unix_chunk *chunk_next(struct unix_socket *u, struct unix_chunk *prev)
{
	struct list_node *n;

	spin_lock(&u->lock);
	n = prev ? prev->link.next : u->queue.next;
	spin_unlock(&u->lock);
	return n == &u->queue ? NULL : list_entry(n, struct unix_chunk, link);
}

static void chunk_drop(struct unix_socket *u, struct unix_chunk *c)
{
	bool had_room = unix_has_room(u);
	struct unix_socket *p;

	spin_lock(&u->lock);
	list_del(&c->link);
	u->queued -= charge(c);
	spin_unlock(&u->lock);
	if (!had_room) {
		/* senders: the peer waits on its own queue's waitq, strangers on ours */
		p = unix_peer(u);
		if (p) {
			waitq_notify(&p->s.wq, POLLOUT | POLLWRNORM);
			unix_put(p);
		}
		if (c->from)
			waitq_notify(&c->from->s.wq, POLLOUT | POLLWRNORM);
		waitq_notify(&u->s.wq, POLLOUT);
	}
	unix_chunk_free(c);
}

/* Descriptors of a chunk to the receiver: taken, or doubled when peeking. Without room for them they are closed. */
static int give_scm(struct unix_chunk *c, struct sock_msg *m)
{
	struct scm *copy;

	if (!c->scm)
		return 0;
	if (!(m->flags & MSG_PEEK)) {
		if (m->control)
			m->scm = c->scm;
		else
			scm_free(c->scm);
		c->scm = NULL;
		return 0;
	}
	if (!m->control)
		return 0;
	copy = mem_alloc(scm_size(c->scm->n));
	if (!copy)
		return -ENOMEM;
	copy->n = c->scm->n;
	for (uint32_t i = 0; i < copy->n; i++)
		copy->file[i] = file_get(c->scm->file[i]);
	m->scm = copy;
	return 0;
}

static void give_creds(struct sock_msg *m)
{
	m->has_creds = true;
	m->creds = (struct ucred64){ process_self()->pid, process_self()->uid, process_self()->gid };
}

/* What is there now, up to the uio. Descriptors keep their place in the stream: reading stops before and after a
 * chunk that carries some. Bytes (0: nothing there) or -errno. rx held. */
static long take_stream(struct unix_socket *u, struct sock_msg *m)
{
	bool peek = m->flags & MSG_PEEK;
	struct unix_chunk *c = NULL;
	long total = 0;

	while (m->uio->left != 0 && (c = chunk_next(u, peek ? c : NULL)) != NULL) {
		size_t n = GW_MIN((size_t)(c->len - c->off), m->uio->left), before = m->uio->left;
		bool carries = c->scm != NULL;
		int r;

		if (carries && total != 0)
			break;
		r = uio_put(m->uio, c->data + c->off, n);
		n = before - m->uio->left;
		total += (long)n;
		if (n != 0 && give_scm(c, m) < 0)
			m->out_flags |= MSG_CTRUNC;
		if (!peek) {
			c->off += (uint32_t)n;
			if (c->off == c->len)
				chunk_drop(u, c);
		}
		if (r < 0)
			return total != 0 ? total : r;
		if (carries)
			break;
	}
	return total;
}

/* One packet: its length (or what was copied), or -EAGAIN, -EFAULT. rx held. */
static long take_packet(struct unix_socket *u, struct sock_msg *m)
{
	struct unix_chunk *c = chunk_next(u, NULL);
	size_t n;
	long r;

	if (!c)
		return -EAGAIN;
	n = GW_MIN((size_t)c->len, m->uio->left);
	r = m->flags & MSG_TRUNC ? (long)c->len : (long)n;
	if (n < c->len)
		m->out_flags |= MSG_TRUNC;
	if (u->s.type == SOCK_SEQPACKET)
		m->out_flags |= MSG_EOR;
	if (n != 0 && uio_put(m->uio, c->data, n) < 0)
		r = -EFAULT;
	if (r >= 0 && give_scm(c, m) < 0)
		m->out_flags |= MSG_CTRUNC;
	if (r >= 0 && m->name && c->from)
		(void)u->s.ops->get_name(&c->from->s, false, m->name);
	if (!(m->flags & MSG_PEEK))
		chunk_drop(u, c);
	return r;
}

long unix_recv(struct socket *s, struct sock_msg *m)
{
	struct unix_socket *u = to_unix(s);
	bool stream = s->type == SOCK_STREAM, all = stream && m->flags & MSG_WAITALL && !(m->flags & MSG_PEEK);
	uint64_t deadline = socket_deadline(s->rcvtimeo_ns);
	long total = 0;
	int r = 0;

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!is_dgram(u) && u->state != UX_CONNECTED)
		return -EINVAL;
	if (stream && m->uio->left == 0)
		return 0;
	give_creds(m);
	while (r == 0) {
		uint32_t shut = u->shut; /* before looking: what was sent before the end is read */
		long n;

		mutex_lock(&u->rx);
		n = stream ? take_stream(u, m) : take_packet(u, m);
		mutex_unlock(&u->rx);
		if (!stream && n != -EAGAIN)
			return n;
		if (n > 0)
			total += n;
		if (n < 0 && n != -EAGAIN)
			r = (int)n;
		else if (stream && total != 0 && (!all || m->uio->left == 0 || m->scm))
			break;
		else if (n > 0)
			continue;
		else if (s->err)
			r = socket_take_error(s);
		else if (shut & SHUT_RX_BIT)
			break;
		else
			r = socket_wait(s, POLLIN, m->flags, deadline);
	}
	return total != 0 ? total : r;
}
