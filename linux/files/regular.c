/* SPDX-License-Identifier: Apache-2.0 */
/* regular.c - open regular files, directories, and O_PATH descriptors. */
#include "linux/files/files_internal.h"

static long regular_read(struct file *f, struct uio *u, int64_t off)
{
	long r = inode_read_uio(f->inode, u, (uint64_t)(off < 0 ? f->pos : off));

	if (r > 0 && off < 0)
		f->pos += r;
	return r;
}

static long regular_write(struct file *f, struct uio *u, int64_t off)
{
	struct mutex *lock = inode_write_lock(f->inode);
	uint64_t at;
	long r;

	mutex_lock(lock);
	at = f->flags & O_APPEND ? f->inode->size : (uint64_t)(off < 0 ? f->pos : off);
	r = inode_write(f->inode, u, at);
	if (r > 0 && off < 0)
		f->pos = (int64_t)at + r;
	mutex_unlock(lock);
	return r;
}

static int64_t regular_seek(struct file *f, int64_t off, int whence)
{
	int64_t base = 0;

	switch (whence) {
	case SEEK_SET:
		break;
	case SEEK_CUR:
		base = f->pos;
		break;
	case SEEK_END:
		base = (int64_t)f->inode->size;
		break;
	case SEEK_DATA:
	case SEEK_HOLE:
		if (off < 0)
			return -ENXIO;
		base = inode_seek_data(f->inode, (uint64_t)off, whence == SEEK_HOLE);
		off = 0;
		break;
	default:
		return -EINVAL;
	}
	if (base < 0)
		return base;
	if (__builtin_add_overflow(base, off, &base))
		return -EOVERFLOW;
	if (base < 0)
		return -EINVAL;
	f->pos = base;
	return base;
}

static long regular_ioctl(struct file *f, uint64_t cmd, uint64_t arg)
{
	if (cmd == 0x541b) { /* FIONREAD */
		int64_t left = (int64_t)f->inode->size - f->pos;
		int32_t n = (int32_t)GW_MAX(0, GW_MIN(left, 0x7fffffff));

		return copy_to_program(arg, &n, sizeof(n));
	}
	return -ENOTTY;
}

const struct file_ops regular_ops = {
	.read = regular_read,
	.write = regular_write,
	.seek = regular_seek,
	.ioctl = regular_ioctl,
};

static long directory_rw(struct file *f, struct uio *u, int64_t off)
{
	(void)f, (void)u, (void)off;
	return -EISDIR;
}

static int64_t directory_seek(struct file *f, int64_t off, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	if (whence == SEEK_CUR)
		off += f->pos;
	if (off < 0)
		return -EINVAL;
	f->pos = off;
	return off;
}

const struct file_ops directory_ops = { .read = directory_rw,
					.write = directory_rw,
					.seek = directory_seek };

static long path_rw(struct file *f, struct uio *u, int64_t off)
{
	(void)f, (void)u, (void)off;
	return -EBADF;
}

static int64_t path_seek(struct file *f, int64_t off, int whence)
{
	(void)f, (void)off, (void)whence;
	return -EBADF;
}

const struct file_ops path_ops = { .read = path_rw, .write = path_rw, .seek = path_seek };
