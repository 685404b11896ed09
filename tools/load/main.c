/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - godwit-load: which command, and the command run. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tools/load/commands.h"
#include "tools/load/hdr_log.h"
#include "tools/load/options.h"
#include "tools/load/plot.h"
#include "tools/load/report.h"

static void interrupted(int signal)
{
	(void)signal;
	load_interrupted = 1;
}

/* The first ends the run with what it has; the second ends the process. */
static void catch_signals(void)
{
	struct sigaction a = { .sa_handler = interrupted, .sa_flags = (int)SA_RESETHAND };

	(void)sigaction(SIGINT, &a, NULL);
	(void)sigaction(SIGTERM, &a, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static char *join(int argc, char **argv)
{
	struct text t = { 0 };

	text_printf(&t, "godwit-load run");
	for (int i = 0; i < argc; i++) {
		text_add(&t, " ", 1);
		shell_quote(&t, argv[i]);
	}
	return t.data;
}

static int measure(struct load_config *c, struct load_result *r)
{
	struct outputs out = { 0 };
	int status = 0;

	if (outputs_open(&out, c) != 0)
		return STATUS_USAGE;
	if (out.log != NULL)
		hdr_log_header(out.log, c->command, time(NULL));
	if (load_run(c, out.log, r) != 0) {
		say("%s", fail_text());
		status = STATUS_TROUBLE;
	} else {
		report_summary(stdout, c, r);
		if (load_errors(r) > 0 || r->counters.unanswered > 0 || load_overloaded(r) ||
		    r->stopped[0] != '\0' || histogram_count(&r->corrected) == 0)
			status = STATUS_TROUBLE;
	}
	if (flush_stdout() != 0)
		status = STATUS_TROUBLE;
	if (outputs_write(&out, c, r) != 0)
		status = STATUS_TROUBLE;
	return status;
}

int run_main(int argc, char **argv)
{
	struct load_config c;
	struct load_result r = { 0 };
	char *command = join(argc, argv);
	int rc = options_parse(&c, NULL, argc, argv), status = STATUS_USAGE;

	c.command = command;
	if (rc == 1) {
		help_run();
		status = 0;
	} else if (rc == 0) {
		catch_signals();
		if (fail_text()[0] == '\0')
			status = measure(&c, &r);
	}
	if (status == STATUS_USAGE)
		say("%s", fail_text());
	if (r.memory != NULL)
		load_result_free(&r);
	options_free(&c);
	free(command);
	return status;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*main)(int argc, char **argv);
	} commands[] = { { "run", run_main },	  { "sweep", sweep_main },
			 { "plot", plot_main },	  { "reflector", reflector_main },
			 { "floor", floor_main }, { "log", log_main } };
	const char *names[ARRAY_SIZE(commands) + 1] = { 0 }, *near;

	if (argc < 2) {
		say("what to do? godwit-load --help explains");
		return STATUS_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
	    strcmp(argv[1], "help") == 0) {
		help_main();
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		puts("godwit-load " LOAD_VERSION);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].main(argc - 2, argv + 2);
		names[i] = commands[i].name;
	}
	near = nearest(argv[1], names);
	say("'%s' is not a command%s%s; godwit-load --help", argv[1],
	    near != NULL ? "; did you mean " : "", near != NULL ? near : "");
	return STATUS_USAGE;
}
