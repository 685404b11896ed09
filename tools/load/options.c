/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - see options.h. Every option is in one table: its name, what it sets, and which
 * protocols know it. */
#include <stdlib.h>
#include <string.h>

#include "tools/load/options.h"
#include "tools/load/units.h"

enum kind { TEXT, COUNT, TIME, FLAG, OTHER };

struct option {
	const char *name;
	enum kind kind;
	size_t at;	      /* in struct load_config */
	uint64_t least, most; /* COUNT: 32 or 64 bits by size; TIME: ns */
	size_t size;
	const char *schemes; /* NULL: all */
	bool sweep;	     /* of sweep only */
};

#define AT(field) \
	offsetof(struct load_config, field), 0, 0, sizeof(((struct load_config *)0)->field)
#define RANGE(field, least, most) \
	offsetof(struct load_config, field), least, most, sizeof(((struct load_config *)0)->field)
#define DAY (86400 * NS_PER_SEC)

static const struct option options[] = {
	{ "--rate", OTHER, 0, 0, 0, 0, NULL, false },
	{ "--arrivals", OTHER, 0, 0, 0, 0, NULL, false },
	{ "--burst", COUNT, RANGE(arrivals.burst, 1, 1000000), NULL, false },
	{ "--ramp", OTHER, 0, 0, 0, 0, NULL, false },
	{ "--trace", TEXT, AT(trace_path), NULL, false },
	{ "--connections", COUNT, RANGE(connections, 1, 100000), NULL, false },
	{ "--threads", COUNT, RANGE(threads, 1, 256), NULL, false },
	{ "--pipeline", COUNT, RANGE(pipeline, 1, 10000), NULL, false },
	{ "--duration", TIME, RANGE(duration, NS_PER_MS, DAY), NULL, false },
	{ "--warmup", TIME, RANGE(warmup, 0, DAY), NULL, false },
	{ "--timeout", TIME, RANGE(timeout, NS_PER_MS, 3600 * NS_PER_SEC), NULL, false },
	{ "--connect-timeout", TIME, RANGE(connect_timeout, NS_PER_MS, 3600 * NS_PER_SEC), NULL,
	  false },
	{ "--drain", TIME, RANGE(drain, 0, 3600 * NS_PER_SEC), NULL, false },
	{ "--interval", TIME, RANGE(interval, 10 * NS_PER_MS, 3600 * NS_PER_SEC), NULL, false },
	{ "--poll", OTHER, 0, 0, 0, 0, NULL, false },
	{ "--seed", COUNT, RANGE(options.seed, 0, UINT64_MAX / 2), NULL, false },
	{ "--mix", TEXT, AT(options.mix), "redis", false },
	{ "--keys", COUNT, RANGE(options.keys, 1, 1000000000000), "redis", false },
	{ "--key-dist", OTHER, 0, 0, 0, 0, "redis", false },
	{ "--value-size", COUNT, RANGE(options.size, 0, 64u << 20), "redis", false },
	{ "--size", COUNT, RANGE(options.size, 8, 64u << 20), "tcp udp", false },
	{ "--verify", FLAG, AT(options.verify), "redis http", false },
	{ "--method", TEXT, AT(options.method), "http", false },
	{ "--body", TEXT, AT(options.body), "http", false },
	{ "--header", OTHER, 0, 0, 0, 0, "http", false },
	{ "--label", TEXT, AT(label), NULL, false },
	{ "--hgrm", TEXT, AT(hgrm), NULL, false },
	{ "--csv", TEXT, AT(csv), NULL, false },
	{ "--json", TEXT, AT(json), NULL, false },
	{ "--log", TEXT, AT(log), NULL, false },
	{ "--svg", TEXT, AT(svg), NULL, false },
	{ "--quiet", FLAG, AT(quiet), NULL, false },
	{ "--slo", OTHER, 0, 0, 0, 0, NULL, true },
	{ "--max-rate", OTHER, 0, 0, 0, 0, NULL, true },
	{ "--precision", OTHER, 0, 0, 0, 0, NULL, true },
	{ "--tries", OTHER, 0, 0, 0, 0, NULL, true },
};
#define OPTIONS ARRAY_SIZE(options)

int parse_every(const char *s, uint64_t *what_ns, uint64_t *each_ns)
{
	const char *slash = strchr(s, '/');
	char *what = slash == NULL ? NULL : xstrndup(s, (size_t)(slash - s));
	int rc = -1;

	if (what != NULL && parse_duration(what, what_ns) == 0 &&
	    parse_duration(slash + 1, each_ns) == 0 && *what_ns > 0 && *what_ns < *each_ns)
		rc = 0;
	free(what);
	return rc;
}

static int parse_ramp(const char *s, struct arrivals_spec *a)
{
	char *copy = xstrdup(s), *to = strchr(copy, ':'),
	     *seconds = to == NULL ? NULL : strchr(to + 1, ':');
	uint64_t ns = 0;
	int rc = -1;

	if (seconds != NULL) {
		*to++ = *seconds++ = '\0';
		a->from = 0;
		if ((strcmp(copy, "0") == 0 || parse_rate(copy, &a->from) == 0) &&
		    parse_rate(to, &a->to) == 0 && parse_duration(seconds, &ns) == 0 && ns > 0)
			rc = 0;
		a->ramp_s = (double)ns / 1e9;
	}
	free(copy);
	return rc == 0 ? 0 : fail("--ramp %s: FROM:TO:SECONDS, as in 100:10000:30", s);
}

static int parse_slo(const char *s, struct sweep_options *sweep)
{
	const char *less = strchr(s, '<');
	char *percentile = less == NULL ? NULL : xstrndup(s, (size_t)(less - s));
	bool good = percentile != NULL && parse_ppb(percentile, &sweep->slo_ppb) == 0 &&
		    parse_duration(less + 1, &sweep->slo_ns) == 0 && sweep->slo_ns > 0;

	free(percentile);
	return good ? 0 : fail("--slo '%s': a percentile and a bound, as in 'p99.9<2ms'", s);
}

static int other(struct load_config *c, struct sweep_options *sweep, const char *name,
		 const char *value)
{
	uint64_t n;
	double d;

	if (strcmp(name, "--rate") == 0) {
		if (parse_rate(value, &c->arrivals.to) != 0)
			return fail("--rate %s: requests per second above 0 and up to 1e9, as in "
				    "10000, 2.5k, 1M",
				    value);
		c->rate_given = true;
	} else if (strcmp(name, "--arrivals") == 0) {
		c->arrivals.poisson = strcmp(value, "poisson") == 0;
		if (!c->arrivals.poisson && strcmp(value, "constant") != 0)
			return fail("--arrivals %s: constant or poisson", value);
	} else if (strcmp(name, "--ramp") == 0) {
		return parse_ramp(value, &c->arrivals);
	} else if (strcmp(name, "--poll") == 0) {
		c->busy = strcmp(value, "busy") == 0;
		if (!c->busy && strcmp(value, "sleep") != 0)
			return fail("--poll %s: busy or sleep", value);
	} else if (strcmp(name, "--key-dist") == 0) {
		c->options.zipf = 0;
		if (strncmp(value, "zipf:", 5) == 0 && parse_rate(value + 5, &d) == 0 && d <= 100)
			c->options.zipf = d;
		else if (strcmp(value, "uniform") != 0)
			return fail("--key-dist %s: uniform, or zipf:THETA as in zipf:0.99", value);
	} else if (strcmp(name, "--header") == 0) {
		static struct words headers;

		words_add(&headers, value);
		c->options.headers = &headers;
	} else if (strcmp(name, "--slo") == 0) {
		return parse_slo(value, sweep);
	} else if (strcmp(name, "--max-rate") == 0) {
		if (parse_rate(value, &sweep->max_rate) != 0)
			return fail("--max-rate %s: requests per second", value);
	} else if (strcmp(name, "--precision") == 0) {
		if (parse_rate(value, &d) != 0 || d < 0.5 || d > 50)
			return fail("--precision %s: 0.5 to 50 (per cent)", value);
		sweep->precision = d / 100;
	} else if (strcmp(name, "--tries") == 0) {
		if (parse_u64(value, 1, 20, &n) != 0)
			return fail("--tries %s: 1 to 20", value);
		sweep->tries = (uint32_t)n;
	}
	return 0;
}

static int set(struct load_config *c, struct sweep_options *sweep, const struct option *o,
	       const char *value)
{
	char *to = (char *)c + o->at;
	uint64_t n;

	switch (o->kind) {
	case TEXT:
		memcpy(to, &value, sizeof(value));
		return 0;
	case FLAG:
		*(bool *)(void *)to = true;
		return 0;
	case TIME:
		if (parse_duration(value, &n) != 0 || n < o->least || n > o->most)
			return fail("%s %s: a time of %s to %s, as in 250us, 10ms, 5s, 2m", o->name,
				    value, show_ns(o->least), show_ns(o->most));
		memcpy(to, &n, sizeof(n));
		c->duration_given = c->duration_given || to == (char *)&c->duration;
		return 0;
	case COUNT:
		if (parse_u64(value, o->least, o->most, &n) != 0)
			return fail("%s %s: a number from %llu to %llu", o->name, value,
				    (unsigned long long)o->least, (unsigned long long)o->most);
		if (o->size == sizeof(uint64_t))
			*(uint64_t *)(void *)to = n;
		else
			*(uint32_t *)(void *)to = (uint32_t)n;
		return 0;
	case OTHER:
	default:
		return other(c, sweep, o->name, value);
	}
}

static const struct option *find(const char *name, bool sweep)
{
	const char *names[OPTIONS + 1] = { 0 }, *near;
	size_t n = 0;

	for (size_t i = 0; i < OPTIONS; i++) {
		if (options[i].sweep && !sweep)
			continue;
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
		names[n++] = options[i].name;
	}
	near = nearest(name, names);
	fail("'%s' is not an option%s%s; --help lists them", name,
	     near != NULL ? "; did you mean " : "", near != NULL ? near : "");
	return NULL;
}

static void defaults(struct load_config *c, struct sweep_options *sweep)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	*c = (struct load_config){
		.connections = 50,
		.threads = 1,
		.pipeline = 1,
		.duration = (sweep != NULL ? 3 : 10) * NS_PER_SEC,
		.warmup = NS_PER_SEC,
		.connect_timeout = 5 * NS_PER_SEC,
		.drain = NS_PER_SEC,
		.interval = NS_PER_SEC,
		.busy = true,
		.arrivals = { .poisson = true, .burst = 1, .from = 0, .to = 1000 },
		.options = { .mix = "get:80,set:20",
			     .keys = 10000,
			     .size = 64,
			     .method = "GET",
			     .seed = (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec }
	};
	if (sweep != NULL)
		*sweep = (struct sweep_options){ .max_rate = 1e9, .precision = 0.05, .tries = 2 };
}

/* What only the whole command line tells. */
static int finish(struct load_config *c, const bool *given)
{
	struct arrivals_spec *a = &c->arrivals;

	if (c->target == NULL)
		return fail(
			"which server? As in: godwit-load run redis://127.0.0.1:6379 --rate 10000");
	if (url_parse(&c->options.url, c->target) != 0)
		return -1;
	c->proto = proto_find(c->options.url.scheme);
	if (c->proto == NULL)
		return -1;
	if (c->options.url.port == 0 && c->proto->port == 0)
		return fail("%s: a port is needed, as in %s://%s:7000", c->target, c->proto->scheme,
			    c->options.url.host);
	for (size_t i = 0; i < OPTIONS; i++) {
		if (given[i] && options[i].schemes != NULL &&
		    strstr(options[i].schemes, c->proto->scheme) == NULL)
			return fail("%s is not for %s:// but for %s", options[i].name,
				    c->proto->scheme, options[i].schemes);
	}
	if (c->threads > c->connections)
		return fail("--threads %u with --connections %u: each thread needs one", c->threads,
			    c->connections);
	if (c->timeout == 0)
		c->timeout = c->proto->datagram ? NS_PER_SEC : 10 * NS_PER_SEC;
	if ((uint64_t)c->connections * c->pipeline > 50000000)
		return fail("--connections %u with --pipeline %u: too many at once", c->connections,
			    c->pipeline);
	if (c->options.verify && c->options.keys > 50000000)
		return fail("--verify remembers every key: at most 50000000 --keys");
	c->options.connections = c->connections;
	c->options.pipeline = c->pipeline;
	if (a->ramp_s > 0 && (c->rate_given || c->trace_path != NULL))
		return fail("--ramp, --rate and --trace exclude each other");
	if (c->trace_path == NULL) {
		if (a->ramp_s <= 0)
			a->from = a->to;
		return 0;
	}
	if (c->rate_given)
		return fail("--ramp, --rate and --trace exclude each other");
	if (trace_read(&c->trace, c->trace_path) != 0)
		return -1;
	a->trace = &c->trace;
	if (!c->duration_given) {
		c->duration = GW_MAX(c->trace.at[c->trace.n - 1] + 1, NS_PER_MS);
		c->warmup = 0;
	}
	return 0;
}

int options_parse(struct load_config *c, struct sweep_options *sweep, int argc, char **argv)
{
	bool given[OPTIONS] = { false };

	defaults(c, sweep);
	for (int i = 0; i < argc; i++) {
		const struct option *o;
		const char *value = NULL;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
		if (argv[i][0] != '-') {
			if (c->target != NULL)
				return fail("one server at a time: %s or %s?", c->target, argv[i]);
			c->target = argv[i];
			continue;
		}
		o = find(argv[i], sweep != NULL);
		if (o == NULL)
			return -1;
		if (o->kind != FLAG) {
			if (i + 1 >= argc)
				return fail("%s needs a value; --help says which", argv[i]);
			value = argv[++i];
		}
		given[o - options] = true;
		if (set(c, sweep, o, value) != 0)
			return -1;
	}
	return finish(c, given);
}

void options_free(struct load_config *c)
{
	trace_free(&c->trace);
	if (c->options.headers != NULL)
		words_free((struct words *)(uintptr_t)c->options.headers);
}
