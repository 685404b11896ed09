# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_module
tests/fuzz/fuzz_module_SRCS := $(TOOLS_BUNDLE) $(TOOLS_MODULE)
