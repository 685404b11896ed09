/* SPDX-License-Identifier: Apache-2.0 */
/* access.c - what a handler asks about its request. */
#include "apps/http/lib/http_internal.h"

struct http_text http_method(const struct http *x)
{
	return text_of(x, x->head.method_name);
}

struct http_text http_path(const struct http *x)
{
	return x->path;
}

struct http_text http_query_text(const struct http *x)
{
	return text_of(x, x->head.query);
}

struct http_text http_host(const struct http *x)
{
	return text_of(x, x->head.host);
}

struct http_text http_header(const struct http *x, const char *name)
{
	size_t n = strlen(name);

	for (unsigned i = 0; i < x->head.n_fields; i++) {
		const struct http_field *f = &x->head.fields[i];

		if (f->name.len == n && http_same(head_text(x, f->name), n, name, n))
			return text_of(x, f->value);
	}
	return (struct http_text){ NULL, 0 };
}

/* "a=1&b=2": names are compared as they are written. */
long http_query(const struct http *x, const char *name, char *to, size_t size)
{
	const char *p = head_text(x, x->head.query), *end = p + x->head.query.len;
	size_t n = strlen(name);

	while (p < end) {
		const char *amp = memchr(p, '&', (size_t)(end - p)),
			   *stop = amp != NULL ? amp : end;
		const char *eq = memchr(p, '=', (size_t)(stop - p)),
			   *name_end = eq != NULL ? eq : stop;

		if ((size_t)(name_end - p) == n && memcmp(p, name, n) == 0) {
			size_t len = eq != NULL ? (size_t)(stop - eq - 1) : 0;
			char *whole = gw_alloc(len + 1);
			long got;

			if (whole == NULL || size == 0) {
				gw_free(whole, len + 1);
				return -ENOMEM;
			}
			got = http_query_decode(eq != NULL ? eq + 1 : stop, len, whole);
			if (got >= 0) {
				size_t k = MIN((size_t)got, size - 1);

				memcpy(to, whole, k);
				to[k] = '\0';
				got = (long)k;
			}
			gw_free(whole, len + 1);
			return got < 0 ? -EINVAL : got;
		}
		p = amp != NULL ? amp + 1 : end;
	}
	return -ENOENT;
}

struct http_text http_body(const struct http *x)
{
	return (struct http_text){ x->body != NULL ? (const char *)x->body : "", x->body_len };
}

const void *http_arg(const struct http *x)
{
	return x->route->arg;
}

void http_remote(const struct http *x, struct gw_addr *out)
{
	if (x->c != NULL)
		gw_tcp_remote(x->c->tcp, out);
	else
		*out = (struct gw_addr){ 0 };
}

bool http_is_tls(const struct http *x)
{
	return x->c != NULL && x->c->tls != NULL;
}
