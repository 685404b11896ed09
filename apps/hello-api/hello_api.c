/* SPDX-License-Identifier: Apache-2.0 */
/* hello_api.c - a small service on apps/http: notes that live in memory, a slow answer, events that
 * go on. Each shard has its own notes: nothing is shared, nothing is locked. */
#include <errno.h>
#include <string.h>
#include "apps/http/http.h"

#define NOTES 16u
#define NOTE_MAX 200u
#define SHARDS 64u

static struct notes {
	struct {
		char text[NOTE_MAX];
		size_t len;
	} note[NOTES];
} notes[SHARDS];

/* ---- answers at once ---- */

static void hello(struct http *h)
{
	struct http_text name = http_param(h, "name");
	char greeting[32];

	if (http_query(h, "greeting", greeting, sizeof(greeting)) < 0)
		memcpy(greeting, "Hello", 6);
	(void)http_print(h, "%s, %.*s!\n", greeting, HTTP_ARG(name));
}

static unsigned note_number(struct http *h)
{
	struct http_text id = http_param(h, "id");
	char text[8];
	uint64_t v;

	gw_format(text, sizeof(text), "%.*s", (int)(id.len < 7 ? id.len : 7), id.at);
	return gw_parse_u64(text, NOTES - 1, &v) == 0 ? (unsigned)v : NOTES;
}

static void get_note(struct http *h)
{
	unsigned i = note_number(h);

	if (i == NOTES || notes[gw_shard()].note[i].len == 0) {
		(void)http_error(h, 404);
		return;
	}
	http_type(h, "text/plain; charset=utf-8");
	(void)http_send(h, notes[gw_shard()].note[i].text, notes[gw_shard()].note[i].len);
}

static void put_note(struct http *h)
{
	struct http_text body = http_body(h);
	unsigned i = note_number(h);

	if (i == NOTES) {
		(void)http_error(h, 404);
		return;
	}
	memcpy(notes[gw_shard()].note[i].text, body.at, body.len); /* max_body is NOTE_MAX */
	notes[gw_shard()].note[i].len = body.len;
	http_status(h, 204);
	(void)http_send(h, "", 0);
}

/* ---- a task: it waits ---- */

static void slow(struct http *h)
{
	gw_sleep(100 * GW_MS);
	(void)http_text(h, "that took a while\n");
}

/* The sum of a body's bytes, however long it is. */
static void sum(struct http *h)
{
	uint64_t bytes = 0, total = 0;
	char piece[1024];
	long n;

	while ((n = http_read(h, piece, sizeof(piece))) > 0)
		for (long i = 0; i < n; i++, bytes++)
			total += (uint8_t)piece[i];
	if (n < 0)
		(void)http_error(h, n == -EMSGSIZE ? 413 : 400);
	else
		(void)http_print(h, "{\"bytes\":%lu,\"sum\":%lu}\n", bytes, total);
}

/* ---- a callback that answers bit by bit: server-sent events ---- */

struct ticker {
	struct gw_timer timer;
	struct http *h;
	unsigned n;
};

static void tick(void *arg)
{
	struct ticker *t = arg;
	char text[32];
	int n = gw_format(text, sizeof(text), "data: %u\n\n", t->n);

	if (http_write(t->h, text, (size_t)n) < 0)
		return; /* gone follows */
	http_flush(t->h);
	if (++t->n == 5 || gw_timer_set(&t->timer, gw_now() + 50 * GW_MS) != 0)
		http_end(t->h); /* calls gone */
}

static void gone(struct http *h, void *arg)
{
	struct ticker *t = arg;

	(void)h;
	gw_timer_cancel(&t->timer);
	gw_free(t, sizeof(*t));
}

static void events(struct http *h)
{
	struct ticker *t = gw_zalloc(sizeof(*t));

	http_type(h, "text/event-stream");
	if (t == NULL || http_begin(h, HTTP_UNKNOWN) != 0) {
		gw_free(t, sizeof(*t));
		return;
	}
	t->h = h;
	gw_timer_init(&t->timer, tick, t);
	http_later(h, gone, t);
	if (gw_timer_set(&t->timer, gw_now()) != 0)
		http_end(h);
}

/* ---- a response made as it is sent: n numbers, whatever n is ---- */

struct counting {
	uint64_t at, to;
};

static void count_on(struct http *h, void *arg)
{
	struct counting *k = arg;
	uint8_t *to;
	size_t room = http_room(h, &to);

	if (room < 24) { /* the end of a packet: let it be copied */
		char line[24];
		int n = gw_format(line, sizeof(line), "%lu\n", k->at);

		if (http_write(h, line, (size_t)n) == n)
			k->at++;
	} else {
		size_t n = 0;

		for (; k->at < k->to && room - n >= 24; k->at++)
			n += (size_t)gw_format((char *)to + n, room - n, "%lu\n", k->at);
		http_commit(h, n);
	}
	if (k->at >= k->to)
		http_end(h);
}

static void counting_gone(struct http *h, void *arg)
{
	(void)h;
	gw_free(arg, sizeof(struct counting));
}

static void count(struct http *h)
{
	struct counting *k = gw_zalloc(sizeof(*k));
	char text[16];

	if (k == NULL || http_query(h, "to", text, sizeof(text)) <= 0 ||
	    gw_parse_u64(text, 100000000, &k->to) != 0 || k->to == 0) {
		gw_free(k, sizeof(*k));
		(void)http_error(h, 400);
		return;
	}
	http_type(h, "text/plain");
	http_later(h, counting_gone, k);
	if (http_begin(h, HTTP_UNKNOWN) == 0)
		http_on_room(h, count_on, k);
}

int app_main(int argc, char **argv)
{
	static const struct http_route routes[] = {
		{ .pattern = "GET /hello/:name", .handler = hello },
		{ .pattern = "GET /notes/:id", .handler = get_note },
		{ .pattern = "PUT /notes/:id", .handler = put_note, .max_body = NOTE_MAX },
		{ .pattern = "GET /slow", .handler = slow, .flags = HTTP_TASK },
		{ .pattern = "POST /sum", .handler = sum, .flags = HTTP_TASK | HTTP_STREAM },
		{ .pattern = "GET /events", .handler = events },
		{ .pattern = "GET /count", .handler = count },
		{ .pattern = "GET /metrics", .handler = http_metrics },
	};
	struct http_config config = { .listen = argc > 1 ? argv[1] : ":8080",
				      .routes = routes,
				      .n_routes = sizeof(routes) / sizeof(routes[0]),
				      .access_log = argc > 2 };

	return http_main(&config);
}
