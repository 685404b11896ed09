/* SPDX-License-Identifier: Apache-2.0 */
/* local_test.c - UDP over loopback, local sockets, messages with descriptors, interface ioctls. */
#include <errno.h>
#include "linux/sockets/abi.h"
#include "linux/sockets/test/support.h"
#include "tests/unit.h"

static char buf[70000], out[70000];

static struct sockaddr_in4 address(unsigned port)
{
	return (struct sockaddr_in4){
		.family = AF_INET,
		.ip4 = 0x0100007fu,
		.port_be = (uint16_t)(port << 8 | (port >> 8 & 0xff)),
	};
}

static int udp(unsigned port)
{
	struct sockaddr_in4 a = address(port);
	int fd = (int)SYS(socket, AF_INET, SOCK_DGRAM, 0);

	if (port != 0)
		CHECK_EQ(SYS(bind, fd, PTR(&a), sizeof(a)), 0);
	return fd;
}

TEST(udp_echo)
{
	struct sockaddr_in4 to = address(53), from;
	uint32_t len = sizeof(from);
	int s, c;

	machine_start(1);
	s = udp(53);
	c = udp(0);
	CHECK_EQ(SYS(sendto, c, PTR("query"), 5, 0, 0, 0), -EDESTADDRREQ);
	memcpy(out, "query", 5);
	CHECK_EQ(SYS(sendto, c, PTR(out), 5, 0, PTR(&to), sizeof(to)), 5);
	machine_run(1);
	CHECK(machine_poll(s) & POLLIN);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 3, MSG_PEEK | MSG_TRUNC, 0, 0), 5);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 100, 0, PTR(&from), PTR(&len)), 5);
	CHECK_EQ(memcmp(buf, "query", 5), 0);
	CHECK_EQ(len, 16);
	CHECK_EQ(SYS(sendto, s, PTR(out), 2, 0, PTR(&from), sizeof(from)), 2);
	CHECK_EQ(t_read(c, buf, 10), 2);
	CHECK_EQ(SYS(recvfrom, s, PTR(buf), 100, MSG_DONTWAIT, 0, 0), -EAGAIN);
	CHECK_EQ(SYS(sendto, s, PTR(out), 65508, 0, PTR(&from), sizeof(from)), -EMSGSIZE);
	machine_stop();
}

TEST(udp_large_and_connected)
{
	struct sockaddr_in4 to = address(53);
	uint32_t len = sizeof(to);
	int s, c;

	machine_start(2);
	s = udp(53);
	c = udp(0);
	CHECK_EQ(SYS(connect, c, PTR(&to), sizeof(to)), 0);
	CHECK_EQ(SYS(getpeername, c, PTR(&to), PTR(&len)), 0);
	CHECK_EQ(to.port_be, 53 << 8);
	CHECK_EQ(SYS(getsockname, c, PTR(&to), PTR(&len)), 0);
	CHECK_EQ(to.ip4, 0x0100007f);
	for (int i = 0; i < 60000; i++)
		out[i] = (char)(i * 3);
	machine_on(1);
	CHECK_EQ(t_write(c, out, 60000), 60000);
	machine_run(2);
	machine_on(0);
	machine_absent = PTR(buf + 30000);
	CHECK_EQ(t_read(s, buf, sizeof(buf)), 60000);
	CHECK_EQ(machine_faults, 1);
	CHECK_EQ(memcmp(buf, out, 60000), 0);
	machine_stop();
}

TEST(udp_queue_is_bounded)
{
	struct sockaddr_in4 to = address(53);
	int s, c, n = 0;

	machine_start(1);
	s = udp(53);
	c = udp(0);
	for (int i = 0; i < 1000; i++) {
		CHECK_EQ(SYS(sendto, c, PTR(out), 1, 0, PTR(&to), sizeof(to)), 1);
		machine_run(1);
	}
	while (SYS(recvfrom, s, PTR(buf), 1, MSG_DONTWAIT, 0, 0) == 1)
		n++;
	CHECK_EQ(n, 104); /* 212992 / 2048 */
	machine_stop();
}

TEST(pair_stream)
{
	int p[2];

	machine_start(1);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, PTR(p)), 0);
	CHECK_EQ(t_write(p[0], "one", 3), 3);
	CHECK_EQ(t_write(p[0], "two", 3), 3);
	CHECK_EQ(SYS(recvfrom, p[1], PTR(buf), 5, MSG_PEEK, 0, 0), 5);
	CHECK_EQ(t_read(p[1], buf, 4), 4);
	CHECK_EQ(memcmp(buf, "onet", 4), 0);
	CHECK_EQ(t_read(p[1], buf, 10), 2);
	CHECK_EQ(machine_poll(p[1]) & (POLLIN | POLLOUT), POLLOUT);
	CHECK_EQ(SYS(shutdown, p[0], SHUT_WR), 0);
	CHECK_EQ(t_read(p[1], buf, 10), 0);
	CHECK_EQ(t_write(p[1], "back", 4), 4);
	CHECK_EQ(t_close(p[1]), 0);
	CHECK_EQ(t_read(p[0], buf, 10), 4);
	CHECK_EQ(t_read(p[0], buf, 10), 0);
	CHECK_EQ(t_write(p[0], "x", 1), -EPIPE);
	CHECK_EQ(machine_signals, 1);
	machine_stop();
}

static int drain_fd;
static void drain(void)
{
	CHECK(t_read(drain_fd, buf, sizeof(buf)) > 0);
}

TEST(pair_flow_control)
{
	long n, total = 0;
	int p[2];

	machine_start(1);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, PTR(p)), 0);
	while ((n = t_write(p[0], out, sizeof(out))) > 0)
		total += n;
	CHECK_EQ(n, -EAGAIN);
	CHECK(total > 100000 && total < 300000);
	CHECK_EQ(machine_poll(p[0]) & POLLOUT, 0);
	machine_watch(p[0], true);
	CHECK_EQ(t_read(p[1], buf, sizeof(buf)), (long)sizeof(buf));
	CHECK(machine_notified & POLLOUT);
	machine_watch(p[0], false);
	t_nonblock(p[0], false);
	drain_fd = p[1];
	machine_idle = drain;
	for (int i = 0; i < 10; i++)
		CHECK_EQ(t_write(p[0], out, sizeof(out)), (long)sizeof(out));
	machine_stop();
}

struct rights {
	struct cmsghdr64 h;
	int32_t fd[2];
};

TEST(rights)
{
	static char data[4] = "abc";
	struct uio_segment iov = { PTR(data), 3 }, to = { PTR(buf), 100 };
	struct rights r = { { 24, SOL_SOCKET, SCM_RIGHTS }, { 0, 0 } }, got = { 0 };
	struct msghdr64 h = { .iov = PTR(&iov), .iovlen = 1, .control = PTR(&r), .controllen = 24 };
	struct msghdr64 g = {
		.iov = PTR(&to), .iovlen = 1, .control = PTR(&got), .controllen = sizeof(got)
	};
	int p[2], q[2];

	machine_start(1);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, PTR(p)), 0);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, PTR(q)), 0);
	r.fd[0] = q[0];
	r.fd[1] = q[1];
	CHECK_EQ(t_write(p[0], "before", 6), 6);
	CHECK_EQ(SYS(sendmsg, p[0], PTR(&h), 0), 3);
	CHECK_EQ(t_write(p[0], "after", 5), 5);
	t_close(q[0]);
	t_close(q[1]);
	CHECK_EQ(machine_files(), 4);
	CHECK_EQ(SYS(recvmsg, p[1], PTR(&g), 0), 6); /* stops before */
	CHECK_EQ(g.controllen, 0);
	g.controllen = sizeof(got);
	CHECK_EQ(SYS(recvmsg, p[1], PTR(&g), 0), 3); /* and after */
	CHECK_EQ(g.controllen, 24);
	CHECK_EQ(got.h.len, 24);
	CHECK_EQ(got.h.type, SCM_RIGHTS);
	CHECK_EQ(t_write(got.fd[0], "via", 3), 3);
	CHECK_EQ(t_read(got.fd[1], buf, 10), 3);
	CHECK_EQ(t_read(p[1], buf, 10), 5);
	/* read() closes what it cannot give */
	t_close(got.fd[1]);
	h.controllen = 20;
	r.h.len = 20;
	r.fd[0] = got.fd[0];
	CHECK_EQ(SYS(sendmsg, p[0], PTR(&h), 0), 3);
	t_close(got.fd[0]);
	CHECK_EQ(machine_files(), 3);
	CHECK_EQ(t_read(p[1], buf, 10), 3);
	CHECK_EQ(machine_files(), 2);
	/* a socket sent through itself, and never received */
	r.fd[0] = p[0];
	CHECK_EQ(SYS(sendmsg, p[0], PTR(&h), 0), 3);
	r.fd[0] = 99;
	CHECK_EQ(SYS(sendmsg, p[0], PTR(&h), 0), -EBADF);
	r.h.len = 200;
	CHECK_EQ(SYS(sendmsg, p[0], PTR(&h), 0), -EINVAL);
	machine_stop();
}

/* A chain of sockets, each in the queue of the next, is dropped without using the stack up. */
TEST(rights_chain)
{
	static char data[1] = "x";
	struct uio_segment iov = { PTR(data), 1 };
	struct rights r = { { 24, SOL_SOCKET, SCM_RIGHTS }, { 0, 0 } };
	struct msghdr64 h = { .iov = PTR(&iov), .iovlen = 1, .control = PTR(&r), .controllen = 24 };
	int p[2], next[2];

	machine_start(1);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, PTR(p)), 0);
	for (int i = 0; i < 20000; i++) {
		CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_STREAM, 0, PTR(next)), 0);
		r.fd[0] = p[0];
		r.fd[1] = p[1];
		CHECK_EQ(SYS(sendmsg, next[0], PTR(&h), 0), 1);
		t_close(p[0]);
		t_close(p[1]);
		p[0] = next[0];
		p[1] = next[1];
	}
	CHECK_EQ(machine_files(), 40002);
	t_close(p[0]);
	t_close(p[1]);
	CHECK_EQ(machine_files(), 0);
	machine_stop();
}

struct sun {
	uint16_t family;
	char path[108];
};

TEST(named_stream)
{
	struct sun a = { AF_UNIX, "/run/x.sock" }, b = { AF_UNIX, "\0name" }, got;
	uint32_t len = sizeof(got), cred[3], n = sizeof(cred);
	int l, c, s;

	machine_start(1);
	l = (int)SYS(socket, AF_UNIX, SOCK_STREAM, 0);
	c = (int)SYS(socket, AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), 13), -ENOENT);
	CHECK_EQ(SYS(bind, l, PTR(&a), 13), 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), 13), -ECONNREFUSED);
	CHECK_EQ(SYS(listen, l, 0), 0);
	CHECK_EQ(SYS(connect, c, PTR(&a), sizeof(a)), 0);
	CHECK_EQ(t_write(c, "early", 5), 5);
	CHECK(machine_poll(l) & POLLIN);
	s = (int)SYS(accept, l, 0, 0);
	CHECK_EQ(t_read(s, buf, 10), 5);
	CHECK_EQ(SYS(getpeername, c, PTR(&got), PTR(&len)), 0);
	CHECK_EQ(len, 2 + 12);
	CHECK_STR(got.path, "/run/x.sock");
	CHECK_EQ(SYS(getsockopt, c, SOL_SOCKET, SO_PEERCRED, PTR(cred), PTR(&n)), 0);
	CHECK_EQ(cred[0], 1);
	t_close(l);
	l = (int)SYS(socket, AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(SYS(bind, l, PTR(&a), 13), -EADDRINUSE); /* the name is still in the file system */
	CHECK_EQ(SYS(bind, l, PTR(&b), 7), 0);
	c = (int)SYS(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(SYS(connect, c, PTR(&b), 8), -ECONNREFUSED); /* another length, another name */
	CHECK_EQ(SYS(listen, l, 0), 0);
	CHECK_EQ(SYS(connect, c, PTR(&b), 7), 0);
	s = (int)SYS(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK_EQ(SYS(connect, s, PTR(&b), 7), -EAGAIN); /* the queue is full */
	t_close(l);
	CHECK_EQ(SYS(connect, s, PTR(&b), 7), -ECONNREFUSED);
	CHECK_EQ(t_read(c, buf, 1), 0);
	machine_stop();
}

TEST(named_datagrams)
{
	struct sun a = { AF_UNIX, "\0a" }, b = { AF_UNIX, "\0b" }, from;
	uint32_t len = sizeof(from);
	int x, y, p[2];

	machine_start(1);
	x = (int)SYS(socket, AF_UNIX, SOCK_DGRAM, 0);
	y = (int)SYS(socket, AF_UNIX, SOCK_DGRAM, 0);
	CHECK_EQ(SYS(bind, x, PTR(&a), 4), 0);
	CHECK_EQ(SYS(bind, y, PTR(&b), 4), 0);
	memcpy(out, "datagram", 8);
	CHECK_EQ(SYS(sendto, x, PTR(out), 8, 0, PTR(&b), 4), 8);
	CHECK_EQ(SYS(sendto, x, PTR(out), 4, 0, PTR(&b), 4), 4);
	CHECK_EQ(SYS(recvfrom, y, PTR(buf), 6, MSG_TRUNC, PTR(&from), PTR(&len)), 8);
	CHECK_EQ(len, 4);
	CHECK_EQ(from.path[1], 'a');
	CHECK_EQ(t_read(y, buf, 100), 4);
	CHECK_EQ(SYS(recvfrom, y, PTR(buf), 6, MSG_DONTWAIT, 0, 0), -EAGAIN);
	t_close(y);
	CHECK_EQ(SYS(sendto, x, PTR(out), 8, 0, PTR(&b), 4), -ECONNREFUSED);
	CHECK_EQ(SYS(socketpair, AF_UNIX, SOCK_SEQPACKET, 0, PTR(p)), 0);
	CHECK_EQ(t_write(p[0], "ab", 2), 2);
	CHECK_EQ(t_write(p[0], "cd", 2), 2);
	CHECK_EQ(t_read(p[1], buf, 100), 2);
	CHECK_EQ(t_read(p[1], buf, 1), 1);
	t_close(p[0]);
	CHECK_EQ(t_read(p[1], buf, 1), 0);
	machine_stop();
}

TEST(many_messages)
{
	static char in[4][8];
	struct sockaddr_in4 to = address(53);
	struct uio_segment v[4], w[4];
	struct mmsghdr64 m[4] = { 0 }, g[4] = { 0 };
	int s, c;

	machine_start(1);
	s = udp(53);
	c = udp(0);
	for (int i = 0; i < 4; i++) {
		out[i] = (char)('a' + i);
		v[i] = (struct uio_segment){ PTR(out + i), 1 };
		w[i] = (struct uio_segment){ PTR(in[i]), 8 };
		m[i].hdr = (struct msghdr64){
			.iov = PTR(&v[i]), .iovlen = 1, .name = PTR(&to), .namelen = 16
		};
		g[i].hdr = (struct msghdr64){ .iov = PTR(&w[i]), .iovlen = 1 };
	}
	CHECK_EQ(SYS(sendmmsg, c, PTR(m), 3, 0), 3);
	CHECK_EQ(m[2].len, 1);
	machine_run(1);
	CHECK_EQ(SYS(recvmmsg, s, PTR(g), 4, MSG_WAITFORONE, 0), 3);
	CHECK_EQ(in[2][0], 'c');
	CHECK_EQ(g[2].len, 1);
	machine_stop();
}

TEST(interfaces)
{
	static struct ifreq64 list[4];
	struct {
		int32_t len, pad;
		uint64_t to;
	} conf = { sizeof(list), 0, PTR(list) };
	struct ifreq64 q = { .name = "eth0" };
	struct file *f;
	int fd;

	machine_start(1);
	fd = udp(0);
	f = fd_file(fd);
	CHECK_EQ(f->ops->ioctl(f, SIOCGIFCONF, PTR(&conf)), 0);
	CHECK_EQ(conf.len, 80);
	CHECK_STR(list[1].name, "eth0");
	CHECK_EQ(list[1].u.addr.ip4, 0x0200000a);
	CHECK_EQ(f->ops->ioctl(f, SIOCGIFHWADDR, PTR(&q)), 0);
	CHECK_EQ(q.u.bytes[2], 2);
	str_copy(q.name, "wlan0", 16);
	CHECK_EQ(f->ops->ioctl(f, SIOCGIFADDR, PTR(&q)), -ENODEV);
	CHECK_EQ(f->ops->ioctl(f, 0x5401, PTR(&q)), -ENOTTY);
	file_put(f);
	machine_stop();
}

UNIT_MAIN(CASE(udp_echo), CASE(udp_large_and_connected), CASE(udp_queue_is_bounded),
	  CASE(pair_stream), CASE(pair_flow_control), CASE(rights), CASE(rights_chain),
	  CASE(named_stream), CASE(named_datagrams), CASE(many_messages), CASE(interfaces))
