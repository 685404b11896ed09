/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c - /dev/port from Linux programs in three partitions: `source` writes a queue (q) and a
 * sampling port (speed), `sink` and `other` read them. Says "passed", or what is wrong. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/port.h"

#define N 200 /* messages */
#define MESSAGE 1000

#define CHECK(c)                                                                         \
	do {                                                                             \
		if (!(c)) {                                                              \
			printf("%s:%d: %s (errno %d)\n", __FILE__, __LINE__, #c, errno); \
			exit(1);                                                         \
		}                                                                        \
	} while (0)

static int port(const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/dev/port/%s", name);
	fd = open(path, flags);
	CHECK(fd >= 0);
	return fd;
}

static struct gw_port_status status(int fd)
{
	struct gw_port_status s;

	CHECK(ioctl(fd, GW_PORT_STATUS, &s) == 0);
	return s;
}

static void fill(char *message, unsigned int i)
{
	memset(message, 'a' + (int)(i % 26), MESSAGE);
	memcpy(message, &i, sizeof(i));
}

static int can(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) == 1 && (p.revents & events) != 0;
}

static void source(void)
{
	int q = port("q", O_WRONLY | O_NONBLOCK), s = port("speed", O_RDWR);
	char message[MESSAGE + 1] = "";
	unsigned int refused = 0;

	CHECK(write(q, message, MESSAGE + 1) == -1 && errno == EMSGSIZE);
	CHECK(write(q, message, 0) == 0);
	CHECK(read(q, message, MESSAGE) == -1 && errno == EBADF);
	CHECK(lseek(q, 0, SEEK_SET) == -1 && errno == ESPIPE);
	CHECK(status(q).flags == (GW_PORT_SOURCE | GW_PORT_QUEUING) && status(q).depth == 4);
	CHECK(write(s, "speed 1", 7) == 7);
	for (unsigned int i = 0; i < N; i++) {
		fill(message, i);
		while (write(q, message, MESSAGE - i) != (ssize_t)(MESSAGE - i)) {
			CHECK(errno == EAGAIN);
			refused++;
			CHECK(can(q, POLLOUT, 20000));
		}
	}
	CHECK(refused > 0); /* its queue holds four */
	fcntl(q, F_SETFL, 0);
	for (unsigned int i = 0; i < 20; i++) { /* waits inside write */
		fill(message, i);
		CHECK(write(q, message, MESSAGE) == MESSAGE);
	}
}

static void sink(void)
{
	int q = port("q", O_RDONLY | O_NONBLOCK), e = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = 5 };
	char message[MESSAGE], want[MESSAGE];

	CHECK(write(q, "x", 1) == -1 && errno == EBADF);
	CHECK(epoll_ctl(e, EPOLL_CTL_ADD, q, &event) == 0);
	for (unsigned int i = 0; i < N; i++) {
		ssize_t n;

		while ((n = read(q, message, MESSAGE)) < 0) {
			CHECK(errno == EAGAIN);
			CHECK(epoll_wait(e, &event, 1, 20000) == 1 && event.data.u32 == 5);
		}
		fill(want, i);
		CHECK(n == (ssize_t)(MESSAGE - i) && memcmp(message, want, (size_t)n) == 0);
	}
	fcntl(q, F_SETFL, 0);
	for (unsigned int i = 0; i < 20; i++) { /* waits inside read */
		fill(want, i);
		if (i == 3) {
			CHECK(can(q, POLLIN, 20000));
			CHECK(read(q, message, MESSAGE - 1) == -1 && errno == EMSGSIZE);
		}
		CHECK(read(q, message, MESSAGE) == MESSAGE);
		CHECK(memcmp(message, want, MESSAGE) == 0);
	}
	CHECK(!can(q, POLLIN, 50));
}

/* Both readers of the sampling port: valid for 300 ms, readable once a message, there for ever. */
static void sampled(void)
{
	int s = port("speed", O_RDONLY);
	char message[64];
	struct gw_port_status t;

	CHECK(can(s, POLLIN, 20000));
	CHECK(read(s, message, sizeof(message)) == 7 && memcmp(message, "speed 1", 7) == 0);
	CHECK(!can(s, POLLIN, 0)); /* nothing newer */
	CHECK(read(s, message, sizeof(message)) == 7);
	t = status(s);
	CHECK(t.flags == 0 && t.messages == 1 && t.message_bytes == 64 &&
	      t.read_ns == t.written_ns);
	usleep(500000);
	CHECK(status(s).valid == 0);
}

int main(int argc, char **argv)
{
	CHECK(argc == 2);
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(argv[1], "source") == 0)
		source();
	else
		sampled();
	if (strcmp(argv[1], "sink") == 0)
		sink();
	printf("passed\n");
	return 0;
}
