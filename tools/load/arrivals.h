/* SPDX-License-Identifier: Apache-2.0 */
/* arrivals.h - when requests are due: an open loop's schedule, which no answer changes. A process
 * of unit rate (evenly spaced, or Poisson; single or in bursts) is stretched by the inverse of the
 * integrated rate, so that ramps need no steps.
 */
#ifndef GODWIT_LOAD_ARRIVALS_H
#define GODWIT_LOAD_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>

#include "tools/load/rng.h"

#define ARRIVALS_END UINT64_MAX

struct trace {
	uint64_t *at; /* ns from the start, never falling */
	size_t n;
};

/* What is asked for, of all threads together. */
struct arrivals_spec {
	bool poisson;
	uint32_t burst;		   /* requests that are due at once, at least 1 */
	double from, to;	   /* requests per second; from == to without a ramp */
	double ramp_s;		   /* seconds from `from` to `to`; then it stays at `to` */
	const struct trace *trace; /* if not NULL, everything above is unused */
};

struct arrivals {
	struct arrivals_spec spec; /* rates are this thread's share when poisson */
	uint64_t index, stride;
	double unit; /* where the Poisson process of unit rate has got to */
	struct rng rng;
	uint64_t next;	 /* ns from the start, or ARRIVALS_END */
	uint64_t passed; /* arrivals before next */
};

/* arrivals_init - thread number `thread` of `threads` takes every threads-th arrival (Poisson: a
 * process of its own of that part of the rate). next is then the first. */
void arrivals_init(struct arrivals *a, const struct arrivals_spec *spec, uint32_t thread,
		   uint32_t threads, uint64_t seed);
void arrivals_step(struct arrivals *a);

/* How many arrivals the schedule has before ns, on average. */
double arrivals_expected(const struct arrivals_spec *spec, uint64_t ns);

/* trace_read - a file with one time a line: seconds from the start (or with a unit: 250us, 3ms),
 * never falling; what follows # is not read. Returns 0, or -1 (fail, with file and line). */
int trace_read(struct trace *t, const char *path);
void trace_free(struct trace *t);

#endif
