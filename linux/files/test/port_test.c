/* SPDX-License-Identifier: Apache-2.0 */
/* port_test.c - /dev/port over a stand-in for the kernel's ports: sizes, directions, waiting. */
#include "abi/port.h"
#include "linux/files/test/support.h"
#include "tests/unit.h"

#define OURS(name, ...) support_call(sys_##name, CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0))
#define CALL_ARGS(a, b, c, d, e, f, ...) \
	(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)

static char buf[256];

static int open_port(const char *path, int flags)
{
	return (int)OURS(openat, -100, path, flags, 0);
}

static void boot(void)
{
	support_ports = 2;
	support_queued = 0;
	support_sample = NULL;
	CHECK_EQ(support_init(256, NULL, 0), 0);
}

static uint32_t polled(int fd)
{
	struct pollfd64 {
		int32_t fd;
		int16_t events, revents;
	} p = { fd, POLLIN | POLLOUT, 0 };

	CHECK(OURS(poll, &p, 1, 0) >= 0);
	return (uint32_t)p.revents;
}

TEST(no_ports)
{
	support_ports = 0;
	CHECK_EQ(support_init(256, NULL, 0), 0);
	CHECK_EQ(open_port("/dev/port", O_RDONLY), -ENOENT);
	CHECK(open_port("/dev/null", O_RDONLY) >= 0);
}

TEST(source)
{
	size_t bytes;
	int fd;

	boot();
	fd = open_port("/dev/port/out", O_WRONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	bytes = support_bytes;
	CHECK_EQ(OURS(read, fd, buf, 100), -EBADF);
	CHECK_EQ(OURS(write, fd, "", 0), 0);
	CHECK_EQ(OURS(write, fd, "12345678901234567", 17), -EMSGSIZE);
	CHECK_EQ(polled(fd), POLLOUT);
	CHECK_EQ(OURS(write, fd, "1234567890123456", 16), 16);
	CHECK_EQ(OURS(write, fd, "b", 1), 1);
	CHECK_EQ(polled(fd), 0);
	CHECK_EQ(OURS(write, fd, "c", 1), -EAGAIN);
	CHECK_STR(support_queue[0], "1234567890123456");
	CHECK_STR(support_queue[1], "b");
	CHECK_EQ(OURS(lseek, fd, 0, 0), -ESPIPE);
	CHECK_EQ(support_bytes, bytes);
	CHECK_EQ(OURS(close, fd), 0);
}

static int make_room(void)
{
	support_queued = 1;
	return 0;
}

static int make_sample(void)
{
	support_sample = "cold";
	return 0;
}

TEST(waiting)
{
	int out, in;

	boot();
	out = open_port("/dev/port/out", O_WRONLY);
	in = open_port("/dev/port/in", O_RDONLY);
	support_queued = 2;
	support_park = make_room;
	CHECK_EQ(OURS(write, out, "x", 1), 1);
	CHECK_STR(support_queue[1], "x");
	support_park = make_sample;
	CHECK_EQ(OURS(read, in, buf, 100), 4);
	support_park = NULL;
}

TEST(destination)
{
	struct gw_port_status s = { 0 };
	int fd;

	boot();
	fd = open_port("/dev/port/in", O_RDONLY | O_NONBLOCK);
	CHECK(fd >= 0);
	CHECK_EQ(OURS(read, fd, buf, 100), -EAGAIN);
	CHECK_EQ(OURS(write, fd, "x", 1), -EBADF);
	CHECK_EQ(polled(fd), 0);
	support_sample = "warm";
	support_valid = true;
	CHECK_EQ(polled(fd), POLLIN);
	CHECK_EQ(OURS(read, fd, buf, 15), -EMSGSIZE);
	CHECK_EQ(OURS(read, fd, buf, 16), 4);
	CHECK_EQ(memcmp(buf, "warm", 4), 0);
	CHECK_EQ(polled(fd), 0); /* nothing newer, but it can be read again */
	CHECK_EQ(OURS(read, fd, buf, 16), 4);
	CHECK_EQ(OURS(ioctl, fd, 0x5401, buf), -ENOTTY);
	CHECK_EQ(OURS(ioctl, fd, GW_PORT_STATUS, &s), 0);
	CHECK_EQ(s.flags, 0);
	CHECK_EQ(s.messages, 1);
	CHECK_EQ(s.valid, 1);
	CHECK_EQ(s.written_ns, 500);
	CHECK_EQ(s.read_ns, 500);
}

TEST(status_text)
{
	static const char want[] =
		"out queuing source bytes=16 depth=2 messages=0 valid=0 age_us=1\n"
		"in sampling destination bytes=16 depth=0 messages=1 valid=0 age_us=";
	int fd;

	boot();
	support_sample = "warm";
	support_valid = false;
	support_now = 2000;
	CHECK_EQ(open_port("/dev/port/status", O_RDWR), -EACCES);
	fd = open_port("/dev/port/status", O_RDONLY);
	CHECK(fd >= 0);
	CHECK(OURS(read, fd, buf, 200) > 0);
	CHECK_EQ(memcmp(buf, want, sizeof(want) - 1), 0);
	CHECK_EQ(OURS(read, fd, buf, 200), 0);
	CHECK_EQ(OURS(close, fd), 0);
}

UNIT_MAIN(CASE(no_ports), CASE(source), CASE(waiting), CASE(destination), CASE(status_text))
