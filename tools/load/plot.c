/* SPDX-License-Identifier: Apache-2.0 */
/* plot.c - which lines of which runs are drawn, and the command `plot`. See plot.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/load.h"
#include "tools/load/plot.h"

/* The numbers x_at and y_at of each row of an array of arrays; rows that lack one are left out. */
static struct plot_line line_of(const struct json *j, const struct json_value *rows, size_t x_at,
				size_t y_at)
{
	struct plot_line l = { .dash = "", .joined = true };
	const struct json_value *row;

	if (rows == NULL || rows->kind != JSON_ARRAY)
		return l;
	l.p = xcalloc(rows->children, sizeof(*l.p));
	row = json_child(rows);
	for (size_t i = 0; i < rows->children; i++, row = json_next(j, row)) {
		const struct json_value *v = json_child(row);
		double x = -1, y = -1;

		if (row->kind != JSON_ARRAY)
			continue;
		for (size_t k = 0; k < row->children; k++, v = json_next(j, v)) {
			x = k == x_at ? json_number(v, -1) : x;
			y = k == y_at ? json_number(v, -1) : y;
		}
		if (x >= 0 && y > 0)
			l.p[l.n++] = (struct plot_point){ x, y };
	}
	return l;
}

static const char *label_of(const struct json *j)
{
	const struct json_value *v = json_member(j, &j->v[0], "label");

	return v != NULL && v->kind == JSON_STRING ? v->string : "run";
}

static int curves(struct plot_line *lines, const struct json *runs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct json *j = &runs[i];
		const struct json_value *with = json_member(j, &j->v[0], "corrected"),
					*without = json_member(j, &j->v[0], "uncorrected");

		if (with == NULL || without == NULL || json_member(j, with, "curve") == NULL)
			return fail("not a result of 'godwit-load run --json'");
		lines[2 * i] = line_of(j, json_member(j, with, "curve"), 0, 1);
		lines[2 * i + 1] = line_of(j, json_member(j, without, "curve"), 0, 1);
		lines[2 * i].color = lines[2 * i + 1].color = (unsigned int)i;
		lines[2 * i].name = label_of(j);
		lines[2 * i + 1].dash = "3 3";
		if (n == 1)
			lines[1].name = "uncorrected (from the actual send)";
	}
	return 0;
}

static void over_time(struct plot_line *lines, const struct json *runs, size_t n)
{
	static const char *const what[] = { "p50", "p99", "max" }, *const dash[] = { "", "7 3",
										     "2 3" };
	static const size_t column[] = { 2, 3, 5 };

	for (size_t i = 0; i < n; i++) {
		const struct json_value *rows = json_member(&runs[i], &runs[i].v[0], "over_time");

		for (size_t k = 0; k < 3; k++) {
			struct plot_line *l = &lines[3 * i + k];

			*l = line_of(&runs[i], rows, 0, column[k]);
			l->color = (unsigned int)i;
			l->dash = dash[k];
			l->joined = false;
			if (n == 1)
				l->name = what[k];
			else if (k == 0)
				l->name = label_of(&runs[i]);
		}
	}
}

int plot_runs(FILE *f, const struct json *runs, size_t n)
{
	struct plot_line lines[2 * PLOT_RUNS_MAX] = { 0 }, times[3 * PLOT_RUNS_MAX] = { 0 };
	struct plot_chart charts[2] = {
		{ .title = "Latency by percentile, from the intended send time",
		  .x = { .title = "percentile", .log = true, .tail = true },
		  .y = { .title = "latency", .log = true, .time = true },
		  .lines = lines,
		  .n = 2 * n },
		{ .title = n == 1 ? "Latency over time"
				  : "Latency over time: p50 (line), p99 (dashed), max (dotted)",
		  .x = { .title = "seconds" },
		  .y = { .title = "latency", .log = true, .time = true },
		  .lines = times,
		  .n = 3 * n },
	};
	int rc = curves(lines, runs, n);

	if (rc == 0) {
		over_time(times, runs, n);
		plot_page(f, "godwit-load", charts, 2);
	}
	for (size_t i = 0; i < 2 * n; i++)
		free(lines[i].p);
	for (size_t i = 0; i < 3 * n; i++)
		free(times[i].p);
	return rc;
}

static int read_run(struct json *j, const char *path)
{
	struct text t = { 0 };
	bool good;
	char part[4096];
	size_t n;
	FILE *f = fopen(path, "r");
	int rc = 0;

	if (f == NULL)
		return fail("%s: %s", path, strerror(errno));
	while ((n = fread(part, 1, sizeof(part), f)) > 0)
		text_add(&t, part, n);
	if (ferror(f))
		rc = fail("%s: %s", path, strerror(errno));
	fclose(f);
	good = t.data != NULL && strlen(t.data) == t.len && json_parse(j, t.data) == 0 &&
	       j->v[0].kind == JSON_OBJECT;
	if (rc == 0 && !good)
		rc = fail("not JSON");
	if (rc != 0) {
		char *why = xstrdup(fail_text());

		fail_clear();
		fail("%s: %s", path, why);
		free(why);
	}
	text_free(&t);
	return rc;
}

static int draw(const char *path, const struct json *runs, size_t n)
{
	FILE *f = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");
	int rc;

	if (f == NULL)
		return fail("%s: %s", path, strerror(errno));
	rc = plot_runs(f, runs, n);
	if ((fflush(f) != 0 || ferror(f)) && rc == 0)
		rc = fail("%s: %s", path, strerror(errno));
	if (f != stdout && fclose(f) != 0 && rc == 0)
		rc = fail("%s: %s", path, strerror(errno));
	return rc;
}

int plot_main(int argc, char **argv)
{
	struct json runs[PLOT_RUNS_MAX] = { 0 };
	const char *out = NULL;
	size_t n = 0;
	int rc = 0;

	for (int i = 0; rc == 0 && i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			help_plot();
			return 0;
		}
		if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			out = argv[++i];
		else if (argv[i][0] == '-')
			rc = fail("plot: '%s' is not known; godwit-load plot A.json [B.json...] -o "
				  "x.svg",
				  argv[i]);
		else if (n == PLOT_RUNS_MAX)
			rc = fail("plot: more than %u runs", PLOT_RUNS_MAX);
		else
			rc = read_run(&runs[n++], argv[i]);
	}
	if (rc == 0 && n > 0 && out != NULL)
		rc = draw(out, runs, n);
	else if (rc == 0)
		rc = fail("plot: which runs, and where to? godwit-load plot A.json [B.json...] -o "
			  "x.svg");
	for (size_t i = 0; i < n; i++)
		json_free(&runs[i]);
	if (rc != 0)
		say("%s", fail_text());
	return rc == 0 ? 0 : STATUS_USAGE;
}
