/* SPDX-License-Identifier: Apache-2.0 */
/* open.c - opening a name, with all that O_CREAT, O_EXCL, O_TMPFILE and O_TRUNC mean. */
#include "linux/files/files_internal.h"

int vfs_open_inode(struct inode *i, uint32_t flags, struct file **out)
{
	const struct file_ops *ops = S_ISDIR(i->mode) ? &directory_ops : &regular_ops;
	struct file *f;

	if (flags & O_PATH) {
		ops = &path_ops;
		flags = O_PATH | (flags & (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	} else if (i->ops && i->ops->open) {
		return i->ops->open(i, flags, out);
	} else if ((i->mode & S_IFMT) == S_IFIFO) {
		return fifo_open(i, flags, out);
	} else if (!S_ISREG(i->mode) && !S_ISDIR(i->mode)) {
		return -ENXIO; /* a socket's name, or a device that does not exist */
	}
	f = file_create(ops, flags, NULL, NULL);
	if (!f)
		return -ENOMEM;
	f->inode = inode_get(i);
	*out = f;
	return 0;
}

static int open_check(const struct inode *i, uint32_t flags)
{
	static const uint8_t want[4] = { 4, 2, 6, 6 };
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if (flags & O_PATH)
		return (flags & O_DIRECTORY) && !S_ISDIR(i->mode) ? -ENOTDIR : 0;
	if (S_ISLNK(i->mode))
		return -ELOOP;
	if ((flags & O_DIRECTORY) && !S_ISDIR(i->mode))
		return -ENOTDIR;
	if (S_ISDIR(i->mode) && (writes || flags & O_CREAT))
		return -EISDIR;
	return inode_access(i, want[flags & O_ACCMODE], false);
}

/* The inode to open, created if it must be; vfs_tree held. *fresh: just made, not to be checked. */
static int open_find(struct inode *at, const char *path, uint32_t flags, uint32_t mode,
		     struct inode **out)
{
	size_t len = strlen(path);
	bool slash = flags & O_CREAT && !(flags & O_PATH) && len && path[len - 1] == '/';
	bool nofollow = flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL);
	struct walk w;
	struct inode *i;
	int r = vfs_walk(at, path,
			 slash	    ? VFS_NOFOLLOW | VFS_NAME
			 : nofollow ? VFS_NOFOLLOW
				    : 0,
			 &w);

	if (r)
		return r;
	if (slash && walk_names_entry(&w)) { /* a file's name does not end like that */
		walk_end(&w);
		return -EISDIR;
	}
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		r = !w.inode		      ? -ENOENT
		    : !S_ISDIR(w.inode->mode) ? -ENOTDIR
					      : dir_may_change(w.inode);
		if (!r && (flags & O_ACCMODE) == O_RDONLY)
			r = -EINVAL;
		*out = r ? NULL : inode_create_for(S_IFREG | (mode & 07777), w.inode);
		if (!r && !*out)
			r = -ENOMEM;
	} else if (w.inode) {
		r = (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL) && !(flags & O_PATH)
			    ? -EEXIST
			    : open_check(w.inode, flags);
		if (!r)
			*out = inode_get(w.inode);
	} else if (!(flags & O_CREAT) || flags & O_PATH) {
		r = -ENOENT;
	} else if (w.slash) { /* a link's target ended in one */
		r = -EISDIR;
	} else {
		r = w.dir->nlink ? dir_may_change(w.dir) : -ENOENT;
		if (!r) {
			i = inode_create_for(S_IFREG | (mode & 07777), w.dir);
			r = walk_link_new(&w, i);
			if (!r)
				*out = i;
		}
	}
	walk_end(&w);
	return r;
}

int vfs_open(struct inode *dir, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
	struct inode *i;
	int r;

	mutex_lock(&vfs_tree);
	r = open_find(dir, path, flags, mode, &i);
	mutex_unlock(&vfs_tree);
	if (r)
		return r;
	if (flags & O_TRUNC && S_ISREG(i->mode) && !i->synth && !(flags & O_PATH) && i->size &&
	    !inode_access(i, 2, false)) {
		mutex_lock(inode_write_lock(i));
		r = inode_truncate(i, 0);
		mutex_unlock(inode_write_lock(i));
	}
	if (!r)
		r = vfs_open_inode(i, flags, out);
	inode_put(i);
	return r;
}
