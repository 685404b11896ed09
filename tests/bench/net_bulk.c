/* SPDX-License-Identifier: Apache-2.0 */
/* net_bulk.c - the client of bulk transfers in `make bench-net`: `net_bulk send|receive ADDRESS
 * PORT CONNECTIONS SECONDS` prints bytes and nanoseconds. Kernel sockets and epoll; the first fifth
 * of the time is not counted. */
#include <stdint.h>
#include <sys/epoll.h>
#include <time.h>

#include "tests/bench/net_common.h"

static char bytes[256 << 10];

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct epoll_event e[64];
	uint64_t start, from = 0, end, total = 0, t;
	int ep = epoll_create1(0), send;

	if (argc != 6 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1) {
		fprintf(stderr, "net_bulk send|receive ADDRESS PORT CONNECTIONS SECONDS\n");
		return 2;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	send = strcmp(argv[1], "send") == 0;
	to.sin_port = htons((uint16_t)atoi(argv[3]));
	for (int i = 0; i < atoi(argv[4]); i++) {
		struct epoll_event in = { .events = send ? EPOLLOUT : EPOLLIN };

		in.data.fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(in.data.fd, (struct sockaddr *)&to, sizeof(to)) != 0)
			die("connect");
		if (epoll_ctl(ep, EPOLL_CTL_ADD, in.data.fd, &in) != 0)
			die("epoll_ctl");
	}
	start = now();
	end = start + (uint64_t)(atof(argv[5]) * 1e9);
	while ((t = now()) < end) {
		int n = epoll_wait(ep, e, 64, 100);

		if (from == 0 && t > start + (end - start) / 5) {
			from = t;
			total = 0;
		}
		for (int i = 0; i < n; i++) {
			ssize_t k = send ? sendto(e[i].data.fd, bytes, sizeof(bytes), MSG_DONTWAIT,
						  NULL, 0)
					 : recv(e[i].data.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

			if (k == 0 || (k < 0 && errno != EAGAIN))
				die("a connection ended");
			total += k > 0 ? (uint64_t)k : 0;
		}
	}
	printf("%llu %llu\n", (unsigned long long)total, (unsigned long long)(t - from));
	return 0;
}
