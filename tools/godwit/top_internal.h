/* SPDX-License-Identifier: Apache-2.0 */
/* top_internal.h - the parts of a frame: top_frame.c and, of several partitions, top_module.c. */
#ifndef GODWIT_TOOLS_TOP_INTERNAL_H
#define GODWIT_TOOLS_TOP_INTERNAL_H

#include "tools/godwit/top.h"

/* top_duration - 12.3us, 4.56s; below 0: "-". Returns buf. */
const char *top_duration(char buf[16], double seconds);

/* top_partition - a partition's row, from its own figures: how it runs, its cores of the elastic
 * pool and how they came and went, its errors. head: the table's head before it. before: NULL for
 * totals instead of rates. top_windows - a row for each window of the frame; nothing without. */
void top_partition(struct text *out, bool head, const char *name, const struct figures *now,
		   const struct figures *before, double seconds);
void top_windows(struct text *out, const struct figures *now);

#endif
