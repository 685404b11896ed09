/* SPDX-License-Identifier: Apache-2.0 */
/* wheel.c - time: each connection lies in the slot of the moment when it is looked at. Nothing of
 * it is touched by a request that comes and is answered at once: a look that finds it active puts
 * it into a later slot. */
#include "apps/http/lib/http_internal.h"

static void unlink_from(struct link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
}

void wheel_remove(struct http_conn *c)
{
	unlink_from(&c->link);
}

void wheel_place(struct http_conn *c, uint64_t due_ns)
{
	struct http_shard *s = c->shard;
	uint64_t ticks = due_ns > s->now ? (due_ns - s->now) / TICK_NS + 1 : 1;
	struct link *slot;

	if (ticks > WHEEL_SLOTS - 1)
		ticks = WHEEL_SLOTS - 1;
	c->due_ns = due_ns;
	if (c->link.next != NULL)
		unlink_from(&c->link);
	slot = &s->wheel[(s->slot + ticks) % WHEEL_SLOTS];
	c->link = (struct link){ slot->prev, slot };
	slot->prev->next = &c->link;
	slot->prev = &c->link;
	if (!s->ticking)
		s->ticking = gw_timer_set(&s->tick, s->now + TICK_NS) == 0;
}

void wait_begin(struct http_conn *c, enum conn_wait what)
{
	if (c->wait_ns == 0) {
		c->wait_ns = c->shard->now;
		c->moved = 0;
	}
	c->waiting = (uint8_t)what;
}

/* Between requests, or before the first: the next look, or the end. */
static void look_at_idle(struct http_conn *c)
{
	const struct http_config *k = &c->shard->server->config;
	bool head = c->head_len != 0 || c->n_requests == 0;
	uint64_t due = c->active_ns + (uint64_t)(head ? k->head_ms : k->idle_ms) * GW_MS;

	if (due > c->shard->now) {
		wheel_place(c, due);
	} else if (c->head_len != 0 && c->owed_len == 0) { /* RFC 9110 15.5.9 */
		static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
					   "Content-Length: 0\r\n\r\n";

		conn_put(c, late, sizeof(late) - 1);
		c->shard->count.classes[4]++;
		conn_kill(c, DROP_HEAD, false);
	} else { /* what the client has not even read is not kept for it */
		conn_kill(c, head ? DROP_HEAD : DROP_IDLE, gw_tcp_unacked(c->tcp) != 0);
	}
}

/* In a request: whether the client moves. */
static void look_at_exchange(struct http_conn *c)
{
	const struct http_config *k = &c->shard->server->config;
	uint64_t now = c->shard->now, stall = (uint64_t)k->stall_ms * GW_MS;

	if (c->waiting == WAIT_NONE || c->wait_ns == 0) { /* it is our turn */
		c->wait_ns = 0;
		wheel_place(c, now + stall);
	} else if (now - c->wait_ns < stall) {
		wheel_place(c, c->wait_ns + stall);
	} else if ((uint64_t)c->moved * 1000 >=
		   (uint64_t)k->min_rate * ((now - c->wait_ns) / GW_MS)) {
		c->wait_ns = now;
		c->moved = 0;
		wheel_place(c, now + stall);
	} else {
		conn_kill(c, DROP_STALL, true);
	}
}

static void tick(void *arg)
{
	struct http_shard *s = arg;
	struct link *slot;

	s->now = gw_now();
	s->slot = (s->slot + 1) % WHEEL_SLOTS;
	slot = &s->wheel[s->slot];
	while (slot->next != slot) { /* each is placed in another slot, or freed */
		struct http_conn *c = (struct http_conn *)(void *)slot->next;

		if (c->dead)
			conn_kill(c, DROPS, true);
		else if (c->due_ns > s->now)
			wheel_place(c, c->due_ns);
		else if (c->lingering)
			conn_kill(c, DROPS, gw_tcp_unacked(c->tcp) != 0);
		else if (c->x != NULL || c->owed_len != 0)
			look_at_exchange(c);
		else
			look_at_idle(c);
	}
	log_flush(s);
	s->ticking = s->n_conns != 0 && gw_timer_set(&s->tick, s->now + TICK_NS) == 0;
}

/* The time, and the Date field that goes with it (RFC 9110 6.6.1: none without a clock). */
void wheel_now(struct http_shard *s)
{
	uint64_t wall;

	s->now = gw_now();
	if (s->now < s->date_ns)
		return;
	wall = gw_wall();
	s->date_ns = s->now + GW_SEC - wall % GW_SEC;
	s->date_len = 0;
	if (wall == 0)
		return;
	memcpy(s->date, "Date: ", 6);
	http_date_put(wall / GW_SEC, s->date + 6);
	memcpy(s->date + 6 + HTTP_DATE_LEN, "\r\n", 2);
	s->date_len = 6 + HTTP_DATE_LEN + 2;
}

void wheel_init(struct http_shard *s)
{
	for (unsigned i = 0; i < WHEEL_SLOTS; i++)
		s->wheel[i] = (struct link){ &s->wheel[i], &s->wheel[i] };
	gw_timer_init(&s->tick, tick, s);
	wheel_now(s);
}
