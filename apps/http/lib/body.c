/* SPDX-License-Identifier: Apache-2.0 */
/* body.c - a request's body as it comes, and the steps of an exchange that lasts. */
#include "apps/http/lib/http_internal.h"

void body_go_on(struct http *x)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

	if (x->expect)
		conn_put(x->c, go_on, sizeof(go_on) - 1);
	x->expect = false;
}

static long starved(struct http *x)
{
	struct http_conn *c = x->c;

	if (gw_tcp_eof(c->tcp) && gw_tcp_available(c->tcp) == 0)
		return -400; /* the body is not whole */
	if (!x->begun)
		body_go_on(x);
	return 0;
}

long body_next(struct http *x, const uint8_t **data)
{
	struct http_conn *c = x->c;
	size_t n, content;

	while (x->piece_left == 0) {
		long used;

		if (!x->head.chunked || x->chunked.done)
			return BODY_DONE;
		n = io_peek(c, data);
		if (n == 0)
			return starved(x);
		used = http_chunked_next(&x->chunked, *data, n, data, &content);
		if (used < 0)
			return used;
		io_consume(c, (size_t)used - content);
		x->piece_left = content;
		x->in_total += content;
		if (x->in_total > x->max_body)
			return -413;
	}
	n = io_peek(c, data);
	if (n == 0)
		return starved(x);
	x->expect = false;
	return (long)MIN(n, x->piece_left);
}

void body_take(struct http *x, size_t n)
{
	io_consume(x->c, n);
	x->piece_left -= n;
	x->c->moved += (uint32_t)n;
	x->c->shard->count.bytes_in += n;
}

/* The body is broken or too long: nothing behind it can be understood. */
static bool broken(struct http_conn *c, struct http *x, long status)
{
	x->in = IN_NONE;
	x->keep = false;
	c->closing = true;
	if (x->begun) { /* too late to say so */
		conn_kill(c, DROP_PEER, true);
		return false;
	}
	x->calls.room = NULL;
	(void)http_error(x, (int)-status);
	return true;
}

static bool append(struct http *x, const uint8_t *p, size_t n)
{
	if (x->body_len + n > x->gathered_cap) {
		size_t want = x->head.chunked ? 2 * (x->body_len + n)
					      : x->body_len + (size_t)x->piece_left;
		uint8_t *more = gw_resize(x->gathered, x->gathered_cap, want);

		if (more == NULL)
			return false;
		x->gathered = more;
		x->gathered_cap = want;
	}
	memcpy(x->gathered + x->body_len, p, n);
	x->body_len += n;
	x->body = x->gathered;
	return true;
}

static bool gather(struct http_conn *c, struct http *x)
{
	const uint8_t *p;
	long n = body_next(x, &p);

	if (n == BODY_DONE) {
		x->in = IN_NONE;
		request_handle(x);
		return true;
	}
	if (n < 0)
		return broken(c, x, n);
	if (n == 0) {
		wait_begin(c, WAIT_IN);
		return false;
	}
	if (x->body_len == 0 && !x->head.chunked && (size_t)n == x->piece_left &&
	    !(x->route->flags & HTTP_TASK)) { /* as it lies there */
		x->body = p;
		x->body_len = (size_t)n;
		x->in = IN_NONE;
		request_handle(x);
		x->body = NULL;
		x->body_len = 0;
		body_take(x, (size_t)n);
		return true;
	}
	if (!append(x, p, (size_t)n)) {
		x->in = IN_DISCARD;
		x->keep = false;
		(void)http_error(x, 503);
		return true;
	}
	body_take(x, (size_t)n);
	return true;
}

static bool stream(struct http_conn *c, struct http *x)
{
	const uint8_t *p;
	long n = body_next(x, &p);
	size_t taken;

	if (n == BODY_DONE) {
		x->in = IN_NONE;
		(void)x->calls.body(x, NULL, 0, x->calls.body_arg);
		return true;
	}
	if (n < 0)
		return broken(c, x, n);
	if (n == 0) {
		wait_begin(c, WAIT_IN);
		return false;
	}
	taken = x->calls.body(x, p, (size_t)n, x->calls.body_arg);
	if (c->dead)
		return false;
	body_take(x, MIN(taken, (size_t)n));
	x->in_paused = taken < (size_t)n;
	return true;
}

static bool discard(struct http_conn *c, struct http *x)
{
	const uint8_t *p;
	long n;

	x->max_body = ~0ull;
	n = x->in_total > DISCARD_MAX || !x->keep ? -413 : body_next(x, &p);
	if (n == BODY_DONE) {
		x->in = IN_NONE;
		return true;
	}
	if (n < 0) {
		x->in = IN_NONE;
		x->keep = false;
		return true;
	}
	if (n == 0) {
		wait_begin(c, WAIT_IN);
		return false;
	}
	if (!x->head.chunked)
		x->in_total += (uint64_t)n;
	body_take(x, (size_t)n);
	return true;
}

static bool read_step(struct http_conn *c, struct http *x)
{
	if (x->in == IN_GATHER)
		return gather(c, x);
	if (x->in == IN_STREAM && x->calls.body != NULL && !x->in_paused && !x->ended)
		return stream(c, x);
	if (x->in == IN_DISCARD || (x->in == IN_STREAM && x->ended)) {
		x->in = IN_DISCARD;
		return discard(c, x);
	}
	return false;
}

/* One step of the exchange that the connection has: true = look again. */
bool exchange_step(struct http_conn *c, struct http *x)
{
	c->waiting = WAIT_NONE;
	if (x->task) {
		gw_signal(&x->waiters, true);
		return false;
	}
	if (read_step(c, x))
		return true;
	if (c->dead)
		return false;
	if (reply_owes(x))
		return false;
	if (x->in != IN_NONE || c->dead)
		return false;
	conn_finish(c, x);
	return true;
}
