# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_native
tests/fuzz/fuzz_native_SRCS := runtime/native/addr.c runtime/native/file.c runtime/base/fmt.c runtime/base/str.c runtime/base/inet.c
