/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - the summary that people read. See report.h. */
#include <string.h>

#include "tools/load/report.h"
#include "tools/load/units.h"

const uint64_t report_percentiles[REPORT_PERCENTILES] = { 500000000, 750000000, 900000000,
							  990000000, 999000000, 999900000,
							  999990000 };

static void show_plan(FILE *f, const struct load_config *c, const struct load_result *r)
{
	const struct arrivals_spec *a = &c->arrivals;

	fprintf(f, "%s: open loop, ", c->target);
	if (a->trace != NULL)
		fprintf(f, "%s times of %s", show_count(a->trace->n), c->trace_path);
	else if (a->ramp_s > 0)
		fprintf(f, "%s to %s requests/s within %g s", show_rate(a->from), show_rate(a->to),
			a->ramp_s);
	else
		fprintf(f, "%s requests/s", show_rate(a->to));
	if (a->trace == NULL)
		fprintf(f, ", %s arrivals", a->poisson ? "Poisson" : "constant");
	if (a->burst > 1)
		fprintf(f, " in bursts of %u", a->burst);
	fprintf(f, ", %u connection%s, pipeline %u, %u thread%s\n", c->connections,
		c->connections == 1 ? "" : "s", c->pipeline, c->threads,
		c->threads == 1 ? "" : "s");
	fprintf(f, "%.2f s measured after %s of warm-up%s\n\n", r->measured_s,
		c->warmup == 0 ? "none" : show_ns(c->warmup),
		r->interrupted ? "; interrupted" : "");
}

static void show_requests(FILE *f, const struct load_config *c, const struct load_result *r)
{
	const struct load_counters *n = &r->counters;
	uint64_t due = n->sent_measured + n->unsent;
	double rate = r->measured_s > 0 ? (double)n->finished_measured / r->measured_s : 0;

	fprintf(f, "requests   %s due, %s sent, %s answered\n", show_count(due),
		show_count(n->sent_measured), show_count(n->answered_measured));
	fprintf(f, "rate       %s/s asked for, %s/s due, %s/s answered (%.1f %%)\n",
		show_rate(r->asked_per_s), show_rate(r->due_per_s), show_rate(rate),
		r->due_per_s > 0 ? 100 * rate / r->due_per_s : 0);
	fprintf(f, "errors     %s", show_count(load_errors(r)));
	for (int e = 0; e < LOAD_ERRORS; e++) {
		if (n->errors[e] > 0)
			fprintf(f, "\n           %s: %s, the first: %s", load_error_names[e],
				show_count(n->errors[e]), r->first_error[e]);
	}
	if (n->unanswered > 0)
		fprintf(f, "\n           unanswered at the end: %s", show_count(n->unanswered));
	if (n->reconnects > 0)
		fprintf(f, "\n           connections made anew: %s", show_count(n->reconnects));
	if (n->strays > 0)
		fprintf(f, "\n           datagrams late or twice: %s", show_count(n->strays));
	if (c->options.verify && load_errors(r) == 0)
		fprintf(f, "; the content of every answer was checked");
	fputs("\n\n", f);
}

static void show_row(FILE *f, const char *name, uint64_t corrected, uint64_t uncorrected)
{
	fprintf(f, "  %-8s %16s %18s\n", name, show_ns(corrected), show_ns(uncorrected));
}

static void show_latency(FILE *f, const struct load_result *r)
{
	const struct histogram *a = &r->corrected, *b = &r->uncorrected;
	uint64_t n = histogram_count(a);
	char name[24];

	if (n == 0) {
		fputs("latency    nothing was measured\n", f);
		return;
	}
	fputs("latency      from intended        from actual\n"
	      "             send (corrected)     send (uncorrected)\n",
	      f);
	show_row(f, "min", histogram_min(a), histogram_min(b));
	for (int i = 0; i < REPORT_PERCENTILES; i++) {
		uint64_t ppb = report_percentiles[i];

		snprintf(name, sizeof(name), "p%s", show_ppb(ppb));
		if (!load_known(n, ppb)) {
			fprintf(f, "  %-8s not known: it takes %s samples, and there are %s\n",
				name, show_count(load_needs(ppb)), show_count(n));
			break;
		}
		show_row(f, name, histogram_at(a, ppb), histogram_at(b, ppb));
	}
	show_row(f, "max", histogram_max(a), histogram_max(b));
	show_row(f, "mean", histogram_mean(a), histogram_mean(b));
	show_row(f, "stddev", histogram_stddev(a), histogram_stddev(b));
}

static void show_schedule(FILE *f, const struct load_result *r)
{
	const struct histogram *late = &r->late;
	uint64_t n = histogram_count(late);

	if (n == 0)
		return;
	fprintf(f, "\nschedule   sent late by our own fault: p50 %s, ",
		show_ns(histogram_at(late, 500000000)));
	if (load_known(n, 990000000))
		fprintf(f, "p99 %s, ", show_ns(histogram_at(late, 990000000)));
	if (load_known(n, 999000000))
		fprintf(f, "p99.9 %s, ", show_ns(histogram_at(late, 999000000)));
	fprintf(f, "max %s\n", show_ns(histogram_max(late)));
}

static void show_warnings(FILE *f, const struct load_result *r)
{
	const struct load_counters *n = &r->counters;

	if (load_missed_schedule(r))
		fprintf(f,
			"\nWARNING    the generator missed its own schedule (max %s late): a good "
			"part of these latencies is "
			"its own.\n           Use fewer connections or a lower rate, more "
			"--threads, or a machine with more "
			"processors.\n",
			show_ns(histogram_max(&r->late)));
	if (load_overloaded(r)) {
		fprintf(f,
			"\nWARNING    the %s did not keep the rate: when the last request was "
			"due, %s waited to be sent "
			"(%s",
			load_saturated(r) ? "generator itself" : "server",
			show_count(n->waiting_at_end), show_count(n->unsent));
		fprintf(f, " never were).\n           Their waiting counts as latency; it grows as "
			   "long as the run, so its "
			   "size means little.\n");
	}
	if (r->corrected.over > 0)
		fprintf(f, "\nWARNING    %s latencies beyond an hour are counted as an hour\n",
			show_count(r->corrected.over));
	if (r->stopped[0] != '\0')
		fprintf(f, "\nSTOPPED    %s\n", r->stopped);
}

void report_summary(FILE *f, const struct load_config *c, const struct load_result *r)
{
	show_plan(f, c, r);
	show_requests(f, c, r);
	show_latency(f, r);
	show_schedule(f, r);
	show_warnings(f, r);
}
