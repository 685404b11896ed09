/* SPDX-License-Identifier: Apache-2.0 */
/* apex.c - partitions of personality arinc653: their periods, by default from their windows, and
 * their configuration blob (abi/apex_config.h). */
#include <string.h>

#include "abi/apex_config.h"
#include "tools/module/check_internal.h"
#include "tools/module/read_internal.h"

#define MAIN_STACK (64u << 10)

static const char *const classes[] = { "deadline", "application", "numeric", "illegal", "stack",
				       "memory",   "hardware",	  "power",   NULL };

static int class_of(const char *name)
{
	for (int i = 0; classes[i] != NULL; i++)
		if (strcmp(classes[i], name) == 0)
			return i;
	return -1;
}

/* The first window of partition i on its first core, or NULL. */
static const struct gw_bundle_slot *first_slot(const struct module *m, size_t i)
{
	for (uint32_t k = 0; k < m->n_slots; k++)
		if (m->slots[k].partition == i &&
		    m->slots[k].core == m->partitions[i].first_core % m->o.vcores)
			return &m->slots[k];
	return NULL;
}

/* What it has of its core in a period, by its windows in the frame. */
static uint64_t windows_ns(const struct module *m, size_t i)
{
	const struct gw_bundle_slot *first = first_slot(m, i);
	uint64_t sum = 0;

	for (uint32_t k = 0; k < m->n_slots; k++)
		if (first != NULL && m->slots[k].partition == i && m->slots[k].core == first->core)
			sum += m->slots[k].duration_ns;
	return sum;
}

static uint64_t period_of(const struct module *m, size_t i)
{
	const struct module_partition *p = &m->partitions[i];

	return p->period_ns != 0 ? p->period_ns : first_slot(m, i) != NULL ? m->frame_ns : 0;
}

static uint64_t duration_of(const struct module *m, size_t i)
{
	uint64_t period = period_of(m, i), windows = windows_ns(m, i), share = period;

	if (m->partitions[i].duration_ns != 0)
		return m->partitions[i].duration_ns;
	if (windows != 0 && m->frame_ns != 0)
		share = (uint64_t)((double)windows / (double)m->frame_ns * (double)period);
	return share < 1 ? 1 : share > period ? period : share;
}

static bool slot_on(const struct module *m, size_t i, uint32_t core, const struct gw_bundle_slot *w)
{
	for (uint32_t k = 0; k < m->n_slots; k++)
		if (m->slots[k].partition == i && m->slots[k].core == core &&
		    m->slots[k].offset_ns == w->offset_ns &&
		    m->slots[k].duration_ns == w->duration_ns)
			return true;
	return false;
}

/* All its cores have their windows at the same time: one that has the lock of its services is not
 * stopped while another one waits for that. */
static void check_windows(const struct module *m, size_t i, struct diag *d)
{
	const struct module_partition *p = &m->partitions[i];

	for (uint32_t k = 0; k < m->n_slots; k++) {
		const struct gw_bundle_slot *w = &m->slots[k];

		for (uint32_t v = 0; w->partition == i && v < p->o.vcores; v++) {
			uint32_t core = (p->first_core + v) % m->o.vcores;

			if (slot_on(m, i, core, w))
				continue;
			diag_error(d, p->vcores_line,
				   "vcores: %s has a window of %g ms at %g ms on core %u, but not "
				   "on core %u: the cores of an arinc653 partition have the same "
				   "windows",
				   p->name, (double)w->duration_ns / 1e6,
				   (double)w->offset_ns / 1e6, w->core, core);
			return;
		}
	}
}

static void check_cores(const struct module *m, size_t i, struct diag *d)
{
	const struct module_partition *p = &m->partitions[i];

	if (p->o.vcores > APEX_CONFIG_CORES)
		diag_error(d, p->vcores_line, "vcores: an arinc653 partition has %u at most",
			   APEX_CONFIG_CORES);
	else if (p->o.vcores > m->o.vcores)
		diag_error(d, p->vcores_line,
			   "vcores: %s needs a core for each of %u, and the module has %u", p->name,
			   p->o.vcores, m->o.vcores);
	else if (p->o.vcores > 1)
		check_windows(m, i, d);
	if (p->default_core != APEX_ANY_CORE && p->default_core >= p->o.vcores)
		diag_error(d, p->affinity_line, "core-affinity = %u: %s has cores 0..%u",
			   p->default_core, p->name, p->o.vcores - 1);
}

static void check_channel(const struct module *m, const struct module_channel *c, struct diag *d)
{
	for (size_t k = 0; k < c->n_to; k++) {
		int to = module_find(m, c->to[k].partition);

		if (to >= 0 && m->partitions[to].personality == PERSONALITY_ARINC653 &&
		    !c->queuing && c->refresh_ns == 0)
			diag_error(
				d, c->line,
				"channel %s: %s samples it, so it needs a refresh (refresh = 20ms)",
				c->name, c->to[k].partition);
	}
}

void check_apex(struct module *m, struct diag *d)
{
	for (size_t i = 0; i < m->n_partitions; i++) {
		const struct module_partition *p = &m->partitions[i];

		if (p->personality != PERSONALITY_ARINC653)
			continue;
		check_cores(m, i, d);
		if (period_of(m, i) == 0)
			diag_error(d, p->line,
				   "partition %s has neither windows nor a period (period = 10ms)",
				   p->name);
		else if (duration_of(m, i) > period_of(m, i))
			diag_error(d, p->line, "partition %s: duration is longer than its period",
				   p->name);
		for (size_t k = 0; k < p->partition_errors.n; k++)
			if (class_of(p->partition_errors.v[k]) < 0)
				diag_error(d, p->errors_line,
					   "partition-errors: %s is no class of errors",
					   p->partition_errors.v[k]);
	}
	for (size_t i = 0; i < m->n_channels; i++)
		check_channel(m, &m->channels[i], d);
}

static void add_port(struct text *t, size_t number, const struct module_channel *c, bool source,
		     const char *name)
{
	struct apex_config_port p = {
		.kind = c->queuing ? APEX_PORT_QUEUING : APEX_PORT_SAMPLING,
		.direction = source ? APEX_PORT_SOURCE : APEX_PORT_DESTINATION,
		.channel = (uint16_t)number,
		.message_bytes = (uint32_t)c->bytes,
		.messages = (uint32_t)c->depth,
		.refresh_ns = source || c->queuing ? 0 : c->refresh_ns,
	};

	memcpy(p.name, name, strnlen(name, sizeof(p.name)));
	text_add(t, &p, sizeof(p));
}

void module_apex(const struct module *m, size_t i, struct text *blob)
{
	const struct module_partition *p = &m->partitions[i];
	const struct gw_bundle_slot *first = first_slot(m, i);
	uint64_t period = period_of(m, i);
	struct apex_config c = {
		.magic = APEX_CONFIG_MAGIC,
		.version = APEX_CONFIG_VERSION,
		.period_ns = period,
		.duration_ns = duration_of(m, i),
		.phase_ns = first != NULL && period != 0 ? first->offset_ns % period : 0,
		.identifier = p->has_identifier ? p->identifier : (uint32_t)i,
		.default_core = p->default_core,
		.main_stack_bytes = (uint32_t)(p->main_stack != 0 ? p->main_stack : MAIN_STACK),
	};
	struct text ports = { 0 };

	for (size_t k = 0; k < p->partition_errors.n; k++)
		c.level[class_of(p->partition_errors.v[k])] = APEX_LEVEL_PARTITION;
	for (size_t n = 0; n < m->n_channels; n++) {
		const struct module_channel *ch = &m->channels[n];

		if (ch->from.number == i)
			add_port(&ports, n, ch, true, ch->from.port);
		for (size_t k = 0; k < ch->n_to; k++)
			if (ch->to[k].number == i)
				add_port(&ports, n, ch, false, ch->to[k].port);
	}
	c.n_ports = (uint32_t)(ports.len / sizeof(struct apex_config_port));
	c.size = (uint32_t)(sizeof(c) + ports.len);
	text_add(blob, &c, sizeof(c));
	if (ports.len != 0)
		text_add(blob, ports.data, ports.len);
	text_free(&ports);
}
