# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/virtio/queue.c runtime/virtio/transport.c runtime/virtio/pci.c runtime/virtio/mmio.c \
	runtime/virtio/net.c runtime/virtio/net_queue.c runtime/virtio/net_tx.c runtime/virtio/blk.c runtime/virtio/rng.c \
	runtime/virtio/console.c runtime/virtio/console_port.c runtime/virtio/console_ctrl.c runtime/virtio/misc.c runtime/virtio/init.c

VIRTIO_TEST_BASE := runtime/virtio/test/fake.c runtime/virtio/queue.c runtime/virtio/transport.c \
	runtime/virtio/pci.c runtime/virtio/mmio.c
UNIT_TESTS += runtime/virtio/test/queue_test runtime/virtio/test/transport_test
runtime/virtio/test/queue_test_SRCS := $(VIRTIO_TEST_BASE)
runtime/virtio/test/transport_test_SRCS := $(VIRTIO_TEST_BASE)
UNIT_TESTS += runtime/virtio/test/net_test
runtime/virtio/test/net_test_SRCS := $(VIRTIO_TEST_BASE) runtime/virtio/net.c runtime/virtio/net_queue.c runtime/virtio/net_tx.c \
	runtime/mem/pbuf.c
UNIT_TESTS += runtime/virtio/test/blk_test runtime/virtio/test/console_test
runtime/virtio/test/blk_test_SRCS := $(VIRTIO_TEST_BASE) runtime/virtio/misc.c runtime/virtio/blk.c runtime/virtio/rng.c
runtime/virtio/test/console_test_SRCS := $(VIRTIO_TEST_BASE) runtime/virtio/misc.c runtime/virtio/console.c runtime/virtio/console_port.c \
	runtime/virtio/console_ctrl.c

# make virtio-test: a machine that echoes (tests/boot/virtio). The list of guest sources is complete only when every
# build.mk was read.
.SECONDEXPANSION:
VIRTIO_ECHO_SRCS = $(sort $(filter-out linux/% %/steps.c,$(GUEST_SRCS)) tests/boot/virtio_echo.c)
$(BUILD)/virtio_echo.elf: $$(call guest_objs,$$(VIRTIO_ECHO_SRCS)) $(GUEST_LDSCRIPT)
	$(CC) $(GUEST_LDFLAGS) -o $@ $(call guest_objs,$(VIRTIO_ECHO_SRCS))
virtio-test: $(BUILD)/kernel.elf $(BUILD)/virtio_echo.elf
	tests/boot/virtio $(BUILD)
.PHONY: virtio-test
BOOT_TESTS += virtio-test
