/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - a run's result for people and for programs. */
#ifndef GODWIT_LOAD_REPORT_H
#define GODWIT_LOAD_REPORT_H

#include "tools/load/load.h"

#define REPORT_PERCENTILES 7
extern const uint64_t report_percentiles[REPORT_PERCENTILES]; /* in 1/10^9 */

void report_summary(FILE *f, const struct load_config *c, const struct load_result *r);
void report_csv(FILE *f, const struct load_config *c, const struct load_result *r);
void report_json(FILE *f, const struct load_config *c, const struct load_result *r);

/* Files named by options, opened before the run so that a wrong path costs no measurement. A path
 * of "-" is stdout. */
struct outputs {
	FILE *hgrm, *csv, *json, *log, *svg;
};
int outputs_open(struct outputs *o, const struct load_config *c); /* 0 or -1 (fail) */
/* outputs_write - everything but the log, which is written as the run goes on; closes all. -1 when
 * any could not be written: each is said on stderr, the others are complete. */
int outputs_write(struct outputs *o, const struct load_config *c, const struct load_result *r);

#endif
