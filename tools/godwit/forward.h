/* SPDX-License-Identifier: Apache-2.0 */
/* forward.h - the host's side of -p. */
#ifndef GODWIT_TOOLS_FORWARD_H
#define GODWIT_TOOLS_FORWARD_H

#include "tools/godwit/options.h"

/* forward_check - see that each host port is free before a machine is started for it, and choose one
 * where 0 was asked for. Returns 0, or -1 (fail): in use (by whom, if it can be told) or not allowed. */
int forward_check(struct options *o);

#endif
