/* SPDX-License-Identifier: Apache-2.0 */
/* top_frame.c - one frame of `godwit top` as text: a machine's shards, and of several partitions
 * (top_module.c) those of each. Figures come from guests: what is missing is 0 or -. */
#include <stdio.h>
#include <string.h>

#include "abi/bundle.h"
#include "tools/godwit/top_internal.h"

const char *top_duration(char buf[16], double seconds)
{
	if (seconds < 0)
		snprintf(buf, 16, "-");
	else if (seconds < 1e-6)
		snprintf(buf, 16, "%.0fns", seconds * 1e9);
	else if (seconds < 1e-3)
		snprintf(buf, 16, "%.1fus", seconds * 1e6);
	else if (seconds < 1)
		snprintf(buf, 16, "%.1fms", seconds * 1e3);
	else
		snprintf(buf, 16, "%.2fs", seconds);
	return buf;
}

static void latencies(struct text *out, const struct figures *now, const char *name,
		      const char *shard)
{
	static const char *const points[] = { "quantile=\"0.5\"", "quantile=\"0.99\"",
					      "quantile=\"1\"" };
	char buf[16];

	for (size_t i = 0; i < 3; i++)
		text_printf(out, " %8s",
			    top_duration(buf, figures_get(now, name, shard, points[i], -1)));
}

struct column {
	const char *title, *name, *label;
};

static const struct column columns[] = { { "pkt in", "packets_total", "direction=\"in\"" },
					 { "pkt out", "packets_total", "direction=\"out\"" },
					 { "wakes", "wakes_total", NULL },
					 { "kernel", "kernel_entries_total", NULL },
					 { "interrupts", "interrupts_total", NULL } };

/* Whose shards: all, or those of one of several partitions. */
struct whose {
	const struct figures *now, *before;
	double seconds;
	const char *name; /* NULL: of the only one */
};

static void shard_name(struct text *out, const struct whose *w, const char *number)
{
	char name[48];

	snprintf(name, sizeof(name), "%.24s/%s", w->name != NULL ? w->name : "", number);
	text_printf(out, w->name != NULL ? "%-16s" : "%5s", w->name != NULL ? name : number);
}

static void shard_head(struct text *out, bool named)
{
	text_printf(out, named ? "%-16s" : "%5s", "shard");
}

static void shard_row(struct text *out, const struct whose *w, const char *number)
{
	const struct figures *now = w->now, *before = w->before;
	double seconds = w->seconds, accepted, drops = 0;
	char shard[48];

	snprintf(shard, sizeof(shard), "shard=\"%.8s\"", number);
	accepted = figures_get(now, "connections_total", shard, "kind=\"accepted\"", 0) +
		   figures_get(now, "connections_total", shard, "kind=\"opened\"", 0);
	drops = figures_sum(now, "drops_total", shard);
	shard_name(out, w, number);
	text_printf(out, " %7.0f %7.0f %6.0f", figures_get(now, "threads", shard, NULL, 0),
		    accepted, drops);
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		const struct column *c = &columns[i];
		double v = 0, was = 0;

		/* of several with this name (wakes by source), all */
		if (c->label != NULL) {
			v = figures_get(now, c->name, shard, c->label, 0);
			was = before != NULL ? figures_get(before, c->name, shard, c->label, 0) : 0;
		} else {
			v = figures_sum(now, c->name, shard);
			was = before != NULL ? figures_sum(before, c->name, shard) : 0;
		}
		text_printf(out, " %10.0f",
			    before != NULL && seconds > 0 ? (v - was) / seconds : v);
	}
	text_printf(out, "\n");
}

static const struct trio {
	const char *title, *name;
} trios[][3] = { { { "queued", "queue_delay_seconds" },
		   { "run", "run_seconds" },
		   { "parked", "wait_seconds" } },
		 { { "net receive", "net_receive_seconds" },
		   { "net send", "net_send_seconds" },
		   { "in socket", "socket_receive_wait_seconds" } } };

static void latency_head(struct text *out, bool named, const struct trio three[3])
{
	char title[40];

	text_printf(out, "\n");
	shard_head(out, named);
	for (size_t i = 0; i < 3; i++) {
		snprintf(title, sizeof(title), "%s p50/p99/max", three[i].title);
		text_printf(out, "  %-26s", title);
	}
	text_printf(out, "\n");
}

static void latency_row(struct text *out, const struct whose *w, const char *number,
			const struct trio three[3])
{
	char shard[48];

	snprintf(shard, sizeof(shard), "shard=\"%.8s\"", number);
	shard_name(out, w, number);
	for (size_t k = 0; k < 3; k++) {
		text_printf(out, " ");
		latencies(out, w->now, three[k].name, shard);
	}
	text_printf(out, "\n");
}

/* Rows of all shards: their counters, or latencies of a trio. */
static void shard_rows(struct text *out, const struct whose *w, const struct trio *three)
{
	char number[16];

	for (size_t i = 0; i < w->now->n; i++) {
		if (strcmp(w->now->v[i].name, "threads") != 0 ||
		    !figure_label(&w->now->v[i], "shard", number, sizeof(number)))
			continue;
		if (three != NULL)
			latency_row(out, w, number, three);
		else
			shard_row(out, w, number);
	}
}

static void recorded_rows(struct text *out, const struct figures *now)
{
	static const char *const points[] = { "quantile=\"0.5\"", "quantile=\"0.99\"",
					      "quantile=\"1\"" };
	bool first = true;
	char name[40], pair[56];

	for (size_t i = 0; i < now->n; i++) {
		if (strcmp(now->v[i].name, "recorded_count") != 0 ||
		    !figure_label(&now->v[i], "name", name, sizeof(name)))
			continue;
		if (first)
			text_printf(out, "\n%-32s %10s %10s %10s %10s\n", "recorded", "count",
				    "p50", "p99", "max");
		first = false;
		snprintf(pair, sizeof(pair), "name=\"%s\"", name);
		text_printf(out, "%-32s %10.0f", name, now->v[i].value);
		for (size_t k = 0; k < 3; k++)
			text_printf(out, " %10.0f",
				    figures_get(now, "recorded", pair, points[k], 0));
		text_printf(out, "\n");
	}
}

static void counter_head(struct text *out, bool named, bool rates)
{
	shard_head(out, named);
	text_printf(out, " %7s %7s %6s", "threads", "conns", "drops");
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		text_printf(out, " %8s%s", columns[i].title, rates ? "/s" : "  ");
	text_printf(out, "\n");
}

/* The shards of one partition after the other's, in tables of all. */
static void partitions_frame(struct text *out, const struct figures *now,
			     const struct figures *before, double seconds)
{
	struct whose w[GW_BUNDLE_PARTITIONS];
	struct figures of[GW_BUNDLE_PARTITIONS], was[GW_BUNDLE_PARTITIONS];
	char names[GW_BUNDLE_PARTITIONS][32], pair[64];
	size_t n = 0;

	for (size_t i = 0; i < now->n && n < GW_BUNDLE_PARTITIONS; i++) {
		if (strcmp(now->v[i].name, "partition_running") != 0 ||
		    !figure_label(&now->v[i], "partition", names[n], sizeof(names[n])))
			continue;
		snprintf(pair, sizeof(pair), "partition=\"%s\"", names[n]);
		figures_with(&of[n], now, pair);
		figures_with(&was[n], before != NULL ? before : now, pair);
		w[n] = (struct whose){ .now = &of[n],
				       .before = before != NULL ? &was[n] : NULL,
				       .seconds = seconds,
				       .name = names[n] };
		n++;
	}
	for (size_t i = 0; i < n; i++)
		top_partition(out, i == 0, names[i], &of[i], w[i].before, seconds);
	top_windows(out, now);
	text_printf(out, "\n");
	counter_head(out, true, before != NULL);
	for (size_t i = 0; i < n; i++)
		shard_rows(out, &w[i], NULL);
	for (size_t k = 0; k < sizeof(trios) / sizeof(trios[0]); k++) {
		latency_head(out, true, trios[k]);
		for (size_t i = 0; i < n; i++)
			shard_rows(out, &w[i], trios[k]);
	}
	for (size_t i = 0; i < n; i++) {
		figures_free(&of[i]);
		figures_free(&was[i]);
	}
}

static void alone_frame(struct text *out, const struct figures *now, const struct figures *before,
			double seconds)
{
	const struct whose all = { .now = now, .before = before, .seconds = seconds };
	double total = figures_get(now, "memory_bytes", "state=\"total\"", NULL, 0),
	       avail = figures_get(now, "memory_bytes", "state=\"free\"", NULL, 0);

	text_printf(out,
		    "  up %.1f s  memory %.1f of %.1f MiB  syscalls %.0f  page faults %.0f\n\n",
		    figures_get(now, "uptime_seconds", NULL, NULL, 0), (total - avail) / (1 << 20),
		    total / (1 << 20), figures_get(now, "syscalls_total", NULL, NULL, 0),
		    figures_get(now, "page_faults_total", NULL, NULL, 0));
	counter_head(out, false, before != NULL);
	shard_rows(out, &all, NULL);
	for (size_t i = 0; i < sizeof(trios) / sizeof(trios[0]); i++) {
		latency_head(out, false, trios[i]);
		shard_rows(out, &all, trios[i]);
	}
	recorded_rows(out, now);
}

void top_frame(struct text *out, const struct figures *now, const struct figures *before,
	       double seconds)
{
	char program[64] = "?", pid[16] = "?";
	bool several = false;

	for (size_t i = 0; i < now->n; i++) {
		if (strcmp(now->v[i].name, "info") == 0) {
			(void)figure_label(&now->v[i], "program", program, sizeof(program));
			(void)figure_label(&now->v[i], "pid", pid, sizeof(pid));
		}
		several |= strcmp(now->v[i].name, "partition_running") == 0;
	}
	text_printf(out, "%s (godwit %s)", program, pid);
	if (several)
		partitions_frame(out, now, before, seconds);
	else
		alone_frame(out, now, before, seconds);
}
