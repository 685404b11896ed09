/* SPDX-License-Identifier: Apache-2.0 */
/* net.c - virtio-net set-up: features, queue pairs, memory-scaled rings, and the control queue
 * (virtio 1.2, 5.1). One device is used, the first that works. */
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/misc.h"
#include "runtime/virtio/net_internal.h"

enum { CFG_MAC = 0, CFG_STATUS = 6, CFG_MAX_PAIRS = 8, CFG_MTU = 10 }; /* 5.1.4 */
#define NET_S_LINK_UP 1u
#define CTRL_MQ 4u
#define CTRL_MQ_PAIRS_SET 0u
#define CTRL_WAIT_NS (100 * NS_PER_MS)

static struct netdev *the_netdev;

static bool has(const struct netdev *d, unsigned bit)
{
	return (d->v.features & VIRTIO_BIT(bit)) != 0;
}

/* 32 buffers of 2 KB in 16 MiB, 256 from 128 MiB on. */
static uint16_t rx_size(void)
{
	uint64_t n = mem_total_pages() * GW_PAGE_SIZE / 256 / PBUF_SIZE;
	uint16_t size = 32;

	while (size < 256 && size * 2u <= n)
		size = (uint16_t)(size * 2);
	return size;
}

static int negotiate(struct netdev *d, uint16_t rx)
{
	uint64_t offer = vdev_offer(&d->v);
	uint64_t want = VIRTIO_BIT(NET_F_MAC) | VIRTIO_BIT(NET_F_CSUM) |
			VIRTIO_BIT(NET_F_GUEST_CSUM) | VIRTIO_BIT(NET_F_MRG_RXBUF) |
			VIRTIO_BIT(NET_F_STATUS);

	/* 5.1.3.1: what each needs. */
	if (offer & VIRTIO_BIT(NET_F_CSUM))
		want |= VIRTIO_BIT(NET_F_HOST_TSO4) | VIRTIO_BIT(NET_F_HOST_TSO6);
	/* A merged 64 KB packet must fit into the posted buffers, or it would block the queue for
	 * good. */
	if ((offer & VIRTIO_BIT(NET_F_MRG_RXBUF)) && (offer & VIRTIO_BIT(NET_F_GUEST_CSUM)) &&
	    rx * NET_RX_LEN >= 2u * 65562u)
		want |= VIRTIO_BIT(NET_F_GUEST_TSO4) | VIRTIO_BIT(NET_F_GUEST_TSO6);
	/* Without merged buffers a frame must fit into one. */
	if ((offer & VIRTIO_BIT(NET_F_MRG_RXBUF)) || vdev_cfg16(&d->v, CFG_MTU) <= 1500)
		want |= VIRTIO_BIT(NET_F_MTU);
	if (offer & VIRTIO_BIT(NET_F_CTRL_VQ))
		want |= VIRTIO_BIT(NET_F_CTRL_VQ) | VIRTIO_BIT(NET_F_MQ);
	return vdev_negotiate(&d->v, want);
}

static void read_config(struct netdev *d)
{
	struct netdev_info *info = &d->info;
	uint32_t pairs = 1;

	if (has(d, NET_F_MAC)) {
		for (uint32_t i = 0; i < 6; i++)
			info->mac[i] = vdev_cfg8(&d->v, CFG_MAC + i);
	}
	if (!has(d, NET_F_MAC) || (info->mac[0] & 1)) {
		random_bytes(info->mac, 6);
		info->mac[0] = (uint8_t)((info->mac[0] & 0xfc) | 2); /* local, unicast */
	}
	info->mtu = has(d, NET_F_MTU) ? vdev_cfg16(&d->v, CFG_MTU) : 1500;
	if (info->mtu < 576 || info->mtu > 9216)
		info->mtu = 1500;
	info->csum_tx = has(d, NET_F_CSUM);
	info->csum_rx = has(d, NET_F_GUEST_CSUM);
	info->tso4 = has(d, NET_F_HOST_TSO4);
	info->tso6 = has(d, NET_F_HOST_TSO6);
	info->mrg = has(d, NET_F_MRG_RXBUF);
	info->link_up = !has(d, NET_F_STATUS) || (vdev_cfg16(&d->v, CFG_STATUS) & NET_S_LINK_UP);
	d->guest_tso4 = has(d, NET_F_GUEST_TSO4);
	d->guest_tso6 = has(d, NET_F_GUEST_TSO6);
	if (has(d, NET_F_MQ))
		pairs = vdev_cfg16(&d->v, CFG_MAX_PAIRS);
	/* An interrupt vector goes to one vcore, so each pair needs its own. */
	pairs = GW_MIN(pairs, n_shards);
	pairs = GW_MIN(pairs, vdev_vectors(&d->v));
	info->queue_pairs = GW_MAX(pairs, 1u);
}

static int setup_pair(struct netdev *d, uint32_t i, uint16_t rx)
{
	struct netdev_queue *q = &d->queues[i];
	uint16_t vector = i < vdev_vectors(&d->v) ? (uint16_t)i : VIRTIO_NO_VECTOR;
	uint16_t tx = (uint16_t)GW_MIN(rx * 2u, 256u);
	uint32_t size;
	int rc;

	q->dev = d;
	q->mrg = d->info.mrg;
	q->polled = vector == VIRTIO_NO_VECTOR;
	rc = vdev_queue(&d->v, &q->rx, (uint16_t)(2 * i), rx, vector);
	if (rc == 0)
		rc = vdev_queue(&d->v, &q->tx, (uint16_t)(2 * i + 1), tx, VIRTIO_NO_VECTOR);
	if (rc != 0)
		return rc;
	size = q->tx.mask + 1u;
	q->refill_at = (uint16_t)GW_MAX((q->rx.mask + 1u) / 4, 1u);
	q->refill_at = GW_MIN(q->refill_at, (uint16_t)16);
	q->reclaim_at = (uint16_t)GW_MIN(size / 2, 32u);
	q->tx_hdrs = mem_zalloc(size * sizeof(struct net_hdr));
	q->table_of = mem_zalloc(size * sizeof(void *));
	if (q->tx_hdrs == NULL || q->table_of == NULL)
		return -ENOMEM;
	while (q->tx.indirect && q->n_tables < size / 16 && q->n_tables < NET_TX_TABLES) {
		struct vring_desc *t = mem_alloc(NET_TX_TABLE * sizeof(*t));

		if (t == NULL)
			break;
		q->tables[q->n_tables++] = t;
	}
	return 0;
}

static void destroy(struct netdev *d)
{
	uint32_t pairs = d->info.queue_pairs;

	for (uint32_t i = 0; d->queues != NULL && i < pairs; i++) {
		struct netdev_queue *q = &d->queues[i];
		uint32_t size = q->tx.mask + 1u;

		while (q->n_tables != 0)
			mem_free(q->tables[--q->n_tables],
				 NET_TX_TABLE * sizeof(struct vring_desc));
		if (q->tx_hdrs != NULL)
			mem_free(q->tx_hdrs, size * sizeof(struct net_hdr));
		if (q->table_of != NULL)
			mem_free(q->table_of, size * sizeof(void *));
		vq_destroy(&q->rx);
		vq_destroy(&q->tx);
	}
	vq_destroy(&d->ctrl);
	if (d->queues != NULL)
		mem_free(d->queues, pairs * sizeof(*d->queues));
	mem_free(d, sizeof(*d));
}

static int setup(struct netdev *d)
{
	uint16_t rx = rx_size();
	int rc = negotiate(d, rx);

	if (rc != 0)
		return rc;
	read_config(d);
	d->queues = mem_zalloc(d->info.queue_pairs * sizeof(*d->queues));
	if (d->queues == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; rc == 0 && i < d->info.queue_pairs; i++)
		rc = setup_pair(d, i, rx);
	if (rc == 0 && has(d, NET_F_CTRL_VQ) && d->info.queue_pairs > 1) {
		/* 5.1.2: after all the pairs the device has. */
		rc = vdev_queue(&d->v, &d->ctrl, (uint16_t)(2 * vdev_cfg16(&d->v, CFG_MAX_PAIRS)),
				4, VIRTIO_NO_VECTOR);
		d->has_ctrl = rc == 0;
	}
	return rc;
}

int net_probe(const struct vdev *v)
{
	struct netdev *d;
	int rc;

	if (the_netdev != NULL)
		return -EBUSY;
	d = mem_zalloc(sizeof(*d));
	if (d == NULL)
		return -ENOMEM;
	d->v = *v;
	rc = setup(d);
	if (rc != 0) {
		if (vdev_stop(&d->v, "set-up failed"))
			destroy(d);
		return rc;
	}
	vdev_driver_ok(&d->v);
	the_netdev = d;
	return 0;
}

void net_forget(void)
{
	the_netdev = NULL;
}

struct netdev *netdev_get(void)
{
	return the_netdev;
}

const struct netdev_info *netdev_info(const struct netdev *d)
{
	return &d->info;
}

/* VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET (5.1.6.5.5), awaited by polling: it happens once. Under d->lock.
 */
static void use_pairs(struct netdev *d)
{
	uint16_t pairs = (uint16_t)d->info.queue_pairs;
	struct vq_buf bufs[3];
	struct vq_done done;
	uint64_t end = clock_now() + CTRL_WAIT_NS;
	uint8_t *mem = mem_zalloc(16); /* DMA reaches the partition's memory, not static data */

	if (mem == NULL)
		return;
	mem[0] = CTRL_MQ;
	mem[1] = CTRL_MQ_PAIRS_SET;
	memcpy(mem + 2, &pairs, 2);
	mem[4] = 0xff;
	bufs[0] = (struct vq_buf){ dma_of(mem), 2 };
	bufs[1] = (struct vq_buf){ dma_of(mem + 2), 2 };
	bufs[2] = (struct vq_buf){ dma_of(mem + 4), 1 };
	if (vq_add(&d->ctrl, bufs, 2, 1, mem, NULL) < 0)
		return;
	vq_flush(&d->ctrl);
	while (!vq_take(&d->ctrl, &done)) {
		if (d->ctrl.broken || clock_now() > end) {
			(void)vdev_stop(&d->v, d->ctrl.broken ? d->ctrl.lie
							      : "control command not answered");
			return; /* mem stays with the device */
		}
		__builtin_ia32_pause();
	}
	if (mem[4] != 0)
		log_warn("virtio-net: device refuses %u queue pairs", d->info.queue_pairs);
	mem_free(mem, 16);
}

struct netdev_queue *netdev_open(struct netdev *d, uint32_t i, struct pbuf_pool *pool,
				 void (*input)(void *ctx, struct pbuf *frame), void *ctx)
{
	struct netdev_queue *q;

	if (i >= d->info.queue_pairs || d->queues[i].open)
		return NULL;
	q = &d->queues[i];
	q->shard = shard_self();
	q->pool = pool;
	q->input = input;
	q->ctx = ctx;
	if (!q->polled && platform_bind_irq(d->v.index, i) < 0)
		q->polled = true;
	netq_start(q);
	spin_lock(&d->lock);
	if (++d->n_open == d->info.queue_pairs && d->has_ctrl)
		use_pairs(d);
	spin_unlock(&d->lock);
	return q;
}
