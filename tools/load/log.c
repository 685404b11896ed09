/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - the command log: what HdrHistogram logs hold, of --log or of any other tool that writes
 * them. So a run that was killed can still be read, and other tools' runs be drawn beside ours. The
 * files are not trusted: a line that cannot be read ends the reading, with its number, and what
 * came before it counts. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/hdr_log.h"
#include "tools/load/report.h"
#include "tools/load/units.h"

struct reading {
	struct load_config config; /* where the outputs go */
	struct load_result result; /* corrected: the sum */
	struct histogram slice;
	uint64_t *memory; /* of slice */
	size_t room;	  /* slices held */
	double base_s;	  /* the first interval's start: some logs count from 1970 */
	const char *tag;  /* only these, or NULL: all */
	const char *paths[16];
	size_t n_paths;
};

static uint64_t known_at(const struct histogram *h, uint64_t ppb)
{
	return load_known(histogram_count(h), ppb) ? histogram_at(h, ppb) : 0;
}

static void add_slice(struct reading *r, const struct hdr_line *line)
{
	const struct histogram *h = &r->slice;
	struct load_result *to = &r->result;
	uint64_t n = histogram_count(h);

	histogram_merge(&to->corrected, h);
	to->counters.answered += n;
	to->counters.answered_measured += n;
	to->counters.finished_measured += n;
	to->counters.sent_measured += n;
	to->measured_s += line->length_s;
	if (to->n_slices == 0 || line->start_s < r->base_s)
		r->base_s = line->start_s;
	if (to->n_slices == r->room) {
		r->room = r->room * 2 + 64;
		to->slices = xrealloc(to->slices, r->room, sizeof(*to->slices));
	}
	to->slices[to->n_slices++] =
		(struct load_slice){ .at_s = line->start_s - r->base_s,
				     .answered_per_s =
					     line->length_s > 0 ? (double)n / line->length_s : 0,
				     .count = n,
				     .p50 = known_at(h, 500000000),
				     .p99 = known_at(h, 990000000),
				     .p999 = known_at(h, 999000000),
				     .max = histogram_max(h) };
}

/* 0, or -1 (fail); what could be read before that is in the sum. */
static int read_log(struct reading *r, const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t n;
	int rc = 0;

	if (f == NULL)
		return fail("%s: %s", path, strerror(errno));
	while (rc == 0 && (n = getline(&line, &room, f)) >= 0) {
		struct hdr_line parsed;
		int kind = strlen(line) == (size_t)n ? hdr_log_parse(line, &parsed) : -1;

		number++;
		if (kind == 1 || (kind == 0 && r->tag != NULL && strcmp(r->tag, parsed.tag) != 0))
			continue;
		histogram_reset(&r->slice);
		if (kind != 0 || hdr_from_base64(&r->slice, parsed.text) != 0)
			rc = fail("%s:%zu: not a line of a HdrHistogram log%s", path, number,
				  kind == 0 ? " (its histogram cannot be read)" : "");
		else
			add_slice(r, &parsed);
	}
	if (rc == 0 && ferror(f))
		rc = fail("%s: %s", path, strerror(errno));
	free(line);
	fclose(f);
	return rc;
}

static void show(const struct reading *r)
{
	const struct histogram *h = &r->result.corrected;
	uint64_t n = histogram_count(h);

	printf("%s samples in %s intervals, %.3f s\n", show_count(n),
	       show_count(r->result.n_slices), r->result.measured_s);
	if (n == 0)
		return;
	printf("  %-8s %12s\n", "min", show_ns(histogram_min(h)));
	for (int i = 0; i < REPORT_PERCENTILES && load_known(n, report_percentiles[i]); i++) {
		char name[24];

		snprintf(name, sizeof(name), "p%s", show_ppb(report_percentiles[i]));
		printf("  %-8s %12s\n", name, show_ns(histogram_at(h, report_percentiles[i])));
	}
	printf("  %-8s %12s\n  %-8s %12s\n  %-8s %12s\n", "max", show_ns(histogram_max(h)), "mean",
	       show_ns(histogram_mean(h)), "stddev", show_ns(histogram_stddev(h)));
	if (h->over > 0)
		printf("  %s beyond an hour count as an hour\n", show_count(h->over));
}

/* 0; 1: --help; -1 (fail). */
static int parse(struct reading *r, int argc, char **argv)
{
	struct load_config *c = &r->config;
	const struct {
		const char *name, **to;
	} options[] = { { "--hgrm", &c->hgrm }, { "--csv", &c->csv },	  { "--json", &c->json },
			{ "--svg", &c->svg },	{ "--label", &c->label }, { "--tag", &r->tag } };

	for (int i = 0; i < argc; i++) {
		size_t k = 0;

		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return 1;
		if (argv[i][0] != '-') {
			if (r->n_paths == ARRAY_SIZE(r->paths))
				return fail("log: more than %zu files", ARRAY_SIZE(r->paths));
			r->paths[r->n_paths++] = argv[i];
			continue;
		}
		while (k < ARRAY_SIZE(options) && strcmp(options[k].name, argv[i]) != 0)
			k++;
		if (k == ARRAY_SIZE(options) || i + 1 == argc)
			return fail("log: %s %s; godwit-load log --help", argv[i],
				    k < ARRAY_SIZE(options) ? "needs a value" : "is not known");
		*options[k].to = argv[++i];
	}
	if (r->n_paths == 0)
		return fail("log: which file? As in: godwit-load log run.hlog");
	c->target = r->paths[0];
	return 0;
}

static int read_all_logs(struct reading *r)
{
	struct outputs out;
	int status = 0;

	if (outputs_open(&out, &r->config) != 0) {
		say("%s", fail_text());
		return STATUS_USAGE;
	}
	for (size_t i = 0; i < r->n_paths; i++) {
		if (read_log(r, r->paths[i]) == 0)
			continue;
		say("%s", fail_text());
		fail_clear();
		status = STATUS_TROUBLE;
	}
	show(r);
	if (flush_stdout() != 0)
		status = STATUS_TROUBLE;
	if (outputs_write(&out, &r->config, &r->result) != 0)
		status = STATUS_TROUBLE;
	return status;
}

int log_main(int argc, char **argv)
{
	struct reading r = { 0 };
	int rc = parse(&r, argc, argv), status;

	if (rc == 1) {
		help_log();
		return 0;
	}
	if (rc != 0) {
		say("%s", fail_text());
		return STATUS_USAGE;
	}
	r.memory = xcalloc(HISTOGRAM_COUNTS_3, sizeof(uint64_t));
	if (load_result_init(&r.result) != 0 || histogram_init(&r.slice, 3, r.memory) != 0)
		abort(); /* the digits are right */
	status = read_all_logs(&r);
	load_result_free(&r.result);
	free(r.memory);
	return status;
}
