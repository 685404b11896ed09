/* SPDX-License-Identifier: Apache-2.0 */
/* file_size.c - the size of regular files, and holes in them. */
#include "linux/files/pages_internal.h"
#include "linux/memory/mm.h"

/* Zero bytes [from, to) of one page if it is here. */
static void zero_part(struct inode *i, uint64_t from, uint64_t to)
{
	uint64_t *s = pages_slot(i, from / GW_PAGE_SIZE);

	if (s && PG_FRAME(*s))
		memset((char *)pa_to_va(PG_FRAME(*s)) + from % GW_PAGE_SIZE, 0, to - from);
}

int inode_truncate(struct inode *i, uint64_t size)
{
	bool shrinks;

	if (size > FILE_SIZE_MAX)
		return -EFBIG;
	mutex_lock(&i->lock);
	shrinks = size < i->size;
	i->size = size;
	if (shrinks) {
		uint64_t whole = ROUND_UP(size, GW_PAGE_SIZE);

		i->u.file.image_len = GW_MIN(i->u.file.image_len, size);
		if (size < whole)
			zero_part(i, size, whole);
		pages_drop_slots(i, whole / GW_PAGE_SIZE, ~0ull);
	}
	mutex_unlock(&i->lock);
	i->mtime = i->ctime = realtime_ns();
	if (shrinks)
		mm_truncate(i, size);
	return 0;
}

int inode_punch(struct inode *i, uint64_t off, uint64_t len)
{
	uint64_t end, first, *s;
	int r = 0;

	mutex_lock(&i->lock);
	end = GW_MIN(off + len, i->size);
	while (off < end && !r) {
		uint64_t stop = GW_MIN(ROUND_DOWN(off, GW_PAGE_SIZE) + GW_PAGE_SIZE, end);

		s = pages_slot(i, off / GW_PAGE_SIZE);
		if ((!s || !*s) && !pages_in_image(i, off / GW_PAGE_SIZE)) {
			off = stop;
			continue;
		}
		first = off / GW_PAGE_SIZE;
		if (stop - off < GW_PAGE_SIZE) {
			r = pages_slot_get(i, first, true, true, &s);
			if (!r) {
				pages_slot_own(i, s);
				zero_part(i, off, stop);
			}
		} else if (s && PG_FRAME(*s) &&
			   page_of(PG_FRAME(*s))->refs > 1) { /* mapped: keep the frame */
			pages_slot_own(i, s);
			zero_part(i, off, stop);
		} else if ((s = pages_slot_make(i, first))) {
			pages_slot_clear(i, s);
			*s = PG_HOLE;
		} else {
			r = -ENOMEM;
		}
		off = stop;
	}
	mutex_unlock(&i->lock);
	i->mtime = i->ctime = realtime_ns();
	return r;
}

int64_t inode_seek_data(struct inode *i, uint64_t off, bool hole)
{
	int64_t r = -ENXIO;

	mutex_lock(&i->lock);
	for (uint64_t at = off; at < i->size; at = ROUND_DOWN(at, GW_PAGE_SIZE) + GW_PAGE_SIZE) {
		uint64_t *s = pages_slot(i, at / GW_PAGE_SIZE);
		bool data = (s && PG_FRAME(*s)) ||
			    ((!s || !*s) && pages_in_image(i, at / GW_PAGE_SIZE));

		if (data != hole) {
			r = (int64_t)at;
			break;
		}
		if (!s && !pages_in_image(i, at / GW_PAGE_SIZE)) /* a whole chunk of nothing */
			at |= GW_PAGE_SIZE * CHUNK_PAGES - 1;
	}
	if (r < 0 && hole && off < i->size)
		r = (int64_t)i->size;
	mutex_unlock(&i->lock);
	return r;
}
