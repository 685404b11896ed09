/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - the command floor: what the generator, this machine's network and a server that does
 * nothing add to any figure, and how fine a difference the generator resolves. Starts reflectors in
 * threads of its own and loads them. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/options.h"
#include "tools/load/reflector.h"
#include "tools/load/units.h"

/* Answers later by DELAY_STEP must be measured later by that much. */
#define DELAY (20 * NS_PER_US)
#define DELAY_STEP (10 * NS_PER_US)
#define PAIRS 9u
#define PAIR_RATE 2000.0
#define PAIR_DURATION (250 * NS_PER_MS)
#define PAIR_WARMUP (50 * NS_PER_MS)

struct server {
	struct reflector reflector;
	pthread_t thread;
};

static void *serve(void *reflector)
{
	reflector_serve(reflector);
	return NULL;
}

static int start(struct server *s, uint64_t delay)
{
	struct reflect_options o = { .size = 64, .delay = delay };

	if (reflector_init(&s->reflector, &o) != 0)
		return -1;
	if (pthread_create(&s->thread, NULL, serve, &s->reflector) == 0)
		return 0;
	reflector_free(&s->reflector);
	return fail("a thread for the reflector cannot be made");
}

static void stop(struct server *s)
{
	s->reflector.stop = true;
	pthread_join(s->thread, NULL);
	reflector_free(&s->reflector);
}

/* A run against one more port of the server. 0, 1 (the options ask for help) or -1 (fail); result
 * to be freed in every case. */
static int measure(struct server *s, const char *scheme, int argc, char **argv, bool pair,
		   struct load_result *result)
{
	struct url u = { .host = "127.0.0.1" };
	struct load_config c;
	char target[64];
	char **args = xcalloc((size_t)argc + 1, sizeof(*args));
	int rc = -1;

	snprintf(u.scheme, sizeof(u.scheme), "%s", scheme);
	if (reflector_listen(&s->reflector, &u) != 0)
		goto out;
	snprintf(target, sizeof(target), "%s://127.0.0.1:%u/", scheme, u.port);
	args[0] = target;
	memcpy(args + 1, argv, (size_t)argc * sizeof(*argv));
	rc = options_parse(&c, NULL, argc + 1, args);
	if (rc == 0) {
		c.quiet = true;
		if (!c.duration_given)
			c.duration = 2 * NS_PER_SEC;
		if (strcmp(scheme, "redis") == 0)
			c.options.mix = "get";
		if (pair) {
			c.duration = PAIR_DURATION;
			c.warmup = PAIR_WARMUP;
			c.connections = 1;
			c.arrivals = (struct arrivals_spec){ .burst = 1,
							     .from = PAIR_RATE,
							     .to = PAIR_RATE };
		}
		rc = load_run(&c, NULL, result);
	}
	if (rc == 0 && load_errors(result) > 0)
		rc = fail("%s: errors", scheme);
	options_free(&c);
out:
	free(args);
	return rc;
}

static const char *known(const struct histogram *h, uint64_t ppb)
{
	return load_known(histogram_count(h), ppb) ? show_ns(histogram_at(h, ppb)) : "?";
}

static int show_floor(struct server *s, const char *scheme, int argc, char **argv)
{
	struct load_result result = { 0 };
	int rc = measure(s, scheme, argc, argv, false, &result);

	if (rc == 0) {
		const struct histogram *h = &result.corrected, *late = &result.late;

		printf("  %-6s %10s %10s %10s %10s   %10s %10s %10s\n", scheme,
		       show_ns(histogram_min(h)), known(h, 500000000), known(h, 990000000),
		       known(h, 999000000), known(late, 500000000), known(late, 990000000),
		       known(late, 999000000));
		fflush(stdout);
	}
	load_result_free(&result);
	return rc;
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* What a clock reading costs, and the least by which two differ. */
static void show_clock(void)
{
	uint64_t first = clock_ns(), last = first, step = UINT64_MAX;
	const uint64_t n = 100000;

	for (uint64_t i = 0; i < n; i++) {
		uint64_t now = clock_ns();

		if (now != last)
			step = GW_MIN(step, now - last);
		last = now;
	}
	printf("\nclock      a reading takes %s; the least step seen is %s\n",
	       show_ns((last - first) / n), show_ns(step));
}

/* A server that answers `delay` later, for one run; *at: the least that was measured. */
static int measure_delay(uint64_t delay, uint64_t *at)
{
	struct load_result result = { 0 };
	struct server server;
	char *none[] = { NULL };
	int rc = start(&server, delay);

	if (rc != 0)
		return rc;
	rc = measure(&server, "tcp", 0, none, true, &result);
	stop(&server);
	if (rc == 0)
		*at = histogram_min(&result.corrected); /* noise only adds */
	load_result_free(&result);
	return rc;
}

/* Two servers in turn, one of which answers DELAY_STEP later by the clock. The difference should be
 * DELAY_STEP: how far it is from that is the precision. */
static int show_precision(void)
{
	int64_t differences[PAIRS], middle, off;

	for (size_t i = 0; i < PAIRS; i++) {
		uint64_t at[2];

		for (size_t k = 0; k < 2; k++) {
			if (measure_delay(DELAY + k * DELAY_STEP, &at[k]) != 0)
				return -1;
			if (load_interrupted != 0)
				return 0;
		}
		differences[i] = (int64_t)at[1] - (int64_t)at[0];
	}
	qsort(differences, PAIRS, sizeof(differences[0]), by_value);
	middle = differences[PAIRS / 2];
	off = middle - (int64_t)DELAY_STEP;
	printf("precision  answers %s later are measured %.2f us later (median of %u pairs of "
	       "runs, %.2f to %.2f us): %.2f us off\n",
	       show_ns(DELAY_STEP), (double)middle / 1e3, PAIRS, (double)differences[0] / 1e3,
	       (double)differences[PAIRS - 1] / 1e3, (double)(off < 0 ? -off : off) / 1e3);
	if (off > (int64_t)NS_PER_US || -off > (int64_t)NS_PER_US)
		printf("           That is more than a microsecond: the machine is busy, or has "
		       "too few processors.\n");
	return 0;
}

int floor_main(int argc, char **argv)
{
	static const char *const schemes[] = { "tcp", "udp", "redis", "http" };
	struct server server;
	int rc = 0;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help_floor();
			return 0;
		}
	}
	if (start(&server, 0) != 0) {
		say("%s", fail_text());
		return STATUS_TROUBLE;
	}
	printf("latency over loopback against the reflector, and how late requests left by the "
	       "generator's own fault\n"
	       "         %10s %10s %10s %10s   %10s %10s %10s\n",
	       "min", "p50", "p99", "p99.9", "late p50", "late p99", "late p99.9");
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(schemes) && load_interrupted == 0; i++)
		rc = show_floor(&server, schemes[i], argc, argv);
	stop(&server);
	if (rc == 0 && load_interrupted == 0) {
		show_clock();
		rc = show_precision();
	}
	if (rc != 0)
		say("%s", fail_text());
	if (flush_stdout() != 0)
		return STATUS_TROUBLE;
	return rc == 0 ? 0 : STATUS_TROUBLE;
}
