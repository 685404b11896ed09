/* SPDX-License-Identifier: Apache-2.0 */
/* init.c - the file system at start: the root image, the generated trees, standard descriptors. */
#include "linux/files/files_internal.h"
#include "runtime/platform/platform.h"
#include "runtime/virtio/blkdev.h"

/* The directory `name` in the root, made if the image has none. vfs_tree held. */
static struct inode *root_dir(const char *name, uint32_t mode)
{
	size_t len = strlen(name);
	struct dentry *d = dentry_find(vfs_root, name, len);
	struct inode *i = NULL;

	if (d && (dentry_inode(d, &i) || !S_ISDIR(i->mode)))
		return NULL;
	if (d)
		return i;
	i = inode_create(S_IFDIR | mode, 0, 0);
	if (i && dentry_add(vfs_root, name, len, false, i, NO_IMAGE)) {
		inode_put(i);
		return NULL;
	}
	if (i)
		inode_put(i); /* the entry keeps it */
	return i;
}

static int make_trees(void)
{
	static const char *const synth[] = { "dev", "proc", "sys" };
	int r = dir_populate(vfs_root);

	for (size_t k = 0; k < ARRAY_SIZE(synth) && !r; k++) {
		struct inode *i = root_dir(synth[k], 0755), *marks;

		marks = synth_dir(synth[k], strlen(synth[k]));
		if (!i || !marks) {
			r = -ENOMEM;
		} else {
			i->u.dir.synth_path = marks->u.dir.synth_path;
			i->u.dir.synth_len = marks->u.dir.synth_len;
			i->synth = marks->synth;
			i->ops = k == 1 ? &proc_dir_ops : NULL;
		}
		if (marks)
			inode_put(marks);
		if (!r && k == 0)
			r = ports_install(i);
	}
	if (!r &&
	    !root_dir("tmp", S_ISVTX | 0777)) /* an image's /tmp that is a link is left alone */
		log_warn("files: no /tmp");
	return r;
}

/* Load the image that the configuration asks for. 0, or -errno after a message. */
static int load_root(void)
{
	const char *where = config_get("root");
	const void *image;
	struct blkdev *dev;
	uint64_t size;
	char why[128];
	int r;

	if (!where || !strcmp(where, "none"))
		return 0;
	if (!strcmp(where, "blk")) {
		dev = blkdev_get(0);
	} else if (!strcmp(where, "memory")) {
		image = config_attached(&size);
		dev = blkdev_memory(image, size);
	} else {
		log_warn("files: root=%s is neither blk, memory nor none", where);
		return -EINVAL;
	}
	if (!dev) {
		log_warn("files: root=%s, but there is no such device", where);
		return -ENODEV;
	}
	r = root_load(dev, &root_image, why, sizeof(why));
	if (r)
		log_warn("%s", why);
	return r;
}

int files_init(void)
{
	int r;

	process_first->fds = fd_table_create();
	if (!process_first->fds)
		return -ENOMEM;
	mutex_init(&vfs_tree);
	epoll_init();
	signalfd_init();
	console_init();
	r = pages_init();
	if (!r)
		r = load_root();
	if (r)
		return r;
	vfs_root = inode_create(S_IFDIR | 0755, 0, 0);
	if (!vfs_root)
		return -ENOMEM;
	if (root_image.n_entries) {
		vfs_root->mode = root_image.entries[0].mode;
		vfs_root->ino = 2;
		vfs_root->u.dir.image = 0;
	}
	mutex_lock(&vfs_tree);
	r = make_trees();
	mutex_unlock(&vfs_tree);
	return r ? r : stdio_install();
}
