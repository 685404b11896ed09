/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - one connection: connecting, sending, receiving, and what to do when it breaks.
 * Everything that a server does (refuse, close, answer nonsense, fall silent) ends in an error that
 * is counted and a connection that is made anew. */
#include <errno.h>
#include <netinet/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tools/load/worker.h"

#define BACKOFF_FIRST (2 * NS_PER_MS)
#define BACKOFF_MOST (500 * NS_PER_MS)

void worker_error(struct worker *w, enum load_error kind, uint64_t n, const char *format, ...)
{
	va_list ap;

	w->counters.errors[kind] += n;
	if (w->first_error[kind][0] != '\0')
		return;
	va_start(ap, format);
	vsnprintf(w->first_error[kind], sizeof(w->first_error[kind]), format, ap);
	va_end(ap);
}

static void watch(struct worker *w, struct conn *c, int op, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.ptr = c };

	if (epoll_ctl(w->epoll, op, c->fd, &e) != 0)
		worker_error(w, LOAD_CONNECT, 1, "epoll_ctl: %s", strerror(errno));
}

void conn_drop(struct worker *w, struct conn *c)
{
	if (c->state == CONN_UP)
		w->n_up--;
	if (c->opened && w->config->proto->close != NULL)
		w->config->proto->close(c->state_of);
	c->opened = false;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->state = CONN_DOWN;
	c->writing = false;
	c->out.len = c->out_sent = 0;
}

/* The connection is of no more use; it is made again after a while. */
static void retry(struct worker *w, struct conn *c, uint64_t now)
{
	conn_drop(w, c);
	c->retry_at = now + c->backoff;
	c->backoff = GW_MIN(GW_MAX(c->backoff * 2, BACKOFF_FIRST), BACKOFF_MOST);
}

static void broken(struct worker *w, struct conn *c, enum load_error kind, const char *why)
{
	uint64_t now = clock_ns(), lost = flight_lose(w, c, now, kind == LOAD_TIMEOUT);

	worker_error(w, kind, GW_MAX(lost, 1), "%s", why);
	retry(w, c, now);
}

static void connected(struct worker *w, struct conn *c)
{
	const struct proto *p = w->config->proto;
	int one = 1;

	if (!p->datagram)
		(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->state = CONN_UP;
	w->n_up++;
	w->counters.reconnects += c->generation > 0;
	memset(c->state_of, 0, p->conn_size);
	p->open(c->state_of, w->shared, c->index, c->generation++);
	c->opened = true;
	c->first_id = 0;
	watch(w, c, EPOLL_CTL_MOD, EPOLLIN);
	c->free_at = clock_ns();
	conn_offer(w, c, c->free_at);
}

void conn_start(struct worker *w, struct conn *c, uint64_t now)
{
	int type = (w->config->proto->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK |
		   SOCK_CLOEXEC;

	c->fd = socket(w->address->ss_family, type, 0);
	if (c->fd < 0) {
		worker_error(w, LOAD_CONNECT, 1, "socket: %s", strerror(errno));
		retry(w, c, now);
		return;
	}
	c->state = CONN_CONNECTING;
	watch(w, c, EPOLL_CTL_ADD, EPOLLOUT);
	if (connect(c->fd, (const struct sockaddr *)w->address, w->address_len) == 0) {
		connected(w, c);
	} else if (errno != EINPROGRESS) {
		worker_error(w, LOAD_CONNECT, 1, "connect: %s", strerror(errno));
		retry(w, c, now);
	} else {
		c->retry_at = now + w->config->connect_timeout; /* until when it may take */
	}
}

static void finish_connect(struct worker *w, struct conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	if (error == 0) {
		connected(w, c);
		return;
	}
	worker_error(w, LOAD_CONNECT, 1, "connect: %s", strerror(error));
	retry(w, c, clock_ns());
}

/* Marks when the requests that are now handed to the socket were sent, and how late that is by our
 * own fault. */
static void stamp(struct worker *w, struct conn *c)
{
	uint64_t now = clock_ns();

	for (uint32_t i = c->n; i-- > 0;) {
		struct flight *f = &c->flights[(c->head + i) % w->config->pipeline];
		uint64_t could = GW_MAX(f->intended, c->free_at);

		if (f->sent != 0)
			break;
		f->sent = now;
		w->counters.sent++;
		if (f->intended >= w->measure_from) {
			w->counters.sent_measured++;
			histogram_record(&w->late, now > could ? now - could : 0);
		}
	}
}

void conn_flush(struct worker *w, struct conn *c)
{
	c->dirty = false;
	if (c->state != CONN_UP)
		return;
	stamp(w, c);
	while (c->out_sent < c->out.len) {
		ssize_t n = send(c->fd, c->out.data + c->out_sent, c->out.len - c->out_sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && w->config->proto->datagram && (errno == EAGAIN || errno == ENOBUFS)) {
			c->out.len = c->out_sent =
				0; /* lost, as it might be on any link: its time-out tells */
			return;
		}
		if (n < 0 && errno == EAGAIN) {
			if (!c->writing)
				watch(w, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
			c->writing = true;
			return;
		}
		if (n < 0) {
			broken(w, c, LOAD_CLOSED,
			       errno == EPIPE ? "the server closed the connection"
					      : strerror(errno));
			return;
		}
		c->out_sent += (size_t)n;
	}
	c->out.len = c->out_sent = 0;
	if (c->writing)
		watch(w, c, EPOLL_CTL_MOD, EPOLLIN);
	c->writing = false;
}

/* Takes what came; false when the connection is gone. */
static bool take(struct worker *w, struct conn *c, size_t n, uint64_t now)
{
	const struct proto *p = w->config->proto;

	for (size_t at = 0; at < n;) {
		struct proto_answer a = { 0 };
		ssize_t took;

		if (c->n == 0 && !p->datagram) {
			broken(w, c, LOAD_GARBAGE,
			       "the server sent something that nobody asked for");
			return false;
		}
		took = p->answer(c->state_of, w->in + at, n - at, &a);
		if (took < 0) {
			if (p->datagram) {
				worker_error(w, LOAD_GARBAGE, 1, "%s", a.why);
				return true;
			}
			broken(w, c, LOAD_GARBAGE, a.why);
			return false;
		}
		at += (size_t)took;
		if (!a.done)
			continue;
		c->backoff = 0; /* it works */
		flight_answer(w, c, &a, now);
		if (a.close) {
			uint64_t lost = flight_lose(w, c, now, false);

			if (lost > 0)
				worker_error(
					w, LOAD_CLOSED, lost,
					"the server closed the connection with requests on it");
			retry(w, c, now);
			return false;
		}
	}
	return true;
}

static void ended(struct worker *w, struct conn *c)
{
	const struct proto *p = w->config->proto;
	struct proto_answer a = { 0 };
	uint64_t now = clock_ns();

	if (c->n > 0 && p->end != NULL && p->end(c->state_of, &a))
		flight_answer(w, c, &a, now);
	if (c->n > 0)
		broken(w, c, LOAD_CLOSED, "the server closed the connection with requests on it");
	else if (c->first_id == 0)
		broken(w, c, LOAD_CLOSED,
		       "the server closed a connection that it had not answered on");
	else
		retry(w, c, now);
}

static void receive(struct worker *w, struct conn *c)
{
	for (int turn = 0; turn < 16; turn++) { /* others wait, too */
		ssize_t n = recv(c->fd, w->in, IN_BYTES, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0 && w->config->proto->datagram) {
			worker_error(w, LOAD_CLOSED, 1, "%s", strerror(errno));
			return;
		}
		if (n < 0) {
			broken(w, c, LOAD_CLOSED, strerror(errno));
			return;
		}
		if (n == 0 && !w->config->proto->datagram) {
			ended(w, c);
			return;
		}
		if (!take(w, c, (size_t)n, clock_ns()))
			return;
		if (!w->config->proto->datagram && (size_t)n < IN_BYTES)
			return;
	}
}

void conn_event(struct worker *w, struct conn *c, uint32_t events)
{
	if (c->state == CONN_CONNECTING) {
		finish_connect(w, c);
		return;
	}
	if (c->state == CONN_UP && (events & EPOLLOUT) != 0)
		conn_flush(w, c);
	if (c->state == CONN_UP && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
		receive(w, c);
}

/* Datagrams that were lost: given up from the front. */
static void check_datagrams(struct worker *w, struct conn *c, uint64_t now)
{
	while (c->n > 0) {
		struct flight *f = &c->flights[c->head];

		if (!f->answered && (f->sent == 0 || now < f->sent + w->config->timeout))
			break;
		if (!f->answered) {
			worker_error(w, LOAD_TIMEOUT, 1, "no answer to a datagram in time");
			if (f->intended >= w->measure_from)
				histogram_record(&w->corrected, now - f->intended);
			w->in_flight--;
		}
		c->head = (c->head + 1) % w->config->pipeline;
		c->first_id++;
		c->n--;
	}
	conn_offer(w, c, now);
}

void conn_check(struct worker *w, struct conn *c, uint64_t now)
{
	if (c->state == CONN_DOWN && now >= c->retry_at) {
		conn_start(w, c, now);
	} else if (c->state == CONN_CONNECTING && now >= c->retry_at) {
		worker_error(w, LOAD_CONNECT, 1, "connect: no answer in time");
		retry(w, c, now);
	} else if (c->state == CONN_UP && c->n > 0 && w->config->proto->datagram) {
		check_datagrams(w, c, now);
	} else if (c->state == CONN_UP && c->n > 0 && c->flights[c->head].sent != 0 &&
		   now >= c->flights[c->head].sent + w->config->timeout) {
		broken(w, c, LOAD_TIMEOUT, "no answer in time");
	}
}
