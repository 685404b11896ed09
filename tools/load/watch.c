/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - while a run goes on: intervals (for the log and the plot) and a line of progress a
 * second. Reads the threads' histograms as they are recorded into, by snapshot. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <stdlib.h>

#include "tools/load/hdr_log.h"
#include "tools/load/run.h"
#include "tools/load/units.h"

#define HISTOGRAMS 5u

void watch_init(struct watch *w, const struct load_config *c, struct worker *workers,
		struct load_result *r, FILE *log, uint64_t start)
{
	struct histogram *all[HISTOGRAMS] = { &w->now, &w->before, &w->slice, &w->part, &w->shown };

	*w = (struct watch){
		.config = c, .workers = workers, .result = r, .log = log, .start = start
	};
	w->measure_from = start + c->warmup;
	w->end = w->measure_from + c->duration;
	w->sliced_at = w->measure_from;
	w->shown_at = start;
	w->memory = xcalloc(HISTOGRAMS * HISTOGRAM_COUNTS_3, sizeof(uint64_t));
	for (size_t i = 0; i < HISTOGRAMS; i++) {
		if (histogram_init(all[i], 3, w->memory + i * HISTOGRAM_COUNTS_3) != 0)
			abort(); /* the digits are right */
	}
}

void watch_free(struct watch *w)
{
	free(w->memory);
}

uint64_t watch_next(const struct watch *w)
{
	uint64_t slice = w->sliced_at + w->config->interval, line = w->shown_at + NS_PER_SEC;

	return slice < line ? slice : line;
}

/* The threads' histograms so far, added up. */
static void gather(struct watch *w)
{
	histogram_reset(&w->now);
	for (uint32_t i = 0; i < w->config->threads; i++) {
		if (histogram_snapshot(&w->part, &w->workers[i].corrected) == 0)
			histogram_merge(&w->now, &w->part);
	}
}

/* What was recorded since an earlier state, into w->slice; that state becomes the present one. */
static void since(struct watch *w, struct histogram *before)
{
	if (histogram_snapshot(&w->slice, &w->now) != 0 ||
	    histogram_subtract(&w->slice, before) != 0)
		histogram_reset(&w->slice); /* cannot be: counts only grow */
	if (histogram_snapshot(before, &w->now) != 0)
		abort();
}

static uint64_t known_at(const struct histogram *h, uint64_t n, uint64_t ppb)
{
	return load_known(n, ppb) ? histogram_at(h, ppb) : 0;
}

static void add_slice(struct watch *w, uint64_t now)
{
	struct load_result *r = w->result;
	uint64_t n = histogram_count(&w->slice);
	double length = (double)(now - w->sliced_at) / 1e9,
	       at = (double)(w->sliced_at - w->measure_from) / 1e9;

	if (r->n_slices == w->slice_room) {
		w->slice_room = w->slice_room * 2 + 64;
		r->slices = xrealloc(r->slices, w->slice_room, sizeof(*r->slices));
	}
	r->slices[r->n_slices++] = (struct load_slice){ .at_s = at,
							.answered_per_s = (double)n / length,
							.count = n,
							.p50 = known_at(&w->slice, n, 500000000),
							.p99 = known_at(&w->slice, n, 990000000),
							.p999 = known_at(&w->slice, n, 999000000),
							.max = histogram_max(&w->slice) };
	if (w->log != NULL) {
		errno = 0;
		hdr_log_line(w->log, at, length, &w->slice);
		if (ferror(w->log) && !w->log_failed)
			say("%s could not be written: %s", w->config->log, strerror(errno));
		w->log_failed = ferror(w->log) != 0;
	}
	w->sliced_at = now;
}

static const char *known_text(const struct histogram *h, uint64_t n, uint64_t ppb)
{
	return load_known(n, ppb) ? show_ns(histogram_at(h, ppb)) : "?";
}

static void show_line(struct watch *w, uint64_t now)
{
	uint64_t answered = 0, sent = 0, waits = 0, errors = 0, n = histogram_count(&w->slice);
	double length = (double)(now - w->shown_at) / 1e9;

	for (uint32_t i = 0; i < w->config->threads; i++) {
		const struct load_counters *c = &w->workers[i].counters;

		answered += __atomic_load_n(&c->answered, __ATOMIC_RELAXED);
		sent += __atomic_load_n(&c->sent, __ATOMIC_RELAXED);
		waits += __atomic_load_n(&c->waiting, __ATOMIC_RELAXED);
		for (int e = 0; e < LOAD_ERRORS; e++)
			errors += __atomic_load_n(&c->errors[e], __ATOMIC_RELAXED);
	}
	fprintf(stderr, "%5.0f s  sent %s/s  answered %s/s", (double)(now - w->start) / 1e9,
		show_rate((double)(sent - w->shown_sent) / length),
		show_rate((double)(answered - w->shown_answered) / length));
	if (now < w->measure_from + NS_PER_SEC / 2)
		fprintf(stderr, "  (warming up)");
	else
		fprintf(stderr, "  p50 %s  p99 %s  max %s", known_text(&w->slice, n, 500000000),
			known_text(&w->slice, n, 990000000), show_ns(histogram_max(&w->slice)));
	fprintf(stderr, "  waiting %s  errors %s\n", show_count(waits), show_count(errors));
	w->shown_answered = answered;
	w->shown_sent = sent;
	w->shown_at = now;
}

void watch_tick(struct watch *w, uint64_t now)
{
	gather(w);
	if (now >= w->sliced_at + w->config->interval) {
		since(w, &w->before);
		add_slice(w, now);
	}
	if (now >= w->shown_at + NS_PER_SEC) {
		since(w, &w->shown);
		if (!w->config->quiet)
			show_line(w, now);
		w->shown_at = now;
	}
}

void watch_finish(struct watch *w, uint64_t now)
{
	gather(w);
	since(w, &w->before);
	/* what came after the last whole interval, with what is known only at the end */
	if (now > w->sliced_at && histogram_count(&w->slice) > 0)
		add_slice(w, now);
}
