/* SPDX-License-Identifier: Apache-2.0 */
/* libs.h - which shared libraries a program needs: its own loader is asked (as ldd does),
 * with the environment the program will get, since only it knows its search rules. */
#ifndef GODWIT_TOOLS_LIBS_H
#define GODWIT_TOOLS_LIBS_H

#include "tools/base/util.h"

/* libs_list - ask `loader`. found: host paths. missing: names. Returns 0 or -1 (fail): the loader
 * could not be run, did not answer within 10 s, or answered with something else than a list. */
int libs_list(const char *loader, const char *program, const struct words *env, struct words *found,
	      struct words *missing);

/* libs_parse - the loader's answer (glibc's or musl's, stdout and stderr) to the two lists. */
void libs_parse(const char *answer, struct words *found, struct words *missing);

#endif
