/* SPDX-License-Identifier: Apache-2.0 */
/* units.h - times, rates and counts as people write and read them. */
#ifndef GODWIT_LOAD_UNITS_H
#define GODWIT_LOAD_UNITS_H

#include <stdint.h>

/* Each returns 0, or -1 when the text is not one (no error is set). */
int parse_duration(
	const char *s,
	uint64_t *ns); /* 250us, 10ms, 1.5s, 2m, 1h; a plain number: seconds; at most 30 days */
int parse_rate(const char *s, double *per_second); /* 10000, 2.5k, 1M: above 0, at most 1e9 */
int parse_ppb(const char *s, uint64_t *ppb); /* a percentile: 99.9 or p99.9, in 1/10^9; below 100 */

/* Each writes to one of eight static buffers in turn and returns it. */
const char *show_ns(uint64_t ns);	  /* 830 ns, 45.3 us, 1.25 ms, 2.500 s */
const char *show_count(uint64_t n);	  /* 1,234,567 */
const char *show_rate(double per_second); /* 12,345.6 */
const char *show_ppb(uint64_t ppb);	  /* 99.9 */

#endif
