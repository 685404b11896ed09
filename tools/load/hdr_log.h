/* SPDX-License-Identifier: Apache-2.0 */
/* hdr_log.h - what HdrHistogram's own tools read: compressed V2 encodings in base64, interval logs
 * of them, and .hgrm percentile files. */
#ifndef GODWIT_LOAD_HDR_LOG_H
#define GODWIT_LOAD_HDR_LOG_H

#include <stdio.h>
#include <time.h>

#include "runtime/base/histogram.h"

/* hdr_base64 - the histogram as text ("HISTF..."); free() it. hdr_from_base64 - back; 0, or -1 when
 * it is none. */
char *hdr_base64(const struct histogram *h);
int hdr_from_base64(struct histogram *h, const char *text) MUST_CHECK;

void hdr_log_header(FILE *f, const char *command, time_t start);
void hdr_log_line(FILE *f, double start_s, double length_s, const struct histogram *h);

/* hdr_log_parse - one line of a log, which is cut into pieces. 0: a histogram's; 1: nothing to
 * count (a comment, the legend, an empty line); -1: neither. */
struct hdr_line {
	const char *tag; /* "" when there is none */
	double start_s, length_s;
	const char *text; /* for hdr_from_base64 */
};
int hdr_log_parse(char *line, struct hdr_line *parsed) MUST_CHECK;

/* hgrm_write - percentiles, five for each halving of the distance to 100 %, values in microseconds.
 * It ends where fewer than ten samples lie beyond, with the maximum. */
void hgrm_write(FILE *f, const struct histogram *h);

#endif
