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
#include "linux/files/files_internal.h"
#include "linux/memory/mm.h"
#include "runtime/virtio/blkdev.h"

#define PG_CLEAN 1ull
#define PG_OWN 2ull
#define PG_HOLE 4ull
#define PG_REF 8ull /* used since the clock hand passed */
#define PG_FRAME(e) ((e) & ~0xfffull)
#define READ_MAX CHUNK_PAGES /* a run lies in one chunk */

bool (*vfs_unmap_page)(struct inode *i, uint64_t index, uint64_t pa);

static struct {
	struct spinlock lock;
	struct list_node inodes; /* that have clean pages */
} cache;
static struct mutex write_locks[8];

int pages_init(void)
{
	list_init(&cache.inodes);
	for (size_t k = 0; k < ARRAY_SIZE(write_locks); k++)
		mutex_init(&write_locks[k]);
	mem_add_reclaim(pages_reclaim);
	return 0;
}

struct mutex *inode_write_lock(struct inode *i)
{
	return &write_locks[i->ino % ARRAY_SIZE(write_locks)];
}

static uint64_t *slot_find(struct inode *i, uint64_t index)
{
	uint64_t c = index / CHUNK_PAGES;

	if (c >= i->u.file.n_chunks || !i->u.file.chunks[c])
		return NULL;
	return &i->u.file.chunks[c][index % CHUNK_PAGES];
}

static uint64_t *slot_make(struct inode *i, uint64_t index)
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

static bool in_image(const struct inode *i, uint64_t index)
{
	return index * GW_PAGE_SIZE < i->u.file.image_len;
}

static void slot_clear(struct inode *i, uint64_t *s)
{
	if (*s & PG_CLEAN)
		i->u.file.n_clean--;
	if (PG_FRAME(*s))
		page_put(PG_FRAME(*s));
	*s = 0;
}

/* Zeros of the file's own at index; the slot exists. */
static int slot_zero(uint64_t *s)
{
	uint64_t pa = page_alloc_zero();

	if (!pa)
		return -ENOMEM;
	*s = pa | PG_OWN | PG_REF;
	return 0;
}

/* ---- reading from the image ---- */
/* Frames that the cache leaves free: stacks and page tables need some at once, and contiguous ones.
 */
static uint64_t reserve(void)
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

	if (mem_free_pages() < reserve() + n)
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
	uint64_t *slots = slot_make(i, first); /* and those behind it: one chunk */
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
		spin_lock(&cache.lock);
		list_add_tail(&cache.inodes, &i->u.file.cached);
		spin_unlock(&cache.lock);
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
	s = slot_find(i, index);
	if (!have) {
		r = -ENOMEM;
	} else if ((!s || !*s) && in_image(i, index)) { /* nobody else brought it meanwhile */
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
static int slot_get(struct inode *i, uint64_t index, bool make, bool may_park, uint64_t **out)
{
	uint64_t *s;
	int r;

	for (;;) {
		s = slot_find(i, index);
		if (s && PG_FRAME(*s))
			break;
		if ((s && *s & PG_HOLE) || !in_image(i, index)) {
			if (!make) {
				*out = NULL;
				return 0;
			}
			s = slot_make(i, index);
			r = s ? slot_zero(s) : -ENOMEM;
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

static void slot_own(struct inode *i, uint64_t *s)
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
	r = index * GW_PAGE_SIZE >= i->size ? -ENXIO : slot_get(i, index, true, may_park, &s);
	if (!r) {
		if (write)
			slot_own(i, s);
		pas[0] = PG_FRAME(*s);
		page_get(pas[0]);
		for (*n = 1; *n < max; (*n)++) {
			s = slot_find(i, index + *n);
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

/* ---- read and write ---- */
long inode_read_uio(struct inode *i, struct uio *u, uint64_t off)
{
	long done = 0;

	while (u->left) {
		uint64_t pa = 0, size, *s;
		size_t n, in = off % GW_PAGE_SIZE, before = u->left;
		int r;

		mutex_lock(&i->lock);
		size = i->size;
		r = off < size ? slot_get(i, off / GW_PAGE_SIZE, false, true, &s) : -ENXIO;
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
	uint64_t keep = reserve();

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
	s = slot_find(i, index);
	if ((!s || !PG_FRAME(*s)) && !room_for_data()) {
		r = -ENOSPC;
	} else if (whole &&
		   (!s ||
		    !PG_FRAME(*s))) { /* nothing of the image's page will be left: do not read it */
		s = slot_make(i, index);
		r = s ? slot_zero(s) : -ENOMEM;
	} else {
		r = slot_get(i, index, true, true, &s);
	}
	if (!r) {
		slot_own(i, s);
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

/* ---- size and holes ---- */
/* Zero bytes [from, to) of one page if it is here. */
static void zero_part(struct inode *i, uint64_t from, uint64_t to)
{
	uint64_t *s = slot_find(i, from / GW_PAGE_SIZE);

	if (s && PG_FRAME(*s))
		memset((char *)pa_to_va(PG_FRAME(*s)) + from % GW_PAGE_SIZE, 0, to - from);
}

static void drop_slots(struct inode *i, uint64_t from, uint64_t to)
{
	uint64_t end = GW_MIN(to, (uint64_t)i->u.file.n_chunks * CHUNK_PAGES);

	for (uint64_t k = from; k < end; k++) {
		uint64_t *s = slot_find(i, k);

		if (!s)
			k |= CHUNK_PAGES - 1;
		else if (*s)
			slot_clear(i, s);
	}
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
		drop_slots(i, whole / GW_PAGE_SIZE, ~0ull);
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

		s = slot_find(i, off / GW_PAGE_SIZE);
		if ((!s || !*s) && !in_image(i, off / GW_PAGE_SIZE)) {
			off = stop;
			continue;
		}
		first = off / GW_PAGE_SIZE;
		if (stop - off < GW_PAGE_SIZE) {
			r = slot_get(i, first, true, true, &s);
			if (!r) {
				slot_own(i, s);
				zero_part(i, off, stop);
			}
		} else if (s && PG_FRAME(*s) &&
			   page_of(PG_FRAME(*s))->refs > 1) { /* mapped: keep the frame */
			slot_own(i, s);
			zero_part(i, off, stop);
		} else if ((s = slot_make(i, first))) {
			slot_clear(i, s);
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
		uint64_t *s = slot_find(i, at / GW_PAGE_SIZE);
		bool data = (s && PG_FRAME(*s)) || ((!s || !*s) && in_image(i, at / GW_PAGE_SIZE));

		if (data != hole) {
			r = (int64_t)at;
			break;
		}
		if (!s && !in_image(i, at / GW_PAGE_SIZE)) /* a whole chunk of nothing */
			at |= GW_PAGE_SIZE * CHUNK_PAGES - 1;
	}
	if (r < 0 && hole && off < i->size)
		r = (int64_t)i->size;
	mutex_unlock(&i->lock);
	return r;
}

void pages_free_inode(struct inode *i)
{
	spin_lock(&cache.lock);
	list_del(&i->u.file.cached);
	spin_unlock(&cache.lock);
	drop_slots(i, 0, ~0ull);
	for (uint32_t c = 0; c < i->u.file.n_chunks; c++)
		if (i->u.file.chunks[c])
			mem_free(i->u.file.chunks[c], CHUNK_PAGES * sizeof(uint64_t));
	if (i->u.file.chunks)
		mem_free(i->u.file.chunks, i->u.file.n_chunks * sizeof(uint64_t *));
}

/* ---- reclaim ---- */
#define THRASH_TURNS 400u
/* One turn of the clock's hand over a file, until want pages are free. inode.lock held. */
static size_t evict(struct inode *i, size_t want)
{
	uint32_t total = i->u.file.n_chunks * CHUNK_PAGES;
	size_t freed = 0;

	for (uint32_t k = 0; k < total && freed < want && i->u.file.n_clean; k++) {
		uint32_t index = i->u.file.hand;
		uint64_t *s = slot_find(i, index), pa;

		i->u.file.hand = index + 1 < total ? index + 1 : 0;
		if (!s || !(*s & PG_CLEAN))
			continue;
		if (*s & PG_REF) {
			*s &= ~PG_REF;
			continue;
		}
		pa = PG_FRAME(*s);
		if (page_of(pa)->refs > 1 && (!vfs_unmap_page || !vfs_unmap_page(i, index, pa)))
			continue;
		if (page_of(pa)->refs != 1)
			continue; /* a copy is going on */
		slot_clear(i, s);
		freed++;
	}
	linux_stats.evictions += freed;
	return freed;
}

/* The next file of the clock, with a reference; NULL: none. */
static struct inode *next_cached(void)
{
	struct inode *i = NULL;

	spin_lock(&cache.lock);
	list_for_each_safe(n, &cache.inodes)
	{
		struct inode *c = list_entry(n, struct inode, u.file.cached);
		uint32_t refs = c->refs;

		list_del(n);
		list_add_tail(&cache.inodes, n);
		while (refs && !atomic_compare_exchange_weak(&c->refs, &refs, refs + 1))
			;
		if (refs) { /* 0: it is being freed */
			i = c;
			break;
		}
	}
	spin_unlock(&cache.lock);
	return i;
}

/* Does the machine do little but read the same pages again? So many evictions a second for each
 * page that the cache still holds mean that the program's working set does not fit: it would crawl
 * on for hours, so memory counts as out. */
static bool thrashes(size_t clean)
{
	static uint64_t since_ns, evictions;
	uint64_t now = clock_now();

	if (now - since_ns >= NS_PER_SEC) {
		since_ns = now;
		evictions = linux_stats.evictions;
	}
	return linux_stats.evictions - evictions > THRASH_TURNS * (clean + 16);
}

size_t pages_reclaim(size_t want, bool may_park)
{
	size_t freed = 0, n = 0, clean = 0;

	(void)may_park; /* never parks: a file that is busy is passed over */
	spin_lock(&cache.lock);
	list_for_each (node, &cache.inodes) {
		clean += list_entry(node, struct inode, u.file.cached)->u.file.n_clean;
		n++;
	}
	spin_unlock(&cache.lock);
	if (thrashes(clean))
		return 0;
	/* Three rounds: the first may only clear marks, the second those of the mappings. */
	for (size_t k = 0; k < 3 * n && freed < want; k++) {
		struct inode *i = next_cached();

		if (!i)
			break;
		if (mutex_trylock(&i->lock)) {
			freed += evict(i, want - freed);
			mutex_unlock(&i->lock);
		}
		inode_put(i);
	}
	return freed;
}
