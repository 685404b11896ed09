/* SPDX-License-Identifier: Apache-2.0 */
/* transport_test.c - finding and starting devices, with configuration space that lies. */
#include "runtime/base/errno.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#define BASIC (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX)

static struct vdev d;

static int probe(void)
{
	return vdev_probe(&d, &fake.dev, 0, false);
}

static void put32(unsigned at, uint32_t v)
{
	memcpy(fake.dev.config + at, &v, 4);
}

TEST(pci_found)
{
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(d.id, VIRTIO_ID_NET);
	CHECK_EQ(fake.resets, 1);
	CHECK_EQ(fake.status, VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER);
	CHECK_EQ(d.notify_mult, 4);
	/* Transitional ids carry the type in the subsystem id. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.device = 0x1000;
	fake.dev.config[0x2e] = VIRTIO_ID_NET;
	CHECK_EQ(probe(), 0);
	CHECK_EQ(d.id, VIRTIO_ID_NET);
}

TEST(pci_not_virtio)
{
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.vendor = 0x8086;
	CHECK_EQ(probe(), -ENODEV);
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.device = 0x1100;
	CHECK_EQ(probe(), -ENODEV);
	CHECK_EQ(fake_warnings, 0);
}

TEST(pci_without_modern_interface)
{
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[6] = 0;
	CHECK_EQ(probe(), -EOPNOTSUPP);
	CHECK_EQ(fake_warnings, 1);
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[0x34] = 0;
	CHECK_EQ(probe(), -EOPNOTSUPP);
}

TEST(pci_capability_loop)
{
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[0x71] = 0x40; /* last points to first */
	CHECK_EQ(probe(), 0);
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[0x41] = 0x40; /* first to itself */
	CHECK_EQ(probe(), -EIO);      /* no notify */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[0x34] = 0x10; /* into the header */
	CHECK_EQ(probe(), -EOPNOTSUPP);
}

TEST(pci_capability_at_the_end)
{
	/* A notify capability needs 20 bytes; only 4 are left. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.config[0x61] = 0xfc;
	fake.dev.config[0xfc] = 0x09;
	fake.dev.config[0xfe] = 20;
	fake.dev.config[0xff] = 2;
	CHECK_EQ(probe(), -EIO);
}

TEST(pci_blocks_outside_their_bar)
{
	static const struct {
		uint32_t off, len;
	} bad[] = { { 0x3f00, 0x200 }, { 0xffffffff, 0x38 }, { 0x4000, 0x38 }, { 0, 0x4001 },
		    { 0, 0x37 },       { 0xfffffff0, 0x40 }, { 2, 0x100 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
		put32(0x48, bad[i].off);
		put32(0x4c, bad[i].len);
		CHECK_EQ(probe(), -EOPNOTSUPP);
	}
	for (unsigned bar = 0; bar < 256; bar++) {
		if (bar == 4)
			continue;
		fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
		fake.dev.config[0x44] = (uint8_t)bar;
		CHECK_EQ(probe(), -EOPNOTSUPP);
	}
}

TEST(pci_notify_multiplier)
{
	struct vq q;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	put32(0x80, 3);
	CHECK_EQ(probe(), -EIO);
	/* Queue 2 at 2 * 0x1000 lies outside of 0x1000 bytes. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	put32(0x80, 0x1000);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), 0);
	CHECK_EQ(vdev_queue(&d, &q, 2, 16, 0), -EIO);
	CHECK_EQ(vdev_queue(&d, &q, 0, 16, 0), 0);
	vq_destroy(&q);
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	put32(0x80, 0x80000000);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), 0);
	CHECK_EQ(vdev_queue(&d, &q, 11, 16, 0), -EIO);
}

TEST(pci_random_config)
{
	uint64_t x = 88172645463325252ull;

	/* Whatever the bytes say, accesses stay inside the BAR (the fake aborts otherwise). */
	for (unsigned round = 0; round < 20000; round++) {
		struct vq q;

		fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
		for (unsigned i = 0; i < 8; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			fake.dev.config[0x34 + x % 0x50] = (uint8_t)(x >> 32);
		}
		if (probe() == 0 && vdev_negotiate(&d, 0) == 0 &&
		    vdev_queue(&d, &q, 1, 8, 0) == 0) {
			(void)vdev_cfg64(&d, 0);
			(void)vdev_cfg64(&d, 0xfff);
			vq_destroy(&q);
		}
	}
}

TEST(features)
{
	/* VERSION_1 is required. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, VIRTIO_F_EVENT_IDX, 256);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), -EOPNOTSUPP);
	CHECK_EQ(fake.status, 0);
	/* Only what was offered is taken. */
	fake_reset(GW_DEVICE_MMIO, VIRTIO_ID_NET, VIRTIO_F_VERSION_1 | 1, 256);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 3), 0);
	CHECK(d.features == (VIRTIO_F_VERSION_1 | 1));
	CHECK(fake.accepted == d.features);
	/* Refused. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	fake.refuse_features = true;
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), -EIO);
}

TEST(queues)
{
	struct vq q;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 16);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), 0);
	CHECK_EQ(vdev_queue(&d, &q, 99, 64, 0), -ENOENT);
	CHECK_EQ(vdev_queue(&d, &q, 0, 64, 3), 0); /* cut to what the device has */
	CHECK_EQ(q.mask, 15);
	CHECK_EQ(fake.q[0].vector, 3);
	CHECK(fake.q[0].ready);
	vq_destroy(&q);
	fake.no_vectors = true;
	CHECK_EQ(vdev_queue(&d, &q, 1, 16, 0), -ENOSPC);
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 0);
	CHECK_EQ(probe(), 0);
	CHECK_EQ(vdev_negotiate(&d, 0), 0);
	CHECK_EQ(vdev_queue(&d, &q, 0, 64, 0), -ENOENT);
}

TEST(mmio_versions)
{
	fake_reset(GW_DEVICE_MMIO, VIRTIO_ID_NET, BASIC, 256);
	CHECK_EQ(probe(), 0);
	fake_reset(GW_DEVICE_MMIO, 0, BASIC, 256);
	CHECK_EQ(probe(), -ENODEV); /* an empty slot is no news */
	CHECK_EQ(fake_warnings, 0);
	fake_reset(GW_DEVICE_MMIO, VIRTIO_ID_NET, BASIC, 256);
	fake.dev.bars[0].len = 0x80;
	CHECK_EQ(probe(), -ENODEV);
}

TEST(config_reads)
{
	fake_reset(GW_DEVICE_MMIO, VIRTIO_ID_BLOCK, BASIC, 256);
	fake.config[0] = 0x11;
	fake.config[7] = 0x22;
	CHECK_EQ(probe(), 0);
	CHECK(vdev_cfg64(&d, 0) == 0x2200000000000011ull);
	CHECK_EQ(vdev_cfg32(&d, 0xfd), 0);
	CHECK_EQ(vdev_cfg32(&d, 0xffffffff), 0);
	CHECK_EQ(vdev_cfg8(&d, 0x100), 0);
	fake.generation_moves = true; /* for ever: the read still ends */
	(void)vdev_cfg64(&d, 0);
}

TEST(stop)
{
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	CHECK_EQ(probe(), 0);
	CHECK(vdev_stop(&d, "test"));
	CHECK(vdev_stop(&d, "again"));
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(fake.resets, 2);
	/* One that does not let go. */
	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_NET, BASIC, 256);
	CHECK_EQ(probe(), 0);
	fake.never_resets = true;
	CHECK(!vdev_stop(&d, "test"));
	CHECK(!vdev_stop(&d, "test"));
	fake.status = 1;
	CHECK_EQ(probe(), -EIO);
}

UNIT_MAIN(CASE(pci_found), CASE(pci_not_virtio), CASE(pci_without_modern_interface),
	  CASE(pci_capability_loop), CASE(pci_capability_at_the_end),
	  CASE(pci_blocks_outside_their_bar), CASE(pci_notify_multiplier), CASE(pci_random_config),
	  CASE(features), CASE(queues), CASE(mmio_versions), CASE(config_reads), CASE(stop))
