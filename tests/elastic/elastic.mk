# SPDX-License-Identifier: Apache-2.0
# The simulator of the elastic pool: the kernel's own allocator among simulated cores and requests.
ELASTICSIM := $(BUILD)/elasticsim
ELASTICSIM_SRCS := $(wildcard tests/elastic/*.c) kernel/core/elastic.c $(wildcard kernel/core/policy_*.c)
$(ELASTICSIM): $(ELASTICSIM_SRCS) $(wildcard tests/elastic/*.h) kernel/core/elastic.h abi/status.h
	@mkdir -p $(dir $@)
	$(CC) $(HOST_CFLAGS) -DGW_HOST_TEST -o $@ $(ELASTICSIM_SRCS) -lm
HOST_DEPS += $(ELASTICSIM).d

BOOT_TESTS += elastic-test
.PHONY: elastic-test bench-elastic
elastic-test: $(ELASTICSIM)
	$(ELASTICSIM) --short

# docs/elastic.svg: some three minutes.
bench-elastic: $(ELASTICSIM)
	@mkdir -p $(BUILD)/bench
	$(ELASTICSIM) --cores 8 >$(BUILD)/bench/elastic8.csv
	$(ELASTICSIM) --cores 32 >$(BUILD)/bench/elastic32.csv
	$(ELASTICSIM) --cores 128 --only exponential >$(BUILD)/bench/elastic128.csv
	tests/elastic/plot.py $(BUILD)/bench/elastic8.csv $(BUILD)/bench/elastic32.csv $(BUILD)/bench/elastic128.csv docs/elastic.svg

# In the machine: latency beside batch, in virtual time.
.PHONY: bench-partition
bench-partition: all $(BUILD)/kernel.elf $(PARTS)
	-tests/packages bench
	tests/bench/partition.py $(BUILD)
	tests/bench/moves.py $(BUILD)
	tests/bench/latency_tools.py
	tests/bench/elastic_redis.py
