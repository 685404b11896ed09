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

void bundle_alone(struct bundle_spec *spec, uint32_t vcores, struct gw_bundle_mmio mmio)
{
	struct gw_bundle *b = &spec->manifest;
	struct gw_bundle_partition *p = &b->partitions[0];

	b->n_partitions = 1;
	strcpy(p->name, "main");
	p->vcores = vcores;
	p->flags = GW_PARTITION_DMA_TRUSTED | GW_PARTITION_MEM_ZEROED;
	b->devices[0] = (struct gw_bundle_device){
		.kind = GW_DEVICE_PCI, .vendor = VIRTIO_VENDOR, .device = 0xffff, .location = ~0u
	};
	b->devices[1] = (struct gw_bundle_device){
		.kind = GW_DEVICE_MMIO, .vendor = 0xffff, .device = 0xffff, .location = ~0u
	};
	b->n_devices = 2;
	if (mmio.count != 0)
		b->mmio[b->n_mmio++] = mmio;
}

/* The partition before i that has the same program, or i. */
static uint32_t same_program(const struct bundle_spec *spec, uint32_t i)
{
	for (uint32_t k = 0; k < i; k++)
		if (spec->parts[k].program == spec->parts[i].program)
			return k;
	return i;
}

/* Partition i's segments. The kernel copies the writable ones and maps the others read-only, so the
 * bytes of a program are in the bundle once. */
static int place_program(struct gw_bundle *b, const struct bundle_spec *spec, uint32_t i,
			 uint32_t first[], uint64_t *offset)
{
	const struct program *p = spec->parts[i].program;
	uint32_t same = same_program(spec, i);

	if (p->n > GW_BUNDLE_SEGMENTS - b->n_segments)
		return fail("the partitions' programs have more than %u segments in all",
			    GW_BUNDLE_SEGMENTS);
	first[i] = b->n_segments;
	for (uint32_t k = 0; k < p->n; k++) {
		const struct program_segment *s = &p->segments[k];
		struct gw_bundle_segment *to = &b->segments[b->n_segments++];

		*to = (struct gw_bundle_segment){ .va = s->va,
						  .offset = *offset,
						  .file_len = s->file_len,
						  .mem_len = s->mem_len,
						  .flags = s->flags,
						  .partition = i };
		if (same != i)
			to->offset = b->segments[first[same] + k].offset;
		else
			*offset += PAGE_UP(s->file_len);
	}
	if (b->partitions[i].entry_va == 0)
		b->partitions[i].entry_va = p->entry;
	return 0;
}

/* Offsets of everything. */
static int lay_out(struct gw_bundle *b, const struct bundle_spec *spec)
{
	uint32_t first[GW_BUNDLE_PARTITIONS] = { 0 };
	uint64_t offset = GW_BUNDLE_MANIFEST;

	for (uint32_t i = 0; i < b->n_partitions; i++)
		if (place_program(b, spec, i, first, &offset) != 0)
			return -1;
	for (uint32_t i = 0; i < b->n_partitions; i++) {
		b->partitions[i].config_offset = offset;
		b->partitions[i].config_len = spec->parts[i].config_len;
		offset += PAGE_UP(spec->parts[i].config_len);
	}
	b->size = offset;
	return 0;
}

static void fill(uint8_t *image, const struct gw_bundle *b, const struct bundle_spec *spec)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < b->n_partitions; i++) {
		const struct program *p = spec->parts[i].program;

		for (size_t k = 0; k < p->n; k++, at++)
			if (p->segments[k].file_len != 0)
				memcpy(image + b->segments[at].offset, p->segments[k].bytes,
				       p->segments[k].file_len);
		if (spec->parts[i].config_len != 0)
			memcpy(image + b->partitions[i].config_offset, spec->parts[i].config,
			       spec->parts[i].config_len);
	}
}

int bundle_write(int fd, const struct bundle_spec *spec, uint64_t *size)
{
	struct gw_bundle *header;
	uint8_t *image = NULL;
	int result;

	header = xcalloc(1, sizeof(*header));
	*header = spec->manifest;
	header->magic = GW_BUNDLE_MAGIC;
	header->version = GW_BUNDLE_VERSION;
	result = lay_out(header, spec);
	if (result == 0) {
		image = xcalloc(1, header->size);
		fill(image, header, spec);
		memcpy(image, header, sizeof(*header));
		header->crc = crc32c(0, image, header->size);
		memcpy(image, header, sizeof(*header));
		*size = header->size;
		result = bundle_check(image, header->size);
	}
	if (result == 0 && write_all(fd, image, header->size, 0) != 0)
		result = fail("cannot write the boot bundle: %s", strerror(errno));
	free(header);
	free(image);
	return result;
}
