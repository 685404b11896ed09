/* SPDX-License-Identifier: Apache-2.0 */
/* backend.c - a small vhost-user back end for tests: `backend PORT PORT` joins two ports by a wire.
 * A port is `tap=IF` or the path of a socket, where it waits for one front end. Its own reading of
 * virtio 1.2, 2.7 and of the vhost-user protocol, apart from runtime/virtio: split rings without
 * indirect descriptors or event index. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/vhost_types.h>
#include <linux/virtio_ring.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HDR 12u
#define FRAME (HDR + 65536u)
#define FEATURES \
	(1ull << 32 | 1ull << 30 | 1ull << 15) /* VERSION_1, protocol features, MRG_RXBUF */

struct ring {
	uint32_t num;
	uint16_t seen; /* next of avail */
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	int kick, call;
	bool on;
};

struct port {
	int tap, conn; /* one of them >= 0 */
	uint8_t *mem;
	uint64_t guest, bytes, front;
	struct ring ring[2]; /* the front end's receive, send */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "backend: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- memory ---- */

static void *inside(struct port *p, uint64_t off, uint64_t n)
{
	if (off > p->bytes || n > p->bytes - off) {
		fprintf(stderr, "backend: an address outside of the memory\n");
		exit(1);
	}
	return p->mem + off;
}

/* ---- frames ---- */

/* One frame of the front end's send ring with its header; 0: none. */
static uint32_t take(struct port *p, uint8_t *to)
{
	struct ring *r = &p->ring[1];
	uint16_t head, at;
	uint32_t n = 0;

	if (!r->on || r->seen == __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE))
		return 0;
	head = at = r->avail->ring[r->seen++ & (r->num - 1)];
	for (;;) {
		struct vring_desc d = r->desc[at & (r->num - 1)];

		if (d.len > FRAME - n)
			exit(1);
		memcpy(to + n, inside(p, d.addr - p->guest, d.len), d.len);
		n += d.len;
		if (!(d.flags & VRING_DESC_F_NEXT))
			break;
		at = d.next;
	}
	r->used->ring[r->used->idx & (r->num - 1)] = (struct vring_used_elem){ head, n };
	__atomic_store_n(&r->used->idx, (uint16_t)(r->used->idx + 1), __ATOMIC_RELEASE);
	return n;
}

/* Into the front end's receive ring, over as many buffers as it takes; false: no room, dropped. */
static bool put(struct port *p, const uint8_t *frame, uint32_t n)
{
	struct ring *r = &p->ring[0];
	uint16_t idx = r->used != NULL ? r->used->idx : 0, buffers = 0;
	uint8_t *first = NULL;
	uint32_t done = 0;

	while (r->on && done < n) {
		uint16_t head;
		struct vring_desc d;
		uint32_t k;

		if ((uint16_t)(r->seen + buffers) ==
		    __atomic_load_n(&r->avail->idx, __ATOMIC_ACQUIRE))
			return false;
		head = r->avail->ring[(uint16_t)(r->seen + buffers) & (r->num - 1)];
		d = r->desc[head & (r->num - 1)];
		k = d.len < n - done ? d.len : n - done;
		memcpy(inside(p, d.addr - p->guest, k), frame + done, k);
		if (done == 0)
			first = inside(p, d.addr - p->guest, HDR);
		r->used->ring[(uint16_t)(idx + buffers) & (r->num - 1)] =
			(struct vring_used_elem){ head, k };
		done += k;
		buffers++;
	}
	if (first == NULL)
		return false;
	memcpy(first + 10, &buffers, 2);
	r->seen = (uint16_t)(r->seen + buffers);
	__atomic_store_n(&r->used->idx, (uint16_t)(idx + buffers), __ATOMIC_RELEASE);
	return true;
}

static void interrupt(struct ring *r)
{
	uint64_t one = 1;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (r->on &&
	    !(__atomic_load_n(&r->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT))
		(void)!write(r->call, &one, sizeof(one));
}

static void move(struct port *from, struct port *to)
{
	static uint8_t frame[FRAME];
	uint32_t n, any = 0;

	for (; any < 256; any++) {
		ssize_t k = from->tap >= 0 ? read(from->tap, frame, sizeof(frame))
					   : (ssize_t)take(from, frame);

		if (k <= 0)
			break;
		n = (uint32_t)k;
		if (to->tap >= 0)
			(void)!write(to->tap, frame, n);
		else
			(void)put(to, frame, n);
	}
	if (any != 0) {
		interrupt(&to->ring[0]);
		interrupt(&from->ring[1]);
	}
}

/* ---- the protocol ---- */

struct msg {
	uint32_t request, flags, size;
	uint8_t body[256];
} __attribute__((packed));

static ssize_t receive(int fd, struct msg *m, int *passed)
{
	char control[CMSG_SPACE(8 * sizeof(int))];
	struct iovec iov = { m, 12 };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &h, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;

	*passed = -1;
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(passed, CMSG_DATA(c), sizeof(int));
	if (n != 12 || m->size > sizeof(m->body))
		return -1;
	return m->size == 0 ? 0 : recv(fd, m->body, m->size, MSG_WAITALL);
}

static void reply(int fd, struct msg *m, const void *body, uint32_t n)
{
	m->flags = 5;
	m->size = n;
	memcpy(m->body, body, n);
	if (write(fd, m, 12 + n) != (ssize_t)(12 + n))
		die("reply");
}

static void set_memory(struct port *p, const struct msg *m, int fd)
{
	uint64_t r[5];

	memcpy(r, m->body, sizeof(r));
	if ((uint32_t)r[0] != 1)
		die("more than one region");
	p->guest = r[1];
	p->bytes = r[2];
	p->front = r[3];
	p->mem = mmap(NULL, p->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)r[4]);
	if (p->mem == MAP_FAILED)
		die("mmap");
	close(fd);
}

/* false: the front end has gone. */
static bool serve(struct port *p)
{
	struct vhost_vring_state *s;
	uint64_t v = 0;
	struct msg m;
	int fd;

	if (receive(p->conn, &m, &fd) < 0)
		return false;
	memcpy(&v, m.body, sizeof(v));
	s = (void *)m.body;
	switch (m.request) {
	case 1: /* GET_FEATURES */
		v = FEATURES;
		reply(p->conn, &m, &v, 8);
		break;
	case 15: /* GET_PROTOCOL_FEATURES */
		v = 0;
		reply(p->conn, &m, &v, 8);
		break;
	case 5:
		set_memory(p, &m, fd);
		break;
	case 8:
		p->ring[s->index & 1].num = s->num;
		break;
	case 9: { /* SET_VRING_ADDR: addresses of the front end's process */
		uint64_t a[5];

		memcpy(a, m.body, sizeof(a));
		p->ring[a[0] & 1].desc = inside(p, a[1] - p->front, 0);
		p->ring[a[0] & 1].used = inside(p, a[2] - p->front, 0);
		p->ring[a[0] & 1].avail = inside(p, a[3] - p->front, 0);
		break;
	}
	case 11: { /* GET_VRING_BASE: stop */
		struct vhost_vring_state now = { s->index, p->ring[s->index & 1].seen };

		p->ring[s->index & 1].on = false;
		reply(p->conn, &m, &now, sizeof(now));
		break;
	}
	case 12:
		p->ring[v & 1].kick = fd;
		break;
	case 13:
		p->ring[v & 1].call = fd;
		break;
	case 18:
		p->ring[s->index & 1].on = s->num != 0;
		break;
	default: /* SET_OWNER, SET_FEATURES, SET_PROTOCOL_FEATURES, SET_VRING_BASE (0) */
		break;
	}
	return true;
}

/* ---- ports ---- */

static struct port open_port(const char *name)
{
	struct port p = { .tap = -1, .conn = -1, .ring = { { .kick = -1 }, { .kick = -1 } } };
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int s;

	if (strncmp(name, "tap=", 4) == 0) {
		struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
		int len = HDR;

		p.tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
		snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name + 4);
		if (p.tap < 0 || ioctl(p.tap, TUNSETIFF, &r) != 0 ||
		    ioctl(p.tap, TUNSETVNETHDRSZ, &len) != 0)
			die(name);
		return p;
	}
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", name);
	if (bind(s, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s, 1) != 0)
		die(name);
	p.conn = -2 - s; /* listens; nobody has come */
	return p;
}

int main(int argc, char **argv)
{
	struct port ports[2];

	if (argc != 3) {
		fprintf(stderr, "backend PORT PORT (tap=IF or the path of a socket)\n");
		return 2;
	}
	for (int i = 0; i < 2; i++)
		ports[i] = open_port(argv[1 + i]);
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct pollfd f[6];

		for (int i = 0; i < 2; i++) {
			struct port *p = &ports[i];

			f[3 * i] = (struct pollfd){ p->tap >= 0	   ? p->tap
						    : p->conn < -1 ? -2 - p->conn
								   : p->conn,
						    POLLIN, 0 };
			f[3 * i + 1] = (struct pollfd){ p->ring[0].kick, POLLIN, 0 };
			f[3 * i + 2] = (struct pollfd){ p->ring[1].kick, POLLIN, 0 };
		}
		if (poll(f, 6, 1000) < 0)
			die("poll");
		for (int i = 0; i < 2; i++) {
			struct port *p = &ports[i];
			uint64_t v;

			for (int k = 0; k < 2; k++)
				if (f[3 * i + 1 + k].revents & POLLIN)
					(void)!read(p->ring[k].kick, &v, sizeof(v));
			if (p->tap >= 0 || !(f[3 * i].revents & (POLLIN | POLLHUP)))
				continue;
			if (p->conn < -1)
				p->conn = accept(-2 - p->conn, NULL, NULL);
			else if (!serve(p))
				return 0;
		}
		move(&ports[0], &ports[1]);
		move(&ports[1], &ports[0]);
	}
}
