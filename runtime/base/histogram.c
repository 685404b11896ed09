/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c - everything of histogram.h that is not on the recording path: walking, percentiles,
 * moments, merging. Trusts its caller for the memory. Integers only, so that it runs in the guest.
 */
#include "runtime/base/errno.h"
#include "runtime/base/histogram.h"

__extension__ typedef unsigned __int128 u128;

int histogram_init(struct histogram *h, unsigned int digits, uint64_t *counts)
{
	if ((digits != 2 && digits != 3) || counts == NULL)
		return -EINVAL;
	*h = (struct histogram){ .counts = counts,
				 .n = HISTOGRAM_COUNTS(digits),
				 .half = digits == 2 ? 7 : 10,
				 .digits = (uint16_t)digits };
	histogram_reset(h);
	return 0;
}

void histogram_init_small(struct histogram *h, uint16_t half, uint64_t *counts, uint32_t n)
{
	*h = (struct histogram){ .counts = counts, .n = n, .half = half };
	histogram_reset(h);
}

void histogram_reset(struct histogram *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		h->counts[i] = 0;
	h->min = ~0ull;
	h->max = 0;
	h->over = 0;
}

uint64_t histogram_low(const struct histogram *h, uint32_t index)
{
	uint32_t doubling = index >> h->half;

	if (doubling <= 1)
		return index;
	return (uint64_t)(index - ((doubling - 1) << h->half)) << (doubling - 1);
}

uint64_t histogram_high(const struct histogram *h, uint32_t index)
{
	uint32_t doubling = index >> h->half;

	return histogram_low(h, index) + (doubling <= 1 ? 0 : (1ull << (doubling - 1)) - 1);
}

bool histogram_next(const struct histogram *h, struct histogram_iter *it)
{
	while (it->next < h->n && h->counts[it->next] == 0)
		it->next++;
	if (it->next >= h->n)
		return false;
	it->low = histogram_low(h, it->next);
	it->high = histogram_high(h, it->next);
	it->count = h->counts[it->next];
	it->sum += it->count;
	it->next++;
	return true;
}

static uint64_t middle(const struct histogram_iter *it)
{
	/* as HdrHistogram has it: a bucket of two values counts as the upper one */
	return it->low + (it->high - it->low + 1) / 2;
}

/* Makes min and max those of the buckets that hold something. */
static void find_bounds(struct histogram *h)
{
	h->min = ~0ull;
	h->max = 0;
	for (struct histogram_iter it = { 0 }; histogram_next(h, &it);) {
		h->min = GW_MIN(h->min, it.low);
		h->max = GW_MIN(it.high, HISTOGRAM_MAX);
	}
}

/* Counts value - interval, value - 2 * interval, ... down to interval, `times` each; all that share
 * a bucket in one step. */
static void record_missed(struct histogram *h, uint64_t value, uint64_t interval, uint64_t times)
{
	while (interval != 0 && value / 2 >= interval) {
		uint64_t missed = value - interval;
		uint64_t low = histogram_low(h, histogram_index(h, missed));
		uint64_t n = (missed - GW_MAX(low, interval)) / interval + 1;

		histogram_record_n(h, missed, n * times);
		value = missed - (n - 1) * interval;
		h->min = GW_MIN(h->min, value);
	}
}

void histogram_record_corrected(struct histogram *h, uint64_t value, uint64_t interval)
{
	histogram_record(h, value);
	record_missed(h, GW_MIN(value, HISTOGRAM_MAX), interval, 1);
}

void histogram_add_corrected(struct histogram *h, const struct histogram *src, uint64_t interval)
{
	for (struct histogram_iter it = { 0 }; histogram_next(src, &it);) {
		uint64_t value = GW_MIN(GW_MAX(middle(&it), src->min), src->max);

		histogram_record_n(h, value, it.count);
		record_missed(h, value, interval, it.count);
	}
}

void histogram_merge(struct histogram *h, const struct histogram *src)
{
	if (h->digits == src->digits) {
		for (uint32_t i = 0; i < h->n; i++)
			h->counts[i] += src->counts[i];
	} else {
		for (struct histogram_iter it = { 0 }; histogram_next(src, &it);)
			h->counts[histogram_index(h, GW_MIN(middle(&it), src->max))] += it.count;
	}
	h->min = GW_MIN(h->min, src->min);
	h->max = GW_MAX(h->max, src->max);
	h->over += src->over;
}

int histogram_subtract(struct histogram *h, const struct histogram *src)
{
	if (h->digits != src->digits)
		return -EINVAL;
	for (uint32_t i = 0; i < h->n; i++) {
		if (h->counts[i] < src->counts[i])
			return -ERANGE;
	}
	for (uint32_t i = 0; i < h->n; i++)
		h->counts[i] -= src->counts[i];
	h->over -= GW_MIN(h->over, src->over);
	find_bounds(h);
	return 0;
}

int histogram_snapshot(struct histogram *h, const struct histogram *src)
{
	uint64_t min, max;

	if (h->digits != src->digits)
		return -EINVAL;
	for (uint32_t i = 0; i < h->n; i++)
		h->counts[i] = __atomic_load_n(&src->counts[i], __ATOMIC_RELAXED);
	h->over = __atomic_load_n(&src->over, __ATOMIC_RELAXED);
	min = __atomic_load_n(&src->min, __ATOMIC_RELAXED);
	max = __atomic_load_n(&src->max, __ATOMIC_RELAXED);
	/* A bound of a value whose count was not copied must not stay. */
	find_bounds(h);
	if (h->max != 0 || h->min == 0) {
		h->min = min > h->min && histogram_index(h, min) == histogram_index(h, h->min)
				 ? min
				 : h->min;
		h->max = max < h->max && histogram_index(h, max) == histogram_index(h, h->max)
				 ? max
				 : h->max;
	}
	return 0;
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < h->n; i++)
		sum += h->counts[i];
	return sum;
}

uint64_t histogram_min(const struct histogram *h)
{
	return h->min == ~0ull ? 0 : h->min;
}

uint64_t histogram_max(const struct histogram *h)
{
	return h->max;
}

uint64_t histogram_mean(const struct histogram *h)
{
	u128 sum = 0;
	uint64_t count = 0;

	for (struct histogram_iter it = { 0 }; histogram_next(h, &it);) {
		sum += (u128)middle(&it) * it.count;
		count += it.count;
	}
	return count == 0 ? 0 : (uint64_t)((sum + count / 2) / count);
}

static uint64_t square_root(u128 v)
{
	uint64_t root = 0;

	for (uint64_t bit = 1ull << 63; bit != 0; bit >>= 1) {
		uint64_t tried = root | bit;

		if ((u128)tried * tried <= v)
			root = tried;
	}
	return root;
}

uint64_t histogram_stddev(const struct histogram *h)
{
	uint64_t mean = histogram_mean(h), count = 0;
	u128 sum = 0; /* distances below 2^42, so this holds for 2^44 extreme values */

	for (struct histogram_iter it = { 0 }; histogram_next(h, &it);) {
		uint64_t v = middle(&it), off = v > mean ? v - mean : mean - v;

		sum += (u128)off * off * it.count;
		count += it.count;
	}
	return count == 0 ? 0 : square_root(sum / count);
}

uint64_t histogram_at(const struct histogram *h, uint64_t ppb)
{
	u128 product = (u128)histogram_count(h) * GW_MIN(ppb, NS_PER_SEC);
	uint64_t rank = (uint64_t)((product + NS_PER_SEC - 1) / NS_PER_SEC);

	for (struct histogram_iter it = { 0 }; histogram_next(h, &it);) {
		if (it.sum >= rank)
			return GW_MIN(it.high, h->max);
	}
	return 0;
}

uint64_t histogram_count_to(const struct histogram *h, uint64_t value)
{
	uint32_t last = histogram_index(h, GW_MIN(value, HISTOGRAM_MAX));
	uint64_t sum = 0;

	for (uint32_t i = 0; i <= last; i++)
		sum += h->counts[i];
	return sum;
}
