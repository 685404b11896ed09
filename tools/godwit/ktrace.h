/* SPDX-License-Identifier: Apache-2.0 */
/* ktrace.h - `godwit trace`: the kernel's trace (abi/trace.h), as it stands in a machine's console
 * output, as a Chrome (Perfetto) trace: a process for each core, with what runs and which window
 * it is as slices, and interrupts, upcalls, errors and grants as instants. */
#ifndef GODWIT_TOOLS_KTRACE_H
#define GODWIT_TOOLS_KTRACE_H

#include "abi/bundle.h"
#include "abi/vcore.h"
#include "tools/base/util.h"
#include "tools/godwit/perfetto.h"

struct ktrace_slice {
	bool open;
	uint64_t start_ns;
	uint32_t partition, number; /* vcore, or window */
};

struct ktrace {
	struct perfetto out;
	uint64_t damaged;
	char names[GW_BUNDLE_PARTITIONS][32];
	uint8_t window_owner[GW_BUNDLE_SLOTS];
	struct ktrace_core {
		bool seen;
		uint64_t last_ns;
		struct ktrace_slice runs, window;
	} cores[GW_MAX_VCORES];
};

/* ktrace_begin - a trace that is written to f (path: its name in errors). ktrace_line - take a line
 * of console output; those that are not of the trace are passed over, those that are but make no
 * sense are counted (damaged). ktrace_end - end what is open and close f: 0 or -1 (fail). */
void ktrace_begin(struct ktrace *k, FILE *f, const char *path);
void ktrace_line(struct ktrace *k, const char *line);
int ktrace_end(struct ktrace *k);

int command_trace(int argc, char *const *argv);

#endif
