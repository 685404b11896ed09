# SPDX-License-Identifier: Apache-2.0
# Tests of the sockets (linux/build.mk takes the sources).
SOCKETS_SRCS := $(addprefix linux/sockets/,socket.c syscalls.c msg.c name.c options.c ifconf.c tcp.c tcp_io.c \
	tcp_move.c tcp_listen.c tcp_port.c tcp_option.c tcp_trace.c udp.c udp_io.c unix.c unix_io.c unix_name.c)

SOCKETS_TEST_SRCS := $(SOCKETS_SRCS) linux/sockets/test/support.c runtime/mem/pbuf.c runtime/base/histogram.c \
	runtime/base/inet.c $(wildcard runtime/net/*.c runtime/net/tcp/*.c)
UNIT_TESTS += linux/sockets/test/tcp_test linux/sockets/test/local_test
linux/sockets/test/tcp_test_SRCS := $(SOCKETS_TEST_SRCS)
linux/sockets/test/local_test_SRCS := $(SOCKETS_TEST_SRCS)
UNIT_TESTS += linux/sockets/test/ip6_test
linux/sockets/test/ip6_test_SRCS := $(SOCKETS_TEST_SRCS)
