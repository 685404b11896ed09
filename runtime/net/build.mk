# SPDX-License-Identifier: Apache-2.0
NET_SRCS := runtime/mem/pbuf.c $(wildcard runtime/net/*.c runtime/net/tcp/*.c)
GUEST_SRCS += $(filter runtime/net/%,$(NET_SRCS)) # pbuf.c: runtime/mem

NET_TESTS := $(patsubst %.c,%,$(wildcard runtime/net/test/*_test.c))
UNIT_TESTS += $(NET_TESTS)
$(foreach t,$(NET_TESTS),$(eval $(t)_SRCS := $(NET_SRCS) runtime/net/test/sim.c runtime/net/test/support.c))

bench-goodput: # goodput by loss and congestion control, in simulated time
	@mkdir -p $(BUILD)/bench
	@$(CC) -std=gnu11 -O2 -D_GNU_SOURCE -I. -o $(BUILD)/bench/goodput $(NET_SRCS) runtime/net/test/goodput.c runtime/net/test/sim.c runtime/net/test/support.c
	@$(BUILD)/bench/goodput
.PHONY: bench-goodput

runtime/net/test/connections_test_SRCS += runtime/net/test/many.c
$(BUILD)/programs/connections: $(NET_SRCS) $(addprefix runtime/net/test/,connections.c many.c sim.c support.c) $(wildcard runtime/net/*.h runtime/net/tcp/*.h runtime/net/test/*.h)
	@mkdir -p $(dir $@)
	$(CC) -std=gnu11 -O2 -D_GNU_SOURCE -I. -o $@ $(filter %.c,$^)
bench-connections: $(BUILD)/programs/connections # a million connections: bytes of each
	@$<
.PHONY: bench-connections
