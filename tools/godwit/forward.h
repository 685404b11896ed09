/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - the host's side of -p and of --net tap. */
#ifndef GODWIT_TOOLS_FORWARD_H
#define GODWIT_TOOLS_FORWARD_H

#include "tools/godwit/options.h"

/* forward_check - see that each host port is free before a machine is started for it, and choose
 * one where 0 was asked for. Returns 0, or -1 (fail): in use (by whom, if it can be told) or not
 * allowed. */
int forward_check(struct options *o);

/* tap_check - see that the interface of --net tap is there and fits. Returns 0 or -1 (fail).
 * Without this QEMU, started by root, would make an interface that leads nowhere. */
int tap_check(const struct options *o);

#endif
