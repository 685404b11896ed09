/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_check.c - reading a bundle: the kernel's own check, and a listing. The bytes are not
 * trusted. See bundle.h. */
#include <inttypes.h>
#include <string.h>

#include "abi/vcore.h"
#include "kernel/core/manifest.h"
#include "tools/bundle/bundle.h"

int bundle_check(const void *bytes, size_t len)
{
	struct manifest_error e;

	if (len < GW_BUNDLE_MANIFEST)
		return fail("the bundle is truncated: %zu bytes", len);
	if (manifest_check(bytes, len, false, &e) != 0)
		return fail("bundle: %s (entry %u) %s", e.field, e.index, e.reason);
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

static void show_partition(const struct gw_bundle *b, uint32_t i, const char *bytes,
			   struct text *out)
{
	const struct gw_bundle_partition *p = &b->partitions[i];

	text_printf(out,
		    "partition %u %s: %u vcores from core %u on, memory %" PRIu64
		    ", entry 0x%" PRIx64 ", flags 0x%x\n",
		    i, p->name, p->vcores, p->first_core, p->memory_bytes, p->entry_va, p->flags);
	text_printf(out,
		    "  policy %u, elastic cores %u..%u, delay %u ns, colours 0x%" PRIx64
		    ", restarts %u, health",
		    p->policy, p->cores_min, p->cores_max, p->delay_ns, p->colours, p->restarts);
	for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++)
		text_printf(out, " %u", p->health[c]);
	text_printf(out, "\n");
	for (uint32_t k = 0; k < b->n_segments; k++) {
		const struct gw_bundle_segment *s = &b->segments[k];

		if (s->partition == i)
			text_printf(out,
				    "  segment 0x%" PRIx64 " r%c%c file %" PRIu64 " memory %" PRIu64
				    "\n",
				    s->va, s->flags & GW_MAP_W ? 'w' : '-',
				    s->flags & GW_MAP_X ? 'x' : '-', s->file_len, s->mem_len);
	}
	text_printf(out, "  config, %" PRIu64 " bytes:\n", p->config_len);
	show_config(bytes + p->config_offset, p->config_len, out);
}

void bundle_show(const void *bytes, struct text *out)
{
	const struct gw_bundle *b = bytes;

	text_printf(out, "bundle version %u, %" PRIu64 " bytes, crc 0x%08x\n", b->version, b->size,
		    b->crc);
	for (uint32_t i = 0; i < b->n_partitions; i++)
		show_partition(b, i, bytes, out);
	for (uint32_t i = 0; i < b->n_mmio; i++)
		text_printf(out, "mmio 0x%" PRIx64 " stride %u count %u gsi %u\n", b->mmio[i].pa,
			    b->mmio[i].stride, b->mmio[i].count, b->mmio[i].gsi);
	for (uint32_t i = 0; i < b->n_devices; i++)
		text_printf(out,
			    "devices kind %u vendor %04x device %04x location %x: partition %u\n",
			    b->devices[i].kind, b->devices[i].vendor, b->devices[i].device,
			    b->devices[i].location, b->devices[i].partition);
	if (b->colours != 0)
		text_printf(out, "page colours %u\n", b->colours);
	if (b->cores != 0 || b->frame_ns != 0)
		text_printf(out, "cores %u, major frame %u ns\n", b->cores, b->frame_ns);
	for (uint32_t i = 0; i < b->n_slots; i++)
		text_printf(out, "window core %u at %u ns for %u ns: partition %u flags 0x%x\n",
			    b->slots[i].core, b->slots[i].offset_ns, b->slots[i].duration_ns,
			    b->slots[i].partition, b->slots[i].flags);
	for (uint32_t i = 0; i < b->n_channels; i++)
		text_printf(out,
			    "channel %u: %u bytes, depth %u, refresh %" PRIu64
			    " ns, from %u to mask 0x%x\n",
			    i, b->channels[i].message_bytes, b->channels[i].depth,
			    b->channels[i].refresh_ns, b->channels[i].source,
			    b->channels[i].destinations);
}
