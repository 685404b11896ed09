/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - after everything else ran: the shards' figures have it, and so do figures of our own.
 */
#include <string.h>
#include "tests/native/probe/probe.h"

struct seen {
	unsigned lines, heads;
	uint64_t requests, ran, waited, queued, received;
};

/* What stands behind the last blank of a line that begins with `name`. */
static void take(const char *text, const char *name, uint64_t *to)
{
	const char *value = text;
	uint64_t v;

	if (strncmp(text, name, strlen(name)) != 0)
		return;
	for (const char *p = text; *p != '\0'; p++)
		if (*p == ' ')
			value = p + 1;
	if (gw_parse_u64(value, ~0ull, &v) == 0)
		*to += v;
}

static void line(void *arg, const char *text)
{
	struct seen *s = arg;

	s->lines++;
	s->heads += strncmp(text, "# TYPE ", 7) == 0;
	take(text, "godwit_run_seconds_count", &s->ran);
	take(text, "godwit_wait_seconds_count", &s->waited);
	take(text, "godwit_queue_delay_seconds_count", &s->queued);
	take(text, "godwit_socket_receive_wait_seconds_count", &s->received);
	take(text, "godwit_counted_total{name=\"probe_requests\"}", &s->requests);
}

void try_metrics(void)
{
	struct seen s = { 0 };

	gw_count(gw_counter("probe_requests"), 3);
	gw_count(gw_counter("probe_requests"), 4);
	gw_record(gw_histogram("probe_ns"), 1000);
	CHECK(gw_counter("no good name") == NULL && gw_histogram("probe_requests") == NULL);
	gw_count(NULL, 1);
	gw_metrics(line, &s);
	CHECK(s.lines > 40 && s.heads > 10);
	CHECK(s.ran > 100 && s.waited > 100 && s.queued > 100 && s.received > 10);
	CHECK(s.requests == 7);
}
