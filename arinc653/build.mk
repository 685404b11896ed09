# SPDX-License-Identifier: Apache-2.0
# ARINC 653 partitions: the services and the platform that every application is linked with.
APEX_SRCS := $(addprefix arinc653/,sched.c cores.c wait.c timer.c object.c partition.c process.c state.c time.c sampling.c queuing.c buffer.c \
	blackboard.c semaphore.c event.c mutex.c error.c config.c)

# Host tests: the services on simulated time. A name of the standard is 32 bytes; a shorter literal will do.
UNIT_TESTS += arinc653/test/apex_test
arinc653/test/apex_test_SRCS := $(APEX_SRCS) $(addprefix arinc653/test/,sim.c sim_support.c process_cases.c state_cases.c \
	time_cases.c objects_cases.c buffer_cases.c mutex_cases.c ports_cases.c error_cases.c partition_cases.c cores_cases.c)
arinc653/test/apex_test_CFLAGS := -Wno-stringop-overflow

# The same on cores that are threads, under the thread sanitizer.
APEX_THREADS := $(BUILD)/apex-threads
APEX_THREADS_SRCS := $(APEX_SRCS) $(addprefix arinc653/test/,threads.c stress.c)
$(APEX_THREADS): $(APEX_THREADS_SRCS) $(wildcard arinc653/*.h arinc653/test/*.h runtime/base/*.h) abi/apex_config.h
	@mkdir -p $(dir $@)
	$(CC) $(filter-out -MMD -MP,$(COMMON)) -O1 -D_GNU_SOURCE -DGW_HOST_TEST -Wno-stringop-overflow -fsanitize=thread -o $@ \
		$(APEX_THREADS_SRCS) -lpthread

# A partition program: $(call apex_program,APPLICATION SOURCES). The executive leaves the vector registers alone; the
# application may use them.
APEX_GUEST_SRCS := $(APEX_SRCS) $(addprefix arinc653/godwit/,entry.S plat.c start.c memory.c fpu.c) runtime/base/str.c runtime/base/fmt.c
APEX_LDSCRIPT := arinc653/godwit/apex.ld
APEX_APP_CFLAGS := $(COMMON) -O2 -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -fPIE -fvisibility=hidden \
	-Wno-stringop-overflow
apex_objs = $(patsubst %.c,$(BUILD)/apex/%.o,$(1))
$(BUILD)/apex/%.o: %.c
	@mkdir -p $(dir $@)
	$(CC) $(APEX_APP_CFLAGS) -c -o $@ $<
define apex_program
$$(call guest_objs,$$(APEX_GUEST_SRCS)) $$(call apex_objs,$(1)) $$(APEX_LDSCRIPT)
	$$(CC) -nostdlib -static -no-pie -Wl,--gc-sections -Wl,-T,$$(APEX_LDSCRIPT) -Wl,--build-id=none -Wl,-z,noexecstack \
		-Wl,-z,norelro -Wl,--no-warn-rwx-segments -Wl,-z,max-page-size=4096 -Wl,--no-relax -o $$@ \
		$$(call guest_objs,$$(APEX_GUEST_SRCS)) $$(call apex_objs,$(1)) -lgcc
endef

# Boot tests: one program, whose part is chosen by the partition's identifier.
APEX_BOOT_SRCS := $(addprefix arinc653/test/boot/,main.c talk.c faults.c sched.c restart.c cost.c cores.c)
$(eval $(BUILD)/apex-test.elf: $(call apex_program,$(APEX_BOOT_SRCS)))
-include $(patsubst %.o,%.d,$(call apex_objs,$(APEX_BOOT_SRCS)))
all: $(BUILD)/apex-test.elf # examples/arinc653.ini
BOOT_TESTS += apex-test
.PHONY: apex-test
apex-test: $(BUILD)/kernel.elf $(BUILD)/apex-test.elf $(PARTS) $(APEX_THREADS)
	timeout 120 $(APEX_THREADS)
	tests/boot/arinc653 $(BUILD)
