/* SPDX-License-Identifier: Apache-2.0 */
/* top_module.c - of a machine of several partitions: each one's cores, grants and errors, and the
 * windows of the major frame. See top_internal.h. */
#include <stdio.h>
#include <string.h>

#include "tools/godwit/top_internal.h"

static const struct figure *first(const struct figures *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->v[i].name, name) == 0)
			return &f->v[i];
	return NULL;
}

static void head(struct text *out, bool rates)
{
	text_printf(out, "\n\n%-16s %-8s %6s %6s %5s %11s %-8s %9s %9s %8s %8s  %s\n", "partition",
		    "state", "up", "starts", "cores", "of", "policy", rates ? "grants/s" : "grants",
		    rates ? "revokes/s" : "revokes", "move p99", "memory", "health");
}

static double change(const struct figures *now, const struct figures *before, double seconds,
		     const char *name)
{
	double v = figures_get(now, name, NULL, NULL, 0);

	return before == NULL || seconds <= 0
		       ? v
		       : (v - figures_get(before, name, NULL, NULL, 0)) / seconds;
}

static void elastic_columns(struct text *out, const struct figures *now,
			    const struct figures *before, double seconds)
{
	const struct figure *cores = first(now, "elastic_cores");
	char policy[12] = "fixed", least[8] = "", most[8] = "", of[24], buf[16];

	if (cores == NULL) {
		text_printf(out, " %5s %11s %-8s %9s %9s %8s", "-", "-", policy, "-", "-", "-");
		return;
	}
	(void)figure_label(cores, "policy", policy, sizeof(policy));
	(void)figure_label(cores, "least", least, sizeof(least));
	(void)figure_label(cores, "most", most, sizeof(most));
	snprintf(of, sizeof(of), "%s..%s", least, most);
	text_printf(out, " %5.0f %11s %-8s %9.0f %9.0f %8s", cores->value, of, policy,
		    change(now, before, seconds, "elastic_grants_total"),
		    change(now, before, seconds, "elastic_revokes_total"),
		    top_duration(buf, figures_get(now, "elastic_move_seconds", "quantile=\"0.99\"",
						  NULL, -1)));
}

void top_partition(struct text *out, bool with_head, const char *name, const struct figures *now,
		   const struct figures *before, double seconds)
{
	double total = figures_get(now, "memory_bytes", "state=\"total\"", NULL, 0),
	       avail = figures_get(now, "memory_bytes", "state=\"free\"", NULL, 0);
	bool running = figures_get(now, "partition_running", NULL, NULL, 0) > 0;
	const struct figure *error = first(now, "partition_error");
	char what[32] = "", action[24] = "", buf[16];

	if (with_head)
		head(out, before != NULL);
	text_printf(out, "%-16s %-8s %6s %6.0f", name, running ? "runs" : "ended",
		    top_duration(buf, figures_get(now, "uptime_seconds", NULL, NULL, -1)),
		    figures_get(now, "partition_starts_total", NULL, NULL, 0));
	elastic_columns(out, now, before, seconds);
	if (total > 0)
		text_printf(out, " %7.1fM", (total - avail) / (1 << 20));
	else
		text_printf(out, " %8s", "-");
	if (error == NULL) {
		text_printf(out, "  good\n");
		return;
	}
	(void)figure_label(error, "error", what, sizeof(what));
	(void)figure_label(error, "action", action, sizeof(action));
	text_printf(out, "  %.0f errors, the last: %s (%s)\n",
		    figures_get(now, "partition_errors_total", NULL, NULL, 0), what, action);
}

void top_windows(struct text *out, const struct figures *now)
{
	static const char *const points[] = { "quantile=\"0.5\"", "quantile=\"0.99\"",
					      "quantile=\"0.9999\"", "quantile=\"1\"" };
	char window[16], core[8], owner[32], pair[32], buf[16];
	bool titled = false;

	for (size_t i = 0; i < now->n; i++) {
		const struct figure *f = &now->v[i];

		if (strcmp(f->name, "window_offset_seconds") != 0 ||
		    !figure_label(f, "window", window, sizeof(window)) ||
		    !figure_label(f, "core", core, sizeof(core)) ||
		    !figure_label(f, "partition", owner, sizeof(owner)))
			continue;
		snprintf(pair, sizeof(pair), "window=\"%s\"", window);
		if (!titled)
			text_printf(out, "\n%6s %4s %-16s %8s %8s %10s %7s   %s\n", "window",
				    "core", "partition", "at", "for", "starts", "missed",
				    "late p50     p99  p99.99     max");
		titled = true;
		text_printf(out, "%6s %4s %-16s %8s", window, core, owner,
			    top_duration(buf, f->value));
		text_printf(out, " %8s %10.0f %7.0f  ",
			    top_duration(buf, figures_get(now, "window_duration_seconds", pair,
							  NULL, -1)),
			    figures_get(now, "window_starts_total", pair, NULL, 0),
			    figures_get(now, "window_missed_total", pair, NULL, 0));
		for (size_t k = 0; k < 4; k++)
			text_printf(out, " %8s",
				    top_duration(buf, figures_get(now, "window_late_seconds", pair,
								  points[k], -1)));
		text_printf(out, "\n");
	}
}
