/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - connections: their beginning, the loop that does whatever can be done now, their end. */
#include "apps/http/lib/http_internal.h"

/* ---- beginning and end ---- */

static void open_conn(struct gw_tcp *tcp, bool secure)
{
	struct http_server *server = gw_tcp_user(tcp);
	struct http_shard *s = server->shards[gw_shard()];
	struct http_conn *c = gw_zalloc(sizeof(*c));

	gw_tcp_set_user(tcp, c);
	if (c == NULL || (secure && (c->tls = tls_new(s, server->identity)) == NULL)) {
		if (c != NULL)
			gw_free(c, sizeof(*c));
		gw_tcp_set_user(tcp, NULL);
		s->count.drops[DROP_MEMORY]++;
		gw_tcp_abort(tcp);
		return;
	}
	wheel_now(s);
	c->tcp = tcp;
	c->shard = s;
	c->active_ns = s->now;
	s->n_conns++;
	s->count.conns++;
	wheel_place(c,
		    s->now + (uint64_t)MIN(server->config.head_ms, server->config.idle_ms) * GW_MS);
}

static void opened_plain(struct gw_tcp *tcp)
{
	open_conn(tcp, false);
}

static void opened_tls(struct gw_tcp *tcp)
{
	open_conn(tcp, true);
}

void exchange_free(struct http_shard *s, struct http *x)
{
	gw_free(x->copy, x->copy_size);
	gw_free(x->decoded, x->decoded_size);
	gw_free(x->gathered, x->gathered_cap);
	x->next_spare = s->spare;
	s->spare = x;
}

/* The exchange loses its connection; a task that uses it frees it at its end. */
static void orphan(struct http_conn *c)
{
	struct http *x = c->x;

	c->x = NULL;
	x->c = NULL;
	if (x->task) {
		gw_signal(&x->waiters, true);
		return;
	}
	if (x->calls.gone != NULL)
		x->calls.gone(x, x->calls.gone_arg);
	exchange_free(c->shard, x);
}

static void free_conn(struct http_conn *c)
{
	struct http_shard *s = c->shard;

	if (c->x != NULL)
		orphan(c);
	if (c->aborted) {
		gw_tcp_abort(c->tcp);
	} else {
		if (c->tls != NULL)
			tls_end(c);
		gw_tcp_close(c->tcp);
	}
	wheel_remove(c);
	if (c->tls != NULL)
		tls_free(c->tls);
	gw_free(c->head, c->head_cap);
	gw_free(c->owed, c->owed_cap);
	gw_free(c, sizeof(*c));
	s->n_conns--;
}

void conn_kill(struct http_conn *c, enum http_drop why, bool reset)
{
	if (why < DROPS && !c->dead)
		c->shard->count.drops[why]++;
	c->dead = true;
	c->aborted = c->aborted || reset;
	if (!c->running)
		free_conn(c);
}

void conn_doom(struct http_conn *c, enum http_drop why)
{
	if (!c->dead)
		c->shard->count.drops[why]++;
	c->dead = true;
	c->aborted = true;
	wheel_place(c, c->shard->now);
}

/* ---- sending ---- */

static size_t put_now(struct http_conn *c, const uint8_t *data, size_t n)
{
	size_t done = 0, room;
	uint8_t *to;

	while (done < n && (room = io_room(c, &to)) != 0) {
		room = MIN(room, n - done);
		memcpy(to, data + done, room);
		io_commit(c, room);
		done += room;
	}
	return done;
}

void conn_put(struct http_conn *c, const void *data, size_t n)
{
	size_t done = c->owed_len == 0 ? put_now(c, data, n) : 0;
	uint8_t *more;

	if (done == n)
		return;
	n -= done;
	if (c->owed_len == 0)
		c->owed_at = 0;
	if (c->owed_at + c->owed_len + n > c->owed_cap) {
		size_t cap = c->owed_at + c->owed_len + n;

		more = gw_resize(c->owed, c->owed_cap, cap);
		if (more == NULL) {
			conn_doom(c, DROP_MEMORY);
			return;
		}
		c->owed = more;
		c->owed_cap = cap;
	}
	memcpy(c->owed + c->owed_at + c->owed_len, (const uint8_t *)data + done, n);
	c->owed_len += n;
}

static bool pay(struct http_conn *c)
{
	size_t n = put_now(c, c->owed + c->owed_at, c->owed_len);

	c->owed_at += n;
	c->owed_len -= n;
	c->moved += (uint32_t)n;
	if (c->owed_len != 0) {
		wait_begin(c, WAIT_OUT);
		return false;
	}
	gw_free(c->owed, c->owed_cap);
	c->owed = NULL;
	c->owed_cap = 0;
	return true;
}

/* ---- the loop ---- */

/* An exchange has been answered and its body read. */
void conn_finish(struct http_conn *c, struct http *x)
{
	struct http_shard *s = c->shard;

	s->count.requests++;
	s->count.classes[x->status / 100 % 6]++;
	if (s->server->config.access_log)
		log_exchange(c, x);
	if (x->calls.gone != NULL)
		x->calls.gone(x, x->calls.gone_arg);
	c->n_requests++;
	c->active_ns = s->now;
	c->wait_ns = 0;
	c->waiting = WAIT_NONE;
	if (!x->keep)
		c->closing = true;
	c->x = NULL;
	exchange_free(s, x);
}

/* Everything was answered and no more requests are taken: our end is closed, and what the client
 * still sends is read, lest a reset destroys what it has not read yet (RFC 9112 9.6). */
static bool linger(struct http_conn *c)
{
	const uint8_t *p;
	size_t n;

	if (!c->lingering) {
		if (c->tls != NULL)
			tls_end(c);
		gw_tcp_shutdown(c->tcp);
		c->lingering = true;
		wheel_place(c, c->shard->now + LINGER_NS);
	}
	while ((n = gw_tcp_peek(c->tcp, &p)) != 0)
		gw_tcp_consume(c->tcp, n);
	if (gw_tcp_eof(c->tcp))
		conn_kill(c, DROPS, false);
	return false;
}

static bool step(struct http_conn *c)
{
	if (c->owed_len != 0 && !pay(c))
		return false;
	if (c->x != NULL)
		return exchange_step(c, c->x);
	if (c->closing)
		return linger(c);
	return request_next(c);
}

void conn_run(struct http_conn *c)
{
	if (c->running)
		return;
	c->running = true;
	wheel_now(c->shard);
	if (c->x != NULL)
		c->x->in_paused = false; /* perhaps there is room now */
	if (c->tls != NULL && !c->lingering && !tls_pump(c))
		conn_kill(c, DROP_TLS, false);
	while (!c->dead && step(c))
		;
	if (!c->dead && !c->lingering)
		io_push(c);
	c->running = false;
	if (c->dead)
		free_conn(c);
}

static void more(struct gw_tcp *tcp)
{
	struct http_conn *c = gw_tcp_user(tcp);

	if (c != NULL)
		conn_run(c);
}

static void closed(struct gw_tcp *tcp, int error)
{
	struct http_conn *c = gw_tcp_user(tcp);

	(void)error;
	if (c == NULL)
		gw_tcp_close(tcp);
	else
		conn_kill(c, c->x != NULL ? DROP_PEER : DROPS, true);
}

const struct gw_tcp_ops http_plain_ops = { opened_plain, more, more, closed };
const struct gw_tcp_ops http_tls_ops = { opened_tls, more, more, closed };
