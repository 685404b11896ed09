# SPDX-License-Identifier: Apache-2.0
# The host command `godwit`, and the load generator (load/build.mk).
TOOLS_BASE := tools/base/util.c tools/base/text.c tools/base/parse.c
TOOLS_BUNDLE := $(TOOLS_BASE) tools/bundle/crc32c.c tools/bundle/program.c tools/bundle/config.c \
	tools/bundle/bundle.c tools/bundle/bundle_check.c tools/bundle/tree.c tools/bundle/rootimg.c \
	tools/bundle/rootimg_check.c kernel/core/manifest.c kernel/core/crc32c.c
TOOLS_MODULE := $(sort $(wildcard tools/module/*.c)) $(addprefix tools/godwit/,options.c option_net.c option_ip6.c qemu.c)
GODWIT_SRCS := $(TOOLS_BUNDLE) $(sort $(wildcard tools/godwit/*.c tools/module/*.c))
GODWIT_OBJS := $(GODWIT_SRCS:%.c=$(BUILD)/host/%.o)

all: $(BUILD)/godwit
$(BUILD)/godwit: $(GODWIT_OBJS)
	$(CC) -o $@ $^ -lncurses -ltinfo
$(BUILD)/host/%.o: %.c
	@mkdir -p $(dir $@)
	$(CC) $(HOST_CFLAGS) -c -o $@ $<
# the kernel's check of bundles, as a host program's part
$(BUILD)/host/kernel/core/%.o $(BUILD)/host/tools/bundle/bundle_check.o: HOST_CFLAGS += -DGW_HOST_TEST
-include $(GODWIT_OBJS:.o=.d)

include tools/load/build.mk

# Unit tests.
UNIT_TESTS += tools/test/options_test tools/test/elf_test tools/test/bundle_test tools/test/rootimg_test
tools/test/options_test_SRCS := $(TOOLS_BASE) tools/godwit/options.c tools/godwit/option_net.c tools/godwit/option_ip6.c
UNIT_TESTS += tools/test/host_test
tools/test/host_test_SRCS := $(TOOLS_BASE) tools/godwit/options.c tools/godwit/option_net.c tools/godwit/option_ip6.c tools/godwit/host_options.c tools/godwit/host_address.c
tools/test/elf_test_SRCS := $(TOOLS_BASE) tools/godwit/elf.c
tools/test/bundle_test_SRCS := $(TOOLS_BUNDLE)
tools/test/rootimg_test_SRCS := $(TOOLS_BUNDLE)
UNIT_TESTS += tools/module/test/module_test
tools/module/test/module_test_SRCS := $(TOOLS_BASE) $(TOOLS_MODULE)
UNIT_TESTS += tools/test/figures_test tools/test/serve_test tools/test/ktrace_test
tools/test/ktrace_test_SRCS := $(TOOLS_BASE) tools/godwit/ktrace.c tools/godwit/perfetto.c
UNIT_TESTS += tools/test/life_test
tools/test/life_test_SRCS := $(TOOLS_BASE) tools/godwit/life.c tools/godwit/perfetto.c tools/godwit/locate.c
tools/test/figures_test_SRCS := $(TOOLS_BASE) tools/godwit/figures.c
tools/test/serve_test_SRCS := $(TOOLS_BASE) tools/godwit/serve.c
UNIT_TESTS += tools/test/records_test tools/test/pack_test tools/test/qemu_test tools/test/session_test
tools/test/records_test_SRCS := $(TOOLS_BASE) tools/godwit/records.c tools/godwit/report.c
tools/test/pack_test_SRCS := $(TOOLS_BASE) tools/bundle/tree.c $(addprefix tools/godwit/,pack.c program.c program_libs.c elf.c libs.c)
tools/test/qemu_test_SRCS := $(TOOLS_BASE) $(addprefix tools/godwit/,qemu.c options.c option_net.c option_ip6.c)
tools/test/session_test_SRCS := $(TOOLS_BASE) $(addprefix tools/godwit/,session.c session_guest.c pump.c spawn.c serve.c records.c \
	report.c outcome.c)

# make run: redis in a virtual machine.  make install: PREFIX/bin, PREFIX/lib/godwit, the manual,
# and what native programs are built with elsewhere (docs/native.md).
PREFIX ?= /usr/local
.PHONY: run install
run:
	@BUILD=$(BUILD) tools/run-redis
install: all $(BUILD)/libgodwit.a $(BUILD)/libgodwit-part.a
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(BUILD)/godwit $(BUILD)/godwit-load
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/godwit $(BUILD)/kernel.elf $(BUILD)/linux.elf
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib $(BUILD)/libgodwit.a $(BUILD)/libgodwit-part.a
	install -D -m 644 runtime/platform/godwit/guest.ld $(DESTDIR)$(PREFIX)/lib/godwit/partition.ld
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/include runtime/godwit.h
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man1 tools/godwit/godwit.1 tools/load/godwit-load.1

# The built command on bad input.
.PHONY: cli-test
BOOT_TESTS += cli-test
cli-test: all
	@tools/test/cli $(BUILD)/godwit
