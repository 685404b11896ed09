/* SPDX-License-Identifier: Apache-2.0 */
/* command_line.h - what tests of command lines begin with: parse an array of arguments, expect a
 * refusal. */
#ifndef GODWIT_TOOLS_TEST_COMMAND_LINE_H
#define GODWIT_TOOLS_TEST_COMMAND_LINE_H

#include "tests/unit.h"
#include "tools/base/util.h"

#define ARGS(...)                 \
	(char *[])                \
	{                         \
		__VA_ARGS__, NULL \
	}

/* The arguments as a command has them: NULL at the end, kept while its options point into them. */
static inline int kept_args(char *const *argv, char **kept, int max)
{
	int argc = 0;

	fail_clear();
	for (; argv[argc] != NULL && argc + 1 < max; argc++)
		kept[argc] = argv[argc];
	kept[argc] = NULL;
	return argc;
}

/* parse(&options, ARGS(...)); refuses(ARGS(...), "part of the message"), of a command whose options
 * are a struct, parsed and freed by these functions. */
#define COMMAND_LINE(options, parse_options, free_options)                \
	static int parse(struct options *o, char *const *argv)            \
	{                                                                 \
		static char *kept[64];                                    \
                                                                          \
		return parse_options(o, kept_args(argv, kept, 64), kept); \
	}                                                                 \
                                                                          \
	static bool refuses(char *const *argv, const char *part)          \
	{                                                                 \
		struct options o;                                         \
		int rc = parse(&o, argv);                                 \
		bool said = strstr(fail_text(), part) != NULL;            \
                                                                          \
		if (rc != -1 || !said)                                    \
			printf("rc %d, message '%s'\n", rc, fail_text()); \
		free_options(&o);                                         \
		return rc == -1 && said;                                  \
	}

#endif
