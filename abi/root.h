/* SPDX-License-Identifier: Apache-2.0 */
/* root.h - the root image: the files of a program's root directory, read-only, on a virtio-blk
 * disk (or behind the configuration in memory), paged in as they are touched.
 *
 *   +-----------+ 0
 *   | gw_root   | header
 *   +-----------+ entries_offset (4096)
 *   | entries   | struct gw_root_entry[n_entries], parents before children, entry 0 is "/"
 *   | names     | NUL-terminated names and symlink targets
 *   +-----------+ index_len ends here; the crc covers header and index
 *   | data      | each file's bytes, page aligned
 *   +-----------+ size
 */
#ifndef GODWIT_ABI_ROOT_H
#define GODWIT_ABI_ROOT_H

#include <stdint.h>

#define GW_ROOT_MAGIC 0x746f6f5274697764ULL /* "dwitRoot" */
#define GW_ROOT_VERSION 1u
#define GW_ROOT_MAX_ENTRIES 1000000u

struct gw_root_entry {
	uint32_t parent; /* index, smaller than its own (entry 0: 0) */
	uint32_t name;	 /* offset into the names */
	uint32_t mode;	 /* st_mode: S_IFREG, S_IFDIR, S_IFLNK with permission bits */
	uint32_t uid, gid;
	uint32_t mtime; /* seconds of CLOCK_REALTIME */
	uint64_t size;	/* bytes; symlink: length of the target */
	uint64_t data;	/* file: page-aligned offset in the image. Symlink: offset into the names */
};

struct gw_root {
	uint64_t magic;
	uint32_t version;
	uint32_t crc;	    /* CRC-32C of [0, index_len) with this field zero */
	uint64_t size;	    /* bytes of the image */
	uint64_t index_len; /* bytes of header and index, multiple of 4096 */
	uint32_t n_entries;
	uint32_t names_len;
	uint64_t entries_offset, names_offset;
};

#endif
