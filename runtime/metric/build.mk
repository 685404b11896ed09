# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/metric/metric.c runtime/metric/shards.c runtime/metric/status.c
UNIT_TESTS += runtime/metric/test/metric_test
runtime/metric/test/metric_test_SRCS := runtime/metric/metric.c runtime/metric/shards.c runtime/metric/status.c runtime/base/histogram.c runtime/base/fmt.c
