/* SPDX-License-Identifier: Apache-2.0 */
/* forward.c - are the host ports of -p free, is the tap there? See forward.h. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/godwit/forward.h"

/* The inode of the socket listening on `port` in /proc/net/tcp or udp, or 0. */
static unsigned long find_inode(bool udp, unsigned int port)
{
	FILE *f = fopen(udp ? "/proc/net/udp" : "/proc/net/tcp", "re");
	unsigned long inode, found = 0;
	unsigned int local, state;
	char line[512];

	while (f != NULL && found == 0 && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*u: %*x:%x %*x:%*x %x %*x:%*x %*x:%*x %*x %*u %*u %lu", &local,
			   &state, &inode) == 3 &&
		    local == port && (udp || state == 10))
			found = inode;
	if (f != NULL)
		fclose(f);
	return found;
}

static bool holds(const char *pid, unsigned long inode)
{
	char path[300], link[64], want[64];
	DIR *d;
	struct dirent *e;
	bool found = false;

	snprintf(want, sizeof(want), "socket:[%lu]", inode);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d != NULL && !found && (e = readdir(d)) != NULL) {
		ssize_t n = readlinkat(dirfd(d), e->d_name, link, sizeof(link) - 1);

		link[n > 0 ? n : 0] = '\0';
		found = strcmp(link, want) == 0;
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* " by NAME (process PID)", or "" when that cannot be told (another user's process). */
static void find_owner(bool udp, unsigned int port, char *who, size_t room)
{
	unsigned long inode = find_inode(udp, port);
	DIR *d = inode != 0 ? opendir("/proc") : NULL;
	struct dirent *e;

	who[0] = '\0';
	while (d != NULL && who[0] == '\0' && (e = readdir(d)) != NULL) {
		char path[300], name[32] = "?";
		FILE *f;

		if (e->d_name[0] < '1' || e->d_name[0] > '9' || !holds(e->d_name, inode))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		f = fopen(path, "re");
		if (f != NULL && fgets(name, sizeof(name), f) != NULL)
			name[strcspn(name, "\n")] = '\0';
		if (f != NULL)
			fclose(f);
		snprintf(who, room, " by %s (process %.20s)", name, e->d_name);
	}
	if (d != NULL)
		closedir(d);
}

static int in_use(const struct forward *f)
{
	char who[96];

	find_owner(f->udp, f->host, who, sizeof(who));
	return fail("-p: %s:%u is in use%s; choose another host port (-p %u:%u%s), or 0 for any "
		    "free one",
		    f->addr, f->host, who, f->host < 65535 ? f->host + 1u : 1024u, f->guest,
		    f->udp ? "/udp" : "");
}

static int check_one(struct forward *f)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(f->host) };
	int s = socket(AF_INET, (f->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), on = 1,
	    result = 0;
	socklen_t n = sizeof(a);

	if (s < 0)
		return fail("-p: no socket: %s", strerror(errno));
	inet_pton(AF_INET, f->addr, &a.sin_addr);
	/* As QEMU binds: a port in TIME_WAIT counts as free. For UDP the option would hide a user.
	 */
	if (!f->udp)
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) != 0 || (!f->udp && listen(s, 1) != 0)) {
		if (errno == EADDRINUSE)
			result = in_use(f);
		else if (errno == EACCES)
			result = fail(
				"-p: %s:%u: ports below 1024 are root's; choose a higher host port "
				"(-p %u:%u)",
				f->addr, f->host, f->host + 8000u, f->guest);
		else
			result = fail("-p: cannot listen on %s:%u: %s", f->addr, f->host,
				      strerror(errno));
	} else if (f->host == 0) {
		getsockname(s, (struct sockaddr *)&a, &n);
		f->host = ntohs(a.sin_port);
		warn("port %u of the program is %s:%u here", f->guest, f->addr, f->host);
	}
	close(s);
	return result;
}

int forward_check(struct options *o)
{
	for (size_t i = 0; i < o->n_forwards; i++)
		if (check_one(&o->forwards[i]) != 0)
			return -1;
	return 0;
}

int tap_check(const struct options *o)
{
	char path[64], line[32] = "";
	unsigned long flags;
	FILE *f;

	if (o->net != NET_TAP)
		return 0;
	snprintf(path, sizeof(path), "/sys/class/net/%s", o->tap);
	if (access(path, F_OK) != 0)
		return fail("--net tap=%s: there is no such interface; make it with: ip tuntap add "
			    "%s mode tap%s",
			    o->tap, o->tap, o->vcores > 1 ? " multi_queue" : "");
	snprintf(path, sizeof(path), "/sys/class/net/%s/tun_flags", o->tap);
	f = fopen(path, "re");
	if (f != NULL && fgets(line, sizeof(line), f) == NULL)
		line[0] = '\0';
	if (f != NULL)
		fclose(f);
	flags = strtoul(line, NULL, 16);
	if (!(flags & IFF_TAP))
		return fail("--net tap=%s: that interface is no tap", o->tap);
	if (o->vcores > 1 && !(flags & IFF_MULTI_QUEUE))
		return fail("--net tap=%s: with -c %u the tap needs several queues; make it with: "
			    "ip tuntap add %s "
			    "mode tap multi_queue",
			    o->tap, o->vcores, o->tap);
	if (o->vcores == 1 && flags & IFF_MULTI_QUEUE)
		return fail("--net tap=%s: with one vcore the tap must not be multi_queue", o->tap);
	return 0;
}
