/* SPDX-License-Identifier: Apache-2.0 */
/* stat.h - the x86-64 struct stat, statx and statfs as programs read them. */
#ifndef GODWIT_LINUX_STAT_H
#define GODWIT_LINUX_STAT_H

#include <stdint.h>

struct stat64 {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size, blksize, blocks;
	uint64_t atime, atime_ns, mtime, mtime_ns, ctime, ctime_ns;
	int64_t unused[3];
};
_Static_assert(sizeof(struct stat64) == 144, "struct stat");

struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t pad;
};
struct statx64 {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mnt_id, pad1[13];
};
_Static_assert(sizeof(struct statx64) == 256, "struct statx");

struct statfs64 {
	int64_t type, bsize;
	uint64_t blocks, bfree, bavail, files, ffree, fsid;
	int64_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct statfs64) == 120, "struct statfs");

#endif
