/* SPDX-License-Identifier: Apache-2.0 */
/* ip6_test.c - IPv6 sockets over the real stack's loopback: IPv4-mapped addresses (RFC 3493 3.7),
 * listeners of both families, what Linux answers to bad names, options. */
#include <errno.h>
#include "linux/sockets/abi.h"
#include "linux/sockets/test/support.h"
#include "tests/unit.h"

static char buf[70000], out[70000];

static const uint8_t any[16],
	loop6[16] = { [15] = 1 }, mapped_loop[16] = { [10] = 0xff, 0xff, 127, 0, 0, 1 },
	mapped_any[16] = { [10] = 0xff, 0xff }, foreign[16] = { 0x20, 1, 0xd, 0xb8 },
	group[16] = { 0xff, 2, [15] = 1 }, link[16] = { 0xfe, 0x80, [15] = 9 };

static uint16_t be(unsigned port)
{
	return (uint16_t)(port << 8 | (port >> 8 & 0xff));
}

static struct sockaddr_in6 six(const uint8_t ip[16], unsigned port)
{
	struct sockaddr_in6 a = { .family = AF_INET6, .port_be = be(port) };

	memcpy(a.ip6, ip, 16);
	return a;
}

static struct sockaddr_in4 four(unsigned port)
{
	return (struct sockaddr_in4){ .family = AF_INET, .ip4 = 0x0100007f, .port_be = be(port) };
}

static int new6(int type)
{
	return (int)SYS(socket, AF_INET6, type, 0);
}

static long bind6(int fd, const uint8_t ip[16], unsigned port)
{
	struct sockaddr_in6 a = six(ip, port);

	return SYS(bind, fd, PTR(&a), sizeof(a));
}

static long connect6(int fd, const uint8_t ip[16], unsigned port)
{
	struct sockaddr_in6 a = six(ip, port);

	return SYS(connect, fd, PTR(&a), sizeof(a));
}

static long bind4(int fd, unsigned port)
{
	struct sockaddr_in4 a = four(port);

	a.ip4 = 0;
	return SYS(bind, fd, PTR(&a), sizeof(a));
}

static long connect4(int fd, unsigned port)
{
	struct sockaddr_in4 a = four(port);

	return SYS(connect, fd, PTR(&a), sizeof(a));
}

static long set(int fd, int level, int opt, int value)
{
	return SYS(setsockopt, fd, level, opt, PTR(&value), 4);
}

static int get(int fd, int level, int opt)
{
	int value = -12345;
	uint32_t len = sizeof(value);

	CHECK_EQ(SYS(getsockopt, fd, level, opt, PTR(&value), PTR(&len)), 0);
	return value;
}

static void expect_name(int fd, bool peer, const uint8_t ip[16], unsigned port)
{
	struct sockaddr_in6 a;
	uint32_t len = sizeof(a);

	memset(&a, 0xaa, sizeof(a));
	CHECK_EQ(peer ? SYS(getpeername, fd, PTR(&a), PTR(&len))
		      : SYS(getsockname, fd, PTR(&a), PTR(&len)),
		 0);
	CHECK_EQ(len, 28);
	CHECK_EQ(a.family, AF_INET6);
	CHECK_EQ(a.flow, 0);
	CHECK_EQ(a.scope, 0);
	CHECK_EQ(memcmp(a.ip6, ip, 16), 0);
	if (port != 0)
		CHECK_EQ(a.port_be, be(port));
}

/* Bytes both ways over an established pair. */
static void talk(int c, int s)
{
	CHECK_EQ(t_write(c, "ask", 3), 3);
	CHECK_EQ(t_read(s, buf, 10), 3);
	CHECK_EQ(t_write(s, "answer", 6), 6);
	CHECK_EQ(t_read(c, buf, 10), 6);
	CHECK_EQ(memcmp(buf, "answer", 6), 0);
}

TEST(making)
{
	machine_start(1);
	CHECK(new6(SOCK_STREAM) >= 0);
	CHECK(new6(SOCK_DGRAM | SOCK_NONBLOCK) >= 0);
	CHECK_EQ(SYS(socket, AF_INET6, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
	CHECK_EQ(SYS(socket, AF_INET6, SOCK_RAW, 58), -EPERM);
	CHECK_EQ(SYS(socket, AF_NETLINK, SOCK_RAW, 0), -EAFNOSUPPORT);
	machine_stop();
}

TEST(bad_names)
{
	struct sockaddr_in6 a = six(any, 80);
	struct sockaddr_in4 a4 = four(80);
	int s, u;

	machine_start(1);
	s = new6(SOCK_STREAM);
	u = new6(SOCK_DGRAM);
	for (int k = 0; k < 2; k++) {
		int fd = k ? u : s;

		CHECK_EQ(SYS(bind, fd, PTR(&a), 23), -EINVAL);
		CHECK_EQ(SYS(bind, fd, PTR(&a4), sizeof(a4)), -EINVAL);
		a.family = AF_INET;
		CHECK_EQ(SYS(bind, fd, PTR(&a), sizeof(a)), -EAFNOSUPPORT);
		a.family = AF_INET6;
		CHECK_EQ(bind6(fd, foreign, 80), -EADDRNOTAVAIL);
		CHECK_EQ(bind6(fd, link, 80), -EINVAL); /* no scope */
		a = six(link, 80);
		a.scope = 7;
		CHECK_EQ(SYS(bind, fd, PTR(&a), sizeof(a)), -ENODEV);
		a = six(any, 80);
		CHECK_EQ(SYS(connect, fd, PTR(&a), 23), -EINVAL);
	}
	CHECK_EQ(bind6(s, group, 80), -EINVAL);
	CHECK_EQ(SYS(connect, s, PTR(&a4), sizeof(a4)), -EINVAL);
	a.family = AF_INET;
	CHECK_EQ(SYS(connect, s, PTR(&a), sizeof(a)), -EAFNOSUPPORT);
	CHECK_EQ(connect6(s, group, 80), -ENETUNREACH);
	CHECK_EQ(connect6(s, foreign, 80), -ENETUNREACH);
	CHECK_EQ(connect6(u, foreign, 80), -ENETUNREACH); /* what getaddrinfo sorts by */
	s = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
	a = six(any, 80);
	CHECK_EQ(SYS(bind, s, PTR(&a), sizeof(a)), -EAFNOSUPPORT);
	CHECK_EQ(SYS(connect, s, PTR(&a), sizeof(a)), -EAFNOSUPPORT);
	machine_stop();
}

/* The short form of RFC 2133 is taken. */
TEST(short_name)
{
	struct sockaddr_in6 a = six(mapped_loop, 80);
	int s;

	machine_start(1);
	s = new6(SOCK_STREAM);
	CHECK_EQ(SYS(bind, s, PTR(&a), 24), 0);
	machine_stop();
}

TEST(mapped_stream)
{
	struct sockaddr_in6 peer;
	uint32_t len = sizeof(peer);
	int l, c, s, c4;

	machine_start(1);
	l = new6(SOCK_STREAM);
	expect_name(l, false, any, 0);
	CHECK_EQ(bind6(l, mapped_loop, 80), 0);
	CHECK_EQ(SYS(listen, l, 8), 0);
	CHECK_STR(machine_listens, ""); /* nobody outside reaches it */
	expect_name(l, false, mapped_loop, 80);
	c = new6(SOCK_STREAM);
	CHECK_EQ(connect6(c, mapped_loop, 80), 0);
	s = (int)SYS(accept, l, PTR(&peer), PTR(&len));
	CHECK(s >= 0);
	CHECK_EQ(len, 28);
	CHECK_EQ(peer.family, AF_INET6);
	CHECK_EQ(memcmp(peer.ip6, mapped_loop, 16), 0);
	expect_name(c, false, mapped_loop, 0);
	expect_name(c, true, mapped_loop, 80);
	expect_name(s, false, mapped_loop, 80);
	CHECK_EQ(get(s, SOL_SOCKET, SO_DOMAIN), AF_INET6);
	CHECK_EQ(get(s, SOL_IPV6, IPV6_V6ONLY), 0);
	talk(c, s);
	/* an IPv4 socket reaches it, too */
	c4 = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect4(c4, 80), 0);
	s = (int)SYS(accept, l, 0, 0);
	talk(c4, s);
	machine_stop();
}

TEST(v6only)
{
	int l, c;

	machine_start(1);
	l = new6(SOCK_STREAM);
	CHECK_EQ(get(l, SOL_IPV6, IPV6_V6ONLY), 0);
	CHECK_EQ(set(l, SOL_IPV6, IPV6_V6ONLY, 7), 0);
	CHECK_EQ(get(l, SOL_IPV6, IPV6_V6ONLY), 1);
	CHECK_EQ(bind6(l, mapped_loop, 80), -EINVAL);
	CHECK_EQ(bind6(l, any, 80), 0);
	CHECK_EQ(set(l, SOL_IPV6, IPV6_V6ONLY, 0), -EINVAL); /* too late */
	CHECK_EQ(SYS(listen, l, 8), 0);
	CHECK_STR(machine_listens, "tcp6 80");
	c = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect4(c, 80), -ECONNREFUSED);
	c = new6(SOCK_STREAM);
	CHECK_EQ(set(c, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(connect6(c, mapped_loop, 80), -ENETUNREACH);
	c = new6(SOCK_DGRAM);
	CHECK_EQ(set(c, SOL_IPV6, IPV6_V6ONLY, 1), 0);
	CHECK_EQ(connect6(c, mapped_loop, 80), -ENETUNREACH);
	c = new6(SOCK_STREAM); /* Linux: an address of its own makes it one, too */
	CHECK_EQ(bind6(c, loop6, 81), 0);
	CHECK_EQ(get(c, SOL_IPV6, IPV6_V6ONLY), 1);
	machine_stop();
}

static void dual_on(uint32_t n)
{
	int l, c, s, o;

	machine_start(n);
	l = new6(SOCK_STREAM);
	CHECK_EQ(bind6(l, any, 80), 0);
	CHECK_EQ(SYS(listen, l, 8), 0);
	CHECK_STR(machine_listens, "tcp 80");
	expect_name(l, false, any, 80);
	machine_on(n - 1);
	c = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect4(c, 80), 0);
	s = (int)SYS(accept, l, 0, 0);
	expect_name(s, false, mapped_loop, 80);
	talk(c, s);
	machine_on(0);
	talk(c, s); /* both moved, when there are two */
	c = new6(SOCK_STREAM);
	CHECK_EQ(connect6(c, loop6, 80), 0);
	s = (int)SYS(accept, l, 0, 0);
	expect_name(s, false, loop6, 80);
	expect_name(s, true, loop6, 0);
	expect_name(c, false, loop6, 0);
	talk(c, s);
	machine_on(n - 1);
	talk(c, s);
	c = new6(SOCK_STREAM); /* "any" is the loopback address */
	CHECK_EQ(connect6(c, any, 80), 0);
	expect_name(c, true, loop6, 80);
	/* closed, both are free again */
	t_close(l);
	machine_run(100);
	o = (int)SYS(socket, AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(set(o, SOL_SOCKET, SO_REUSEADDR, 1), 0);
	CHECK_EQ(bind4(o, 80), 0);
	CHECK_EQ(SYS(listen, o, 8), 0);
	machine_stop();
}

TEST(dual_listener)
{
	dual_on(1);
}

TEST(dual_listener_two_shards)
{
	dual_on(2);
}

/* As Linux has it (ipv6_rcv_saddr_equal): rows are what is there, columns what comes. */
TEST(conflicts)
{
	enum { V4_ANY, V4_LOOP, V6_DUAL, V6_ONLY, V6_LOOP, V6_MAPPED, V6_MAPPED_ANY, KINDS };
	static const uint8_t taken[KINDS][KINDS] = {
		[V4_ANY] = { 1, 1, 1, 0, 0, 1, 1 },	   [V4_LOOP] = { 1, 1, 1, 0, 0, 1, 1 },
		[V6_DUAL] = { 1, 1, 1, 1, 1, 1, 1 },	   [V6_ONLY] = { 0, 0, 1, 1, 1, 0, 0 },
		[V6_LOOP] = { 0, 0, 1, 1, 1, 0, 0 },	   [V6_MAPPED] = { 1, 1, 1, 0, 0, 1, 1 },
		[V6_MAPPED_ANY] = { 1, 1, 1, 0, 0, 1, 1 },
	};

	machine_start(1);
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		for (unsigned i = 0; i < KINDS * KINDS; i++) {
			unsigned kind[2] = { i / KINDS, i % KINDS };
			int fd[2];

			for (int k = 0; k < 2; k++) {
				struct sockaddr_in4 a4 = four(1000 + i);
				long r;

				fd[k] = kind[k] <= V4_LOOP ? (int)SYS(socket, AF_INET, type, 0)
							   : new6(type);
				if (kind[k] == V6_ONLY)
					CHECK_EQ(set(fd[k], SOL_IPV6, IPV6_V6ONLY, 1), 0);
				if (kind[k] <= V4_LOOP)
					r = kind[k] == V4_ANY
						    ? bind4(fd[k], 1000 + i)
						    : SYS(bind, fd[k], PTR(&a4), sizeof(a4));
				else
					r = bind6(fd[k],
						  kind[k] == V6_LOOP	     ? loop6
						  : kind[k] == V6_MAPPED     ? mapped_loop
						  : kind[k] == V6_MAPPED_ANY ? mapped_any
									     : any,
						  1000 + i);
				CHECK_EQ(r, k == 1 && taken[kind[0]][kind[1]] ? -EADDRINUSE : 0);
			}
			t_close(fd[0]);
			t_close(fd[1]);
		}
	}
	machine_stop();
}

TEST(bound_to_mapped_goes_nowhere_else)
{
	int c;

	machine_start(1);
	c = new6(SOCK_STREAM);
	CHECK_EQ(bind6(c, mapped_any, 0), 0);
	CHECK_EQ(connect6(c, loop6, 80), -EAFNOSUPPORT);
	CHECK_EQ(connect6(c, any, 80), -ECONNREFUSED); /* 127.0.0.1 */
	c = new6(SOCK_STREAM);
	CHECK_EQ(bind6(c, loop6, 0), 0);
	CHECK_EQ(connect6(c, mapped_loop, 80), -ENETUNREACH);
	machine_stop();
}

struct packet_info {
	struct cmsghdr64 h;
	struct in6_pktinfo64 info;
	uint32_t pad;
};

static void expect_info(int fd, const uint8_t ip[16], const uint8_t from[16])
{
	struct uio_segment to = { PTR(buf), 100 };
	struct packet_info got = { 0 };
	struct sockaddr_in6 name = { 0 };
	struct msghdr64 h = {
		.name = PTR(&name),
		.namelen = sizeof(name),
		.iov = PTR(&to),
		.iovlen = 1,
		.control = PTR(&got),
		.controllen = sizeof(got),
	};

	CHECK_EQ(SYS(recvmsg, fd, PTR(&h), 0), 5);
	CHECK_EQ(h.namelen, 28);
	CHECK_EQ(memcmp(name.ip6, from, 16), 0);
	CHECK_EQ(got.h.level, SOL_IPV6);
	CHECK_EQ(got.h.type, IPV6_PKTINFO);
	CHECK_EQ(got.h.len, 16 + 20);
	CHECK_EQ(memcmp(got.info.addr, ip, 16), 0);
	CHECK_EQ(got.info.ifindex, 1);
}

TEST(udp_dual)
{
	struct sockaddr_in6 to = six(mapped_loop, 53), from;
	struct sockaddr_in4 to4 = four(53);
	uint32_t len = sizeof(from);
	int s, c, c4;

	machine_start(2);
	s = new6(SOCK_DGRAM);
	CHECK_EQ(bind6(s, any, 53), 0);
	CHECK_STR(machine_listens, "udp 53");
	CHECK_EQ(set(s, SOL_IPV6, IPV6_RECVPKTINFO, 1), 0);
	c = new6(SOCK_DGRAM);
	memcpy(out, "query", 5);
	CHECK_EQ(SYS(sendto, c, PTR(out), 5, 0, PTR(&to), sizeof(to)), 5);
	expect_info(s, mapped_loop, mapped_loop);
	CHECK_EQ(SYS(sendto, c, PTR(out), 5, 0, PTR(&to4), sizeof(to4)), 5); /* an IPv4 name */
	expect_info(s, mapped_loop, mapped_loop);
	machine_on(1);
	to = six(loop6, 53);
	CHECK_EQ(SYS(sendto, c, PTR(out), 5, 0, PTR(&to), sizeof(to)), 5);
	expect_info(s, loop6, loop6);
	to = six(any, 53);
	CHECK_EQ(SYS(sendto, c, PTR(out), 5, 0, PTR(&to), sizeof(to)), 5);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 100, 0, PTR(&from), PTR(&len)), 5);
	CHECK_EQ(memcmp(from.ip6, loop6, 16), 0);
	CHECK_EQ(SYS(sendto, s, PTR(out), 2, 0, PTR(&from), len), 2);
	CHECK_EQ(t_read(c, buf, 10), 2);
	c4 = (int)SYS(socket, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ(connect4(c4, 53), 0);
	CHECK_EQ(t_write(c4, out, 5), 5);
	len = sizeof(from);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 100, 0, PTR(&from), PTR(&len)), 5);
	CHECK_EQ(memcmp(from.ip6, mapped_loop, 16), 0);
	CHECK_EQ(SYS(sendto, s, PTR(out), 3, 0, PTR(&from), len), 3);
	CHECK_EQ(t_read(c4, buf, 10), 3);
	machine_stop();
}

TEST(udp_connected)
{
	struct sockaddr_in6 from;
	uint32_t len = sizeof(from);
	int s, c, other;

	machine_start(1);
	s = new6(SOCK_DGRAM);
	CHECK_EQ(bind6(s, any, 53), 0);
	c = new6(SOCK_DGRAM);
	CHECK_EQ(connect6(c, loop6, 53), 0);
	expect_name(c, false, loop6, 0);
	expect_name(c, true, loop6, 53);
	for (int i = 0; i < 60000; i++)
		out[i] = (char)(i * 7);
	CHECK_EQ(t_write(c, out, 60000), 60000);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), sizeof(buf), 0, PTR(&from), PTR(&len)), 60000);
	CHECK_EQ(memcmp(buf, out, 60000), 0);
	/* connected to an IPv6 peer, it hears nothing from IPv4 */
	other = new6(SOCK_DGRAM);
	from.family = AF_INET6;
	memcpy(from.ip6, mapped_loop, 16);
	CHECK_EQ(SYS(sendto, other, PTR(out), 5, 0, PTR(&from), sizeof(from)), 5);
	machine_run(5);
	CHECK_EQ(machine_poll(c) & POLLIN, 0);
	/* nor the other way round */
	CHECK_EQ(connect6(c, mapped_loop, 53), 0);
	expect_name(c, false, mapped_loop, 0);
	memcpy(from.ip6, loop6, 16);
	CHECK_EQ(SYS(sendto, other, PTR(out), 5, 0, PTR(&from), sizeof(from)), 5);
	machine_run(5);
	CHECK_EQ(machine_poll(c) & POLLIN, 0);
	/* disconnected, from both */
	from.family = AF_UNSPEC;
	CHECK_EQ(SYS(connect, c, PTR(&from), sizeof(from)), 0);
	from.family = AF_INET6;
	CHECK_EQ(SYS(sendto, other, PTR(out), 5, 0, PTR(&from), sizeof(from)), 5);
	machine_run(5);
	CHECK(machine_poll(c) & POLLIN);
	CHECK_EQ(SYS(sendto, c, PTR(out), 65528, 0, PTR(&from), sizeof(from)), -EMSGSIZE);
	memcpy(from.ip6, mapped_loop, 16);
	CHECK_EQ(SYS(sendto, c, PTR(out), 65508, 0, PTR(&from), sizeof(from)), -EMSGSIZE);
	machine_stop();
}

TEST(options)
{
	static const struct {
		int opt, initial, value, after;
	} table[] = {
		{ IPV6_UNICAST_HOPS, 64, 5, 5 },  { IPV6_UNICAST_HOPS, 5, -1, 64 },
		{ IPV6_MULTICAST_HOPS, 1, 9, 9 }, { IPV6_MULTICAST_HOPS, 9, -1, 1 },
		{ IPV6_MULTICAST_LOOP, 1, 0, 0 }, { IPV6_MTU_DISCOVER, 1, 2, 2 },
		{ IPV6_RECVERR, 0, 3, 1 },	  { IPV6_RECVPKTINFO, 0, 1, 1 },
		{ IPV6_RECVHOPLIMIT, 0, 1, 1 },	  { IPV6_RECVTCLASS, 0, 1, 1 },
		{ IPV6_TCLASS, 0, 0x28, 0x28 },	  { IPV6_TCLASS, 0x28, -1, 0 },
		{ IPV6_AUTOFLOWLABEL, 1, 0, 0 },  { IPV6_DONTFRAG, 0, 1, 1 },
		{ IPV6_FREEBIND, 0, 1, 1 },
	};
	int s, four_only, value = 1;

	machine_start(1);
	s = new6(SOCK_DGRAM);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		CHECK_EQ(get(s, SOL_IPV6, table[i].opt), table[i].initial);
		CHECK_EQ(set(s, SOL_IPV6, table[i].opt, table[i].value), 0);
		CHECK_EQ(get(s, SOL_IPV6, table[i].opt), table[i].after);
	}
	CHECK_EQ(set(s, SOL_IPV6, IPV6_UNICAST_HOPS, 256), -EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, IPV6_TCLASS, 256), -EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, IPV6_MTU_DISCOVER, 6), -EINVAL);
	CHECK_EQ(SYS(setsockopt, s, SOL_IPV6, IPV6_V6ONLY, PTR(&value), 1), -EINVAL);
	CHECK_EQ(set(s, SOL_IPV6, 200, 1), -ENOPROTOOPT);
	CHECK_EQ(set(s, SOL_IP, IP_TOS, 16), 0); /* for its IPv4 */
	CHECK_EQ(get(s, SOL_IP, IP_TOS), 16);
	four_only = (int)SYS(socket, AF_INET, SOCK_DGRAM, 0);
	CHECK_EQ(set(four_only, SOL_IPV6, IPV6_V6ONLY, 1), -ENOPROTOOPT);
	machine_stop();
}

UNIT_MAIN(CASE(making), CASE(bad_names), CASE(short_name), CASE(mapped_stream), CASE(v6only),
	  CASE(dual_listener), CASE(dual_listener_two_shards), CASE(conflicts),
	  CASE(bound_to_mapped_goes_nowhere_else), CASE(udp_dual), CASE(udp_connected),
	  CASE(options))
