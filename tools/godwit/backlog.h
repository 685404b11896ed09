/* SPDX-License-Identifier: Apache-2.0 */
/* backlog.h - longer queues for QEMU's forwarded ports. */
#ifndef GODWIT_TOOLS_BACKLOG_H
#define GODWIT_TOOLS_BACKLOG_H

#include <sys/types.h>

#include "tools/godwit/options.h"

/* backlog_raise - QEMU's user network listens with room for one waiting client, so that of many who
 * come at once most wait for a second or more (lost SYNs). listen(2) on a listening socket only sets
 * the room: take the sockets of the forwards (-p) out of the child and do that. Where the kernel
 * refuses, nothing changes (said with -v). */
void backlog_raise(pid_t qemu, const struct options *o);

#endif
