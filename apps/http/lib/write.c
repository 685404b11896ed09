/* SPDX-License-Identifier: Apache-2.0 */
/* write.c - a response's body: from memory that stays, piece by piece where it will be sent from,
 * in chunks where its length is not known (RFC 9112 7.1). */
#include "apps/http/lib/http_internal.h"

#define CHUNK_LINE 6u /* "05a0\r\n" */
#define CHUNK_END 2u
#define PLACE_MIN 64u

/* What http_send_static left. */
void write_fill(struct http *x)
{
	struct http_conn *c = x->c;
	size_t room;
	uint8_t *to;

	if (c->owed_len != 0)
		return;
	while (x->rest_len != 0 && (room = io_room(c, &to)) != 0) {
		room = MIN(room, x->rest_len);
		memcpy(to, x->rest, room);
		io_commit(c, room);
		x->rest += room;
		x->rest_len -= room;
		c->moved += (uint32_t)room;
	}
}

static bool open_for_body(const struct http *x)
{
	return x->c != NULL && !x->c->dead && x->begun && !x->ended;
}

size_t http_room(struct http *x, uint8_t **to)
{
	size_t extra = x->out_chunked ? CHUNK_LINE + CHUNK_END : 0, room;
	struct http_conn *c = x->c;

	if (!open_for_body(x) || c->owed_len != 0 || x->out_left == 0)
		return 0;
	if (x->no_body) { /* HEAD: written nowhere */
		x->place = c->shard->scratch;
		room = sizeof(c->shard->scratch);
	} else {
		room = io_room(c, &x->place);
		if (room == 0)
			return 0;
		if (room < PLACE_MIN && x->out_chunked) { /* the rest of a packet: copied there */
			x->place = c->shard->scratch;
			room = PLACE_MIN;
		}
	}
	*to = x->place + (x->out_chunked ? CHUNK_LINE : 0);
	return (size_t)MIN((uint64_t)MIN(room, 0xffffu) - extra, x->out_left);
}

void http_commit(struct http *x, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	struct http_conn *c = x->c;
	uint8_t *p = x->place;

	if (!open_for_body(x) || n == 0)
		return;
	x->sent += n;
	c->moved += (uint32_t)n;
	if (x->out_left != HTTP_UNKNOWN)
		x->out_left -= n;
	if (x->no_body)
		return;
	c->shard->count.bytes_out += n;
	if (x->out_chunked) {
		for (unsigned i = 0; i < 4; i++)
			p[i] = (uint8_t)digits[n >> (12 - 4 * i) & 15];
		memcpy(p + 4, "\r\n", 2);
		memcpy(p + CHUNK_LINE + n, "\r\n", 2);
		n += CHUNK_LINE + CHUNK_END;
	}
	if (p == c->shard->scratch)
		conn_put(c, p, n);
	else
		io_commit(c, n);
}

/* A task waits until there is room, or the client is gone. */
static bool task_wait_room(struct http *x)
{
	struct http_conn *c = x->c;

	if (c->shard->now - c->waited_ns > GW_SEC)
		c->wait_ns = 0; /* it did something else meanwhile */
	wait_begin(c, WAIT_OUT);
	io_push(c);
	(void)gw_wait(&x->waiters, GW_NEVER_NS);
	if (x->c == NULL)
		return false;
	c->waiting = WAIT_NONE;
	c->waited_ns = c->shard->now;
	return true;
}

long http_write(struct http *x, const void *data, size_t n)
{
	const uint8_t *from = data;
	size_t done = 0, room;
	uint8_t *to;

	while (done < n && open_for_body(x)) {
		room = http_room(x, &to);
		if (room == 0) {
			if (!x->task || x->out_left == 0 || !task_wait_room(x))
				break;
			continue;
		}
		room = MIN(room, n - done);
		memcpy(to, from + done, room);
		http_commit(x, room);
		done += room;
	}
	return open_for_body(x) ? (long)done : -EPIPE;
}

void http_flush(struct http *x)
{
	if (x->c != NULL && !x->c->dead)
		io_push(x->c);
}

void http_end(struct http *x)
{
	struct http_conn *c = x->c;

	if (x->ended || !x->begun || c == NULL)
		return;
	if (!x->no_body && !x->out_chunked && x->out_left != 0 && x->out_left != HTTP_UNKNOWN)
		conn_doom(c, DROP_PEER); /* less than was promised: the client must see it */
	else if (x->out_chunked && !x->no_body)
		conn_put(c, "0\r\n\r\n", 5);
	x->ended = true;
	x->calls.room = NULL;
	if (!x->task && !c->running)
		conn_run(c);
}

void http_on_room(struct http *x, void (*fn)(struct http *h, void *arg), void *arg)
{
	x->calls.room = fn;
	x->calls.room_arg = arg;
	x->paused = false;
}

void http_pause(struct http *x)
{
	x->paused = true;
}

void http_resume(struct http *x)
{
	x->paused = false;
	if (x->c != NULL && !x->task)
		conn_run(x->c);
}

void http_on_body(struct http *x,
		  size_t (*fn)(struct http *h, const void *data, size_t n, void *arg), void *arg)
{
	x->calls.body = fn;
	x->calls.body_arg = arg;
}

void http_later(struct http *x, void (*gone)(struct http *h, void *arg), void *arg)
{
	x->later = true;
	x->calls.gone = gone;
	x->calls.gone_arg = arg;
}

/* Ask for more as long as there is room and something comes. */
static void ask(struct http *x)
{
	struct http_conn *c = x->c;
	uint8_t *to;

	while (x->calls.room != NULL && !x->paused && !c->dead && http_room(x, &to) != 0) {
		uint64_t before = x->sent;

		x->calls.room(x, x->calls.room_arg);
		if (x->sent == before && !x->ended)
			x->paused = true; /* it says so by writing nothing, too */
	}
}

bool reply_owes(struct http *x)
{
	struct http_conn *c = x->c;
	uint8_t *to;

	if (x->rest_len != 0)
		write_fill(x);
	if (!x->ended)
		ask(x);
	if (c->dead || (x->ended && x->rest_len == 0 && c->owed_len == 0))
		return c->dead;
	if (x->rest_len != 0 || c->owed_len != 0 ||
	    (x->begun && (x->calls.room != NULL || x->in_paused) && !x->paused &&
	     io_room(c, &to) == 0))
		wait_begin(c, WAIT_OUT);
	return true;
}
