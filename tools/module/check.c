/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - what a module's parts must agree on: names, memory, devices. See module.h. */
#include <string.h>

#include "tools/module/check_internal.h"
#include "tools/module/read_internal.h"

#define NAME_MOST 24u

static void check_names(const struct module *m, struct diag *d)
{
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (!name_ok(p->name, NAME_MOST) || strcmp(p->name, "pool") == 0)
			diag_error(d, p->line,
				   "[partition %s]: a name has 1 to %u letters, digits, _ and -, "
				   "and is "
				   "not pool",
				   p->name, NAME_MOST);
		if (module_find(m, p->name) != (int)i)
			diag_error(d, p->line, "a second partition %s; the first is in line %d",
				   p->name, m->partitions[module_find(m, p->name)].line);
	}
	for (size_t i = 0; i < m->n_channels; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(m->channels[i].name, m->channels[k].name) == 0)
				diag_error(d, m->channels[i].line,
					   "a second channel %s; the first is in line %d",
					   m->channels[i].name, m->channels[k].line);
}

static void check_forwards(const struct module *m, size_t i, struct diag *d)
{
	const struct options *o = &m->partitions[i].o;

	for (size_t k = 0; k < i; k++) {
		const struct options *p = &m->partitions[k].o;

		for (size_t f = 0; f < o->n_forwards; f++)
			for (size_t g = 0; g < p->n_forwards; g++)
				if (o->forwards[f].host != 0 &&
				    o->forwards[f].host == p->forwards[g].host &&
				    o->forwards[f].udp == p->forwards[g].udp &&
				    strcmp(o->forwards[f].addr, p->forwards[g].addr) == 0)
					diag_error(d, m->partitions[i].line,
						   "publish: host port %u leads to %s already",
						   o->forwards[f].host, m->partitions[k].name);
		if (o->net == NET_TAP && p->net == NET_TAP && strcmp(o->tap, p->tap) == 0)
			diag_error(d, m->partitions[i].net_line,
				   "network: %s has the tap %s already", m->partitions[k].name,
				   o->tap);
	}
}

/* The manifest's table of devices has room for so many. */
static void check_count(const struct module *m, struct diag *d)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];
		size_t before = n;

		n += module_devices(m, i) + p->n_pci;
		if (before <= GW_BUNDLE_DEVICES && n > GW_BUNDLE_DEVICES)
			diag_error(d, p->n_pci != 0 ? p->pci_line : p->line,
				   "with those of %s there are %zu devices; a machine has room for "
				   "%u (devices = none, or fewer)",
				   p->name, n, GW_BUNDLE_DEVICES);
	}
}

void check_devices(struct module *m, struct diag *d)
{
	const struct module_partition *input = NULL;

	check_count(m, d);

	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		check_forwards(m, i, d);
		m->o.isolated |= p->o.isolated;
		if (p->o.isolated && m->o.machine == MACHINE_MICROVM)
			diag_error(d, p->dma_line,
				   "dma = isolated needs an IOMMU, and microvm has none: machine = "
				   "q35, or dma = trusted");
		if (!p->o.no_input && input != NULL)
			diag_error(d, p->input_line, "%s has the standard input already",
				   input->name);
		if (!p->o.no_input)
			input = p;
	}
	if (m->o.machine == MACHINE_MICROVM && m->n_partitions > 1)
		diag_error(d, m->machine_line,
			   "microvm's devices share a page of registers, so they cannot belong to "
			   "several partitions: machine = q35");
}

void module_check(struct module *m, struct diag *d)
{
	check_names(m, d);
	check_time(m, d);
	check_channels(m, d);
	check_memory(m, d);
	check_devices(m, d);
	check_apex(m, d);
}
