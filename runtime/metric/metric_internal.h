/* SPDX-License-Identifier: Apache-2.0 */
/* metric_internal.h - the points at which histograms are shown. */
#ifndef GODWIT_RUNTIME_METRIC_INTERNAL_H
#define GODWIT_RUNTIME_METRIC_INTERNAL_H

#include "runtime/base/str.h"
#include "runtime/metric/metric.h"

#define METRIC_POINTS 5u
extern const struct metric_point {
	const char *name;
	uint64_t ppb;
} metric_points[METRIC_POINTS];

#endif
