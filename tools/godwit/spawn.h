/* SPDX-License-Identifier: Apache-2.0 */
/* spawn.h - start a child process that cannot outlive this one. */
#ifndef GODWIT_TOOLS_SPAWN_H
#define GODWIT_TOOLS_SPAWN_H

#include <stddef.h>
#include <sys/types.h>

/* spawn - run argv with stdin from /dev/null and stdout and stderr to `output`, in a process group
 * of its own (Ctrl-C is for this process alone), no signal blocked. It inherits the n descriptors
 * besides, and is killed when this process ends. Returns its pid, or -1 with errno (127 in the
 * child: no such program, said on `output`). */
pid_t spawn(char *const *argv, int output, const int *inherit, size_t n);

#endif
