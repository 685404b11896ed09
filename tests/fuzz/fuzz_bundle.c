/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bundle.c - the input is a boot bundle, whose checksum is put right first. What the kernel
 * accepts must be within the bundle and the runtime's addresses, and disjoint, and every other
 * table within its bounds. */
#include <stdlib.h>
#include <string.h>

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

static void check_partitions(const struct gw_bundle *b)
{
	for (uint32_t i = 0; i < b->n_partitions; i++) {
		const struct gw_bundle_partition *p = &b->partitions[i];

		check(p->config_len <= b->size && p->vcores >= 1 && p->vcores <= GW_MAX_VCORES);
		check(p->cores_max <= p->vcores && p->cores_min <= p->vcores);
		check(p->policy < GW_POLICIES && memchr(p->name, 0, sizeof(p->name)) != NULL);
		check(p->memory_bytes != 0 || i + 1 == b->n_partitions);
		for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++)
			check(p->health[c] < GW_HEALTH_ACTIONS);
	}
}

/* Within the frame, one after the other on each core. */
static void check_windows(const struct gw_bundle *b)
{
	check(b->n_slots <= GW_BUNDLE_SLOTS && b->cores <= GW_MAX_VCORES);
	for (uint32_t i = 0; i < b->n_slots; i++) {
		const struct gw_bundle_slot *s = &b->slots[i];

		check(s->core < b->cores && s->duration_ns >= GW_WINDOW_MIN_NS);
		check((uint64_t)s->offset_ns + s->duration_ns <= b->frame_ns);
		check(s->partition == GW_WINDOW_POOL || s->partition < b->n_partitions);
		for (uint32_t j = 0; j < i; j++)
			check(b->slots[j].core != s->core ||
			      (uint64_t)b->slots[j].offset_ns + b->slots[j].duration_ns <=
				      s->offset_ns);
	}
}

static void check_channels(const struct gw_bundle *b)
{
	check(b->n_channels <= GW_BUNDLE_CHANNELS && b->n_mmio <= GW_BUNDLE_WINDOWS);
	for (uint32_t i = 0; i < b->n_channels; i++) {
		const struct gw_bundle_channel *c = &b->channels[i];

		check(c->message_bytes >= 1 && c->message_bytes <= GW_BATCH_BYTES);
		check(c->depth <= 1024 && c->source < b->n_partitions);
		check(c->destinations != 0 && c->destinations < 1u << b->n_partitions);
		check((c->destinations >> c->source & 1) == 0);
	}
	for (uint32_t i = 0; i < b->n_mmio; i++)
		check(b->mmio[i].count >= 1 && b->mmio[i].count <= 32 && b->mmio[i].stride >= 512);
	for (uint32_t i = 0; i < b->n_devices; i++)
		check(b->devices[i].partition < b->n_partitions);
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
	for (uint32_t kind = 0; kind < 3; kind++)
		check(manifest_device_owner(b, kind, 0x1af4, 0x1041, 8) <
		      (int)GW_BUNDLE_PARTITIONS);
	check_partitions(b);
	check_windows(b);
	check_channels(b);
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
