# SPDX-License-Identifier: Apache-2.0
# Each fuzz target has a fragment NAME.mk here: FUZZERS += tests/fuzz/fuzz_x and its _SRCS.
include $(filter-out tests/fuzz/build.mk,$(wildcard tests/fuzz/*.mk))
