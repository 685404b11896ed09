/* SPDX-License-Identifier: Apache-2.0 */
/* sys_link.c - system calls on links, and on the working directory. */
#include "linux/files/files_internal.h"

static int inode_readlink(struct inode *i, char *to, size_t size)
{
	int n = (int)i->size;

	mutex_lock(&vfs_tree);
	if (i->ops || i->synth)
		n = synth_readlink(i, to, size);
	else
		memcpy(to, i->u.target, (size_t)n);
	mutex_unlock(&vfs_tree);
	return n;
}

static long readlink_at(int dirfd, uint64_t va, uint64_t to, uint64_t size)
{
	struct inode *i;
	char *text;
	long r;

	if ((int64_t)size <= 0)
		return -EINVAL;
	r = lookup_at(dirfd, va, VFS_NOFOLLOW, dirfd != AT_FDCWD, &i);
	if (r)
		return r;
	text = mem_alloc(PATH_MAX);
	if (!S_ISLNK(i->mode))
		r = -EINVAL;
	else if (!text)
		r = -ENOMEM;
	else
		r = inode_readlink(i, text, PATH_MAX);
	if (r > (long)size)
		r = (long)size;
	if (r > 0 && copy_to_program(to, text, (size_t)r))
		r = -EFAULT;
	if (text)
		mem_free(text, PATH_MAX);
	inode_put(i);
	return r;
}

SYS(readlink)
{
	return readlink_at(AT_FDCWD, r->rdi, r->rsi, r->rdx);
}

SYS(readlinkat)
{
	return readlink_at(fd_arg(r->rdi), r->rsi, r->rdx, r->r10);
}

SYS(getcwd)
{
	char *text = mem_alloc(PATH_MAX);
	struct inode *i;
	long n;

	if (!text)
		return -ENOMEM;
	mutex_lock(&vfs_tree);
	i = inode_get(process_self()->cwd ? process_self()->cwd : vfs_root);
	mutex_unlock(&vfs_tree);
	n = inode_path(i, text, PATH_MAX);
	inode_put(i);
	if (n > 0 && (uint64_t)n + 1 > r->rsi)
		n = -ERANGE;
	if (n > 0) {
		n++; /* with its NUL */
		if (copy_to_program(r->rdi, text, (size_t)n))
			n = -EFAULT;
	}
	mem_free(text, PATH_MAX);
	return n;
}

/* Consumes i. */
static long change_dir(struct inode *i)
{
	struct inode *old;
	int r = !S_ISDIR(i->mode) ? -ENOTDIR : inode_access(i, 1, false);

	if (r) {
		inode_put(i);
		return r;
	}
	mutex_lock(&vfs_tree);
	old = process_self()->cwd;
	process_self()->cwd = i;
	mutex_unlock(&vfs_tree);
	if (old)
		inode_put(old);
	return 0;
}

SYS(chdir)
{
	struct inode *i;
	int n = lookup_at(AT_FDCWD, r->rdi, VFS_DIRECTORY, false, &i);

	return n ? n : change_dir(i);
}

SYS(fchdir)
{
	struct inode *i;
	int n = inode_of_fd(fd_arg(r->rdi), &i);

	return n == -EINVAL ? -ENOTDIR : n ? n : change_dir(i);
}
