/* SPDX-License-Identifier: Apache-2.0 */
/* mmio.c - virtio over memory-mapped registers, version 2 (virtio 1.2, 4.2). One interrupt line for
 * the whole device, delivered on its rising edge: what is not acknowledged makes no further edge.
 */
#include "runtime/virtio/dma.h"
#include "runtime/virtio/transport.h"

enum { /* 4.2.2 */
       R_MAGIC = 0x000,
       R_VERSION = 0x004,
       R_DEVICE_ID = 0x008,
       R_DEVICE_FEATURES = 0x010,
       R_DEVICE_FEATURES_SEL = 0x014,
       R_DRIVER_FEATURES = 0x020,
       R_DRIVER_FEATURES_SEL = 0x024,
       R_QUEUE_SEL = 0x030,
       R_QUEUE_NUM_MAX = 0x034,
       R_QUEUE_NUM = 0x038,
       R_QUEUE_READY = 0x044,
       R_QUEUE_NOTIFY = 0x050,
       R_INTERRUPT_ACK = 0x064,
       R_STATUS = 0x070,
       R_QUEUE_DESC = 0x080,
       R_QUEUE_DRIVER = 0x090,
       R_QUEUE_DEVICE = 0x0a0,
       R_GENERATION = 0x0fc,
       R_CONFIG = 0x100,
};

static uint8_t status(struct vdev *d)
{
	return (uint8_t)io_read32(d->common + R_STATUS);
}

static void set_status(struct vdev *d, uint8_t s)
{
	io_write32(d->common + R_STATUS, s);
}

static uint32_t generation(struct vdev *d)
{
	return io_read32(d->common + R_GENERATION);
}

static uint32_t queue_max(struct vdev *d, uint16_t index)
{
	io_write32(d->common + R_QUEUE_SEL, index);
	if (io_read32(d->common + R_QUEUE_READY) != 0)
		return 0; /* 4.2.3.2: must not be in use */
	return io_read32(d->common + R_QUEUE_NUM_MAX);
}

static int queue_start(struct vdev *d, struct vq *q, uint16_t vector)
{
	uint64_t r = d->common;

	(void)vector; /* there is one line only */
	q->bell = (struct vq_doorbell){ .notify = r + R_QUEUE_NOTIFY,
					.sync = r + R_STATUS,
					.wide = true };
	io_write32(r + R_QUEUE_NUM, q->mask + 1u);
	io_write_halves(r + R_QUEUE_DESC, dma_of(q->desc));
	io_write_halves(r + R_QUEUE_DRIVER, dma_of(q->avail));
	io_write_halves(r + R_QUEUE_DEVICE, dma_of(q->used));
	io_write32(r + R_QUEUE_READY, 1);
	return 0;
}

/* Without reading the cause: acknowledging both causes loses nothing, since the rings are looked at
 * afterwards and configuration changes are not acted on. */
static void ack(struct vdev *d)
{
	io_write32(d->common + R_INTERRUPT_ACK, 3);
}

static const struct vtransport mmio_transport = {
	.name = "mmio",
	.status = status,
	.set_status = set_status,
	.offered = { R_DEVICE_FEATURES_SEL, R_DEVICE_FEATURES },
	.accepted = { R_DRIVER_FEATURES_SEL, R_DRIVER_FEATURES },
	.generation = generation,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.ack = ack,
};

int mmio_probe(struct vdev *d)
{
	const struct gw_bar *bar = &d->dev->bars[0];
	uint32_t version;

	if (bar->va == 0 || bar->len < R_CONFIG || io_read32(bar->va + R_MAGIC) != 0x74726976)
		return -ENODEV;
	version = io_read32(bar->va + R_VERSION);
	d->id = io_read32(bar->va + R_DEVICE_ID);
	if (d->id == 0) /* 4.2.2: an empty slot */
		return -ENODEV;
	d->t = &mmio_transport;
	d->common = bar->va;
	d->cfg = bar->va + R_CONFIG;
	d->cfg_len = (uint32_t)GW_MIN(bar->len - R_CONFIG, (uint64_t)4096);
	return version == 2 ? 0 : -EOPNOTSUPP;
}
