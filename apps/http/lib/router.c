/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - routes: paths without parameters by a hash, the others one after the other. */
#include "apps/http/lib/http_internal.h"

static uint32_t hash_of(const char *p, size_t n)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	while (n-- != 0)
		h = (h ^ (uint8_t)*p++) * 16777619u;
	return h ^ h >> 15;
}

/* "METHOD /path" */
static int parse_route(const struct http_route *of, struct route *r)
{
	const char *space = strchr(of->pattern, ' ');
	size_t n = space != NULL ? (size_t)(space - of->pattern) : 0;

	r->of = of;
	r->method = (uint8_t)http_method_of(of->pattern, n);
	if (n == 0 || space[1] != '/' || (r->method == HTTP_NO_METHOD && of->pattern[0] != '*'))
		return -EINVAL;
	r->path = space + 1;
	r->path_len = (uint16_t)strlen(r->path);
	r->literal = strchr(r->path, ':') == NULL;
	return 0;
}

int router_make(struct http_server *s)
{
	size_t n = s->config.n_routes;

	if (n >= UINT16_MAX / 4)
		return -EINVAL;
	for (s->hash_size = 16; s->hash_size < 2 * n; s->hash_size *= 2)
		;
	s->routes = gw_zalloc((n + 1) * sizeof(*s->routes));
	s->hash = gw_zalloc(s->hash_size * sizeof(*s->hash));
	if (s->routes == NULL || s->hash == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct route *r = &s->routes[i];
		uint32_t at;

		if (parse_route(&s->config.routes[i], r) != 0) {
			gw_log("error: route \"%s\": write METHOD /path",
			       s->config.routes[i].pattern);
			return -EINVAL;
		}
		if (!r->literal)
			continue;
		for (at = hash_of(r->path, r->path_len); s->hash[at % s->hash_size] != 0; at++)
			;
		s->hash[at % s->hash_size] = (uint16_t)(i + 1);
	}
	return 0;
}

/* Does the method fit? If not, the path has it at least. */
static bool fits(const struct route *r, enum http_method m, unsigned *allowed)
{
	unsigned has = r->method == HTTP_NO_METHOD ? ((1u << HTTP_TRACE) - 2) : 1u << r->method;

	if (has >> HTTP_GET & 1)
		has |= 1u << HTTP_HEAD;
	*allowed |= has;
	return has >> m & 1;
}

/* "/users/:id/files/:path..." against a path; parameters are pieces of the path. */
static bool matches(const struct route *r, struct http_text path,
		    struct http_text params[PARAMS_MAX])
{
	const char *t = r->path, *tend = t + r->path_len, *p = path.at, *end = p + path.len;
	unsigned n = 0;

	while (t < tend) {
		const char *from = p;

		if (*t != ':') {
			if (p == end || *p++ != *t++)
				return false;
			continue;
		}
		while (t < tend && *t != '/' && *t != '.')
			t++;
		if (tend - t == 3 && memcmp(t, "...", 3) == 0) {
			p = end;
			t = tend;
		} else {
			while (p < end && *p != '/')
				p++;
			if (p == from)
				return false;
			while (t < tend && *t != '/')
				t++;
		}
		if (n < PARAMS_MAX)
			params[n++] = (struct http_text){ from, (size_t)(p - from) };
	}
	return p == end;
}

const struct http_route *router_find(const struct http_server *s, struct http *x, unsigned *allowed)
{
	uint32_t at = hash_of(x->path.at, x->path.len), i;

	for (; (i = s->hash[at % s->hash_size]) != 0; at++) {
		const struct route *r = &s->routes[i - 1];

		if (r->path_len == x->path.len && memcmp(r->path, x->path.at, x->path.len) == 0 &&
		    fits(r, x->head.method, allowed))
			return r->of;
	}
	for (size_t k = 0; k < s->config.n_routes; k++) {
		const struct route *r = &s->routes[k];

		if (!r->literal && matches(r, x->path, x->params) &&
		    fits(r, x->head.method, allowed))
			return r->of;
	}
	return NULL;
}

struct http_text http_param(const struct http *x, const char *name)
{
	const char *t = x->route != NULL ? strchr(x->route->pattern, ':') : NULL;
	size_t n = strlen(name);

	for (unsigned i = 0; t != NULL && i < PARAMS_MAX; i++, t = strchr(t + 1, ':'))
		if (strncmp(t + 1, name, n) == 0 &&
		    (t[n + 1] == '\0' || t[n + 1] == '/' || t[n + 1] == '.'))
			return x->params[i];
	return (struct http_text){ NULL, 0 };
}
