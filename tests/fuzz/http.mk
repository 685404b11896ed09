# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_http
tests/fuzz/fuzz_http_SRCS := $(addprefix apps/http/lib/,parse.c chunk.c target.c date.c)
