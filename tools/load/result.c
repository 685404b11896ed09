/* SPDX-License-Identifier: Apache-2.0 */
/* result.c - what may be concluded from a run. See load.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/load.h"

#define BEYOND 10u /* samples that must lie beyond a percentile */

void say(const char *format, ...)
{
	va_list ap;

	fputs("godwit-load: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

int flush_stdout(void)
{
	errno = 0;
	if (fflush(stdout) == 0 && ferror(stdout) == 0)
		return 0;
	say("standard output could not be written: %s",
	    errno != 0 ? strerror(errno) : "an earlier write failed");
	return -1;
}

uint64_t load_needs(uint64_t ppb)
{
	uint64_t beyond = NS_PER_SEC - ppb; /* of 10^9 */

	return (BEYOND * NS_PER_SEC + beyond - 1) / beyond;
}

bool load_known(uint64_t n, uint64_t ppb)
{
	return ppb < NS_PER_SEC && n >= load_needs(ppb);
}

int load_result_init(struct load_result *r)
{
	*r = (struct load_result){ .started = time(NULL) };
	r->memory = xcalloc(3 * HISTOGRAM_COUNTS_3, sizeof(uint64_t));
	return histogram_init(&r->corrected, 3, r->memory) != 0 ||
			       histogram_init(&r->uncorrected, 3, r->memory + HISTOGRAM_COUNTS_3) !=
				       0 ||
			       histogram_init(&r->late, 3, r->memory + 2 * HISTOGRAM_COUNTS_3) != 0
		       ? -1
		       : 0;
}

void load_result_free(struct load_result *r)
{
	free(r->memory);
	free(r->slices);
	*r = (struct load_result){ 0 };
}

uint64_t load_errors(const struct load_result *r)
{
	uint64_t n = 0;

	for (int e = 0; e < LOAD_ERRORS; e++)
		n += r->counters.errors[e];
	return n;
}

/* Our own lateness is a good part of what was measured, at some percentile that is known. */
bool load_missed_schedule(const struct load_result *r)
{
	static const uint64_t at[] = { 500000000, 900000000, 990000000, 999000000, 999900000 };
	uint64_t n = histogram_count(&r->late);

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		uint64_t late = histogram_at(&r->late, at[i]);

		if (load_known(n, at[i]) && late > 10 * NS_PER_US &&
		    late > histogram_at(&r->corrected, at[i]) / 5)
			return true;
	}
	return false;
}

/* With a slow server a request leaves as soon as a connection is free; here most left later. */
bool load_saturated(const struct load_result *r)
{
	return histogram_count(&r->late) > 0 && histogram_at(&r->late, 500000000) > 50 * NS_PER_US;
}

bool load_overloaded(const struct load_result *r)
{
	/* more than 20 ms of requests waited at the end, or some were not sent at all */
	return r->counters.unsent > 0 ||
	       (double)r->counters.waiting_at_end > GW_MAX(20.0, r->due_per_s * 0.02);
}
