# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_apex
tests/fuzz/fuzz_apex_SRCS := $(APEX_SRCS) arinc653/test/sim.c arinc653/test/sim_support.c
