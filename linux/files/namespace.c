/* SPDX-License-Identifier: Apache-2.0 */
/* namespace.c - operations on names: open and create, link, unlink, rename. Each takes vfs_tree,
 * checks everything, then acts. */
#include "linux/files/files_internal.h"

static bool is_synthetic(const struct inode *dir)
{
	return (dir->ops && dir->ops->lookup) || (dir->u.dir.synth_path && dir->synth);
}

/* May the process add or remove names in dir? */
static int may_change(const struct inode *dir)
{
	if (is_synthetic(dir))
		return -EACCES;
	return inode_access(dir, 2, false);
}

/* Sticky directories: only the owner of the entry or directory removes. */
static int may_remove(const struct inode *dir, const struct inode *i)
{
	int r = may_change(dir);

	if (!r && dir->mode & S_ISVTX && process_self() && process_self()->euid &&
	    process_self()->euid != i->uid && process_self()->euid != dir->uid)
		r = -EPERM;
	return r;
}

static void touch(struct inode *dir)
{
	dir->mtime = dir->ctime = realtime_ns();
}

static struct inode *create_for(uint32_t mode, const struct inode *dir)
{
	uint32_t mask = process_self() ? process_self()->umask : 022;
	uint32_t uid = process_self() ? process_self()->euid : 0,
		 gid = process_self() ? process_self()->egid : 0;

	if (dir && dir->mode & S_ISGID) {
		gid = dir->gid;
		if (S_ISDIR(mode))
			mode |= S_ISGID;
	}
	return inode_create(S_ISLNK(mode) ? mode : mode & ~mask, uid, gid);
}

/* Link a fresh inode at the walk's free name; consumes i on failure. */
static int link_new(struct walk *w, struct inode *i)
{
	int r;

	if (!i)
		return -ENOMEM;
	r = dentry_add(w->dir, w->name, w->len, true, i, NO_IMAGE);
	if (r)
		inode_put(i);
	else
		touch(w->dir);
	return r;
}

/* Walk to a name that must not exist yet, in a directory that may be changed. */
static int walk_new(struct inode *at, const char *path, bool dir, struct walk *w)
{
	int r = vfs_walk(at, path, VFS_NOFOLLOW | VFS_NAME, w);

	if (r)
		return r;
	if (w->inode)
		r = -EEXIST;
	else if (w->slash && !dir)
		r = -ENOENT;
	else
		r = w->dir->nlink ? may_change(w->dir) : -ENOENT;
	if (r)
		walk_end(w);
	return r;
}

int vfs_mknod(struct inode *at, const char *path, uint32_t mode, uint32_t rdev, struct inode **out)
{
	struct walk w;
	struct inode *i;
	int r;

	mutex_lock(&vfs_tree);
	r = walk_new(at, path, S_ISDIR(mode), &w);
	if (!r) {
		i = create_for(mode, w.dir);
		r = link_new(&w, i);
		if (!r) {
			i->rdev = rdev;
			if (out)
				*out = inode_get(i);
			inode_put(i);
		}
		walk_end(&w);
	}
	mutex_unlock(&vfs_tree);
	return r;
}

int vfs_symlink(struct inode *at, const char *path, const char *target)
{
	struct walk w;
	struct inode *i;
	int r;

	if (!*target)
		return -ENOENT;
	mutex_lock(&vfs_tree);
	r = walk_new(at, path, false, &w);
	if (!r) {
		i = create_for(S_IFLNK | 0777, w.dir);
		r = i ? inode_set_target(i, target, strlen(target)) : -ENOMEM;
		if (r && i)
			inode_put(i);
		if (!r) {
			r = link_new(&w, i);
			if (!r)
				inode_put(i);
		}
		walk_end(&w);
	}
	mutex_unlock(&vfs_tree);
	return r;
}

/* Why directory or file i cannot be removed from where it is. */
static int removable(struct walk *w, bool dir)
{
	struct inode *i = w->inode;
	int r;

	if (!i)
		return -ENOENT;
	if (dir && w->len == 1 && w->name[0] == '.')
		return -EINVAL;
	if (dir && w->len == 2 && w->name[0] == '.' && w->name[1] == '.')
		return -ENOTEMPTY;
	if (!S_ISDIR(i->mode) && (dir || w->slash))
		return -ENOTDIR;
	if (S_ISDIR(i->mode) && !dir)
		return -EISDIR;
	if (!w->len)
		return -EBUSY;
	if (!w->dentry)
		return -EPERM;
	r = may_remove(w->dir, i);
	if (!r && dir) {
		if (i->u.dir.synth_path && i->dentry && i->dentry->dir == vfs_root)
			return -EBUSY; /* /dev, /proc, /sys */
		r = dir_populate(i);
		if (!r && !dir_empty(i))
			r = -ENOTEMPTY;
	}
	return r;
}

int vfs_unlink(struct inode *at, const char *path, bool dir)
{
	struct walk w;
	int r;

	mutex_lock(&vfs_tree);
	r = vfs_walk(at, path, VFS_NOFOLLOW | VFS_NAME, &w);
	if (!r) {
		r = removable(&w, dir);
		if (!r) {
			w.inode->ctime = realtime_ns();
			dentry_remove(w.dentry);
			touch(w.dir);
		}
	}
	mutex_unlock(&vfs_tree);
	if (!r || w.dir)
		walk_end(&w); /* may free the file's pages: after the lock */
	return r;
}

int vfs_link(struct inode *i, struct inode *at, const char *path)
{
	struct walk w;
	int r;

	mutex_lock(&vfs_tree);
	r = walk_new(at, path, false, &w);
	if (!r) {
		r = S_ISDIR(i->mode) ? -EPERM : dentry_add(w.dir, w.name, w.len, true, i, NO_IMAGE);
		if (!r) {
			i->ctime = realtime_ns();
			touch(w.dir);
		}
		walk_end(&w);
	}
	mutex_unlock(&vfs_tree);
	return r;
}

/* Is dir inside (or the same as) the directory top? */
static bool inside(const struct inode *dir, const struct inode *top)
{
	while (dir != top && dir->dentry)
		dir = dir->dentry->dir;
	return dir == top;
}

/* Does the path end in a name, not in "/", "." or ".."? */
static bool names_entry(const struct walk *w)
{
	return w->len && strcmp(w->name, ".") != 0 && strcmp(w->name, "..") != 0;
}

/* In the order in which Linux finds fault. */
static int rename_check(struct walk *a, struct walk *b, uint32_t flags)
{
	bool exchange = flags & RENAME_EXCHANGE;
	int r;

	if (!names_entry(a))
		return -EBUSY;
	if (!names_entry(b))
		return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	if (!a->inode)
		return -ENOENT;
	if (b->inode && flags & RENAME_NOREPLACE)
		return -EEXIST;
	if (exchange && !b->inode)
		return -ENOENT;
	if (exchange && b->slash && !S_ISDIR(b->inode->mode))
		return -ENOTDIR;
	if (!S_ISDIR(a->inode->mode) && (a->slash || (b->slash && !exchange)))
		return -ENOTDIR;
	if (!a->dentry || (b->inode && !b->dentry)) /* generated */
		return -EACCES;
	if (S_ISDIR(a->inode->mode) && inside(b->dir, a->inode))
		return -EINVAL;
	if (b->inode && S_ISDIR(b->inode->mode) && inside(a->dir, b->inode))
		return exchange ? -EINVAL : -ENOTEMPTY;
	if (a->inode == b->inode)
		return 0;
	r = may_remove(a->dir, a->inode);
	if (!r)
		r = b->inode ? may_remove(b->dir, b->inode) : may_change(b->dir);
	if (!r && !b->dir->nlink)
		r = -ENOENT;
	if (r || exchange || !b->inode)
		return r;
	if (S_ISDIR(a->inode->mode) != S_ISDIR(b->inode->mode))
		return S_ISDIR(a->inode->mode) ? -ENOTDIR : -EISDIR;
	if (S_ISDIR(b->inode->mode)) {
		r = dir_populate(b->inode);
		if (!r && !dir_empty(b->inode))
			r = -ENOTEMPTY;
	}
	return r;
}

/* Take the walk's entry out without giving up its inode: the walk's own reference keeps it. */
static void detach(struct walk *w)
{
	uint32_t nlink = w->inode->nlink;

	dentry_remove(w->dentry);
	w->inode->nlink = S_ISDIR(w->inode->mode) ? nlink : nlink - 1;
}

static int rename_act(struct walk *a, struct walk *b, uint32_t flags)
{
	int r;

	if (a->inode == b->inode)
		return 0;
	if (flags & RENAME_EXCHANGE) { /* both entries stay: they swap inodes */
		struct dentry *da = a->dentry, *db = b->dentry;
		int na = S_ISDIR(a->inode->mode), nb = S_ISDIR(b->inode->mode);

		da->inode = b->inode;
		db->inode = a->inode;
		b->inode->dentry = da;
		a->inode->dentry = db;
		a->dir->nlink += (uint32_t)(nb - na);
		b->dir->nlink += (uint32_t)(na - nb);
	} else {
		/* The new name first: memory may be out, and then nothing has changed. */
		r = dentry_add(b->dir, b->name, b->len, true, a->inode, NO_IMAGE);
		if (r)
			return r;
		if (b->inode)
			dentry_remove(b->dentry);
		detach(a);
		a->inode->dentry = dentry_find(b->dir, b->name, b->len);
	}
	a->inode->ctime = realtime_ns();
	touch(a->dir);
	touch(b->dir);
	return 0;
}

int vfs_rename(struct inode *at, const char *from, struct inode *to_at, const char *to,
	       uint32_t flags)
{
	struct walk a, b;
	int r;

	if (flags >= (RENAME_NOREPLACE | RENAME_EXCHANGE)) /* unknown bits, or both */
		return -EINVAL;
	mutex_lock(&vfs_tree);
	r = vfs_walk(at, from, VFS_NOFOLLOW | VFS_NAME, &a);
	if (!r) {
		r = vfs_walk(to_at, to, VFS_NOFOLLOW | VFS_NAME, &b);
		if (!r) {
			r = rename_check(&a, &b, flags);
			if (!r)
				r = rename_act(&a, &b, flags);
			walk_end(&b);
		}
		walk_end(&a);
	}
	mutex_unlock(&vfs_tree);
	return r;
}

/* ---- open ---- */
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
	if (slash && names_entry(&w)) { /* a file's name does not end like that */
		walk_end(&w);
		return -EISDIR;
	}
	if ((flags & O_TMPFILE) == O_TMPFILE) {
		r = !w.inode ? -ENOENT : !S_ISDIR(w.inode->mode) ? -ENOTDIR : may_change(w.inode);
		if (!r && (flags & O_ACCMODE) == O_RDONLY)
			r = -EINVAL;
		*out = r ? NULL : create_for(S_IFREG | (mode & 07777), w.inode);
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
		r = w.dir->nlink ? may_change(w.dir) : -ENOENT;
		if (!r) {
			i = create_for(S_IFREG | (mode & 07777), w.dir);
			r = link_new(&w, i);
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
