/* SPDX-License-Identifier: Apache-2.0 */
/* top.h - `godwit top`: a running machine's figures, live. */
#ifndef GODWIT_TOOLS_TOP_H
#define GODWIT_TOOLS_TOP_H

#include "tools/godwit/figures.h"

int command_top(int argc, char *const *argv);

/* top_frame - one frame as text. before: the figures of `seconds` ago, for rates; NULL: none are
 * shown. */
void top_frame(struct text *out, const struct figures *now, const struct figures *before,
	       double seconds);

#endif
