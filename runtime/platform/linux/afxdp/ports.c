/* SPDX-License-Identifier: Apache-2.0 */
/* ports.c - which ports of a shared address are the program's. A port is taken by binding a Linux
 * socket to it (so that no other program of this system has it, or gets it), and by its bit in the
 * XDP program's map. It is given back two minutes after its last use, when the last packets of its
 * connections have come and gone. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/platform/linux/afxdp/afxdp_internal.h"

#define LINGER_NS (120 * NS_PER_SEC)

struct port {
	int fd;
	uint32_t uses;
	uint64_t free_ns; /* when it may go; 0: in use */
};

static struct {
	struct spinlock lock;
	struct port of[2][65536]; /* untouched pages cost nothing */
	uint32_t n_leaving;
} ports;

static void set_bit(bool udp, uint16_t port, bool on)
{
	uint64_t bit = 1ull << (port & 63);
	_Atomic uint64_t *word = (_Atomic uint64_t *)&xdp.rules->ports[udp][port >> 6];

	if (on)
		atomic_fetch_or_explicit(word, bit, memory_order_relaxed);
	else
		atomic_fetch_and_explicit(word, ~bit, memory_order_relaxed);
}

/* A socket bound to the port (0: one that Linux chooses, told in *port), or -errno. */
static int reserve(bool udp, uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(*port) };
	int fd = socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0), one = 1;
	socklen_t len = sizeof(at);

	if (fd < 0)
		return -errno;
	/* connections of an earlier run that linger in Linux are no reason to refuse */
	if (!udp)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	at.sin_addr.s_addr = xdp.rules->addr;
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		int err = -errno;

		close(fd);
		return err;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

/* Under the lock; now and then, not for every packet. */
static void let_go(uint64_t now)
{
	for (uint32_t i = 0; ports.n_leaving != 0 && i < 2 * 65536; i++) {
		struct port *p = &ports.of[i >> 16][i & 65535];

		if (p->free_ns == 0 || p->free_ns > now)
			continue;
		set_bit(i >> 16, (uint16_t)i, false);
		close(p->fd);
		p->free_ns = 0;
		ports.n_leaving--;
	}
}

static int take(bool udp, uint16_t *port)
{
	struct port *p = &ports.of[udp][*port];
	int fd;

	if (*port != 0 && (p->uses != 0 || p->free_ns != 0)) {
		if (p->free_ns != 0)
			ports.n_leaving--;
		p->free_ns = 0;
		p->uses++;
		return 0;
	}
	fd = reserve(udp, port);
	if (fd < 0)
		return fd;
	p = &ports.of[udp][*port];
	p->fd = fd;
	p->uses = 1;
	set_bit(udp, *port, true);
	return 0;
}

static void give_back(bool udp, uint16_t port, uint64_t now)
{
	struct port *p = &ports.of[udp][port];

	if (p->uses == 0 || --p->uses != 0)
		return;
	p->free_ns = now + LINGER_NS;
	ports.n_leaving++;
	if (ports.n_leaving % 1024 == 0)
		let_go(now);
}

int xdp_port(struct netdev *d, bool udp, uint16_t port, bool on)
{
	uint64_t now = clock_now();
	int err = 0;

	(void)d;
	if (!xdp.shared)
		return 0;
	spin_lock(&ports.lock);
	if (on)
		err = take(udp, &port);
	else
		give_back(udp, port, now);
	spin_unlock(&ports.lock);
	return err;
}

int xdp_pick_port(struct netdev *d, bool udp, uint16_t *port)
{
	int err;

	(void)d;
	*port = 0;
	if (!xdp.shared)
		return 0;
	spin_lock(&ports.lock);
	err = take(udp, port);
	if (err == -EADDRINUSE || err == -EMFILE) { /* some that left may go by now */
		let_go(clock_now());
		err = take(udp, port);
	}
	spin_unlock(&ports.lock);
	return err;
}
