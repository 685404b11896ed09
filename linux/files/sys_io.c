/* SPDX-License-Identifier: Apache-2.0 */
/* sys_io.c - reading, writing and positioning: the way from a descriptor to its object is kept
 * short. */
#include "linux/files/files_internal.h"

#define IOV_FAST 8u

/* The file of fd if it may be read (or written), with a reference; NULL: -EBADF. */
static inline struct file *get_for(uint64_t fd, bool write)
{
	struct file *f = fd_get(fd_arg(fd));

	/* access modes 0 read, 1 write, 2 both */
	if (likely(f && (f->flags & O_ACCMODE) != (write ? O_RDONLY : O_WRONLY)))
		return f;
	if (f)
		file_drop(f);
	return NULL;
}

/* read and write, one of which this is by a constant. */
static inline __attribute__((always_inline)) long one_transfer(const struct gw_regs *r, bool write)
{
	struct file *f = get_for(r->rdi, write);
	long (*op)(struct file * f, struct uio * u, int64_t off);
	struct uio_segment s;
	struct uio u;
	long n;

	if (unlikely(!f))
		return -EBADF;
	uio_one(&u, &s, r->rsi, GW_MIN(r->rdx, RW_MAX), false);
	op = write ? f->ops->write : f->ops->read;
	n = op ? op(f, &u, -1) : -EINVAL;
	file_drop(f);
	return n;
}

SYS(read)
{
	return one_transfer(r, false);
}

SYS(write)
{
	return one_transfer(r, true);
}

static long transfer(struct file *f, struct uio *u, int64_t off, bool write)
{
	long (*fn)(struct file *, struct uio *, int64_t) = write ? f->ops->write : f->ops->read;

	return fn ? fn(f, u, off) : -EINVAL;
}

static long positioned(struct gw_regs *r, bool write)
{
	struct file *f = get_for(r->rdi, write);
	struct uio_segment s;
	struct uio u;
	long n;

	if (!f)
		return -EBADF;
	uio_one(&u, &s, r->rsi, GW_MIN(r->rdx, RW_MAX), false);
	if ((int64_t)r->r10 < 0)
		n = -EINVAL;
	else
		n = f->ops->seek ? transfer(f, &u, (int64_t)r->r10, write) : -ESPIPE;
	file_drop(f);
	return n;
}

SYS(pread64)
{
	return positioned(r, false);
}

SYS(pwrite64)
{
	return positioned(r, true);
}

/* Vectors of fd, va, n. off -1: the file's position. */
static long vectors(struct gw_regs *r, int64_t off, bool write)
{
	struct uio_segment few[IOV_FAST], *seg = few;
	uint32_t n = lo32(r->rdx);
	struct uio u = { .n = n };
	struct file *f;
	long done;

	if (r->rdx > IOV_MAX)
		return -EINVAL;
	f = get_for(r->rdi, write);
	if (!f)
		return -EBADF;
	if (n > IOV_FAST) {
		seg = mem_alloc(n * sizeof(*seg));
		if (!seg) {
			file_drop(f);
			return -ENOMEM;
		}
	}
	done = copy_from_program(seg, r->rsi, n * sizeof(*seg));
	for (uint32_t k = 0; !done && k < n; k++) {
		if ((int64_t)seg[k].len < 0)
			done = -EINVAL;
		seg[k].len = GW_MIN(seg[k].len, RW_MAX - u.left);
		u.left += seg[k].len;
	}
	u.seg = seg;
	if (!done)
		done = off >= 0 && !f->ops->seek ? -ESPIPE : transfer(f, &u, off, write);
	if (seg != few)
		mem_free(seg, n * sizeof(*seg));
	file_drop(f);
	return done;
}

SYS(readv)
{
	return vectors(r, -1, false);
}

SYS(writev)
{
	return vectors(r, -1, true);
}

SYS(preadv)
{
	return (int64_t)r->r10 < 0 ? -EINVAL : vectors(r, (int64_t)r->r10, false);
}

SYS(pwritev)
{
	return (int64_t)r->r10 < 0 ? -EINVAL : vectors(r, (int64_t)r->r10, true);
}

/* The flags of preadv2: HIPRI, DSYNC, SYNC change nothing here; NOWAIT and APPEND are not offered.
 */
SYS(preadv2)
{
	if (r->r9 & ~7ull)
		return -EOPNOTSUPP;
	return (int64_t)r->r10 < -1 ? -EINVAL : vectors(r, (int64_t)r->r10, false);
}

SYS(pwritev2)
{
	if (r->r9 & ~7ull)
		return -EOPNOTSUPP;
	return (int64_t)r->r10 < -1 ? -EINVAL : vectors(r, (int64_t)r->r10, true);
}

SYS(lseek)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	long n;

	if (!f)
		return -EBADF;
	n = f->ops->seek ? f->ops->seek(f, (int64_t)r->rsi, fd_arg(r->rdx)) : -ESPIPE;
	file_drop(f);
	return n;
}

/* ---- copies from file to file ---- */
/* Copy through one page of runtime memory. Positions < 0: the files' own. */
static long copy_files(struct file *in, int64_t in_off, struct file *out, int64_t out_off,
		       uint64_t count)
{
	uint64_t pa = page_alloc();
	long done = 0, n = 0, w = 0;

	if (!pa)
		return -ENOMEM;
	while (count && w == n) {
		struct uio_segment s;
		struct uio u;

		uio_one(&u, &s, (uint64_t)pa_to_va(pa), GW_MIN(count, GW_PAGE_SIZE), true);
		n = in->ops->read ? in->ops->read(in, &u, in_off) : -EINVAL;
		if (n <= 0)
			break;
		uio_one(&u, &s, (uint64_t)pa_to_va(pa), (size_t)n, true);
		w = out->ops->write ? out->ops->write(out, &u, out_off) : -EINVAL;
		if (w < n && in_off < 0 && in->ops->seek) /* what was not written was not read */
			in->ops->seek(in, GW_MAX(w, 0) - n, SEEK_CUR);
		if (w < 0)
			break;
		done += w;
		count -= (uint64_t)w;
		in_off += in_off < 0 ? 0 : w;
		out_off += out_off < 0 ? 0 : w;
	}
	page_put(pa);
	return done ? done : n <= 0 ? n : w;
}

/* An optional 64-bit offset at va: *off is it, or -1. */
static int fetch_offset(uint64_t va, int64_t *off)
{
	*off = -1;
	if (!va)
		return 0;
	if (copy_from_program(off, va, sizeof(*off)))
		return -EFAULT;
	return *off < 0 ? -EINVAL : 0;
}

static long copy_call(uint64_t in_fd, uint64_t in_va, uint64_t out_fd, uint64_t out_va,
		      uint64_t count, bool both_files)
{
	struct file *in = get_for(in_fd, false), *out = get_for(out_fd, true);
	int64_t in_off = -1, out_off = -1;
	long n = -EBADF;

	if (in && out) {
		n = fetch_offset(in_va, &in_off);
		if (!n)
			n = fetch_offset(out_va, &out_off);
		if (!n && (!in->ops->seek || (both_files && !out->ops->seek)))
			n = -EINVAL;
		if (!n)
			n = copy_files(in, in_off, out, out_off, GW_MIN(count, RW_MAX));
		if (n > 0 && in_va) {
			in_off += n;
			if (copy_to_program(in_va, &in_off, sizeof(in_off)))
				n = -EFAULT;
		}
		if (n > 0 && out_va) {
			out_off += n;
			if (copy_to_program(out_va, &out_off, sizeof(out_off)))
				n = -EFAULT;
		}
	}
	if (in)
		file_drop(in);
	if (out)
		file_drop(out);
	return n;
}

SYS(sendfile)
{
	return copy_call(r->rsi, r->rdx, r->rdi, 0, r->r10, false);
}

SYS(copy_file_range)
{
	if (r->r9)
		return -EINVAL;
	return copy_call(r->rdi, r->rsi, r->rdx, r->r10, r->r8, true);
}

/* Programs fall back to read and write. */
SYS(splice)
{
	return -EINVAL;
}

SYS(tee)
{
	return -EINVAL;
}

SYS(vmsplice)
{
	return -EINVAL;
}

/* ---- size ---- */
static long truncate_inode(struct inode *i, int64_t size)
{
	long n;

	if (size < 0)
		return -EINVAL;
	if (S_ISDIR(i->mode))
		return -EISDIR;
	if (!S_ISREG(i->mode) || i->synth)
		return -EINVAL;
	mutex_lock(inode_write_lock(i));
	n = inode_truncate(i, (uint64_t)size);
	mutex_unlock(inode_write_lock(i));
	return n;
}

SYS(truncate)
{
	struct inode *i;
	long n = lookup_at(AT_FDCWD, r->rdi, 0, false, &i);

	if (n)
		return n;
	n = inode_access(i, 2, false);
	if (!n)
		n = truncate_inode(i, (int64_t)r->rsi);
	inode_put(i);
	return n;
}

SYS(ftruncate)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	long n;

	if (!f)
		return -EBADF;
	n = (f->flags & O_ACCMODE) == O_RDONLY || !f->inode
		    ? -EINVAL
		    : truncate_inode(f->inode, (int64_t)r->rsi);
	file_drop(f);
	return n;
}

#define FALLOC_KEEP_SIZE 1u
#define FALLOC_PUNCH_HOLE 2u
#define FALLOC_ZERO_RANGE 16u

static long allocate(struct inode *i, uint32_t mode, uint64_t off, uint64_t len)
{
	long n = 0;

	if (!S_ISREG(i->mode) || i->synth)
		return -ENODEV;
	if (mode & ~(FALLOC_KEEP_SIZE | FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		return -EOPNOTSUPP;
	if (off + len > FILE_SIZE_MAX)
		return -EFBIG;
	mutex_lock(inode_write_lock(i));
	if (mode & (FALLOC_PUNCH_HOLE | FALLOC_ZERO_RANGE))
		n = inode_punch(i, off, len);
	if (!n && !(mode & FALLOC_KEEP_SIZE) && off + len > i->size)
		n = inode_truncate(i, off + len);
	mutex_unlock(inode_write_lock(i));
	return n;
}

SYS(fallocate)
{
	struct file *f = get_for(r->rdi, true);
	long n;

	if (!f)
		return -EBADF;
	if ((int64_t)r->rdx < 0 || (int64_t)r->r10 <= 0)
		n = -EINVAL;
	else
		n = f->inode ? allocate(f->inode, lo32(r->rsi), r->rdx, r->r10) : -ESPIPE;
	file_drop(f);
	return n;
}

/* ---- durability: files live in memory, so everything is as safe as it gets ---- */
static long check_fd(uint64_t fd)
{
	struct file *f = fd_get(fd_arg(fd));

	if (!f)
		return -EBADF;
	file_drop(f);
	return 0;
}

SYS(fsync)
{
	struct file *f = fd_get(fd_arg(r->rdi));
	long n;

	if (!f)
		return -EBADF;
	n = f->inode && (S_ISREG(f->inode->mode) || S_ISDIR(f->inode->mode)) ? 0 : -EINVAL;
	file_drop(f);
	return n;
}

SYS(fdatasync)
{
	return sys_fsync(t, r);
}

SYS(sync)
{
	return 0;
}

SYS(syncfs)
{
	return check_fd(r->rdi);
}

SYS(sync_file_range)
{
	return check_fd(r->rdi);
}

SYS(fadvise64)
{
	return check_fd(r->rdi);
}

SYS(readahead)
{
	return check_fd(r->rdi);
}
