/* SPDX-License-Identifier: Apache-2.0 */
/* plot.h - SVG pictures of runs: the percentile curve, and latency over time; several runs over
 * each other. */
#ifndef GODWIT_LOAD_PLOT_H
#define GODWIT_LOAD_PLOT_H

#include <stdbool.h>
#include <stdio.h>

#include "tools/load/json.h"

#define PLOT_RUNS_MAX 8u

struct plot_point {
	double x, y;
};

struct plot_line {
	struct plot_point *p;
	size_t n;
	unsigned int color;
	const char *dash; /* SVG's stroke-dasharray, or "" */
	const char *name; /* in the legend; NULL: not there */
	bool joined;	  /* a line, or steps that hold until the next */
};

struct plot_axis {
	const char *title;
	bool log;	 /* decades */
	bool time, tail; /* labels: nanoseconds; percentiles of 1/(1-p) */
};

struct plot_chart {
	const char *title;
	struct plot_axis x, y;
	struct plot_line *lines;
	size_t n;
};

/* plot_page - charts one below the other. */
void plot_page(FILE *f, const char *title, const struct plot_chart *charts, size_t n);

/* plot_runs - the two charts of runs (as report_json wrote them). 0, or -1 (fail) when one lacks
 * what is plotted. */
int plot_runs(FILE *f, const struct json *runs, size_t n);

/* plot_main - godwit-load plot A.json [B.json...] -o x.svg */
int plot_main(int argc, char **argv);

#endif
