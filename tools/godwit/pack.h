/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - collect what a program needs into the guest's root directory: itself, its interpreter
 * and libraries, the user's files, and the few files of /etc that C libraries read. Guest paths
 * equal host paths; the symlinks on the way are recorded, so that each file is found under all its
 * names. */
#ifndef GODWIT_TOOLS_PACK_H
#define GODWIT_TOOLS_PACK_H

#include "tools/bundle/tree.h"

struct pack {
	struct tree tree;
	const struct words *env; /* the guest's environment: LD_LIBRARY_PATH and the like count */
	char *program;		 /* guest path to start, set by pack_program */
	struct words args;	 /* its argv, set by pack_program */
};

void pack_init(struct pack *p, const struct words *env);
void pack_free(struct pack *p);

/* pack_path - add a host file, or just the directory itself, under its own path. */
int pack_path(struct pack *p, const char *path);

/* pack_extra - the argument of -f: FILE[:GUESTPATH], a file or a folder with all below it. */
int pack_extra(struct pack *p, const char *spec);

/* pack_program - argv[0] looked up in PATH, scripts resolved to their interpreter, libraries added.
 */
int pack_program(struct pack *p, char *const *argv);

/* pack_system - standard directories, /etc. IPv4's and IPv6's address, and name server for
 * resolv.conf; NULL: none. */
struct pack_names {
	const char *hostname, *address[2], *dns[2];
};
int pack_system(struct pack *p, const struct pack_names *names);

#endif
