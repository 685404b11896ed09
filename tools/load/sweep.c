/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.c - the command sweep: the highest rate at which a percentile stays below a bound. Doubles,
 * then bisects. */
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/options.h"
#include "tools/load/plot.h"
#include "tools/load/report.h"
#include "tools/load/units.h"

#define STEP_MOST (300 * NS_PER_SEC)

struct step {
	double rate, answered;
	uint64_t at, p50, max; /* of the latency, at: the bound's percentile */
	bool pass;
	const char *why; /* it did not */
};

struct sweep {
	struct load_config config;
	struct sweep_options options;
	uint64_t duration; /* of a step, as asked */
	struct step *steps;
	size_t n;
	FILE *csv, *json, *svg; /* opened before, so that a wrong path costs no sweep */
};

static void judge(const struct sweep *s, const struct load_result *r, struct step *p)
{
	const struct histogram *h = &r->corrected;

	p->answered = r->measured_s > 0 ? (double)r->counters.finished_measured / r->measured_s : 0;
	p->at = histogram_at(h, s->options.slo_ppb);
	p->p50 = histogram_at(h, 500000000);
	p->max = histogram_max(h);
	if (load_errors(r) > 0 || r->counters.unanswered > 0)
		p->why = "errors";
	else if (load_overloaded(r) || p->answered < 0.97 * r->due_per_s)
		p->why = "the rate is not kept";
	else if (!load_known(histogram_count(h), s->options.slo_ppb))
		p->why = "too few samples";
	else if (p->at >= s->options.slo_ns)
		p->why = load_missed_schedule(r) ? "too slow (in part the generator itself)"
						 : "too slow";
	p->pass = p->why == NULL;
}

/* One run at a rate; -1 (fail) when the sweep cannot go on. */
static int try_once(struct sweep *s, double rate, struct step *p)
{
	struct load_config *c = &s->config;
	struct load_result r = { 0 };
	double needed = 1.2 * (double)load_needs(s->options.slo_ppb) / rate * 1e9;
	int rc;

	c->arrivals.from = c->arrivals.to = rate;
	c->duration = GW_MAX(s->duration, (uint64_t)fmin(needed, 1e18));
	if (c->duration > STEP_MOST)
		return fail("at %s requests/s, p%s takes %s to know; begin with a higher --rate",
			    show_rate(rate), show_ppb(s->options.slo_ppb), show_ns(c->duration));
	rc = load_run(c, NULL, &r);
	if (rc == 0) {
		*p = (struct step){ .rate = rate };
		judge(s, &r, p);
		if (r.interrupted)
			rc = fail("interrupted");
	}
	load_result_free(&r);
	return rc;
}

static int step(struct sweep *s, double rate, bool *pass)
{
	struct step p = { 0 };

	for (uint32_t i = 0; i < s->options.tries && !p.pass; i++) {
		if (try_once(s, rate, &p) != 0)
			return -1;
		s->steps = xrealloc(s->steps, s->n + 1, sizeof(*s->steps));
		s->steps[s->n++] = p;
		printf("  %12s/s  answered %12s/s  p%s %10s  max %10s  %s%s\n", show_rate(rate),
		       show_rate(p.answered), show_ppb(s->options.slo_ppb), show_ns(p.at),
		       show_ns(p.max), p.pass ? "pass" : "FAIL: ", p.pass ? "" : p.why);
		fflush(stdout);
	}
	*pass = p.pass;
	return 0;
}

/* The highest rate that passed, or 0; *fails: the lowest that failed, or 0. */
static int search(struct sweep *s, double *passes, double *fails)
{
	double rate = s->config.arrivals.to;
	bool pass;

	while (*fails == 0 || *passes == 0 || *fails / *passes > 1 + s->options.precision) {
		if (step(s, rate, &pass) != 0)
			return -1;
		if (pass)
			*passes = rate;
		else
			*fails = rate;
		if (*fails == 0 && rate >= s->options.max_rate)
			return 0;
		if (*passes == 0 && rate < 2)
			return 0;
		rate = *fails == 0    ? fmin(rate * 2, s->options.max_rate)
		       : *passes == 0 ? rate / 2
				      : sqrt(*passes * *fails);
	}
	return 0;
}

static int open_out(FILE **f, const char *path)
{
	if (path == NULL)
		return 0;
	*f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	return *f != NULL ? 0 : fail("%s: %s", path, strerror(errno));
}

static int close_out(FILE *f, const char *path)
{
	bool bad;

	if (f == NULL)
		return 0;
	errno = 0;
	bad = fflush(f) != 0 || ferror(f);
	if (f != stdout && fclose(f) != 0)
		bad = true;
	if (bad)
		say("%s could not be written: %s", path,
		    errno != 0 ? strerror(errno) : "an earlier write failed");
	return bad ? -1 : 0;
}

static void write_svg(const struct sweep *s, FILE *f)
{
	struct plot_line lines[2] = { { .dash = "", .joined = true, .color = 0 },
				      { .dash = "4 3", .joined = true, .color = 1 } };
	struct plot_chart chart = { .title = "Latency by rate",
				    .x = { .title = "requests per second", .log = true },
				    .y = { .title = "latency", .log = true, .time = true },
				    .lines = lines,
				    .n = 2 };
	char *name = xasprintf("p%s", show_ppb(s->options.slo_ppb));

	lines[0].p = xcalloc(s->n, sizeof(struct plot_point));
	lines[0].name = name;
	lines[1].name = "bound";
	lines[1].p = xcalloc(s->n, sizeof(struct plot_point));
	for (size_t i = 0; i < s->n; i++) { /* by rate: insertion */
		size_t at = lines[0].n++;

		for (; at > 0 && lines[0].p[at - 1].x > s->steps[i].rate; at--)
			lines[0].p[at] = lines[0].p[at - 1];
		lines[0].p[at] = (struct plot_point){ s->steps[i].rate, (double)s->steps[i].at };
	}
	for (size_t i = 0; i < s->n; i++)
		lines[1].p[lines[1].n++] =
			(struct plot_point){ lines[0].p[i].x, (double)s->options.slo_ns };
	plot_page(f, "godwit-load sweep", &chart, 1);
	free(lines[0].p);
	free(lines[1].p);
	free(name);
}

static int write_files(const struct sweep *s, double knee)
{
	FILE *csv = s->csv, *json = s->json, *svg = s->svg;
	int rc = 0;

	if (csv != NULL)
		fprintf(csv, "rate_per_s,answered_per_s,p50_ns,p%s_ns,max_ns,pass\n",
			show_ppb(s->options.slo_ppb));
	if (json != NULL)
		fprintf(json,
			"{\"knee_per_s\": %.3f, \"percentile\": %s, \"bound_ns\": %llu, \"steps\": "
			"[",
			knee, show_ppb(s->options.slo_ppb), (unsigned long long)s->options.slo_ns);
	for (size_t i = 0; i < s->n; i++) {
		const struct step *p = &s->steps[i];

		if (csv != NULL)
			fprintf(csv, "%.3f,%.3f,%llu,%llu,%llu,%d\n", p->rate, p->answered,
				(unsigned long long)p->p50, (unsigned long long)p->at,
				(unsigned long long)p->max, p->pass);
		if (json != NULL)
			fprintf(json,
				"%s\n  {\"rate\": %.3f, \"answered\": %.3f, \"p50\": %llu, \"at\": "
				"%llu, \"max\": %llu, "
				"\"pass\": %s}",
				i > 0 ? "," : "", p->rate, p->answered, (unsigned long long)p->p50,
				(unsigned long long)p->at, (unsigned long long)p->max,
				p->pass ? "true" : "false");
	}
	if (json != NULL)
		fprintf(json, "]}\n");
	if (svg != NULL)
		write_svg(s, svg);
	rc |= close_out(csv, s->config.csv);
	rc |= close_out(json, s->config.json);
	rc |= close_out(svg, s->config.svg);
	return rc;
}

static void stop_sweep(int signal)
{
	(void)signal;
	load_interrupted = 1;
}

static int conclude(const struct sweep *s, double passes, double fails)
{
	if (passes == 0) {
		say("no rate that was tried keeps p%s below %s", show_ppb(s->options.slo_ppb),
		    show_ns(s->options.slo_ns));
		return STATUS_TROUBLE;
	}
	printf("\nknee: %s requests/s keep p%s below %s; ", show_rate(passes),
	       show_ppb(s->options.slo_ppb), show_ns(s->options.slo_ns));
	if (fails > 0)
		printf("%s/s do not\n", show_rate(fails));
	else
		printf("more was not tried (--max-rate)\n");
	return 0;
}

int sweep_main(int argc, char **argv)
{
	struct sweep s = { 0 };
	double passes = 0, fails = 0;
	int rc = options_parse(&s.config, &s.options, argc, argv), status;

	if (rc == 1) {
		help_sweep();
		return 0;
	}
	if (rc == 0 && s.options.slo_ns == 0)
		rc = fail("sweep: which bound? As in --slo 'p99.9<2ms'");
	if (rc == 0 && (s.config.trace_path != NULL || s.config.arrivals.ramp_s > 0))
		rc = fail("sweep: not with --trace or --ramp");
	if (rc == 0 && (s.config.hgrm != NULL || s.config.log != NULL))
		rc = fail(
			"sweep: not with --hgrm or --log; the steps go to --csv, --json and --svg");
	if (rc == 0 &&
	    (open_out(&s.csv, s.config.csv) != 0 || open_out(&s.json, s.config.json) != 0 ||
	     open_out(&s.svg, s.config.svg) != 0))
		rc = -1;
	if (rc != 0) {
		say("%s", fail_text());
		options_free(&s.config);
		return STATUS_USAGE;
	}
	(void)signal(SIGINT, stop_sweep);
	(void)signal(SIGTERM, stop_sweep);
	(void)signal(SIGPIPE, SIG_IGN);
	s.config.quiet = true;
	s.duration = s.config.duration;
	rc = search(&s, &passes, &fails);
	if (rc != 0)
		say("%s", fail_text());
	status = s.n > 0 ? conclude(&s, passes, fails) : STATUS_TROUBLE;
	if (flush_stdout() != 0 || rc != 0)
		status = STATUS_TROUBLE;
	if (write_files(&s, passes) != 0)
		status = STATUS_TROUBLE;
	free(s.steps);
	options_free(&s.config);
	return status;
}
