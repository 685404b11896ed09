# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_load
tests/fuzz/fuzz_load_SRCS := runtime/base/histogram.c runtime/base/histogram_code.c tools/base/util.c tools/base/text.c \
	tools/base/parse.c $(addprefix tools/load/,hdr_log.c http_parse.c json.c mix.c resp.c url.c result.c)
tests/fuzz/fuzz_load_LIBS := -lz -lm
