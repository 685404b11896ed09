/* SPDX-License-Identifier: Apache-2.0 */
/* net_epoll.c - kernel sockets with epoll, the contender of `make bench-net`: `net_epoll MODE PORT
 * CORES [poll]`, MODE echo, sink (reads and forgets) or source (writes without end); poll: it never
 * sleeps. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "tests/bench/net_common.h"

#define EVENTS 256
static char bytes[256 << 10];

/* 0: nothing more now; -1: the connection is over. */
static int echo(int s)
{
	ssize_t n = read(s, bytes, sizeof(bytes));

	for (ssize_t done = 0, k; done < n; done += k) {
		k = write(s, bytes + done, (size_t)(n - done));
		if (k < 0 && errno == EAGAIN)
			k = 0;
		else if (k < 0)
			return -1;
	}
	return n == 0 || (n < 0 && errno != EAGAIN) ? -1 : 0;
}

static int sink(int s)
{
	ssize_t n = read(s, bytes, sizeof(bytes));

	return n == 0 || (n < 0 && errno != EAGAIN) ? -1 : 0;
}

static int source(int s)
{
	return write(s, bytes, sizeof(bytes)) < 0 && errno != EAGAIN ? -1 : 0;
}

int main(int argc, char **argv)
{
	int (*serve)(int) = NULL;
	struct epoll_event e[EVENTS];
	int ep, ls, timeout = argc == 5 && strcmp(argv[4], "poll") == 0 ? 0 : -1;

	if (argc == 4 || timeout == 0)
		serve = strcmp(argv[1], "echo") == 0	 ? echo
			: strcmp(argv[1], "sink") == 0	 ? sink
			: strcmp(argv[1], "source") == 0 ? source
							 : NULL;
	if (serve == NULL) {
		fprintf(stderr, "net_epoll echo|sink|source PORT CORES [poll]\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	on_cores(argv[3]);
	ls = listener(atoi(argv[2]), SOCK_NONBLOCK);
	ep = epoll_create1(0);
	e[0] = (struct epoll_event){ .events = EPOLLIN, .data.fd = ls };
	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, ls, e) != 0)
		die("epoll");
	for (;;) {
		int n = epoll_wait(ep, e, EVENTS, timeout);

		for (int i = 0; i < n; i++) {
			int s = e[i].data.fd;

			if (s != ls) {
				if (serve(s) != 0)
					close(s);
				continue;
			}
			while ((s = accept4(ls, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
				struct epoll_event in = { .events = serve == source ? EPOLLOUT
										    : EPOLLIN,
							  .data.fd = s };

				no_delay(s);
				if (epoll_ctl(ep, EPOLL_CTL_ADD, s, &in) != 0)
					die("epoll_ctl");
			}
		}
	}
}
