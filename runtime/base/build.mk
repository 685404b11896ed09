# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += runtime/base/str.c runtime/base/fmt.c runtime/base/crc32c.c runtime/base/random.c \
	runtime/base/histogram.c runtime/base/histogram_code.c runtime/base/inet.c

UNIT_TESTS += runtime/base/test/base_test runtime/base/test/str_test
runtime/base/test/base_test_SRCS := runtime/base/fmt.c runtime/base/str.c runtime/base/crc32c.c \
	runtime/base/random.c
# str.c as the guest compiles it
runtime/base/test/str_test_SRCS := $(BUILD)/unit/runtime/base/test/str_ours.o
$(BUILD)/unit/runtime/base/test/str_ours.o: runtime/base/test/str_ours.c runtime/base/str.c
	@mkdir -p $(dir $@)
	$(CC) $(COMMON) -O2 -ffreestanding -mgeneral-regs-only -fsanitize=address $(NO_LOOP_CALLS) -c -o $@ $<

UNIT_TESTS += runtime/base/test/histogram_test
runtime/base/test/histogram_test_SRCS := runtime/base/histogram.c runtime/base/histogram_code.c
runtime/base/test/histogram_test_LIBS := -lm

# What recording costs on this machine, beside a plain counter.
.PHONY: bench-histogram
bench-histogram: $(BUILD)/host/bench-histogram
	$<
$(BUILD)/host/bench-histogram: runtime/base/test/histogram_bench.c runtime/base/histogram.c
	@mkdir -p $(dir $@)
	$(CC) $(HOST_CFLAGS) -MF $@.d -o $@ $^
-include $(BUILD)/host/bench-histogram.d

UNIT_TESTS += runtime/base/test/inet_test
runtime/base/test/inet_test_SRCS := runtime/base/inet.c runtime/base/fmt.c runtime/base/str.c runtime/base/str.c
