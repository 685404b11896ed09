# SPDX-License-Identifier: Apache-2.0
# The network stack whole, and the DHCP parser alone.
FUZZ_NET_SRCS := runtime/mem/pbuf.c $(wildcard runtime/net/*.c runtime/net/tcp/*.c) \
	runtime/net/test/sim.c runtime/net/test/support.c
FUZZERS += tests/fuzz/fuzz_net
tests/fuzz/fuzz_net_SRCS := $(FUZZ_NET_SRCS)
FUZZERS += tests/fuzz/fuzz_dhcp
tests/fuzz/fuzz_dhcp_SRCS := runtime/net/dhcp_msg.c
FUZZERS += tests/fuzz/fuzz_seq
tests/fuzz/fuzz_seq_SRCS := $(FUZZ_NET_SRCS)
FUZZERS += tests/fuzz/fuzz_ip6
tests/fuzz/fuzz_ip6_SRCS := $(FUZZ_NET_SRCS)
