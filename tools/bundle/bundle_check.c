/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_check.c - reading a bundle: the checks that the kernel makes, and a listing. The bytes are
 * not trusted. See bundle.h. */
#include <inttypes.h>
#include <string.h>

#include "abi/vcore.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/crc32c.h"

static bool inside(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

static int check_segment(const struct gw_bundle *b, uint32_t i)
{
	const struct gw_bundle_segment *s = &b->segments[i];

	if (s->partition >= b->n_partitions)
		return fail("segment %u belongs to no partition", i);
	if (s->va % GW_PAGE != 0 || s->offset % GW_PAGE != 0 || s->mem_len == 0)
		return fail("segment %u is not page aligned, or empty", i);
	if (s->va < GW_RUNTIME_BASE || s->va >= GW_MEM_BASE || s->mem_len > GW_MEM_BASE - s->va)
		return fail("segment %u lies outside the runtime's addresses", i);
	if (s->file_len > s->mem_len || !inside(s->offset, s->file_len, b->size))
		return fail("segment %u lies outside the bundle", i);
	if ((s->flags & ~(GW_MAP_W | GW_MAP_X)) != 0 || s->flags == (GW_MAP_W | GW_MAP_X))
		return fail("segment %u has bad flags 0x%x", i, s->flags);
	for (uint32_t j = 0; j < i; j++) {
		const struct gw_bundle_segment *o = &b->segments[j];
		uint64_t s_end = s->va + ((s->mem_len + GW_PAGE - 1) & ~(uint64_t)(GW_PAGE - 1));
		uint64_t o_end = o->va + ((o->mem_len + GW_PAGE - 1) & ~(uint64_t)(GW_PAGE - 1));

		if (o->partition == s->partition && s->va < o_end && o->va < s_end)
			return fail("segments %u and %u overlap", j, i);
	}
	return 0;
}

static int check_partition(const struct gw_bundle *b, uint32_t i)
{
	const struct gw_bundle_partition *p = &b->partitions[i];

	if (memchr(p->name, '\0', sizeof(p->name)) == NULL || p->name[0] == '\0')
		return fail("partition %u has no proper name", i);
	if (p->memory_bytes == 0 && i + 1 != b->n_partitions)
		return fail("partition %s takes all memory that is left, and is not the last",
			    p->name);
	if (p->vcores < 1 || p->vcores > GW_MAX_VCORES)
		return fail("partition %s has %u vcores", p->name, p->vcores);
	if (p->config_offset % GW_PAGE != 0 || !inside(p->config_offset, p->config_len, b->size))
		return fail("the configuration of %s lies outside the bundle", p->name);
	for (uint32_t k = 0; k < b->n_segments; k++) {
		const struct gw_bundle_segment *s = &b->segments[k];

		if (s->partition == i && s->flags & GW_MAP_X && p->entry_va >= s->va &&
		    p->entry_va - s->va < s->mem_len)
			return 0;
	}
	return fail("the entry of %s is in no executable segment", p->name);
}

int bundle_check(const void *bytes, size_t len)
{
	static const uint8_t zero[4];
	size_t at_crc = offsetof(struct gw_bundle, crc);
	struct gw_bundle b;
	uint32_t crc;

	if (len < GW_BUNDLE_MANIFEST)
		return fail("the bundle is truncated: %zu bytes", len);
	memcpy(&b, bytes, sizeof(b));
	if (b.magic != GW_BUNDLE_MAGIC)
		return fail("this is not a bundle");
	if (b.version != GW_BUNDLE_VERSION)
		return fail("the bundle has version %u, not %u", b.version, GW_BUNDLE_VERSION);
	if (b.size < GW_BUNDLE_MANIFEST || b.size > len)
		return fail("the bundle is truncated: %zu of %" PRIu64 " bytes", len, b.size);
	crc = crc32c(0, bytes, at_crc);
	crc = crc32c(crc, zero, sizeof(zero));
	crc = crc32c(crc, (const uint8_t *)bytes + at_crc + 4, (size_t)b.size - at_crc - 4);
	if (crc != b.crc)
		return fail("the bundle's checksum is wrong: 0x%08x, not 0x%08x", crc, b.crc);
	if (b.n_partitions < 1 || b.n_partitions > GW_BUNDLE_PARTITIONS ||
	    b.n_segments > GW_BUNDLE_SEGMENTS || b.n_mmio > GW_BUNDLE_WINDOWS ||
	    b.n_devices > GW_BUNDLE_DEVICES)
		return fail("a table of the bundle is too long, or empty");
	for (uint32_t i = 0; i < b.n_segments; i++)
		if (check_segment(&b, i) != 0)
			return -1;
	for (uint32_t i = 0; i < b.n_partitions; i++)
		if (check_partition(&b, i) != 0)
			return -1;
	return 0;
}

static void show_config(const char *p, size_t len, struct text *out)
{
	while (len > 0 && *p != '\0') {
		size_t n = strnlen(p, len);

		text_printf(out, "    %.*s\n", (int)n, p);
		if (n == len)
			break;
		p += n + 1;
		len -= n + 1;
	}
}

void bundle_show(const void *bytes, struct text *out)
{
	struct gw_bundle b;

	memcpy(&b, bytes, sizeof(b));
	text_printf(out, "bundle version %u, %" PRIu64 " bytes, crc 0x%08x\n", b.version, b.size,
		    b.crc);
	for (uint32_t i = 0; i < b.n_partitions; i++) {
		const struct gw_bundle_partition *p = &b.partitions[i];

		text_printf(out,
			    "partition %u %s: %u vcores, memory %" PRIu64 ", entry 0x%" PRIx64
			    ", flags 0x%x\n",
			    i, p->name, p->vcores, p->memory_bytes, p->entry_va, p->flags);
		for (uint32_t k = 0; k < b.n_segments; k++) {
			const struct gw_bundle_segment *s = &b.segments[k];

			if (s->partition == i)
				text_printf(out,
					    "  segment 0x%" PRIx64 " r%c%c file %" PRIu64
					    " memory %" PRIu64 "\n",
					    s->va, s->flags & GW_MAP_W ? 'w' : '-',
					    s->flags & GW_MAP_X ? 'x' : '-', s->file_len,
					    s->mem_len);
		}
		text_printf(out, "  config, %" PRIu64 " bytes:\n", p->config_len);
		show_config((const char *)bytes + p->config_offset, p->config_len, out);
	}
	for (uint32_t i = 0; i < b.n_mmio; i++)
		text_printf(out, "mmio 0x%" PRIx64 " stride %u count %u gsi %u\n", b.mmio[i].pa,
			    b.mmio[i].stride, b.mmio[i].count, b.mmio[i].gsi);
	for (uint32_t i = 0; i < b.n_devices; i++)
		text_printf(out,
			    "devices kind %u vendor %04x device %04x location %x: partition %u\n",
			    b.devices[i].kind, b.devices[i].vendor, b.devices[i].device,
			    b.devices[i].location, b.devices[i].partition);
}
