# SPDX-License-Identifier: Apache-2.0
# What native programs are linked with (apps/build.mk): libgodwit.a, the runtime as a Linux process, and
# libgodwit-part.a, the runtime in a machine. Each holds one object whose only names for others are godwit.h's (and those
# of string.h): a program's own names never meet the runtime's.
NATIVE_SRCS := $(filter-out %/guest.c,$(wildcard runtime/native/*.c))

HOSTED_VIRTIO_NET := net.c net_queue.c net_tx.c
HOSTED_SRCS := $(addprefix runtime/base/,str.c fmt.c crc32c.c random.c histogram.c histogram_code.c inet.c) \
	$(addprefix runtime/mem/,frame.c gather.c slab.c pbuf.c) \
	$(wildcard runtime/metric/*.c) \
	$(filter-out %/fpu.c %/upcall.c %/uaccess.c,$(wildcard runtime/sched/*.c)) runtime/sched/switch.S runtime/sched/hosted/absent.c runtime/sched/hosted/stack.c \
	$(wildcard runtime/net/*.c runtime/net/tcp/*.c) $(wildcard runtime/netglue/*.c) \
	$(addprefix runtime/virtio/,queue.c transport.c pci.c mmio.c $(HOSTED_VIRTIO_NET)) \
	$(NATIVE_SRCS) runtime/platform/config.c $(wildcard runtime/platform/linux/*.[cS]) \
	$(filter-out %.bpf.c,$(wildcard runtime/platform/linux/afxdp/*.[cS]))
HOSTED_LIBS := -lxdp -lbpf -luring -pthread
HOSTED_ONLY := $(COMMON) -D_GNU_SOURCE -DGW_HOSTED -fPIE -ffunction-sections -fdata-sections
HOSTED_CFLAGS = $(HOSTED_ONLY) -O2 -fno-stack-protector -DUTHREAD_STACK=65536u
# deeper frames; fibers are told to the sanitizer (runtime/sched/hosted/asan.c)
HOSTED_ASAN_CFLAGS = $(HOSTED_ONLY) -O1 -fno-omit-frame-pointer $(SANITIZE) -DUTHREAD_STACK=262144u
hosted_objs = $(patsubst %.c,$(BUILD)/$(1)/%.o,$(patsubst %.S,$(BUILD)/$(1)/%.S.o,$(HOSTED_SRCS)))
NATIVE_NAMES := -w -G 'gw_*'

$(eval $(call host_compile,$(BUILD)/hosted,$$(CC) $$(HOSTED_CFLAGS)))
$(eval $(call host_compile,$(BUILD)/hosted-asan,$$(CC) $$(HOSTED_ASAN_CFLAGS)))
-include $(shell find $(BUILD)/hosted $(BUILD)/hosted-asan -name '*.d' 2>/dev/null)

$(foreach k,hosted hosted-asan,$(HOSTED_VIRTIO_NET:%.c=$(BUILD)/$(k)/runtime/virtio/%.o)): HOSTED_ONLY += \
	-include runtime/platform/linux/virtio_names.h
# The XDP program (Debian: clang, libbpf-dev, libxdp-dev).
XDP_PROG := $(BUILD)/hosted/afxdp_prog.o
$(XDP_PROG): runtime/platform/linux/afxdp/prog.bpf.c runtime/platform/linux/afxdp/prog.h
	@mkdir -p $(dir $@)
	clang -O2 -g -Wall -Wextra -Werror -target bpf -I. -I/usr/include/$(shell $(CC) -print-multiarch) -c -o $@ $<
$(foreach k,hosted hosted-asan,$(BUILD)/$(k)/runtime/platform/linux/afxdp/image.S.o): $(XDP_PROG)
$(foreach k,hosted hosted-asan,$(BUILD)/$(k)/runtime/platform/linux/afxdp/image.S.o): HOSTED_ONLY += '-DPROG="$(XDP_PROG)"'

.SECONDEXPANSION:
# The platform's own test, in the place of a program.
DISK_TEST := $(BUILD)/hosted-asan/disk-test
$(DISK_TEST): $$(filter-out $$(BUILD)/hosted-asan/runtime/native/%,$(call hosted_objs,hosted-asan)) \
		$(BUILD)/hosted-asan/runtime/sched/hosted/asan.o $(BUILD)/hosted-asan/runtime/platform/linux/test/disk.o
	$(CC) $(SANITIZE) $(ASAN_WRAP:%=-Wl,--wrap=%) -o $@ $^ $(HOSTED_LIBS)

define one_object
@mkdir -p $(dir $@)
ld -r $(2) -o $@.o $(filter %.o,$^)
objcopy $(NATIVE_NAMES) $(1) $@.o
rm -f $@
ar rc $@ $@.o
endef
$(BUILD)/libgodwit.a: $(call hosted_objs,hosted)
	$(call one_object,-G main)
ASAN_WRAP := context_switch uthread_main shard_entry shard_secondary hosted_enter pages_free stack_alloc stack_free mem_alloc mem_zalloc mem_free mem_resize
$(BUILD)/libgodwit-asan.a: $(call hosted_objs,hosted-asan) $(BUILD)/hosted-asan/runtime/sched/hosted/asan.o
	$(call one_object,-G main,$(ASAN_WRAP:%=--wrap=%))
NATIVE_GUEST_SRCS = $(filter-out linux/%,$(GUEST_SRCS)) $(NATIVE_SRCS) runtime/native/guest.c
# The list of guest sources is complete only when every build.mk was read.
$(BUILD)/libgodwit-part.a: $$(call guest_objs,$$(NATIVE_GUEST_SRCS))
	$(call one_object,-G _start $(addprefix -G ,memcpy memmove memset memcmp memchr strlen strnlen strcmp strncmp strchr strrchr))

UNIT_TESTS += runtime/platform/linux/test/vhost_ring_test
runtime/platform/linux/test/vhost_ring_test_SRCS := runtime/platform/linux/vhost_ring.c
