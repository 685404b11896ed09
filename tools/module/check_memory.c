/* SPDX-License-Identifier: Apache-2.0 */
/* check_memory.c - what the partitions, their page colours and the kernel take of the machine's
 * memory, counted as the kernel deals it out (abi/deal.h). See module.h. */
#include <sys/stat.h>

#include "abi/deal.h"
#include "tools/module/check_internal.h"

#define SLACK (1u << 20) /* what fragmentation and the firmware take */
#define MIN_LINUX (4u << 20)
#define STRETCHES 4u		/* pieces of memory, in QEMU's machines */
#define DATA (64u << 10)	/* a program's writable segments */
#define PROGRAM_ROOM (1u << 20) /* all segments, which a coloured partition has of its own */

static uint64_t program_bytes(const struct module_partition *p)
{
	struct stat st;

	if (p->colours == 0)
		return DATA;
	/* personality linux: the runtime's segments; the program itself lies in files */
	if (!p->o.bare || p->argv.n == 0 || stat(p->argv.v[0], &st) != 0)
		return PROGRAM_ROOM;
	return (uint64_t)st.st_size + PROGRAM_ROOM;
}

/* Says whether all partitions name colours that there are; those that share some are warned of. */
static bool check_colours(const struct module *m, uint32_t colours, struct diag *d)
{
	const struct module_partition *coloured = NULL;
	unsigned int before = d->errors;

	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (p->colours != 0)
			coloured = p;
		if (p->colours >> 1 >> (colours - 1) != 0)
			diag_error(d, p->colours_line,
				   "colours: the module has %u (line %d), from 0 to %u", colours,
				   m->colours_line, colours - 1);
		for (size_t k = 0; k < i; k++)
			if (p->colours & m->partitions[k].colours)
				diag_warning(d, p->colours_line, "%s shares page colours with %s",
					     p->name, m->partitions[k].name);
	}
	for (size_t i = 0; coloured != NULL && i < m->n_partitions; i++)
		if (m->partitions[i].colours == 0)
			diag_warning(
				d, m->partitions[i].line,
				"%s has no page colours: its memory is of all, those of %s too",
				m->partitions[i].name, coloured->name);
	if (coloured != NULL && m->colours == 0)
		diag_warning(
			d, coloured->colours_line,
			"colours: of as many as the CPU's caches have; one that does not tell (as "
			"QEMU's without KVM) needs colours = N in [module]");
	return d->errors == before;
}

/* What each takes besides its memory, and the stretch of the coloured ones. Returns the sum of both
 * and of the memory. */
static uint64_t deal(struct module *m, uint32_t colours)
{
	struct gw_bundle b = { .n_partitions = (uint32_t)m->n_partitions };
	struct gw_deal deals[GW_BUNDLE_PARTITIONS];
	uint64_t sum = 0, books = 0, rows;

	for (uint32_t i = 0; i < b.n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		b.partitions[i] = (struct gw_bundle_partition){
			.memory_bytes = p->o.memory,
			.colours = p->colours,
			.vcores = p->o.vcores,
			.flags = p->o.isolated ? 0 : GW_PARTITION_DMA_TRUSTED,
			.page_table_pages = p->table_pages
		};
		b.segments[b.n_segments++] =
			(struct gw_bundle_segment){ .mem_len = program_bytes(p), .partition = i };
	}
	rows = gw_deal_colours(&b, colours, STRETCHES, deals);
	for (uint32_t i = 0; i < b.n_partitions; i++) {
		const struct gw_bundle_partition *p = &b.partitions[i];
		uint64_t tables = gw_deal_tables(p, p->memory_bytes, STRETCHES);

		m->need[i] = tables * (GW_PAGE + 6) + GW_PAGE + b.segments[i].mem_len +
			     p->vcores * (48ull << 10);
		if (p->colours == 0)
			sum += m->need[i] + p->memory_bytes;
		else
			books += deals[i].table_rows * colours * 6 + (64u << 10);
	}
	m->stretch = rows != 0 ? (rows + 1) * colours * GW_PAGE + books : 0;
	return sum + m->stretch;
}

void check_memory(struct module *m, struct diag *d)
{
	uint32_t colours = m->colours != 0 ? m->colours : GW_COLOURS_MAX;
	uint64_t ports = 0, need = SLACK;

	for (size_t i = 0; i < m->n_channels; i++)
		ports += (m->channels[i].bytes + 32) *
			 (m->channels[i].depth != 0 ? m->channels[i].depth : 1);
	m->kernel_need = (2u << 20) + (m->o.vcores * ((64ull << 10) + m->trace * 16ull)) + ports;
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (p->has_memory && !p->o.bare && p->o.memory < MIN_LINUX)
			diag_error(d, p->memory_line,
				   "memory: too little; a Linux program needs 4M");
	}
	if (!check_colours(m, colours, d))
		return;
	need += deal(m, colours) + m->kernel_need;
	if (m->memory_line == 0)
		m->o.memory = (need + (4u << 20)) >> 20 << 20;
	else if (m->o.memory < need && m->stretch != 0)
		diag_error(
			d, m->memory_line,
			"memory: the partitions and the kernel take %.1f MiB, of which those with "
			"page colours %.1f MiB (%u colours%s); the machine has %.1f MiB",
			(double)need / (1 << 20), (double)m->stretch / (1 << 20), colours,
			m->colours == 0 ? " at most; colours = N says how many" : "",
			(double)m->o.memory / (1 << 20));
	else if (m->o.memory < need)
		diag_error(d, m->memory_line,
			   "memory: the partitions and the kernel take %.1f MiB, the machine has "
			   "%.1f MiB",
			   (double)need / (1 << 20), (double)m->o.memory / (1 << 20));
}
