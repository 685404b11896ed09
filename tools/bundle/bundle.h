/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - writing and checking boot bundles (abi/bundle.h). */
#ifndef GODWIT_TOOLS_BUNDLE_H
#define GODWIT_TOOLS_BUNDLE_H

#include "abi/bundle.h"
#include "tools/base/util.h"
#include "tools/bundle/program.h"

/* What a bundle is made of. manifest: every table and field but what bundle_write fills in (magic,
 * version, sizes, checksum, segments, and of each partition entry and configuration). */
struct bundle_spec {
	struct gw_bundle manifest;
	struct bundle_part {
		const struct program *program; /* its entry counts unless the manifest has one */
		const void *config;
		size_t config_len;
	} parts[GW_BUNDLE_PARTITIONS];
};

/* bundle_alone - the manifest of a machine whose only partition, `main`, has all that there is:
 * every virtio device, and nothing else (bridges and the like stay the kernel's). mmio.count 0: no
 * virtio-mmio windows. */
void bundle_alone(struct bundle_spec *spec, uint32_t vcores, struct gw_bundle_mmio mmio);

/* bundle_write - write the bundle to fd from offset 0. *size: its bytes. Partitions with the same
 * program share its bytes. Returns 0 or -1 (fail): too many segments, or a manifest that the kernel
 * would refuse. */
int bundle_write(int fd, const struct bundle_spec *spec, uint64_t *size);

/* bundle_check - check a bundle with the kernel's own code (kernel/core/manifest); bytes: aligned
 * to
 * 8. Returns 0, or -1 (fail) saying what is wrong. */
int bundle_check(const void *bytes, size_t len);

/* bundle_show - print what a checked bundle holds. */
void bundle_show(const void *bytes, struct text *out);

#endif
