/* SPDX-License-Identifier: Apache-2.0 */
/* files.c - files of --files: type, validators, conditional requests and ranges (RFC 9110 8.8, 13,
 * 14). They lie in memory for good and are sent from there. */
#include "apps/http/lib/http_internal.h"

#define PATH_MAX_BYTES 1024u

static const char *type_of(const char *path)
{
	static const char *const types[][2] = {
		{ "html", "text/html; charset=utf-8" },
		{ "htm", "text/html; charset=utf-8" },
		{ "css", "text/css; charset=utf-8" },
		{ "js", "text/javascript; charset=utf-8" },
		{ "mjs", "text/javascript; charset=utf-8" },
		{ "json", "application/json" },
		{ "txt", "text/plain; charset=utf-8" },
		{ "md", "text/markdown; charset=utf-8" },
		{ "csv", "text/csv; charset=utf-8" },
		{ "xml", "application/xml" },
		{ "svg", "image/svg+xml" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
		{ "gif", "image/gif" },
		{ "webp", "image/webp" },
		{ "avif", "image/avif" },
		{ "ico", "image/x-icon" },
		{ "woff", "font/woff" },
		{ "woff2", "font/woff2" },
		{ "wasm", "application/wasm" },
		{ "pdf", "application/pdf" },
		{ "mp4", "video/mp4" },
		{ "webm", "video/webm" },
		{ "mp3", "audio/mpeg" },
		{ "zip", "application/zip" },
		{ "gz", "application/gzip" },
	};
	const char *name = strrchr(path, '/'), *dot = strrchr(name != NULL ? name : path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof(types) / sizeof(types[0]); i++)
		if (http_same(dot + 1, strlen(dot + 1), types[i][0], strlen(types[i][0])))
			return types[i][1];
	return "application/octet-stream";
}

struct validators {
	char tag[48]; /* "mtime-length" in hex, with quotes */
	size_t tag_len;
	long modified; /* seconds */
};

static bool newer(const struct validators *v, struct http_text date)
{
	long at = date.at != NULL ? http_date_get(date.at, date.len) : -1;

	return at < 0 || v->modified > at;
}

/* RFC 9110 13.2.2, in its order. 0 = go on, or 304, 412. */
static int precondition(const struct http *x, const struct validators *v)
{
	struct http_text t = http_header(x, "if-match");
	bool reads = x->head.method == HTTP_GET || x->head.method == HTTP_HEAD;

	if (t.at != NULL) {
		if (!http_tag_listed(t.at, t.len, v->tag, v->tag_len, false))
			return 412;
	} else {
		t = http_header(x, "if-unmodified-since");
		if (t.at != NULL && http_date_get(t.at, t.len) >= 0 && newer(v, t))
			return 412;
	}
	t = http_header(x, "if-none-match");
	if (t.at != NULL) {
		if (http_tag_listed(t.at, t.len, v->tag, v->tag_len, true))
			return reads ? 304 : 412;
		return 0;
	}
	t = http_header(x, "if-modified-since");
	return t.at != NULL && reads && !newer(v, t) ? 304 : 0;
}

/* Is a Range to be looked at? If-Range: the strong tag, or the exact date (13.1.5). */
static bool range_counts(const struct http *x, const struct validators *v)
{
	struct http_text t = http_header(x, "if-range");

	if (x->head.method != HTTP_GET)
		return false;
	if (t.at == NULL)
		return true;
	if (t.len != 0 && t.at[0] == '"')
		return t.len == v->tag_len && memcmp(t.at, v->tag, t.len) == 0;
	return http_date_get(t.at, t.len) == v->modified;
}

static int send_range(struct http *x, const struct gw_file *f, const struct validators *v)
{
	struct http_text t = http_header(x, "range");
	struct http_range r;
	char text[80];

	if (t.at != NULL && range_counts(x, v)) {
		switch (http_range_get(t.at, t.len, f->len, &r)) {
		case HTTP_RANGE_ONE:
			gw_format(text, sizeof(text), "bytes %lu-%lu/%lu", r.first, r.last,
				  (uint64_t)f->len);
			http_status(x, 206);
			(void)http_add(x, "Content-Range", text);
			return http_send_static(x, (const char *)f->data + r.first,
						(size_t)(r.last - r.first + 1));
		case HTTP_RANGE_BAD:
			gw_format(text, sizeof(text), "bytes */%lu", (uint64_t)f->len);
			(void)http_add(x, "Content-Range", text);
			return http_error(x, 416);
		default:
			break;
		}
	}
	return http_send_static(x, f->data, f->len);
}

static int send_file(struct http *x, const char *path, const struct gw_file *f)
{
	struct validators v;
	char date[HTTP_DATE_LEN + 1];
	int status;

	v.modified = (long)(f->mtime_ns / GW_SEC);
	v.tag_len = (size_t)gw_format(v.tag, sizeof(v.tag), "\"%lx-%lx\"",
				      (uint64_t)(f->mtime_ns / GW_MS), (uint64_t)f->len);
	http_date_put((uint64_t)v.modified, date);
	date[HTTP_DATE_LEN] = '\0';
	(void)http_add(x, "ETag", v.tag);
	(void)http_add(x, "Last-Modified", date);
	status = precondition(x, &v);
	if (status == 412)
		return http_error(x, 412);
	if (status == 304) {
		http_status(x, 304);
		return http_send(x, "", 0);
	}
	(void)http_add(x, "Accept-Ranges", "bytes");
	if (x->type == NULL)
		x->type = type_of(path);
	return send_range(x, f, &v);
}

int http_file(struct http *x, const char *path)
{
	struct gw_file f;
	int err = gw_file(path, &f);

	if (err != 0)
		return http_error(x, err == -EIO || err == -ENOMEM ? 500 : 404);
	return send_file(x, path, &f);
}

/* A folder without its '/': relative links need it. */
static void to_folder(struct http *x)
{
	char where[PATH_MAX_BYTES];
	struct http_text raw = text_of(x, x->head.path), q = http_query_text(x);
	int n = gw_format(where, sizeof(where), "%.*s/%s%.*s", HTTP_ARG(raw), q.len != 0 ? "?" : "",
			  HTTP_ARG(q));

	/* "//host" would be another server */
	if ((size_t)n >= sizeof(where) || (where[0] == '/' && where[1] == '/'))
		(void)http_error(x, 404);
	else
		(void)http_redirect(x, 301, where);
}

/* The decoded path has no "." and "..": it is below the folder, and gw_file knows neither. */
void http_files(struct http *x)
{
	const char *folder = http_arg(x) != NULL ? http_arg(x) : "";
	struct http_text rest = x->params[0];
	bool is_folder = rest.len == 0 || rest.at[rest.len - 1] == '/';
	char path[PATH_MAX_BYTES];
	struct gw_file f;
	int n, err;

	n = gw_format(path, sizeof(path), "%s%s%.*s%s", folder, *folder != '\0' ? "/" : "",
		      HTTP_ARG(rest), is_folder ? "index.html" : "");
	err = (size_t)n < sizeof(path) ? gw_file(path, &f) : -ENOENT;
	if (err == 0)
		(void)send_file(x, path, &f);
	else if (err == -EISDIR)
		to_folder(x);
	else
		(void)http_error(x, err == -EIO || err == -ENOMEM ? 500 : 404);
}
