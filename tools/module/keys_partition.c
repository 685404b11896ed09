/* SPDX-License-Identifier: Apache-2.0 */
/* keys_partition.c - the keys of [partition NAME]. See read_internal.h, docs/module.md. */
#include <stdio.h>
#include <string.h>

#include "abi/apex_config.h"
#include "tools/module/read_internal.h"

#define SET(key) static void set_##key(struct diag *d, void *target, const struct ini_entry *e)
#define OPTION(key, option)                                                        \
	SET(key)                                                                   \
	{                                                                          \
		option_key(d, &((struct module_partition *)target)->o, e, option); \
	}

#define MIN_MEMORY (256u << 10)

OPTION(env, "-e")
OPTION(file, "-f")
OPTION(publish, "-p")
OPTION(address, "--addr")
OPTION(address6, "--addr6")
OPTION(root, "--root")
OPTION(directory, "--cwd")
OPTION(user, "--user")
OPTION(hostname, "--hostname")
OPTION(poll, "--poll")
OPTION(say, "--say")

SET(vcores)
{
	struct module_partition *p = target;

	p->vcores_line = e->line;
	option_key(d, &p->o, e, "-c");
}

SET(network)
{
	struct module_partition *p = target;

	p->net_line = e->line;
	option_key(d, &p->o, e, "--net");
}

SET(dma)
{
	struct module_partition *p = target;

	p->dma_line = e->line;
	option_key(d, &p->o, e, "--dma");
}

SET(personality)
{
	static const char *const words[] = { "linux", "native", "arinc653", NULL };
	int i = value_one(d, e, words);

	if (i >= 0)
		((struct module_partition *)target)->personality = (enum personality)i;
}

SET(program)
{
	struct module_partition *p = target;

	p->program_line = e->line;
	if (words_split(&p->argv, e->value) != 0) {
		fail_clear();
		diag_error(d, e->line, "program: a quote is not closed");
	}
}

SET(memory)
{
	struct module_partition *p = target;

	p->memory_line = e->line;
	if (parse_size(e->value, &p->o.memory) != 0) {
		diag_error(d, e->line,
			   "memory = %s: a size is a number with K, M or G behind it (64M)",
			   e->value);
		return;
	}
	p->has_memory = true;
	if (p->o.memory < MIN_MEMORY || p->o.memory > 1ull << 40)
		diag_error(d, e->line, "memory = %s: from 256K to 1024G", e->value);
	p->o.memory = (p->o.memory + 4095) & ~4095ull;
}

SET(colours)
{
	struct module_partition *p = target;

	p->colours_line = e->line;
	(void)value_bits(d, e, &p->colours);
}

SET(page_tables)
{
	(void)value_number(d, e, 1, 1u << 20, &((struct module_partition *)target)->table_pages);
}

SET(first_core)
{
	struct module_partition *p = target;

	p->first_line = e->line;
	(void)value_number(d, e, 0, GW_MAX_VCORES - 1, &p->first_core);
}

/* cores = GUARANTEED..MAXIMUM */
SET(cores)
{
	struct module_partition *p = target;
	const char *dots = strstr(e->value, "..");
	char low[8] = "";
	size_t n = dots != NULL ? (size_t)(dots - e->value) : strlen(e->value);
	uint64_t from = 0, to = 0;

	p->cores_line = e->line;
	if (n < sizeof(low))
		memcpy(low, e->value, n);
	if (parse_u64(low, 0, 64, &from) != 0 ||
	    parse_u64(dots != NULL ? dots + 2 : low, 1, 64, &to) != 0 || from > to) {
		diag_error(d, e->line,
			   "cores = %s: guaranteed and most cores of the elastic pool, as 0..2",
			   e->value);
		return;
	}
	p->has_cores = true;
	p->cores_min = (uint32_t)from;
	p->cores_max = (uint32_t)to;
}

SET(policy)
{
	static const char *const words[] = { "fixed", "latency", "batch", NULL };
	struct module_partition *p = target;
	int i = value_one(d, e, words);

	p->policy_line = e->line;
	if (i >= 0)
		p->policy = (enum gw_policy)i;
}

SET(delay)
{
	uint64_t ns;

	if (value_duration(d, e, &ns) != 0)
		return;
	if (ns < 1000 || ns > 1000000000)
		diag_error(d, e->line, "delay = %s: from 1us to 1s", e->value);
	((struct module_partition *)target)->delay_ns = (uint32_t)ns;
}

SET(restarts)
{
	(void)value_number(d, e, 1, 1000000, &((struct module_partition *)target)->restarts);
}

SET(health)
{
	health_key(d, e, ((struct module_partition *)target)->health);
}

SET(health_log)
{
	(void)value_yes(d, e, &((struct module_partition *)target)->health_log);
}

SET(input)
{
	struct module_partition *p = target;
	bool yes = false;

	p->input_line = e->line;
	(void)value_yes(d, e, &yes);
	p->o.no_input = !yes;
}

SET(devices)
{
	static const char *const names[] = { "network", "disk", "random", "none", NULL };
	struct module_partition *p = target;
	struct words w = { 0 };
	bool has[4] = { false };

	if (value_list(d, e, &w) != 0) {
		words_free(&w);
		return;
	}
	for (size_t i = 0; i < w.n; i++) {
		struct ini_entry one = { .key = e->key, .value = w.v[i], .line = e->line };
		int k = value_one(d, &one, names);

		if (k >= 0)
			has[k] = true;
	}
	words_free(&w);
	if (!has[0])
		option_set(&p->o, "--net", "none");
	if (!has[1] && strcmp(p->o.root, "blk") == 0)
		option_set(&p->o, "--root", "memory");
	p->o.no_random = !has[2];
}

/* A PCI device that qemu-args add: BUS:DEVICE.FUNCTION, as lspci has it. */
SET(pci)
{
	struct module_partition *p = target;
	unsigned int bus, dev, fn;
	char rest;

	p->pci_line = e->line;
	if (sscanf(e->value, "%x:%x.%u%c", &bus, &dev, &fn, &rest) != 3 || bus > 255 || dev > 31 ||
	    fn > 7)
		diag_error(d, e->line,
			   "pci = %s: a device is written BUS:DEVICE.FUNCTION (00:1e.0)", e->value);
	else if (p->n_pci == MODULE_PCI)
		diag_error(d, e->line, "more than %u PCI devices for one partition", MODULE_PCI);
	else
		p->pci[p->n_pci++] = bus << 8 | dev << 3 | fn;
}

SET(ports)
{
	struct module_partition *p = target;

	p->ports_line = e->line;
	(void)value_list(d, e, &p->ports);
}

SET(period)
{
	struct module_partition *p = target;

	p->period_line = e->line;
	(void)value_duration(d, e, &p->period_ns);
}

SET(duration)
{
	(void)value_duration(d, e, &((struct module_partition *)target)->duration_ns);
}

SET(main_stack)
{
	uint64_t *bytes = &((struct module_partition *)target)->main_stack;

	if (value_bytes(d, e, bytes) == 0 && (*bytes < 4096 || *bytes > 16u << 20))
		diag_error(d, e->line, "main-stack = %s: from 4K to 16M", e->value);
}

SET(identifier)
{
	struct module_partition *p = target;

	p->has_identifier = value_number(d, e, 0, INT32_MAX, &p->identifier) == 0;
}

SET(core_affinity)
{
	struct module_partition *p = target;

	p->affinity_line = e->line;
	if (strcmp(e->value, "any") == 0)
		p->default_core = APEX_ANY_CORE;
	else
		(void)value_number(d, e, 0, APEX_CONFIG_CORES - 1, &p->default_core);
}

SET(partition_errors)
{
	struct module_partition *p = target;

	p->errors_line = e->line;
	(void)value_list(d, e, &p->partition_errors);
}

static const struct key keys[] = {
	{ "personality", set_personality, false },
	{ "program", set_program, false },
	{ "memory", set_memory, false },
	{ "vcores", set_vcores, false },
	{ "first-core", set_first_core, false },
	{ "cores", set_cores, false },
	{ "policy", set_policy, false },
	{ "delay", set_delay, false },
	{ "colours", set_colours, false },
	{ "page-tables", set_page_tables, false },
	HEALTH_KEYS(set_health),
	{ "health-log", set_health_log, false },
	{ "restarts", set_restarts, false },
	{ "env", set_env, true },
	{ "file", set_file, true },
	{ "publish", set_publish, true },
	{ "network", set_network, false },
	{ "address", set_address, false },
	{ "address6", set_address6, false },
	{ "root", set_root, false },
	{ "devices", set_devices, false },
	{ "pci", set_pci, true },
	{ "dma", set_dma, false },
	{ "ports", set_ports, false },
	{ "period", set_period, false },
	{ "duration", set_duration, false },
	{ "main-stack", set_main_stack, false },
	{ "identifier", set_identifier, false },
	{ "core-affinity", set_core_affinity, false },
	{ "partition-errors", set_partition_errors, false },
	{ "directory", set_directory, false },
	{ "user", set_user, false },
	{ "hostname", set_hostname, false },
	{ "poll", set_poll, false },
	{ "input", set_input, false },
	{ "say", set_say, false },
};

/* What follows from a partition's keys together. */
static void finish(struct diag *d, const struct ini_section *s, struct module_partition *p)
{
	health_rest(p->health, GW_HEALTH_STOP);
	for (uint32_t i = 0; i < GW_HEALTH_CLASSES; i++)
		if (p->health[i] != GW_HEALTH_STOP)
			p->o.raise |= 1u << i;
	if (p->argv.n == 0 && p->program_line == 0)
		diag_error(d, s->line,
			   "partition %s has no program (program = /path/to/it arguments)",
			   s->name);
	else if (p->argv.n == 0)
		diag_error(d, p->program_line, "program is empty");
	if (p->memory_line == 0)
		diag_error(d, s->line, "partition %s has no memory (memory = 64M)", s->name);
	p->o.argv = p->argv.v;
	p->o.bare = p->personality != PERSONALITY_LINUX;
	if (p->o.bare)
		p->o.root = "none";
	if (options_finish(&p->o) != 0)
		options_complain(d, p->net_line != 0 ? p->net_line : s->line);
}

void read_partition(struct diag *d, const struct ini_section *s, struct module_partition *p)
{
	*p = (struct module_partition){ .name = s->name, .line = s->line };
	options_defaults(&p->o);
	p->o.no_input = true;
	p->o.hostname = s->name;
	memset(p->health, GW_HEALTH_ACTIONS, sizeof(p->health));
	keys_read(d, s, p, keys, sizeof(keys) / sizeof(keys[0]));
	finish(d, s, p);
}
