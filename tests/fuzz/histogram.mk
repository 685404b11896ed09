# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_histogram
tests/fuzz/fuzz_histogram_SRCS := runtime/base/histogram.c runtime/base/histogram_code.c
