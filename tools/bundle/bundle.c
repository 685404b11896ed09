/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.c - the boot bundle's writer. See bundle.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "abi/boot.h"
#include "abi/vcore.h"
#include "tools/bundle/bundle.h"
#include "tools/bundle/crc32c.h"

#define PAGE_UP(x) (((x) + GW_PAGE - 1) & ~(uint64_t)(GW_PAGE - 1))
#define VIRTIO_VENDOR 0x1af4u

static void fill_partition(struct gw_bundle *b, const struct bundle_spec *spec)
{
	struct gw_bundle_partition *p = &b->partitions[0];

	b->n_partitions = 1;
	strcpy(p->name, "main");
	p->entry_va = spec->program->entry;
	p->vcores = spec->vcores;
	p->flags = GW_PARTITION_DMA_TRUSTED | GW_PARTITION_MEM_ZEROED;
	/* Every virtio device, and nothing else of the machine: bridges and the like stay the
	 * kernel's. */
	b->devices[0] = (struct gw_bundle_device){
		.kind = GW_DEVICE_PCI, .vendor = VIRTIO_VENDOR, .device = 0xffff, .location = ~0u
	};
	b->devices[1] = (struct gw_bundle_device){
		.kind = GW_DEVICE_MMIO, .vendor = 0xffff, .device = 0xffff, .location = ~0u
	};
	b->n_devices = 2;
	if (spec->mmio.count != 0)
		b->mmio[b->n_mmio++] = spec->mmio;
}

/* Offsets of everything; returns the bundle's size. */
static uint64_t lay_out(struct gw_bundle *b, const struct bundle_spec *spec)
{
	uint64_t offset = GW_BUNDLE_MANIFEST;

	for (size_t i = 0; i < spec->program->n; i++) {
		const struct program_segment *s = &spec->program->segments[i];

		b->segments[i] = (struct gw_bundle_segment){ .va = s->va,
							     .offset = offset,
							     .file_len = s->file_len,
							     .mem_len = s->mem_len,
							     .flags = s->flags };
		offset += PAGE_UP(s->file_len);
	}
	b->n_segments = (uint32_t)spec->program->n;
	b->partitions[0].config_offset = offset;
	b->partitions[0].config_len = spec->config_len;
	return PAGE_UP(offset + b->partitions[0].config_len);
}

int bundle_write(int fd, const struct bundle_spec *spec, uint64_t *size)
{
	struct gw_bundle header = { .magic = GW_BUNDLE_MAGIC, .version = GW_BUNDLE_VERSION };
	uint8_t *image;
	int result = 0;

	header.epoch_ns = spec->epoch_ns;
	fill_partition(&header, spec);
	header.size = lay_out(&header, spec);
	image = xcalloc(1, header.size);
	for (uint32_t i = 0; i < header.n_segments; i++)
		if (header.segments[i].file_len != 0)
			memcpy(image + header.segments[i].offset, spec->program->segments[i].bytes,
			       header.segments[i].file_len);
	memcpy(image + header.partitions[0].config_offset, spec->config, spec->config_len);
	memcpy(image, &header, sizeof(header));
	header.crc = crc32c(0, image, header.size);
	memcpy(image, &header, sizeof(header));
	if (write_all(fd, image, header.size, 0) != 0)
		result = fail("cannot write the boot bundle: %s", strerror(errno));
	*size = header.size;
	free(image);
	return result;
}
