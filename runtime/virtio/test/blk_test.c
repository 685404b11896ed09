/* SPDX-License-Identifier: Apache-2.0 */
/* blk_test.c - virtio-blk reads and virtio-rng seeding against a fake device. */
#include "runtime/base/errno.h"
#include "runtime/virtio/blkdev.h"
#include "runtime/virtio/misc.h"
#include "runtime/virtio/test/fake.h"
#include "tests/unit.h"

#include <stdlib.h>

#define BASIC (VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC)
#define SEG_MAX VIRTIO_BIT(2)
#define BLK_SIZE VIRTIO_BIT(6)
#define SECTORS 4096u

static struct blkdev *dev;
static uint8_t status_byte; /* what the device answers */
static int32_t len_off;	    /* added to the honest used length */
static bool silent;	    /* the device does not answer */
static unsigned requests, largest;

/* Sector s is filled with bytes (s * 7) & 0xff. */
static void serve(struct fake_device *d, unsigned i)
{
	struct fake_chain c;

	(void)d;
	while (i == 0 && !silent && fake_pop(0, &c)) {
		struct {
			uint32_t type, reserved;
			uint64_t sector;
		} hdr;
		uint8_t *buf = malloc(c.in_len);

		CHECK_EQ(fake_read_out(&c, &hdr, sizeof(hdr)), 16);
		CHECK_EQ(c.out_len, 16);
		CHECK_EQ(hdr.type, 0);
		requests++;
		largest = GW_MAX(largest, c.n_in - 1);
		for (uint32_t b = 0; b + 1 < c.in_len; b++)
			buf[b] = (uint8_t)((hdr.sector + b / 512) * 7);
		buf[c.in_len - 1] = status_byte;
		fake_write_in(&c, buf, c.in_len);
		fake_push(0, c.id, c.in_len + (uint32_t)len_off);
		free(buf);
	}
}

static bool world_turns(void)
{
	fake_now_ns += 100000;
	fake_turn();
	return !silent;
}

static void setup(uint64_t offer, uint32_t seg_max, uint32_t blk_size)
{
	struct vdev v;
	uint64_t capacity = SECTORS;

	fake_reset(GW_DEVICE_PCI, VIRTIO_ID_BLOCK, offer, 256);
	memcpy(fake.config, &capacity, 8);
	memcpy(fake.config + 12, &seg_max, 4);
	memcpy(fake.config + 20, &blk_size, 4);
	fake.on_kick = serve;
	fake_on_park = world_turns;
	status_byte = 0;
	len_off = 0;
	silent = false;
	requests = largest = 0;
	blk_forget();
	misc_init();
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, true), 0);
	CHECK_EQ(blk_probe(&v), 0);
	dev = blkdev_get(0);
	CHECK(dev != NULL);
}

static uint8_t *memory;
static int read_at(uint64_t offset, uint32_t n, uint32_t each)
{
	struct blk_segment segs[80];

	free(memory);
	memory = calloc(n, each);
	for (uint32_t i = 0; i < n; i++)
		segs[i] = (struct blk_segment){ va_to_pa(memory + i * each), each };
	return blkdev_read(dev, offset, segs, n);
}

static bool contents_ok(uint64_t offset, uint32_t bytes)
{
	for (uint32_t b = 0; b < bytes; b++) {
		if (memory[b] != (uint8_t)((offset / 512 + b / 512) * 7))
			return false;
	}
	return true;
}

TEST(reads)
{
	setup(BASIC | SEG_MAX, 254, 0);
	CHECK(blkdev_get(1) == NULL);
	CHECK_EQ(blkdev_size(dev), SECTORS * 512);
	CHECK_EQ(read_at(0, 1, 512), 0);
	CHECK(contents_ok(0, 512));
	CHECK_EQ(read_at(4096, 16, 4096), 0);
	CHECK(contents_ok(4096, 65536));
	CHECK_EQ(requests, 2);
	CHECK_EQ(read_at((SECTORS - 8) * 512, 1, 4096), 0);
	for (unsigned i = 0; i < 100; i++)
		CHECK_EQ(read_at(i * 512, 3, 512), 0);
	CHECK_EQ(fake_warnings, 0);
}

TEST(long_reads_are_split)
{
	setup(BASIC | SEG_MAX, 10, 0);
	CHECK_EQ(read_at(512, 64, 512), 0);
	CHECK(contents_ok(512, 64 * 512));
	CHECK_EQ(requests, 7);
	CHECK_EQ(largest, 10);
	/* No limit told: one segment. */
	setup(BASIC, 99, 0);
	CHECK_EQ(read_at(512, 5, 512), 0);
	CHECK_EQ(requests, 5);
	/* Without indirect descriptors a request still fits into the ring. */
	setup((BASIC & ~VIRTIO_F_INDIRECT_DESC) | SEG_MAX, 1000, 0);
	CHECK_EQ(read_at(0, 64, 512), 0);
	CHECK(contents_ok(0, 64 * 512));
	CHECK_EQ(largest, 62);
}

TEST(bad_arguments)
{
	struct blk_segment s = { 0, 512 };

	setup(BASIC | SEG_MAX | BLK_SIZE, 254, 4096);
	CHECK_EQ(blkdev_read(dev, 0, &s, 0), -EINVAL);
	CHECK_EQ(blkdev_read(dev, 0, &s, 65), -EINVAL);
	CHECK_EQ(blkdev_read(dev, 512, &s, 1), -EINVAL); /* 4096-byte blocks */
	CHECK_EQ(blkdev_read(dev, 0, &s, 1), -EINVAL);
	s.len = 100;
	CHECK_EQ(blkdev_read(dev, 0, &s, 1), -EINVAL);
	s.len = 4096;
	CHECK_EQ(blkdev_read(dev, SECTORS * 512, &s, 1), -EINVAL);
	CHECK_EQ(blkdev_read(dev, ~0ull - 4095, &s, 1), -EINVAL);
	CHECK_EQ(requests, 0);
	CHECK_EQ(read_at(4096, 2, 4096), 0);
}

TEST(device_says_error)
{
	setup(BASIC | SEG_MAX, 254, 0);
	for (unsigned s = 1; s < 256; s += 127) {
		status_byte = (uint8_t)s;
		CHECK_EQ(read_at(0, 2, 512), -EIO);
	}
	status_byte = 0;
	len_off = -1; /* short: the status byte was not written, or not all data */
	CHECK_EQ(read_at(0, 2, 512), -EIO);
	len_off = -1025;
	CHECK_EQ(read_at(0, 2, 512), -EIO);
	len_off = 0;
	CHECK_EQ(read_at(0, 2, 512), 0); /* and it goes on */
	CHECK_EQ(fake_warnings, 0);
}

TEST(device_lies)
{
	setup(BASIC | SEG_MAX, 254, 0);
	len_off = 1;
	CHECK_EQ(read_at(0, 2, 512), -EIO);
	CHECK_EQ(fake_warnings, 1);
	CHECK_EQ(fake.status, 0);
	len_off = 0;
	CHECK_EQ(read_at(0, 2, 512), -EIO); /* stopped for good */
	CHECK_EQ(requests, 1);
}

TEST(device_is_silent)
{
	setup(BASIC | SEG_MAX, 254, 0);
	silent = true;
	CHECK_EQ(read_at(0, 2, 512), -EIO);
	CHECK(fake_now_ns > 30 * NS_PER_SEC);
	CHECK_EQ(fake_warnings, 1);
}

static unsigned looks;
static bool other_event_then_late(void)
{
	silent = false;
	serve(&fake, 0); /* completes, and its interrupt is lost */
	fake_events = 0;
	fake_now_ns += looks++ == 0 ? NS_PER_US : 100 * NS_PER_MS;
	fake_turn();
	return true;
}

/* Queues are looked at after an interrupt, and in a while if it was lost. */
TEST(lost_interrupt)
{
	setup(BASIC | SEG_MAX, 254, 0);
	fake_turn(); /* nothing is left of set-up */
	CHECK(!fake_arm());
	CHECK(fake_deadline() == GW_NEVER);
	silent = true;
	looks = 0;
	fake_on_park = other_event_then_late;
	CHECK_EQ(read_at(0, 2, 512), 0);
	CHECK_EQ(looks, 2);
}

TEST(bad_capacity)
{
	struct vdev v;

	setup(BASIC, 1, 0);
	memset(fake.config, 0xff, 8);
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, true), 0);
	CHECK_EQ(blk_probe(&v), -EIO);
	CHECK(blkdev_get(1) == NULL);
}

static void serve_rng(struct fake_device *d, unsigned i)
{
	struct fake_chain c;
	uint8_t bytes[64];

	(void)d;
	memset(bytes, 0x77, sizeof(bytes));
	while (i == 0 && fake_pop(0, &c)) {
		CHECK_EQ(c.in_len, 64);
		fake_write_in(&c, bytes, 40);
		fake_push(0, c.id, 40);
	}
}

TEST(rng_seeds)
{
	struct vdev v;

	fake_reset(GW_DEVICE_MMIO, VIRTIO_ID_RNG, BASIC, 256);
	fake.on_kick = serve_rng;
	rng_forget();
	misc_init();
	CHECK_EQ(vdev_probe(&v, &fake.dev, 0, true), 0);
	CHECK_EQ(rng_probe(&v), 0);
	CHECK_EQ(fake_entropy_len, 0); /* nobody waited */
	fake_now_ns += NS_PER_MS;
	fake_turn();
	CHECK_EQ(fake_entropy_len, 40);
	CHECK_EQ(fake_entropy[39], 0x77);
	/* An hour later again. */
	fake_entropy_len = 0;
	CHECK(fake_timer->deadline_ns >= 3600 * NS_PER_SEC);
	fake_timer->fire(fake_timer);
	fake_now_ns += NS_PER_MS;
	fake_turn();
	CHECK_EQ(fake_entropy_len, 40);
	/* A lie stops it, and later hours ask no more. */
	fake.on_kick = NULL;
	fake_timer->fire(fake_timer);
	fake_push(0, 9, 64);
	fake_now_ns += NS_PER_MS;
	fake_turn();
	CHECK_EQ(fake_warnings, 1);
	fake_timer->fire(fake_timer);
}

TEST(memory)
{
	static uint8_t disk[3 * 512 + 100], page[1024];
	struct blk_segment to[2] = { { va_to_pa(page), 512 }, { va_to_pa(page + 512), 512 } };
	struct blkdev *d;

	for (size_t i = 0; i < sizeof(disk); i++)
		disk[i] = (uint8_t)(i * 7 + i / 256);
	d = blkdev_memory(disk, sizeof(disk));
	CHECK(d != NULL);
	CHECK_EQ(blkdev_size(d), 3 * 512); /* whole sectors */
	CHECK_EQ(blkdev_read(d, 512, to, 2), 0);
	CHECK(memcmp(page, disk + 512, 1024) == 0);
	CHECK_EQ(blkdev_read(d, 1024, to, 2), -EINVAL);
	CHECK_EQ(blkdev_read(d, 100, to, 1), -EINVAL);
}

UNIT_MAIN(CASE(memory), CASE(reads), CASE(long_reads_are_split), CASE(bad_arguments),
	  CASE(device_says_error), CASE(device_lies), CASE(device_is_silent), CASE(lost_interrupt),
	  CASE(bad_capacity), CASE(rng_seeds))
