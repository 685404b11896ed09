/* SPDX-License-Identifier: Apache-2.0 */
/* partition.c - builds the partition at boot: page-table pool, program segments (read-only ones
 * stay in the bundle, writable ones are copied), memory window, boot information, vcore areas. */
#include "kernel/x86_64/arch_internal.h"

#include "kernel/core/space_call.h"

#define WINDOW_BITS (PTE_P | PTE_U | PTE_W | PTE_NX | PTE_A | PTE_D)
#define LOW_END 0x100000ULL

static uint64_t device_next = GW_DEVICE_BASE;

void partition_map(uint64_t va, uint64_t pa, uint64_t len, uint64_t bits)
{
	struct gather none;

	none.n = 0;
	if (len != 0 && space_map(&partition.spaces[0], va, pa, round_up(len, PAGE_SIZE), bits,
				  true, &none) != 0)
		fail(STATUS_CONFIG, "the partition's page tables are too few; raise "
				    "page_table_pages in the manifest");
}

uint64_t device_va(uint64_t len)
{
	uint64_t va = round_up(device_next, len >= LARGE_SIZE ? LARGE_SIZE : PAGE_SIZE);

	device_next = round_up(va + len, PAGE_SIZE) + PAGE_SIZE; /* a guard page between devices */
	return va;
}

void device_map(uint64_t va, uint64_t pa, uint64_t len)
{
	partition_map(va, pa, len, WINDOW_BITS | PTE_PCD | PTE_PWT);
}

static uint64_t take(struct range_set *free, uint64_t bytes, uint64_t min)
{
	uint64_t len = round_up(bytes, PAGE_SIZE);
	uint64_t pa = 0;

	if (min < LOW_END)
		pa = range_carve(free, len, PAGE_SIZE, LOW_END);
	if (pa == 0)
		pa = range_carve(free, len, LOW_END, UINT64_MAX);
	if (pa == 0)
		fail(STATUS_CONFIG,
		     "too little memory: %lu KiB more are needed; give the machine more (-m)",
		     len / 1024);
	return pa;
}

#define SMALL 4096u /* frames: 16 MiB */

/* The pool: what the manifest says for the program, and what the kernel's own mappings take. */
static void build_pool(const struct gw_bundle_partition *m, const struct boot_info *boot,
		       struct range_set *free)
{
	uint64_t memory = range_total(free, LOW_END);
	uint64_t pages = m->page_table_pages, frames;
	uint64_t base, bytes;
	uint64_t *root, *kernel = direct(kernel_root);

	if (m->memory_bytes != 0)
		memory = min_u64(memory, m->memory_bytes);
	frames = memory / PAGE_SIZE;
	/* Threads' stacks and heaps lie far apart, a table or two for each: there is room for
	 * hundreds, but not where every page counts. */
	if (pages == 0)
		pages = 16 + frames / 128 +
			(frames > SMALL ? min_u64((frames - SMALL) / 32, 512) : 0);
	pages += 24 + 3 * boot->ram.n + memory / HUGE_SIZE + m->vcores / 32;
	bytes = space_pool_bytes((uint32_t)pages);
	base = take(free, bytes, 0);
	memset(direct(base + pages * PAGE_SIZE), 0, bytes - pages * PAGE_SIZE);
	space_init(&partition.spaces[0], &partition.pool, base, (uint32_t)pages,
		   base >= LOW_END && (m->flags & GW_PARTITION_MEM_ZEROED));
	root = direct(partition.spaces[0].root);
	for (uint32_t i = 256; i < 512; i++)
		root[i] = kernel[i];
}

static void build_segment(const struct gw_bundle_segment *s, uint64_t bundle_pa,
			  struct range_set *free)
{
	uint64_t from = bundle_pa + s->offset, pa;

	if (!(s->flags & GW_MAP_W)) {
		partition_map(s->va, from, s->mem_len, space_bits(s->flags) | PTE_A);
		return;
	}
	pa = take(free, s->mem_len, LOW_END);
	memcpy(direct(pa), direct(from), s->file_len);
	memset((uint8_t *)direct(pa) + s->file_len, 0,
	       round_up(s->mem_len, PAGE_SIZE) - s->file_len);
	partition_map(s->va, pa, s->mem_len, space_bits(s->flags) | PTE_A | PTE_D);
}

/* All memory that is left, at most GW_MAX_EXTENTS stretches and `limit` bytes. */
static void build_extents(struct range_set *free, uint64_t limit)
{
	uint32_t n = 0;

	while (n < GW_MAX_EXTENTS) {
		uint64_t start = 0, len;
		const struct range *best = NULL;

		/* The next one up; when there are too many, small ones are passed over. */
		for (uint32_t i = 0; i < free->n && best == NULL; i++)
			if (free->r[i].start >= LOW_END &&
			    (free->n <= GW_MAX_EXTENTS ||
			     free->r[i].end - free->r[i].start >= LARGE_SIZE))
				best = &free->r[i];
		if (best == NULL || limit == 0)
			break;
		len = min_u64(best->end - best->start, limit);
		start = range_carve(free, len, best->start, best->end);
		if (start == 0)
			break;
		partition.extents[n++] = (struct gw_extent){ start, len };
		limit -= len;
		partition_map(GW_MEM_BASE + start, start, len, WINDOW_BITS);
	}
	partition.n_extents = n;
	if (n == 0)
		fail(STATUS_CONFIG,
		     "no memory is left for the partition; give the machine more (-m)");
}

static void build_info(const struct gw_bundle_partition *m, const struct boot_info *boot,
		       struct range_set *free)
{
	uint64_t pa = take(free, GW_BOOT_PAGES * GW_PAGE, 0);
	struct gw_boot_info *info = direct(pa);

	memset(info, 0, GW_BOOT_PAGES * GW_PAGE);
	info->magic = GW_BOOT_MAGIC;
	info->size = sizeof(*info);
	info->vcores = m->vcores;
	info->flags = (cpu.emulated ? GW_BOOT_EMULATED : 0) |
		      (m->flags & GW_PARTITION_MEM_ZEROED ? GW_BOOT_MEM_ZEROED : 0) |
		      (m->flags & GW_PARTITION_DMA_TRUSTED ? GW_BOOT_DMA_TRUSTED : 0);
	info->config_len = m->config_len;
	info->boot_tsc = boot->entry_tsc;
	info->machine_bytes = boot->ram_bytes;
	partition.info = info;
	partition_map(GW_BOOT_VA, pa, GW_BOOT_PAGES * GW_PAGE, PTE_P | PTE_U | PTE_NX | PTE_A);
}

uint64_t partition_build(const struct gw_bundle *b, uint64_t bundle_pa,
			 const struct boot_info *boot, struct range_set *free)
{
	const struct gw_bundle_partition *m = &b->partitions[0];
	uint64_t total = 0;

	if (b->n_partitions != 1)
		fail(STATUS_CONFIG, "bundle: n_partitions is %u; this kernel runs one partition",
		     b->n_partitions);
	memcpy(partition.name, m->name, sizeof(partition.name));
	partition.vcores = m->vcores;
	partition.dma_trusted = m->flags & GW_PARTITION_DMA_TRUSTED;
	build_pool(m, boot, free);
	for (uint32_t i = 0; i < b->n_segments; i++)
		build_segment(&b->segments[i], bundle_pa, free);
	build_info(m, boot, free);
	if (m->config_len != 0)
		partition_map(GW_CONFIG_VA, bundle_pa + m->config_offset, m->config_len,
			      PTE_P | PTE_U | PTE_NX | PTE_A);
	for (uint32_t i = 0; i < m->vcores; i++)
		partition_map(GW_VCORE_VA(i), cores[i]->vcore_pa, GW_VCORE_AREA, WINDOW_BITS);
	build_extents(free, m->memory_bytes != 0 ? m->memory_bytes : UINT64_MAX);
	for (uint32_t i = 0; i < partition.n_extents; i++)
		total += partition.extents[i].len;
	if (m->memory_bytes != 0 && total < m->memory_bytes)
		fail(STATUS_CONFIG,
		     "the partition wants %lu KiB, %lu KiB are left; give the machine "
		     "more (-m)",
		     m->memory_bytes / 1024, total / 1024);
	partition.info->n_extents = partition.n_extents;
	memcpy(partition.info->extents, partition.extents, sizeof(partition.extents));
	partition.info->kernel_bytes = boot->ram_bytes - total - b->size;
	return m->entry_va;
}
