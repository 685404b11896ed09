/* SPDX-License-Identifier: Apache-2.0 */
/* pci.c - virtio over PCI, modern interface only (virtio 1.2, 4.1). Register blocks are found in
 * the copy of configuration space that the kernel took at boot; each must lie inside a BAR that the
 * kernel mapped. The kernel owns configuration space and the MSI-X table; here only queues get
 * vector numbers. */
#include "runtime/virtio/dma.h"
#include "runtime/virtio/transport.h"
#include "runtime/base/str.h"

/* struct virtio_pci_common_cfg, 4.1.4.3 */
enum {
	C_DEVICE_FEATURE_SELECT = 0x00,
	C_DEVICE_FEATURE = 0x04,
	C_DRIVER_FEATURE_SELECT = 0x08,
	C_DRIVER_FEATURE = 0x0c,
	C_CONFIG_MSIX_VECTOR = 0x10,
	C_NUM_QUEUES = 0x12,
	C_DEVICE_STATUS = 0x14,
	C_CONFIG_GENERATION = 0x15,
	C_QUEUE_SELECT = 0x16,
	C_QUEUE_SIZE = 0x18,
	C_QUEUE_MSIX_VECTOR = 0x1a,
	C_QUEUE_ENABLE = 0x1c,
	C_QUEUE_NOTIFY_OFF = 0x1e,
	C_QUEUE_DESC = 0x20,
	C_QUEUE_DRIVER = 0x28,
	C_QUEUE_DEVICE = 0x30,
	C_LEN = 0x38,
};

enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4 }; /* cfg_type, 4.1.4 */

static uint8_t status(struct vdev *d)
{
	return io_read8(d->common + C_DEVICE_STATUS);
}

static void set_status(struct vdev *d, uint8_t s)
{
	io_write8(d->common + C_DEVICE_STATUS, s);
}

static uint32_t generation(struct vdev *d)
{
	return io_read8(d->common + C_CONFIG_GENERATION);
}

static uint32_t queue_max(struct vdev *d, uint16_t index)
{
	if (index >= io_read16(d->common + C_NUM_QUEUES))
		return 0;
	io_write16(d->common + C_QUEUE_SELECT, index);
	return io_read16(d->common + C_QUEUE_SIZE);
}

static int queue_start(struct vdev *d, struct vq *q, uint16_t vector)
{
	uint64_t c = d->common;
	uint64_t off = (uint64_t)io_read16(c + C_QUEUE_NOTIFY_OFF) * d->notify_mult; /* 4.1.4.4 */

	if (off + 2 > d->notify_len)
		return -EIO;
	q->bell = (struct vq_doorbell){ .notify = d->notify + off,
					.sync = c + C_DEVICE_STATUS,
					.wide = false };
	io_write16(c + C_QUEUE_SIZE, (uint16_t)(q->mask + 1));
	if (d->dev->vectors != 0) {
		io_write16(c + C_QUEUE_MSIX_VECTOR, vector);
		/* 4.1.5.1.2.2: it reads back as NO_VECTOR when the device has no room for it. */
		if (io_read16(c + C_QUEUE_MSIX_VECTOR) != vector)
			return -ENOSPC;
	}
	io_write_halves(c + C_QUEUE_DESC, dma_of(q->desc));
	io_write_halves(c + C_QUEUE_DRIVER, dma_of(q->avail));
	io_write_halves(c + C_QUEUE_DEVICE, dma_of(q->used));
	io_write16(c + C_QUEUE_ENABLE, 1);
	return 0;
}

static const struct vtransport pci_transport = {
	.name = "pci",
	.status = status,
	.set_status = set_status,
	.offered = { C_DEVICE_FEATURE_SELECT, C_DEVICE_FEATURE },
	.accepted = { C_DRIVER_FEATURE_SELECT, C_DRIVER_FEATURE },
	.generation = generation,
	.queue_max = queue_max,
	.queue_start = queue_start,
};

static uint32_t le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* One vendor capability (4.1.4):  | 09 | next | len | type | bar | id | pad 2 | offset 4 | length 4
 * | mult 4 | The first usable one of a type counts. */
static void take_cap(struct vdev *d, const uint8_t *cap, uint32_t room)
{
	const struct gw_bar *bar;
	uint32_t off, len;
	uint64_t va;

	if (room < 16 || cap[2] < 16 || cap[4] > 5)
		return;
	bar = &d->dev->bars[cap[4]];
	off = le32(cap + 8);
	len = le32(cap + 12);
	if (bar->va == 0 || off > bar->len || len > bar->len - off)
		return;
	va = bar->va + off;
	switch (cap[3]) {
	case CAP_COMMON:
		if (d->common == 0 && len >= C_LEN && off % 4 == 0)
			d->common = va;
		break;
	case CAP_NOTIFY:
		if (d->notify == 0 && room >= 20 && cap[2] >= 20 && len >= 2 && off % 2 == 0) {
			uint32_t mult = le32(cap + 16);

			if (mult != 0 && (mult & (mult - 1)) != 0)
				return; /* 4.1.4.4.1: an even power of 2, or 0 */
			if (mult == 1)
				return;
			d->notify = va;
			d->notify_len = len;
			d->notify_mult = mult;
		}
		break;
	case CAP_DEVICE:
		if (d->cfg == 0 && off % 4 == 0) {
			d->cfg = va;
			d->cfg_len = len;
		}
		break;
	default:
		break;
	}
}

int pci_probe(struct vdev *d)
{
	const uint8_t *c = d->dev->config;
	uint32_t at;

	/* 4.1.2: 0x1040 + id; 0x1000..0x103f are transitional, which may have the modern interface
	 * too. */
	if (d->dev->device >= 0x1040 && d->dev->device <= 0x107f)
		d->id = d->dev->device - 0x1040u;
	else if (d->dev->device >= 0x1000 && d->dev->device <= 0x103f)
		d->id = (uint32_t)c[0x2e] | (uint32_t)c[0x2f] << 8;
	else
		return -ENODEV;
	d->t = &pci_transport;
	if (!(c[6] & 0x10)) /* status: has a capability list */
		return -EOPNOTSUPP;
	at = c[0x34] & ~3u;
	for (unsigned i = 0; i < 48 && at >= 0x40; i++) {
		if (c[at] == 0x09)
			take_cap(d, c + at, 256 - at);
		at = c[at + 1] & ~3u;
	}
	if (d->common == 0)
		return -EOPNOTSUPP;
	return d->notify == 0 ? -EIO : 0;
}
