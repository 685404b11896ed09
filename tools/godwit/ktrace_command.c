/* SPDX-License-Identifier: Apache-2.0 */
/* ktrace_command.c - `godwit trace [-o FILE] [LOG]`: its options and files. See ktrace.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/godwit/ktrace.h"

static void help(void)
{
	fputs("godwit trace [-o FILE] [LOG]\n"
	      "\n"
	      "Make a trace for ui.perfetto.dev or chrome://tracing of the console output LOG (or "
	      "standard input)\n"
	      "of a machine whose bundle has trace_records: switches, windows, interrupts, "
	      "upcalls, "
	      "errors and grants\n"
	      "of each core. It goes to FILE, or to standard output.\n",
	      stdout);
}

/* Closes out. */
static int convert(FILE *in, FILE *out, const char *to)
{
	struct ktrace *k = xcalloc(1, sizeof(*k));
	char *line = NULL;
	size_t room = 0;
	uint64_t events, damaged;
	int rc;

	ktrace_begin(k, out, to);
	while (getline(&line, &room, in) > 0)
		ktrace_line(k, line);
	events = k->out.events, damaged = k->damaged;
	rc = ktrace_end(k);
	free(k);
	free(line);
	if (rc != 0)
		return rc;
	if (ferror(in))
		return fail("reading failed");
	if (damaged != 0)
		warn("trace: %llu lines make no sense and were left out",
		     (unsigned long long)damaged);
	if (events == 0)
		return fail("there is no trace in it; is the bundle's trace_records 0?");
	return 0;
}

int command_trace(int argc, char *const *argv)
{
	const char *from = NULL, *to = NULL;
	FILE *in = stdin, *out = stdout;
	int rc;

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0) {
			help();
			return 0;
		}
		if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			to = argv[++i];
		} else if (argv[i][0] == '-' || from != NULL) {
			warn("trace: what is %s? ('godwit trace --help')", argv[i]);
			return STATUS_USAGE;
		} else {
			from = argv[i];
		}
	}
	if (from != NULL && (in = fopen(from, "re")) == NULL) {
		warn("trace: cannot read %s: %m", from);
		return STATUS_USAGE;
	}
	if (to != NULL && (out = fopen(to, "we")) == NULL) {
		warn("trace: cannot write %s: %m", to);
		if (in != stdin)
			fclose(in);
		return STATUS_USAGE;
	}
	rc = convert(in, out, to != NULL ? to : "standard output");
	if (in != stdin)
		fclose(in);
	if (rc != 0)
		warn("trace: %s", fail_text());
	return rc != 0 ? STATUS_USAGE : 0;
}
