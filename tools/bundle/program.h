/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - a partition program (ELF, linked inside the runtime's addresses) flattened to
 * segments, as the kernel maps them. The ELF is checked completely here, so that the kernel reads
 * none. */
#ifndef GODWIT_TOOLS_PROGRAM_H
#define GODWIT_TOOLS_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "abi/bundle.h"

struct program_segment {
	uint64_t va, mem_len; /* va page aligned; mem_len from va on */
	uint64_t file_len;
	uint8_t *bytes; /* file_len bytes, relocated */
	uint32_t flags; /* GW_MAP_W, GW_MAP_X */
};

struct program {
	uint64_t entry;
	size_t n;
	struct program_segment segments[GW_BUNDLE_SEGMENTS];
};

/* program_parse - flatten the ELF file in bytes[0..len). name is for messages.
 * Returns 0, or -1 (fail) and nothing to free. program_free releases the segments' bytes. */
int program_parse(struct program *p, const uint8_t *bytes, size_t len, const char *name);
void program_free(struct program *p);

#endif
