/* SPDX-License-Identifier: Apache-2.0 */
/* init.c - look at every device of the boot information and start the drivers. */
#include "runtime/virtio/virtio.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/dma.h"
#include "runtime/virtio/misc.h"

static int start(const struct vdev *d)
{
	switch (d->id) {
	case VIRTIO_ID_NET:
		return net_probe(d);
	case VIRTIO_ID_BLOCK:
		return blk_probe(d);
	case VIRTIO_ID_CONSOLE:
		return console_probe(d);
	case VIRTIO_ID_RNG:
		return rng_probe(d);
	default:
		return -ENODEV;
	}
}

unsigned virtio_init(void)
{
	const struct gw_boot_info *boot = platform_boot();
	bool strong = (boot->flags & GW_BOOT_EMULATED) != 0;
	unsigned working = 0;

	dma_stripe = boot->dma;
	misc_init();
	for (uint32_t i = 0; i < boot->n_devices && i < GW_MAX_DEVICES; i++) {
		struct vdev d;

		if (vdev_probe(&d, &boot->devices[i], i, strong) == 0 && start(&d) == 0)
			working++;
	}
	return working;
}
