/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - the kernel's trace: what happened on each core, the last gw_bundle.trace_records of
 * them. On the UART when the machine ends, oldest first, core by core: godwit: trace: CORE TIME
 * KIND PARTITION VCORE ARG      (decimal, but ARG in hexadecimal) after a line for each partition
 * and each window: godwit: trace: partition NUMBER NAME godwit: trace: window NUMBER CORE PARTITION
 * `godwit trace` makes a Chrome (Perfetto) trace of these lines. */
#ifndef GODWIT_ABI_TRACE_H
#define GODWIT_ABI_TRACE_H

#include <stdint.h>

#define GW_TRACE_MAX 65536u /* records of a core */
#define GW_TRACE_NOBODY 0xffu

enum gw_trace_kind {
	GW_TRACE_SWITCH = 1,	/* the core runs this vcore from now on; NOBODY: it idles */
	GW_TRACE_WINDOW = 2,	/* arg: the window that begins, its number in the manifest */
	GW_TRACE_GAP = 3,	/* the time until the next window begins */
	GW_TRACE_INTERRUPT = 4, /* of a vcore (not of an idle core); arg: vector */
	GW_TRACE_EVENT = 5,	/* an event upcall; arg: the pending bits */
	GW_TRACE_FAULT = 6,	/* a fault upcall; arg: vector */
	GW_TRACE_ERROR = 7,	/* an error of the partition; arg: class */
	GW_TRACE_GRANT = 8,	/* the elastic pool gave it the core; arg: ns until it ran */
	GW_TRACE_KINDS = 9,
};

struct gw_trace_record {
	uint64_t time_ns; /* 0: none yet */
	uint8_t kind, partition;
	uint16_t vcore;
	uint32_t arg; /* the low bits */
};

_Static_assert(sizeof(struct gw_trace_record) == 16, "trace record");

#endif
