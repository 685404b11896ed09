/* SPDX-License-Identifier: Apache-2.0 */
/* proto_http.c - http://: one request, again and again, on connections that are kept. An answer of
 * status 400 and above is an error; with --verify every body must be that of the connection's first
 * answer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/http_parse.h"
#include "tools/load/proto.h"

struct http_shared {
	struct text request;
	bool head, verify;
};

struct http_conn {
	const struct http_shared *shared;
	struct http_parser parser;
	bool known; /* first_* are */
	uint64_t first_hash, first_body;
};

static int check_words(const struct proto_options *o)
{
	if (o->method[strspn(o->method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] != '\0' ||
	    o->method[0] == '\0')
		return fail("--method %s: a method is in capital letters, such as GET", o->method);
	for (size_t i = 0; o->headers != NULL && i < o->headers->n; i++) {
		const char *h = o->headers->v[i];

		if (strchr(h, ':') == NULL || strpbrk(h, "\r\n") != NULL)
			return fail("--header '%s': a header is 'Name: value'", h);
	}
	return 0;
}

static void release(void *shared)
{
	struct http_shared *s = shared;

	text_free(&s->request);
	free(s);
}

static int prepare(const struct proto_options *o, void **shared)
{
	struct http_shared *s;
	bool has_host = false;

	if (check_words(o) != 0)
		return -1;
	s = xcalloc(1, sizeof(*s));
	s->head = strcmp(o->method, "HEAD") == 0;
	s->verify = o->verify;
	text_printf(&s->request, "%s %s HTTP/1.1\r\n", o->method, o->url.path);
	for (size_t i = 0; o->headers != NULL && i < o->headers->n; i++) {
		has_host = has_host || strncasecmp(o->headers->v[i], "host:", 5) == 0;
		text_printf(&s->request, "%s\r\n", o->headers->v[i]);
	}
	if (!has_host)
		text_printf(&s->request, "Host: %s\r\n", o->url.authority);
	if (o->body != NULL)
		text_printf(&s->request, "Content-Length: %zu\r\n\r\n%s", strlen(o->body), o->body);
	else
		text_add(&s->request, "\r\n", 2);
	*shared = s;
	return 0;
}

static void open_conn(void *conn, const void *shared, uint32_t index, uint32_t generation)
{
	struct http_conn *c = conn;

	(void)index;
	(void)generation;
	c->shared = shared;
	http_init(&c->parser, c->shared->head, c->shared->verify);
}

static void request(void *conn, struct text *out, struct rng *rng, uint64_t id)
{
	struct http_conn *c = conn;

	(void)rng;
	(void)id;
	text_add(out, c->shared->request.data, c->shared->request.len);
}

static void complete(struct http_conn *c, struct proto_answer *a)
{
	const struct http_parser *p = &c->parser;

	a->done = true;
	a->close = p->close;
	if (p->status >= 400) {
		a->error = true;
		snprintf(a->why, sizeof(a->why), "HTTP status %u", p->status);
	} else if (c->shared->verify && !c->known) {
		c->known = true;
		c->first_hash = p->hash;
		c->first_body = p->body;
	} else if (c->shared->verify && (c->first_hash != p->hash || c->first_body != p->body)) {
		a->wrong = true;
		snprintf(a->why, sizeof(a->why),
			 "a body of %llu bytes is not the first answer's (%llu bytes)",
			 (unsigned long long)p->body, (unsigned long long)c->first_body);
	}
}

static ssize_t answer(void *conn, const uint8_t *in, size_t n, struct proto_answer *a)
{
	struct http_conn *c = conn;
	bool done = false;
	ssize_t took = http_feed(&c->parser, in, n, &done);

	if (took < 0)
		snprintf(a->why, sizeof(a->why), "%s", c->parser.why);
	else if (done)
		complete(c, a);
	return took;
}

static bool end(void *conn, struct proto_answer *a)
{
	struct http_conn *c = conn;

	if (!http_end(&c->parser))
		return false;
	complete(c, a);
	return true;
}

const struct proto proto_http = { .scheme = "http",
				  .port = 80,
				  .conn_size = sizeof(struct http_conn),
				  .prepare = prepare,
				  .release = release,
				  .open = open_conn,
				  .request = request,
				  .answer = answer,
				  .end = end };
