/* SPDX-License-Identifier: Apache-2.0 */
/* reclaim.c - taking clean pages back when memory is short: a clock over the files that have some.
 */
#include "linux/files/pages_internal.h"

bool (*vfs_unmap_page)(struct inode *i, uint64_t index, uint64_t pa);

#define THRASH_TURNS 400u
/* One turn of the clock's hand over a file, until want pages are free. inode.lock held. */
static size_t evict(struct inode *i, size_t want)
{
	uint32_t total = i->u.file.n_chunks * CHUNK_PAGES;
	size_t freed = 0;

	for (uint32_t k = 0; k < total && freed < want && i->u.file.n_clean; k++) {
		uint32_t index = i->u.file.hand;
		uint64_t *s = pages_slot(i, index), pa;

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
		pages_slot_clear(i, s);
		freed++;
	}
	linux_stats.evictions += freed;
	return freed;
}

/* The next file of the clock, with a reference; NULL: none. */
static struct inode *next_cached(void)
{
	struct inode *i = NULL;

	spin_lock(&pages_cache.lock);
	list_for_each_safe(n, &pages_cache.inodes)
	{
		struct inode *c = list_entry(n, struct inode, u.file.cached);
		uint32_t refs = c->refs;

		list_del(n);
		list_add_tail(&pages_cache.inodes, n);
		while (refs && !atomic_compare_exchange_weak(&c->refs, &refs, refs + 1))
			;
		if (refs) { /* 0: it is being freed */
			i = c;
			break;
		}
	}
	spin_unlock(&pages_cache.lock);
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
	spin_lock(&pages_cache.lock);
	list_for_each (node, &pages_cache.inodes) {
		clean += list_entry(node, struct inode, u.file.cached)->u.file.n_clean;
		n++;
	}
	spin_unlock(&pages_cache.lock);
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
