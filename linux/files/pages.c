/* SPDX-License-Identifier: Apache-2.0 */
/* pages.c - the contents of regular files. Each page of a file has a slot:
 *
 *   0            not here: in the image if below image_len, else zeros
 *   pa | CLEAN   a copy of the image's page: may be dropped and read again
 *   pa | OWN     the only copy
 *   HOLE         zeros, though the image has something there
 *
 * A frame in a slot holds one page reference; mappings and copies in progress hold more. New
 * references are only taken under inode.lock, so under that lock "one reference" means that nobody
 * else uses the frame. */
#include "linux/files/pages_internal.h"
#include "linux/memory/mm.h"
#include "runtime/virtio/blkdev.h"

#define READ_MAX CHUNK_PAGES /* a run lies in one chunk */

struct pages_cache pages_cache;
static struct mutex write_locks[8];

int pages_init(void)
{
	list_init(&pages_cache.inodes);
	for (size_t k = 0; k < ARRAY_SIZE(write_locks); k++)
		mutex_init(&write_locks[k]);
	mem_add_reclaim(pages_reclaim);
	return 0;
}

struct mutex *inode_write_lock(struct inode *i)
{
	return &write_locks[i->ino % ARRAY_SIZE(write_locks)];
}

uint64_t *pages_slot(struct inode *i, uint64_t index)
{
	uint64_t c = index / CHUNK_PAGES;

	if (c >= i->u.file.n_chunks || !i->u.file.chunks[c])
		return NULL;
	return &i->u.file.chunks[c][index % CHUNK_PAGES];
}

uint64_t *pages_slot_make(struct inode *i, uint64_t index)
{
	uint64_t c = index / CHUNK_PAGES;
	uint64_t **chunks;

	if (c >= i->u.file.n_chunks) {
		uint64_t want =
			(i->size + GW_PAGE_SIZE * CHUNK_PAGES - 1) / (GW_PAGE_SIZE * CHUNK_PAGES);

		/* Exact for files of known size, doubling for growing ones. */
		want = GW_MAX(c + 1, GW_MIN(want, c + 64));
		if (i->u.file.n_chunks && want < 2ull * i->u.file.n_chunks)
			want = 2ull * i->u.file.n_chunks;
		chunks = mem_resize(i->u.file.chunks, i->u.file.n_chunks * sizeof(*chunks),
				    (size_t)want * sizeof(*chunks));
		if (!chunks)
			return NULL;
		memset(chunks + i->u.file.n_chunks, 0,
		       (size_t)(want - i->u.file.n_chunks) * sizeof(*chunks));
		i->u.file.chunks = chunks;
		i->u.file.n_chunks = (uint32_t)want;
	}
	if (!i->u.file.chunks[c]) {
		i->u.file.chunks[c] = mem_zalloc(CHUNK_PAGES * sizeof(uint64_t));
		if (!i->u.file.chunks[c])
			return NULL;
	}
	return &i->u.file.chunks[c][index % CHUNK_PAGES];
}

bool pages_in_image(const struct inode *i, uint64_t index)
{
	return index * GW_PAGE_SIZE < i->u.file.image_len;
}

void pages_slot_clear(struct inode *i, uint64_t *s)
{
	if (*s & PG_CLEAN)
		i->u.file.n_clean--;
	if (PG_FRAME(*s))
		page_put(PG_FRAME(*s));
	*s = 0;
}

/* Zeros of the file's own at index; the slot exists. */
int pages_slot_zero(uint64_t *s)
{
	uint64_t pa = page_alloc_zero();

	if (!pa)
		return -ENOMEM;
	*s = pa | PG_OWN | PG_REF;
	return 0;
}

/* ---- reading from the image ---- */
uint64_t pages_reserve(void)
{
	uint64_t n = mem_total_pages() / 32;

	return GW_MIN(GW_MAX(n, 24), 1024);
}

static uint32_t read_window(void)
{
	uint64_t free = mem_free_pages(), total = mem_total_pages();

	return free > total / 4 ? READ_MAX : free > total / 8 ? 16 : free > total / 16 ? 8 : 4;
}

/* The run of pages around index that are in the image and not here, within an aligned window: all
 * in one chunk. */
static uint32_t absent_run(const struct inode *i, uint64_t index, uint32_t window, uint64_t *first)
{
	uint64_t start = ROUND_DOWN(index, (uint64_t)window), c = index / CHUNK_PAGES;
	uint64_t end =
		GW_MIN(start + window, (i->u.file.image_len + GW_PAGE_SIZE - 1) / GW_PAGE_SIZE);
	const uint64_t *chunk = c < i->u.file.n_chunks ? i->u.file.chunks[c] : NULL;
	uint64_t lo = index, hi = index + 1;

	if (!chunk) {
		*first = start;
		return (uint32_t)(end - start);
	}
	while (lo > start && !chunk[(lo - 1) % CHUNK_PAGES])
		lo--;
	while (hi < end && !chunk[hi % CHUNK_PAGES])
		hi++;
	*first = lo;
	return (uint32_t)(hi - lo);
}

/* Frames to read into: one contiguous run if there is one, which costs one descriptor; else singly.
 * How many. */
static uint32_t find_frames(uint64_t *frames, uint32_t n)
{
	uint64_t pa;
	uint32_t have = 0;

	if (mem_free_pages() < pages_reserve() + n)
		pages_reclaim(2 * n, true);
	pa = n > 1 ? pages_alloc(n, 1) : 0;
	for (; pa && have < n; have++)
		frames[have] = pa + have * GW_PAGE_SIZE;
	for (; have < n; have++) {
		frames[have] = page_alloc();
		if (!frames[have])
			break;
	}
	return have;
}

/* Read n image pages from first into frames and put them in their slots. inode.lock held. */
static int read_run(struct inode *i, uint64_t first, uint32_t n, const uint64_t *frames)
{
	struct blk_segment seg[READ_MAX];
	uint64_t at = first * GW_PAGE_SIZE,
		 left = GW_MIN(i->u.file.image_len - at, n * GW_PAGE_SIZE);
	uint64_t *slots = pages_slot_make(i, first); /* and those behind it: one chunk */
	uint32_t n_seg = 0, tail = (uint32_t)(left % GW_PAGE_SIZE);
	int r;

	if (!slots)
		return -ENOMEM;
	seg[0] = (struct blk_segment){ frames[0], (uint32_t)GW_PAGE_SIZE };
	for (uint32_t k = 1; k < n; k++) {
		if (frames[k] == frames[k - 1] + GW_PAGE_SIZE)
			seg[n_seg].len += (uint32_t)GW_PAGE_SIZE;
		else
			seg[++n_seg] = (struct blk_segment){ frames[k], (uint32_t)GW_PAGE_SIZE };
	}
	n_seg++;
	if (tail)
		seg[n_seg - 1].len -= (uint32_t)GW_PAGE_SIZE - ROUND_UP(tail, 512u);
	r = blkdev_read(root_image.dev, i->u.file.image_off + at, seg, n_seg);
	if (r)
		return r;
	if (tail) /* what follows the file is zeros, whatever the disk has */
		memset((char *)pa_to_va(frames[n - 1]) + tail, 0, GW_PAGE_SIZE - tail);
	for (uint32_t k = 0; k < n; k++)
		slots[k] = frames[k] | PG_CLEAN;
	i->u.file.n_clean += n;
	linux_stats.page_ins += n;
	if (list_empty(&i->u.file.cached)) {
		spin_lock(&pages_cache.lock);
		list_add_tail(&pages_cache.inodes, &i->u.file.cached);
		spin_unlock(&pages_cache.lock);
	}
	return 0;
}

/* Bring in page index. inode.lock is held, and given up while frames are found: the caller must
 * look again. */
static int page_in(struct inode *i, uint64_t index)
{
	uint64_t frames[READ_MAX], first;
	uint32_t window = read_window(), n = absent_run(i, index, window, &first), have, used = 0;
	uint64_t *s;
	int r = 0;

	/* Frames first, without the lock, so that reclaim may take this file's own pages. */
	mutex_unlock(&i->lock);
	have = find_frames(frames, n);
	mutex_lock(&i->lock);
	s = pages_slot(i, index);
	if (!have) {
		r = -ENOMEM;
	} else if ((!s || !*s) && pages_in_image(i, index)) { /* nobody else brought it meanwhile */
		n = absent_run(i, index, window, &first);
		if (have < n) {
			first = GW_MAX(first, GW_MIN(index, first + n - have));
			n = have;
		}
		r = read_run(i, first, n, frames);
		used = r ? 0 : n;
	}
	while (have > used)
		page_put(frames[--have]);
	return r;
}

/* ---- pages for others ---- */
/* The slot of page index holding a frame; inode.lock held. A hole becomes a page of zeros if make,
 * else *out is NULL. */
int pages_slot_get(struct inode *i, uint64_t index, bool make, bool may_park, uint64_t **out)
{
	uint64_t *s;
	int r;

	for (;;) {
		s = pages_slot(i, index);
		if (s && PG_FRAME(*s))
			break;
		if ((s && *s & PG_HOLE) || !pages_in_image(i, index)) {
			if (!make) {
				*out = NULL;
				return 0;
			}
			s = pages_slot_make(i, index);
			r = s ? pages_slot_zero(s) : -ENOMEM;
			if (r)
				return r;
			break;
		}
		if (!may_park)
			return -EAGAIN;
		r = page_in(i, index);
		if (r)
			return r;
	}
	*s |= PG_REF;
	*out = s;
	return 0;
}

void pages_slot_own(struct inode *i, uint64_t *s)
{
	if (*s & PG_CLEAN) {
		/* The frame is this file's copy already: it only stops being droppable. */
		*s = (*s & ~PG_CLEAN) | PG_OWN;
		i->u.file.n_clean--;
	}
}

static int lock_inode(struct inode *i, bool may_park)
{
	if (may_park)
		mutex_lock(&i->lock);
	else if (!mutex_trylock(&i->lock))
		return -EAGAIN;
	return 0;
}

static int pages_get(struct inode *i, uint64_t index, uint32_t max, bool write, bool may_park,
		     uint64_t *pas, uint32_t *n)
{
	uint64_t *s;
	int r;

	if (!S_ISREG(i->mode) || i->synth)
		return -ENXIO;
	r = lock_inode(i, may_park);
	if (r)
		return r;
	r = index * GW_PAGE_SIZE >= i->size ? -ENXIO : pages_slot_get(i, index, true, may_park, &s);
	if (!r) {
		if (write)
			pages_slot_own(i, s);
		pas[0] = PG_FRAME(*s);
		page_get(pas[0]);
		for (*n = 1; *n < max; (*n)++) {
			s = pages_slot(i, index + *n);
			if (!s || !PG_FRAME(*s) || (index + *n) * GW_PAGE_SIZE >= i->size)
				break;
			pas[*n] = PG_FRAME(*s);
			page_get(pas[*n]);
		}
	}
	mutex_unlock(&i->lock);
	return r;
}

int inode_page(struct inode *i, uint64_t index, bool write, bool may_park, uint64_t *pa)
{
	uint32_t n;

	return pages_get(i, index, 1, write, may_park, pa, &n);
}

int inode_pages(struct inode *i, uint64_t index, uint32_t max, bool may_park, uint64_t *pas,
		uint32_t *n)
{
	return pages_get(i, index, max, false, may_park, pas, n);
}

void pages_drop_slots(struct inode *i, uint64_t from, uint64_t to)
{
	uint64_t end = GW_MIN(to, (uint64_t)i->u.file.n_chunks * CHUNK_PAGES);

	for (uint64_t k = from; k < end; k++) {
		uint64_t *s = pages_slot(i, k);

		if (!s)
			k |= CHUNK_PAGES - 1;
		else if (*s)
			pages_slot_clear(i, s);
	}
}

void pages_free_inode(struct inode *i)
{
	spin_lock(&pages_cache.lock);
	list_del(&i->u.file.cached);
	spin_unlock(&pages_cache.lock);
	pages_drop_slots(i, 0, ~0ull);
	for (uint32_t c = 0; c < i->u.file.n_chunks; c++)
		if (i->u.file.chunks[c])
			mem_free(i->u.file.chunks[c], CHUNK_PAGES * sizeof(uint64_t));
	if (i->u.file.chunks)
		mem_free(i->u.file.chunks, i->u.file.n_chunks * sizeof(uint64_t *));
}
