# SPDX-License-Identifier: Apache-2.0
# Tests that need a machine: guest programs, system tests, fuzzers, checks. Unit tests: see the top Makefile.
-include tests/fuzz/build.mk
-include tests/gate/gate.mk
-include tests/elastic/elastic.mk

GUEST_PROGRAMS := ports conf_files conf_memory conf_threads conf_sockets conf_ip6 conf_process bad forks xfer
GUEST_DYNAMIC := $(GUEST_PROGRAMS:%=$(BUILD)/programs/%)
GUEST_STATIC := $(GUEST_PROGRAMS:%=$(BUILD)/programs/%.static) $(BUILD)/programs/hello.static $(BUILD)/programs/hello.musl
GUEST_TEST_CFLAGS := -std=gnu11 -O1 -g -Wall -Wextra -Wno-stringop-overflow -Wno-stringop-overread -Wno-infinite-recursion -I.

$(BUILD)/programs/%.static: tests/guest/%.c tests/unit.h
	@mkdir -p $(dir $@)
	$(CC) $(GUEST_TEST_CFLAGS) -static -o $@ $< -pthread
$(BUILD)/programs/%.musl: tests/guest/%.c tests/unit.h
	@mkdir -p $(dir $@)
	musl-gcc -std=gnu11 -O1 -static -o $@ $<
$(BUILD)/programs/%: tests/guest/%.c tests/unit.h
	@mkdir -p $(dir $@)
	$(CC) $(GUEST_TEST_CFLAGS) -o $@ $< -pthread

# The smallest program there is, for a first look: the README boots it.
all: $(BUILD)/programs/hello.static

.PHONY: guest system
guest: $(GUEST_DYNAMIC) $(GUEST_STATIC)
system: all guest native hosted-asan
	tests/system/run.py $(ONLY)

# The load generator over loopback: against servers that stall, lie and break, and beside other tools.
BOOT_TESTS += load-test
.PHONY: load-test
load-test: $(BUILD)/godwit-load
	tests/load/run $(BUILD)/godwit-load $(ONLY)

# Fuzz targets: FUZZERS lists them (the top Makefile builds them). `make fuzz` runs each for FUZZ_SECONDS, two at a time.
FUZZ_SECONDS ?= 600
.PHONY: fuzz fuzz-short
fuzz: $$(FUZZ_PROGRAMS)
	tests/fuzz/run $(FUZZ_SECONDS) $^
fuzz-short: $$(FUZZ_PROGRAMS)
	tests/fuzz/run 10 $^

# Every figure of README and docs/measurements.md, beside a Linux guest and natively: build/bench/report.md and report.svg.
# make bench PART=size,latency ARGS='--rounds 3'. Debian packages that are missing are installed where that is allowed.
BOOT_TESTS += bench-test
.PHONY: bench bench-test
bench-test: all
	tests/bench/selftest.py 2>/dev/null
bench: all $(BUILD)/programs/hello.static
	-tests/packages bench
	tests/bench/bench.py $(if $(PART),--only $(PART)) $(ARGS)

# make bench-net: native servers beside kernel sockets, nginx and haproxy, over veth and tap: build/bench/net.md
BENCH_NET := $(addprefix $(BUILD)/programs/net_,epoll uring bulk)
$(BENCH_NET): $(BUILD)/programs/%: tests/bench/%.c tests/bench/net_common.h
	@mkdir -p $(dir $@)
	$(CC) $(HOST_CFLAGS) -o $@ $< $(if $(findstring uring,$@),-luring)
.PHONY: bench-net bench-net-programs
bench-net-programs: native $(BENCH_NET) $(BUILD)/programs/connections
bench-net: bench-net-programs
	-tests/packages benchnet
	tests/bench/netbench.py $(if $(PART),--only $(PART)) $(ARGS)
