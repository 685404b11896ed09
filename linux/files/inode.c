/* SPDX-License-Identifier: Apache-2.0 */
/* inode.c - inodes and directories in memory. A directory of the root image gets its entries when
 * it is first looked into, and an entry its inode when it is first found, so untouched parts of the
 * tree cost nothing. */
#include "linux/files/files_internal.h"

struct mutex vfs_tree;
struct inode *vfs_root;
struct root_image root_image;
static _Atomic uint64_t next_ino = 1u << 21; /* above the image's */

uint64_t realtime_ns(void)
{
	return clock_now() + clock_epoch_ns();
}

struct inode *vfs_anonymous(uint64_t size)
{
	struct inode *i = inode_create(S_IFREG | 0600, 0, 0);

	if (i)
		i->size = size;
	return i;
}

struct inode *inode_get(struct inode *i)
{
	atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
	return i;
}

static void inode_free(struct inode *i)
{
	switch (i->mode & S_IFMT) {
	case S_IFREG:
		if (!i->synth)
			pages_free_inode(i);
		break;
	case S_IFDIR:
		while (!list_empty(
			&i->u.dir.order)) { /* only a synthetic directory dies with entries */
			struct dentry *d = list_entry(i->u.dir.order.next, struct dentry, order);

			if (d->inode)
				d->inode->nlink++; /* the file is still what it was for who has it
						      open */
			dentry_remove(d);
		}
		mem_free(i->u.dir.buckets, i->u.dir.n_buckets * sizeof(void *));
		break;
	case S_IFLNK:
		if (!i->synth && !i->ops)
			mem_free(i->u.target, i->size);
		break;
	case S_IFIFO:
		fifo_free(i);
		break;
	default:
		break;
	}
	mem_free(i, sizeof(*i));
}

void inode_put(struct inode *i)
{
	if (atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) == 1)
		inode_free(i);
}

uint64_t inode_size(const struct inode *i)
{
	return i->size;
}

uint32_t inode_mode(const struct inode *i)
{
	return i->mode;
}

static struct inode *inode_new(uint32_t mode)
{
	struct inode *i = mem_zalloc(sizeof(*i));

	if (!i)
		return NULL;
	i->refs = 1;
	i->mode = mode;
	mutex_init(&i->lock);
	if (S_ISDIR(mode)) {
		list_init(&i->u.dir.order);
		i->u.dir.image = NO_IMAGE;
		i->u.dir.seq = 2; /* 0 and 1 are "." and ".." */
		i->nlink = 2;
	} else if (S_ISREG(mode)) {
		list_init(&i->u.file.cached);
	}
	return i;
}

struct inode *inode_create(uint32_t mode, uint32_t uid, uint32_t gid)
{
	struct inode *i = inode_new(mode);

	if (!i)
		return NULL;
	i->uid = uid;
	i->gid = gid;
	i->ino = atomic_fetch_add(&next_ino, 1);
	i->atime = i->mtime = i->ctime = realtime_ns();
	return i;
}

/* The inode of image entry n. */
static struct inode *inode_from_image(uint32_t n)
{
	const struct gw_root_entry *e = &root_image.entries[n];
	struct inode *i = inode_new(e->mode);

	if (!i)
		return NULL;
	i->uid = e->uid;
	i->gid = e->gid;
	i->ino = n + 2;
	i->atime = i->mtime = i->ctime = (uint64_t)e->mtime * NS_PER_SEC;
	if (S_ISDIR(e->mode)) {
		i->u.dir.image = n;
		return i;
	}
	i->nlink = 1;
	if (S_ISREG(e->mode)) {
		i->size = i->u.file.image_len = e->size;
		i->u.file.image_off = e->data;
	} else if (inode_set_target(i, root_image.names + e->data, e->size)) {
		inode_put(i);
		return NULL;
	}
	return i;
}

int inode_set_target(struct inode *i, const char *target, size_t len)
{
	char *copy = mem_alloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, target, len);
	i->u.target = copy;
	i->size = len;
	return 0;
}

int inode_access(const struct inode *i, uint32_t want, bool real_ids)
{
	uint32_t uid = 0, gid = 0, bits = i->mode;

	if (process_self()) {
		uid = real_ids ? process_self()->uid : process_self()->euid;
		gid = real_ids ? process_self()->gid : process_self()->egid;
	}
	if (uid == 0) /* root may all, but execute only what somebody may */
		return (want & 1) && !S_ISDIR(i->mode) && !(i->mode & 0111) ? -EACCES : 0;
	if (uid == i->uid)
		bits >>= 6;
	else if (gid == i->gid)
		bits >>= 3;
	return (bits & want) == want ? 0 : -EACCES;
}

void inode_stat(struct inode *i, struct stat64 *out)
{
	*out = (struct stat64){
		.dev = 1,
		.ino = i->ino,
		.nlink = i->nlink,
		.mode = i->mode,
		.uid = i->uid,
		.gid = i->gid,
		.rdev = i->rdev,
		.size = (int64_t)i->size,
		.blksize = 4096,
		.blocks = (int64_t)((i->size + 511) / 512),
		.atime = i->atime / NS_PER_SEC,
		.atime_ns = i->atime % NS_PER_SEC,
		.mtime = i->mtime / NS_PER_SEC,
		.mtime_ns = i->mtime % NS_PER_SEC,
		.ctime = i->ctime / NS_PER_SEC,
		.ctime_ns = i->ctime % NS_PER_SEC,
	};
}

/* ---- directories ---- */
static uint32_t name_hash(const char *name, size_t len)
{
	uint32_t h = 5381;

	for (size_t k = 0; k < len; k++)
		h = h * 33 + (uint8_t)name[k];
	return h ^ (h >> 15);
}

static int dir_grow(struct inode *dir)
{
	uint32_t n = dir->u.dir.n_buckets ? dir->u.dir.n_buckets * 2 : 8;
	struct dentry **b = mem_zalloc(n * sizeof(void *));

	if (!b)
		return -ENOMEM;
	list_for_each (node, &dir->u.dir.order) {
		struct dentry *d = list_entry(node, struct dentry, order);

		d->next = b[d->hash & (n - 1)];
		b[d->hash & (n - 1)] = d;
	}
	mem_free(dir->u.dir.buckets, dir->u.dir.n_buckets * sizeof(void *));
	dir->u.dir.buckets = b;
	dir->u.dir.n_buckets = n;
	return 0;
}

int dentry_add(struct inode *dir, const char *name, size_t len, bool own, struct inode *i,
	       uint32_t image)
{
	struct dentry *d;

	if (dir->u.dir.n >= dir->u.dir.n_buckets && dir_grow(dir) && !dir->u.dir.n_buckets)
		return -ENOMEM;
	d = mem_alloc(sizeof(*d) + (own ? len + 1 : 0));
	if (!d)
		return -ENOMEM;
	*d = (struct dentry){ .dir = dir,
			      .inode = i,
			      .name = name,
			      .image = image,
			      .hash = name_hash(name, len),
			      .seq = dir->u.dir.seq++,
			      .len = (uint16_t)len,
			      .own = own };
	if (own) {
		char *copy = (char *)(d + 1);

		memcpy(copy, name, len);
		copy[len] = 0;
		d->name = copy;
	}
	d->next = dir->u.dir.buckets[d->hash & (dir->u.dir.n_buckets - 1)];
	dir->u.dir.buckets[d->hash & (dir->u.dir.n_buckets - 1)] = d;
	list_add_tail(&dir->u.dir.order, &d->order);
	dir->u.dir.n++;
	if (i) {
		inode_get(i);
		i->dentry = d;
		if (S_ISDIR(i->mode))
			dir->nlink++;
		else
			i->nlink++;
	} else if (S_ISDIR(root_image.entries[image].mode)) {
		dir->nlink++;
	}
	return 0;
}

int dir_populate(struct inode *dir)
{
	if (likely(dir->u.dir.populated))
		return 0;
	if (dir->u.dir.image != NO_IMAGE) {
		for (uint32_t c = root_image.first_child[dir->u.dir.image]; c;
		     c = root_image.next[c]) {
			const char *name = root_image.names + root_image.entries[c].name;
			size_t len = strlen(name);
			int r = dentry_find(dir, name, len)
					? 0
					: dentry_add(dir, name, len, false, NULL, c);

			if (r)
				return r;
		}
	}
	if (dir->u.dir.synth_path) {
		int r = synth_populate(dir);

		if (r)
			return r;
	}
	dir->u.dir.populated = true;
	return 0;
}

struct dentry *dentry_find(struct inode *dir, const char *name, size_t len)
{
	uint32_t h = name_hash(name, len);
	struct dentry *d =
		dir->u.dir.n_buckets ? dir->u.dir.buckets[h & (dir->u.dir.n_buckets - 1)] : NULL;

	for (; d; d = d->next)
		if (d->hash == h && d->len == len && !memcmp(d->name, name, len))
			return d;
	return NULL;
}

int dentry_inode(struct dentry *d, struct inode **out)
{
	if (!d->inode) {
		d->inode = inode_from_image(d->image);
		if (!d->inode)
			return -ENOMEM;
		d->inode->dentry = d;
	}
	*out = d->inode;
	return 0;
}

void dentry_unhash(struct dentry *d)
{
	struct dentry **p = &d->dir->u.dir.buckets[d->hash & (d->dir->u.dir.n_buckets - 1)];

	while (*p != d)
		p = &(*p)->next;
	*p = d->next;
	list_del(&d->order);
	d->dir->u.dir.n--;
	if (d->inode ? S_ISDIR(d->inode->mode) : S_ISDIR(root_image.entries[d->image].mode))
		d->dir->nlink--;
}

void dentry_remove(struct dentry *d)
{
	struct inode *i = d->inode;

	dentry_unhash(d);
	if (i) {
		if (i->dentry == d)
			i->dentry = NULL;
		i->nlink = S_ISDIR(i->mode) ? 0 : i->nlink - 1;
		inode_put(i);
	}
	mem_free(d, sizeof(*d) + (d->own ? d->len + 1u : 0));
}

bool dir_empty(struct inode *dir)
{
	return !dir->u.dir.n;
}
