/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - what pci and mmio devices have in common: the start of a device (virtio 1.2, 3.1),
 * its configuration space (2.5), and its stop. */
#include "runtime/virtio/transport.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"

#define RESET_POLLS 100000u /* register reads, each at least 100 ns: some 10 ms and up */

static const char *device_name(uint32_t id)
{
	static const char *const names[] = { [VIRTIO_ID_NET] = "net",
					     [VIRTIO_ID_BLOCK] = "blk",
					     [VIRTIO_ID_CONSOLE] = "console",
					     [VIRTIO_ID_RNG] = "rng" };

	return id < ARRAY_SIZE(names) && names[id] != NULL ? names[id] : "device";
}

int vdev_probe(struct vdev *d, const struct gw_device *dev, uint32_t index, bool strong)
{
	int rc;

	*d = (struct vdev){ .dev = dev, .index = index, .strong = strong };
	if (dev->vendor != 0x1af4)
		return -ENODEV;
	rc = dev->kind == GW_DEVICE_PCI	   ? pci_probe(d)
	     : dev->kind == GW_DEVICE_MMIO ? mmio_probe(d)
					   : -ENODEV;
	if (rc == 0)
		rc = vdev_reset(d);
	if (rc == 0) {
		d->t->set_status(d, VIRTIO_ACKNOWLEDGE);
		d->t->set_status(d, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	} else if (rc != -ENODEV) {
		log_warn("virtio-%s %x: %s", device_name(d->id), dev->location,
			 rc == -EOPNOTSUPP ? "no virtio 1 device, left out"
					   : "bad registers, left out");
	}
	return rc;
}

uint64_t vdev_offer(struct vdev *d)
{
	uint64_t select = d->common + d->t->offered.select, half = d->common + d->t->offered.half,
		 f;

	io_write32(select, 0);
	f = io_read32(half);
	io_write32(select, 1);
	return f | (uint64_t)io_read32(half) << 32;
}

static void accept(struct vdev *d, uint64_t f)
{
	uint64_t select = d->common + d->t->accepted.select, half = d->common + d->t->accepted.half;

	io_write32(select, 0);
	io_write32(half, (uint32_t)f);
	io_write32(select, 1);
	io_write32(half, (uint32_t)(f >> 32));
}

int vdev_negotiate(struct vdev *d, uint64_t features)
{
	uint64_t offer = vdev_offer(d);

	if (!(offer & VIRTIO_F_VERSION_1)) {
		(void)vdev_stop(d, "no virtio 1 features");
		return -EOPNOTSUPP;
	}
	features |= VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC |
		    VIRTIO_F_ACCESS_PLATFORM | VIRTIO_F_ORDER_PLATFORM;
	features &= offer;
	accept(d, features);
	d->t->set_status(d, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK);
	/* 3.1.1, 6: the device may refuse the subset. */
	if (!(d->t->status(d) & VIRTIO_FEATURES_OK)) {
		(void)vdev_stop(d, "features refused");
		return -EIO;
	}
	d->features = features;
	return 0;
}

int vdev_queue(struct vdev *d, struct vq *q, uint16_t index, uint16_t size, uint16_t vector)
{
	struct vq_features f = { .event_idx = (d->features & VIRTIO_F_EVENT_IDX) != 0,
				 .indirect = (d->features & VIRTIO_F_INDIRECT_DESC) != 0,
				 .strong = d->strong };
	uint32_t max = d->t->queue_max(d, index);
	int rc;

	if (max == 0)
		return -ENOENT;
	while (size > max)
		size = (uint16_t)(size >> 1);
	rc = vq_init(q, size, &f);
	if (rc != 0)
		return rc == -EINVAL ? -EIO : rc;
	q->index = index;
	rc = d->t->queue_start(d, q, vector);
	if (rc != 0)
		vq_destroy(q);
	return rc;
}

void vdev_driver_ok(struct vdev *d)
{
	d->t->set_status(d, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_FEATURES_OK |
				    VIRTIO_DRIVER_OK);
}

int vdev_reset(struct vdev *d)
{
	d->t->set_status(d, 0);
	/* 4.1.4.3.2, 2.4.2: reset is complete when the status reads 0. */
	for (unsigned i = 0; i < RESET_POLLS; i++) {
		if (d->t->status(d) == 0)
			return 0;
		__builtin_ia32_pause();
	}
	return -EIO;
}

bool vdev_stop(struct vdev *d, const char *what)
{
	if (!atomic_exchange_explicit(&d->stopped, true, memory_order_acq_rel)) {
		log_warn("virtio-%s %x: %s; device stopped", device_name(d->id), d->dev->location,
			 what);
		d->reset_done = vdev_reset(d) == 0;
	}
	return d->reset_done;
}

static bool cfg_has(const struct vdev *d, uint32_t off, uint32_t n)
{
	return n <= d->cfg_len && off <= d->cfg_len - n;
}

uint8_t vdev_cfg8(struct vdev *d, uint32_t off)
{
	return cfg_has(d, off, 1) ? io_read8(d->cfg + off) : 0;
}

uint16_t vdev_cfg16(struct vdev *d, uint32_t off)
{
	return cfg_has(d, off, 2) ? io_read16(d->cfg + off) : 0;
}

uint32_t vdev_cfg32(struct vdev *d, uint32_t off)
{
	return cfg_has(d, off, 4) ? io_read32(d->cfg + off) : 0;
}

uint64_t vdev_cfg64(struct vdev *d, uint32_t off)
{
	uint64_t v = 0;

	if (!cfg_has(d, off, 8))
		return 0;
	for (unsigned i = 0; i < 16; i++) {
		uint32_t before = d->t->generation(d);

		v = io_read32(d->cfg + off) | (uint64_t)io_read32(d->cfg + off + 4) << 32;
		if (d->t->generation(d) == before)
			break;
	}
	return v;
}
