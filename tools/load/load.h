/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - what one run of load is asked for, what its threads count, and what comes out of it. */
#ifndef GODWIT_LOAD_LOAD_H
#define GODWIT_LOAD_LOAD_H

#include <stdio.h>
#include <sys/socket.h>
#include <time.h>

#include "runtime/base/histogram.h"
#include "tools/load/arrivals.h"
#include "tools/load/proto.h"

#define LOAD_VERSION "0.1"
#define STATUS_TROUBLE 1 /* something was measured, or tried, and not all was well */

struct load_config {
	const char *target; /* the URL as written */
	const struct proto *proto;
	struct proto_options options;
	struct arrivals_spec arrivals;
	const char *trace_path;
	struct trace trace;
	uint32_t connections, threads, pipeline;
	uint64_t duration, warmup, timeout, connect_timeout, drain,
		interval; /* ns; timeout 0: by protocol */
	bool busy;	  /* poll while answers are due, do not sleep */
	bool quiet;	  /* no progress lines */
	bool duration_given, rate_given;
	const char *label, *hgrm, *csv, *json, *log, *svg;
	const char *command; /* as typed */
};

enum load_error {
	LOAD_CONNECT,
	LOAD_CLOSED,
	LOAD_GARBAGE,
	LOAD_ANSWER,
	LOAD_WRONG,
	LOAD_TIMEOUT,
	LOAD_ERRORS
};
extern const char *const load_error_names[LOAD_ERRORS];

/* Counters of a thread: it alone writes, others read while it runs (relaxed). Of all requests,
 * warm-up too. */
struct load_counters {
	uint64_t sent, answered;
	uint64_t sent_measured, answered_measured; /* whose intended time is measured */
	uint64_t finished_measured;		   /* answers that came within the measured time */
	uint64_t unanswered, unsent;		   /* measured ones, at the end */
	uint64_t reconnects, strays;		   /* strays: datagrams nobody waited for */
	uint64_t waiting, most_waiting; /* due and not sent: now, and the most at any time */
	uint64_t waiting_at_end;	/* due and not sent when the last request was due */
	uint64_t errors[LOAD_ERRORS];
};

/* What a run measured. */
struct load_slice { /* one interval */
	double at_s, answered_per_s;
	uint64_t count, p50, p99, p999,
		max; /* 0 where there are too few samples to know, max excepted */
};

struct load_result {
	uint64_t *memory;
	struct histogram corrected;   /* from the intended send time */
	struct histogram uncorrected; /* from the actual send time */
	struct histogram late; /* actual send after both the intended time and a free connection:
				  our own fault */
	struct load_counters counters;
	char first_error[LOAD_ERRORS][200];
	double measured_s;  /* how long was measured */
	double asked_per_s; /* the rate that the schedule has in that time, on average */
	double due_per_s;   /* and in fact */
	time_t started;	    /* wall clock */
	bool interrupted;
	char stopped[256]; /* why it ended early, or "" */
	struct load_slice *slices;
	size_t n_slices;
};

static inline uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

/* say - a line on stderr: "godwit-load: ...". */
void say(const char *format, ...) PRINTF(1, 2);

/* flush_stdout - 0, or -1 (said) when what was printed could not be written. */
int flush_stdout(void);

/* load_known - whether n samples tell this percentile: ten at least must lie beyond it. load_needs
 * - how many would. */
bool load_known(uint64_t n, uint64_t ppb);
uint64_t load_needs(uint64_t ppb);

/* load_run - run it. log (may be NULL) gets a line of a HdrHistogram log for each interval. Returns
 * 0 with a result to free, or -1 (fail) when nothing could be measured at all. */
int load_run(const struct load_config *c, FILE *log, struct load_result *r);
int load_result_init(struct load_result *r) MUST_CHECK;
void load_result_free(struct load_result *r);
bool load_missed_schedule(
	const struct load_result *r); /* so that the figures cannot be trusted below that */
bool load_overloaded(const struct load_result *r); /* the rate was not kept: by the server, or, */
bool load_saturated(const struct load_result *r);  /* by the generator, which was always late */
uint64_t load_errors(const struct load_result *r);

extern volatile int load_interrupted; /* set by SIGINT and SIGTERM */

#endif
