/* SPDX-License-Identifier: Apache-2.0 */
/* transport.h - a virtio device over pci or mmio: status, features, configuration, queues.
 * Registers are read once and bounds-checked; a device that contradicts itself is refused.
 *
 * Start of a device (virtio 1.2, 3.1.1): vdev_probe, vdev_negotiate, vdev_queue per queue,
 * vdev_driver_ok. */
#ifndef GODWIT_RUNTIME_VIRTIO_TRANSPORT_H
#define GODWIT_RUNTIME_VIRTIO_TRANSPORT_H

#include "abi/boot.h"
#include "runtime/virtio/queue.h"

enum { /* virtio 1.2, 5: device ids */
       VIRTIO_ID_NET = 1,
       VIRTIO_ID_BLOCK = 2,
       VIRTIO_ID_CONSOLE = 3,
       VIRTIO_ID_RNG = 4,
};

enum { /* 2.1: device status */
       VIRTIO_ACKNOWLEDGE = 1,
       VIRTIO_DRIVER = 2,
       VIRTIO_DRIVER_OK = 4,
       VIRTIO_FEATURES_OK = 8,
       VIRTIO_NEEDS_RESET = 64,
       VIRTIO_FAILED = 128,
};

#define VIRTIO_BIT(n) (1ULL << (n))
#define VIRTIO_F_INDIRECT_DESC VIRTIO_BIT(28)
#define VIRTIO_F_EVENT_IDX VIRTIO_BIT(29)
#define VIRTIO_F_VERSION_1 VIRTIO_BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM VIRTIO_BIT(33)
#define VIRTIO_F_ORDER_PLATFORM VIRTIO_BIT(36)
#define VIRTIO_NO_VECTOR 0xffffu

struct vdev;
struct vtransport {
	const char *name;
	uint8_t (*status)(struct vdev *d);
	void (*set_status)(struct vdev *d, uint8_t status);
	/* offsets in the common registers: which half of the feature bits, and that half */
	struct vfeature_regs {
		uint16_t select, half;
	} offered, accepted;
	uint32_t (*generation)(struct vdev *d);
	/* Select queue `index`: its largest size, 0 = no such queue. */
	uint32_t (*queue_max)(struct vdev *d, uint16_t index);
	/* Give the selected queue its rings and vector, set q->bell, enable. 0, -EIO, -ENOSPC (no
	 * such vector). */
	int (*queue_start)(struct vdev *d, struct vq *q, uint16_t vector);
	/* Take back a level of the interrupt line, so that the next completion makes a new edge.
	 * NULL: none needed. */
	void (*ack)(struct vdev *d);
};

struct vdev {
	const struct vtransport *t;
	const struct gw_device *dev;
	uint32_t index;	   /* in the boot information */
	uint32_t id;	   /* VIRTIO_ID_* */
	uint64_t features; /* negotiated */
	bool strong;
	_Atomic bool stopped; /* reset after a lie; nothing is sent or taken any more */
	bool reset_done;      /* the reset was confirmed: its memory may be used again */
	uint64_t common;      /* pci: common configuration. mmio: the registers */
	uint64_t notify;      /* pci */
	uint32_t notify_len, notify_mult;
	uint64_t cfg; /* device-specific configuration, cfg_len bytes */
	uint32_t cfg_len;
};

/* Recognise dev as a virtio 1 device and reset it. 0, -ENODEV (not virtio, or an empty slot),
 * -EOPNOTSUPP (virtio before 1.0), -EIO (contradicts itself; reported). */
int vdev_probe(struct vdev *d, const struct gw_device *dev, uint32_t index, bool strong) MUST_CHECK;
int pci_probe(struct vdev *d) MUST_CHECK;
int mmio_probe(struct vdev *d) MUST_CHECK;

/* The device's offer, and agreeing on a subset of it: `features` plus what every driver here takes
 * (VERSION_1, which is required, EVENT_IDX, INDIRECT_DESC, ACCESS_PLATFORM, ORDER_PLATFORM if
 * offered). 0, -EOPNOTSUPP, -EIO. */
uint64_t vdev_offer(struct vdev *d);
int vdev_negotiate(struct vdev *d, uint64_t features) MUST_CHECK;

/* Set up queue `index` with at most `size` descriptors (power of two) and an interrupt vector,
 * VIRTIO_NO_VECTOR: none. 0, -ENOENT (no such queue), -ENOMEM, -EIO, -ENOSPC. */
int vdev_queue(struct vdev *d, struct vq *q, uint16_t index, uint16_t size,
	       uint16_t vector) MUST_CHECK;
void vdev_driver_ok(struct vdev *d);

/* Reset and wait (bounded) until the device says so. Afterwards it touches no memory. 0, -EIO. */
int vdev_reset(struct vdev *d);
/* A lie or a failure: report once, reset. Idempotent. Returns whether the device confirmed the
 * reset, so that memory it was given may be used again. Any shard, one at a time per device or
 * under its lock. */
bool vdev_stop(struct vdev *d, const char *what);

static inline void vdev_ack(struct vdev *d)
{
	if (d->t->ack != NULL)
		d->t->ack(d);
}
/* Vectors that queues can have; at least 1 (mmio: the only one). 0: none. */
static inline uint32_t vdev_vectors(const struct vdev *d)
{
	return d->dev->vectors;
}

/* Device configuration (2.5). Outside of what the device has: 0. The 64-bit read repeats while the
 * device changes it (bounded). */
uint8_t vdev_cfg8(struct vdev *d, uint32_t off);
uint16_t vdev_cfg16(struct vdev *d, uint32_t off);
uint32_t vdev_cfg32(struct vdev *d, uint32_t off);
uint64_t vdev_cfg64(struct vdev *d, uint32_t off);

#endif
