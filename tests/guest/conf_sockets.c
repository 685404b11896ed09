/* SPDX-License-Identifier: Apache-2.0 */
/* conf_sockets - sockets over loopback, local sockets, and readiness: epoll, poll, select, eventfd,
 * timerfd. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "tests/unit.h"

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct sockaddr_in loop(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int listener(int *port)
{
	int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in a = loop(0);
	socklen_t n = sizeof(a);

	CHECK(s >= 0);
	CHECK_EQ(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	CHECK_EQ(bind(s, (void *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(s, 128), 0);
	CHECK_EQ(getsockname(s, (void *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return s;
}

static void pair(int *c, int *s)
{
	int port, l = listener(&port);
	struct sockaddr_in a = loop(port);

	*c = socket(AF_INET, SOCK_STREAM, 0);
	CHECK_EQ(connect(*c, (void *)&a, sizeof(a)), 0);
	*s = accept(l, NULL, NULL);
	CHECK(*s >= 0);
	close(l);
}

TEST(tcp_basics)
{
	int c, s;
	char buf[64] = "";
	struct sockaddr_in a, b;
	socklen_t n = sizeof(a);

	pair(&c, &s);
	CHECK_EQ(write(c, "ping", 4), 4);
	CHECK_EQ(read(s, buf, sizeof(buf)), 4);
	CHECK_STR(buf, "ping");
	CHECK_EQ(send(s, "pong!", 5, MSG_NOSIGNAL), 5);
	CHECK_EQ(recv(c, buf, 2, MSG_PEEK), 2);
	CHECK_EQ(recv(c, buf, 5, MSG_WAITALL), 5);
	CHECK(memcmp(buf, "pong!", 5) == 0);
	CHECK_EQ(getpeername(c, (void *)&a, &n), 0);
	CHECK_EQ(getsockname(s, (void *)&b, &n), 0);
	CHECK_EQ(a.sin_port, b.sin_port);
	CHECK_EQ(shutdown(c, SHUT_WR), 0);
	CHECK_EQ(read(s, buf, 1), 0);
	CHECK_EQ(write(s, "late", 4), 4);
	CHECK_EQ(read(c, buf, 4), 4);
	CHECK_EQ(close(s), 0);
	CHECK_EQ(read(c, buf, 1), 0);
	close(c);
}

struct bulk {
	int fd;
	size_t n;
};

static void *bulk_send(void *arg)
{
	struct bulk *b = arg;
	unsigned char *p = malloc(100000);

	for (size_t at = 0; at < b->n;) {
		size_t want = b->n - at < 100000 ? b->n - at : 100000;
		for (size_t i = 0; i < want; i++)
			p[i] = (unsigned char)((at + i) * 31 + ((at + i) >> 12));
		for (size_t done = 0; done < want;) {
			ssize_t n = write(b->fd, p + done, want - done);
			if (n <= 0)
				return (void *)1;
			done += (size_t)n;
		}
		at += want;
	}
	shutdown(b->fd, SHUT_WR);
	free(p);
	return NULL;
}

TEST(tcp_bulk)
{
	int c, s;
	pthread_t t;
	size_t at = 0, bad = 0;
	unsigned char *buf = malloc(65536);
	void *r;

	pair(&c, &s);
	struct bulk b = { c, 8 << 20 };
	pthread_create(&t, NULL, bulk_send, &b);
	for (;;) {
		ssize_t n = read(s, buf, 65536);
		if (n <= 0)
			break;
		for (ssize_t i = 0; i < n; i++, at++)
			bad += buf[i] != (unsigned char)(at * 31 + (at >> 12));
	}
	pthread_join(t, &r);
	CHECK(r == NULL);
	CHECK_EQ(at, 8 << 20);
	CHECK_EQ(bad, 0);
	close(c);
	close(s);
	free(buf);
}

TEST(tcp_errors)
{
	struct sockaddr_in a = loop(1);
	int s = socket(AF_INET, SOCK_STREAM, 0), err = 0, c, port;
	socklen_t n = sizeof(err);
	char ch;

	CHECK_EQ(connect(s, (void *)&a, sizeof(a)), -1);
	CHECK_EQ(errno, ECONNREFUSED);
	close(s);
	s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int r = connect(s, (void *)&a, sizeof(a));
	CHECK_EQ(r, -1);
	CHECK(errno == EINPROGRESS || errno == ECONNREFUSED);
	struct pollfd pf = { s, POLLOUT, 0 };
	CHECK_EQ(poll(&pf, 1, 1000), 1);
	CHECK(pf.revents & (POLLERR | POLLHUP));
	getsockopt(s, SOL_SOCKET, SO_ERROR, &err, &n);
	CHECK(err == ECONNREFUSED || r == -1);
	close(s);
	s = listener(&port);
	int s2 = socket(AF_INET, SOCK_STREAM, 0);
	a = loop(port);
	CHECK_EQ(bind(s2, (void *)&a, sizeof(a)), -1);
	CHECK_EQ(errno, EADDRINUSE);
	close(s2);
	CHECK_EQ(accept4(s, NULL, NULL, 0x12345000), -1);
	fcntl(s, F_SETFL, O_NONBLOCK);
	CHECK_EQ(accept(s, NULL, NULL), -1);
	CHECK_EQ(errno, EAGAIN);
	close(s);
	pair(&c, &s);
	struct linger lg = { 1, 0 };
	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_LINGER, &lg, sizeof(lg)), 0);
	close(c);
	CHECK_EQ(read(s, &ch, 1), -1);
	CHECK_EQ(errno, ECONNRESET);
	close(s);
	pair(&c, &s);
	close(s);
	signal(SIGPIPE, SIG_IGN);
	usleep(10000);
	(void)!write(c, "x", 1);
	usleep(10000);
	CHECK_EQ(write(c, "x", 1), -1);
	CHECK(errno == EPIPE || errno == ECONNRESET);
	close(c);
	CHECK_EQ(send(1, "", 0, 0), -1);
	CHECK_EQ(errno, ENOTSOCK);
	CHECK_EQ(socket(AF_INET, 99, 0), -1);
	CHECK_EQ(socket(12345, SOCK_STREAM, 0), -1);
	CHECK_EQ(errno, EAFNOSUPPORT);
}

TEST(options)
{
	int c, s, v, one = 1;
	socklen_t n = sizeof(v);
	struct timeval tv = { 0, 20000 };
	char ch;

	pair(&c, &s);
	CHECK_EQ(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)), 0);
	CHECK_EQ(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &n), 0);
	CHECK(v != 0);
	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one)), 0);
	v = 30;
	CHECK_EQ(setsockopt(c, IPPROTO_TCP, TCP_KEEPIDLE, &v, sizeof(v)), 0);
	CHECK_EQ(setsockopt(c, IPPROTO_TCP, TCP_KEEPINTVL, &v, sizeof(v)), 0);
	v = 0;
	CHECK_EQ(getsockopt(c, IPPROTO_TCP, TCP_KEEPIDLE, &v, &n), 0);
	CHECK_EQ(v, 30);
	CHECK_EQ(getsockopt(c, SOL_SOCKET, SO_TYPE, &v, &n), 0);
	CHECK_EQ(v, SOCK_STREAM);
	v = 65536;
	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_RCVBUF, &v, sizeof(v)), 0);
	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_SNDBUF, &v, sizeof(v)), 0);
	CHECK_EQ(setsockopt(c, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	double t0 = now();
	CHECK_EQ(read(c, &ch, 1), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK(now() - t0 >= 0.015);
	struct tcp_info ti;
	n = sizeof(ti);
	CHECK_EQ(getsockopt(c, IPPROTO_TCP, TCP_INFO, &ti, &n), 0);
	CHECK_EQ(ti.tcpi_state, TCP_ESTABLISHED);
	CHECK_EQ(write(s, "abc", 3), 3);
	usleep(5000);
	CHECK_EQ(ioctl(c, FIONREAD, &v), 0);
	CHECK_EQ(v, 3);
	CHECK_EQ(setsockopt(c, SOL_SOCKET, 54321, &one, sizeof(one)), -1);
	CHECK_EQ(errno, ENOPROTOOPT);
	close(c);
	close(s);
}

TEST(udp)
{
	int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in aa = loop(0), ba = loop(0), from;
	socklen_t n = sizeof(aa);
	char buf[2000];

	CHECK_EQ(bind(a, (void *)&aa, sizeof(aa)), 0);
	CHECK_EQ(bind(b, (void *)&ba, sizeof(ba)), 0);
	getsockname(a, (void *)&aa, &n);
	getsockname(b, (void *)&ba, &n);
	CHECK_EQ(sendto(a, "dgram", 5, 0, (void *)&ba, sizeof(ba)), 5);
	n = sizeof(from);
	CHECK_EQ(recvfrom(b, buf, sizeof(buf), 0, (void *)&from, &n), 5);
	CHECK_EQ(from.sin_port, aa.sin_port);
	CHECK_EQ(connect(b, (void *)&aa, sizeof(aa)), 0);
	CHECK_EQ(send(b, buf, 1200, 0), 1200);
	CHECK_EQ(recv(a, buf, 10, MSG_TRUNC), 1200);
	CHECK_EQ(recv(a, buf, 10, MSG_DONTWAIT), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(sendto(a, "", 0, 0, (void *)&ba, sizeof(ba)), 0);
	CHECK_EQ(recv(b, buf, 10, 0), 0);
	struct iovec iov[2] = { { (void *)"ab", 2 }, { (void *)"cd", 2 } };
	struct msghdr m = {
		.msg_name = &ba, .msg_namelen = sizeof(ba), .msg_iov = iov, .msg_iovlen = 2
	};
	CHECK_EQ(sendmsg(a, &m, 0), 4);
	CHECK_EQ(read(b, buf, sizeof(buf)), 4);
	CHECK(memcmp(buf, "abcd", 4) == 0);
	close(a);
	close(b);
}

TEST(unix_streams)
{
	int p[2], q[2];
	char buf[32] = "";

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, p), 0);
	CHECK_EQ(write(p[0], "hi", 2), 2);
	CHECK_EQ(read(p[1], buf, sizeof(buf)), 2);
	CHECK_STR(buf, "hi");
	/* pass a descriptor */
	CHECK_EQ(pipe(q), 0);
	char cbuf[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { (void *)"x", 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = cbuf,
			    .msg_controllen = sizeof(cbuf) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &q[1], sizeof(int));
	CHECK_EQ(sendmsg(p[0], &m, 0), 1);
	memset(cbuf, 0, sizeof(cbuf));
	iov.iov_base = buf;
	m.msg_controllen = sizeof(cbuf);
	CHECK_EQ(recvmsg(p[1], &m, 0), 1);
	cm = CMSG_FIRSTHDR(&m);
	CHECK(cm != NULL);
	if (cm) {
		int fd;
		memcpy(&fd, CMSG_DATA(cm), sizeof(int));
		CHECK_EQ(write(fd, "via", 3), 3);
		CHECK_EQ(read(q[0], buf, 3), 3);
		close(fd);
	}
	close(p[0]);
	CHECK_EQ(read(p[1], buf, 1), 0);
	close(p[1]);
	/* named */
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	snprintf(a.sun_path, sizeof(a.sun_path), "/tmp/conf-sock-%d", getpid());
	int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_EQ(connect(c, (void *)&a, sizeof(a)), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(bind(l, (void *)&a, sizeof(a)), 0);
	CHECK_EQ(listen(l, 5), 0);
	CHECK_EQ(connect(c, (void *)&a, sizeof(a)), 0);
	int s = accept(l, NULL, NULL);
	CHECK_EQ(write(c, "named", 5), 5);
	CHECK_EQ(read(s, buf, 5), 5);
	struct ucred uc;
	socklen_t n = sizeof(uc);
	CHECK_EQ(getsockopt(s, SOL_SOCKET, SO_PEERCRED, &uc, &n), 0);
	CHECK_EQ(uc.pid, getpid());
	close(s);
	close(c);
	close(l);
	unlink(a.sun_path);
}

TEST(epoll_modes)
{
	int e = epoll_create1(EPOLL_CLOEXEC), p[2];
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 42 }, out[8];
	char c;

	CHECK_EQ(pipe2(p, O_NONBLOCK), 0);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev), 0);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev), -1);
	CHECK_EQ(errno, EEXIST);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 0);
	double t0 = now();
	CHECK_EQ(epoll_wait(e, out, 8, 20), 0);
	CHECK(now() - t0 >= 0.019);
	CHECK_EQ(write(p[1], "ab", 2), 2);
	CHECK_EQ(epoll_wait(e, out, 8, -1), 1);
	CHECK_EQ(out[0].data.u64, 42);
	CHECK_EQ(out[0].events, EPOLLIN);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 1); /* level */
	ev.events = EPOLLIN | EPOLLET;
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev), 0);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 1);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 0); /* edge */
	CHECK_EQ(write(p[1], "c", 1), 1);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 1);
	ev.events = EPOLLIN | EPOLLONESHOT;
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev), 0);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 1);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 0);
	CHECK_EQ(write(p[1], "d", 1), 1);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 0);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev), 0);
	CHECK_EQ(epoll_wait(e, out, 8, 0), 1);
	while (read(p[0], &c, 1) == 1)
		;
	ev.events = EPOLLIN;
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_MOD, p[0], &ev), 0);
	close(p[1]);
	CHECK_EQ(epoll_wait(e, out, 8, 100), 1);
	CHECK(out[0].events & EPOLLHUP);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_DEL, p[0], NULL), 0);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_DEL, p[0], NULL), -1);
	CHECK_EQ(errno, ENOENT);
	CHECK_EQ(epoll_wait(e, out, 0, 0), -1);
	CHECK_EQ(errno, EINVAL);
	int f = open("/etc/passwd", O_RDONLY);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, f, &ev), -1);
	CHECK_EQ(errno, EPERM);
	close(f);
	close(p[0]);
	close(e);
}

TEST(epoll_close_and_nest)
{
	int e = epoll_create1(0), outer = epoll_create1(0), v = eventfd(0, EFD_NONBLOCK), d;
	struct epoll_event ev = { .events = EPOLLIN }, out[2];
	uint64_t one = 1;

	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, v, &ev), 0);
	CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, e, &ev), 0);
	CHECK_EQ(epoll_wait(outer, out, 2, 0), 0);
	CHECK_EQ(write(v, &one, 8), 8);
	CHECK_EQ(epoll_wait(outer, out, 2, 0), 1);
	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, outer, &ev), -1);
	CHECK_EQ(errno, ELOOP);
	d = dup(v);
	close(v);
	CHECK_EQ(epoll_wait(e, out, 2, 0), 1); /* the open file lives on */
	close(d);
	CHECK_EQ(epoll_wait(e, out, 2, 0), 0);
	close(e);
	close(outer);
}

static void *late_write(void *arg)
{
	uint64_t one = 1;

	usleep(20000);
	(void)!write(*(int *)arg, &one, 8);
	return NULL;
}

TEST(waking_waiters)
{
	int v = eventfd(0, 0), e = epoll_create1(0);
	struct epoll_event ev = { .events = EPOLLIN }, out;
	pthread_t t;
	uint64_t x;

	CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, v, &ev), 0);
	pthread_create(&t, NULL, late_write, &v);
	CHECK_EQ(epoll_wait(e, &out, 1, 5000), 1);
	CHECK_EQ(read(v, &x, 8), 8);
	CHECK_EQ(x, 1);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, late_write, &v);
	struct pollfd pf = { v, POLLIN, 0 };
	CHECK_EQ(poll(&pf, 1, 5000), 1);
	CHECK_EQ(read(v, &x, 8), 8);
	pthread_join(t, NULL);
	pthread_create(&t, NULL, late_write, &v);
	fd_set rd;
	FD_ZERO(&rd);
	FD_SET(v, &rd);
	struct timeval tv = { 5, 0 };
	CHECK_EQ(select(v + 1, &rd, NULL, NULL, &tv), 1);
	CHECK(FD_ISSET(v, &rd));
	pthread_join(t, NULL);
	CHECK_EQ(read(v, &x, 8), 8);
	pthread_create(&t, NULL, late_write, &v);
	CHECK_EQ(read(v, &x, 8), 8); /* blocking */
	pthread_join(t, NULL);
	close(v);
	close(e);
}

TEST(eventfd_rules)
{
	int v = eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE);
	uint64_t x = 0;

	CHECK_EQ(read(v, &x, 8), 8);
	CHECK_EQ(x, 1);
	CHECK_EQ(read(v, &x, 8), 8);
	CHECK_EQ(read(v, &x, 8), 8);
	CHECK_EQ(read(v, &x, 8), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(read(v, &x, 4), -1);
	CHECK_EQ(errno, EINVAL);
	x = UINT64_MAX;
	CHECK_EQ(write(v, &x, 8), -1);
	CHECK_EQ(errno, EINVAL);
	x = UINT64_MAX - 1;
	CHECK_EQ(write(v, &x, 8), 8);
	x = 1;
	CHECK_EQ(write(v, &x, 8), -1);
	CHECK_EQ(errno, EAGAIN);
	close(v);
}

TEST(timerfd)
{
	int t = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	struct itimerspec its = { { 0, 5000000 }, { 0, 5000000 } }, cur;
	uint64_t x = 0;

	CHECK_EQ(read(t, &x, 8), -1);
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(timerfd_settime(t, 0, &its, NULL), 0);
	struct pollfd pf = { t, POLLIN, 0 };
	CHECK_EQ(poll(&pf, 1, 1000), 1);
	usleep(20000);
	CHECK_EQ(read(t, &x, 8), 8);
	CHECK(x >= 3);
	CHECK_EQ(timerfd_gettime(t, &cur), 0);
	CHECK_EQ(cur.it_interval.tv_nsec, 5000000);
	close(t);
}

TEST(signalfd_reads)
{
	sigset_t set;
	struct signalfd_siginfo si;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	int s = signalfd(-1, &set, SFD_NONBLOCK);
	if (s < 0 && errno == ENOSYS)
		return; /* documented in docs/linux.md */
	CHECK_EQ(read(s, &si, sizeof(si)), -1);
	kill(getpid(), SIGUSR1);
	CHECK_EQ(read(s, &si, sizeof(si)), (long)sizeof(si));
	CHECK_EQ(si.ssi_signo, SIGUSR1);
	close(s);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

TEST(many_connections)
{
	enum { N = 400 };
	static int c[N], s[N];
	int port, l = listener(&port), e = epoll_create1(0);
	struct sockaddr_in a = loop(port);
	struct epoll_event ev = { .events = EPOLLIN }, out[64];
	char ch;

	for (int i = 0; i < N; i++) {
		c[i] = socket(AF_INET, SOCK_STREAM, 0);
		CHECK_EQ(connect(c[i], (void *)&a, sizeof(a)), 0);
		s[i] = accept(l, NULL, NULL);
		ev.data.fd = s[i];
		CHECK_EQ(epoll_ctl(e, EPOLL_CTL_ADD, s[i], &ev), 0);
	}
	for (int i = 0; i < N; i += 3)
		CHECK_EQ(write(c[i], "m", 1), 1);
	int seen = 0;
	for (double t0 = now(); seen < (N + 2) / 3 && now() - t0 < 5;) {
		int n = epoll_wait(e, out, 64, 100);
		for (int i = 0; i < n; i++)
			if (read(out[i].data.fd, &ch, 1) == 1)
				seen++;
	}
	CHECK_EQ(seen, (N + 2) / 3);
	for (int i = 0; i < N; i++) {
		close(c[i]);
		close(s[i]);
	}
	close(l);
	close(e);
}

TEST(names_resolve)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *ai;

	CHECK_EQ(getaddrinfo("127.0.0.1", "80", &hints, &ai), 0);
	if (ai)
		freeaddrinfo(ai);
}

UNIT_MAIN(CASE(tcp_basics), CASE(tcp_bulk), CASE(tcp_errors), CASE(options), CASE(udp),
	  CASE(unix_streams), CASE(epoll_modes), CASE(epoll_close_and_nest), CASE(waking_waiters),
	  CASE(eventfd_rules), CASE(timerfd), CASE(signalfd_reads), CASE(many_connections),
	  CASE(names_resolve))
