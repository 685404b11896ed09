/* SPDX-License-Identifier: Apache-2.0 */
/* tap.c - a tap interface as the network device, with the kernel's virtio header in front of each
 * frame: checksums and segmentation are left to it in both directions. One queue a shard where the
 * interface has several. A read takes one frame, of up to 64 KB, into a chain of buffers. The
 * kernel's header is copied before it is looked at, and what does not fit its frame is ignored. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/hosted.h"
#include "runtime/platform/linux/netdevs.h"

#define HDR_LEN 12u /* struct virtio_net_hdr_mrg_rxbuf, what TUNSETVNETHDRSZ sets */
/* Where a frame begins in its block: behind it a TCP payload lies where one to be sent would. */
#define RX_AT 64u
#define RX_LEN (PBUF_ROOM - RX_AT)
#define RX_BLOCKS ((65535u + 14u) / RX_LEN + 1u)
#define RX_BATCH 64u
#define TX_PIECES 64u

struct tap_queue {
	struct netdev_queue q; /* first */
	struct poller poller;
	int fd;
	struct shard *shard;
	struct pbuf_pool *pool;
	void (*input)(void *ctx, struct pbuf *frame);
	void *ctx;
	uint8_t hdr[HDR_LEN];
	struct iovec iov[1 + RX_BLOCKS]; /* hdr, then blocks */
	struct pbuf *blocks[RX_BLOCKS];	 /* posted, but for the first `missing` */
	uint32_t missing;
	struct netdev_drops drops;
};

static struct {
	struct netdev dev; /* first */
	struct tap_queue queues[SHARD_MAX];
	const char *name;
} tap;

/* ---- receive ---- */

/* false: the pool is empty. */
static bool refill(struct tap_queue *q)
{
	while (q->missing != 0) {
		struct pbuf *p = pbuf_alloc(q->pool, RX_AT);

		if (p == NULL)
			return false;
		q->blocks[--q->missing] = p;
		q->iov[1 + q->missing] = (struct iovec){ p->data, RX_LEN };
	}
	return true;
}

static void offload(struct pbuf *p, const struct virtio_net_hdr *h)
{
	unsigned type;

	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if ((uint32_t)h->csum_start + h->csum_offset + 2u > p->total)
			return;
		p->flags |= PBUF_CSUM_PARTIAL;
		p->csum_start = h->csum_start;
		p->csum_offset = h->csum_offset;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->flags |= PBUF_CSUM_GOOD;
	}
	type = h->gso_type & ~(unsigned)VIRTIO_NET_HDR_GSO_ECN;
	if (type == VIRTIO_NET_HDR_GSO_TCPV4 || type == VIRTIO_NET_HDR_GSO_TCPV6) {
		p->flags |= type == VIRTIO_NET_HDR_GSO_TCPV4 ? PBUF_GSO_TCP4 : PBUF_GSO_TCP6;
		p->gso_size = h->gso_size;
	}
}

/* The first blocks, n bytes of frame, as one packet. */
static struct pbuf *take_frame(struct tap_queue *q, uint32_t n)
{
	struct pbuf *head = q->blocks[0], *p = head;
	uint32_t left = n;

	for (uint32_t i = 0;; i++) {
		q->missing++;
		p->len = GW_MIN(left, RX_LEN);
		p->total = p->len;
		left -= p->len;
		if (left == 0)
			break;
		p->next = q->blocks[i + 1];
		p = p->next;
	}
	head->total = n;
	head->time_ns = q->shard->now_ns;
	return head;
}

static bool tap_poll(struct poller *poller)
{
	struct tap_queue *q = container_of(poller, struct tap_queue, poller);
	unsigned n = 0;

	for (; n < RX_BATCH; n++) {
		struct virtio_net_hdr h;
		struct pbuf *p;
		ssize_t got;

		if (unlikely(!refill(q))) {
			q->drops.no_buffer++;
			break;
		}
		got = readv(q->fd, q->iov, 1 + RX_BLOCKS);
		if (got <= (ssize_t)HDR_LEN)
			break;
		memcpy(&h, q->hdr, sizeof(h));
		p = take_frame(q, (uint32_t)got - HDR_LEN);
		if (h.flags | h.gso_type)
			offload(p, &h);
		q->input(q->ctx, p);
	}
	return n != 0;
}

/* ---- send ---- */

static const struct netdev_drops *tap_drops(const struct netdev_queue *q)
{
	return &((const struct tap_queue *)q)->drops;
}

static int tap_tx(struct netdev_queue *nq, struct pbuf *f)
{
	struct tap_queue *q = (struct tap_queue *)nq;
	struct virtio_net_hdr_mrg_rxbuf h = { 0 };
	struct iovec iov[1 + TX_PIECES]; /* 1 KB: not cleared */
	int n = 1, rc = 0;

	iov[0] = (struct iovec){ &h, HDR_LEN };
	if (f->flags & PBUF_CSUM_PARTIAL) {
		h.hdr.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h.hdr.csum_start = f->csum_start;
		h.hdr.csum_offset = f->csum_offset;
		if (f->flags & (PBUF_GSO_TCP4 | PBUF_GSO_TCP6)) {
			h.hdr.gso_type = f->flags & PBUF_GSO_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4
								  : VIRTIO_NET_HDR_GSO_TCPV6;
			h.hdr.gso_size = f->gso_size;
			h.hdr.hdr_len = f->hdr_len;
		}
	}
	for (struct pbuf *p = f; p != NULL && n <= (int)TX_PIECES; p = p->next)
		if (p->len != 0)
			iov[n++] = (struct iovec){ p->data, p->len };
	if (writev(q->fd, iov, n) < 0)
		rc = -ENOBUFS;
	pbuf_free(q->pool, f);
	return rc;
}

/* ---- start ---- */

static struct netdev_queue *tap_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
				     void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	struct tap_queue *q = &tap.queues[i];

	(void)d;
	q->q = (struct netdev_queue){ tap_tx, tap_drops };
	q->shard = shard_self();
	q->pool = pool;
	q->input = input;
	q->ctx = ctx;
	q->iov[0] = (struct iovec){ q->hdr, HDR_LEN };
	q->missing = RX_BLOCKS;
	q->poller = (struct poller){ .poll = tap_poll };
	if (hosted_watch(q->fd, 0) != 0)
		return NULL;
	shard_add_poller(&q->poller);
	return &q->q;
}

static int open_queue(const char *name, bool multi)
{
	struct ifreq r = { .ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
						(multi ? IFF_MULTI_QUEUE : 0)) };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), len = HDR_LEN;

	if (fd < 0)
		hosted_fail("--net tap=%s: cannot open /dev/net/tun: %s", name, strerror(errno));
	str_copy(r.ifr_name, name, IFNAMSIZ);
	if (ioctl(fd, TUNSETIFF, &r) != 0) {
		if (errno == EBUSY)
			hosted_fail("--net tap=%s: another program uses it", name);
		if (errno == EINVAL)
			hosted_fail(
				"--net tap=%s: %s", name,
				multi ? "it has one queue only; make it with: ip tuntap add dev "
					"NAME mode tap multi_queue"
				      : "it is no tap, or was made with multi_queue");
		if (errno == EPERM)
			hosted_fail("--net tap=%s: not permitted; as root, once: ip tuntap add dev "
				    "%s mode tap user $USER",
				    name, name);
		hosted_fail("--net tap=%s: %s", name, strerror(errno));
	}
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) != 0)
		hosted_fail("--net tap=%s: its headers: %s", name, strerror(errno));
	return fd;
}

/* MTU, and the interface up: if that is not permitted, whoever made it does it. */
static void interface(struct netdev_info *info, const char *name)
{
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { 0 };

	info->mtu = 1500;
	str_copy(r.ifr_name, name, IFNAMSIZ);
	if (s < 0)
		return;
	if (ioctl(s, SIOCGIFMTU, &r) == 0 && r.ifr_mtu >= 576 && r.ifr_mtu <= 9216)
		info->mtu = (uint16_t)r.ifr_mtu;
	if (ioctl(s, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & IFF_UP)) {
		r.ifr_flags |= IFF_UP;
		if (ioctl(s, SIOCSIFFLAGS, &r) != 0)
			log_warn("the interface %s is down: ip link set %s up", name, name);
	}
	close(s);
}

struct netdev *tap_start(const char *name)
{
	struct netdev_info *info = &tap.dev.info;
	bool offloads = true;

	tap.name = name;
	for (uint32_t i = 0; i < n_shards; i++) {
		tap.queues[i].fd = open_queue(name, n_shards > 1);
		if (ioctl(tap.queues[i].fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) !=
		    0)
			offloads = false;
	}
	interface(info, name);
	random_bytes(info->mac, 6);
	info->mac[0] = (uint8_t)((info->mac[0] & 0xfc) | 2); /* local, unicast */
	info->csum_tx = info->tso4 = info->tso6 = true;	     /* the kernel takes both */
	info->csum_rx = info->mrg = offloads;
	info->queue_pairs = n_shards;
	info->link_up = true;
	tap.dev.open = tap_open;
	return &tap.dev;
}
