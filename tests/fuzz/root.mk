# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_root
tests/fuzz/fuzz_root_SRCS := $(wildcard linux/files/*.c) linux/files/test/support.c runtime/base/fmt.c runtime/base/crc32c.c
