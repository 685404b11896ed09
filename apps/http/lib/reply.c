/* SPDX-License-Identifier: Apache-2.0 */
/* reply.c - the head of a response, and whole responses. */
#include "apps/http/lib/http_internal.h"

#define PRINT_MAX 4000u

static const char *reason(int status)
{
	switch (status) {
	case 200:
		return "OK";
	case 201:
		return "Created";
	case 202:
		return "Accepted";
	case 204:
		return "No Content";
	case 206:
		return "Partial Content";
	case 301:
		return "Moved Permanently";
	case 302:
		return "Found";
	case 303:
		return "See Other";
	case 304:
		return "Not Modified";
	case 307:
		return "Temporary Redirect";
	case 308:
		return "Permanent Redirect";
	case 400:
		return "Bad Request";
	case 401:
		return "Unauthorized";
	case 403:
		return "Forbidden";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 406:
		return "Not Acceptable";
	case 408:
		return "Request Timeout";
	case 409:
		return "Conflict";
	case 410:
		return "Gone";
	case 411:
		return "Length Required";
	case 412:
		return "Precondition Failed";
	case 413:
		return "Content Too Large";
	case 414:
		return "URI Too Long";
	case 415:
		return "Unsupported Media Type";
	case 416:
		return "Range Not Satisfiable";
	case 417:
		return "Expectation Failed";
	case 422:
		return "Unprocessable Content";
	case 429:
		return "Too Many Requests";
	case 431:
		return "Request Header Fields Too Large";
	case 500:
		return "Internal Server Error";
	case 501:
		return "Not Implemented";
	case 502:
		return "Bad Gateway";
	case 503:
		return "Service Unavailable";
	case 504:
		return "Gateway Timeout";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Status";
	}
}

/* ---- before the head ---- */

void http_status(struct http *h, int status)
{
	if (status >= 200 && status <= 599)
		h->status = (uint16_t)status;
}

void http_type(struct http *h, const char *content_type)
{
	if (strnlen(content_type, TYPE_MAX) < TYPE_MAX && http_field_ok("x", content_type))
		h->type = content_type;
}

int http_add(struct http *h, const char *name, const char *value)
{
	static const char *const own[] = { "content-length", "transfer-encoding",
					   "connection",     "date",
					   "server",	     "content-type" };
	size_t n = strlen(name), v = strlen(value);

	if (!http_field_ok(name, value))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (http_same(name, n, own[i], strlen(own[i])))
			return -EINVAL;
	if (n + v + 4 > EXTRA_MAX - h->extra_len)
		return -ENOSPC;
	h->extra_len = (uint16_t)(h->extra_len + gw_format(h->extra + h->extra_len,
							   EXTRA_MAX - h->extra_len, "%s: %s\r\n",
							   name, value));
	return 0;
}

/* ---- the head ---- */

static char *put(char *to, const char *text, size_t n)
{
	memcpy(to, text, n);
	return to + n;
}
#define PUT(to, literal) put(to, literal, sizeof(literal) - 1)

static char *put_number(char *to, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	return put(to, digits + n, sizeof(digits) - n);
}

/* Whether the connection goes on after this response. */
static bool keeps(const struct http *x)
{
	const struct http_config *k = &x->c->shard->server->config;

	if (!x->keep || x->c->closing || x->c->shard->stopping ||
	    (k->max_requests != 0 && x->c->n_requests + 1 >= k->max_requests))
		return false;
	/* A body that nobody wants: a short one is read, a long one is not, nor one that the client
	 * does not send before it is told to. */
	return x->in != IN_DISCARD || (!x->expect && x->piece_left <= DISCARD_MAX);
}

/* At most HEAD_ROOM bytes: a line, our fields, a type (200), others (1,024). */
static size_t put_head(struct http *x, uint64_t length, char *start)
{
	const struct http_shard *s = x->c->shard;
	char *to = start;

	if (x->status == 200) {
		to = PUT(to, "HTTP/1.1 200 OK\r\nServer: godwit\r\n");
	} else {
		const char *why = reason(x->status);

		to = put_number(PUT(to, "HTTP/1.1 "), x->status);
		*to++ = ' ';
		to = PUT(put(to, why, strlen(why)), "\r\nServer: godwit\r\n");
	}
	to = put(to, s->date, s->date_len);
	if (x->type != NULL) {
		to = put(PUT(to, "Content-Type: "), x->type, strlen(x->type));
		to = PUT(to, "\r\n");
	}
	to = put(to, x->extra, x->extra_len);
	if (x->out_chunked)
		to = PUT(to, "Transfer-Encoding: chunked\r\n");
	else if (length != HTTP_UNKNOWN && x->status != 204 && x->status != 304)
		to = PUT(put_number(PUT(to, "Content-Length: "), length), "\r\n");
	if (!x->keep)
		to = PUT(to, "Connection: close\r\n");
	else if (x->head.minor == 0)
		to = PUT(to, "Connection: keep-alive\r\n");
	return (size_t)(PUT(to, "\r\n") - start);
}

int http_begin(struct http *x, uint64_t length)
{
	char text[HEAD_ROOM];
	uint8_t *to;

	if (x->c == NULL || x->c->dead)
		return -EPIPE;
	if (x->begun)
		return -EALREADY;
	x->begun = true;
	if (x->status == 0)
		x->status = 200;
	if (x->in == IN_STREAM && x->status < 300) /* it answers as it reads */
		body_go_on(x);
	x->no_body = x->head.method == HTTP_HEAD || x->status == 204 || x->status == 304;
	x->out_left = length;
	if (length == HTTP_UNKNOWN) {
		x->out_chunked = x->head.minor != 0 && x->status != 204 && x->status != 304;
		if (x->head.minor == 0 && !x->no_body)
			x->keep = false;
	}
	x->keep = keeps(x);
	if (x->c->owed_len == 0 && io_room(x->c, &to) >= HEAD_ROOM)
		io_commit(x->c, put_head(x, length, (char *)to));
	else
		conn_put(x->c, text, put_head(x, length, text));
	return 0;
}

/* ---- whole responses ---- */

int http_send(struct http *x, const void *data, size_t n)
{
	int err = http_begin(x, n);

	if (err != 0)
		return err;
	if (!x->no_body && n != 0) {
		conn_put(x->c, data, n);
		x->sent = n;
		x->c->shard->count.bytes_out += n;
	}
	x->out_left = 0;
	http_end(x);
	return 0;
}

int http_send_static(struct http *x, const void *data, size_t n)
{
	int err = http_begin(x, n);

	if (err != 0)
		return err;
	if (!x->no_body) {
		x->rest = data;
		x->rest_len = n;
		x->sent = n;
		x->c->shard->count.bytes_out += n;
	}
	x->out_left = 0;
	write_fill(x);
	http_end(x);
	return 0;
}

int http_text(struct http *x, const char *text)
{
	if (x->type == NULL)
		x->type = "text/plain; charset=utf-8";
	return http_send(x, text, strlen(text));
}

int http_json(struct http *x, const char *text)
{
	x->type = "application/json";
	return http_send(x, text, strlen(text));
}

int http_print(struct http *x, const char *fmt, ...)
{
	char text[PRINT_MAX];
	va_list args;
	int n;

	va_start(args, fmt);
	n = gw_vformat(text, sizeof(text), fmt, args);
	va_end(args);
	if (x->type == NULL)
		x->type = "text/plain; charset=utf-8";
	return http_send(x, text, MIN((size_t)n, sizeof(text) - 1));
}

int http_error(struct http *x, int status)
{
	char text[64];
	int n = gw_format(text, sizeof(text), "%d %s\n", status, reason(status));

	x->status = (uint16_t)status;
	x->type = "text/plain; charset=utf-8";
	return http_send(x, text, (size_t)n);
}

int http_redirect(struct http *x, int status, const char *where)
{
	int err = http_add(x, "Location", where);

	return err != 0 ? http_error(x, 500) : http_error(x, status);
}
