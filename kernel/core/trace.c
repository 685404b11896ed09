/* SPDX-License-Identifier: Apache-2.0 */
/* trace.c - a ring of records for each core, which only that core writes. */
#include "kernel/core/trace.h"

#include "kernel/core/arch.h"

uint32_t trace_records;
static struct gw_trace_record *rings;
static uint64_t written[GW_MAX_VCORES]; /* by core */
static const struct gw_bundle *bundle;

uint64_t trace_bytes(const struct gw_bundle *b)
{
	return (uint64_t)b->trace_records * n_cores * sizeof(*rings);
}

void trace_init(const struct gw_bundle *b, struct gw_trace_record *memory)
{
	bundle = b;
	rings = memory;
	trace_records = b->trace_records;
}

void trace_add(const struct core *c, uint32_t kind, const struct vcore *v, uint64_t arg)
{
	bool nobody = v == NULL || v->area == NULL;

	rings[c->id * trace_records + written[c->id]++ % trace_records] =
		(struct gw_trace_record){ .time_ns = arch_now_ns(),
					  .kind = (uint8_t)kind,
					  .partition = nobody ? (uint8_t)GW_TRACE_NOBODY
							      : (uint8_t)v->part->number,
					  .vcore = nobody ? (uint16_t)0 : (uint16_t)v->id,
					  .arg = (uint32_t)arg };
}

void trace_print(void)
{
	uint32_t n = trace_records;

	trace_records = 0; /* printing is not traced */
	for (uint32_t i = 0; n != 0 && i < n_partitions; i++)
		log_text("godwit: trace: partition %u %s\n", i, partitions[i]->name);
	for (uint32_t i = 0; n != 0 && i < bundle->n_slots; i++)
		log_text("godwit: trace: window %u %u %u\n", i, bundle->slots[i].core,
			 bundle->slots[i].partition);
	for (uint64_t i = 0; i < (uint64_t)n * n_cores; i++) {
		uint64_t core = i / n;
		const struct gw_trace_record *r = &rings[core * n + (written[core] + i) % n];

		if (r->time_ns != 0)
			log_text("godwit: trace: %lu %lu %u %u %u %x\n", core, r->time_ns, r->kind,
				 r->partition, r->vcore, r->arg);
	}
}
