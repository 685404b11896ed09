# SPDX-License-Identifier: Apache-2.0
# Godwit. Each folder brings its own build.mk; this file holds what they share.
BUILD ?= build
CC := gcc
WARN := -Wall -Wextra -Wshadow -Wconversion -Wswitch-default -Wstrict-prototypes -Werror
COMMON := -std=gnu11 -g $(WARN) -I. -fno-strict-aliasing -fno-common -MMD -MP

# kernel: ring 0.  guest: the partition program (runtime and personality), user mode.  Neither uses the FPU.
FREESTANDING := -ffreestanding -nostdlib -fno-stack-protector -mgeneral-regs-only -mno-red-zone \
	-fno-asynchronous-unwind-tables -fno-omit-frame-pointer -ffunction-sections -fdata-sections
# The guest is built small (image budget: 400,000 bytes), and with frames for backtraces. A request calls some sixty
# functions: those (GUEST_HOT in runtime/build.mk) are built for speed and keep no frame of their own (three instructions
# each), and keep rbp as it is, so that a backtrace finds their callers. clang cannot; its objects are not run.
GUEST_OPT := -Oz
HOT_OPT := -O2 $(if $(findstring clang,$(CC)),,-fomit-frame-pointer -ffixed-rbp)
# Jumps go where they go: padding in front of their targets was 3 % of the image, and its no-ops were executed; that between
# functions another 2 %. Not an option of clang's.
PACKED := $(if $(findstring clang,$(CC)),,-falign-labels=1 -falign-jumps=1 -falign-loops=1 -falign-functions=4)
GUEST_CFLAGS = $(COMMON) $(FREESTANDING) $(GUEST_OPT) $(PACKED) -fPIE -fvisibility=hidden
# MEASURE=0, in a BUILD of its own: shards without their built-in histograms, to see what those cost.
ifdef MEASURE
GUEST_CFLAGS += -DMEASURE=$(MEASURE)
endif
HOST_CFLAGS := $(COMMON) -O2 -D_GNU_SOURCE
SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
TEST_CFLAGS := $(COMMON) -O1 -D_GNU_SOURCE -DGW_HOST_TEST $(SANITIZE)

# For the file that defines memcpy: its loops stay loops (clang keeps them under -ffreestanding).
NO_LOOP_CALLS := $(if $(findstring clang,$(CC)),,-fno-tree-loop-distribute-patterns)

# Commands are shown with V=1.
ifndef V
.SILENT:
endif

.PHONY: all test check clean help
all:

help:
	@echo 'make run      redis-server in a Godwit machine (installs what is missing)'
	@echo 'make          build/godwit and what it boots'
	@echo 'make native   the programs of apps/, as Linux processes and partitions; make hosted-asan under the sanitizers'
	@echo 'make test     every test; make unit|system|fuzz-short|check one kind; make system ONLY=redis'
	@echo 'make load-test  the load generator against servers that stall, lie and break; make bench-histogram'
	@echo 'make gate     latencies in virtual time against the baseline; make gate-update REASON=...'
	@echo 'make paths    instructions of every path through the kernel, into kernel/paths.txt; make paths-check compares; make moves-check: moves of cores'
	@echo 'make coverage statements, branches and conditions of kernel/core that its unit tests reach'
	@echo 'make bench    every figure, beside a Linux guest and natively: build/bench/report.md and .svg; make bench PART=size'
	@echo 'make bench-net  native servers beside kernel sockets and nginx: build/bench/net.md; make bench-net PART=profile'
	@echo 'make bench-elastic  the allocator of cores, simulated: docs/elastic.svg; make bench-partition  the same in a machine'
	@echo 'make fuzz     FUZZ_SECONDS=600'

# Host test programs: a build.mk says  UNIT_TESTS += dir/test/x_test  and  dir/test/x_test_SRCS := sources under test,
# perhaps x_test_CFLAGS and x_test_LIBS; FUZZERS (tests/fuzz) are told the same way.
# $(call host_compile,FOLDER,COMPILER): objects of FOLDER from sources.
define host_compile
$(1)/%.o: %.c
	@mkdir -p $$(dir $$@)
	$(2) -c -o $$@ $$<
$(1)/%.S.o: %.S
	@mkdir -p $$(dir $$@)
	$(2) -c -o $$@ $$<
endef
UNIT_TESTS :=
BOOT_TESTS := # every stage of `make test` between unit and fuzz-short, in the order of the folders below
FUZZERS :=
-include kernel/build.mk
-include runtime/build.mk
-include linux/build.mk
-include arinc653/build.mk
-include tools/build.mk
-include apps/build.mk
-include tests/build.mk

# Each source is compiled once for all programs of a kind (unit, fuzz), into build/KIND/obj; a program with CFLAGS of its
# own has objects of its own. $(call host_objs,KIND,PROGRAM), $(call host_program,KIND,PROGRAM,output).
host_dir = $(BUILD)/$(1)/$(if $($(2)_CFLAGS),own/$(2),obj)
host_objs = $(patsubst %.c,$(host_dir)/%.o,$(patsubst %.S,$(host_dir)/%.S.o,$(2).c $($(2)_SRCS)))
define host_program
$(if $($(2)_CFLAGS),$(call host_compile,$(call host_dir,$(1),$(2)),$($(1)_COMPILE) $($(2)_CFLAGS)))
$(3): $(call host_objs,$(1),$(2))
	@mkdir -p $$(dir $$@)
	$($(1)_LINK) -o $$@ $$^ $($(2)_LIBS)
HOST_DEPS += $(patsubst %.o,%.d,$(call host_objs,$(1),$(2)))
endef
unit_COMPILE = $(CC) $(TEST_CFLAGS)
unit_LINK = $(CC) $(SANITIZE)
fuzz_COMPILE = clang $(TEST_CFLAGS) -fsanitize=fuzzer-no-link
fuzz_LINK = clang $(SANITIZE) -fsanitize=fuzzer

UNIT_PROGRAMS := $(UNIT_TESTS:%=$(BUILD)/unit/%)
FUZZ_PROGRAMS := $(foreach f,$(FUZZERS),$(BUILD)/fuzz/$(notdir $(f)))
$(eval $(call host_compile,$(BUILD)/unit/obj,$(unit_COMPILE)))
$(eval $(call host_compile,$(BUILD)/fuzz/obj,$(fuzz_COMPILE)))
$(foreach t,$(UNIT_TESTS),$(eval $(call host_program,unit,$(t),$(BUILD)/unit/$(t))))
$(foreach f,$(FUZZERS),$(eval $(call host_program,fuzz,$(f),$(BUILD)/fuzz/$(notdir $(f)))))
-include $(sort $(HOST_DEPS))
unit: $(UNIT_PROGRAMS)
	@tests/run-unit $^
.PHONY: unit test-programs
# Everything that the stages of `make test` run.
test-programs: $(UNIT_PROGRAMS) $(FUZZ_PROGRAMS) $(PROBE) $(BUILD)/runtime-test.elf $(BUILD)/virtio_echo.elf guest native hosted-asan

# The same sources through another compiler: make objects CC=clang BUILD=build/clang
.PHONY: objects
objects: $(KERNEL_OBJS) $(call guest_objs,$(sort $(GUEST_SRCS) $(NATIVE_GUEST_SRCS) $(APEX_GUEST_SRCS))) $(GODWIT_OBJS) \
	$(call hosted_objs,hosted)

check: $(BUILD)/kernel.elf $(BUILD)/linux.elf
	@BUILD=$(BUILD) tests/check

# Stages of the whole test; each ends with its own count (BOOT_TESTS come from the folders' build.mk).
test:
	@BUILD=$(BUILD) tests/run-all check unit $(BOOT_TESTS) fuzz-short system

clean:
	rm -rf $(BUILD)
