/* SPDX-License-Identifier: Apache-2.0 */
/* net_common.h - what the kernel-socket contenders of `make bench-net` share: a listener each core
 * (SO_REUSEPORT), a process each core, pinned. They run beside trusted clients only. */
#ifndef GODWIT_BENCH_NET_COMMON_H
#define GODWIT_BENCH_NET_COMMON_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <signal.h>
#include <unistd.h>

static _Noreturn inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A process for each core of LIST ("0,1"), pinned; "-": one, anywhere. Children end with us. */
static inline void on_cores(const char *list)
{
	const char *s = list;
	int first = 1;

	while (*s >= '0' && *s <= '9') {
		unsigned long core = strtoul(s, (char **)&s, 10);
		cpu_set_t set;

		s += *s == ',';
		if (!first && fork() != 0)
			continue;
		if (!first)
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		CPU_ZERO(&set);
		CPU_SET(core, &set);
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			die("sched_setaffinity");
		if (!first)
			return;
		first = 0;
	}
}

static inline int listener(int port, int flags)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int s = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
	    setsockopt(s, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0 ||
	    bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s, 1024) != 0)
		die("listen");
	return s;
}

static inline void no_delay(int s)
{
	int one = 1;

	(void)setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

#endif
