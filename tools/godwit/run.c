/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `godwit run`: pack, boot, stay, report (machine.c). See run.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/godwit/help.h"
#include "tools/godwit/locate.h"
#include "tools/godwit/machine.h"
#include "tools/godwit/run.h"

/* NAME.elf beside NAME, which is the same program as a Linux process; or NAME itself. */
static char *native_path(const char *name)
{
	const char *here = strchr(name, '/') != NULL ? "" : "./";
	char *path = xasprintf("%s%s.elf", here, name);

	if (access(path, R_OK) == 0)
		return path;
	free(path);
	if (access(name, R_OK) == 0)
		return xasprintf("%s%s", here, name);
	return fail("--native %s: neither %s.elf nor %s is there (make native builds the ones of "
		    "apps/)",
		    name, name, name),
	       NULL;
}

/* What the partition runs: the Linux personality, or the native program itself. */
static int load_runtime(struct program *runtime, const struct options *o)
{
	char *path = o->native ? native_path(o->argv[0]) : xstrdup("linux.elf");
	int result = path != NULL ? machine_program(runtime, path) : -1;

	free(path);
	return result;
}

static int run(struct options *o, uint64_t begin_ns)
{
	char *kernel = locate_file("kernel.elf");
	struct program runtime = { 0 };
	struct machine m;
	int status = -1;

	machine_alone(&m, o, &runtime);
	if (kernel != NULL && load_runtime(&runtime, o) == 0)
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
