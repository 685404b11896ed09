/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h - latencies from 1 ns to an hour in fixed memory, with the bucket layout of
 *HdrHistogram (hdrhistogram.org): the first 2^(h+1) values have a bucket each, then every doubling
 *of the value has 2^h buckets, so that a value's bucket is at most 1/100 (2 digits, h = 7) or
 *1/1000 (3 digits, h = 10) of the value wide.
 *
 *	value   0 .. 2^(h+1)-1     | 2^(h+1) .. 2^(h+2)-1 | 2^(h+2) .. 2^(h+3)-1 | ...
 *	width   1                  | 2                    | 4                    | ...
 *	counts  [0 .. 2^(h+1)-1]   | [2*2^h .. 3*2^h-1]   | [3*2^h .. 4*2^h-1]   | ...
 *
 * The caller gives the memory; nothing here allocates, locks or uses floating point. One writer at
 *a time records; anyone may take a histogram_snapshot of it meanwhile. All other functions want a
 *histogram that does not change.
 */
#ifndef GODWIT_RUNTIME_HISTOGRAM_H
#define GODWIT_RUNTIME_HISTOGRAM_H

#include "runtime/base/base.h"

#define HISTOGRAM_MAX 3600000000000ull /* an hour in ns; what is larger counts as this much */
/* Entries of counts that an hour needs: (doublings + 1) << h. */
#define HISTOGRAM_COUNTS_2 ((35u + 1) << 7)
#define HISTOGRAM_COUNTS_3 ((32u + 1) << 10)
#define HISTOGRAM_COUNTS(digits) ((digits) == 2 ? HISTOGRAM_COUNTS_2 : HISTOGRAM_COUNTS_3)

struct histogram {
	uint64_t *counts; /* n of them, the caller's */
	uint32_t n;
	uint16_t half; /* h above */
	uint16_t digits;
	uint64_t min, max; /* exact; min is ~0 and max 0 when there is none */
	uint64_t over;	   /* values above HISTOGRAM_MAX, counted as HISTOGRAM_MAX */
};

/* histogram_init - an empty histogram over counts, HISTOGRAM_COUNTS(digits) entries that live as
 * long as it. digits: 2 or 3. Returns 0 or -EINVAL. */
int histogram_init(struct histogram *h, unsigned int digits, uint64_t *counts) MUST_CHECK;
/* histogram_init_small - the same of another precision and range, for where memory is short: h =
 * half, n entries
 * ((doublings + 1) << half), for values below 2^((n >> half) + half - 1): the caller keeps larger
 * ones away. Not for histogram_encode; histograms of one layout merge exactly. */
void histogram_init_small(struct histogram *h, uint16_t half, uint64_t *counts, uint32_t n);
void histogram_reset(struct histogram *h);

/* histogram_index - the entry of counts for a value of at most HISTOGRAM_MAX. */
static inline uint32_t histogram_index(const struct histogram *h, uint64_t value)
{
	uint32_t top = 63u - (uint32_t)__builtin_clzll(value | ((2ull << h->half) - 1));
	uint32_t doubling = top - h->half;

	return (doubling << h->half) + (uint32_t)(value >> doubling);
}

/* histogram_record_n - count a value n times. Never fails. Single writer; relaxed stores so that a
 * snapshot may read. */
static inline void histogram_record_n(struct histogram *h, uint64_t value, uint64_t n)
{
	uint64_t *count;

	if (unlikely(value > HISTOGRAM_MAX)) {
		h->over += n;
		value = HISTOGRAM_MAX;
	}
	count = &h->counts[histogram_index(h, value)];
	__atomic_store_n(count, *count + n, __ATOMIC_RELAXED);
	if (unlikely(value < h->min))
		__atomic_store_n(&h->min, value, __ATOMIC_RELAXED);
	if (unlikely(value > h->max))
		__atomic_store_n(&h->max, value, __ATOMIC_RELAXED);
}

static inline void histogram_record(struct histogram *h, uint64_t value)
{
	histogram_record_n(h, value, 1);
}

/* histogram_record_corrected - record a value that a closed loop measured every `interval` ns, and
 * the values that it would have measured had it not waited: value - interval, value - 2 * interval,
 * ... down to interval (coordinated omission). interval 0: no correction. At most one step for each
 * entry of counts. */
void histogram_record_corrected(struct histogram *h, uint64_t value, uint64_t interval);

/* histogram_add_corrected - add every value of src to h with that correction. */
void histogram_add_corrected(struct histogram *h, const struct histogram *src, uint64_t interval);

/* histogram_merge - add src to h; the digits may differ (then values count as the middle of their
 * bucket). */
void histogram_merge(struct histogram *h, const struct histogram *src);

/* histogram_subtract - take src away from h, for what was recorded between two snapshots. min and
 * max become those of the buckets that remain. -EINVAL when the layouts differ, -ERANGE when src
 * has more anywhere; then nothing changes. */
int histogram_subtract(struct histogram *h, const struct histogram *src) MUST_CHECK;

/* histogram_snapshot - copy src, into which its writer may be recording. Each count is whole;
 * counts recorded during the copy may or may not be in it. -EINVAL when the layouts differ. */
int histogram_snapshot(struct histogram *h, const struct histogram *src) MUST_CHECK;

/* The values that one entry of counts stands for: low .. high. */
uint64_t histogram_low(const struct histogram *h, uint32_t index);
uint64_t histogram_high(const struct histogram *h, uint32_t index);

/* All of these walk the counts. An empty histogram gives 0. */
uint64_t histogram_count(const struct histogram *h);
uint64_t histogram_min(const struct histogram *h);
uint64_t histogram_max(const struct histogram *h);
uint64_t histogram_mean(const struct histogram *h);   /* of bucket middles, rounded */
uint64_t histogram_stddev(const struct histogram *h); /* of bucket middles, rounded down */

/* histogram_at - the value that ppb (of 1,000,000,000) of the recorded values do not exceed, at the
 * upper end of its bucket and never above the maximum: 999000000 is the 99.9th percentile. */
uint64_t histogram_at(const struct histogram *h, uint64_t ppb);

/* histogram_count_to - how many recorded values are at most `value` (with those that share its
 * bucket). */
uint64_t histogram_count_to(const struct histogram *h, uint64_t value);

/* Walk over the entries that hold something, in order of value:
 *	for (struct histogram_iter it = { 0 }; histogram_next(h, &it);) use(it.low, it.high,
 *it.count, it.sum); */
struct histogram_iter {
	uint32_t next; /* entry to look at */
	uint64_t low, high, count;
	uint64_t sum; /* count of this entry and all before it */
};
bool histogram_next(const struct histogram *h, struct histogram_iter *it);

/* histogram_encode - the V2 encoding (HdrHistogram's, not compressed). Returns its bytes, or
 * -ENOSPC when they are more than room; HISTOGRAM_ENCODED_MAX always suffices. */
#define HISTOGRAM_ENCODED_HEADER 40u
#define HISTOGRAM_ENCODED_MAX(digits) (HISTOGRAM_ENCODED_HEADER + 9u * HISTOGRAM_COUNTS(digits))
int64_t histogram_encode(const struct histogram *h, uint8_t *out, size_t room) MUST_CHECK;

/* histogram_decode - add what an encoding holds to h. Encodings of another precision or range are
 * taken, too: their values count as the middle of their bucket. -EINVAL: not a V2 encoding, or a
 * broken one; -EOPNOTSUPP: of a kind that is not read (shifted, or a unit beyond 2^31); -EOVERFLOW:
 * a count of more than 63 bits. h is only changed on 0. */
int histogram_decode(struct histogram *h, const uint8_t *in, size_t len) MUST_CHECK;

#endif
