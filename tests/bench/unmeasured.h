/* SPDX-License-Identifier: Apache-2.0 */
/* unmeasured.h - included ahead of every guest file in the build that bench.py's part `overhead`
 * compares with: shards record no latencies, and read no clock for them. Never part of the usual
 * build. */
#ifndef __ASSEMBLER__
#include "runtime/base/latency.h"
#define latency_record(latency, ns) ((void)sizeof((latency) != 0 && (ns) != 0))
#endif
