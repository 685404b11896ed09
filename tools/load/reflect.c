/* SPDX-License-Identifier: Apache-2.0 */
/* reflect.c - what the reflector answers. See reflector.h. */
#include <string.h>

#include "tools/load/reflector.h"

static void redis_answer(struct reflector *r, struct peer *p)
{
	static const char *const ints[] = { "INCR", "DEL",  "EXISTS", "LPUSH",
					    "SADD", "HSET", "ZADD",   "APPEND" };
	size_t n = p->resp.len < sizeof(p->name) - 1 ? p->resp.len : sizeof(p->name) - 1;

	for (size_t i = 0; i < n; i++) {
		if (p->name[i] >= 'a' && p->name[i] <= 'z')
			p->name[i] = (char)(p->name[i] - 'a' + 'A');
	}
	p->name[n] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		if (strcmp(p->name, ints[i]) == 0) {
			text_add(&p->out, ":1\r\n", 4);
			return;
		}
	}
	if (strcmp(p->name, "GET") == 0 || strcmp(p->name, "ECHO") == 0 ||
	    strcmp(p->name, "HGET") == 0 || strcmp(p->name, "RPOP") == 0) {
		text_printf(&p->out, "$%zu\r\n", r->value.len);
		text_add(&p->out, r->value.data, r->value.len);
		text_add(&p->out, "\r\n", 2);
	} else if (strcmp(p->name, "PING") == 0) {
		text_add(&p->out, "+PONG\r\n", 7);
	} else {
		text_add(&p->out, "+OK\r\n", 5);
	}
}

static int redis(struct reflector *r, struct peer *p, const uint8_t *in, size_t n)
{
	int requests = 0;

	for (size_t at = 0; at < n;) {
		bool done = false;
		ssize_t took = resp_feed(&p->resp, in + at, n - at, &done);

		if (took < 0)
			return -1;
		at += (size_t)took;
		if (!done)
			continue;
		redis_answer(r, p);
		requests++;
	}
	return requests;
}

static int http(struct reflector *r, struct peer *p, const uint8_t *in, size_t n)
{
	int requests = 0;

	for (size_t i = 0; i < n; i++) {
		if (in[i] == (uint8_t) "\r\n\r\n"[p->match])
			p->match++;
		else
			p->match = in[i] == '\r';
		if (p->match < 4)
			continue;
		p->match = 0;
		text_add(&p->out, r->http.data, r->http.len);
		requests++;
	}
	return requests;
}

int reflect(struct reflector *r, struct peer *p, const uint8_t *in, size_t n)
{
	if (p->kind == REFLECT_REDIS)
		return redis(r, p, in, n);
	if (p->kind == REFLECT_HTTP)
		return http(r, p, in, n);
	text_add(&p->out, in, n);
	return 1;
}
