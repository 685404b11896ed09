/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the command `godwit`: which of its commands is meant? */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/base/util.h"
#include "tools/godwit/help.h"
#include "tools/godwit/host.h"
#include "tools/godwit/ktrace.h"
#include "tools/godwit/run.h"
#include "tools/godwit/top.h"

/* Descriptors 0 to 2 exist from here on, so that no file of ours ends up as one of them. */
static void open_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	static const char *const commands[] = { "run",	  "host", "top",    "module",	 "trace",
						"bundle", "help", "--help", "--version", NULL };
	const char *command = argc > 1 ? argv[1] : "", *near;

	open_standard();
	if (strcmp(command, "run") == 0)
		return command_run(argc - 2, argv + 2);
	if (strcmp(command, "host") == 0)
		return command_host(argc - 2, argv + 2);
	if (strcmp(command, "top") == 0)
		return command_top(argc - 2, argv + 2);
	if (strcmp(command, "trace") == 0)
		return command_trace(argc - 2, argv + 2);
	if (strcmp(command, "module") == 0)
		return command_module(argc - 2, argv + 2);
	if (strcmp(command, "bundle") == 0)
		return command_bundle(argc - 2, argv + 2);
	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0 ||
	    strcmp(command, "help") == 0) {
		help_main();
		return 0;
	}
	if (strcmp(command, "--version") == 0) {
		printf("godwit %s\n", GODWIT_VERSION);
		return 0;
	}
	near = nearest(command, commands);
	if (command[0] == '\0')
		warn("which command? 'godwit --help' teaches them; most likely: godwit run -- "
		     "PROGRAM");
	else if (near != NULL)
		warn("unknown command %s; did you mean %s? ('godwit --help')", command, near);
	else
		warn("unknown command %s ('godwit --help' lists them)", command);
	return STATUS_USAGE;
}
