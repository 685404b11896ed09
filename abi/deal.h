/* SPDX-License-Identifier: Apache-2.0 */
/* deal.h - what the kernel deals to the partitions of a bundle at boot, besides the memory that
 * each asks for. The host tool counts on the same, to say in advance whether a machine has enough.
 */
#ifndef GODWIT_ABI_DEAL_H
#define GODWIT_ABI_DEAL_H

#include "abi/bundle.h"
#include "abi/colour.h"
#include "abi/vcore.h"

#define GW_DEAL_SMALL 4096u /* frames: 16 MiB */

static inline uint64_t gw_deal_pages(uint64_t bytes)
{
	return (bytes + GW_PAGE - 1) / GW_PAGE;
}

/* gw_deal_tables - tables in the pool of a partition with so many bytes of memory: those that the
 * manifest says for the program, and what the kernel's own mappings take (stretches: pieces of the
 * machine's memory; with colours it is mapped page by page). */
static inline uint64_t gw_deal_tables(const struct gw_bundle_partition *p, uint64_t memory,
				      uint32_t stretches)
{
	uint64_t tables = p->page_table_pages, frames = memory / GW_PAGE, more = 0;

	/* Threads' stacks and heaps lie far apart, a table or two for each: there is room for
	 * hundreds, but not where every page counts. */
	if (frames > GW_DEAL_SMALL)
		more = (frames - GW_DEAL_SMALL) / 32;
	if (tables == 0)
		tables = 16 + frames / 128 + (more < 512 ? more : 512);
	/* Isolated: the same again for the devices' domain. */
	return tables + p->vcores / 32 +
	       (24 + 3 * stretches + memory / (p->colours != 0 ? 1u << 21 : 1u << 30)) *
		       (p->flags & GW_PARTITION_DMA_TRUSTED ? 1 : 2);
}

/* A coloured partition's share of the stretch with all of them. */
struct gw_deal {
	struct gw_stripe stripe; /* base: from the start of the stretch */
	uint64_t table_rows;	 /* the first ones: its page tables */
};

/* gw_deal_colours - where the page tables, vcore areas, segments and memory of partitions that have
 * colours go (of others, mask 0): those without a common colour beside one another, others one
 * after the other. Returns rows of the stretch, or ~0 when one names colours that there are not. */
static inline uint64_t gw_deal_colours(const struct gw_bundle *b, uint32_t colours,
				       uint32_t stretches, struct gw_deal deals[])
{
	uint64_t next[GW_COLOURS_MAX] = { 0 }, end = 0;

	for (uint32_t i = 0; i < b->n_partitions; i++) {
		const struct gw_bundle_partition *p = &b->partitions[i];
		struct gw_deal *d = &deals[i];
		uint64_t frames = p->vcores * (GW_VCORE_AREA / GW_PAGE) +
				  gw_deal_pages(p->memory_bytes),
			 rows;

		d->stripe = gw_stripe_make(0, p->colours, colours);
		d->table_rows = 0;
		if (p->colours == 0)
			continue;
		if (p->colours >> 1 >> (colours - 1) != 0)
			return ~0ULL;
		for (uint32_t k = 0; k < b->n_segments; k++)
			if (b->segments[k].partition == i)
				frames += gw_deal_pages(b->segments[k].mem_len);
		d->table_rows =
			gw_stripe_rows(&d->stripe, gw_deal_tables(p, p->memory_bytes, stretches));
		rows = d->table_rows + gw_stripe_rows(&d->stripe, frames);
		d->stripe.base = gw_colours_deal(next, p->colours, rows) * colours * GW_PAGE;
		if (next[__builtin_ctzll(p->colours)] > end)
			end = next[__builtin_ctzll(p->colours)];
	}
	return end;
}

#endif
