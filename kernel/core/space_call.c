/* SPDX-License-Identifier: Apache-2.0 */
/* space_call.c - the calls about address spaces. The batch lies in the caller's
 * vcore area, where other vcores may change it at any time. So all entries are checked first, and
 * each is read again, once, and that copy checked again, when it is applied. */
#include "kernel/core/space_call.h"

#include "kernel/core/arch.h"

#define MAP_FLAGS (GW_MAP_W | GW_MAP_X | GW_MAP_NONE | GW_MAP_LARGE)

uint64_t space_bits(uint64_t flags)
{
	uint64_t bits = PTE_U;

	if (flags & GW_MAP_NONE)
		return bits | PTE_NONE | PTE_NX;
	return bits | PTE_P | (flags & GW_MAP_W ? PTE_W : 0) | (flags & GW_MAP_X ? 0 : PTE_NX);
}

/* Waiting with interrupts off: serve the flushes that the holder may be waiting for. */
static void space_lock(struct core *c)
{
	while (atomic_exchange_explicit(&partition.space_lock, 1, memory_order_acquire) != 0) {
		arch_flush_poll(c);
		arch_relax();
	}
}

static void space_unlock(void)
{
	atomic_store_explicit(&partition.space_lock, 0, memory_order_release);
}

static bool program_range(uint64_t va, uint64_t len)
{
	return va % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 && len != 0 && va >= GW_PROGRAM_BASE &&
	       va < GW_PROGRAM_END && len <= GW_PROGRAM_END - va;
}

static bool owned(uint64_t pa, uint64_t len)
{
	for (uint32_t i = 0; i < partition.n_extents; i++) {
		const struct gw_extent *e = &partition.extents[i];

		if (pa >= e->pa && pa - e->pa < e->len)
			return len <= e->len - (pa - e->pa);
	}
	return false;
}

static int check_entry(const struct gw_map *m, bool map)
{
	if (!program_range(m->va, m->len) || (m->flags & ~(uint64_t)MAP_FLAGS) != 0)
		return -EINVAL;
	if ((m->flags & GW_MAP_W) && (m->flags & GW_MAP_X))
		return -EPERM;
	if (!map)
		return 0;
	if (m->pa % PAGE_SIZE != 0)
		return -EINVAL;
	if ((m->flags & GW_MAP_LARGE) && (m->va | m->pa | m->len) % LARGE_SIZE != 0)
		return -EINVAL;
	return owned(m->pa, m->len) ? 0 : -EPERM;
}

static struct gw_map read_entry(const struct gw_vcore *v, uint64_t i)
{
	const volatile struct gw_map *m = &v->batch.maps[i];

	return (struct gw_map){ .va = m->va, .pa = m->pa, .len = m->len, .flags = m->flags };
}

static struct space *current(const struct core *c)
{
	return &partition.spaces[c->space];
}

static int apply_entry(struct space *s, const struct gw_map *m, bool map, struct gather *g)
{
	uint64_t bits = space_bits(m->flags);

	if (map)
		return space_map(s, m->va, m->pa, m->len, bits, (m->flags & GW_MAP_LARGE) != 0, g);
	return space_protect(s, m->va, m->len, bits & PTE_PROT, g);
}

static long apply_batch(uint64_t n, bool map)
{
	struct core *c = arch_core();
	struct gw_vcore *v = c->vcore;
	struct gather g;
	struct gw_map m;
	long rc = 0;

	if (n < 1 || n > GW_BATCH_MAPS)
		return -EINVAL;
	for (uint64_t i = 0; n > 1 && i < n; i++) {
		m = read_entry(v, i);
		rc = check_entry(&m, map);
		if (rc != 0)
			return rc;
	}
	g.n = 0; /* only: the array is as good as it comes */
	space_lock(c);
	for (uint64_t i = 0; i < n; i++) {
		m = read_entry(v, i);
		rc = check_entry(&m, map);
		if (rc == 0)
			rc = apply_entry(current(c), &m, map, &g);
		v->done = i + (rc == 0);
		if (rc != 0)
			break;
	}
	if (g.n > 0)
		arch_flush(c, &g);
	space_unlock();
	return rc;
}

long call_space_map(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b, (void)c, (void)d;
	return apply_batch(n, true);
}

long call_space_protect(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b, (void)c, (void)d;
	return apply_batch(n, false);
}

static long scan(uint64_t va, uint64_t len, bool unmap)
{
	struct core *c = arch_core();
	struct gather g;
	long rc;

	if (!program_range(va, len))
		return -EINVAL;
	len += va;
	g.n = 0;
	space_lock(c);
	rc = space_scan(current(c), &va, len, unmap, c->vcore->batch.unmapped, GW_BATCH_UNMAPS, &g);
	if (g.n > 0)
		arch_flush(c, &g);
	space_unlock();
	c->vcore->next_va = va;
	return rc;
}

long call_space_unmap(uint64_t va, uint64_t len, uint64_t c, uint64_t d)
{
	(void)c, (void)d;
	return scan(va, len, true);
}

long call_space_query(uint64_t va, uint64_t len, uint64_t c, uint64_t d)
{
	(void)c, (void)d;
	return scan(va, len, false);
}

long call_space_create(uint64_t a, uint64_t b, uint64_t d, uint64_t e)
{
	long rc = -ENOSPC;

	(void)a, (void)b, (void)d, (void)e;
	space_lock(arch_core());
	for (uint32_t i = 1; i < GW_MAX_SPACES; i++) {
		if (partition.spaces[i].root != 0)
			continue;
		rc = space_fork(&partition.spaces[i], &partition.spaces[0]);
		rc = rc == 0 ? (long)i : rc;
		break;
	}
	space_unlock();
	return rc;
}

static bool exists(uint64_t n)
{
	return n < GW_MAX_SPACES && partition.spaces[n].root != 0;
}

long call_space_switch(uint64_t n, uint64_t b, uint64_t d, uint64_t e)
{
	struct core *c = arch_core();
	long rc = 0;

	(void)b, (void)d, (void)e;
	space_lock(c);
	if (!exists(n) || partition.spaces[n].dying) {
		rc = -EINVAL;
	} else if (n != c->space) {
		c->space = (uint32_t)n;
		arch_space_enter(partition.spaces[n].root);
	}
	space_unlock();
	return rc;
}

static long destroy(uint64_t n)
{
	if (!exists(n))
		return -EINVAL;
	if (n == 0)
		return -EBUSY;
	for (uint32_t i = 0; i < partition.vcores; i++)
		if (cores[i]->space == n)
			return -EBUSY;
	partition.spaces[n].dying = true;
	return space_clear(&partition.spaces[n]) ? 0 : -EAGAIN;
}

long call_space_destroy(uint64_t n, uint64_t b, uint64_t d, uint64_t e)
{
	long rc;

	(void)b, (void)d, (void)e;
	space_lock(arch_core());
	rc = destroy(n);
	space_unlock();
	return rc;
}
