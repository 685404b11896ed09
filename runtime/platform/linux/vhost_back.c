/* SPDX-License-Identifier: Apache-2.0 */
/* vhost_back.c - a network device that is another process: this one is the vhost-user back end
 * (QEMU, docs/interop/vhost-user.rst) of one front end at a time, which may be another Godwit
 * program (--net vhost-user=) or a virtual machine. Frames are copied once in each direction, out
 * of and into the front end's memory; checksums are left out where it agrees. One queue pair, on
 * shard 0. What a front end says is checked here, what is in its rings in vhost_ring.c; one that
 * stops in the middle of a message stops shard 0 for up to a second and is then let go. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/net/csum.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/platform/linux/netdevs.h"
#include "runtime/platform/linux/vhost_message.h"
#include "runtime/platform/linux/vhost_ring.h"

#define F_CSUM (1ull << 0)	 /* it may leave checksums to us */
#define F_GUEST_CSUM (1ull << 1) /* and we to it */
#define F_MRG_RXBUF (1ull << 15)
#define F_VERSION_1 (1ull << 32)
#define OFFER (F_CSUM | F_GUEST_CSUM | F_MRG_RXBUF | F_VERSION_1)
#define REPLY 5u /* version 1, a reply */
#define BATCH 64u
#define PIECES 16u
#define LOOK_NS NS_PER_MS
#define RX_AT 64u
#define NEEDS_CSUM 1u /* virtio_net_hdr.flags */

static struct {
	struct netdev dev;     /* first */
	struct netdev_queue q; /* of it */
	const char *path;
	int listener, conn;
	uint64_t features, looked_ns;
	struct vhost_memory mem;
	struct vhost_ring ring[2]; /* the front end's receive, send */
	struct pbuf_pool *pool;
	void (*input)(void *ctx, struct pbuf *frame);
	void *ctx;
	struct poller poller;
	struct shard *shard;
	struct netdev_drops drops;
} back = { .listener = -1, .conn = -1 };

struct heard {
	uint32_t request, flags, size;
	uint64_t body[1 + 4 * VHOST_REGIONS];
	int fds[VHOST_REGIONS];
	unsigned n_fds;
};

/* ---- the front end comes and goes ---- */

static void forget_memory(void)
{
	for (uint32_t i = 0; i < 2; i++)
		back.ring[i].avail = NULL;
	while (back.mem.n != 0) {
		struct vhost_region *r = &back.mem.r[--back.mem.n];

		(void)munmap(r->map, r->map_bytes);
	}
}

static void replace(int *fd, int by)
{
	if (*fd >= 0)
		close(*fd);
	*fd = by;
}

static void let_go(void)
{
	forget_memory();
	for (uint32_t i = 0; i < 2; i++) {
		replace(&back.ring[i].kick, -1);
		replace(&back.ring[i].call, -1);
		back.ring[i] = (struct vhost_ring){ .kick = -1, .call = -1 };
	}
	replace(&back.conn, -1);
	back.features = 0;
}

static void come_in(void)
{
	struct timeval second = { .tv_sec = 1 };
	int s = accept4(back.listener, NULL, NULL, SOCK_CLOEXEC);

	if (s < 0)
		return;
	if (back.conn >= 0 || hosted_watch(s, 0) != 0) { /* one at a time */
		close(s);
		return;
	}
	(void)setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	back.conn = s;
}

/* ---- messages ---- */

static bool hear(struct heard *h)
{
	char control[CMSG_SPACE(sizeof(h->fds))];
	struct iovec iov = { h, VHOST_HEADER };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(back.conn, &m, MSG_CMSG_CLOEXEC | MSG_WAITALL);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;

	h->n_fds = 0;
	memset(h->body, 0, sizeof(h->body));
	if (c != NULL && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		h->n_fds = (unsigned)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(h->fds, CMSG_DATA(c), h->n_fds * sizeof(int));
	}
	return n == (ssize_t)VHOST_HEADER && h->size <= sizeof(h->body) &&
	       (h->size == 0 || recv(back.conn, h->body, h->size, MSG_WAITALL) == (ssize_t)h->size);
}

static bool answer(struct heard *h, uint64_t v)
{
	struct vu_message m = { h->request, REPLY, sizeof(v), { .u64 = v } };

	return send(back.conn, &m, VHOST_HEADER + sizeof(v), MSG_NOSIGNAL) ==
	       (ssize_t)(VHOST_HEADER + sizeof(v));
}

static bool set_memory(const struct heard *h)
{
	uint32_t n = (uint32_t)h->body[0];

	forget_memory();
	if (n == 0 || n > VHOST_REGIONS || h->n_fds != n || h->size < 8 + 32 * n)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		const uint64_t *b = &h->body[1 + 4 * i]; /* physical, bytes, own, offset */
		struct vhost_region *r = &back.mem.r[i];
		struct stat st;

		if (b[1] == 0 || b[1] > 1ull << 46 || b[3] > 1ull << 46 || b[0] + b[1] < b[0] ||
		    b[2] + b[1] < b[2] || fstat(h->fds[i], &st) != 0 ||
		    (uint64_t)st.st_size < b[1] + b[3])
			return false;
		r->map_bytes = b[1] + b[3];
		r->map = mmap(NULL, r->map_bytes, PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_NORESERVE, h->fds[i], 0);
		if (r->map == MAP_FAILED)
			return false;
		back.mem.n = i + 1;
		r->guest = b[0];
		r->bytes = b[1];
		r->front = b[2];
		r->at = (uint8_t *)r->map + b[3];
	}
	return true;
}

/* A descriptor for a ring: bit 8 says that there is none. */
static bool set_fd(struct heard *h, bool kick)
{
	struct vhost_ring *r = &back.ring[h->body[0] & 1];
	bool none = (h->body[0] & 0x100) != 0;

	if ((h->body[0] & 0xff) > 1 || (none ? h->n_fds != 0 : h->n_fds != 1))
		return false;
	replace(kick ? &r->kick : &r->call, none ? -1 : h->fds[0]);
	h->n_fds = 0; /* kept */
	return !kick || none || hosted_watch(r->kick, GW_EVENT_IRQ0) == 0;
}

/* false: that is no front end. */
static bool serve(struct heard *h)
{
	uint32_t index = (uint32_t)h->body[0], num = (uint32_t)(h->body[0] >> 32);
	struct vhost_ring *r = &back.ring[index & 1];
	uint64_t state;

	switch (h->request) {
	case GET_FEATURES:
		return answer(h, OFFER);
	case SET_FEATURES:
		back.features = h->body[0];
		return (back.features & ~OFFER) == 0 && (back.features & F_VERSION_1);
	case SET_MEM_TABLE:
		return set_memory(h);
	case SET_VRING_NUM:
		r->num = num;
		return index < 2;
	case SET_VRING_BASE:
		r->seen = r->done = r->filled = r->told = (uint16_t)num;
		return index < 2;
	case SET_VRING_ADDR: /* flags, desc, used, avail */
		return index < 2 &&
		       vhost_ring_set(r, &back.mem, h->body[1], h->body[3], h->body[2]);
	case GET_VRING_BASE:
		state = (uint64_t)r->seen << 32 | index;
		r->avail = NULL;
		return index < 2 && answer(h, state);
	case SET_VRING_KICK:
		return set_fd(h, true);
	case SET_VRING_CALL:
		return set_fd(h, false);
	default:			/* SET_OWNER, and what needs no answer */
		return !(h->flags & 8); /* an answer wanted to what we do not know */
	}
}

static void look(void)
{
	struct pollfd p[2] = { { back.listener, POLLIN, 0 }, { back.conn, POLLIN, 0 } };

	if (poll(p, 2, 0) <= 0)
		return;
	if (p[0].revents != 0)
		come_in();
	if (p[1].revents != 0) {
		struct heard h;
		bool ok = hear(&h) && serve(&h);

		while (h.n_fds != 0)
			close(h.fds[--h.n_fds]);
		if (!ok) {
			log_warn("vhost-user: the front end has gone");
			let_go();
		}
	}
}

/* ---- frames ---- */

static bool receive(void)
{
	uint8_t header[VHOST_NET_HEADER];
	unsigned n = 0;

	for (; n < BATCH && vhost_ring_filled(&back.ring[1]); n++) {
		struct pbuf *p = pbuf_alloc(back.pool, RX_AT);
		uint32_t len;

		if (p == NULL) {
			back.drops.no_buffer++;
			break;
		}
		len = vhost_ring_take(&back.ring[1], &back.mem, header, p->data, PBUF_ROOM - RX_AT);
		if (len == 0 || len > PBUF_ROOM - RX_AT) {
			back.drops.device++;
			pbuf_free(back.pool, p);
			continue;
		}
		p->len = p->total = len;
		p->time_ns = back.shard->now_ns;
		memcpy(&p->csum_start, header + 6, 2);
		memcpy(&p->csum_offset, header + 8, 2);
		if ((header[0] & NEEDS_CSUM) &&
		    (uint32_t)p->csum_start + p->csum_offset + 2u <= len)
			p->flags |= PBUF_CSUM_PARTIAL;
		back.input(back.ctx, p);
	}
	return n != 0;
}

static bool back_poll(struct poller *p)
{
	uint64_t now = back.shard->now_ns;
	bool work;

	(void)p;
	if (now - back.looked_ns >= LOOK_NS) {
		back.looked_ns = now;
		look();
	}
	work = receive();
	if (work)
		vhost_ring_want(&back.ring[1], false);
	return work;
}

static void back_flush(struct poller *p)
{
	(void)p;
	vhost_ring_tell(&back.ring[0]);
	vhost_ring_tell(&back.ring[1]);
}

static bool back_arm(struct poller *p, uint64_t *deadline_ns)
{
	(void)deadline_ns;
	back_flush(p);
	vhost_ring_want(&back.ring[1], true);
	return vhost_ring_filled(&back.ring[1]);
}

/* The sum that the front end did not agree to do itself. */
static void sum_up(struct pbuf *f)
{
	uint8_t *at = f->data + f->csum_start + f->csum_offset;
	uint16_t v = csum_fold(csum_chain(f, f->csum_start, f->total - f->csum_start, 0));

	v = (uint16_t)~v;
	if (f->csum_start + f->csum_offset + 2u <= f->len)
		memcpy(at, &v, sizeof(v));
}

static int back_tx(struct netdev_queue *q, struct pbuf *f)
{
	uint8_t header[VHOST_NET_HEADER] = { [10] = 1 }; /* num_buffers */
	struct iovec piece[1 + PIECES];
	unsigned n = 1;
	bool ok;

	(void)q;
	piece[0] = (struct iovec){ header, sizeof(header) };
	if (f->flags & PBUF_CSUM_PARTIAL) {
		if (back.features & F_GUEST_CSUM) {
			header[0] = NEEDS_CSUM;
			memcpy(header + 6, &f->csum_start, 2);
			memcpy(header + 8, &f->csum_offset, 2);
		} else {
			sum_up(f);
		}
	}
	for (struct pbuf *p = f; p != NULL && n <= PIECES; p = p->next)
		if (p->len != 0)
			piece[n++] = (struct iovec){ p->data, p->len };
	ok = vhost_ring_put(&back.ring[0], &back.mem, piece, n);
	pbuf_free(back.pool, f);
	return ok ? 0 : -ENOBUFS;
}

static const struct netdev_drops *back_drops(const struct netdev_queue *q)
{
	(void)q;
	return &back.drops;
}

static struct netdev_queue *back_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
				      void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	(void)d;
	(void)i;
	back.q = (struct netdev_queue){ back_tx, back_drops };
	back.shard = shard_self();
	back.pool = pool;
	back.input = input;
	back.ctx = ctx;
	back.poller = (struct poller){ .poll = back_poll, .flush = back_flush, .arm = back_arm };
	shard_add_poller(&back.poller);
	return hosted_watch(back.listener, 0) == 0 ? &back.q : NULL;
}

static void end(void)
{
	let_go();
	(void)unlink(back.path);
}

struct netdev *vhost_back_start(const char *path)
{
	struct netdev_info *info = &back.dev.info;
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	let_go();
	back.path = path;
	back.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (strlen(path) >= sizeof(at.sun_path))
		hosted_fail("--net vhost-back=%s: the name is too long", path);
	strcpy(at.sun_path, path);
	if (back.listener < 0 || bind(back.listener, (struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(back.listener, 1) != 0)
		hosted_fail("--net vhost-back=%s: cannot listen there: %s", path, strerror(errno));
	hosted_at_end(end);
	random_bytes(info->mac, 6);
	info->mac[0] = (uint8_t)((info->mac[0] & 0xfc) | 2); /* local, unicast */
	info->mtu = 1500;
	info->csum_tx = info->csum_rx = true;
	info->queue_pairs = 1;
	info->link_up = true;
	back.dev.open = back_open;
	return &back.dev;
}
