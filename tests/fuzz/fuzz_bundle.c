/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bundle.c - the input is a boot bundle, whose checksum is put right first. What the kernel
 * accepts must be within the bundle and the runtime's addresses, and disjoint. */
#include <stdlib.h>

#include "abi/boot.h"
#include "abi/vcore.h"
#include "kernel/core/crc32c.h"
#include "kernel/core/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_accepted(const struct gw_bundle *b, uint64_t len)
{
	check(b->size <= len && b->n_partitions >= 1 && b->n_partitions <= GW_BUNDLE_PARTITIONS);
	for (uint32_t i = 0; i < b->n_segments; i++) {
		const struct gw_bundle_segment *s = &b->segments[i];

		check(s->file_len <= b->size && s->offset <= b->size - s->file_len);
		check(s->va >= GW_RUNTIME_BASE && s->va + s->mem_len <= GW_MEM_BASE);
		check(s->file_len <= s->mem_len && s->partition < b->n_partitions);
		check((s->flags & (GW_MAP_W | GW_MAP_X)) != (GW_MAP_W | GW_MAP_X));
		for (uint32_t j = 0; j < i; j++) {
			const struct gw_bundle_segment *o = &b->segments[j];

			check(o->partition != s->partition || s->va >= o->va + o->mem_len ||
			      o->va >= s->va + s->mem_len);
		}
	}
	for (uint32_t i = 0; i < b->n_partitions; i++)
		check(b->partitions[i].config_len <= b->size);
	for (uint32_t kind = 0; kind < 3; kind++)
		check(manifest_device_owner(b, kind, 0x1af4, 0x1041, 8) <
		      (int)GW_BUNDLE_PARTITIONS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = offsetof(struct gw_bundle, crc);
	struct manifest_error err;
	struct gw_bundle *b = malloc(size);
	uint32_t crc = 0;

	if (size > 0)
		memcpy(b, data, size);
	if (size >= sizeof(*b) && b->size >= sizeof(*b) && b->size <= size) {
		b->crc = 0;
		crc = ~crc32c_update(~0u, b, b->size, false);
		memcpy((uint8_t *)b + at, &crc, sizeof(crc));
	}
	if (manifest_check(b, size, false, &err) == 0)
		check_accepted(b, size);
	free(b);
	return 0;
}
