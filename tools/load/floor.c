/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - the command floor: what the generator, this machine's network and a server that does
 * nothing add to any figure. Starts the reflector in a thread of its own and loads it with every
 * protocol. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/options.h"
#include "tools/load/reflector.h"
#include "tools/load/units.h"

static void *serve(void *reflector)
{
	reflector_serve(reflector);
	return NULL;
}

static const char *known(const struct histogram *h, uint64_t ppb)
{
	return load_known(histogram_count(h), ppb) ? show_ns(histogram_at(h, ppb)) : "?";
}

static int one(struct reflector *r, const char *scheme, int argc, char **argv)
{
	struct url u = { .host = "127.0.0.1" };
	struct load_config c;
	struct load_result result = { 0 };
	char target[64];
	char **args = xcalloc((size_t)argc + 1, sizeof(*args));
	int rc;

	snprintf(u.scheme, sizeof(u.scheme), "%s", scheme);
	if (reflector_listen(r, &u) != 0)
		return -1;
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
		rc = load_run(&c, NULL, &result);
	}
	if (rc == 0) {
		const struct histogram *h = &result.corrected, *late = &result.late;

		printf("  %-6s %10s %10s %10s %10s   %10s %10s %10s%s\n", scheme,
		       show_ns(histogram_min(h)), known(h, 500000000), known(h, 990000000),
		       known(h, 999000000), known(late, 500000000), known(late, 990000000),
		       known(late, 999000000), load_errors(&result) > 0 ? "  ERRORS" : "");
		fflush(stdout);
		rc = load_errors(&result) > 0 ? fail("%s: errors", scheme) : 0;
	}
	load_result_free(&result);
	options_free(&c);
	free(args);
	return rc;
}

int floor_main(int argc, char **argv)
{
	static const char *const schemes[] = { "tcp", "udp", "redis", "http" };
	struct reflect_options o = { .size = 64 };
	struct reflector r;
	pthread_t thread;
	int rc = 0;

	if (reflector_init(&r, &o) != 0 || pthread_create(&thread, NULL, serve, &r) != 0) {
		say("%s", fail_text());
		return STATUS_TROUBLE;
	}
	printf("latency over loopback against the reflector, and how late requests left by the "
	       "generator's own fault\n"
	       "         %10s %10s %10s %10s   %10s %10s %10s\n",
	       "min", "p50", "p99", "p99.9", "late p50", "late p99", "late p99.9");
	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(schemes) && load_interrupted == 0; i++)
		rc = one(&r, schemes[i], argc, argv);
	r.stop = true;
	pthread_join(thread, NULL);
	reflector_free(&r);
	if (rc != 0)
		say("%s",
		    rc == 1 ? "floor takes options of run; godwit-load run --help" : fail_text());
	return rc == 0 ? 0 : rc == 1 ? STATUS_USAGE : STATUS_TROUBLE;
}
