/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_io.c - bytes between the program and a TCP connection's queues. A step runs at the
 * connection's home, copies without parking, and stops where a page must be brought in first; then
 * the caller, between steps, does that or waits. */
#include "linux/sockets/tcp.h"

struct io {
	struct uio *uio;
	uint32_t flags; /* MSG_* */
	bool fault;	/* the step stopped at a page that is not there */
	size_t skip;	/* MSG_PEEK: bytes already copied */
};

/* ---- receive ---- */
static long step_rx(struct tcp_socket *t, void *arg)
{
	struct io *io = arg;
	struct uio *u = io->uio;
	struct tcp_conn *c = t->conn;
	size_t got = 0;

	while (u->left != 0) {
		const uint8_t *data;
		size_t n = tcp_rx_peek(c, io->skip, &data), moved;

		if (n == 0)
			break;
		n = GW_MIN(n, u->left);
		if (unlikely(io->flags & MSG_TRUNC)) {
			u->left -= n; /* TCP: thrown away */
			moved = n;
		} else {
			moved = uio_put_nofault(u, data, n);
		}
		if (unlikely(io->flags & MSG_PEEK))
			io->skip += moved;
		else
			tcp_rx_consume(c, moved);
		got += moved;
		if (unlikely(moved < n)) {
			io->fault = true;
			break;
		}
	}
	if (likely(got != 0)) {
		tcp_publish(t);
		return (long)got;
	}
	if (io->fault)
		return -EFAULT;
	if (t->state == TS_CONNECTING)
		return -EAGAIN;
	if (t->s.err)
		return socket_take_error(&t->s);
	if (t->state == TS_DEAD || t->flags & (TF_HUP | TF_SHUT_RX))
		return 0;
	return -EAGAIN;
}

static long recv_slow(struct tcp_socket *t, struct io *io, long n);

/* One pass does it nearly always. */
static inline long recv_some(struct tcp_socket *t, struct io *io)
{
	long n = tcp_at_home(t, step_rx, io);

	if (likely(n > 0 && !io->fault && (io->uio->left == 0 || !(io->flags & MSG_WAITALL))))
		return n;
	return n == 0 ? 0 : recv_slow(t, io, n);
}

static long recv_slow(struct tcp_socket *t, struct io *io, long n)
{
	uint64_t deadline = socket_deadline(t->s.rcvtimeo_ns);
	long total = 0;
	int r = 0;

	for (;; n = tcp_at_home(t, step_rx, io)) {
		if (n == 0)
			break;
		if (n > 0)
			total += n;
		if (io->fault) {
			io->fault = false;
			r = uio_fault_in(io->uio, true);
		} else if (n > 0) {
			if (io->uio->left == 0 || !(io->flags & MSG_WAITALL) ||
			    io->flags & MSG_PEEK)
				break;
		} else if (n == -EAGAIN) {
			if (total != 0 && !(io->flags & MSG_WAITALL))
				break;
			r = socket_wait(&t->s, POLLIN, io->flags, deadline);
		} else {
			r = (int)n;
		}
		if (r < 0)
			return total != 0 ? total : r;
	}
	return total;
}

long tcp_socket_recv(struct socket *s, struct sock_msg *m)
{
	struct io io = { .uio = m->uio, .flags = m->flags };

	if (m->flags & MSG_OOB)
		return -EINVAL;
	if (m->flags & MSG_ERRQUEUE)
		return -EAGAIN;
	if (m->uio->left == 0 && to_tcp(s)->conn)
		return 0;
	return recv_some(to_tcp(s), &io);
}

long tcp_file_read(struct file *f, struct uio *u, int64_t off)
{
	struct io io = { .uio = u };

	if (unlikely(off >= 0))
		return -ESPIPE;
	if (unlikely(u->left == 0))
		return 0;
	return recv_some(f->object, &io);
}

/* ---- send ---- */
static long step_tx(struct tcp_socket *t, void *arg)
{
	struct io *io = arg;
	struct uio *u = io->uio;
	struct tcp_conn *c = t->conn;
	uint64_t now;
	size_t put = 0;

	if (unlikely(t->state != TS_CONNECTED || t->flags & TF_SHUT_TX)) {
		if (t->state == TS_CONNECTING && !(t->flags & TF_SHUT_TX))
			return -EAGAIN;
		if (t->s.err)
			return socket_take_error(&t->s);
		return -EPIPE;
	}
	now = clock_now(); /* the program may have computed for long since the loop's last turn */
	net_set_now(tcp_stack(c), now);
	shard_note_write(now);
	while (u->left != 0) {
		uint8_t *to;
		size_t room = tcp_tx_room(c, &to), n = GW_MIN(room, u->left), moved;

		if (unlikely(n == 0))
			break;
		moved = uio_get_nofault(u, to, n);
		put += moved;
		if (unlikely(moved < n))
			io->fault = true;
		if (likely(moved != 0))
			tcp_tx_commit(c, moved, u->left == 0 ? !(io->flags & MSG_MORE) : io->fault);
		if (unlikely(io->fault))
			break;
	}
	if (unlikely(u->left != 0 && put != 0 && !io->fault))
		tcp_tx_push(c); /* full: what is there must leave to make room */
	tcp_publish(t);
	if (likely(put != 0))
		return (long)put;
	return io->fault ? -EFAULT : -EAGAIN;
}

/* Wait for room. The stack may be short of buffers although the connection has space: then look
 * again soon. */
static int wait_room(struct tcp_socket *t, uint32_t flags, uint64_t deadline)
{
	bool nonblock = flags & MSG_DONTWAIT || (t->s.file->flags & SOCK_NONBLOCK);

	if (!nonblock && t->state == TS_CONNECTED && t->s.ops->file.poll(t->s.file) & POLLOUT) {
		uint64_t soon = clock_now() + NS_PER_MS;
		int r;

		if (soon > deadline)
			return -EAGAIN;
		r = thread_park(soon);
		return r == -ETIMEDOUT ? 0 : r;
	}
	if (nonblock)
		return -EAGAIN;
	return socket_wait(&t->s, POLLOUT, flags, deadline);
}

static long send_slow(struct tcp_socket *t, struct io *io, long n)
{
	uint64_t deadline = socket_deadline(t->s.sndtimeo_ns);
	long total = 0;

	for (;; n = tcp_at_home(t, step_tx, io)) {
		int r = 0;

		if (n > 0)
			total += n;
		if (io->fault) {
			io->fault = false;
			r = uio_fault_in(io->uio, false);
		} else if (io->uio->left == 0) {
			return total;
		} else if (n > 0 || n == -EAGAIN) {
			if (n == -EAGAIN)
				r = wait_room(t, io->flags, deadline);
		} else {
			r = (int)n;
		}
		if (r < 0) {
			if (total != 0)
				return total;
			return r == -EPIPE || r == -ENOTCONN ? socket_epipe(io->flags) : r;
		}
	}
}

static inline long send_some(struct tcp_socket *t, struct io *io)
{
	long n = tcp_at_home(t, step_tx, io);

	if (likely(io->uio->left == 0 && n > 0))
		return n;
	return send_slow(t, io, n);
}

long tcp_socket_send(struct socket *s, struct sock_msg *m)
{
	struct io io = { .uio = m->uio, .flags = m->flags };

	if (m->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (m->uio->left == 0 && to_tcp(s)->state == TS_CONNECTED &&
	    !(to_tcp(s)->flags & TF_SHUT_TX))
		return 0;
	return send_some(to_tcp(s), &io);
}

long tcp_file_write(struct file *f, struct uio *u, int64_t off)
{
	struct io io = { .uio = u };

	if (unlikely(off >= 0))
		return -ESPIPE;
	if (unlikely(u->left == 0))
		return 0;
	return send_some(f->object, &io);
}
