# SPDX-License-Identifier: Apache-2.0
FUZZERS += tests/fuzz/fuzz_vhost
tests/fuzz/fuzz_vhost_SRCS := runtime/platform/linux/vhost_ring.c
