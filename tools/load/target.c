/* SPDX-License-Identifier: Apache-2.0 */
/* target.c - the address to load, and the files that connections need. See run.h. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tools/load/run.h"

/* 0, or the error number of connecting to it once. */
static int probe(const struct addrinfo *a, uint64_t timeout_ns)
{
	int fd = socket(a->ai_family, a->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return errno;
	if (connect(fd, a->ai_addr, a->ai_addrlen) != 0 && errno == EINPROGRESS) {
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (poll(&p, 1, (int)(timeout_ns / NS_PER_MS)) != 1)
			error = ETIMEDOUT;
		else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
	} else if (errno != 0 && errno != EINPROGRESS) {
		error = errno;
	}
	close(fd);
	return error;
}

int find_target(const struct load_config *c, struct sockaddr_storage *address, socklen_t *len)
{
	const struct url *u = &c->options.url;
	struct addrinfo hints = { .ai_socktype = c->proto->datagram ? SOCK_DGRAM : SOCK_STREAM },
			*list = NULL;
	uint16_t port = u->port != 0 ? u->port : c->proto->port;
	char service[8], decimal[8];
	int rc, error = 0;

	snprintf(service, sizeof(service), "%u", port);
	snprintf(decimal, sizeof(decimal), "%u", port);
	rc = getaddrinfo(u->host, service, &hints, &list);
	if (rc != 0)
		return fail("%s: %s", u->host,
			    rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		errno = 0;
		error = probe(a, c->connect_timeout);
		if (error != 0)
			continue;
		memcpy(address, a->ai_addr, a->ai_addrlen);
		*len = a->ai_addrlen;
		break;
	}
	freeaddrinfo(list);
	if (error != 0)
		return fail("cannot connect to %s port %s: %s", u->host, decimal, strerror(error));
	return 0;
}

int want_files(uint32_t n)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	if (limit.rlim_cur < n + 64u) {
		limit.rlim_cur = limit.rlim_max < n + 64u ? limit.rlim_max : n + 64u;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur < n + 64u)
		return fail("--connections %u: this process may open %llu files only (ulimit -n)",
			    n, (unsigned long long)limit.rlim_cur);
	return 0;
}
