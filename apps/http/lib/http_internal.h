/* SPDX-License-Identifier: Apache-2.0 */
/* http_internal.h - what the files of the library share. Everything but the configuration belongs
 * to one shard.
 *
 * A connection has no exchange while it waits for a request. A request whose handler answers at
 * once borrows the shard's spare exchange, and its head stays in packet memory; one that lasts
 * (a body to come, a task, a response in parts) keeps the exchange, with a copy of its head. */
#ifndef GODWIT_APPS_HTTP_INTERNAL_H
#define GODWIT_APPS_HTTP_INTERNAL_H

#include <errno.h>
#include <string.h>
#include "apps/http/http.h"
#include "apps/http/lib/parse.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define PARAMS_MAX 8u
#define EXTRA_MAX 1024u	   /* bytes of http_add's fields */
#define TYPE_MAX 200u	   /* of Content-Type */
#define HEAD_ROOM 1700u	   /* what a response's head needs at most */
#define DISCARD_MAX 65536u /* of an unwanted body, rather than closing */
#define DEFAULT_BODY_MAX (1ull << 20)
#define TICK_NS (250 * GW_MS)
#define WHEEL_SLOTS 512u
#define LOG_BUFFER 16384u
#define LINGER_NS (2 * GW_SEC)

struct link {
	struct link *prev, *next;
};

enum http_in {
	IN_NONE,    /* no body, or all of it was read */
	IN_GATHER,  /* the handler is called with all of it */
	IN_STREAM,  /* the handler reads it */
	IN_DISCARD, /* nobody does */
};

struct http_exchange_calls {
	void (*room)(struct http *h, void *arg);
	void *room_arg;
	size_t (*body)(struct http *h, const void *data, size_t n, void *arg);
	void *body_arg;
	void (*gone)(struct http *h, void *arg);
	void *gone_arg;
};

struct http {
	struct http_conn *c; /* NULL: the client is gone (a task still runs) */
	struct http *next_spare;
	const struct http_route *route;
	const uint8_t *base; /* the head: in packet memory, or copy */
	uint8_t *copy;
	size_t copy_size;
	char *decoded; /* path, and parameters that needed it */
	size_t decoded_size;
	struct http_text path, params[PARAMS_MAX];

	/* the request's body */
	const uint8_t *body;
	size_t body_len;
	uint8_t *gathered;
	size_t gathered_cap;
	uint64_t piece_left; /* content that follows in the stream without framing */
	uint64_t in_total, max_body;
	struct http_chunked chunked;
	uint8_t in; /* enum http_in */

	/* the response */
	uint16_t status;
	uint16_t extra_len;
	bool begun, ended, keep, out_chunked, no_body, task, later, paused, in_paused, expect;
	bool in_failed; /* the body broke off: -in_error */
	int in_error;
	uint64_t out_left; /* of a known length */
	uint64_t sent;	   /* bytes of the body, for the log */
	const uint8_t *rest;
	size_t rest_len; /* of http_send_static */
	uint8_t *place;	 /* http_room's, beginning with the chunk's line if there is one */
	size_t place_len;
	const char *type;
	struct http_exchange_calls calls;
	struct gw_waiters waiters;
	char extra[EXTRA_MAX];
	struct http_head head;
};

enum conn_wait { WAIT_NONE, WAIT_IN, WAIT_OUT };

struct http_conn {
	struct link link; /* in a slot of the wheel; first */
	struct gw_tcp *tcp;
	struct tls *tls; /* NULL: plain */
	struct http_shard *shard;
	struct http *x;
	uint8_t *head; /* one that has not arrived as a whole */
	uint8_t *owed; /* of a response, when the send queue was full */
	size_t owed_at, owed_len, owed_cap;
	uint32_t head_len, head_cap;
	uint32_t n_requests;
	uint32_t moved;	    /* bytes since wait_ns */
	uint64_t due_ns;    /* when it is looked at */
	uint64_t active_ns; /* the last request's end, the head's beginning */
	uint64_t wait_ns;   /* since when the client keeps us waiting; 0: it does not */
	uint64_t waited_ns; /* when a task last came back from waiting */
	uint8_t waiting;    /* enum conn_wait */
	bool running, dead, closing, lingering, aborted;
};

enum http_drop {
	DROP_HEAD,
	DROP_IDLE,
	DROP_STALL,
	DROP_PEER,
	DROP_MEMORY,
	DROP_TLS,
	DROP_STOP,
	DROPS
};

struct http_counters {
	uint64_t conns, requests, classes[6], bytes_out, bytes_in, drops[DROPS], refused,
		handshakes, log_lost;
};

struct http_shard {
	struct http_server *server;
	struct http *spare;
	struct tls_shard *tls;
	uint64_t now;
	uint64_t date_ns; /* when date is old */
	char date[40];	  /* "Date: ...\r\n", or empty */
	uint8_t date_len;
	bool stopping, ticking;
	uint32_t n_conns;
	uint32_t slot;
	struct gw_timer tick;
	struct http_counters count;
	size_t log_len;
	struct link wheel[WHEEL_SLOTS];
	char log[LOG_BUFFER];
	uint8_t scratch[2048];
};

struct route {
	const struct http_route *of;
	const char *path; /* in the pattern, behind the method */
	uint16_t path_len;
	uint8_t method; /* HTTP_NO_METHOD: every one */
	bool literal;
};

struct http_server {
	struct http_server *next;
	struct http_config config;
	struct gw_listener *plain, *secure;
	struct tls_identity *identity;
	struct route *routes;
	uint16_t *hash; /* 1 + index of literal routes */
	uint32_t hash_size;
	struct http_shard *shards[64];
};

/* ---- conn.c: connections ---- */
extern const struct gw_tcp_ops http_plain_ops, http_tls_ops;
/* Go on with whatever can be done. May free c. */
void conn_run(struct http_conn *c);
void conn_kill(struct http_conn *c, enum http_drop why, bool reset);
/* The same, as soon as nobody uses it. */
void conn_doom(struct http_conn *c, enum http_drop why);
/* Append to what is sent; what does not fit is kept. */
void conn_put(struct http_conn *c, const void *data, size_t n);
void exchange_free(struct http_shard *s, struct http *x);
void conn_finish(struct http_conn *c, struct http *x);

/* ---- request.c: from a head to its handler ---- */
bool request_next(struct http_conn *c); /* true: something was done */
void request_handle(struct http *x);
bool exchange_step(struct http_conn *c, struct http *x); /* body.c */

/* ---- body.c ---- */
#define BODY_DONE (-1l) /* all of it was read */
/* The next piece of the body: its length, 0: none now, BODY_DONE, or -status. */
long body_next(struct http *x, const uint8_t **data);
void body_take(struct http *x, size_t n);
void body_go_on(struct http *x); /* 100 Continue, if the client waits for it */

/* ---- response ---- */
bool reply_owes(struct http *x); /* write.c: still something to be sent; sends what it can */
void write_fill(struct http *x);

/* ---- router.c ---- */
int router_make(struct http_server *s);
/* The route for x's method and path, params set; else NULL, and *allowed the methods (bits) that
 * the path has. */
const struct http_route *router_find(const struct http_server *s, struct http *x,
				     unsigned *allowed);

/* ---- wheel.c: time ---- */
void wheel_init(struct http_shard *s);
void wheel_place(struct http_conn *c, uint64_t due_ns);
void wheel_remove(struct http_conn *c);
void wheel_now(struct http_shard *s);
void wait_begin(struct http_conn *c, enum conn_wait what);

/* ---- log.c ---- */
void log_exchange(struct http_conn *c, const struct http *x);
void log_flush(struct http_shard *s);

/* ---- task.c ---- */
void task_start(struct http *x);

/* ---- tls.c ---- */
struct tls_identity;
struct tls;
int tls_load(const char *cert, const char *key, struct tls_identity **out);
int tls_shard_init(struct http_shard *s);
struct tls *tls_new(struct http_shard *s, const struct tls_identity *id);
void tls_free(struct tls *t);
bool tls_pump(struct http_conn *c); /* false: broken or ended */
size_t tls_peek(struct http_conn *c, const uint8_t **data);
void tls_consume(struct http_conn *c, size_t n);
size_t tls_room(struct http_conn *c, uint8_t **to);
void tls_commit(struct http_conn *c, size_t n);
void tls_push(struct http_conn *c);
void tls_end(struct http_conn *c);
bool tls_ready(const struct tls *t); /* the handshake is done */
/* hosted/ or partition/: what the library's object code expects of its thread. */
void tls_platform_init(void);

/* ---- bytes in and out, plain or TLS ---- */
static inline size_t io_peek(struct http_conn *c, const uint8_t **data)
{
	return c->tls == NULL ? gw_tcp_peek(c->tcp, data) : tls_peek(c, data);
}

static inline void io_consume(struct http_conn *c, size_t n)
{
	if (c->tls == NULL)
		gw_tcp_consume(c->tcp, n);
	else
		tls_consume(c, n);
}

static inline size_t io_room(struct http_conn *c, uint8_t **to)
{
	return c->tls == NULL ? gw_tcp_room(c->tcp, to) : tls_room(c, to);
}

static inline void io_commit(struct http_conn *c, size_t n)
{
	if (c->tls == NULL)
		gw_tcp_commit(c->tcp, n);
	else
		tls_commit(c, n);
}

static inline void io_push(struct http_conn *c)
{
	if (c->tls == NULL)
		gw_tcp_push(c->tcp);
	else
		tls_push(c);
}

static inline const char *head_text(const struct http *x, struct http_span s)
{
	return (const char *)x->base + s.at;
}

static inline struct http_text text_of(const struct http *x, struct http_span s)
{
	return (struct http_text){ head_text(x, s), s.len };
}

#endif
