/* SPDX-License-Identifier: Apache-2.0 */
/* namespace.c - operations on names: create, link, unlink, rename. Each takes vfs_tree,
 * checks everything, then acts. */
#include "linux/files/files_internal.h"

static bool is_synthetic(const struct inode *dir)
{
	return (dir->ops && dir->ops->lookup) || (dir->u.dir.synth_path && dir->synth);
}

/* May the process add or remove names in dir? */
int dir_may_change(const struct inode *dir)
{
	if (is_synthetic(dir))
		return -EACCES;
	return inode_access(dir, 2, false);
}

/* Sticky directories: only the owner of the entry or directory removes. */
static int may_remove(const struct inode *dir, const struct inode *i)
{
	int r = dir_may_change(dir);

	if (!r && dir->mode & S_ISVTX && process_self() && process_self()->euid &&
	    process_self()->euid != i->uid && process_self()->euid != dir->uid)
		r = -EPERM;
	return r;
}

static void touch(struct inode *dir)
{
	dir->mtime = dir->ctime = realtime_ns();
}

struct inode *inode_create_for(uint32_t mode, const struct inode *dir)
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
int walk_link_new(struct walk *w, struct inode *i)
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
		r = w->dir->nlink ? dir_may_change(w->dir) : -ENOENT;
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
		i = inode_create_for(mode, w.dir);
		r = walk_link_new(&w, i);
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
		i = inode_create_for(S_IFLNK | 0777, w.dir);
		r = i ? inode_set_target(i, target, strlen(target)) : -ENOMEM;
		if (r && i)
			inode_put(i);
		if (!r) {
			r = walk_link_new(&w, i);
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
bool walk_names_entry(const struct walk *w)
{
	return w->len && strcmp(w->name, ".") != 0 && strcmp(w->name, "..") != 0;
}

/* In the order in which Linux finds fault. */
static int rename_check(struct walk *a, struct walk *b, uint32_t flags)
{
	bool exchange = flags & RENAME_EXCHANGE;
	int r;

	if (!walk_names_entry(a))
		return -EBUSY;
	if (!walk_names_entry(b))
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
		r = b->inode ? may_remove(b->dir, b->inode) : dir_may_change(b->dir);
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
