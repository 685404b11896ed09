/* SPDX-License-Identifier: Apache-2.0 */
/* vfs.h - inodes and paths. The root is a tree in memory; a regular file's pages are either its own
 * (written, anonymous) or clean copies of the root image, read from disk when touched and given
 * back when memory is short. */
#ifndef GODWIT_LINUX_VFS_H
#define GODWIT_LINUX_VFS_H

#include "linux/linux.h"

struct inode;
struct inode_ops { /* of special files and synthetic directories; NULL members take the in-memory
		      defaults */
	/* open(2): make the struct file. */
	int (*open)(struct inode *i, uint32_t flags, struct file **out);
	int (*lookup)(struct inode *dir, const char *name, size_t len, struct inode **out);
	int (*readlink)(struct inode *i, char *to, size_t size);
	/* one entry at *cursor (advanced); 0 = end, 1 = entry */
	int (*readdir)(struct inode *dir, uint64_t *cursor, char *name, size_t size, uint64_t *ino,
		       uint8_t *type);
};

/* Path lookup from dir (NULL: cwd for relative paths). flags: VFS_*. 0 and a referenced inode, or
 * -errno. */
#define VFS_NOFOLLOW 1u	 /* do not follow a symlink in the last place */
#define VFS_DIRECTORY 2u /* must be a directory */
int vfs_lookup(struct inode *dir, const char *path, uint32_t flags, struct inode **out) MUST_CHECK;
/* Open as open(2): creates with O_CREAT. */
int vfs_open(struct inode *dir, const char *path, uint32_t flags, uint32_t mode,
	     struct file **out) MUST_CHECK;
/* mknod(2): a new inode of mode's type (sockets: S_IFSOCK) at a path that does not exist;
 * referenced in *out. */
int vfs_mknod(struct inode *dir, const char *path, uint32_t mode, uint32_t rdev,
	      struct inode **out) MUST_CHECK;
struct inode *inode_get(struct inode *i);
void inode_put(struct inode *i);
/* A regular file of zeros without a name, mode 0600, with one reference; NULL: memory is out. */
struct inode *vfs_anonymous(uint64_t size) MUST_CHECK;
uint64_t inode_size(const struct inode *i);
uint32_t inode_mode(const struct inode *i);
/* Absolute path of an inode into buf; length or -errno. */
int inode_path(struct inode *i, char *buf, size_t size);

/* The frame holding page `index` of a regular file, with a page reference for the caller. write:
 * the caller's changes must reach the file (shared writable mapping, write(2)): the page becomes
 * the file's own. Otherwise the frame must be treated as read-only. may_park false: -EAGAIN when it
 * must be read from disk. 0, -ENOMEM, -EIO, -ENXIO (beyond the end of file). Reads ahead around
 * image-backed pages. */
int inode_page(struct inode *i, uint64_t index, bool write, bool may_park, uint64_t *pa) MUST_CHECK;
/* Contiguous run: as inode_page for index, and says how many following pages are resident too with
 * consecutive file indices; fills pas[0..*n-1] (references taken), *n >= 1 on success, at most max.
 * Never reads more than inode_page would. */
int inode_pages(struct inode *i, uint64_t index, uint32_t max, bool may_park, uint64_t *pas,
		uint32_t *n) MUST_CHECK;

/* Walk of the mappings wants to know who maps clean pages before they are dropped: registered by
 * memory/: unmaps page `index` of inode everywhere if it was not accessed lately; returns true if
 * it is unmapped now. */
extern bool (*vfs_unmap_page)(struct inode *i, uint64_t index, uint64_t pa);

/* Read a runtime-side file whole, for start-up (small files) or in part: bytes or -errno. May park.
 */
long inode_read(struct inode *i, uint64_t off, void *to, size_t n);

#endif
