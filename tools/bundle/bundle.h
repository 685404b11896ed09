/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - writing and checking boot bundles (abi/bundle.h). */
#ifndef GODWIT_TOOLS_BUNDLE_H
#define GODWIT_TOOLS_BUNDLE_H

#include "abi/bundle.h"
#include "tools/base/util.h"
#include "tools/bundle/program.h"

/* What a bundle with the single partition `main` is made of. */
struct bundle_spec {
	const struct program *program;
	const void *config;
	size_t config_len;
	uint32_t vcores;
	uint64_t epoch_ns;
	struct gw_bundle_mmio mmio; /* count 0: no virtio-mmio windows */
};

/* bundle_write - write the bundle to fd from offset 0. *size: its bytes. Returns 0 or -1 (fail). */
int bundle_write(int fd, const struct bundle_spec *spec, uint64_t *size);

/* bundle_check - check a bundle as the kernel does. Returns 0, or -1 (fail) saying what is wrong.
 */
int bundle_check(const void *bytes, size_t len);

/* bundle_show - print what a checked bundle holds. */
void bundle_show(const void *bytes, struct text *out);

#endif
