/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what a person reads at the end of a run, and at its start. */
#ifndef GODWIT_TOOLS_REPORT_H
#define GODWIT_TOOLS_REPORT_H

#include "tools/godwit/records.h"
#include "tools/base/util.h"

/* A step of the host's own work, for the timeline. */
struct mark {
	const char *name;
	uint64_t ns; /* how long it took */
};

/* report_host - the host's steps: the timeline's first lines. report_boot - the guest's latest
 * step, counted from the kernel's first instruction: one more line. */
void report_host(struct text *out, const struct mark *marks, size_t n);
void report_boot(struct text *out, const struct records *r);

/* report_summary - uptime, connections, packets, kernel entries, whatever else the runtime counted,
 * and the system calls it has not got. What was not reported is left out. */
void report_summary(struct text *out, const char *program, const struct records *r);

#endif
