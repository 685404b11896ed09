# SPDX-License-Identifier: Apache-2.0
# The runtime: each module folder's build.mk adds its sources to GUEST_SRCS; the personality adds its own. Objects
# lie below $(BUILD)/guest, the linked partition program is $(BUILD)/linux.elf.
GUEST_SRCS :=
include $(wildcard runtime/*/build.mk)

guest_objs = $(patsubst %.c,$(BUILD)/guest/%.o,$(patsubst %.S,$(BUILD)/guest/%.S.o,$(1)))
GUEST_LDSCRIPT := runtime/platform/godwit/guest.ld
GUEST_LDFLAGS := -nostdlib -static -no-pie -Wl,--gc-sections -Wl,-T,$(GUEST_LDSCRIPT) -Wl,--build-id=none \
	-Wl,-z,noexecstack -Wl,-z,norelro -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096 -Wl,--no-relax

$(BUILD)/guest/%.o: %.c Makefile runtime/build.mk
	@mkdir -p $(dir $@)
	$(CC) $(GUEST_CFLAGS) -include runtime/base/hidden.h -c -o $@ $<
$(BUILD)/guest/%.S.o: %.S Makefile runtime/build.mk
	@mkdir -p $(dir $@)
	$(CC) $(GUEST_CFLAGS) -c -o $@ $<
# its loops must not become calls of the functions they are in
$(BUILD)/guest/runtime/base/str.o: GUEST_CFLAGS += $(NO_LOOP_CALLS)

# The list is complete only when every build.mk was read.
.SECONDEXPANSION:
all: $(BUILD)/linux.elf
$(BUILD)/linux.elf: $$(call guest_objs,$$(GUEST_SRCS)) $(GUEST_LDSCRIPT)
	$(CC) $(GUEST_LDFLAGS) -o $@ $(call guest_objs,$(GUEST_SRCS)) -lgcc
$(BUILD)/runtime-test.elf: $$(call guest_objs,$$(RT_TEST_SRCS)) $(GUEST_LDSCRIPT)
	$(CC) $(GUEST_LDFLAGS) -o $@ $(call guest_objs,$(RT_TEST_SRCS)) -lgcc

BOOT_TESTS += runtime-test
runtime-test: $(BUILD)/kernel.elf $(BUILD)/runtime-test.elf
	tests/boot/runtime $(BUILD)
.PHONY: runtime-test

-include $(shell find $(BUILD)/guest -name '*.d' 2>/dev/null)

# What requests pass through, and all of the programs' own interfaces (Makefile).
GUEST_HOT := $(addprefix linux/,table uio files/epoll files/fd files/file_io files/pages files/pipe files/poll files/regular files/sys_io \
		files/walk memory/fault process/futex sockets/socket sockets/syscalls sockets/tcp sockets/tcp_io) \
	$(addprefix runtime/,base/crc32c base/str mem/frame mem/pbuf mem/slab net/csum net/ip4 net/net net/wheel netglue/glue netglue/cross \
		virtio/blk virtio/net_queue virtio/net_tx virtio/queue) \
	$(addprefix runtime/net/tcp/,ack api cubic input output rack xmit) \
	$(addprefix runtime/sched/,balance clock fpu inbox preempt shard timer uaccess upcall uthread waitq) \
	$(addprefix runtime/native/,buf listen task tcp tcp_wait udp) arinc653/%
$(GUEST_HOT:%=$(BUILD)/guest/%.o): GUEST_OPT := $(HOT_OPT)
