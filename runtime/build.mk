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

# What no request passes through is built small (image budget: 400,000 bytes), and with frames for backtraces.
GUEST_COLD := linux/start linux/metrics runtime/metric/% linux/process/sigcalls linux/process/sigframe linux/process/identity linux/process/limits linux/process/timers linux/process/exec linux/process/clone linux/process/family linux/process/wait linux/process/trap linux/memory/elf linux/memory/remap linux/memory/areas linux/process/thread linux/process/time runtime/native/text linux/memory/memcalls linux/memory/maps \
	linux/memory/stack linux/memory/fork linux/files/synth linux/files/synth_% linux/files/proc% linux/files/metrics% linux/files/sys_path \
	linux/files/sys_attr linux/files/sys_link linux/files/sys_stat linux/files/namespace linux/files/open linux/files/root linux/files/init linux/files/misc linux/files/dev linux/files/port runtime/platform/godwit/port \
	linux/files/inode linux/files/timerfd linux/sockets/unix linux/sockets/unix_% linux/sockets/option% linux/sockets/ifconf linux/sockets/name \
	linux/sockets/tcp_option linux/sockets/tcp_trace runtime/netglue/trace linux/sockets/tcp_listen linux/sockets/tcp_move linux/sockets/tcp_port linux/sockets/udp linux/sockets/udp_io linux/sockets/msg \
	linux/files/epoll_set linux/files/file_size linux/process/sigreturn linux/process/signal linux/files/sys_fd linux/files/signalfd \
	linux/files/eventfd runtime/base/inet runtime/netglue/settings runtime/sched/start runtime/mem/gather \
	runtime/virtio/console runtime/virtio/console_% runtime/virtio/rng runtime/virtio/init runtime/virtio/pci runtime/virtio/mmio \
	runtime/virtio/transport runtime/net/dhcp runtime/net/dhcp_% runtime/net/dhcp6 runtime/net/dhcp6_% runtime/net/tcp/listen runtime/net/tcp/timewait runtime/net/tcp/reass runtime/net/tcp/conn runtime/net/tcp/segment runtime/net/tcp/timer runtime/net/tcp/sack runtime/net/ip4 runtime/net/frag runtime/net/icmp runtime/net/icmp6 runtime/net/ends runtime/net/ip6 runtime/net/ip6_% runtime/net/nd runtime/net/nd_% runtime/net/mld runtime/net/udp runtime/net/tcp/six runtime/net/tcp/cookie runtime/net/tcp/migrate \
	runtime/base/histogram% runtime/virtio/net linux/memory/elf_check runtime/net/tcp/bbr runtime/net/tcp/rate \
	runtime/net/tcp/connect runtime/net/tcp/option runtime/net/tcp/ecn runtime/net/tcp/urgent runtime/net/arp runtime/base/fmt runtime/base/random \
	runtime/sched/start runtime/netglue/settings runtime/platform/config runtime/platform/godwit/log runtime/platform/godwit/steps \
	runtime/platform/godwit/main linux/vdso/map linux/process/signal linux/process/sigreturn linux/files/sys_fd \
	linux/files/signalfd linux/files/file_size linux/files/reclaim linux/memory/mm
$(GUEST_COLD:%=$(BUILD)/guest/%.o): GUEST_OPT := -Oz
$(GUEST_COLD:%=$(BUILD)/guest/%.o) $(BUILD)/guest/runtime/platform/%.o: GUEST_FRAME := -fno-omit-frame-pointer
