/* SPDX-License-Identifier: Apache-2.0 */
/* trace.h - the last things that each core did, in a ring of its own, said on the UART when the
 * machine ends (abi/trace.h). Off, it costs a load and a branch in paths that are not the
 * reflected system call's. */
#ifndef GODWIT_KERNEL_TRACE_H
#define GODWIT_KERNEL_TRACE_H

#include "abi/trace.h"
#include "kernel/core/core.h"

/* trace_bytes - memory for the rings that a checked bundle asks for; 0: off. trace_init - that
 * much memory, of zeroes. Boot only. trace_print - all of it, to the log. */
uint64_t trace_bytes(const struct gw_bundle *b);
void trace_init(const struct gw_bundle *b, struct gw_trace_record *memory);
void trace_print(void);

/* Off, it must not even cost its callers a register. */
#ifndef GW_HOST_TEST
#define TRACE_COLD __attribute__((cold, no_caller_saved_registers))
#else
#define TRACE_COLD
#endif

extern uint32_t trace_records; /* of each core; 0: off */
TRACE_COLD void trace_add(const struct core *c, uint32_t kind, const struct vcore *v, uint64_t arg);

/* trace - core c does something now, for or to v (its idle one: nobody). Context: that core, or an
 * interrupt of it. */
static inline void trace(const struct core *c, uint32_t kind, const struct vcore *v, uint64_t arg)
{
	if (__builtin_expect(trace_records != 0, 0))
		trace_add(c, kind, v, arg);
}

#endif
