/* SPDX-License-Identifier: Apache-2.0 */
/* module.h - a module: the description of a machine of several partitions, read from an INI file
 * (docs/module.md), checked as a whole, and compiled to a machine (tools/godwit/machine.h).
 * Whoever reads the file stops at nothing: every mistake is told with its line. */
#ifndef GODWIT_TOOLS_MODULE_H
#define GODWIT_TOOLS_MODULE_H

#include "abi/bundle.h"
#include "abi/vcore.h"
#include "tools/godwit/options.h"
#include "tools/module/ini.h"

enum personality { PERSONALITY_LINUX, PERSONALITY_NATIVE, PERSONALITY_ARINC653 };

#define MODULE_PCI 8u /* PCI devices of a partition by location */

struct module_partition {
	const char *name;
	int line;
	enum personality personality;
	struct options
		o; /* program, files, environment, network, ports: as `godwit run` has them */
	struct words argv; /* o.argv */
	bool has_memory, health_log;
	uint32_t first_core, restarts, table_pages, delay_ns, cores_min, cores_max;
	bool has_cores;
	uint64_t colours;
	enum gw_policy policy;
	uint8_t health[GW_HEALTH_CLASSES];
	uint64_t period_ns, duration_ns, main_stack; /* arinc653; 0: not given */
	uint32_t identifier, default_core;
	bool has_identifier;
	struct words partition_errors; /* classes that its error handler does not get */
	struct words ports;	       /* that its program says it uses */
	uint32_t pci[MODULE_PCI];
	size_t n_pci;
	/* lines of keys, for messages; 0: not given */
	int memory_line, vcores_line, cores_line, colours_line, policy_line, ports_line,
		program_line, net_line, input_line, first_line, period_line, errors_line, pci_line,
		affinity_line, dma_line;
};

struct module_window {
	const char *name;
	int line;
	uint32_t core;
	const char *owner;			    /* a partition's name, or "pool" */
	uint32_t partition;			    /* its number, or GW_WINDOW_POOL */
	uint64_t offset_ns, duration_ns, period_ns; /* period 0: once a frame */
	bool has_offset, elastic, exact;
};

struct module_end {
	char *partition, *port;
	uint32_t number;
};

struct module_channel {
	const char *name;
	int line, from_line, to_line;
	bool queuing, has_kind;
	uint64_t bytes, depth, refresh_ns;
	struct module_end from, to[GW_BUNDLE_PARTITIONS];
	size_t n_to;
};

struct module {
	struct ini ini;	  /* owns most strings */
	struct options o; /* of the machine; vcores: its cores */
	int cores_line, memory_line, frame_line, machine_line, colours_line;
	uint32_t colours; /* page colours that there are; 0: by the CPU's caches */
	uint64_t frame_ns;
	uint32_t trace;			   /* records of each core */
	uint8_t health[GW_HEALTH_CLASSES]; /* of the module's own errors */
	struct module_partition partitions[GW_BUNDLE_PARTITIONS];
	size_t n_partitions;
	struct module_window windows[GW_BUNDLE_SLOTS];
	size_t n_windows;
	struct module_channel channels[GW_BUNDLE_CHANNELS];
	size_t n_channels;
	/* made by module_check */
	struct gw_bundle_slot slots[GW_BUNDLE_SLOTS]; /* sorted */
	uint32_t n_slots;
	uint64_t need[GW_BUNDLE_PARTITIONS]; /* bytes besides its memory: page tables, writable
						segments */
	uint64_t kernel_need;		     /* kernel, bundle, ports */
	uint64_t
		stretch; /* of all partitions that have page colours, with what is nobody's in it */
};

/* module_read - the file's text into *m, mistakes of single values to d. module_check - what
 * follows from all together: names, windows, cores, memory, channels, devices. After errors only
 * module_free makes sense. */
void module_read(struct module *m, const char *text, size_t n, struct diag *d);
void module_check(struct module *m, struct diag *d);
void module_free(struct module *m);

/* module_find - the number of the partition of that name, or -1. */
int module_find(const struct module *m, const char *name);

/* module_manifest - a checked module's manifest. module_ports - partition i's lines of ports, as
 * abi/channel.h has them. */
void module_manifest(const struct module *m, struct gw_bundle *b);
/* module_devices - entries of the manifest's table of devices for partition i's own ones. */
size_t module_devices(const struct module *m, size_t i);
void module_ports(const struct module *m, size_t i, struct words *lines);

/* module_apex - the configuration of partition i, of personality arinc653 (abi/apex_config.h), of a
 * checked module. */
void module_apex(const struct module *m, size_t i, struct text *blob);

/* module_show - the schedule and the memory map of a checked module as text; module_svg - the
 * schedule as a picture. */
void module_show(const struct module *m, struct text *out);
void module_svg(const struct module *m, struct text *out);

#endif
