/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c - a checked module to the tables that the kernel reads. See module.h. */
#include <string.h>

#include "abi/boot.h"
#include "tools/godwit/qemu.h"
#include "tools/module/module.h"

#define VIRTIO_VENDOR 0x1af4u

static void add_device(struct gw_bundle *b, uint32_t kind, size_t partition, uint32_t location)
{
	if (b->n_devices < GW_BUNDLE_DEVICES)
		b->devices[b->n_devices++] =
			(struct gw_bundle_device){ .kind = (uint16_t)kind,
						   .vendor = 0xffff,
						   .device = 0xffff,
						   .partition = (uint16_t)partition,
						   .location = location };
}

size_t module_devices(const struct module *m, size_t i)
{
	const struct module_partition *p = &m->partitions[i];

	if (m->o.machine == MACHINE_MICROVM)
		return 1; /* all its windows */
	if (p->personality == PERSONALITY_ARINC653)
		return 0; /* its program has no drivers */
	return qemu_devices(&p->o, strcmp(p->o.root, "blk") == 0);
}

/* As qemu_command places them: functions of PCI device i + 1. */
static void add_devices(const struct module *m, size_t i, struct gw_bundle *b)
{
	const struct module_partition *p = &m->partitions[i];

	if (m->o.machine == MACHINE_MICROVM)
		add_device(b, GW_DEVICE_MMIO, i, ~0u);
	for (uint32_t fn = 0; fn < module_devices(m, i) && m->o.machine == MACHINE_Q35; fn++)
		add_device(b, GW_DEVICE_PCI, i, (uint32_t)(i + 1) << 3 | fn);
	for (size_t k = 0; k < p->n_pci; k++)
		add_device(b, GW_DEVICE_PCI, i, p->pci[k]);
}

static void fill_partition(const struct module_partition *p, struct gw_bundle_partition *to)
{
	strncpy(to->name, p->name, sizeof(to->name) - 1);
	to->memory_bytes = p->o.memory;
	to->vcores = p->o.vcores;
	to->flags = (p->o.isolated ? 0 : GW_PARTITION_DMA_TRUSTED) | GW_PARTITION_MEM_ZEROED |
		    (p->health_log ? GW_PARTITION_HEALTH_LOG : 0);
	to->page_table_pages = p->table_pages;
	to->first_core = p->first_core;
	to->restarts = p->restarts;
	to->colours = p->colours;
	to->policy = (uint8_t)p->policy;
	to->delay_ns = p->delay_ns;
	to->cores_min = (uint8_t)p->cores_min;
	to->cores_max = (uint8_t)p->cores_max;
	memcpy(to->health, p->health, sizeof(to->health));
}

static void fill_channel(const struct module_channel *c, struct gw_bundle_channel *to)
{
	*to = (struct gw_bundle_channel){ .message_bytes = (uint32_t)c->bytes,
					  .depth = (uint32_t)c->depth,
					  .refresh_ns = c->refresh_ns,
					  .source = c->from.number };
	for (size_t i = 0; i < c->n_to; i++)
		to->destinations |= 1u << c->to[i].number;
}

void module_manifest(const struct module *m, struct gw_bundle *b)
{
	struct gw_bundle_mmio mmio = qemu_mmio(m->o.machine);

	b->n_partitions = (uint32_t)m->n_partitions;
	for (size_t i = 0; i < m->n_partitions; i++) {
		fill_partition(&m->partitions[i], &b->partitions[i]);
		add_devices(m, i, b);
	}
	if (mmio.count != 0)
		b->mmio[b->n_mmio++] = mmio;
	b->cores = m->o.vcores;
	b->frame_ns = m->n_slots != 0 ? (uint32_t)m->frame_ns : 0;
	b->n_slots = m->n_slots;
	memcpy(b->slots, m->slots, m->n_slots * sizeof(m->slots[0]));
	memcpy(b->module_health, m->health, sizeof(m->health));
	b->trace_records = m->trace;
	b->colours = m->colours;
	b->n_channels = (uint32_t)m->n_channels;
	for (size_t i = 0; i < m->n_channels; i++)
		fill_channel(&m->channels[i], &b->channels[i]);
}

static void add_port(struct words *lines, size_t number, const struct module_channel *c,
		     const char *end, const char *name)
{
	words_printf(lines, "%zu %s %s %u %u %s", number, end, c->queuing ? "queuing" : "sampling",
		     (unsigned int)c->bytes, (unsigned int)c->depth, name);
}

void module_ports(const struct module *m, size_t i, struct words *lines)
{
	for (size_t n = 0; n < m->n_channels; n++) {
		const struct module_channel *c = &m->channels[n];

		if (c->from.number == i)
			add_port(lines, n, c, "source", c->from.port);
		for (size_t k = 0; k < c->n_to; k++)
			if (c->to[k].number == i)
				add_port(lines, n, c, "destination", c->to[k].port);
	}
}
