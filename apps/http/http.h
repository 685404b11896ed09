/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - an HTTP/1.1 server as a library: a program gives it routes and functions that answer.
 *
 *     static void hello(struct http *h)
 *     {
 *             struct http_text name = http_param(h, "name");
 *
 *             http_print(h, "Hello, %.*s!\n", HTTP_ARG(name));
 *     }
 *
 *     int app_main(int argc, char **argv)
 *     {
 *             static const struct http_route routes[] = {
 *                     { "GET /hello/:name", hello },
 *             };
 *             struct http_config config = { .listen = ":80", .routes = routes, .n_routes = 1 };
 *
 *             return http_main(&config);
 *     }
 *
 * A handler runs on the shard where its connection is, as a callback (godwit.h): it must not wait.
 * With HTTP_TASK it is a task and may: for upstream connections, timers, long work. What a handler
 * does not answer is answered with 500. apps/hello-api is an example of everything here.
 *
 * Framing is the library's: Content-Length, chunks, Connection, Date, HEAD without a body, 100
 * Continue, pipelining, errors of the protocol (400, 405, 408, 413, 414, 417, 431, 501, 505).
 *
 * Trusts the program; nothing that comes from the network. */
#ifndef GODWIT_APPS_HTTP_HTTP_H
#define GODWIT_APPS_HTTP_HTTP_H

#include "runtime/godwit.h"

/* One request and its response. Valid in the handler and in what it installed, on that shard. */
struct http;

/* A piece of text that belongs to somebody else; not NUL-terminated. at NULL: there is none. */
struct http_text {
	const char *at;
	size_t len;
};
/* For "%.*s". */
#define HTTP_ARG(t) (int)(t).len, (t).at != NULL ? (t).at : ""

/* ---- routes ---- */
#define HTTP_TASK 0x1u	 /* the handler is a task of its own: calls that can wait do */
#define HTTP_STREAM 0x2u /* it is called at the request's head and reads the body itself */

struct http_route {
	/* "GET /users/:id" (a segment), "GET /files/:path..." (the
	 * rest, slashes included, perhaps empty), "* /any" (every method). GET routes answer HEAD
	 * too. A path without parameters wins over others; among those the first. */
	const char *pattern;
	void (*handler)(struct http *h);
	const void *arg; /* http_arg */
	unsigned flags;
	uint64_t max_body; /* bytes; 0: 1 MiB, or without end with HTTP_STREAM. Beyond: 413 */
};

/* ---- the server ---- */
/* Zero means the default in brackets. Times in milliseconds. */
struct http_config {
	const char *listen;		/* "1.2.3.4:80"; NULL: none */
	const char *listen_tls;		/* the same with TLS */
	const char *tls_cert, *tls_key; /* PEM files of --files: the chain, own certificate first */
	const struct http_route *routes; /* stay as long as the program */
	size_t n_routes;
	uint32_t max_conns;    /* per shard [what memory allows]; more are reset */
	uint32_t max_head;     /* bytes of a request's head, 1024 .. 65000 [16384] */
	uint32_t max_requests; /* of a connection [without end] */
	uint32_t head_ms;      /* from a head's first byte, or the connection, to its end [10000] */
	uint32_t idle_ms;      /* between requests [60000] */
	uint32_t stall_ms;     /* a body or a response that does not move [10000], */
	uint32_t min_rate;     /* or moves slower than so many bytes a second [500] */
	uint32_t drain_ms;     /* for requests in flight at the end [10000] */
	bool access_log;       /* common log format with referrer and agent, on standard output */
};

struct http_server;
/* Listen. The config is copied, what it points to stays. Tasks of shard 0, once in a program. 0, or
 * what went wrong, which has been said: -EINVAL, -EADDRINUSE, -ENOENT, -ENOMEM, ... */
int http_start(const struct http_config *config, struct http_server **out) GW_MUST_CHECK;
/* Refuse new connections, close idle ones, let requests in flight finish, at most drain_ms. True:
 * all did. Tasks of shard 0. */
bool http_stop(struct http_server *s);
/* http_start, wait for the program's end, http_stop: an exit status. */
int http_main(const struct http_config *config);
/* Counters of all shards as Prometheus text: a handler. */
void http_metrics(struct http *h);

/* ---- the request ----
 * Texts are valid until the handler returns; in tasks and with HTTP_STREAM, until the response has
 * ended. */
struct http_text http_method(const struct http *h);	/* "GET" */
struct http_text http_path(const struct http *h);	/* decoded, "/a b" */
struct http_text http_query_text(const struct http *h); /* raw, behind '?' */
struct http_text http_host(const struct http *h);
/* A header field (the first of that name), without regard to case. */
struct http_text http_header(const struct http *h, const char *name);
/* A parameter of the route's pattern, decoded. */
struct http_text http_param(const struct http *h, const char *name);
/* The value of a name in the query, decoded into to. Its length (cut at size - 1), -ENOENT,
 * -EINVAL (a bad escape). */
long http_query(const struct http *h, const char *name, char *to, size_t size);
/* The whole body (not with HTTP_STREAM). Where it arrived in one piece it lies in packet memory. */
struct http_text http_body(const struct http *h);
const void *http_arg(const struct http *h);
void http_remote(const struct http *h, struct gw_addr *out);
bool http_is_tls(const struct http *h);

/* ---- a whole response ----
 * One of these ends it. They return 0, -EPIPE (the client is gone) or -EALREADY (a response was
 * begun before). */
int http_text(struct http *h, const char *text); /* text/plain, or what http_type said */
int http_json(struct http *h, const char *text); /* application/json */
int http_print(struct http *h, const char *fmt, ...) GW_PRINTF(2, 3); /* at most 4,000 bytes */
int http_send(struct http *h, const void *data, size_t n);
/* The same for bytes that stay for good: what does not fit now is not copied. */
int http_send_static(struct http *h, const void *data, size_t n);
/* A short page that says the status. */
int http_error(struct http *h, int status);
int http_redirect(struct http *h, int status, const char *where);
/* A file of --files: "www/a.html". Type by its name, Last-Modified, ETag, conditional requests and
 * ranges (RFC 9110 13, 14). 404, 304, 206, 416, 412 and 200. */
int http_file(struct http *h, const char *path);
/* A handler for "GET /static/:path...": files below the folder arg (a string, "" for all),
 * index.html of folders, 301 to a folder's '/'. */
void http_files(struct http *h);

/* Before any of them: */
void http_status(struct http *h, int status);
/* Another field. -EINVAL: name or value have what would break the response (CR, LF, ...), or it is
 * one of the library's own; -ENOSPC: more than 1,024 bytes of them. */
int http_add(struct http *h, const char *name, const char *value);
void http_type(struct http *h, const char *content_type); /* stays until the response has begun */

/* ---- a response in parts ---- */
#define HTTP_UNKNOWN (~0ull)
/* Begin: of so many bytes, or HTTP_UNKNOWN (chunks; to HTTP/1.0 the connection's end). */
int http_begin(struct http *h, uint64_t length);
/* Bytes that were taken. In a task all of them, after waiting for room, or -EPIPE; in callbacks as
 * many as there is room for, perhaps 0: http_on_room says when there is again. */
long http_write(struct http *h, const void *data, size_t n);
/* A place to write the next bytes into (its size, 0: none now), and how many they were. What is
 * written here is sent from here. */
size_t http_room(struct http *h, uint8_t **to);
void http_commit(struct http *h, size_t n);
/* Send what was written; otherwise that is at the end, and when enough came together. */
void http_flush(struct http *h);
void http_end(struct http *h); /* h is not used after it, except in a handler that returns */
/* fn(h, arg) is called as a callback as long as there is room, until http_end: now, and whenever
 * the client has read. When it has nothing to write it calls http_pause; http_resume goes on. */
void http_on_room(struct http *h, void (*fn)(struct http *h, void *arg), void *arg);
void http_pause(struct http *h);
void http_resume(struct http *h);

/* ---- HTTP_STREAM: the body as it comes ---- */
/* Callbacks: fn is called with each piece, where it arrived, and returns how many bytes it took;
 * fewer: again at http_resume, or when there is room to write. n 0: the body has ended. */
void http_on_body(struct http *h,
		  size_t (*fn)(struct http *h, const void *data, size_t n, void *arg), void *arg);
/* Tasks: at least one byte; 0 = the end; -EPIPE (the client is gone), -EINVAL (no valid coding),
 * -EMSGSIZE (more than max_body). */
long http_read(struct http *h, void *to, size_t n) GW_MUST_CHECK;

/* ---- later ---- */
/* A callback handler that answers after it returned (from a timer, another connection's callback)
 * says so. gone(h, arg): the client went away, or the response has ended; the last call for h. */
void http_later(struct http *h, void (*gone)(struct http *h, void *arg), void *arg);

#endif
