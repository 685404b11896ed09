/* SPDX-License-Identifier: Apache-2.0 */
/* range.c - a sorted array of disjoint ranges; small enough that linear work is the fastest. */
#include "kernel/core/range.h"

static void delete_at(struct range_set *s, uint32_t i)
{
	s->n--;
	for (; i < s->n; i++)
		s->r[i] = s->r[i + 1];
}

static void insert_at(struct range_set *s, uint32_t i, uint64_t start, uint64_t end)
{
	for (uint32_t j = s->n; j > i; j--)
		s->r[j] = s->r[j - 1];
	s->r[i] = (struct range){ start, end };
	s->n++;
}

int range_add(struct range_set *s, uint64_t start, uint64_t end)
{
	uint32_t i = 0;

	if (start > UINT64_MAX - PAGE_SIZE)
		return 0;
	start = round_up(start, PAGE_SIZE);
	end = round_down(end, PAGE_SIZE);
	if (start >= end)
		return 0;
	while (i < s->n && s->r[i].end < start)
		i++;
	/* Those that it meets become part of it. */
	for (; i < s->n && s->r[i].start <= end; delete_at(s, i)) {
		start = min_u64(s->r[i].start, start);
		end = max_u64(s->r[i].end, end);
	}
	if (s->n == RANGE_MAX)
		return -ENOMEM;
	insert_at(s, i, start, end);
	return 0;
}

int range_remove(struct range_set *s, uint64_t start, uint64_t end)
{
	uint32_t i = 0;

	start = round_down(start, PAGE_SIZE);
	end = end > UINT64_MAX - PAGE_SIZE ? ~(PAGE_SIZE - 1) : round_up(end, PAGE_SIZE);
	while (i < s->n && s->r[i].start < end) {
		struct range r = s->r[i];

		if (r.end <= start) {
			i++;
			continue;
		}
		if (r.start < start && r.end > end && s->n == RANGE_MAX)
			return -ENOMEM;
		delete_at(s, i);
		if (r.start < start)
			insert_at(s, i++, r.start, start);
		if (r.end > end)
			insert_at(s, i++, end, r.end);
	}
	return 0;
}

uint64_t range_carve(struct range_set *s, uint64_t len, uint64_t min, uint64_t max)
{
	for (uint32_t i = 0; i < s->n; i++) {
		uint64_t start = max_u64(s->r[i].start, min);
		uint64_t end = min_u64(s->r[i].end, max);

		if (len == 0 || start >= end || end - start < len)
			continue;
		return range_remove(s, start, start + len) == 0 ? start : 0;
	}
	return 0;
}

uint64_t range_total(const struct range_set *s, uint64_t min)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < s->n; i++)
		if (s->r[i].end > min)
			total += s->r[i].end - max_u64(s->r[i].start, min);
	return total;
}
