/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `godwit run`: pack, boot, stay, report (machine.c). See run.h. */
#include <stdlib.h>

#include "tools/godwit/help.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/machine.h"
#include "tools/godwit/run.h"

static int run(struct options *o, uint64_t begin_ns)
{
	char *kernel = locate_file("kernel.elf");
	struct program runtime = { 0 };
	struct machine m;
	int status = -1;

	machine_alone(&m, o, &runtime);
	if (kernel != NULL && machine_program(&runtime, "linux.elf") == 0)
		status = machine_run(&m, begin_ns);
	machine_free(&m);
	program_free(&runtime);
	free(kernel);
	return status;
}

int command_run(int argc, char *const *argv)
{
	uint64_t begin_ns = now_ns();
	struct options o;
	int status = STATUS_USAGE;

	if (options_parse(&o, argc, argv) != 0) {
		warn("run: %s", fail_text());
	} else if (o.help) {
		help_run();
		status = 0;
	} else {
		status = run(&o, begin_ns);
		if (status < 0) {
			warn("run: %s", fail_text());
			status = STATUS_USAGE;
		}
	}
	options_free(&o);
	return status;
}
