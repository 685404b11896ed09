/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.c - bundle validation. The bundle comes from outside (a boot loader's module): every
 * count, offset, length and address is checked here, once, and only then used by the rest of the
 * kernel. */
#include "kernel/core/manifest.h"

#include "abi/boot.h"
#include "abi/colour.h"
#include "abi/trace.h"
#include "abi/vcore.h"
#include "kernel/core/crc32c.h"

static int bad(struct manifest_error *err, const char *field, uint32_t index, const char *reason)
{
	*err = (struct manifest_error){ .field = field, .reason = reason, .index = index };
	return -EINVAL;
}

static bool page_aligned(uint64_t v)
{
	return v % GW_PAGE == 0;
}

/* [offset, offset + len) lies behind the manifest and within size. */
static bool within(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset >= GW_BUNDLE_MANIFEST && offset <= size && len <= size - offset;
}

static int check_policy(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_partition *p = &b->partitions[i];
	uint32_t most = p->cores_max != 0 ? p->cores_max : p->vcores;

	for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++)
		if (p->health[c] >= GW_HEALTH_ACTIONS)
			return bad(err, "partitions.health", i, "has an unknown action");
	if (p->policy >= GW_POLICIES)
		return bad(err, "partitions.policy", i, "is unknown");
	if (most > p->vcores || p->cores_min > most)
		return bad(err, "partitions.cores_min", i,
			   "is above cores_max, or that above vcores");
	if (p->reserved8 != 0 || p->reserved[0] != 0 || p->reserved[1] != 0 ||
	    p->reserved[2] != 0 || p->reserved[3] != 0)
		return bad(err, "partitions.reserved", i, "is not 0");
	return 0;
}

static int check_partition(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_partition *p = &b->partitions[i];
	bool terminated = false;

	for (size_t c = 0; c < sizeof(p->name); c++)
		terminated |= p->name[c] == 0;
	if (!terminated)
		return bad(err, "partitions.name", i, "has no NUL");
	if (p->vcores < 1 || p->vcores > GW_MAX_VCORES)
		return bad(err, "partitions.vcores", i, "is not 1..64");
	if (p->flags &
	    ~(GW_PARTITION_DMA_TRUSTED | GW_PARTITION_MEM_ZEROED | GW_PARTITION_HEALTH_LOG))
		return bad(err, "partitions.flags", i, "has unknown bits");
	if (p->config_len != 0 &&
	    (!page_aligned(p->config_offset) || !within(p->config_offset, p->config_len, b->size)))
		return bad(err, "partitions.config_offset", i,
			   "or its length is outside the bundle");
	if (p->config_len > GW_VCORE_BASE - GW_CONFIG_VA)
		return bad(err, "partitions.config_len", i, "is too large");
	if (p->page_table_pages > 1u << 24)
		return bad(err, "partitions.page_table_pages", i, "is too large");
	if (p->memory_bytes == 0 && i + 1 != b->n_partitions)
		return bad(err, "partitions.memory_bytes", i, "is 0, and it is not the last one");
	if (p->colours != 0 && p->memory_bytes - 1 >= GW_BOOT_VA - GW_MEM_BASE)
		return bad(err, "partitions.colours", i, "need memory_bytes up to 1 TiB");
	if (check_policy(b, i, err) != 0)
		return -EINVAL;
	for (uint32_t s = 0; s < b->n_segments; s++) {
		const struct gw_bundle_segment *seg = &b->segments[s];

		if (seg->partition == i && (seg->flags & GW_MAP_X) && p->entry_va >= seg->va &&
		    p->entry_va - seg->va < seg->file_len)
			return 0;
	}
	return bad(err, "partitions.entry_va", i, "is in no executable segment");
}

static int check_segment(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_segment *s = &b->segments[i];
	uint64_t room = GW_MEM_BASE - GW_RUNTIME_BASE;

	if (!page_aligned(s->va) || s->va < GW_RUNTIME_BASE || s->va >= GW_MEM_BASE)
		return bad(err, "segments.va", i, "is not a page in the runtime's addresses");
	if (!page_aligned(s->offset) || !within(s->offset, s->file_len, b->size))
		return bad(err, "segments.offset", i, "or file_len is outside the bundle");
	if (s->mem_len == 0 || s->mem_len < s->file_len || s->mem_len > room ||
	    s->mem_len > GW_MEM_BASE - s->va)
		return bad(err, "segments.mem_len", i, "is out of range");
	if (s->flags & ~(GW_MAP_W | GW_MAP_X))
		return bad(err, "segments.flags", i, "has unknown bits");
	if ((s->flags & GW_MAP_W) && (s->flags & GW_MAP_X))
		return bad(err, "segments.flags", i, "is writable and executable");
	if (!(s->flags & GW_MAP_W) &&
	    round_up(s->mem_len, GW_PAGE) != round_up(s->file_len, GW_PAGE))
		return bad(err, "segments.mem_len", i,
			   "of a read-only segment exceeds its file_len");
	if (s->partition >= b->n_partitions)
		return bad(err, "segments.partition", i, "does not exist");
	for (uint32_t j = 0; j < i; j++) {
		const struct gw_bundle_segment *o = &b->segments[j];

		if (o->partition == s->partition && s->va < round_up(o->va + o->mem_len, GW_PAGE) &&
		    o->va < round_up(s->va + s->mem_len, GW_PAGE))
			return bad(err, "segments.va", i, "overlaps another segment");
	}
	return 0;
}

static int check_mmio(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_mmio *m = &b->mmio[i];

	if (m->stride < 512 || m->stride > 4096 || (m->stride & (m->stride - 1)) != 0)
		return bad(err, "mmio.stride", i, "is not 512, 1024, 2048 or 4096");
	if (m->count < 1 || m->count > 32)
		return bad(err, "mmio.count", i, "is not 1..32");
	if (m->pa % m->stride != 0 || m->pa < 0x100000 ||
	    m->pa > (1ULL << 46) - (uint64_t)m->stride * m->count)
		return bad(err, "mmio.pa", i, "is unaligned or out of range");
	if (m->gsi > 255 || m->gsi + m->count > 256)
		return bad(err, "mmio.gsi", i, "is out of range");
	return 0;
}

static int check_device(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_device *d = &b->devices[i];

	if (d->kind > GW_DEVICE_MMIO)
		return bad(err, "devices.kind", i, "is unknown");
	if (d->partition >= b->n_partitions)
		return bad(err, "devices.partition", i, "does not exist");
	return 0;
}

static bool has_vcore_on(const struct gw_bundle *b, uint32_t partition, uint32_t core)
{
	const struct gw_bundle_partition *p = &b->partitions[partition];

	for (uint32_t i = 0; i < p->vcores; i++)
		if ((p->first_core + i) % b->cores == core)
			return true;
	return false;
}

/* Windows: sorted by core, then by time, disjoint, inside the frame, their owners there. */
static int check_slot(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_slot *s = &b->slots[i], *o = &b->slots[i > 0 ? i - 1 : 0];

	if (s->core >= b->cores)
		return bad(err, "slots.core", i, "is not below cores");
	if (s->partition != GW_WINDOW_POOL && s->partition >= b->n_partitions)
		return bad(err, "slots.partition", i, "does not exist");
	if (s->flags & ~(GW_WINDOW_ELASTIC | GW_WINDOW_EXACT))
		return bad(err, "slots.flags", i, "has unknown bits");
	if (s->duration_ns < GW_WINDOW_MIN_NS || s->duration_ns > b->frame_ns)
		return bad(err, "slots.duration_ns", i, "is below 10 us or above the major frame");
	if (s->offset_ns > b->frame_ns - s->duration_ns)
		return bad(err, "slots.offset_ns", i, "puts the window's end outside the frame");
	if (s->partition != GW_WINDOW_POOL && b->partitions[s->partition].policy != GW_POLICY_FIXED)
		return bad(err, "slots.partition", i, "is elastic: it has no windows of its own");
	if (s->partition != GW_WINDOW_POOL && !has_vcore_on(b, s->partition, s->core))
		return bad(err, "slots.partition", i, "has no vcore on this core");
	if (i == 0)
		return 0;
	if (s->core < o->core || (s->core == o->core && s->offset_ns < o->offset_ns))
		return bad(err, "slots.offset_ns", i, "is out of order");
	if (s->core == o->core && s->offset_ns - o->offset_ns < o->duration_ns)
		return bad(err, "slots.offset_ns", i, "overlaps the window before");
	return 0;
}

static int check_channel(const struct gw_bundle *b, uint32_t i, struct manifest_error *err)
{
	const struct gw_bundle_channel *c = &b->channels[i];
	uint32_t to = c->destinations;

	if (c->message_bytes < 1 || c->message_bytes > GW_BATCH_BYTES)
		return bad(err, "channels.message_bytes", i, "is not 1..4064");
	if (c->depth > 1024)
		return bad(err, "channels.depth", i, "is above 1024");
	if (c->source >= b->n_partitions)
		return bad(err, "channels.source", i, "does not exist");
	if (to == 0 || to >> b->n_partitions != 0 || (to >> c->source & 1) != 0)
		return bad(err, "channels.destinations", i, "are none, unknown, or the source");
	if (c->depth != 0 && (to & (to - 1)) != 0)
		return bad(err, "channels.destinations", i, "of a queuing channel are several");
	return 0;
}

static int check_header(const struct gw_bundle *b, uint64_t len, struct manifest_error *err)
{
	if (len < sizeof(*b))
		return bad(err, "header", 0, "is cut short");
	if (b->magic != GW_BUNDLE_MAGIC)
		return bad(err, "magic", 0, "is wrong: this is no bundle");
	if (b->version != GW_BUNDLE_VERSION)
		return bad(err, "version", 0, "is not this kernel's");
	if (b->size < GW_BUNDLE_MANIFEST || b->size > len)
		return bad(err, "size", 0, "is larger than the module: it is cut short");
	if (b->n_partitions < 1 || b->n_partitions > GW_BUNDLE_PARTITIONS)
		return bad(err, "n_partitions", 0, "is not 1..8");
	if (b->n_segments < 1 || b->n_segments > GW_BUNDLE_SEGMENTS)
		return bad(err, "n_segments", 0, "is not 1..32");
	if (b->n_mmio > GW_BUNDLE_WINDOWS)
		return bad(err, "n_mmio", 0, "is not 0..4");
	if (b->n_devices > GW_BUNDLE_DEVICES)
		return bad(err, "n_devices", 0, "is not 0..32");
	if (b->cores > GW_MAX_VCORES)
		return bad(err, "cores", 0, "is not 0..64");
	if (b->n_channels > GW_BUNDLE_CHANNELS)
		return bad(err, "n_channels", 0, "is not 0..32");
	if (b->n_slots > GW_BUNDLE_SLOTS)
		return bad(err, "n_slots", 0, "is not 0..64");
	if (b->n_slots != 0 && (b->cores == 0 || b->frame_ns < GW_WINDOW_MIN_NS))
		return bad(err, "frame_ns", 0, "is below 10 us, or cores is 0, with windows");
	if (b->trace_records > GW_TRACE_MAX)
		return bad(err, "trace_records", 0, "is above 65536");
	if (b->colours > GW_COLOURS_MAX || (b->colours & (b->colours - 1)) != 0)
		return bad(err, "colours", 0, "is not 0, or a power of two up to 64");
	for (uint32_t c = 0; c < GW_HEALTH_CLASSES; c++)
		if (b->module_health[c] >= GW_HEALTH_ACTIONS ||
		    b->module_health[c] == GW_HEALTH_COLD_RESTART ||
		    b->module_health[c] == GW_HEALTH_WARM_RESTART)
			return bad(err, "module_health", c, "has an action that the module cannot");
	return 0;
}

static uint32_t bundle_crc(const struct gw_bundle *b, bool hardware)
{
	size_t at = offsetof(struct gw_bundle, crc);
	uint32_t zero = 0, state = ~0u;

	state = crc32c_update(state, b, at, hardware);
	state = crc32c_update(state, &zero, sizeof(zero), hardware);
	at += sizeof(zero);
	return ~crc32c_update(state, (const uint8_t *)b + at, b->size - at, hardware);
}

int manifest_check(const struct gw_bundle *b, uint64_t len, bool crc_hardware,
		   struct manifest_error *err)
{
	int rc = check_header(b, len, err);

	if (rc == 0 && bundle_crc(b, crc_hardware) != b->crc)
		rc = bad(err, "crc", 0, "does not match: the bundle is damaged");
	for (uint32_t i = 0; rc == 0 && i < b->n_segments; i++)
		rc = check_segment(b, i, err);
	for (uint32_t i = 0; rc == 0 && i < b->n_partitions; i++)
		rc = check_partition(b, i, err);
	for (uint32_t i = 0; rc == 0 && i < b->n_mmio; i++)
		rc = check_mmio(b, i, err);
	for (uint32_t i = 0; rc == 0 && i < b->n_devices; i++)
		rc = check_device(b, i, err);
	for (uint32_t i = 0; rc == 0 && i < b->n_slots; i++)
		rc = check_slot(b, i, err);
	for (uint32_t i = 0; rc == 0 && i < b->n_channels; i++)
		rc = check_channel(b, i, err);
	return rc;
}

int manifest_device_owner(const struct gw_bundle *b, uint32_t kind, uint16_t vendor,
			  uint16_t device, uint32_t location)
{
	for (uint32_t i = 0; i < b->n_devices; i++) {
		const struct gw_bundle_device *d = &b->devices[i];

		if (d->kind != 0 && d->kind != kind)
			continue;
		if (d->location != ~0u && d->location != location)
			continue;
		if (kind == GW_DEVICE_PCI && ((d->vendor != 0xffff && d->vendor != vendor) ||
					      (d->device != 0xffff && d->device != device)))
			continue;
		return d->partition;
	}
	return -ENODEV;
}
