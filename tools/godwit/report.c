/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - timeline and summary. See report.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tools/godwit/report.h"

void report_host(struct text *out, const struct mark *marks, size_t n)
{
	text_printf(out, "godwit: boot timeline\n");
	for (size_t i = 0; i < n; i++)
		text_printf(out, "  host   %-28s %9.2f ms\n", marks[i].name,
			    (double)marks[i].ns / 1e6);
}

void report_boot(struct text *out, const struct records *r)
{
	const struct record *b = &r->boot.v[r->boot.n - 1];
	uint64_t before = r->boot.n > 1 ? b[-1].value : 0;

	text_printf(out, "  guest  %-28s %9.2f ms", b->name, (double)b->value / 1e6);
	if (b->value >= before)
		text_printf(out, "  (+%.2f)", (double)(b->value - before) / 1e6);
	text_printf(out, "\n");
}

static void line(struct text *out, const char *name)
{
	text_printf(out, "  %-26s ", name);
}

/* "1.23 us" from nanoseconds. */
static void duration(struct text *out, uint64_t ns)
{
	double v = (double)ns;

	text_printf(out,
		    ns < 1000	      ? "%.0f ns"
		    : ns < 1000000    ? "%.1f us"
		    : ns < 1000000000 ? "%.1f ms"
				      : "%.2f s",
		    ns < 1000	      ? v
		    : ns < 1000000    ? v / 1e3
		    : ns < 1000000000 ? v / 1e6
				      : v / 1e9);
}

static bool is_latency(const char *name)
{
	size_t n = strlen(name);

	return n > 7 &&
	       (strcmp(name + n - 7, "_p50_ns") == 0 || strcmp(name + n - 7, "_p99_ns") == 0 ||
		strcmp(name + n - 7, "_max_ns") == 0);
}

static void latency(struct text *out, const char *title, const struct record_list *l,
		    const char *name)
{
	static const char *const points[] = { "p50", "p99", "max" };
	char key[64];

	for (size_t i = 0; i < 3; i++) {
		const uint64_t *v;

		snprintf(key, sizeof(key), "%s_%s_ns", name, points[i]);
		v = record_find(l, key);
		if (v == NULL)
			return;
		if (i == 0)
			line(out, title);
		text_printf(out, "%s%s ", i == 0 ? "" : ", ", points[i]);
		duration(out, *v);
	}
	text_printf(out, "\n");
}

static bool is_main(const char *name)
{
	static const char *const names[] = { "uptime_ns",  "uptime_ms",	  "connections",
					     "packets_in", "packets_out", "kernel_entries" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void number(struct text *out, const char *title, const struct record_list *l,
		   const char *name)
{
	const uint64_t *v = record_find(l, name);

	if (v == NULL)
		return;
	line(out, title);
	text_printf(out, "%" PRIu64 "\n", *v);
}

/* A record's name as words. */
static void number_named(struct text *out, const struct record_list *l, const char *name)
{
	char title[sizeof(l->v[0].name)];

	strcpy(title, name);
	for (char *p = title; *p != '\0'; p++)
		*p = *p == '_' ? ' ' : *p;
	number(out, title, l, name);
}

void report_summary(struct text *out, const char *program, const struct records *r)
{
	const struct record_list *s = &r->stats;
	const uint64_t *up = record_find(s, "uptime_ns"), *up_ms = record_find(s, "uptime_ms"),
		       *in = record_find(s, "packets_in"), *sent = record_find(s, "packets_out");

	text_printf(out, "godwit: summary of %s\n", program);
	if (up != NULL || up_ms != NULL) {
		line(out, "uptime");
		text_printf(out, "%.3f s\n", up != NULL ? (double)*up / 1e9 : (double)*up_ms / 1e3);
	}
	number(out, "connections", s, "connections");
	if (in != NULL && sent != NULL) {
		line(out, "packets");
		text_printf(out, "%" PRIu64 " in, %" PRIu64 " out\n", *in, *sent);
	}
	number(out, "kernel entries", s, "kernel_entries");
	for (uint32_t i = 0; i < s->n; i++)
		if (!is_main(s->v[i].name) && !is_latency(s->v[i].name))
			number_named(out, s, s->v[i].name);
	latency(out, "queueing delay", s, "queue_delay");
	latency(out, "running at a stretch", s, "run");
	latency(out, "waiting", s, "wait");
	latency(out, "network receive", s, "net_receive");
	latency(out, "network send", s, "net_send");
	latency(out, "waiting to receive", s, "socket_receive_wait");
	latency(out, "waiting to send", s, "socket_send_wait");
	line(out, "unimplemented syscalls");
	if (r->enosys.n == 0)
		text_printf(out, "%s", s->n != 0 ? "none" : "not reported");
	for (uint32_t i = 0; i < r->enosys.n; i++)
		text_printf(out, "%s%s (%" PRIu64 ")", i == 0 ? "" : ", ", r->enosys.v[i].name,
			    r->enosys.v[i].value);
	text_printf(out, "\n");
}
