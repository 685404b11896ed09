/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.h - what a machine says of itself while it runs, as Prometheus text:
 * /proc/godwit/metrics, and the control port on request. */
#ifndef GODWIT_LINUX_METRICS_H
#define GODWIT_LINUX_METRICS_H

#include "runtime/metric/metric.h"

#define METRICS_LINE METRIC_LINE

/* Each line of the text, without its end, to `line`. Other shards' figures may be some records old.
 */
void metrics_lines(void (*line)(void *ctx, const char *text), void *ctx);
/* What the program wrote to /proc/godwit/record: lines `name value`, name a letter and up to 30
 * letters, digits and _, value a whole number. 0; -EINVAL: a bad line (those before it count);
 * -ENOSPC: too many names; -ENOMEM. */
long metrics_record(const char *s, size_t n);

#endif
