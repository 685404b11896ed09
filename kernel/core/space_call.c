/* SPDX-License-Identifier: Apache-2.0 */
/* space_call.c - the calls about address spaces. The batch lies in the caller's
 * vcore area, where other vcores may change it at any time. So all entries are checked first, and
 * each is read again, once, and that copy checked again, when it is applied. */
#include "kernel/core/call.h"

#include "kernel/core/arch.h"
#include "kernel/core/schedule.h"

/* Every call has four arguments, whether it looks at them or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#define MAP_FLAGS (GW_MAP_W | GW_MAP_X | GW_MAP_NONE | GW_MAP_LARGE)

static bool program_range(uint64_t va, uint64_t len)
{
	return va % PAGE_SIZE == 0 && len % PAGE_SIZE == 0 && len != 0 && va >= GW_PROGRAM_BASE &&
	       va < GW_PROGRAM_END && len <= GW_PROGRAM_END - va;
}

static int check_entry(const struct partition *p, const struct gw_map *m, bool map)
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
	return partition_owns(p, m->pa, m->len) ? 0 : -EPERM;
}

static struct gw_map read_entry(const struct gw_vcore *v, uint64_t i)
{
	const volatile struct gw_map *m = &v->batch.maps[i];

	return (struct gw_map){ .va = m->va, .pa = m->pa, .len = m->len, .flags = m->flags };
}

static struct space *current(const struct vcore *v)
{
	return &v->part->spaces[v->space];
}

static int apply_entry(struct space *s, const struct gw_map *m, bool map, struct gather *g)
{
	uint64_t bits = space_bits(m->flags);

	if (map)
		return space_map_own(s, m->va, m->pa, m->len, bits, (m->flags & GW_MAP_LARGE) != 0,
				     g);
	return space_protect(s, m->va, m->len, bits & PTE_PROT, g);
}

/* What is done of a long call at a time on a shared core. */
#define PIECE_BYTES (32 * PAGE_SIZE)
#define PIECE_ENTRIES 8u
#define PIECE_SCAN 8u
#define PIECE_CLEAR 64u

/* Cut m to its next piece, from `done` bytes on. Returns false when nothing is left. */
static bool next_piece(struct gw_map *m, uint64_t done)
{
	uint64_t piece = m->flags & GW_MAP_LARGE ? LARGE_SIZE : PIECE_BYTES;

	if (done >= m->len)
		return false;
	m->va += done;
	m->pa += done;
	m->len = min_u64(m->len - done, piece);
	return true;
}

/* Apply the entries on a shared core, piece by piece: between two of them the call may be put
 * aside. Progress: (entry + 1) << 48 | pages done of it. The space lock is free then. */
static long apply_pieces(struct vcore *v, uint64_t n, bool map)
{
	uint64_t number = map ? GW_CALL_SPACE_MAP : GW_CALL_SPACE_PROTECT;
	uint64_t progress = call_progress(v, number, n), i, pages;
	struct gather g;
	struct gw_map m;
	long rc = 0;

	for (i = 0; progress == 0 && i < n; i++) {
		m = read_entry(v->area, i);
		rc = check_entry(v->part, &m, map);
		if (rc != 0)
			return rc;
		if (i % PIECE_ENTRIES == 0 && schedule_due(v)) {
			call_again(v, number, n, 0);
			return 0;
		}
	}
	i = progress != 0 ? (progress >> 48) - 1 : 0;
	pages = progress & ((1ULL << 48) - 1);
	while (i < n) {
		if (schedule_due(v)) {
			call_again(v, number, n, (i + 1) << 48 | pages);
			return 0;
		}
		m = read_entry(v->area, i);
		rc = check_entry(v->part, &m, map);
		if (rc != 0)
			break;
		if (!next_piece(&m, pages * PAGE_SIZE)) {
			i++;
			pages = 0;
			continue;
		}
		g.n = 0;
		arch_lock(&v->part->space_lock, v);
		rc = apply_entry(current(v), &m, map, &g);
		if (g.n > 0)
			arch_flush(v, &g);
		arch_unlock(&v->part->space_lock);
		if (rc != 0)
			break;
		pages += m.len / PAGE_SIZE;
	}
	v->area->done = i;
	return rc;
}

static long apply_batch(uint64_t n, bool map)
{
	struct vcore *v = arch_vcore();
	struct gather g;
	struct gw_map m;
	long rc = 0;

	if (n < 1 || n > GW_BATCH_MAPS)
		return -EINVAL;
	if (v->core->shared)
		return apply_pieces(v, n, map);
	for (uint64_t i = 0; n > 1 && i < n; i++) {
		m = read_entry(v->area, i);
		rc = check_entry(v->part, &m, map);
		if (rc != 0)
			return rc;
	}
	g.n = 0; /* only: the array is as good as it comes */
	arch_lock(&v->part->space_lock, v);
	for (uint64_t i = 0; i < n; i++) {
		m = read_entry(v->area, i);
		rc = check_entry(v->part, &m, map);
		if (rc == 0)
			rc = apply_entry(current(v), &m, map, &g);
		v->area->done = i + (rc == 0);
		if (rc != 0)
			break;
	}
	if (g.n > 0)
		arch_flush(v, &g);
	arch_unlock(&v->part->space_lock);
	return rc;
}

long call_space_map(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	return apply_batch(n, true);
}

long call_space_protect(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	return apply_batch(n, false);
}

/* One piece of a scan, flushed. */
static int scan_some(struct vcore *v, uint64_t *va, uint64_t end, bool unmap, uint32_t from,
		     uint32_t max, uint32_t steps)
{
	struct gather g;
	int n;

	g.n = 0;
	arch_lock(&v->part->space_lock, v);
	n = space_scan(current(v), va, end, unmap, &v->area->batch.unmapped[from], max, steps, &g);
	if (g.n > 0)
		arch_flush(v, &g);
	arch_unlock(&v->part->space_lock);
	return n;
}

/* On a shared core the call returns early when its time is up: the caller goes on from next_va. */
static long scan(uint64_t va, uint64_t len, bool unmap)
{
	struct vcore *v = arch_vcore();
	uint64_t end = va + len;
	uint32_t n = 0;
	int rc;

	if (!program_range(va, len))
		return -EINVAL;
	if (!v->core->shared) {
		rc = scan_some(v, &va, end, unmap, 0, GW_BATCH_UNMAPS, ~0u);
		v->area->next_va = va;
		return rc;
	}
	do {
		uint32_t max = (uint32_t)min_u64(GW_BATCH_UNMAPS - n, PIECE_SCAN);

		rc = scan_some(v, &va, end, unmap, n, max, PIECE_SCAN);
		n += rc > 0 ? (uint32_t)rc : 0;
	} while (rc >= 0 && va < end && n < GW_BATCH_UNMAPS && !schedule_due(v));
	v->area->next_va = va;
	return rc < 0 && n == 0 ? rc : (long)n;
}

long call_space_unmap(uint64_t va, uint64_t len, uint64_t c, uint64_t d)
{
	return scan(va, len, true);
}

long call_space_query(uint64_t va, uint64_t len, uint64_t c, uint64_t d)
{
	return scan(va, len, false);
}

long call_space_create(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	struct space *spaces = v->part->spaces;
	long rc = -ENOSPC;

	arch_lock(&v->part->space_lock, v);
	for (uint32_t i = 1; i < GW_MAX_SPACES; i++) {
		if (spaces[i].root != 0)
			continue;
		rc = space_fork(&spaces[i], &spaces[0]);
		rc = rc == 0 ? (long)i : rc;
		break;
	}
	arch_unlock(&v->part->space_lock);
	return rc;
}

static bool exists(const struct partition *p, uint64_t n)
{
	return n < GW_MAX_SPACES && p->spaces[n].root != 0;
}

long call_space_switch(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	struct partition *p = v->part;
	long rc = 0;

	arch_lock(&v->part->space_lock, v);
	if (!exists(p, n) || p->spaces[n].dying) {
		rc = -EINVAL;
	} else if (n != v->space) {
		v->space = (uint32_t)n;
		arch_space_enter(p->spaces[n].root);
	}
	arch_unlock(&v->part->space_lock);
	return rc;
}

static long destroy(struct partition *p, uint64_t n, uint32_t steps)
{
	if (!exists(p, n))
		return -EINVAL;
	if (n == 0)
		return -EBUSY;
	for (uint32_t i = 0; i < p->n_vcores; i++)
		if (p->vcores[i]->space == n)
			return -EBUSY;
	p->spaces[n].dying = true;
	return space_clear(&p->spaces[n], steps) ? 0 : -EAGAIN;
}

long call_space_destroy(uint64_t n, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	long rc;

	arch_lock(&v->part->space_lock, v);
	rc = destroy(v->part, n, v->core->shared ? PIECE_CLEAR : SPACE_CLEAR_STEPS);
	arch_unlock(&v->part->space_lock);
	return rc;
}
