/* SPDX-License-Identifier: Apache-2.0 */
/* blkdev.h - a block device. Implemented by virtio-blk. */
#ifndef GODWIT_RUNTIME_BLKDEV_H
#define GODWIT_RUNTIME_BLKDEV_H

#include "runtime/base/base.h"

struct blkdev;
struct blkdev *blkdev_get(uint32_t index); /* NULL: no such device */
/* A device whose blocks are n bytes of memory, which stay as they are. NULL: memory is out. */
struct blkdev *blkdev_memory(const void *bytes, uint64_t n);
uint64_t blkdev_size(const struct blkdev *d); /* bytes */

struct blk_segment {
	uint64_t pa;
	uint32_t len; /* multiple of 512 */
};
/* Read into n (1..64) segments from byte offset (multiple of 512); parks the calling uthread until
 * done. 0, -EIO, -EINVAL (beyond the end). Any shard. */
int blkdev_read(struct blkdev *d, uint64_t offset, const struct blk_segment *segments,
		uint32_t n) MUST_CHECK;
#endif
