/* SPDX-License-Identifier: Apache-2.0 */
/* event_test.c - pipes, counters, timers, epoll and poll. There is one thread: what would sleep
 * calls support_park. */
#include <stdlib.h>
#include "linux/files/test/support.h"
#include "tests/unit.h"

#define OURS(name, ...) support_call(sys_##name, CALL_ARGS(__VA_ARGS__, 0, 0, 0, 0, 0))
#define CALL_ARGS(a, b, c, d, e, f, ...) \
	(uint64_t)(a), (uint64_t)(b), (uint64_t)(c), (uint64_t)(d), (uint64_t)(e), (uint64_t)(f)

static char big[70000], buf[70000];
static struct epoll_event64 ev[8];

static void boot(void)
{
	CHECK_EQ(support_init(256, NULL, 0), 0);
	support_signals = 0;
}

static void pipe_pair(int fd[2], uint32_t flags)
{
	CHECK_EQ(OURS(pipe2, fd, flags), 0);
}

TEST(pipe_moves_bytes)
{
	size_t before, bytes;
	int fd[2];

	boot();
	before = mem_free_pages();
	for (size_t k = 0; k < sizeof(big); k++)
		big[k] = (char)(k * 31);
	pipe_pair(fd, O_NONBLOCK);
	bytes = support_bytes;
	CHECK_EQ(OURS(read, fd[0], buf, 10), -EAGAIN);
	CHECK_EQ(OURS(write, fd[0], buf, 10), -EBADF);
	CHECK_EQ(OURS(read, fd[1], buf, 10), -EBADF);
	CHECK_EQ(OURS(pread64, fd[0], buf, 10, 0), -ESPIPE);
	CHECK_EQ(OURS(lseek, fd[0], 0, 0), -ESPIPE);
	CHECK_EQ(OURS(write, fd[1], big, 70000), 65536);
	CHECK_EQ(OURS(write, fd[1], big, 1), -EAGAIN);
	CHECK_EQ(OURS(read, fd[0], buf, 1000), 1000);
	CHECK_EQ(OURS(write, fd[1], big, 4000), -EAGAIN); /* all or nothing up to PIPE_BUF */
	CHECK_EQ(OURS(write, fd[1], big + 65536, 1000), 1000);
	CHECK_EQ(OURS(read, fd[0], buf + 1000, 69000), 65536);
	CHECK(!memcmp(buf, big, 66536));
	CHECK_EQ(OURS(close, fd[0]), 0);
	CHECK_EQ(OURS(write, fd[1], big, 1), -EPIPE);
	CHECK_EQ(support_signals, 1);
	CHECK_EQ(OURS(close, fd[1]), 0);
	CHECK_EQ(mem_free_pages(), before);
	CHECK(support_bytes < bytes);
	pipe_pair(fd, 0);
	CHECK_EQ(OURS(write, fd[1], "abc", 3), 3);
	CHECK_EQ(OURS(close, fd[1]), 0);
	CHECK_EQ(OURS(read, fd[0], buf, 10), 3);
	CHECK_EQ(OURS(read, fd[0], buf, 10), 0);
}

static int park_fd;
static int drain(void)
{
	CHECK(OURS(read, park_fd, buf, 5000) > 0);
	return 0;
}

static int fill(void)
{
	CHECK_EQ(OURS(write, park_fd, "late", 4), 4);
	return 0;
}

static int interrupt(void)
{
	return -ERESTARTSYS;
}

TEST(pipe_blocks)
{
	int fd[2];

	boot();
	pipe_pair(fd, 0);
	park_fd = fd[0];
	support_park = drain;
	CHECK_EQ(OURS(write, fd[1], big, 70000), 70000);
	while (OURS(ioctl, fd[0], 0x541b, buf) == 0 && *(int *)(void *)buf)
		drain();
	park_fd = fd[1];
	support_park = fill;
	CHECK_EQ(OURS(read, fd[0], buf, 100), 4);
	support_park = interrupt;
	CHECK_EQ(OURS(read, fd[0], buf, 100), -ERESTARTSYS);
}

TEST(fifo)
{
	long r, w;

	boot();
	CHECK_EQ(OURS(mknod, "/tmp/fifo", S_IFIFO | 0600), 0);
	CHECK_EQ(OURS(open, "/tmp/fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
	r = OURS(open, "/tmp/fifo", O_RDONLY | O_NONBLOCK);
	CHECK(r >= 0);
	CHECK_EQ(OURS(read, r, buf, 10), 0); /* no writer */
	w = OURS(open, "/tmp/fifo", O_WRONLY);
	CHECK(w >= 0);
	CHECK_EQ(OURS(read, r, buf, 10), -EAGAIN);
	CHECK_EQ(OURS(write, w, "x", 1), 1);
	CHECK_EQ(OURS(read, r, buf, 10), 1);
}

TEST(eventfd_counts)
{
	uint64_t v = 5;
	long fd;

	boot();
	fd = OURS(eventfd2, 3, O_NONBLOCK);
	CHECK_EQ(OURS(write, fd, &v, 8), 8);
	CHECK_EQ(OURS(read, fd, &v, 8), 8);
	CHECK_EQ(v, 8);
	CHECK_EQ(OURS(read, fd, &v, 8), -EAGAIN);
	CHECK_EQ(OURS(read, fd, &v, 4), -EINVAL);
	v = ~0ull;
	CHECK_EQ(OURS(write, fd, &v, 8), -EINVAL);
	v = ~0ull - 1;
	CHECK_EQ(OURS(write, fd, &v, 8), 8);
	v = 1;
	CHECK_EQ(OURS(write, fd, &v, 8), -EAGAIN);
	fd = OURS(eventfd2, 2, O_NONBLOCK | 1);
	CHECK_EQ(OURS(read, fd, &v, 8), 8);
	CHECK_EQ(v, 1);
	CHECK_EQ(OURS(read, fd, &v, 8), 8);
	CHECK_EQ(OURS(read, fd, &v, 8), -EAGAIN);
}

TEST(timerfd_ticks)
{
	struct itimerspec64 its = { { 0, 1000 }, { 0, 5000 } }, now;
	uint64_t v;
	long fd;

	boot();
	fd = OURS(timerfd_create, 1, O_NONBLOCK);
	CHECK_EQ(OURS(timerfd_settime, fd, 0, &its, 0), 0);
	CHECK_EQ(OURS(read, fd, &v, 8), -EAGAIN);
	support_now += 4000;
	support_timers();
	CHECK_EQ(OURS(timerfd_gettime, fd, &now), 0);
	CHECK_EQ(now.value.nsec, 1000);
	CHECK_EQ(OURS(read, fd, &v, 8), -EAGAIN);
	support_now += 3500;
	support_timers();
	CHECK_EQ(OURS(read, fd, &v, 8), 8);
	CHECK_EQ(v, 3); /* at 5000, 6000, 7000 */
	CHECK_EQ(OURS(timerfd_gettime, fd, &now), 0);
	CHECK_EQ(now.value.nsec, 500);
	its = (struct itimerspec64){ { 0, 0 }, { 0, 0 } };
	CHECK_EQ(OURS(timerfd_settime, fd, 0, &its, &now), 0);
	CHECK_EQ(now.interval.nsec, 1000);
	support_now += 100000;
	support_timers();
	CHECK_EQ(OURS(read, fd, &v, 8), -EAGAIN);
	its.value = (struct timespec64){ 1700000000, 0 }; /* has passed */
	fd = OURS(timerfd_create, 0, O_NONBLOCK);
	CHECK_EQ(OURS(timerfd_settime, fd, 1, &its, 0), 0);
	support_timers();
	CHECK_EQ(OURS(read, fd, &v, 8), 8);
	its.value.nsec = 1000000000;
	CHECK_EQ(OURS(timerfd_settime, fd, 0, &its, 0), -EINVAL);
	CHECK_EQ(OURS(timerfd_settime, 0, 0, &its, 0), -EINVAL);
}

static long add(long ep, long fd, uint32_t events)
{
	struct epoll_event64 e = { events, (uint64_t)fd };

	return OURS(epoll_ctl, ep, 1, fd, &e);
}

static long change(long ep, long fd, uint32_t events)
{
	struct epoll_event64 e = { events, (uint64_t)fd };

	return OURS(epoll_ctl, ep, 3, fd, &e);
}

static long ready(long ep)
{
	return OURS(epoll_wait, ep, ev, 8, 0);
}

static void put(long fd)
{
	uint64_t one = 1;

	CHECK_EQ(OURS(write, fd, &one, 8), 8);
}

static void take(long fd)
{
	uint64_t v;

	CHECK_EQ(OURS(read, fd, &v, 8), 8);
}

TEST(epoll_level)
{
	long ep, fd;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(eventfd2, 0, O_NONBLOCK);
	CHECK_EQ(add(ep, fd, POLLIN), 0);
	CHECK_EQ(add(ep, fd, POLLIN), -EEXIST);
	CHECK_EQ(ready(ep), 0);
	put(fd);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ev[0].events, POLLIN);
	CHECK_EQ(ev[0].data, fd);
	CHECK_EQ(ready(ep), 1); /* still */
	take(fd);
	CHECK_EQ(ready(ep), 0);
	CHECK_EQ(change(ep, fd, POLLIN | POLLOUT), 0);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ev[0].events, POLLOUT);
	CHECK_EQ(OURS(epoll_ctl, ep, 2, fd, 0), 0);
	CHECK_EQ(OURS(epoll_ctl, ep, 2, fd, 0), -ENOENT);
	CHECK_EQ(change(ep, fd, POLLIN), -ENOENT);
	put(fd);
	CHECK_EQ(ready(ep), 0);
	put(fd);
	CHECK_EQ(add(ep, fd, POLLIN), 0); /* ready before it is added */
	CHECK_EQ(ready(ep), 1);
}

TEST(epoll_edge_and_oneshot)
{
	long ep, fd, one;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(eventfd2, 0, O_NONBLOCK);
	CHECK_EQ(add(ep, fd, POLLIN | EPOLLET), 0);
	put(fd);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ready(ep), 0); /* not again without news */
	put(fd);
	CHECK_EQ(ready(ep), 1);
	put(fd);
	take(fd);
	CHECK_EQ(ready(ep), 0); /* gone before anybody looked */
	one = OURS(eventfd2, 0, O_NONBLOCK);
	CHECK_EQ(add(ep, one, POLLIN | EPOLLONESHOT), 0);
	put(one);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ev[0].data, one);
	put(one);
	CHECK_EQ(ready(ep), 0);
	CHECK_EQ(change(ep, one, POLLIN | EPOLLONESHOT), 0);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ready(ep), 0);
}

TEST(epoll_rejects)
{
	struct epoll_event64 e = { POLLIN, 0 };
	long ep, fd;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(open, "/tmp/f", O_RDWR | O_CREAT, 0600);
	CHECK_EQ(add(ep, fd, POLLIN), -EPERM);
	CHECK_EQ(add(ep, ep, POLLIN), -EINVAL);
	CHECK_EQ(add(fd, ep, POLLIN), -EINVAL);
	CHECK_EQ(add(ep, 99, POLLIN), -EBADF);
	CHECK_EQ(OURS(epoll_ctl, ep, 9, 0, &e), -EINVAL);
	CHECK_EQ(OURS(epoll_ctl, ep, 1, 0, 0), -EFAULT);
	CHECK_EQ(OURS(epoll_wait, ep, ev, 0, 0), -EINVAL);
	CHECK_EQ(OURS(epoll_wait, fd, ev, 1, 0), -EINVAL);
	CHECK_EQ(OURS(epoll_create, 0), -EINVAL);
}

TEST(epoll_forgets_closed_files)
{
	long ep, fd, copy;
	size_t bytes;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(eventfd2, 1, O_NONBLOCK);
	CHECK_EQ(add(ep, fd, POLLIN), 0);
	bytes = support_bytes;
	copy = OURS(dup, fd);
	CHECK_EQ(OURS(close, fd), 0);
	CHECK_EQ(ready(ep), 1); /* the file is still open */
	CHECK_EQ(OURS(close, copy), 0);
	CHECK_EQ(ready(ep), 0);
	CHECK(support_bytes < bytes);
	fd = OURS(eventfd2, 1, O_NONBLOCK);
	CHECK_EQ(add(ep, fd, POLLIN), 0);
	CHECK_EQ(OURS(close, ep), 0); /* the epoll first */
	put(fd);
	CHECK_EQ(OURS(close, fd), 0);
}

TEST(epoll_is_fair)
{
	long ep, fd[20], n;
	int seen[64] = { 0 };

	boot();
	ep = OURS(epoll_create1, 0);
	for (int k = 0; k < 20; k++) {
		fd[k] = OURS(eventfd2, 1, O_NONBLOCK);
		CHECK_EQ(add(ep, fd[k], POLLIN), 0);
	}
	for (int round = 0; round < 5; round++) {
		n = ready(ep);
		CHECK_EQ(n, 8);
		for (long k = 0; k < n; k++)
			seen[ev[k].data]++;
	}
	for (int k = 0; k < 20; k++)
		CHECK_EQ(seen[fd[k]], 2); /* 40 looks at 20 */
	{
		struct epoll_event64 many[64];

		CHECK_EQ(OURS(epoll_wait, ep, many, 64, 0), 20);
	}
}

TEST(epoll_nested)
{
	long outer, inner, third, fd;

	boot();
	outer = OURS(epoll_create1, 0);
	inner = OURS(epoll_create1, 0);
	third = OURS(epoll_create1, 0);
	fd = OURS(eventfd2, 0, O_NONBLOCK);
	CHECK_EQ(add(inner, fd, POLLIN), 0);
	CHECK_EQ(add(outer, inner, POLLIN), 0);
	CHECK_EQ(add(inner, outer, POLLIN), -ELOOP);
	CHECK_EQ(add(third, outer, POLLIN), 0);
	CHECK_EQ(ready(third), 0);
	put(fd);
	CHECK_EQ(ready(third), 1);
	CHECK_EQ(ev[0].data, outer);
	CHECK_EQ(ready(outer), 1);
	CHECK_EQ(ready(inner), 1);
	take(fd);
	CHECK_EQ(ready(third), 0);
	CHECK_EQ(ready(inner), 0);
}

static int put_parked(void)
{
	put(park_fd);
	return 0;
}

TEST(waits)
{
	struct pollfd64 p[3];
	int64_t tv[2] = { 0, 0 };
	uint64_t set[16] = { 0 };
	long ep, fd;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(eventfd2, 0, O_NONBLOCK);
	park_fd = (int)fd;
	CHECK_EQ(add(ep, fd, POLLIN), 0);
	CHECK_EQ(OURS(epoll_wait, ep, ev, 8, 10), 0); /* time is over */
	support_park = interrupt;
	CHECK_EQ(OURS(epoll_wait, ep, ev, 8, -1), -EINTR);
	support_park = put_parked;
	CHECK_EQ(OURS(epoll_wait, ep, ev, 8, -1), 1);
	take(fd);
	p[0] = (struct pollfd64){ (int)fd, POLLIN, 0 };
	p[1] = (struct pollfd64){ -1, POLLIN, 9 };
	p[2] = (struct pollfd64){ 99, POLLIN, 0 };
	CHECK_EQ(OURS(poll, p, 3, -1), 1);
	CHECK_EQ(p[1].revents, 0);
	CHECK_EQ(p[2].revents, POLLNVAL);
	CHECK_EQ(OURS(poll, p, 2, -1), 1);
	CHECK_EQ(p[0].revents, POLLIN);
	take(fd);
	CHECK_EQ(OURS(poll, p, 2, 0), 0);
	set[0] = 1ull << fd;
	CHECK_EQ(OURS(select, fd + 1, set, 0, 0, tv), 0);
	CHECK_EQ(set[0], 0);
	set[0] = 1ull << fd;
	CHECK_EQ(OURS(select, fd + 1, set, 0, 0, 0), 1);
	CHECK_EQ(set[0], 1ull << fd);
	set[1] = 1;
	CHECK_EQ(OURS(select, 65, set, 0, 0, 0), -EBADF);
	support_park = NULL;
	take(fd);
	CHECK_EQ(OURS(poll, p, 1, 5), 0);
	CHECK_EQ(OURS(poll, 0, 0, 5), 0);
	CHECK_EQ(OURS(poll, 8, 1, 5), -EFAULT);
}

TEST(hang_ups)
{
	int fd[2];
	long ep;

	boot();
	ep = OURS(epoll_create1, 0);
	pipe_pair(fd, 0);
	CHECK_EQ(add(ep, fd[0], POLLIN), 0);
	CHECK_EQ(ready(ep), 0);
	CHECK_EQ(OURS(close, fd[1]), 0);
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(ev[0].events, POLLHUP);
	pipe_pair(fd, 0);
	CHECK_EQ(add(ep, fd[1], 0), 0); /* errors come unasked */
	CHECK_EQ(OURS(close, fd[0]), 0);
}

TEST(signalfd_takes)
{
	uint64_t mask = 1ull << 14; /* SIGTERM */
	uint32_t info[64];
	long ep, fd;

	boot();
	ep = OURS(epoll_create1, 0);
	fd = OURS(signalfd4, -1, &mask, 8, O_NONBLOCK);
	CHECK_EQ(add(ep, fd, POLLIN), 0);
	CHECK_EQ(OURS(read, fd, info, 256), -EAGAIN);
	CHECK_EQ(ready(ep), 0);
	thread_self()->pending = 1ull << 14 | 1;
	signal_arrived();
	CHECK_EQ(ready(ep), 1);
	CHECK_EQ(OURS(read, fd, info, 100), -EINVAL);
	CHECK_EQ(OURS(read, fd, info, 256), 128);
	CHECK_EQ(info[0], 15);
	CHECK_EQ(ready(ep), 0);
	CHECK_EQ(OURS(signalfd4, ep, &mask, 8, 0), -EINVAL);
	mask = 1;
	CHECK_EQ(OURS(signalfd4, fd, &mask, 8, 0), fd);
	CHECK_EQ(ready(ep), 1);
}

UNIT_MAIN(CASE(pipe_moves_bytes), CASE(pipe_blocks), CASE(fifo), CASE(eventfd_counts),
	  CASE(timerfd_ticks), CASE(epoll_level), CASE(epoll_edge_and_oneshot), CASE(epoll_rejects),
	  CASE(epoll_forgets_closed_files), CASE(epoll_is_fair), CASE(epoll_nested), CASE(waits),
	  CASE(hang_ups), CASE(signalfd_takes))
