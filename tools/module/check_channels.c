/* SPDX-License-Identifier: Apache-2.0 */
/* check_channels.c - channels and the ports they connect. See check_internal.h. */
#include <string.h>

#include "tools/module/check_internal.h"
#include "tools/module/read_internal.h"

#define NAME_MAX_PORT 30u /* as ARINC 653 has it */

/* One end: a partition that is there, a port name that is one. */
static void check_end(const struct module *m, struct module_end *e, int line, struct diag *d)
{
	static const char *names[GW_BUNDLE_PARTITIONS + 1];
	const char *near;
	int number = module_find(m, e->partition);

	for (size_t i = 0; i <= m->n_partitions; i++)
		names[i] = i < m->n_partitions ? m->partitions[i].name : NULL;
	near = nearest(e->partition, names);
	if (number < 0 && near != NULL)
		diag_error(d, line, "there is no partition %s; did you mean %s?", e->partition,
			   near);
	else if (number < 0)
		diag_error(d, line, "there is no partition %s", e->partition);
	else
		e->number = (uint32_t)number;
	if (!name_ok(e->port, NAME_MAX_PORT) || strcmp(e->port, "status") == 0)
		diag_error(d, line,
			   "%s: a port's name has 1 to %u letters, digits, _ and -, and is not "
			   "status",
			   e->port, NAME_MAX_PORT);
}

static void check_channel(const struct module *m, struct module_channel *c, struct diag *d)
{
	uint32_t seen = 0;

	if (!c->has_kind)
		diag_error(d, c->line, "channel %s has no kind (kind = sampling, or queuing)",
			   c->name);
	if (c->bytes == 0)
		diag_error(d, c->line, "channel %s has no size of its messages (size = 64)",
			   c->name);
	if (c->from.partition == NULL)
		diag_error(d, c->line, "channel %s comes from nowhere (from = PARTITION)", c->name);
	else
		check_end(m, &c->from, c->from_line, d);
	if (c->n_to == 0)
		diag_error(d, c->line, "channel %s leads nowhere (to = PARTITION)", c->name);
	for (size_t i = 0; i < c->n_to; i++) {
		check_end(m, &c->to[i], c->to_line, d);
		if (c->from.partition != NULL && c->to[i].number == c->from.number &&
		    strcmp(c->to[i].partition, c->from.partition) == 0)
			diag_error(d, c->to_line, "channel %s leads back to %s", c->name,
				   c->from.partition);
		if (seen >> c->to[i].number & 1 && module_find(m, c->to[i].partition) >= 0)
			diag_error(d, c->to_line, "channel %s leads to %s twice", c->name,
				   c->to[i].partition);
		seen |= 1u << c->to[i].number;
	}
	if (c->queuing && c->n_to > 1)
		diag_error(d, c->to_line,
			   "queuing channel %s leads to %zu partitions; it can to one", c->name,
			   c->n_to);
	if (c->queuing && c->depth == 0)
		diag_error(d, c->line, "queuing channel %s has no depth (depth = 16 messages)",
			   c->name);
	if (c->has_kind && !c->queuing && c->depth != 0)
		diag_error(d, c->line, "sampling channel %s: depth is for queuing ones", c->name);
	if (c->queuing && c->refresh_ns != 0)
		diag_error(d, c->line, "queuing channel %s: refresh is for sampling ones", c->name);
}

/* How many ports of that name the partition has. */
static unsigned int count_ports(const struct module *m, const char *partition, const char *port)
{
	unsigned int n = 0;

	for (size_t i = 0; i < m->n_channels; i++) {
		const struct module_channel *c = &m->channels[i];

		n += c->from.partition != NULL && strcmp(c->from.partition, partition) == 0 &&
		     strcmp(c->from.port, port) == 0;
		for (size_t k = 0; k < c->n_to; k++)
			n += strcmp(c->to[k].partition, partition) == 0 &&
			     strcmp(c->to[k].port, port) == 0;
	}
	return n;
}

static void check_unique(const struct module *m, const struct module_channel *c, struct diag *d)
{
	if (c->from.partition != NULL && count_ports(m, c->from.partition, c->from.port) > 1)
		diag_error(d, c->from_line, "%s has several ports named %s (from = %s:OTHER)",
			   c->from.partition, c->from.port, c->from.partition);
	for (size_t k = 0; k < c->n_to; k++)
		if (count_ports(m, c->to[k].partition, c->to[k].port) > 1)
			diag_error(d, c->to_line, "%s has several ports named %s (to = %s:OTHER)",
				   c->to[k].partition, c->to[k].port, c->to[k].partition);
}

void check_channels(struct module *m, struct diag *d)
{
	for (size_t i = 0; i < m->n_channels; i++) {
		check_channel(m, &m->channels[i], d);
		check_unique(m, &m->channels[i], d);
	}
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		for (size_t k = 0; k < p->ports.n; k++)
			if (count_ports(m, p->name, p->ports.v[k]) == 0)
				diag_error(d, p->ports_line,
					   "port %s of %s is connected to no channel",
					   p->ports.v[k], p->name);
	}
}
