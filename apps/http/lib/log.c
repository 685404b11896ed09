/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - the access log: a line for each request in the combined log format, what clients wrote
 * escaped, gathered for each shard and written when there is much, or four times a second. */
#include "apps/http/lib/http_internal.h"

#define FIELD_MAX 512u
/* three of them at four characters a byte, and the rest */
#define LINE_MAX (3 * 4 * FIELD_MAX + 512)

/* What is not taken now is tried again. */
void log_flush(struct http_shard *s)
{
	size_t n = s->log_len != 0 ? gw_out(s->log, s->log_len) : 0;

	if (n == 0)
		return;
	s->log_len -= n;
	memmove(s->log, s->log + n, s->log_len);
}

/* Quotes, backslashes and everything that is not visible ASCII as \xHH: a line stays a line. */
static char *escape(char *to, struct http_text t)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = MIN(t.len, FIELD_MAX);

	if (n == 0)
		*to++ = '-';
	for (size_t i = 0; i < n; i++) {
		uint8_t ch = (uint8_t)t.at[i];

		if (ch >= 0x20 && ch < 0x7f && ch != '"' && ch != '\\') {
			*to++ = (char)ch;
			continue;
		}
		*to++ = '\\';
		*to++ = 'x';
		*to++ = digits[ch >> 4];
		*to++ = digits[ch & 15];
	}
	return to;
}

/* "06/Nov/1994:08:49:37 +0000" */
static char *put_time(char *to)
{
	char d[HTTP_DATE_LEN];

	http_date_put(gw_wall() / GW_SEC, d);
	return to + gw_format(to, 32, "%.2s/%.3s/%.4s:%.8s +0000", d + 5, d + 8, d + 12, d + 17);
}

void log_exchange(struct http_conn *c, const struct http *x)
{
	struct http_text target = text_of(x, x->head.target),
			 method = text_of(x, x->head.method_name);
	char *to, address[GW_ADDR_TEXT];
	struct http_shard *s = c->shard;
	struct gw_addr from;
	const char *from_text;

	if (sizeof(s->log) - s->log_len < LINE_MAX)
		log_flush(s);
	if (sizeof(s->log) - s->log_len < LINE_MAX) {
		s->count.log_lost++;
		return;
	}
	to = s->log + s->log_len;
	gw_tcp_remote(c->tcp, &from);
	from_text = gw_addr_text(&from, address);
	if (from_text[0] == '[')
		from_text++;				       /* [::1]:80 */
	*strchr(address, from.family == 6 ? ']' : ':') = '\0'; /* no port */
	to += gw_format(to, 128, "%s - - [", from_text);
	to = put_time(to);
	to += gw_format(to, 64, "] \"%.*s ", (int)MIN(method.len, 24), method.at);
	to = escape(to, target);
	to += gw_format(to, 64, " HTTP/1.%u\" %u %lu \"", x->head.minor, x->status, x->sent);
	to = escape(to, http_header(x, "referer"));
	to += gw_format(to, 8, "\" \"");
	to = escape(to, http_header(x, "user-agent"));
	*to++ = '"';
	*to++ = '\n';
	s->log_len = (size_t)(to - s->log);
}
