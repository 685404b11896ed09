/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - checks a boot bundle before anything in it is used. */
#ifndef GODWIT_KERNEL_MANIFEST_H
#define GODWIT_KERNEL_MANIFEST_H

#include "abi/bundle.h"
#include "kernel/core/lib.h"

/* What is wrong with a bundle: table.field of entry index, why, and what to do. */
struct manifest_error {
	const char *field;
	const char *reason;
	uint32_t index;
};

/* manifest_check - validate the bundle at b, of which len bytes are readable, field by field:
 * nothing in it is used before its check. b must not change meanwhile. crc_hardware as for
 * crc32c_update. Returns 0, or -EINVAL with *err filled. */
MUST_CHECK int manifest_check(const struct gw_bundle *b, uint64_t len, bool crc_hardware,
			      struct manifest_error *err);

/* manifest_device_owner - the partition that gets the device, or -ENODEV. */
int manifest_device_owner(const struct gw_bundle *b, uint32_t kind, uint16_t vendor,
			  uint16_t device, uint32_t location);

#endif
