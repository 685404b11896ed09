/* SPDX-License-Identifier: Apache-2.0 */
/* metric.h - a native program's own figures, by one call each:
 *
 *     metric_add(metric_counter("requests"), 1);  (godwit.h: gw_count, gw_record)
 *     metric_record(metric_histogram("request_ns"), ns);
 *
 * They appear beside the system's in the Prometheus text and in the exit summary. (A Linux program
 * writes lines to /proc/godwit/record and comes to the same.) Finding a name takes a lock and up to
 * METRICS_MAX comparisons: where that is too much, keep what it returned. */
#ifndef GODWIT_RUNTIME_METRIC_H
#define GODWIT_RUNTIME_METRIC_H

#include "abi/status.h"
#include "runtime/base/latency.h"

#define METRICS_MAX 32u	 /* names of a partition */
#define METRIC_NAME 32u	 /* bytes of a name with its end */
#define METRIC_LINE 192u /* bytes of a line of text with its end */

struct metric;

/* The counter or histogram of that name (a letter, then letters, digits and _), made at its first
 * call; it stays for good. NULL when the name is bad or is the other kind's, there are METRICS_MAX
 * others, or memory is out: metric_why says which, and everything below takes it and does nothing.
 * Any shard, any context of the runtime. */
struct metric *metric_counter(const char *name);
struct metric *metric_histogram(const char *name);
/* As those, of a name that ends at name[len]; *why: 0, -EINVAL, -ENOSPC or -ENOMEM. */
struct metric *metric_find(const char *name, size_t len, bool histogram, int *why);

/* Any shard, any context: one locked instruction; a short lock. What is longer than LATENCY_MAX
 * counts as that in the histogram. */
void metric_add(struct metric *m, uint64_t n);
void metric_record(struct metric *m, uint64_t value);

/* The text's lines, without their ends, to `line`: own metrics (metric_lines); the shards'
 * latencies, packets, drops and scheduling (metric_shard_lines). Other shards' figures may be some
 * records old. */
void metric_lines(void (*line)(void *ctx, const char *text), void *ctx);
void metric_shard_lines(void (*line)(void *ctx, const char *text), void *ctx);
/* The kernel's status page: of all windows and elastic partitions, whoever asks. */
void metric_status_lines(const struct gw_status *s, void (*line)(void *ctx, const char *text),
			 void *ctx);
/* The memory of a machine or process, total and free, in bytes. */
void metric_memory_lines(void (*line)(void *ctx, const char *text), void *ctx);
/* Further lines in Prometheus' text format (exposition format 0.0.4): a family's head, whose name
 * gets godwit_ before it, then its values. Each at most METRIC_LINE - 1 bytes. */
struct metric_out {
	void (*line)(void *ctx, const char *text);
	void *ctx;
};
void metric_head(const struct metric_out *o, const char *name, const char *type, const char *help);
void metric_put(const struct metric_out *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For an exit summary: each own metric's figures by name, `name` or `name_p50` and so on. */
void metric_summary(void (*figure)(const char *name, uint64_t value));
/* All shards' latencies of a kind in one. */
void metric_sum(enum latency_kind kind, struct latency *to);

#endif
