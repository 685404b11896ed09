/* SPDX-License-Identifier: Apache-2.0 */
/* pages_internal.h - the page slots of regular files, for those who read and write (file_io.c), cut
 * and punch (file_size.c) and take pages back (reclaim.c). What a slot says is in pages.c.
 * Everything wants inode.lock held. */
#ifndef GODWIT_LINUX_PAGES_INTERNAL_H
#define GODWIT_LINUX_PAGES_INTERNAL_H

#include "linux/files/files_internal.h"

#define PG_CLEAN 1ull
#define PG_OWN 2ull
#define PG_HOLE 4ull
#define PG_REF 8ull /* used since the clock hand passed */
#define PG_FRAME(e) ((e) & ~0xfffull)

extern struct pages_cache {
	struct spinlock lock;
	struct list_node inodes; /* that have clean pages */
} pages_cache;

/* The slot of page index, or NULL if there never was one; made if need be (NULL: memory is out). */
uint64_t *pages_slot(struct inode *i, uint64_t index);
uint64_t *pages_slot_make(struct inode *i, uint64_t index);
/* The slot with a frame. A hole becomes a page of zeros if make, else *out is NULL. May give the
 * lock up and take it again (paging in), if may_park. 0, -ENOMEM, -EIO, -EAGAIN (it would park). */
int pages_slot_get(struct inode *i, uint64_t index, bool make, bool may_park,
		   uint64_t **out) MUST_CHECK;
/* A frame of zeros for an existing slot; what is in it becomes the file's own; out with it. */
int pages_slot_zero(uint64_t *s) MUST_CHECK;
void pages_slot_own(struct inode *i, uint64_t *s);
void pages_slot_clear(struct inode *i, uint64_t *s);
void pages_drop_slots(struct inode *i, uint64_t from, uint64_t to);
bool pages_in_image(const struct inode *i, uint64_t index);
/* Frames that files leave free: stacks and page tables need some at once, and contiguous ones. */
uint64_t pages_reserve(void);

#endif
