# SPDX-License-Identifier: Apache-2.0
# Godwit. Each folder brings its own build.mk; this file holds what they share.
BUILD ?= build
CC := gcc
WARN := -Wall -Wextra -Wshadow -Wconversion -Wswitch-default -Wstrict-prototypes -Werror
COMMON := -std=gnu11 -g $(WARN) -I. -fno-strict-aliasing -fno-common -MMD -MP

# kernel: ring 0.  guest: the partition program (runtime and personality), user mode.  Neither uses the FPU.
FREESTANDING := -ffreestanding -nostdlib -fno-stack-protector -mgeneral-regs-only -mno-red-zone \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -ffunction-sections -fdata-sections
GUEST_CFLAGS := $(COMMON) $(FREESTANDING) -O2 -fPIE -fvisibility=hidden -fno-omit-frame-pointer
HOST_CFLAGS := $(COMMON) -O2 -D_GNU_SOURCE
TEST_CFLAGS := $(COMMON) -O1 -D_GNU_SOURCE -DGW_HOST_TEST -fsanitize=address,undefined -fno-sanitize-recover=all

# Commands are shown with V=1.
ifndef V
.SILENT:
endif

.PHONY: all test check clean help
all:

help:
	@echo 'make run      redis-server in a Godwit machine (installs what is missing)'
	@echo 'make          build/godwit and what it boots'
	@echo 'make test     every test; make unit|system|fuzz-short|check one kind; make system ONLY=redis'
	@echo 'make gate     latencies in virtual time against the baseline; make gate-update REASON=...'
	@echo 'make bench    the figures, beside a Linux guest; make fuzz FUZZ_SECONDS=600'

# Unit tests: a build.mk says  UNIT_TESTS += dir/test/x_test  and  dir/test/x_test_SRCS := sources under test.
UNIT_TESTS :=
BOOT_TESTS :=
FUZZERS :=
-include kernel/build.mk
-include runtime/build.mk
-include linux/build.mk
-include tools/build.mk
-include tests/build.mk

define unit_rule
$(BUILD)/unit/$(1): $(1).c $($(1)_SRCS)
	@mkdir -p $$(dir $$@)
	$$(CC) $$(TEST_CFLAGS) $($(1)_CFLAGS) -MF $$@.d -o $$@ $(1).c $($(1)_SRCS) $($(1)_LIBS)
-include $(BUILD)/unit/$(1).d
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))
unit: $(UNIT_TESTS:%=$(BUILD)/unit/%)
	@tests/run-unit $^
.PHONY: unit

check:
	@tests/check

# Stages of the whole test; each ends with its own count (BOOT_TESTS come from the folders' build.mk).
test: all
	@tests/run-all check unit $(BOOT_TESTS) fuzz-short system

clean:
	rm -rf $(BUILD)
