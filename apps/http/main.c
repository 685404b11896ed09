/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the server as a program: static files, /plaintext, /json, /echo, /metrics. */
#include <errno.h>
#include <string.h>
#include "apps/http/http.h"

static const char help[] =
	"http [OPTIONS]    files below --files DIR/www, and /plaintext /json /echo /metrics\n"
	"  --listen ADDRESS      :80; none: no plain HTTP\n"
	"  --tls ADDRESS         TLS 1.2 (in processes and partitions), with\n"
	"  --cert FILE --key FILE  PEM files of --files DIR, outside of www\n"
	"  --root FOLDER         of --files DIR, www\n"
	"  --access-log          on standard output\n"
	"  --max-conns N         for each core\n"
	"  --head-ms N           a request's head has so long (10000), and\n"
	"  --idle-ms N           a connection between two requests (60000)\n"
	"  --stall-ms N          a body or an answer that does not move (10000)\n"
	"  --drain-ms N          requests in flight at the end (10000)\n";

static void plaintext(struct http *h)
{
	http_type(h, "text/plain");
	(void)http_send_static(h, "Hello, World!", 13);
}

static void json(struct http *h)
{
	(void)http_json(h, "{\"message\":\"Hello, World!\"}");
}

/* What comes in goes out, piece by piece, in chunks. */
static size_t echo_piece(struct http *h, const void *data, size_t n, void *arg)
{
	long taken = http_write(h, data, n);

	(void)arg;
	if (data == NULL)
		http_end(h);
	return taken > 0 ? (size_t)taken : 0;
}

static void echo(struct http *h)
{
	http_type(h, "application/octet-stream");
	if (http_begin(h, HTTP_UNKNOWN) == 0)
		http_on_body(h, echo_piece, NULL);
}

struct options {
	struct http_config config;
	const char *root;
};

static int set_number(uint32_t *to, const char *value)
{
	uint64_t v;
	int err = gw_parse_u64(value, 3600000, &v);

	*to = err == 0 ? (uint32_t)v : 0;
	return err == 0 && v == 0 ? -EINVAL : err;
}

/* An option with a value: 0, -EINVAL, -ENOENT (there is none of that name). */
static int set(struct options *o, const char *name, const char *value)
{
	struct http_config *k = &o->config;
	const struct {
		const char *name, **text;
		uint32_t *number;
	} all[] = {
		{ "--listen", &k->listen, NULL },     { "--tls", &k->listen_tls, NULL },
		{ "--cert", &k->tls_cert, NULL },     { "--key", &k->tls_key, NULL },
		{ "--root", &o->root, NULL },	      { "--max-conns", NULL, &k->max_conns },
		{ "--head-ms", NULL, &k->head_ms },   { "--idle-ms", NULL, &k->idle_ms },
		{ "--stall-ms", NULL, &k->stall_ms }, { "--drain-ms", NULL, &k->drain_ms },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(name, all[i].name) != 0)
			continue;
		if (value == NULL)
			return -EINVAL;
		if (all[i].number != NULL)
			return set_number(all[i].number, value);
		*all[i].text = value;
		return 0;
	}
	return -ENOENT;
}

/* A key below the folder that is served would be everybody's. */
static bool is_served(const struct options *o, const char *file)
{
	size_t n = strlen(o->root);

	return file != NULL && (n == 0 || (strncmp(file, o->root, n) == 0 && file[n] == '/'));
}

static int usage(const char *what, const char *name)
{
	const char *p = help, *end;

	gw_log("http: %s%s", what, name);
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1)
		gw_log("%.*s", (int)(end - p), p);
	return 2;
}

static int parse(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int err;

		if (strcmp(argv[i], "--access-log") == 0) {
			o->config.access_log = true;
			continue;
		}
		if (strcmp(argv[i], "--help") == 0)
			return usage("options", "");
		err = set(o, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (err == -ENOENT)
			return usage("unknown option ", argv[i]);
		if (err != 0)
			return usage("no good value for ", argv[i]);
		i++;
	}
	if (o->config.listen != NULL && strcmp(o->config.listen, "none") == 0)
		o->config.listen = NULL;
	if (is_served(o, o->config.tls_key))
		return usage("the key would be served; keep it outside of ", o->root);
	if (o->config.listen == NULL && o->config.listen_tls == NULL)
		return usage("nothing to listen on", "");
	return 0;
}

int app_main(int argc, char **argv)
{
	struct options o = { .config = { .listen = ":80" }, .root = "www" };
	static struct http_route routes[] = {
		{ .pattern = "GET /plaintext", .handler = plaintext },
		{ .pattern = "GET /json", .handler = json },
		{ .pattern = "POST /echo", .handler = echo, .flags = HTTP_STREAM },
		{ .pattern = "GET /metrics", .handler = http_metrics },
		{ .pattern = "GET /:path...", .handler = http_files },
	};
	int err = parse(&o, argc, argv);

	if (err != 0)
		return err;
	routes[4].arg = o.root;
	o.config.routes = routes;
	o.config.n_routes = sizeof(routes) / sizeof(routes[0]);
	return http_main(&o.config);
}
