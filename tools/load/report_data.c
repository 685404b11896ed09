/* SPDX-License-Identifier: Apache-2.0 */
/* report_data.c - CSV and JSON of a result. All times in nanoseconds; what is not known is empty or
 * null. */
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/load/hdr_log.h"
#include "tools/load/report.h"
#include "tools/load/units.h"

#define CURVE_STEPS 8 /* points for each halving of the distance to 100 % */

static void csv_field(FILE *f, uint64_t ns)
{
	if (ns > 0)
		fprintf(f, ",%llu", (unsigned long long)ns);
	else
		fputc(',', f);
}

void report_csv(FILE *f, const struct load_config *c, const struct load_result *r)
{
	uint64_t n = histogram_count(&r->corrected);

	fprintf(f, "# %s\nkind,name,count,answered_per_s,p50_ns,p99_ns,p99.9_ns,max_ns\n",
		c->target);
	for (size_t i = 0; i < r->n_slices; i++) {
		const struct load_slice *s = &r->slices[i];

		fprintf(f, "interval,%.3f,%llu,%.1f", s->at_s, (unsigned long long)s->count,
			s->answered_per_s);
		csv_field(f, s->p50);
		csv_field(f, s->p99);
		csv_field(f, s->p999);
		csv_field(f, s->max);
		fputc('\n', f);
	}
	for (int k = 0; k < 2; k++) {
		const struct histogram *h = k == 0 ? &r->corrected : &r->uncorrected;
		static const uint64_t at[] = { 500000000, 990000000, 999000000 };

		if (k == 1 && histogram_count(h) == 0)
			continue; /* a log of another tool */
		fprintf(f, "total,%s,%llu,%.1f", k == 0 ? "corrected" : "uncorrected",
			(unsigned long long)histogram_count(h),
			r->measured_s > 0 ? (double)r->counters.finished_measured / r->measured_s
					  : 0);
		for (size_t i = 0; i < ARRAY_SIZE(at); i++)
			csv_field(f, load_known(n, at[i]) ? histogram_at(h, at[i]) : 0);
		fprintf(f, ",%llu\n", (unsigned long long)histogram_max(h));
	}
}

static void json_text(FILE *f, const char *s)
{
	fputc('"', f);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
			fprintf(f, "\\u%04x", (unsigned char)*s);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}

static void json_known(FILE *f, bool known, uint64_t v)
{
	if (known)
		fprintf(f, "%llu", (unsigned long long)v);
	else
		fputs("null", f);
}

static void json_histogram(FILE *f, const char *name, const struct histogram *h)
{
	uint64_t n = histogram_count(h);
	char *code = hdr_base64(h);

	fprintf(f,
		",\n  \"%s\": {\"count\": %llu, \"min\": %llu, \"mean\": %llu, \"stddev\": %llu, "
		"\"max\": %llu",
		name, (unsigned long long)n, (unsigned long long)histogram_min(h),
		(unsigned long long)histogram_mean(h), (unsigned long long)histogram_stddev(h),
		(unsigned long long)histogram_max(h));
	for (int i = 0; i < REPORT_PERCENTILES; i++) {
		fprintf(f, ", \"p%s\": ", show_ppb(report_percentiles[i]));
		json_known(f, load_known(n, report_percentiles[i]),
			   histogram_at(h, report_percentiles[i]));
	}
	fprintf(f, ",\n    \"curve\": [");
	/* [1/(1-p), ns] as far as it is known */
	for (int step = 0; n > 0; step++) {
		double beyond = 1.0;

		for (int i = 0; i < step / CURVE_STEPS; i++)
			beyond /= 2;
		beyond *= 1 - 0.5 * (step % CURVE_STEPS) / CURVE_STEPS;
		if (beyond * (double)n < 10)
			break;
		fprintf(f, "%s[%.4f, %llu]", step > 0 ? ", " : "", 1 / beyond,
			(unsigned long long)histogram_at(h, (uint64_t)((1 - beyond) * 1e9)));
	}
	fprintf(f, "],\n    \"hdr\": \"%s\"}", code);
	free(code);
}

static void json_counts(FILE *f, const struct load_result *r)
{
	const struct load_counters *n = &r->counters;
	uint64_t due = n->sent_measured + n->unsent;

	fprintf(f,
		",\n  \"due\": %llu, \"sent\": %llu, \"answered\": %llu, \"unanswered\": %llu, "
		"\"unsent\": %llu, "
		"\"waiting_at_end\": %llu, \"most_waiting\": %llu,\n  \"errors\": {\"total\": %llu",
		(unsigned long long)due, (unsigned long long)n->sent_measured,
		(unsigned long long)n->answered_measured, (unsigned long long)n->unanswered,
		(unsigned long long)n->unsent, (unsigned long long)n->waiting_at_end,
		(unsigned long long)n->most_waiting, (unsigned long long)load_errors(r));
	for (int e = 0; e < LOAD_ERRORS; e++)
		fprintf(f, ", \"%s\": %llu", load_error_names[e], (unsigned long long)n->errors[e]);
	fprintf(f,
		"},\n  \"overloaded\": %s, \"missed_schedule\": %s, \"interrupted\": %s, "
		"\"stopped\": ",
		load_overloaded(r) ? "true" : "false", load_missed_schedule(r) ? "true" : "false",
		r->interrupted ? "true" : "false");
	json_text(f, r->stopped);
}

void report_json(FILE *f, const struct load_config *c, const struct load_result *r)
{
	struct utsname u = { 0 };

	(void)uname(&u);
	fputs("{\n  \"godwit-load\": \"" LOAD_VERSION "\", \"label\": ", f);
	json_text(f, c->label != NULL ? c->label : c->target);
	fputs(", \"target\": ", f);
	json_text(f, c->target);
	fputs(",\n  \"command\": ", f);
	json_text(f, c->command != NULL ? c->command : "");
	fputs(",\n  \"machine\": ", f);
	json_text(f, u.nodename);
	fputs(", \"kernel\": ", f);
	json_text(f, u.release);
	fprintf(f, ", \"processors\": %ld, \"started\": %lld,\n", sysconf(_SC_NPROCESSORS_ONLN),
		(long long)r->started);
	fprintf(f,
		"  \"connections\": %u, \"pipeline\": %u, \"threads\": %u, \"measured_s\": %.6f, "
		"\"asked_per_s\": %.3f, \"due_per_s\": %.3f, "
		"\"answered_per_s\": %.3f",
		c->connections, c->pipeline, c->threads, r->measured_s, r->asked_per_s,
		r->due_per_s,
		r->measured_s > 0 ? (double)r->counters.finished_measured / r->measured_s : 0);
	json_counts(f, r);
	json_histogram(f, "corrected", &r->corrected);
	json_histogram(f, "uncorrected", &r->uncorrected);
	json_histogram(f, "late", &r->late);
	fputs(",\n  \"over_time\": [", f);
	for (size_t i = 0; i < r->n_slices; i++) {
		const struct load_slice *s = &r->slices[i];

		fprintf(f, "%s\n    [%.3f, %.1f, ", i > 0 ? "," : "", s->at_s, s->answered_per_s);
		json_known(f, s->p50 > 0, s->p50);
		fputs(", ", f);
		json_known(f, s->p99 > 0, s->p99);
		fputs(", ", f);
		json_known(f, s->p999 > 0, s->p999);
		fprintf(f, ", %llu]", (unsigned long long)s->max);
	}
	fputs("]\n}\n", f);
}
