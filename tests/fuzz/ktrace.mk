# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_ktrace
tests/fuzz/fuzz_ktrace_SRCS := tools/base/util.c tools/base/text.c tools/base/parse.c tools/godwit/ktrace.c tools/godwit/perfetto.c
