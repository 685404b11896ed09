/* SPDX-License-Identifier: Apache-2.0 */
/* areas.c - a sorted array of areas. See areas.h. A process has tens of areas, seldom thousands: a
 * binary search in one array and a memmove beat a tree of separately allocated nodes. */
#include "linux/memory/areas.h"
#include "linux/files/vfs.h"
#include "runtime/base/errno.h"
#include "runtime/base/str.h"
#include "runtime/mem/mem.h"

int areas_reserve(struct areas *s)
{
	uint32_t cap = s->cap < 32 ? 32 : s->cap * 2;
	struct area *v;

	if (s->n + 3 <= s->cap)
		return 0;
	v = s->v == NULL ? mem_alloc(cap * sizeof(*v))
			 : mem_resize(s->v, s->cap * sizeof(*v), cap * sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	s->v = v;
	s->cap = cap;
	return 0;
}

uint32_t areas_at(const struct areas *s, uint64_t va)
{
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (s->v[mid].end > va)
			hi = mid;
		else
			lo = mid + 1;
	}
	return lo;
}

struct area *areas_find(const struct areas *s, uint64_t va)
{
	uint32_t i = areas_at(s, va);

	return i < s->n && s->v[i].start <= va ? &s->v[i] : NULL;
}

static void open_slot(struct areas *s, uint32_t at)
{
	memmove(&s->v[at + 1], &s->v[at], (s->n - at) * sizeof(s->v[0]));
	s->n++;
}

static void close_slots(struct areas *s, uint32_t at, uint32_t n)
{
	memmove(&s->v[at], &s->v[at + n], (s->n - at - n) * sizeof(s->v[0]));
	s->n -= n;
}

/* Make va an edge if it lies inside an area. */
static void split(struct areas *s, uint64_t va)
{
	uint32_t i = areas_at(s, va);
	struct area *a = &s->v[i];

	if (i == s->n || a->start >= va)
		return;
	open_slot(s, i + 1);
	a[1] = a[0];
	a[1].start = va;
	a[0].end = va;
	if (a->inode != NULL) {
		a[1].offset += va - a->start;
		inode_get(a->inode);
	}
}

static bool alike(const struct area *a, const struct area *b)
{
	return a->end == b->start && a->flags == b->flags && a->inode == b->inode &&
	       (a->inode == NULL || a->offset + (a->end - a->start) == b->offset);
}

/* Merge area i with i + 1 if they are alike. */
static bool merge(struct areas *s, uint32_t i)
{
	struct area *a = &s->v[i];

	if (i + 1 >= s->n || !alike(a, a + 1))
		return false;
	a->end = a[1].end;
	if (a->inode != NULL)
		inode_put(a->inode);
	close_slots(s, i + 1, 1);
	return true;
}

void areas_insert(struct areas *s, struct area a)
{
	uint32_t i = areas_at(s, a.start);

	open_slot(s, i);
	s->v[i] = a;
	merge(s, i);
	if (i > 0)
		merge(s, i - 1);
}

void areas_remove(struct areas *s, uint64_t start, uint64_t end)
{
	uint32_t first, last;

	split(s, start);
	split(s, end);
	first = areas_at(s, start);
	for (last = first; last < s->n && s->v[last].start < end; last++) {
		if (s->v[last].inode != NULL)
			inode_put(s->v[last].inode);
	}
	close_slots(s, first, last - first);
}

void areas_change(struct areas *s, uint64_t start, uint64_t end, uint32_t keep, uint32_t set)
{
	uint32_t i;

	split(s, start);
	split(s, end);
	i = areas_at(s, start);
	for (uint32_t j = i; j < s->n && s->v[j].start < end; j++)
		s->v[j].flags = (s->v[j].flags & keep) | set;
	if (i > 0)
		i--;
	while (i < s->n && s->v[i].start <= end) {
		if (!merge(s, i))
			i++;
	}
}

bool areas_free(const struct areas *s, uint64_t start, uint64_t end)
{
	uint32_t i = areas_at(s, start);

	return i == s->n || s->v[i].start >= end;
}

bool areas_full(const struct areas *s, uint64_t start, uint64_t end)
{
	for (uint32_t i = areas_at(s, start); i < s->n && s->v[i].start <= start; i++) {
		start = s->v[i].end;
		if (start >= end)
			return true;
	}
	return false;
}

uint64_t areas_gap(const struct areas *s, uint64_t len, uint64_t align, uint64_t phase, uint64_t lo,
		   uint64_t hi)
{
	uint32_t i = areas_at(s, hi - 1);

	/* i: first area that ends at hi or above; the gap under hi ends where it starts, if that is
	 * lower. */
	if (i < s->n && s->v[i].start < hi)
		hi = s->v[i].start;
	for (;;) {
		uint64_t floor = i > 0 && s->v[i - 1].end > lo ? s->v[i - 1].end : lo;
		uint64_t at;

		if (hi >= floor && hi - floor >= len) {
			at = ROUND_DOWN(hi - len - phase, align) + phase;
			if (at >= floor && at <= hi - len)
				return at;
		}
		if (i == 0 || s->v[i - 1].start <= lo)
			return 0;
		hi = s->v[--i].start;
	}
}
