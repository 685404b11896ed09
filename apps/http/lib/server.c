/* SPDX-License-Identifier: Apache-2.0 */
/* server.c - start and stop. */
#include "apps/http/lib/http_internal.h"

#define SHARDS_MAX (sizeof(((struct http_server *)NULL)->shards) / sizeof(struct http_shard *))

static void defaults(struct http_config *k)
{
	const struct {
		uint32_t *value, fallback;
	} all[] = {
		{ &k->max_head, 16384 }, { &k->head_ms, 10000 }, { &k->idle_ms, 60000 },
		{ &k->stall_ms, 10000 }, { &k->min_rate, 500 },	 { &k->drain_ms, 10000 },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (*all[i].value == 0)
			*all[i].value = all[i].fallback;
	k->max_head = MIN(k->max_head < 1024 ? 1024u : k->max_head, 65000u);
}

struct making {
	struct http_server *server;
	int err;
};

static void make_shard(void *arg)
{
	struct making *m = arg;
	struct http_shard *s = gw_zalloc(sizeof(*s));

	if (s == NULL) {
		m->err = -ENOMEM;
		return;
	}
	m->server->shards[gw_shard()] = s;
	s->server = m->server;
	wheel_init(s);
	if (m->server->identity != NULL && m->err == 0)
		m->err = tls_shard_init(s);
}

static int listen_on(struct http_server *s, const char *where, bool secure,
		     struct gw_listener **out)
{
	struct gw_tcp_service service = { .ops = secure ? http_tls_ops : http_plain_ops,
					  .arg = s,
					  .max_conns = s->config.max_conns,
					  .nodelay = true };
	char text[GW_ADDR_TEXT];
	struct gw_addr at;
	int err = gw_addr_parse(where, &at);

	if (err == 0)
		err = gw_tcp_listen(&at, &service, out);
	if (err != 0)
		(void)gw_fail(err, "http: cannot listen on %s", where);
	else
		gw_log("http: %s on %s, %u shards", secure ? "TLS" : "plain",
		       gw_addr_text(&at, text), gw_shards());
	return err;
}

static int prepare(struct http_server *s)
{
	struct making m = { s, 0 };
	const struct http_config *k = &s->config;
	int err = router_make(s);

	if (err == 0 && k->listen_tls != NULL && (k->tls_cert == NULL || k->tls_key == NULL)) {
		gw_log("error: http: TLS needs a certificate and a key");
		err = -EINVAL;
	}
	if (err == 0 && k->listen_tls != NULL)
		err = tls_load(k->tls_cert, k->tls_key, &s->identity);
	if (err != 0)
		return err;
	gw_run_everywhere(make_shard, &m);
	return m.err;
}

static struct http_server *servers; /* they stay until the program ends */

/* What a failed start leaves is the program's, which ends. */
int http_start(const struct http_config *config, struct http_server **out)
{
	struct http_server *s = gw_zalloc(sizeof(*s));
	int err;

	if (s == NULL || gw_shards() > SHARDS_MAX)
		return -ENOMEM;
	s->next = servers;
	servers = s;
	s->config = *config;
	defaults(&s->config);
	err = prepare(s);
	if (err == 0 && config->listen != NULL)
		err = listen_on(s, config->listen, false, &s->plain);
	if (err == 0 && config->listen_tls != NULL)
		err = listen_on(s, config->listen_tls, true, &s->secure);
	if (err == 0)
		*out = s;
	return err;
}

/* ---- the end ---- */

struct stopping {
	struct http_server *server;
	uint32_t left;
	size_t unwritten; /* bytes of the log */
	bool now;
};

/* Idle connections are closed; with `now` all. */
static void stop_shard(void *arg)
{
	struct stopping *st = arg;
	struct http_shard *s = st->server->shards[gw_shard()];

	s->stopping = true;
	wheel_now(s);
	for (unsigned i = 0; i < WHEEL_SLOTS; i++) {
		struct link *l = s->wheel[i].next;

		while (l != &s->wheel[i]) {
			struct http_conn *c = (struct http_conn *)(void *)l;

			l = l->next;
			if (st->now)
				conn_kill(c, DROP_STOP, true);
			else if (c->x == NULL && c->owed_len == 0 && c->head_len == 0 &&
				 !c->lingering && gw_tcp_available(c->tcp) == 0)
				conn_kill(c, DROPS, false);
		}
	}
	log_flush(s);
	st->left += s->n_conns;
	st->unwritten += s->log_len;
}

bool http_stop(struct http_server *server)
{
	uint64_t until = gw_now() + (uint64_t)server->config.drain_ms * GW_MS;
	struct stopping st = { .server = server };

	if (server->plain != NULL)
		gw_listener_close(server->plain);
	if (server->secure != NULL)
		gw_listener_close(server->secure);
	server->plain = server->secure = NULL;
	for (;;) {
		st.left = 0;
		st.unwritten = 0;
		gw_run_everywhere(stop_shard, &st);
		if (st.left == 0 && st.unwritten == 0)
			return !st.now;
		if (gw_now() >= until + GW_SEC)
			return false;
		st.now = st.now || (st.left != 0 && gw_now() >= until);
		gw_sleep(10 * GW_MS);
	}
}

int http_main(const struct http_config *config)
{
	struct http_server *s;

	if (http_start(config, &s) != 0)
		return 1;
	(void)gw_wait_stop();
	if (!http_stop(s))
		gw_warn("http: requests were cut off after %u ms", s->config.drain_ms);
	gw_sleep(20 * GW_MS); /* the last packets leave */
	return 0;
}
