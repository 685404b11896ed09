/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - from the bytes of a head to its handler. A head that lies in one packet is read
 * there; one in several is gathered. */
#include "apps/http/lib/http_internal.h"

/* The shard's spare exchange, fresh. NULL: memory is out. */
static struct http *fresh(struct http_conn *c)
{
	struct http *x = c->shard->spare;

	if (x == NULL)
		return gw_zalloc(sizeof(*x));
	c->shard->spare = x->next_spare;
	memset(x, 0, offsetof(struct http, extra));
	return x;
}

/* It is no request: answer, and never trust a byte behind it. */
static void refuse(struct http_conn *c, struct http *x, int status)
{
	c->shard->count.refused++;
	memset(&x->head, 0, offsetof(struct http_head, fields));
	x->head.minor = 1;
	x->c = c;
	x->base = (const uint8_t *)"";
	x->path = (struct http_text){ "", 0 };
	x->in = IN_NONE;
	c->x = x;
	c->closing = true;
	(void)http_error(x, status);
	conn_finish(c, x);
}

/* The head outlives the packet. */
static bool keep_head(struct http_conn *c, struct http *x, size_t len)
{
	if (x->copy != NULL) /* it was gathered */
		return true;
	x->copy = gw_alloc(len);
	if (x->copy == NULL)
		return false;
	x->copy_size = len;
	memcpy(x->copy, x->base, len);
	if (x->decoded == NULL)
		for (unsigned i = 0; i < PARAMS_MAX; i++)
			if (x->params[i].at != NULL)
				x->params[i].at =
					(char *)x->copy + (x->params[i].at - (const char *)x->base);
	if (x->decoded == NULL && x->path.at != NULL)
		x->path.at = (char *)x->copy + (x->path.at - (const char *)x->base);
	x->base = x->copy;
	io_consume(c, len);
	return true;
}

/* Call the handler, and see what it left. */
void request_handle(struct http *x)
{
	if (x->route->flags & HTTP_TASK) {
		task_start(x);
		return;
	}
	x->route->handler(x);
	if (x->ended || x->later || x->calls.room != NULL || x->calls.body != NULL)
		return;
	if (!x->begun)
		(void)http_error(x, 500);
	else
		http_end(x);
}

/* Methods that a path has, as Allow says them. */
static void add_allow(struct http *x, unsigned allowed)
{
	static const char *const names[HTTP_METHODS] = { "",	  "GET",    "HEAD",  "POST",
							 "PUT",	  "DELETE", "PATCH", "OPTIONS",
							 "TRACE", "CONNECT" };
	char list[80];
	int n = 0;

	list[0] = '\0';
	for (unsigned m = HTTP_GET; m < HTTP_METHODS; m++)
		if (allowed >> m & 1)
			n += gw_format(list + n, sizeof(list) - (size_t)n, "%s%s",
				       n != 0 ? ", " : "", names[m]);
	(void)http_add(x, "Allow", list);
}

/* No route: answered by the library. */
static void no_route(struct http *x, unsigned allowed)
{
	bool whole = x->head.target.len == 1 && *head_text(x, x->head.target) == '*';

	if (x->head.method == HTTP_NO_METHOD || x->head.method == HTTP_CONNECT) {
		(void)http_error(x, 501);
	} else if (whole || (x->head.method == HTTP_OPTIONS && allowed != 0)) {
		if (!whole)
			add_allow(x, allowed | 1u << HTTP_OPTIONS);
		http_status(x, 204);
		(void)http_send(x, "", 0);
	} else if (allowed != 0) {
		add_allow(x, allowed | 1u << HTTP_OPTIONS);
		(void)http_error(x, 405);
	} else {
		(void)http_error(x, 404);
	}
}

/* Path and route. 0, or a status. */
static int find_route(struct http_conn *c, struct http *x, unsigned *allowed)
{
	const struct http_head *h = &x->head;

	x->path = text_of(x, h->path);
	*allowed = 0;
	if (h->escaped || h->path.len == 0) {
		long n;

		x->decoded_size = (size_t)h->path.len + 2;
		x->decoded = gw_alloc(x->decoded_size);
		n = x->decoded != NULL ? http_path_decode(x->path.at, x->path.len, x->decoded)
				       : -503;
		if (n < 0)
			return (int)-n;
		x->path = (struct http_text){ x->decoded, (size_t)n };
	}
	if (x->path.at[0] == '/')
		x->route = router_find(c->shard->server, x, allowed);
	return 0;
}

/* The body's plan: 0, or a status. */
static int plan_body(struct http *x)
{
	const struct http_route *r = x->route;

	x->max_body = r != NULL && r->max_body != 0 ? r->max_body : DEFAULT_BODY_MAX;
	if (r != NULL && r->max_body == 0 && (r->flags & HTTP_STREAM))
		x->max_body = ~0ull;
	x->piece_left = x->head.content_length;
	x->expect = x->head.expect_continue;
	if (!x->head.chunked && x->piece_left == 0) {
		x->expect = false;
		return 0;
	}
	x->in = IN_DISCARD;
	if (x->head.content_length > x->max_body)
		return 413;
	if (r != NULL)
		x->in = r->flags & HTTP_STREAM ? IN_STREAM : IN_GATHER;
	return 0;
}

/* The head is `len` bytes at x->base; `have` bytes lie there if it is in packet memory. */
static void dispatch(struct http_conn *c, struct http *x, size_t len, size_t have)
{
	unsigned allowed;
	int status;

	x->c = c;
	c->x = x;
	x->keep = x->head.keep_alive;
	status = find_route(c, x, &allowed);
	if (status == 0)
		status = plan_body(x);
	else if (x->head.chunked || x->head.content_length != 0)
		(void)!plan_body(x);
	if (status == 0 && x->route != NULL && x->in == IN_GATHER && !x->head.chunked &&
	    x->copy == NULL && have - len >= x->piece_left) { /* all in one packet */
		x->body = x->base + len;
		x->body_len = (size_t)x->piece_left;
		x->in = IN_NONE;
		x->piece_left = 0;
		c->shard->count.bytes_in += x->body_len;
	}
	if (status != 0 || x->route == NULL) {
		if (status != 0)
			(void)http_error(x, status);
		else
			no_route(x, allowed);
	} else if (x->in == IN_NONE && x->route->flags == 0) {
		request_handle(x);
	} else if (keep_head(c, x, len)) {
		if (x->body != NULL) { /* what a task gets stays, too */
			x->gathered = gw_alloc(x->body_len);
			x->gathered_cap = x->gathered != NULL ? x->body_len : 0;
			if (x->gathered == NULL) {
				conn_kill(c, DROP_MEMORY, true);
				return;
			}
			memcpy(x->gathered, x->body, x->body_len);
			x->body = x->gathered;
			io_consume(c, x->body_len);
		}
		wheel_place(c, c->shard->now + (uint64_t)c->shard->server->config.stall_ms * GW_MS);
		if (x->in != IN_GATHER)
			request_handle(x);
		return;
	} else {
		(void)http_error(x, 503);
	}
	/* The handler is back, and the head still in the packet. */
	len += x->body_len;
	if (x->ended && x->in == IN_NONE && x->rest_len == 0) {
		bool gathered = x->copy != NULL;

		conn_finish(c, x);
		if (!gathered)
			io_consume(c, len);
		return;
	}
	x->body = NULL;
	x->body_len = 0;
	if (!keep_head(c, x, len)) {
		conn_kill(c, DROP_MEMORY, true);
		return;
	}
	wheel_place(c, c->shard->now + (uint64_t)c->shard->server->config.stall_ms * GW_MS);
}

/* A head in several pieces: append this one. The head's length, 0: incomplete, or -status; *used
 * bytes of the piece belong to it. */
static int gather(struct http_conn *c, struct http *x, const uint8_t *p, size_t n, size_t *used)
{
	uint32_t max = c->shard->server->config.max_head;
	size_t take = MIN(n, (size_t)(max - c->head_len)), old = c->head_len;
	int got = 0;

	if (c->head_len + take > c->head_cap) {
		size_t cap = MIN((size_t)max, 2 * (c->head_len + take) + 256);
		uint8_t *more = gw_resize(c->head, c->head_cap, cap);

		if (more == NULL)
			return -503;
		c->head = more;
		c->head_cap = (uint32_t)cap;
	}
	memcpy(c->head + c->head_len, p, take);
	c->head_len += (uint32_t)take;
	*used = take;
	/* only a line's end can complete it, or make it wrong for sure */
	if (old == 0 || memchr(p, '\n', take) != NULL)
		got = http_parse_head(c->head, c->head_len, &x->head);
	if (got > 0)
		*used = (size_t)got - old;
	if (got == 0 && c->head_len == max)
		got = -http_too_long(c->head, c->head_len);
	return got;
}

/* x goes back unused. */
static bool give_back(struct http_conn *c, struct http *x, bool again)
{
	exchange_free(c->shard, x);
	return again;
}

bool request_next(struct http_conn *c)
{
	size_t used = 0, n;
	const uint8_t *p;
	struct http *x;
	uint8_t *to;
	int got;

	n = io_peek(c, &p);
	if (n == 0) {
		if (gw_tcp_eof(c->tcp) && gw_tcp_available(c->tcp) == 0)
			conn_kill(c, DROPS, false);
		return false;
	}
	/* An answer's head must fit: a client that does not read is not read (and `writable`
	 * comes). */
	if (gw_tcp_space(c->tcp) < HEAD_ROOM || io_room(c, &to) == 0) {
		wait_begin(c, WAIT_OUT);
		return false;
	}
	x = fresh(c);
	if (x == NULL) {
		conn_kill(c, DROP_MEMORY, true);
		return false;
	}
	if (c->head_len == 0) {
		got = http_parse_head(p, n, &x->head);
		x->base = p;
		if (got > (int)c->shard->server->config.max_head)
			got = -431;
		if (got > 0) {
			dispatch(c, x, (size_t)got, n);
			return true;
		}
		if (got == 0 && n >= c->shard->server->config.max_head)
			got = -http_too_long(p, n);
		if (got < 0) {
			refuse(c, x, -got);
			return true;
		}
		c->active_ns = c->shard->now; /* of a head that is slow to come */
		wheel_place(c, c->active_ns + (uint64_t)c->shard->server->config.head_ms * GW_MS);
	}
	got = gather(c, x, p, n, &used);
	if (got < 0) {
		refuse(c, x, -got);
		return true;
	}
	io_consume(c, used);
	if (got == 0)
		return give_back(c, x, true);
	x->copy = c->head;
	x->copy_size = c->head_cap;
	x->base = x->copy;
	c->head = NULL;
	c->head_len = c->head_cap = 0;
	dispatch(c, x, (size_t)got, (size_t)got);
	return true;
}
