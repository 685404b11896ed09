/* SPDX-License-Identifier: Apache-2.0 */
/* walk.c - path resolution: components, "..", symbolic links (40 at most), and the way back from an
 * inode to its path. */
#include "linux/files/files_internal.h"

#define LINKS_MAX 40

struct walker {
	char *buf; /* path with a link's target spliced in; PATH_MAX bytes */
	uint32_t links;
};

/* Replace what is left of the path by target + rest. *rest points into the result. */
static int splice_link(struct walker *k, struct inode *link, const char **rest)
{
	size_t left = strlen(*rest), len;
	char *fresh;
	int n;

	if (++k->links > LINKS_MAX)
		return -ELOOP;
	fresh = mem_alloc(PATH_MAX);
	if (!fresh)
		return -ENOMEM;
	if (link->ops || link->synth) {
		n = synth_readlink(link, fresh, PATH_MAX);
	} else {
		n = (int)link->size;
		memcpy(fresh, link->u.target, (size_t)n);
	}
	len = n > 0 ? (size_t)n : 0;
	if (n < 0 || len + left + 1 > PATH_MAX) {
		mem_free(fresh, PATH_MAX);
		return n < 0 ? n : -ENAMETOOLONG;
	}
	memcpy(fresh + len, *rest, left + 1);
	if (k->buf)
		mem_free(k->buf, PATH_MAX);
	k->buf = fresh;
	*rest = fresh;
	return 0;
}

/* The child `name` of dir with a reference; *d is its entry if it has one. -ENOENT. */
static int step(struct inode *dir, const char *name, size_t len, struct inode **out,
		struct dentry **d)
{
	int r;

	*d = NULL;
	if (len == 1 && name[0] == '.') {
		*out = inode_get(dir);
		return 0;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*out = inode_get(dir->dentry ? dir->dentry->dir : vfs_root);
		return 0;
	}
	if (dir->ops && dir->ops->lookup)
		return dir->ops->lookup(dir, name, len, out);
	r = dir_populate(dir);
	if (r)
		return r;
	*d = dentry_find(dir, name, len);
	if (!*d)
		return -ENOENT;
	r = dentry_inode(*d, out);
	if (!r)
		inode_get(*out);
	return r;
}

/* A link of /proc/self/fd names an open file, not a path. Returns its inode referenced, or NULL. */
static struct inode *magic_link(struct inode *link)
{
	struct inode *i = NULL;
	struct file *f;

	if (link->ops != &fd_link_ops)
		return NULL;
	f = fd_link_file(link);
	if (!f)
		return NULL;
	if (f->inode)
		i = inode_get(f->inode);
	file_drop(f);
	return i;
}

/* One component of the walk: w->inode is the directory to look in. Sets w->dir, w->inode,
 * w->dentry. */
static int walk_component(struct walk *w, const char *name, size_t len)
{
	int r;

	if (!S_ISDIR(w->inode->mode))
		return -ENOTDIR;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	r = inode_access(w->inode, 1, false);
	if (r)
		return r;
	if (w->dir)
		inode_put(w->dir);
	w->dir = w->inode;
	w->inode = NULL;
	memcpy(w->name, name, len);
	w->name[len] = 0;
	w->len = (uint8_t)len;
	return step(w->dir, name, len, &w->inode, &w->dentry);
}

static int walk_path(struct walker *k, const char *path, uint32_t flags, struct walk *w)
{
	for (;;) {
		const char *end;
		struct inode *target;
		bool last;
		int r;

		if (*path == '/') { /* absolute, or a link's absolute target */
			if (w->dir)
				inode_put(w->dir);
			inode_put(w->inode);
			w->dir = inode_get(vfs_root);
			w->inode = inode_get(vfs_root);
			w->dentry = NULL;
			w->name[0] = 0;
			w->len = 0;
		}
		while (*path == '/')
			path++;
	component:
		if (!*path)
			return 0;
		for (end = path; *end && *end != '/'; end++)
			;
		r = walk_component(w, path, (size_t)(end - path));
		path = end;
		w->slash = *path == '/';
		while (*path == '/')
			path++;
		last = !*path;
		if (r == -ENOENT && last)
			return 0; /* w->inode NULL: the caller may create it */
		if (r)
			return r;
		if (!S_ISLNK(w->inode->mode) ||
		    (last && (flags & VFS_NOFOLLOW) && (!w->slash || flags & VFS_NAME)))
			goto component;
		target = magic_link(w->inode);
		if (target) {
			if (++k->links > LINKS_MAX) {
				inode_put(target);
				return -ELOOP;
			}
			inode_put(w->inode);
			w->inode = target;
			w->dentry = NULL;
			goto component;
		}
		if (!last || w->slash)
			path--; /* keep one slash between target and rest */
		r = splice_link(k, w->inode, &path);
		if (r)
			return r;
		inode_put(w->inode); /* go on from the link's directory */
		w->inode = inode_get(w->dir);
	}
}

int vfs_walk(struct inode *at, const char *path, uint32_t flags, struct walk *w)
{
	struct walker k = { 0 };
	int r;

	w->dir = NULL;
	w->dentry = NULL;
	w->slash = false;
	w->len = 0;
	w->name[0] = 0;
	if (!*path)
		return -ENOENT;
	if (*path == '/' || (!at && !process_self()))
		at = vfs_root;
	else if (!at)
		at = process_self()->cwd ? process_self()->cwd : vfs_root;
	w->inode = inode_get(at);
	r = walk_path(&k, path, flags, w);
	if (k.buf)
		mem_free(k.buf, PATH_MAX);
	if (!r && w->inode && !(flags & VFS_NAME) && (w->slash || (flags & VFS_DIRECTORY)) &&
	    !S_ISDIR(w->inode->mode))
		r = -ENOTDIR;
	if (r) {
		walk_end(w);
		w->dir = w->inode = NULL;
	}
	return r;
}

void walk_end(struct walk *w)
{
	if (w->dir)
		inode_put(w->dir);
	if (w->inode)
		inode_put(w->inode);
}

int vfs_lookup(struct inode *dir, const char *path, uint32_t flags, struct inode **out)
{
	struct walk w;
	int r;

	mutex_lock(&vfs_tree);
	r = vfs_walk(dir, path, flags, &w);
	if (!r) {
		if (w.inode)
			*out = inode_get(w.inode);
		else
			r = -ENOENT;
		walk_end(&w);
	}
	mutex_unlock(&vfs_tree);
	return r;
}

int inode_path_locked(struct inode *i, char *buf, size_t size)
{
	size_t at = size;
	int len;

	if (i == vfs_root && size >= 2) {
		str_copy(buf, "/", size);
		return 1;
	}
	if (!i->dentry)
		return -ENOENT;
	if (!size)
		return -ENAMETOOLONG;
	buf[--at] = 0;
	for (struct dentry *d = i->dentry; d; d = d->dir->dentry) {
		if (at < d->len + 1u)
			return -ENAMETOOLONG;
		at -= d->len;
		memcpy(buf + at, d->name, d->len);
		buf[--at] = '/';
	}
	len = (int)(size - 1 - at);
	memmove(buf, buf + at, (size_t)len + 1);
	return len;
}

int inode_path(struct inode *i, char *buf, size_t size)
{
	int len;

	mutex_lock(&vfs_tree);
	len = inode_path_locked(i, buf, size);
	mutex_unlock(&vfs_tree);
	return len;
}
