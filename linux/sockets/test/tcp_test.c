/* SPDX-License-Identifier: Apache-2.0 */
/* tcp_test.c - TCP sockets over the real stack's loopback, on one shard and on two. */
#include <errno.h>
#include <stdlib.h>
#include "linux/sockets/abi.h"
#include "linux/sockets/sockets.h"
#include "runtime/netglue/trace.h"
#include "linux/sockets/test/support.h"
#include "tests/unit.h"

#define LOOPBACK 0x0100007fu
static char buf[1 << 20], out[1 << 20];

static struct sockaddr_in4 address(unsigned port)
{
	return (struct sockaddr_in4){
		.family = AF_INET,
		.ip4 = LOOPBACK,
		.port_be = (uint16_t)(port << 8 | (port >> 8 & 0xff)),
	};
}

static int tcp(void)
{
	return (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
}

static int listener(unsigned port)
{
	struct sockaddr_in4 a = address(port);
	int fd = tcp(), one = 1;

	CHECK(fd >= 0);
	CHECK_EQ(SYS(setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, PTR(&one), 4), 0);
	CHECK_EQ(SYS(bind, fd, PTR(&a), sizeof(a)), 0);
	CHECK_EQ(SYS(listen, fd, 128), 0);
	return fd;
}

static int connect_to(unsigned port)
{
	struct sockaddr_in4 a = address(port);
	int fd = tcp();

	CHECK_EQ(SYS(connect, fd, PTR(&a), sizeof(a)), 0);
	return fd;
}

static void pair(int l, unsigned port, int *c, int *s)
{
	*c = connect_to(port);
	*s = (int)SYS(accept4, l, 0, 0, 0);
	CHECK(*s >= 0);
}

static int get_int(int fd, int level, int opt)
{
	int value = -12345;
	uint32_t len = sizeof(value);

	CHECK_EQ(SYS(getsockopt, fd, level, opt, PTR(&value), PTR(&len)), 0);
	return value;
}

TEST(echo)
{
	struct sockaddr_in4 name = { 0 };
	uint32_t len = sizeof(name);
	uint64_t conns, in, sent;
	int l, c, s;

	machine_start(1);
	l = listener(6379);
	CHECK_EQ(machine_poll(l) & POLLIN, 0);
	c = connect_to(6379);
	CHECK(machine_poll(l) & POLLIN);
	s = (int)SYS(accept, l, PTR(&name), PTR(&len));
	CHECK(s >= 0);
	CHECK_EQ(name.ip4, LOOPBACK);
	CHECK_EQ(len, 16);
	CHECK_EQ(machine_poll(s) & (POLLIN | POLLOUT), POLLOUT);
	CHECK_EQ(t_write(c, "PING\r\n", 6), 6);
	machine_run(2);
	CHECK(machine_poll(s) & POLLIN);
	CHECK_EQ(t_read(s, buf, 100), 6);
	CHECK_EQ(memcmp(buf, "PING\r\n", 6), 0);
	CHECK_EQ(t_write(s, "+PONG\r\n", 7), 7);
	CHECK_EQ(histogram_count(&machine_latency[LATENCY_SOCKET_RECV].h), 0);
	CHECK_EQ(t_read(c, buf, 100), 7); /* waits */
	CHECK_EQ(histogram_count(&machine_latency[LATENCY_SOCKET_RECV].h), 1);
	t_nonblock(c, true);
	CHECK_EQ(t_read(c, buf, 100), -EAGAIN);
	CHECK_EQ(histogram_count(&machine_latency[LATENCY_SOCKET_RECV].h), 1);
	CHECK_EQ(histogram_count(&machine_latency[LATENCY_SOCKET_SEND].h), 1); /* connect */
	CHECK_EQ(memcmp(buf, "+PONG\r\n", 7), 0);
	len = sizeof(name);
	CHECK_EQ(SYS(getpeername, c, PTR(&name), PTR(&len)), 0);
	CHECK_EQ(name.port_be, 0xeb18); /* 6379 */
	sockets_stats(&conns, &in, &sent);
	CHECK_EQ(conns, 2); /* one opened, one accepted */
	machine_stop();
}

/* A request's points, in the order in which they come. */
TEST(traced_request)
{
	static const enum gw_trace order[] = { GW_TRACE_QUEUED, GW_TRACE_WOKEN,	   GW_TRACE_READY,
					       GW_TRACE_READ,	GW_TRACE_READ_END, GW_TRACE_WRITE };
	struct trace_sample *first;
	uint64_t last = 0;
	int l, c, s;

	trace_every = 1;
	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	CHECK(machine_traced == NULL); /* connecting is no request */
	CHECK_EQ(t_write(c, "ask", 3), 3);
	machine_run(2);
	first = machine_traced;
	CHECK(first != NULL && first->active);
	if (first == NULL)
		return;
	CHECK_EQ(t_write(c, "more", 4), 4); /* the same request yet */
	machine_run(2);
	CHECK(machine_traced == first);
	CHECK(machine_poll(s) & POLLIN);
	CHECK_EQ(t_write(s, "early", 0), 0);
	CHECK_EQ(machine_replies, 0);
	CHECK_EQ(t_read(s, buf, 3), 3);
	machine_run(1);
	CHECK_EQ(t_read(s, buf, 100), 4);
	CHECK_EQ(t_write(s, "answer", 6), 6);
	CHECK_EQ(t_write(s, "answer", 6), 6);
	CHECK_EQ(machine_replies, 1);
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		CHECK(first->at[order[i]] != 0 && first->at[order[i]] >= last);
		last = first->at[order[i]];
	}
	CHECK(first->at[GW_TRACE_READ_END] > first->at[GW_TRACE_READ]); /* the second read's end */
	first->at[GW_TRACE_RING] = 1000;
	for (unsigned i = 1; i < GW_TRACE_POINTS; i++)
		first->at[i] = i == GW_TRACE_RUN ? 0 : 1000 + i;
	first->remote = (struct net_endpoint){ .family = 4, .port = 4000, .ip4 = 0x0200000a };
	sockets_trace_report();
	CHECK_STR(machine_line, "trace 0 1 10.0.0.2:4000 80 1000 1 2 3 - 5 6 7 8 9 10");
	first->remote =
		(struct net_endpoint){ .family = 6, .port = 4000, .ip6 = { 0xfd, [15] = 1 } };
	sockets_trace_report();
	CHECK_STR(machine_line, "trace 0 1 [fd00::1]:4000 80 1000 1 2 3 - 5 6 7 8 9 10");
	machine_run(2);
	first->active = 0; /* it has left */
	CHECK_EQ(t_read(c, buf, 6), 6);
	CHECK_EQ(t_write(c, "next", 4), 4);
	machine_run(2);
	CHECK(first->active);
	CHECK_EQ(first->at[GW_TRACE_READ], 0);
	t_close(s);
	CHECK_EQ(machine_given_up, 1);
	t_close(c);
	machine_run(200);
	machine_stop(); /* nothing is left over */
	trace_every = 0;
}

TEST(shutdown_and_epipe)
{
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	CHECK_EQ(t_write(c, "x", 1), 1);
	CHECK_EQ(SYS(shutdown, c, SHUT_WR), 0);
	machine_run(5);
	CHECK_EQ(machine_poll(s) & (POLLIN | POLLRDHUP | POLLHUP), POLLIN | POLLRDHUP);
	CHECK_EQ(t_read(s, buf, 10), 1);
	CHECK_EQ(t_read(s, buf, 10), 0);
	CHECK_EQ(t_write(c, "y", 1), -EPIPE);
	CHECK_EQ(machine_signals, 1);
	CHECK_EQ(SYS(sendto, c, PTR(buf), 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
	CHECK_EQ(machine_signals, 1);
	CHECK_EQ(t_write(s, "zz", 2), 2);
	CHECK_EQ(t_read(c, buf, 10), 2);
	CHECK_EQ(t_close(s), 0);
	CHECK_EQ(t_read(c, buf, 10), 0);
	CHECK(machine_poll(c) & POLLHUP);
	machine_stop();
}

TEST(reset_by_close_with_unread_data)
{
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	CHECK_EQ(t_write(c, "unread", 6), 6);
	machine_run(5);
	t_close(s);
	machine_run(5);
	CHECK(machine_poll(c) & POLLERR);
	CHECK_EQ(t_read(c, buf, 10), -ECONNRESET);
	CHECK_EQ(t_read(c, buf, 10), 0);
	CHECK_EQ(t_write(c, "x", 1), -EPIPE);
	machine_stop();
}

TEST(connect_refused)
{
	struct sockaddr_in4 a = address(4444);
	int c;

	machine_start(1);
	c = tcp();
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -ECONNREFUSED);
	t_nonblock(c, true);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -EINPROGRESS);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -EALREADY);
	machine_watch(c, true);
	machine_run(5);
	CHECK(machine_notified & POLLERR);
	machine_watch(c, false);
	CHECK(machine_poll(c) & POLLERR);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_ERROR), 0);
	machine_stop();
}

TEST(connect_nonblocking)
{
	struct sockaddr_in4 a = address(80);
	int c;

	machine_start(1);
	(void)listener(80);
	c = (int)SYS(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -EINPROGRESS);
	CHECK_EQ(machine_poll(c) & POLLOUT, 0);
	machine_run(3);
	CHECK(machine_poll(c) & POLLOUT);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_ERROR), 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -EISCONN);
	CHECK_EQ(t_read(c, buf, 1), -EAGAIN);
	machine_stop();
}

TEST(connect_interrupted)
{
	struct sockaddr_in4 a = address(80);
	int c;

	machine_start(1);
	(void)listener(80);
	c = tcp();
	machine_net_stop(true);
	machine_thread.work = WORK_SIGNAL;
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -ERESTARTSYS);
	machine_thread.work = 0;
	machine_net_stop(false);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), 0);
	machine_stop();
}

TEST(timeouts)
{
	struct timeval64 tv = { 0, 50000 };
	uint64_t before;
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	CHECK_EQ(SYS(setsockopt, s, SOL_SOCKET, SO_RCVTIMEO, PTR(&tv), sizeof(tv)), 0);
	before = clock_now();
	CHECK_EQ(t_read(s, buf, 1), -EAGAIN);
	CHECK_EQ((clock_now() - before) / NS_PER_MS, 50);
	CHECK_EQ(SYS(recvfrom, c, PTR(buf), 1, MSG_DONTWAIT, 0, 0), -EAGAIN);
	machine_thread.work = WORK_SIGNAL;
	CHECK_EQ(t_read(s, buf, 1), -EINTR);
	CHECK_EQ(t_read(c, buf, 1), -ERESTARTSYS);
	machine_thread.work = 0;
	machine_stop();
}

static int feed_fd;
static unsigned feed_left;
static void feed(void)
{
	if (feed_left > 0) {
		feed_left--;
		CHECK_EQ(t_write(feed_fd, "0123456789", 10), 10);
	}
}

TEST(peek_waitall_trunc)
{
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	CHECK_EQ(t_write(c, "abcdef", 6), 6);
	machine_run(3);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 4, MSG_PEEK, 0, 0), 4);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 100, MSG_PEEK, 0, 0), 6);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 2, MSG_TRUNC, 0, 0), 2);
	CHECK_EQ(t_read(s, buf, 100), 4);
	CHECK_EQ(memcmp(buf, "cdef", 4), 0);
	feed_fd = c;
	feed_left = 5;
	machine_idle = feed;
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 45, MSG_WAITALL, 0, 0), 45);
	CHECK_EQ(memcmp(buf + 38, "8901234", 7), 0);
	machine_idle = NULL;
	CHECK_EQ(t_read(s, buf, 100), 5);
	machine_stop();
}

TEST(pages_that_are_absent)
{
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	for (int i = 0; i < 5000; i++)
		out[i] = (char)(i * 7);
	machine_absent = PTR(out + 2100);
	CHECK_EQ(t_write(c, out, 5000), 5000);
	CHECK_EQ(machine_faults, 1);
	machine_run(5);
	machine_absent = PTR(buf);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 5000, MSG_WAITALL, 0, 0), 5000);
	CHECK_EQ(machine_faults, 2);
	CHECK_EQ(memcmp(buf, out, 5000), 0);
	machine_stop();
}

static int drain_fd;
static size_t drained;
static void drain(void)
{
	t_nonblock(drain_fd, true);
	for (;;) {
		long n = t_read(drain_fd, buf + drained, sizeof(buf) - drained);

		if (n <= 0)
			break;
		drained += (size_t)n;
	}
}

TEST(large_blocking_write)
{
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i ^ i >> 9);
	drain_fd = s;
	drained = 0;
	machine_idle = drain;
	CHECK_EQ(t_write(c, out, sizeof(out)), (long)sizeof(out));
	for (int i = 0; i < 50; i++) {
		machine_run(1);
		drain();
	}
	machine_idle = NULL;
	CHECK_EQ(drained, sizeof(out));
	CHECK_EQ(memcmp(buf, out, sizeof(out)), 0);
	machine_stop();
}

TEST(full_then_writable)
{
	long n, total = 0;
	int l, c, s;

	machine_start(1);
	l = listener(80);
	pair(l, 80, &c, &s);
	t_nonblock(c, true);
	while ((n = t_write(c, out, 10000)) > 0) {
		total += n;
		machine_run(2);
	}
	CHECK_EQ(n, -EAGAIN);
	CHECK_EQ(machine_poll(c) & POLLOUT, 0);
	machine_watch(c, true);
	machine_notified = 0;
	drain_fd = s;
	for (int i = 0; i < 100; i++) {
		drained = 0;
		drain();
		machine_run(1);
	}
	CHECK(machine_notified & POLLOUT);
	CHECK(machine_poll(c) & POLLOUT);
	machine_watch(c, false);
	machine_stop();
}

TEST(ports)
{
	struct sockaddr_in4 a = address(80), none = address(0), other = address(81);
	uint32_t len = sizeof(a);
	int l, b, one = 1, x, y;

	machine_start(1);
	l = listener(80);
	b = tcp();
	CHECK_EQ(SYS(bind, b, PTR(&a), sizeof(a)), -EADDRINUSE);
	CHECK_EQ(SYS(setsockopt, b, SOL_SOCKET, SO_REUSEADDR, PTR(&one), 4), 0);
	CHECK_EQ(SYS(bind, b, PTR(&a), sizeof(a)), -EADDRINUSE); /* l listens */
	CHECK_EQ(SYS(bind, b, PTR(&none), sizeof(a)), 0);
	CHECK_EQ(SYS(getsockname, b, PTR(&a), PTR(&len)), 0);
	CHECK(a.port_be != 0);
	CHECK_EQ(SYS(bind, b, PTR(&none), sizeof(a)), -EINVAL);
	a.ip4 = 0x08080808;
	b = tcp();
	CHECK_EQ(SYS(bind, b, PTR(&a), sizeof(a)), -EADDRNOTAVAIL);
	CHECK_EQ(SYS(bind, b, PTR(&a), 8), -EINVAL);
	t_close(l);
	l = listener(80);
	CHECK(l >= 0);
	x = tcp();
	y = tcp();
	CHECK_EQ(SYS(setsockopt, x, SOL_SOCKET, SO_REUSEPORT, PTR(&one), 4), 0);
	CHECK_EQ(SYS(setsockopt, y, SOL_SOCKET, SO_REUSEPORT, PTR(&one), 4), 0);
	CHECK_EQ(SYS(bind, x, PTR(&other), sizeof(other)), 0);
	CHECK_EQ(SYS(bind, y, PTR(&other), sizeof(other)), 0);
	CHECK_EQ(SYS(listen, x, 5), 0);
	CHECK_EQ(SYS(listen, y, 5), 0);
	(void)connect_to(81);
	(void)connect_to(81);
	CHECK(machine_poll(x) & POLLIN);
	CHECK(machine_poll(y) & POLLIN);
	CHECK_EQ(SYS(socket, AF_NETLINK, SOCK_STREAM, 0), -EAFNOSUPPORT);
	CHECK_EQ(SYS(accept, b, 0, 0), -EINVAL);
	CHECK_EQ(t_read(b, buf, 1), -ENOTCONN);
	CHECK_EQ(SYS(getpeername, b, PTR(&a), PTR(&len)), -ENOTCONN);
	machine_stop();
}

TEST(options)
{
	struct tcp_info64 info;
	int32_t linger[2] = { 1, 0 };
	uint32_t len = sizeof(info);
	int l, c, s, v;

	machine_start(1);
	l = listener(80);
	v = 1;
	CHECK_EQ(SYS(setsockopt, l, SOL_TCP, TCP_NODELAY, PTR(&v), 4), 0);
	pair(l, 80, &c, &s);
	CHECK_EQ(get_int(s, SOL_TCP, TCP_NODELAY), 1); /* inherited */
	CHECK_EQ(get_int(c, SOL_TCP, TCP_NODELAY), 0);
	v = 100000;
	CHECK_EQ(SYS(setsockopt, c, SOL_SOCKET, SO_SNDBUF, PTR(&v), 4), 0);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_SNDBUF), 200000);
	v = 300;
	CHECK_EQ(SYS(setsockopt, c, SOL_TCP, TCP_KEEPIDLE, PTR(&v), 4), 0);
	CHECK_EQ(get_int(c, SOL_TCP, TCP_KEEPIDLE), 300);
	v = 0;
	CHECK_EQ(SYS(setsockopt, c, SOL_TCP, TCP_KEEPIDLE, PTR(&v), 4), -EINVAL);
	CHECK_EQ(SYS(setsockopt, c, SOL_TCP, 99, PTR(&v), 4), -ENOPROTOOPT);
	CHECK_EQ(SYS(setsockopt, c, SOL_TCP, TCP_NODELAY, PTR(&v), 2), -EINVAL);
	CHECK_EQ(get_int(l, SOL_SOCKET, SO_ACCEPTCONN), 1);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_ACCEPTCONN), 0);
	CHECK_EQ(get_int(c, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	CHECK_EQ(SYS(getsockopt, c, SOL_TCP, TCP_INFO, PTR(&info), PTR(&len)), 0);
	CHECK_EQ(info.state, 1);
	CHECK(info.snd_mss > 500);
	CHECK_EQ(SYS(setsockopt, c, SOL_SOCKET, SO_LINGER, PTR(linger), 8), 0);
	t_close(c);
	machine_run(3);
	CHECK_EQ(t_read(s, buf, 1), -ECONNRESET); /* linger 0 resets */
	machine_stop();
}

TEST(listener_closes_with_connections_waiting)
{
	int l, c;

	machine_start(1);
	l = listener(80);
	c = connect_to(80);
	t_close(l);
	machine_run(3);
	CHECK_EQ(t_read(c, buf, 1), -ECONNRESET);
	machine_stop();
}

TEST(no_descriptor_leaves_the_connection_waiting)
{
	static int fds[600];
	int l, n = 0;

	machine_start(1);
	l = listener(80);
	(void)connect_to(80);
	while ((fds[n] = tcp()) >= 0)
		n++;
	CHECK_EQ(fds[n], -EMFILE);
	CHECK_EQ(SYS(accept, l, 0, 0), -EMFILE);
	t_close(fds[0]);
	CHECK_EQ(SYS(accept, l, 0, 0), fds[0]);
	machine_stop();
}

/* ---- two shards ---- */
TEST(moves_to_the_user)
{
	int l, c, s;

	machine_start(2);
	l = listener(80);
	pair(l, 80, &c, &s); /* both ends on shard 0 */
	machine_on(1);
	CHECK_EQ(t_write(c, "hello", 5), 5); /* moves to 1 */
	machine_run(3);
	machine_on(0);
	CHECK(machine_poll(s) & POLLIN);
	CHECK_EQ(t_read(s, buf, 10), 5);
	CHECK_EQ(t_write(s, "world!", 6), 6);
	machine_run(3);
	CHECK(machine_poll(c) & POLLIN); /* asked from away */
	machine_on(1);
	CHECK_EQ(t_read(c, buf, 10), 6);
	CHECK_EQ(memcmp(buf, "world!", 6), 0);
	t_close(c);
	machine_on(0);
	machine_run(3);
	CHECK_EQ(t_read(s, buf, 10), 0);
	machine_stop();
}

TEST(two_users)
{
	int l, c, s;

	machine_start(2);
	l = listener(80);
	pair(l, 80, &c, &s);
	for (unsigned i = 0; i < 400; i++) {
		char ch = (char)i;

		machine_on(i & 1);
		CHECK_EQ(t_write(c, &ch, 1), 1);
		machine_on(i >> 1 & 1);
		CHECK_EQ(t_read(s, buf, 1), 1);
		CHECK_EQ(buf[0], ch);
	}
	machine_stop();
}

TEST(accepts_from_every_shard)
{
	int l, c[4], s;

	machine_start(2);
	l = listener(80);
	for (int i = 0; i < 4; i++) {
		machine_on((uint32_t)i & 1);
		c[i] = connect_to(80);
		CHECK_EQ(t_write(c[i], "q", 1), 1);
	}
	for (int i = 0; i < 4; i++) {
		machine_on((uint32_t)i >> 1);
		s = (int)SYS(accept, l, 0, 0);
		CHECK(s >= 0);
		CHECK_EQ(t_read(s, buf, 4), 1);
		CHECK_EQ(t_write(s, "r", 1), 1);
	}
	for (int i = 0; i < 4; i++)
		CHECK_EQ(t_read(c[i], buf, 4), 1);
	machine_on(1);
	t_close(l);
	machine_on(0);
	l = listener(80); /* the port is free on both */
	CHECK(l >= 0);
	machine_stop();
}

/* The device hands an ARP answer to one shard; the one that asked must hear of it. */
TEST(neighbour_answers_reach_the_shard_that_asked)
{
	struct sockaddr_in4 a = address(80);
	int c;

	machine_start(2);
	a.ip4 = 0x0900000a; /* 10.0.0.9 */
	machine_on(1);
	c = (int)SYS(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), -EINPROGRESS);
	machine_run(10);
	CHECK_EQ(machine_sent[1], 1); /* the SYN */
	machine_stop();
}

UNIT_MAIN(CASE(echo), CASE(traced_request), CASE(shutdown_and_epipe),
	  CASE(reset_by_close_with_unread_data), CASE(connect_refused), CASE(connect_nonblocking),
	  CASE(connect_interrupted), CASE(timeouts), CASE(peek_waitall_trunc),
	  CASE(pages_that_are_absent), CASE(large_blocking_write), CASE(full_then_writable),
	  CASE(ports), CASE(options), CASE(listener_closes_with_connections_waiting),
	  CASE(no_descriptor_leaves_the_connection_waiting), CASE(moves_to_the_user),
	  CASE(two_users), CASE(accepts_from_every_shard),
	  CASE(neighbour_answers_reach_the_shard_that_asked))
