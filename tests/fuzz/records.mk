# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_records
tests/fuzz/fuzz_records_SRCS := $(addprefix tools/base/,util.c text.c parse.c) \
	$(addprefix tools/godwit/,records.c report.c life.c perfetto.c figures.c)
