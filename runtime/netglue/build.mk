# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/netglue/glue.c runtime/netglue/settings.c runtime/netglue/cross.c runtime/netglue/trace.c
UNIT_TESTS += runtime/netglue/test/glue_test
runtime/netglue/test/glue_test_SRCS := runtime/netglue/glue.c runtime/netglue/settings.c runtime/netglue/cross.c runtime/netglue/trace.c runtime/virtio/test/fake.c \
	runtime/virtio/queue.c runtime/mem/pbuf.c runtime/base/inet.c
runtime/netglue/test/glue_test_LIBS := -pthread
