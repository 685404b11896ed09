/* SPDX-License-Identifier: Apache-2.0 */
/* backlog.c - longer queues for QEMU's forwarded ports. See backlog.h. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/godwit/backlog.h"

#define BACKLOG 4096

/* Does fd listen on the host port of a forward? */
static bool is_forward(int fd, const struct options *o)
{
	struct sockaddr_in a = { 0 };
	socklen_t a_len = sizeof(a), n = sizeof(int);
	int listens = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n) != 0 || listens == 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &a_len) != 0 || a.sin_family != AF_INET)
		return false;
	for (size_t i = 0; i < o->n_forwards; i++)
		if (!o->forwards[i].udp && o->forwards[i].host == ntohs(a.sin_port))
			return true;
	return false;
}

/* Is the child's descriptor `name` a socket? */
static bool is_socket(int folder, const char *name)
{
	char link[32] = "";

	return readlinkat(folder, name, link, sizeof(link) - 1) > 0 &&
	       strncmp(link, "socket:", 7) == 0;
}

static size_t raise_all(int pidfd, DIR *d, const struct options *o)
{
	struct dirent *e;
	size_t n = 0;

	while ((e = readdir(d)) != NULL) {
		int fd;

		if (!is_socket(dirfd(d), e->d_name))
			continue;
		fd = (int)syscall(SYS_pidfd_getfd, pidfd, atoi(e->d_name), 0);
		if (fd < 0) {
			note("forwarded ports keep a queue of one: pidfd_getfd: %s",
			     strerror(errno));
			break;
		}
		if (is_forward(fd, o) && listen(fd, BACKLOG) == 0)
			n++;
		close(fd);
	}
	return n;
}

void backlog_raise(pid_t qemu, const struct options *o)
{
	char path[40];
	size_t want = 0;
	int pidfd;
	DIR *d;

	for (size_t i = 0; i < o->n_forwards; i++)
		want += !o->forwards[i].udp;
	if (want == 0 || o->net != NET_USER)
		return;
	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)qemu);
	pidfd = (int)syscall(SYS_pidfd_open, qemu, 0);
	d = opendir(path);
	if (pidfd < 0 || d == NULL)
		note("forwarded ports keep a queue of one: %s", strerror(errno));
	else
		note("%zu of %zu forwarded ports have room for %d waiting clients",
		     raise_all(pidfd, d, o), want, BACKLOG);
	if (d != NULL)
		closedir(d);
	if (pidfd >= 0)
		close(pidfd);
}
