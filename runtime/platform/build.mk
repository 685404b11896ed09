# SPDX-License-Identifier: Apache-2.0
# PLATFORM_SRCS: every Godwit partition program; steps.c: those with devices and a personality.
PLATFORM_SRCS := $(addprefix runtime/platform/godwit/,start.S main.c calls.c log.c) runtime/platform/config.c
GUEST_SRCS += $(PLATFORM_SRCS) $(addprefix runtime/platform/godwit/,steps.c port.c)

# The boot test: the runtime without devices, a test personality and its program (make runtime-test).
RT_TEST := runtime/platform/test/boot
RT_TEST_SRCS = $(filter runtime/base/% runtime/mem/% runtime/sched/% runtime/metric/metric.c,$(GUEST_SRCS)) $(PLATFORM_SRCS) \
	$(RT_TEST)/personality.c $(RT_TEST)/image.S

$(BUILD)/guest/$(RT_TEST)/program.bin: $(RT_TEST)/program.c $(RT_TEST)/program.ld $(RT_TEST)/calls.h
	@mkdir -p $(dir $@)
	$(CC) $(COMMON) -O2 -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-stack-protector -mfsgsbase \
		-fno-asynchronous-unwind-tables -Wl,-T,$(RT_TEST)/program.ld -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -MF $@.d -MT $@ -o $@.elf $<
	objcopy -O binary $@.elf $@
$(BUILD)/guest/$(RT_TEST)/image.S.o: $(BUILD)/guest/$(RT_TEST)/program.bin
$(BUILD)/guest/$(RT_TEST)/image.S.o: GUEST_CFLAGS += '-DPROGRAM_BIN="$(BUILD)/guest/$(RT_TEST)/program.bin"'
