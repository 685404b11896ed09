# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/mem/frame.c runtime/mem/gather.c runtime/mem/slab.c $(wildcard runtime/mem/pbuf.c)

UNIT_TESTS += runtime/mem/test/mem_test
runtime/mem/test/mem_test_SRCS := runtime/mem/frame.c runtime/mem/gather.c runtime/mem/slab.c
