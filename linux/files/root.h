/* SPDX-License-Identifier: Apache-2.0 */
/* root.h - the root image's index in memory, checked before anything uses it. */
#ifndef GODWIT_LINUX_FILES_ROOT_H
#define GODWIT_LINUX_FILES_ROOT_H

#include "abi/root.h"
#include "runtime/base/base.h"

struct blkdev;
struct root_image {
	struct blkdev *dev;
	const struct gw_root_entry *entries;
	const char *names;
	uint32_t n_entries;
	uint32_t *first_child, *next; /* by entry; 0: none */
};

/* Check a header: 0 and the bytes of the index, or -EINVAL and why (a text for the user). */
int root_check_header(const struct gw_root *h, uint64_t device_size, char *why,
		      size_t why_size) MUST_CHECK;
/* Check a whole index of len bytes, whose header passed. Returns 0 and fills entries, names,
 * n_entries, or -EINVAL. */
int root_check_index(const void *index, uint64_t len, struct root_image *out, char *why,
		     size_t why_size) MUST_CHECK;
/* Link the children: first_child and next, each n_entries long. */
void root_link(struct root_image *r);
/* Read and check the image on a device. 0, -errno and why. May park. */
int root_load(struct blkdev *dev, struct root_image *out, char *why, size_t why_size) MUST_CHECK;

#endif
