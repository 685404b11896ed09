/* SPDX-License-Identifier: Apache-2.0 */
/* machine.h - a machine of one or several partitions, from its files to its end: what `godwit run`,
 * `godwit module` and `godwit bundle` share. */
#ifndef GODWIT_TOOLS_MACHINE_H
#define GODWIT_TOOLS_MACHINE_H

#include "tools/godwit/image.h"
#include "tools/godwit/qemu.h"

#define MACHINE_MARKS 3

struct machine {
	struct options
		*o; /* of the machine: memory, vcores (its cores), accelerator, what is shown */
	const char *title; /* for godwit top */
	struct machine_guest {
		const char *name;   /* NULL: the only one, which has no name */
		struct options *o;  /* NULL: no Linux personality, and no console */
		struct words ports; /* lines of its configuration (abi/channel.h) */
		struct image image; /* made by machine_files */
	} guests[GW_BUNDLE_PARTITIONS];
	size_t n;
	bool quiet;		 /* say nothing about partitions that ended */
	bool grow;		 /* o->memory is what it needs besides the boot bundle */
	struct bundle_spec spec; /* manifest and programs; the configurations of Linux partitions
				    are filled in */
	struct bundle_file bundle;
	struct mark marks[MACHINE_MARKS];
};

/* machine_init - empty. machine_alone - one partition with everything, as o says; runtime: its
 * program. Both: to be freed. */
void machine_init(struct machine *m, struct options *o);
void machine_alone(struct machine *m, struct options *o, const struct program *runtime);
void machine_free(struct machine *m);

/* machine_program - read a partition program: a path, or the name of one of the command's own files
 * (linux.elf). 0, or -1 (fail). */
int machine_program(struct program *program, const char *name);

/* machine_kernel_end - the first physical address behind the kernel; 0 (fail). */
uint64_t machine_kernel_end(const char *kernel);

/* machine_files - write images and bundle (image.h). machine_run - do that, boot, stay, report;
 * returns the exit status, or -1 (fail). */
int machine_files(struct machine *m, const char *folder);
int machine_run(struct machine *m, uint64_t begin_ns);

#endif
