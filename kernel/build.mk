# SPDX-License-Identifier: Apache-2.0
# The kernel: build/kernel.elf, linked twice, the second time with the names of its functions.
KERNEL_CFLAGS := $(COMMON) $(FREESTANDING) -O2 $(PACKED) -fPIE -fvisibility=hidden -fno-jump-tables -mcmodel=small
# gcc leaves its call graph and frame sizes beside the objects, for tests/kernel-stack
KERNEL_CFLAGS += $(if $(findstring clang,$(CC)),,-fcallgraph-info=su)
KERNEL_SRCS := $(wildcard kernel/core/*.c kernel/x86_64/*.c)
KERNEL_ASMS := $(wildcard kernel/x86_64/*.S)
KERNEL_OBJS := $(KERNEL_SRCS:%.c=$(BUILD)/%.o) $(KERNEL_ASMS:%.S=$(BUILD)/%.S.o)
KERNEL_LD := ld -static -pie --no-dynamic-linker -z max-page-size=4096 -z noexecstack --gc-sections \
	--build-id=none -z norelro --no-warn-rwx-segments -T kernel/x86_64/kernel.ld

all: $(BUILD)/kernel.elf

# What runs once at boot, after a failure, or in machines with elastic partitions only: small before fast.
KERNEL_COLD := $(addprefix core/,acpi elastic health log manifest pool range restart) \
	$(addprefix x86_64/,bootinfo cpu device iommu main partition pci smp symbols uart)
$(KERNEL_COLD:%=$(BUILD)/kernel/%.o): KERNEL_CFLAGS += -Oz

$(BUILD)/kernel/%.o: kernel/%.c Makefile kernel/build.mk
	@mkdir -p $(dir $@)
	$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

$(BUILD)/kernel/%.S.o: kernel/%.S
	@mkdir -p $(dir $@)
	$(CC) $(KERNEL_CFLAGS) -c -o $@ $<

$(BUILD)/kernel.elf: $(KERNEL_OBJS) kernel/x86_64/kernel.ld kernel/symbols
	$(KERNEL_LD) -o $@.first $(KERNEL_OBJS)
	kernel/symbols $@.first > $(BUILD)/kernel/symbols.S
	$(CC) -c -o $(BUILD)/kernel/symbols.S.o $(BUILD)/kernel/symbols.S
	$(KERNEL_LD) -o $@ $(KERNEL_OBJS) $(BUILD)/kernel/symbols.S.o
	@rm -f $@.first

-include $(KERNEL_OBJS:.o=.d)

# The probe: a partition program that tests the kernel (make boot-test).
PROBE := $(BUILD)/kernel/test/probe.elf
PROBE_OBJS := $(addprefix $(BUILD)/kernel/test/,probe.o probe_rng.o line.o probe.S.o)
$(PROBE_OBJS): KERNEL_CFLAGS := $(COMMON) $(FREESTANDING) -O2 -fPIE
$(PROBE): $(PROBE_OBJS) kernel/test/probe.ld
	$(CC) -nostdlib -static -Wl,--no-relax -Wl,-T,kernel/test/probe.ld -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -z noexecstack -o $@ $(PROBE_OBJS)
-include $(PROBE_OBJS:.o=.d)

# The same for machines of several partitions.
PARTS := $(BUILD)/kernel/test/parts.elf
PARTS_OBJS := $(addprefix $(BUILD)/kernel/test/,parts.o line.o elastic.o parts_dma.o parts_fault.o parts_fuzz.o parts_measure.o)
$(PARTS_OBJS): KERNEL_CFLAGS := $(COMMON) $(FREESTANDING) -O2 -fPIE
$(PARTS): $(PARTS_OBJS) kernel/test/probe.ld
	$(CC) -nostdlib -static -Wl,--no-relax -Wl,-T,kernel/test/probe.ld -Wl,-e,parts_entry -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -z noexecstack -o $@ $(PARTS_OBJS)
-include $(PARTS_OBJS:.o=.d)

BOOT_TESTS += boot-test
boot-test: $(BUILD)/kernel.elf $(PROBE) $(PARTS)
	tests/boot/kernel $(BUILD)
	tests/boot/colours $(BUILD)
.PHONY: boot-test

UNIT_TESTS += $(addprefix kernel/core/test/,range_test space_test manifest_test call_test acpi_test schedule_test port_test \
	health_test elastic_test pool_test pool_race_test log_test lib_test trace_test colour_test)
kernel/core/test/range_test_SRCS := kernel/core/range.c
kernel/core/test/space_test_SRCS := kernel/core/space.c
kernel/core/test/manifest_test_SRCS := kernel/core/manifest.c kernel/core/crc32c.c
kernel/core/test/call_test_SRCS := kernel/core/trace.c kernel/core/call.c kernel/core/port.c kernel/core/space_call.c kernel/core/space.c
kernel/core/test/acpi_test_SRCS := kernel/core/acpi.c
kernel/core/test/port_test_SRCS := kernel/core/port.c
kernel/core/test/trace_test_SRCS := kernel/core/trace.c
kernel/core/test/colour_test_SRCS := # abi/colour.h, abi/deal.h
kernel/core/test/log_test_SRCS := # it includes kernel/core/log.c
kernel/core/test/lib_test_SRCS := # and this one kernel/core/lib.c
ELASTIC_SRCS := $(addprefix kernel/core/,elastic.c policy_fixed.c policy_latency.c policy_batch.c)
kernel/core/test/schedule_test_SRCS := kernel/core/trace.c kernel/core/schedule.c kernel/core/pool.c $(ELASTIC_SRCS)
kernel/core/test/pool_test_SRCS := kernel/core/trace.c kernel/core/schedule.c kernel/core/pool.c $(ELASTIC_SRCS)
# pool_race_test includes kernel/core/elastic.c and pool.c
kernel/core/test/pool_race_test_SRCS := $(addprefix kernel/core/,trace.c schedule.c policy_fixed.c policy_latency.c policy_batch.c)
kernel/core/test/elastic_test_SRCS := $(ELASTIC_SRCS)
kernel/core/test/elastic_test_LIBS := -pthread
kernel/core/test/health_test_SRCS := kernel/core/trace.c kernel/core/health.c kernel/core/restart.c

# Path lengths in instructions: the table, and the comparison with it (a stage of `make test`).
paths: $(BUILD)/kernel.elf $(PARTS)
	tests/bench/paths.py $(BUILD)
paths-check: $(BUILD)/kernel.elf $(PARTS)
	tests/bench/paths.py --check $(BUILD)
# The same of moves of cores between partitions, on two cores, each counted by itself.
moves-check: $(BUILD)/kernel.elf $(PARTS)
	tests/bench/moves.py --check $(BUILD)
BOOT_TESTS += paths-check moves-check
.PHONY: paths paths-check moves-check

# What the unit tests of kernel/core reach: all of it (a stage of `make test`).
BOOT_TESTS += coverage
comma := ,
empty :=
space := $(empty) $(empty)
coverage:
	tests/coverage $(BUILD) kernel/core $(foreach t,$(filter kernel/core/%,$(UNIT_TESTS)),$(t)=$(subst $(space),$(comma),$(strip $($(t)_SRCS))))
.PHONY: coverage
