/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - how a run ended: the exit status, and what the user should know about it. */
#ifndef GODWIT_TOOLS_OUTCOME_H
#define GODWIT_TOOLS_OUTCOME_H

#include "tools/godwit/session.h"

/* outcome - print what went wrong, and the summary if it is wanted, on stderr. Returns the status
 * for exit: the program's own; 128 + N if signal N ended it; 125 (STATUS_MACHINE) if the machine
 * failed. */
int outcome(const struct session *s, const struct options *o);

/* outcome_module - the same for several partitions: a line for each (not if quiet), the first one's
 * status. */
int outcome_module(const struct session *s, bool summaries, bool quiet);

#endif
