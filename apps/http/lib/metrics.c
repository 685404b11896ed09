/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - the library's counters of all shards, and the runtime's, as Prometheus text. Others'
 * counters are read without a lock: each is whole, and may be a little old. */
#include "apps/http/lib/http_internal.h"

struct page {
	char *at;
	size_t len, cap;
	bool failed;
};

static void line(void *arg, const char *text)
{
	struct page *p = arg;
	size_t n = strlen(text);

	if (p->failed)
		return;
	if (p->len + n + 1 > p->cap) {
		char *more = gw_resize(p->at, p->cap, 2 * (p->len + n + 1));

		if (more == NULL) {
			p->failed = true;
			return;
		}
		p->at = more;
		p->cap = 2 * (p->len + n + 1);
	}
	memcpy(p->at + p->len, text, n);
	p->at[p->len + n] = '\n';
	p->len += n + 1;
}

static const struct {
	const char *name, *label, *help;
	size_t offset;
} table[] = {
#define COUNT(field) offsetof(struct http_counters, field)
	{ "connections_total", "", "Connections accepted.", COUNT(conns) },
	{ "requests_total", ",class=\"2xx\"", "Requests answered, by status.", COUNT(classes[2]) },
	{ "requests_total", ",class=\"3xx\"", NULL, COUNT(classes[3]) },
	{ "requests_total", ",class=\"4xx\"", NULL, COUNT(classes[4]) },
	{ "requests_total", ",class=\"5xx\"", NULL, COUNT(classes[5]) },
	{ "refused_total", "", "Bytes that were no request.", COUNT(refused) },
	{ "body_bytes_total", ",direction=\"in\"", "Bytes of bodies.", COUNT(bytes_in) },
	{ "body_bytes_total", ",direction=\"out\"", NULL, COUNT(bytes_out) },
	{ "dropped_total", ",reason=\"slow_head\"", "Connections given up, by reason.",
	  COUNT(drops[DROP_HEAD]) },
	{ "dropped_total", ",reason=\"idle\"", NULL, COUNT(drops[DROP_IDLE]) },
	{ "dropped_total", ",reason=\"stalled\"", NULL, COUNT(drops[DROP_STALL]) },
	{ "dropped_total", ",reason=\"broken_off\"", NULL, COUNT(drops[DROP_PEER]) },
	{ "dropped_total", ",reason=\"no_memory\"", NULL, COUNT(drops[DROP_MEMORY]) },
	{ "dropped_total", ",reason=\"tls\"", NULL, COUNT(drops[DROP_TLS]) },
	{ "dropped_total", ",reason=\"stopped\"", NULL, COUNT(drops[DROP_STOP]) },
	{ "tls_handshakes_total", "", "TLS handshakes done.", COUNT(handshakes) },
	{ "log_lost_total", "", "Lines of the access log that were lost.", COUNT(log_lost) },
};

static void put(struct page *p, const struct http_server *s)
{
	char text[200];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].help != NULL) {
			gw_format(text, sizeof(text), "# HELP http_%s %s", table[i].name,
				  table[i].help);
			line(p, text);
			gw_format(text, sizeof(text), "# TYPE http_%s counter", table[i].name);
			line(p, text);
		}
		for (unsigned k = 0; k < gw_shards(); k++) {
			const char *of = (const char *)&s->shards[k]->count + table[i].offset;

			gw_format(text, sizeof(text), "http_%s{shard=\"%u\"%s} %lu", table[i].name,
				  k, table[i].label,
				  __atomic_load_n((const uint64_t *)(const void *)of,
						  __ATOMIC_RELAXED));
			line(p, text);
		}
	}
	line(p, "# HELP http_connections Open connections.");
	line(p, "# TYPE http_connections gauge");
	for (unsigned k = 0; k < gw_shards(); k++) {
		gw_format(text, sizeof(text), "http_connections{shard=\"%u\"} %u", k,
			  __atomic_load_n(&s->shards[k]->n_conns, __ATOMIC_RELAXED));
		line(p, text);
	}
}

void http_metrics(struct http *x)
{
	struct page p = { NULL, 0, 0, false };

	if (x->c == NULL)
		return;
	put(&p, x->c->shard->server);
	gw_metrics(line, &p);
	http_type(x, "text/plain; version=0.0.4; charset=utf-8");
	if (p.failed)
		(void)http_error(x, 503);
	else
		(void)http_send(x, p.at, p.len);
	gw_free(p.at, p.cap);
}
