/* SPDX-License-Identifier: Apache-2.0 */
/* file_io.c - reading and writing regular files, a page at a time: the lock is not held while
 * program memory is touched. */
#include "linux/files/pages_internal.h"

long inode_read_uio(struct inode *i, struct uio *u, uint64_t off)
{
	long done = 0;

	while (u->left) {
		uint64_t pa = 0, size, *s;
		size_t n, in = off % GW_PAGE_SIZE, before = u->left;
		int r;

		mutex_lock(&i->lock);
		size = i->size;
		r = off < size ? pages_slot_get(i, off / GW_PAGE_SIZE, false, true, &s) : -ENXIO;
		if (!r && s) {
			pa = PG_FRAME(*s);
			page_get(pa);
		}
		mutex_unlock(&i->lock);
		if (r)
			return r == -ENXIO || done ? done : r;
		n = GW_MIN(GW_PAGE_SIZE - in, u->left);
		n = GW_MIN(n, size - off);
		if (pa) {
			r = uio_put(u, (char *)pa_to_va(pa) + in, n);
			page_put(pa);
		} else {
			r = uio_zero(u, n);
		}
		done += (long)(before - u->left);
		off += before - u->left;
		if (r)
			return done ? done : r;
	}
	return done;
}

long inode_read(struct inode *i, uint64_t off, void *to, size_t n)
{
	struct uio_segment s;
	struct uio u;

	if (!S_ISREG(i->mode) || i->synth)
		return -EINVAL;
	uio_one(&u, &s, (uint64_t)to, n, true);
	return inode_read_uio(i, &u, off);
}

/* May a file have one more page of its own? Files do not take what the program needs to go on, and
 * to say that they are full. */
static bool room_for_data(void)
{
	uint64_t keep = pages_reserve();

	if (mem_free_pages() < keep)
		pages_reclaim((size_t)keep, true);
	return mem_free_pages() >= keep;
}

/* The file's own page at index with a reference, to be written in full or in part. */
static int page_for_write(struct inode *i, uint64_t index, bool whole, uint64_t *pa)
{
	uint64_t *s;
	int r = 0;

	mutex_lock(&i->lock);
	s = pages_slot(i, index);
	if ((!s || !PG_FRAME(*s)) && !room_for_data()) {
		r = -ENOSPC;
	} else if (whole &&
		   (!s ||
		    !PG_FRAME(*s))) { /* nothing of the image's page will be left: do not read it */
		s = pages_slot_make(i, index);
		r = s ? pages_slot_zero(s) : -ENOMEM;
	} else {
		r = pages_slot_get(i, index, true, true, &s);
	}
	if (!r) {
		pages_slot_own(i, s);
		*pa = PG_FRAME(*s);
		page_get(*pa);
	}
	mutex_unlock(&i->lock);
	return r;
}

long inode_write(struct inode *i, struct uio *u, uint64_t off)
{
	long done = 0;
	int r = 0;

	if (u->left && off >= FILE_SIZE_MAX)
		return -EFBIG;
	while (u->left && off < FILE_SIZE_MAX && !r) {
		size_t in = off % GW_PAGE_SIZE, n = GW_MIN(GW_PAGE_SIZE - in, u->left),
		       before = u->left;
		uint64_t pa;

		/* A whole page that faults half-way would lose the image's half: read the program's
		 * memory first. */
		r = u->kernel || n < GW_PAGE_SIZE ? 0 : uio_fault_in(u, false);
		if (!r)
			r = page_for_write(i, off / GW_PAGE_SIZE, n == GW_PAGE_SIZE, &pa);
		if (r)
			break;
		r = uio_get(u, (char *)pa_to_va(pa) + in, n);
		page_put(pa);
		n = before - u->left;
		off += n;
		done += (long)n;
		mutex_lock(&i->lock);
		if (off > i->size)
			i->size = off;
		mutex_unlock(&i->lock);
	}
	if (done)
		i->mtime = i->ctime = realtime_ns();
	return done ? done : r == -ENOMEM ? -ENOSPC : r;
}
