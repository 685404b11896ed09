/* SPDX-License-Identifier: Apache-2.0 */
/* manifest_test.c - a good bundle, then one with each thing wrong in turn. */
#include <stdlib.h>

#include "abi/boot.h"
#include "abi/trace.h"
#include "abi/vcore.h"
#include "kernel/core/crc32c.h"
#include "kernel/core/manifest.h"
#include "tests/unit.h"

#define SIZE (5 * 4096u)

static union {
	struct gw_bundle b;
	uint8_t bytes[SIZE];
} image;
static struct gw_bundle *const b = &image.b;
static struct manifest_error err;

static void seal(void)
{
	b->crc = 0;
	b->crc = ~crc32c_update(~0u, image.bytes, SIZE, false);
}

static void good(void)
{
	memset(&image, 0, sizeof(image));
	b->magic = GW_BUNDLE_MAGIC;
	b->version = GW_BUNDLE_VERSION;
	b->size = SIZE;
	b->n_partitions = 1;
	b->n_segments = 2;
	b->n_mmio = 1;
	b->n_devices = 1;
	strcpy(b->partitions[0].name, "p");
	b->partitions[0].vcores = 2;
	b->partitions[0].entry_va = GW_RUNTIME_BASE + 0x10;
	b->partitions[0].config_offset = 4 * 4096;
	b->partitions[0].config_len = 100;
	b->segments[0] =
		(struct gw_bundle_segment){ GW_RUNTIME_BASE, 8192, 4096, 4096, GW_MAP_X, 0 };
	b->segments[1] =
		(struct gw_bundle_segment){ GW_RUNTIME_BASE + 4096, 12288, 100, 9000, GW_MAP_W, 0 };
	b->mmio[0] = (struct gw_bundle_mmio){ 0xfeb00000, 512, 24, 24, 0 };
	b->devices[0] = (struct gw_bundle_device){ GW_DEVICE_PCI, 0x1af4, 0xffff, 0, ~0u };
	seal();
}

static int check_bundle(void)
{
	err.field = "";
	return manifest_check(b, SIZE, false, &err);
}

TEST(good_bundle)
{
	good();
	CHECK_EQ(check_bundle(), 0);
	CHECK_EQ(manifest_check(b, SIZE, __builtin_cpu_supports("sse4.2"), &err), 0);
	CHECK_EQ(manifest_check(b, SIZE + 4096, false, &err), 0);
}

TEST(crc_known)
{
	CHECK_EQ(~crc32c_update(~0u, "123456789", 9, false), 0xe3069283u);
	if (__builtin_cpu_supports("sse4.2"))
		for (size_t n = 0; n < 300; n += 7)
			CHECK_EQ(crc32c_update(~0u, image.bytes, n, true),
				 crc32c_update(~0u, image.bytes, n, false));
}

#define BAD(name, change)                          \
	do {                                       \
		good();                            \
		change;                            \
		seal();                            \
		CHECK_EQ(check_bundle(), -EINVAL); \
		CHECK_STR(err.field, name);        \
	} while (0)

TEST(header)
{
	BAD("magic", b->magic ^= 1);
	BAD("version", b->version = 1);
	BAD("size", b->size = SIZE + 1);
	BAD("size", b->size = ~0ULL);
	BAD("size", b->size = 100);
	BAD("n_partitions", b->n_partitions = 0);
	BAD("n_partitions", b->n_partitions = 9);
	BAD("n_segments", b->n_segments = 33);
	BAD("n_segments", b->n_segments = 0);
	BAD("n_mmio", b->n_mmio = 5);
	BAD("n_devices", b->n_devices = 33);
	good();
	CHECK_EQ(manifest_check(b, 100, false, &err), -EINVAL);
	CHECK_STR(err.field, "header");
	good();
	CHECK_EQ(manifest_check(b, SIZE - 1, false, &err), -EINVAL);
	CHECK_STR(err.field, "size");
	good();
	image.bytes[SIZE - 1] ^= 0x80;
	CHECK_EQ(check_bundle(), -EINVAL);
	CHECK_STR(err.field, "crc");
}

TEST(segments)
{
	BAD("segments.va", b->segments[1].va += 8);
	BAD("segments.va", b->segments[1].va = GW_MEM_BASE);
	BAD("segments.va", b->segments[1].va = 0x400000);
	BAD("segments.va", b->segments[1].va = GW_RUNTIME_BASE); /* overlap */
	BAD("segments.va", b->segments[1].va = GW_RUNTIME_BASE - 0x1000);
	BAD("segments.offset", b->segments[0].offset = 0);
	BAD("segments.offset", b->segments[0].offset = 4097);
	BAD("segments.offset", b->segments[0].offset = SIZE);
	BAD("segments.offset", b->segments[0].offset = ~4095ULL);
	BAD("segments.offset", b->segments[1].file_len = ~0ULL);
	BAD("segments.mem_len", b->segments[1].mem_len = 50);
	BAD("segments.mem_len", b->segments[1].mem_len = ~0ULL);
	BAD("segments.mem_len", b->segments[1].mem_len = GW_MEM_BASE - GW_RUNTIME_BASE);
	BAD("segments.mem_len", b->segments[0].mem_len = 4097);
	BAD("segments.mem_len", (b->segments[1].mem_len = 0, b->segments[1].file_len = 0));
	BAD("segments.flags", b->segments[0].flags = GW_MAP_W | GW_MAP_X);
	BAD("segments.flags", b->segments[0].flags = 0x80);
	BAD("segments.partition", b->segments[0].partition = 1);
}

TEST(partitions)
{
	BAD("partitions.name", memset(b->partitions[0].name, 'x', 32));
	BAD("partitions.vcores", b->partitions[0].vcores = 0);
	BAD("partitions.vcores", b->partitions[0].vcores = 65);
	BAD("partitions.flags", b->partitions[0].flags = 0x100);
	BAD("partitions.config_offset", b->partitions[0].config_offset = 1);
	BAD("partitions.config_offset", b->partitions[0].config_len = 4097);
	BAD("partitions.config_offset", b->partitions[0].config_len = ~0ULL);
	BAD("partitions.entry_va", b->partitions[0].entry_va = GW_RUNTIME_BASE + 4096);
	BAD("partitions.entry_va", b->partitions[0].entry_va = 0);
	BAD("partitions.page_table_pages", b->partitions[0].page_table_pages = ~0u);
	BAD("partitions.reserved", b->partitions[0].reserved[1] = 1);
	BAD("partitions.health", b->partitions[0].health[GW_HEALTH_POWER] = GW_HEALTH_ACTIONS);
	BAD("partitions.policy", b->partitions[0].policy = GW_POLICIES);
	BAD("partitions.cores_min", b->partitions[0].cores_max = 3);
	BAD("partitions.cores_min", b->partitions[0].cores_min = 3);
	BAD("partitions.cores_min",
	    (b->partitions[0].cores_max = 1, b->partitions[0].cores_min = 2));
	BAD("partitions.reserved", b->partitions[0].reserved8 = 1);
	BAD("partitions.colours", b->partitions[0].colours = 1);
	BAD("partitions.colours",
	    (b->partitions[0].colours = 1, b->partitions[0].memory_bytes = (1ULL << 40) + 1));
	BAD("colours", b->colours = 24);
	BAD("colours", b->colours = 128);
	for (uint32_t n = 0; n <= 64; n = n * 2 + (n == 0)) {
		good();
		b->colours = n;
		b->partitions[0].colours = n != 0 ? 1ULL << (n - 1) : ~0ULL;
		b->partitions[0].memory_bytes = 1ULL << 40;
		seal();
		CHECK_EQ(check_bundle(), 0);
	}
	good();
	b->partitions[0].health[GW_HEALTH_APPLICATION] = GW_HEALTH_COLD_RESTART;
	b->partitions[0].cores_min = 2;
	seal();
	CHECK_EQ(check_bundle(), 0);
}

TEST(windows_and_devices)
{
	BAD("mmio.stride", b->mmio[0].stride = 0);
	BAD("mmio.stride", b->mmio[0].stride = 768);
	BAD("mmio.count", b->mmio[0].count = 0);
	BAD("mmio.count", b->mmio[0].count = 33);
	BAD("mmio.pa", b->mmio[0].pa = 0xfeb00100);
	BAD("mmio.pa", b->mmio[0].pa = ~511ULL);
	BAD("mmio.pa", b->mmio[0].pa = 0);
	BAD("mmio.gsi", b->mmio[0].gsi = 255);
	BAD("mmio.gsi", b->mmio[0].gsi = ~0u);
	BAD("devices.kind", b->devices[0].kind = 3);
	BAD("devices.partition", b->devices[0].partition = 1);
}

/* Two windows on core 0, one on core 1. */
static void windows(void)
{
	b->cores = 2;
	b->frame_ns = 1000000;
	b->n_slots = 3;
	b->slots[0] = (struct gw_bundle_slot){ 0, 400000, 0, 0, 0 };
	b->slots[1] = (struct gw_bundle_slot){ 400000, 600000, 0, GW_WINDOW_POOL, 0 };
	b->slots[2] = (struct gw_bundle_slot){ 10000, 10000, 1, 0, GW_WINDOW_ELASTIC };
}

#define BAD_WINDOW(name, change) BAD(name, (windows(), change))

TEST(windows_of_time)
{
	good();
	windows();
	seal();
	CHECK_EQ(check_bundle(), 0);
	BAD_WINDOW("cores", b->cores = 65);
	BAD_WINDOW("n_slots", b->n_slots = 65);
	BAD_WINDOW("frame_ns", b->frame_ns = 0);
	BAD_WINDOW("frame_ns", b->cores = 0);
	BAD_WINDOW("slots.core", b->slots[2].core = 2);
	BAD_WINDOW("slots.partition", b->slots[2].partition = 1);
	BAD_WINDOW("slots.partition", b->partitions[0].policy = GW_POLICY_BATCH);
	BAD_WINDOW("slots.partition", b->partitions[0].vcores = 1); /* none on core 1 */
	BAD_WINDOW("slots.partition", b->partitions[0].policy = GW_POLICY_BATCH);
	BAD_WINDOW("slots.flags", b->slots[0].flags = 4);
	BAD_WINDOW("slots.duration_ns", b->slots[0].duration_ns = 9999);
	BAD_WINDOW("slots.duration_ns", b->slots[0].duration_ns = 1000001);
	BAD_WINDOW("slots.offset_ns", b->slots[1].offset_ns = 400001);
	BAD_WINDOW("slots.offset_ns", b->slots[1].offset_ns = ~0u);
	BAD_WINDOW("slots.offset_ns", b->slots[1].offset_ns = 399999); /* overlap */
	BAD_WINDOW("slots.offset_ns", b->slots[0].offset_ns = 500000); /* order */
	BAD_WINDOW("slots.offset_ns", b->slots[1].core = 1);	       /* order */
	BAD_WINDOW("slots.offset_ns", (b->slots[1].core = 0, b->slots[0].core = 1));
}

TEST(channels)
{
#define BAD_CHANNEL(name, change)     \
	BAD(name, (b->n_channels = 1, \
		   b->channels[0] = (struct gw_bundle_channel){ 100, 4, 0, 0, 2 }, change))
	BAD("n_channels", b->n_channels = 33);
	BAD_CHANNEL("channels.message_bytes", b->channels[0].message_bytes = 0);
	BAD_CHANNEL("channels.message_bytes", b->channels[0].message_bytes = 4065);
	BAD_CHANNEL("channels.depth", b->channels[0].depth = 1025);
	BAD_CHANNEL("channels.source", b->channels[0].source = 1);
	BAD_CHANNEL("channels.destinations", b->channels[0].destinations = 0);
	BAD_CHANNEL("channels.destinations", b->channels[0].destinations = 1);
	BAD_CHANNEL("channels.destinations", b->channels[0].destinations = 2); /* not there */
}

TEST(two_partitions)
{
	good();
	b->n_partitions = 2;
	b->partitions[1] = b->partitions[0];
	b->n_segments = 3;
	b->segments[2] = b->segments[0];
	b->segments[2].partition = 1;
	seal();
	CHECK_EQ(check_bundle(), -EINVAL); /* only the last takes what is left */
	CHECK_STR(err.field, "partitions.memory_bytes");
	b->partitions[0].memory_bytes = 1u << 20;
	b->n_channels = 1;
	b->channels[0] = (struct gw_bundle_channel){ 100, 4, 0, 0, 2 };
	seal();
	CHECK_EQ(check_bundle(), 0);
}

TEST(owners)
{
	good();
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x1af4, 0x1041, 8), 0);
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x8086, 0x1041, 8), -ENODEV);
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_MMIO, 0x1af4, 1, 0), -ENODEV);
	b->devices[0].device = 0x1042;
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x1af4, 0x1041, 8), -ENODEV);
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x1af4, 0x1042, 8), 0);
	b->devices[0].device = 0xffff;
	b->devices[0].location = 16;
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x1af4, 0x1041, 8), -ENODEV);
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 0x1af4, 0x1041, 16), 0);
	/* the first match decides */
	b->n_devices = 2;
	b->devices[0] = (struct gw_bundle_device){ 0, 0xffff, 0xffff, 3, 5 };
	b->devices[1] = (struct gw_bundle_device){ 0, 0xffff, 0xffff, 1, ~0u };
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_PCI, 1, 2, 5), 3);
	CHECK_EQ(manifest_device_owner(b, GW_DEVICE_MMIO, 1, 2, 6), 1);
}

/* Random damage with a right checksum: never a crash, and nothing out of bounds is accepted. */
TEST(random_damage)
{
	srand(2);
	for (int i = 0; i < 50000; i++) {
		good();
		for (int k = rand() % 4; k >= 0; k--)
			image.bytes[rand() % (int)sizeof(*b)] = (uint8_t)rand();
		if (rand() % 4)
			seal();
		if (check_bundle() != 0)
			continue;
		CHECK(b->size <= SIZE);
		for (uint32_t s = 0; s < b->n_segments; s++)
			CHECK(b->segments[s].offset + b->segments[s].file_len <= b->size);
	}
}

TEST(the_module)
{
	BAD("trace_records", b->trace_records = GW_TRACE_MAX + 1);
	for (uint8_t action = 0; action < GW_HEALTH_ACTIONS + 1; action++) {
		bool can = action == GW_HEALTH_STOP || action == GW_HEALTH_IGNORE ||
			   action == GW_HEALTH_MODULE_STOP || action == GW_HEALTH_MODULE_RESET;

		good();
		b->module_health[GW_HEALTH_POWER] = action;
		seal();
		CHECK_EQ(check_bundle(), can ? 0 : -EINVAL);
		if (!can)
			CHECK_STR(err.field, "module_health");
	}
}

/* A configuration that would reach into the vcore areas: within a bundle that is as large. */
TEST(a_long_configuration)
{
	size_t len = GW_VCORE_BASE - GW_CONFIG_VA + SIZE + 4096;
	bool hardware = __builtin_cpu_supports("sse4.2");
	struct gw_bundle *large = calloc(1, len);

	good();
	memcpy(large, b, SIZE);
	large->size = len;
	for (uint32_t over = 0; over < 2; over++) {
		large->partitions[0].config_len = GW_VCORE_BASE - GW_CONFIG_VA + over;
		large->crc = 0;
		large->crc = ~crc32c_update(~0u, large, len, hardware);
		CHECK_EQ(manifest_check(large, len, hardware, &err), over ? -EINVAL : 0);
	}
	CHECK_STR(err.field, "partitions.config_len");
	free(large);
}

TEST(three_partitions)
{
	good();
	b->n_partitions = b->n_segments = 3;
	for (uint32_t i = 1; i < 3; i++) {
		b->partitions[i] = b->partitions[0];
		b->partitions[i].config_len = 0;
		b->segments[i] = b->segments[0];
		b->segments[i].partition = i;
		b->partitions[i - 1].memory_bytes = 4096;
	}
	b->n_channels = 1;
	b->channels[0] = (struct gw_bundle_channel){ 100, 0, 0, 0, 6 };
	seal();
	CHECK_EQ(check_bundle(), 0); /* sampling: to several */
	b->channels[0].depth = 4;
	seal();
	CHECK_EQ(check_bundle(), -EINVAL);
	CHECK_STR(err.field, "channels.destinations");
}

UNIT_MAIN(CASE(good_bundle), CASE(crc_known), CASE(header), CASE(segments), CASE(partitions),
	  CASE(windows_and_devices), CASE(windows_of_time), CASE(two_partitions), CASE(channels),
	  CASE(owners), CASE(random_damage), CASE(the_module), CASE(a_long_configuration),
	  CASE(three_partitions))
