/* SPDX-License-Identifier: Apache-2.0 */
/* sys_path.c - system calls on names: paths from a program, and making, removing and renaming. */
#include "linux/files/files_internal.h"

int path_begin(struct path_arg *p, int dirfd, uint64_t va)
{
	struct file *f;
	long n;

	p->at = NULL;
	p->text = mem_alloc(PATH_MAX);
	if (!p->text)
		return -ENOMEM;
	n = copy_string_from_program(p->text, va, PATH_MAX);
	if (n > 0 && p->text[0] != '/' && dirfd != AT_FDCWD) {
		f = fd_get(dirfd);
		if (!f) {
			n = -EBADF;
		} else {
			if (f->inode && S_ISDIR(f->inode->mode))
				p->at = inode_get(f->inode);
			else
				n = -ENOTDIR;
			file_drop(f);
		}
	}
	if (n < 0)
		path_end(p);
	return n < 0 ? (int)n : 0;
}

void path_end(struct path_arg *p)
{
	mem_free(p->text, PATH_MAX);
	if (p->at)
		inode_put(p->at);
}

int inode_of_fd(int fd, struct inode **out)
{
	struct file *f;
	int r = -EBADF;

	if (fd == AT_FDCWD) {
		*out = inode_get(process_self()->cwd ? process_self()->cwd : vfs_root);
		return 0;
	}
	f = fd_get(fd);
	if (f) {
		r = f->inode ? 0 : -EINVAL;
		if (f->inode)
			*out = inode_get(f->inode);
		file_drop(f);
	}
	return r;
}

int lookup_at(int dirfd, uint64_t va, uint32_t vfs_flags, bool empty_ok, struct inode **out)
{
	struct path_arg p;
	int r;

	if (empty_ok && !va)
		return inode_of_fd(dirfd, out);
	r = path_begin(&p, dirfd, va);
	if (r)
		return r;
	if (empty_ok && !p.text[0])
		r = inode_of_fd(dirfd, out);
	else
		r = vfs_lookup(p.at, p.text, vfs_flags, out);
	path_end(&p);
	return r;
}

/* ---- making and removing names ---- */
static long make_node(int dirfd, uint64_t va, uint32_t mode, uint32_t rdev)
{
	struct path_arg p;
	int r = path_begin(&p, dirfd, va);

	if (r)
		return r;
	r = vfs_mknod(p.at, p.text, mode, rdev, NULL);
	path_end(&p);
	return r;
}

SYS(mkdir)
{
	return make_node(AT_FDCWD, r->rdi, S_IFDIR | (lo32(r->rsi) & 01777), 0);
}

SYS(mkdirat)
{
	return make_node(fd_arg(r->rdi), r->rsi, S_IFDIR | (lo32(r->rdx) & 01777), 0);
}

static long mknod_at(int dirfd, uint64_t va, uint32_t mode)
{
	uint32_t type = mode & S_IFMT;

	if (type == 0)
		mode |= S_IFREG;
	else if (type == S_IFCHR || type == S_IFBLK)
		return -EPERM;
	else if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK)
		return -EINVAL;
	return make_node(dirfd, va, mode & (S_IFMT | 07777), 0);
}

SYS(mknod)
{
	return mknod_at(AT_FDCWD, r->rdi, lo32(r->rsi));
}

SYS(mknodat)
{
	return mknod_at(fd_arg(r->rdi), r->rsi, lo32(r->rdx));
}

static long unlink_at(int dirfd, uint64_t va, bool dir)
{
	struct path_arg p;
	int r = path_begin(&p, dirfd, va);

	if (r)
		return r;
	r = vfs_unlink(p.at, p.text, dir);
	path_end(&p);
	return r;
}

SYS(unlink)
{
	return unlink_at(AT_FDCWD, r->rdi, false);
}

SYS(rmdir)
{
	return unlink_at(AT_FDCWD, r->rdi, true);
}

SYS(unlinkat)
{
	if (lo32(r->rdx) & ~AT_REMOVEDIR)
		return -EINVAL;
	return unlink_at(fd_arg(r->rdi), r->rsi, (r->rdx & AT_REMOVEDIR) != 0);
}

static long symlink_at(uint64_t target_va, int dirfd, uint64_t va)
{
	struct path_arg target, p;
	int r = path_begin(&target, AT_FDCWD, target_va);

	if (r)
		return r;
	r = path_begin(&p, dirfd, va);
	if (!r) {
		r = vfs_symlink(p.at, p.text, target.text);
		path_end(&p);
	}
	path_end(&target);
	return r;
}

SYS(symlink)
{
	return symlink_at(r->rdi, AT_FDCWD, r->rsi);
}

SYS(symlinkat)
{
	return symlink_at(r->rdi, fd_arg(r->rsi), r->rdx);
}

static long link_at(int dirfd, uint64_t va, int to_dirfd, uint64_t to_va, uint32_t flags)
{
	struct path_arg p;
	struct inode *i;
	int r;

	if (flags & ~(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	r = lookup_at(dirfd, va, flags & AT_SYMLINK_FOLLOW ? 0 : VFS_NOFOLLOW,
		      (flags & AT_EMPTY_PATH) != 0, &i);
	if (r)
		return r;
	r = path_begin(&p, to_dirfd, to_va);
	if (!r) {
		r = vfs_link(i, p.at, p.text);
		path_end(&p);
	}
	inode_put(i);
	return r;
}

SYS(link)
{
	return link_at(AT_FDCWD, r->rdi, AT_FDCWD, r->rsi, 0);
}

SYS(linkat)
{
	return link_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, lo32(r->r8));
}

static long rename_at(int dirfd, uint64_t va, int to_dirfd, uint64_t to_va, uint32_t flags)
{
	struct path_arg from, to;
	int r = path_begin(&from, dirfd, va);

	if (r)
		return r;
	r = path_begin(&to, to_dirfd, to_va);
	if (!r) {
		r = vfs_rename(from.at, from.text, to.at, to.text, flags);
		path_end(&to);
	}
	path_end(&from);
	return r;
}

SYS(rename)
{
	return rename_at(AT_FDCWD, r->rdi, AT_FDCWD, r->rsi, 0);
}

SYS(renameat)
{
	return rename_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, 0);
}

SYS(renameat2)
{
	return rename_at(fd_arg(r->rdi), r->rsi, fd_arg(r->rdx), r->r10, lo32(r->r8));
}
