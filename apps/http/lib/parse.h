/* SPDX-License-Identifier: Apache-2.0 */
/* parse.h - what is read from the wire, as functions of bytes: the head of a request, the chunked
 * coding, the path of a target, dates, ranges and entity tags. They trust nothing, keep nothing,
 * allocate nothing and know nothing of connections. RFC 9110 and RFC 9112; where a recipient may be
 * lenient they are strict, because two recipients that differ are how requests are smuggled. */
#ifndef GODWIT_APPS_HTTP_PARSE_H
#define GODWIT_APPS_HTTP_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_FIELDS_MAX 64u   /* header fields of a request; more are answered with 431 */
#define HTTP_HEAD_MAX 0xfff0u /* what spans can point into */

enum http_method {
	HTTP_NO_METHOD, /* none that is known: 501 */
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_PUT,
	HTTP_DELETE,
	HTTP_PATCH,
	HTTP_OPTIONS,
	HTTP_TRACE,
	HTTP_CONNECT,
	HTTP_METHODS
};

/* Bytes of a head, from its beginning. */
struct http_span {
	uint16_t at, len;
};

struct http_field {
	struct http_span name, value;
};

struct http_head {
	uint64_t content_length; /* 0 without one */
	struct http_span method_name, target, path, query, host;
	enum http_method method;
	uint8_t minor;	      /* HTTP/1.minor: 0, or 1 for all higher ones */
	bool keep_alive;      /* what version and Connection say (RFC 9112 9.3) */
	bool chunked;	      /* the body is; else it has content_length bytes */
	bool has_length;      /* a Content-Length, 0 included */
	bool expect_continue; /* the client waits for 100 before it sends the body */
	bool escaped;	      /* the path has '%', "//" or "/.": http_path_decode */
	uint16_t n_fields;
	struct http_field fields[HTTP_FIELDS_MAX];
};

/* The head of a request at the beginning of n bytes. Its length, the empty line and empty lines
 * before it included; 0: the bytes end before it does (out is undefined); -400, -417, -431, -501,
 * -505: the status of the refusal. O(n). */
int http_parse_head(const uint8_t *p, size_t n, struct http_head *out);
/* Why n bytes that are no whole head are too many: 414 within the request line, else 431. */
int http_too_long(const uint8_t *p, size_t n);
enum http_method http_method_of(const char *name, size_t n);
/* Whether the comma-separated list has an item, without regard to case (RFC 9110 5.6.1). */
bool http_list_has(const char *list, size_t n, const char *item);
/* Whether two texts are the same without regard to the case of ASCII letters. */
bool http_same(const char *a, size_t a_len, const char *b, size_t b_len);
/* A field's name and value that may be sent: token; no CR, LF, NUL or other control. */
bool http_field_ok(const char *name, const char *value);

/* ---- chunked coding (RFC 9112 7.1) ---- */
struct http_chunked {
	uint64_t left; /* of this chunk's data; or its size while that is read */
	uint32_t line; /* bytes of lines without data so far: bounded */
	uint8_t state;
	bool done; /* the last chunk and the trailer section are behind us */
};
/* { 0 } begins. Looks at n bytes (read in order, each once): returns how many it is done with, and
 * in *data, *data_n those that are content (the last ones of the returned). Stops after each piece
 * of content, at the end (done), and at the end of the bytes. -400: no such coding; -431: too many
 * bytes of extensions and trailers. */
long http_chunked_next(struct http_chunked *d, const uint8_t *p, size_t n, const uint8_t **data,
		       size_t *data_n);

/* ---- the path ---- */
/* Decode %XX, join slashes, remove "." and ".." (RFC 3986 5.2.4). to has room for n + 2 bytes and
 * ends with NUL. The length, or -400: a bad escape, %00, a path above the root, no '/' first. */
long http_path_decode(const char *path, size_t n, char *to);
/* Decode a piece of a query: %XX and '+'. As above, without any meaning of dots or NUL. */
long http_query_decode(const char *text, size_t n, char *to);

/* ---- dates, ranges, tags ---- */
#define HTTP_DATE_LEN 29u /* "Sun, 06 Nov 1994 08:49:37 GMT" */
void http_date_put(uint64_t seconds, char to[HTTP_DATE_LEN]);
/* All three forms (RFC 9110 5.6.7). Seconds since 1970, or -1. */
long http_date_get(const char *text, size_t n);

struct http_range {
	uint64_t first, last; /* inclusive */
};
enum { HTTP_RANGE_NONE, HTTP_RANGE_ONE, HTTP_RANGE_BAD }; /* all of it; 206; 416 */
/* One range of a Range field for a representation of len bytes. Several ranges, and what is no
 * byte range, are ignored: all of it is sent, which RFC 9110 14.2 permits. */
int http_range_get(const char *text, size_t n, uint64_t len, struct http_range *out);
/* Whether an If-Match or If-None-Match list has the tag ("..." with its quotes, strong), or is "*".
 * weak: W/ is no difference (RFC 9110 8.8.3.2). */
bool http_tag_listed(const char *list, size_t n, const char *tag, size_t tag_len, bool weak);

#endif
