/* SPDX-License-Identifier: Apache-2.0 */
/* partition.c - builds the partition at boot: page-table pool, program segments (read-only ones
 * stay in the bundle, writable ones are copied), memory window, boot information, vcore areas. */
#include "kernel/x86_64/arch_internal.h"

#include "abi/deal.h"
#include "kernel/core/health.h"
#include "kernel/core/restart.h"
#include "kernel/core/schedule.h"

#define WINDOW_BITS (PTE_P | PTE_U | PTE_W | PTE_NX | PTE_A | PTE_D)
#define READ_ONLY_BITS (PTE_P | PTE_U | PTE_NX | PTE_A)

struct partition *partitions[GW_BUNDLE_PARTITIONS];
uint32_t n_partitions;
static uint64_t segment_pa[GW_BUNDLE_SEGMENTS];
static const struct gw_bundle *bundle; /* it stays: read-only segments, and restarts */

/* own: pa is the partition's own address. Ends with a message when its page tables run out. */
static void map(struct partition *p, uint64_t va, uint64_t pa, uint64_t len, uint64_t bits,
		bool own)
{
	struct space *s = &p->spaces[0];
	struct gather none;

	none.n = 0;
	len = round_up(len, PAGE_SIZE);
	if ((own ? space_map_own(s, va, pa, len, bits, true, &none)
		 : space_map(s, va, pa, len, bits, true, &none)) != 0)
		fail(STATUS_CONFIG, "partition %s: too few page tables; raise page_table_pages",
		     p->name);
}

uint64_t device_va(struct partition *p, uint64_t len)
{
	uint64_t va = round_up(p->device_next, len >= LARGE_SIZE ? LARGE_SIZE : PAGE_SIZE);

	p->device_next = round_up(va + len, PAGE_SIZE) + PAGE_SIZE; /* and a guard page */
	return va;
}

void device_map(struct partition *p, uint64_t va, uint64_t pa, uint64_t len)
{
	map(p, va, pa, len, WINDOW_BITS | PTE_PCD | PTE_PWT, false);
}

uint64_t partition_take(struct partition *p, struct range_set *free, uint64_t bytes, uint64_t min)
{
	p->own_next += round_up(bytes, PAGE_SIZE);
	return p->pool.stripe.mask == 0 ? memory_take(free, bytes, min)
					: p->own_next - round_up(bytes, PAGE_SIZE);
}

/* A stretch for the partitions that have colours; each begins with its page tables. */
static void deal_colours(const struct gw_bundle *b, uint32_t stretches, struct range_set *free)
{
	uint32_t colours = b->colours != 0 ? b->colours : cpu_colours();
	struct gw_deal deals[GW_BUNDLE_PARTITIONS];
	uint64_t rows = gw_deal_colours(b, colours, stretches, deals), row = colours * PAGE_SIZE;
	uint64_t base;

	if (rows == ~0ULL)
		fail(STATUS_CONFIG,
		     "a partition has page colours beyond the CPU's %u: the manifest may say more",
		     colours);
	if (rows == 0)
		return;
	log_text("godwit: %u page colours (by the CPU's caches: %u)\n", colours, cpu_colours());
	base = round_up(memory_take(free, (rows + 1) * row, LOW_END), row);
	for (uint32_t i = 0; i < b->n_partitions; i++) {
		struct partition *p = partitions[i];

		p->pool.stripe = deals[i].stripe;
		p->pool.stripe.base += base;
		p->pool.n = (uint32_t)deals[i].table_rows * colours;
		p->own_next = deals[i].table_rows * p->pool.stripe.columns * PAGE_SIZE;
	}
}

static void build_pool(struct partition *p, const struct gw_bundle_partition *m,
		       const struct boot_info *boot, struct range_set *free)
{
	uint64_t memory = range_total(free, LOW_END), base = p->pool.stripe.base;
	uint64_t *root, *kernel = direct(kernel_root);
	uint32_t pages = p->pool.n;

	if (pages == 0) {
		if (m->memory_bytes != 0)
			memory = min_u64(memory, m->memory_bytes);
		pages = (uint32_t)gw_deal_tables(m, memory, boot->ram.n);
		base = memory_take(free, pages * PAGE_SIZE, 0);
	}
	space_init(&p->spaces[0], &p->pool, base, pages,
		   kernel_pages(free, pages * SPACE_BOOKS_BYTES),
		   base >= LOW_END && (m->flags & GW_PARTITION_MEM_ZEROED));
	root = direct(p->spaces[0].root);
	for (uint32_t i = 256; i < 512; i++)
		root[i] = kernel[i];
}

static void build_segment(struct partition *p, uint32_t i, uint64_t bundle_pa,
			  struct range_set *free)
{
	const struct gw_bundle_segment *s = &bundle->segments[i];
	uint64_t from = bundle_pa + s->offset, bits = space_bits(s->flags) | PTE_A;

	if (!(s->flags & GW_MAP_W) && p->pool.stripe.mask == 0) {
		map(p, s->va, from, s->mem_len, bits, false);
		return;
	}
	segment_pa[i] = partition_take(p, free, s->mem_len, LOW_END);
	map(p, s->va, segment_pa[i], s->mem_len, bits | PTE_D, true);
}

/* Its memory: of its colours, or all that is left, at most GW_MAX_EXTENTS stretches; at most
 * `limit` bytes. Returns how much. */
static uint64_t build_extents(struct partition *p, struct range_set *free, uint64_t limit)
{
	uint64_t left = limit;

	while (p->n_extents < GW_MAX_EXTENTS && left != 0) {
		struct gw_extent *e = &p->extents[p->n_extents];
		struct range *best = NULL;

		/* The next one up; when there are too many, small ones are passed over. */
		for (uint32_t i = 0; i < free->n && best == NULL; i++)
			if (free->r[i].start >= LOW_END &&
			    (free->n <= GW_MAX_EXTENTS ||
			     free->r[i].end - free->r[i].start >= LARGE_SIZE))
				best = &free->r[i];
		if (p->pool.stripe.mask != 0)
			*e = (struct gw_extent){ partition_take(p, free, left, 0), left };
		else if (best != NULL)
			e->len = min_u64(best->end - best->start, left),
			e->pa = range_carve(free, e->len, best->start, best->end);
		if (e->pa == 0)
			break;
		p->n_extents++;
		left -= e->len;
		map(p, GW_MEM_BASE + e->pa, e->pa, e->len, WINDOW_BITS, true);
	}
	if (p->n_extents == 0)
		fail(STATUS_CONFIG,
		     "no memory is left for partition %s; give the machine more (-m)", p->name);
	return limit - left;
}

static void build_info(struct partition *p, const struct gw_bundle_partition *m,
		       const struct boot_info *boot, struct range_set *free)
{
	uint64_t pa = kernel_pages(free, GW_BOOT_PAGES * GW_PAGE);
	struct gw_boot_info *info = direct(pa);

	info->magic = GW_BOOT_MAGIC;
	info->size = sizeof(*info);
	info->partition = p->number;
	info->vcores = m->vcores;
	info->flags = (cpu.emulated ? GW_BOOT_EMULATED : 0) |
		      (m->flags & GW_PARTITION_MEM_ZEROED ? GW_BOOT_MEM_ZEROED : 0) |
		      (m->flags & GW_PARTITION_DMA_TRUSTED ? GW_BOOT_DMA_TRUSTED : 0);
	info->config_len = m->config_len;
	info->boot_tsc = boot->entry_tsc;
	info->machine_bytes = boot->ram_bytes;
	p->info = info;
	map(p, GW_BOOT_VA, pa, GW_BOOT_PAGES * GW_PAGE, READ_ONLY_BITS, false);
}

/* Memory of the one that takes what is left must leave something for those after it. */
void partition_build(struct partition *p, const struct gw_bundle *b, uint64_t bundle_pa,
		     const struct boot_info *boot, struct range_set *free)
{
	const struct gw_bundle_partition *m = &b->partitions[p->number];

	bundle = b;
	build_pool(p, m, boot, free);
	for (uint32_t i = 0; i < b->n_segments; i++)
		if (b->segments[i].partition == p->number)
			build_segment(p, i, bundle_pa, free);
	while (!restart_segments(p))
		;
	p->restart_at = 0;
	build_info(p, m, boot, free);
	if (m->config_len != 0)
		map(p, GW_CONFIG_VA, bundle_pa + m->config_offset, m->config_len, READ_ONLY_BITS,
		    false);
	for (uint32_t i = 0; i < m->vcores; i++)
		map(p, GW_VCORE_VA(i), p->vcores[i]->area_at, GW_VCORE_AREA, WINDOW_BITS, true);
	p->memory = build_extents(
		p, free, m->memory_bytes != 0 ? round_up(m->memory_bytes, PAGE_SIZE) : UINT64_MAX);
	if (m->memory_bytes != 0 && p->memory < m->memory_bytes)
		fail(STATUS_CONFIG,
		     "partition %s wants %lu KiB, %lu KiB are left; give the machine more (-m)",
		     p->name, m->memory_bytes / 1024, p->memory / 1024);
	if (p->dma_trusted)
		p->info->dma = p->pool.stripe;
	p->info->n_extents = p->n_extents;
	memcpy(p->info->extents, p->extents, sizeof(p->extents));
	p->info->kernel_bytes = boot->ram_bytes - p->memory - b->size;
}

/* May core c run its only vcore without a scheduler? */
static bool dedicated(const struct gw_bundle *b)
{
	for (uint32_t i = 0; i < GW_HEALTH_CLASSES; i++)
		if (health_restarts(b->partitions[0].health[i]) ||
		    health_restarts(b->module_health[i]))
			return false;
	return b->n_partitions == 1 && b->n_slots == 0 && b->partitions[0].vcores <= n_cores;
}

void partitions_create(const struct gw_bundle *b, uint32_t stretches, struct range_set *free)
{
	uint32_t index = 0;

	for (uint32_t i = 0; i < b->n_partitions; i++)
		partitions[i] = direct(kernel_pages(free, sizeof(*partitions[i])));
	deal_colours(b, stretches, free);
	for (uint32_t i = 0; i < b->n_partitions; i++) {
		const struct gw_bundle_partition *m = &b->partitions[i];
		struct partition *p = partitions[i];
		bool floats = m->policy != GW_POLICY_FIXED && !dedicated(b);

		memcpy(p->name, m->name, sizeof(p->name));
		p->number = i;
		p->n_vcores = m->vcores;
		p->dma_trusted = m->flags & GW_PARTITION_DMA_TRUSTED;
		memcpy(p->health, m->health, sizeof(p->health));
		p->restarts_max = m->restarts;
		p->entry_va = m->entry_va;
		p->device_next = GW_DEVICE_BASE;
		for (uint32_t k = 0; k < m->vcores; k++) {
			struct core *c = cores[(m->first_core + k) % n_cores];

			if (!floats && c->n_vcores == CORE_VCORES)
				fail(STATUS_CONFIG,
				     "more than %u vcores on core %u; give it more cores (-smp)",
				     CORE_VCORES, c->id);
			p->vcores[k] = vcore_create(free, index++, p, k, c);
			p->vcores[k]->floats = floats;
			if (!floats)
				c->vcores[c->n_vcores++] = p->vcores[k];
		}
	}
	n_partitions = b->n_partitions;
	for (uint32_t i = 0; i < n_cores; i++)
		cores[i]->shared = !dedicated(b);
}

struct gw_status *status_build(const struct gw_bundle *b, struct range_set *free)
{
	uint64_t len = schedule_status_bytes(b), pa;

	if (len == 0)
		return NULL;
	pa = kernel_pages(free, len);
	for (uint32_t i = 0; i < n_partitions; i++) {
		map(partitions[i], GW_STATUS_VA, pa, len, READ_ONLY_BITS, false);
		partitions[i]->info->status_len = len;
	}
	return direct(pa);
}

struct gw_health_log *health_log_build(const struct gw_bundle *b, struct range_set *free)
{
	uint64_t pa = kernel_pages(free, sizeof(struct gw_health_log));

	for (uint32_t i = 0; i < n_partitions; i++) {
		if ((b->partitions[i].flags & GW_PARTITION_HEALTH_LOG) == 0)
			continue;
		map(partitions[i], GW_HEALTH_LOG_VA, pa, sizeof(struct gw_health_log),
		    READ_ONLY_BITS, false);
		partitions[i]->info->health_len = sizeof(struct gw_health_log);
	}
	return direct(pa);
}

bool arch_restart_segment(const struct partition *p, uint32_t i, struct restart_segment *s)
{
	const struct gw_bundle_segment *m = &bundle->segments[i];

	if (i >= bundle->n_segments)
		return false;
	*s = (struct restart_segment){ .pa = segment_pa[i],
				       .from = direct_pa(bundle) + m->offset,
				       .file_len = m->file_len,
				       .mem_len = m->mem_len };
	if (m->partition != p->number || segment_pa[i] == 0) /* not its, or in the bundle */
		s->mem_len = 0;
	return true;
}
