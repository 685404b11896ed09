/* SPDX-License-Identifier: Apache-2.0 */
/* histogram_test.c - the histogram against exact sorted arrays on random distributions, corrections
 * against the loop they stand for, and its encoding: round trips, cut and hostile input. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "runtime/base/histogram.h"
#include "runtime/base/latency.h"
#include "tests/unit.h"

static uint64_t seed = 42;

static uint64_t rnd(void)
{
	seed += 0x9e3779b97f4a7c15ull;
	uint64_t z = seed;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static double unit(void)
{
	return (double)((rnd() >> 11) + 1) / 9007199254740993.0;
}

static uint64_t mem_a[HISTOGRAM_COUNTS_3], mem_b[HISTOGRAM_COUNTS_3], mem_c[HISTOGRAM_COUNTS_3];
static uint8_t code[HISTOGRAM_ENCODED_MAX(3)];

static struct histogram make(unsigned int digits, uint64_t *mem)
{
	struct histogram h;

	CHECK_EQ(histogram_init(&h, digits, mem), 0);
	return h;
}

/* A value of one of several shapes of latency. */
static uint64_t draw(unsigned int shape, double scale)
{
	double v;

	switch (shape) {
	case 0: /* uniform */
		v = unit() * scale;
		break;
	case 1: /* exponential */
		v = -log(unit()) * scale;
		break;
	case 2: /* heavy tail */
		v = scale * pow(unit(), -1.2);
		break;
	case 3: /* two humps */
		v = unit() < 0.99 ? scale * (1 + unit()) : scale * (1000 + 100 * unit());
		break;
	default: /* lognormal */
		v = scale * exp(1.5 * sqrt(-2 * log(unit())) * cos(6.283185307179586 * unit()));
		break;
	}
	return v >= (double)HISTOGRAM_MAX ? HISTOGRAM_MAX : (uint64_t)v;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static bool close_to(uint64_t is, uint64_t exact, unsigned int digits)
{
	uint64_t width = exact / (digits == 2 ? 100 : 1000);

	return is >= exact && is - exact <= width;
}

static void against_sorted(unsigned int digits, unsigned int n, unsigned int shape, double scale)
{
	static const uint64_t at[] = { 1,	  10000000,  250000000, 500000000, 900000000,
				       990000000, 999000000, 999900000, 999999000, 1000000000 };
	static uint64_t v[2000];
	struct histogram h = make(digits, mem_a);
	double sum = 0, square = 0, mean, deviation;

	for (unsigned int i = 0; i < n; i++) {
		v[i] = draw(shape, scale);
		histogram_record(&h, v[i]);
		sum += (double)v[i];
	}
	qsort(v, n, sizeof(v[0]), by_value);
	CHECK_EQ(histogram_count(&h), n);
	CHECK_EQ(histogram_min(&h), v[0]);
	CHECK_EQ(histogram_max(&h), v[n - 1]);
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
		uint64_t rank = (at[i] * n + 999999999) / 1000000000;

		CHECK(close_to(histogram_at(&h, at[i]), v[rank - 1], digits));
	}
	mean = sum / n;
	for (unsigned int i = 0; i < n; i++)
		square += ((double)v[i] - mean) * ((double)v[i] - mean);
	deviation = sqrt(square / n);
	CHECK(fabs((double)histogram_mean(&h) - mean) <= mean / (digits == 2 ? 100 : 1000) + 1);
	CHECK(fabs((double)histogram_stddev(&h) - deviation) <=
	      (mean + deviation) / (digits == 2 ? 50 : 500) + 2);
	/* how many are at most the median: exact up to those that share its bucket */
	uint64_t to = histogram_high(&h, histogram_index(&h, v[n / 2])), exact = 0;

	while (exact < n && v[exact] <= to)
		exact++;
	CHECK_EQ(histogram_count_to(&h, v[n / 2]), exact);
}

TEST(random_distributions)
{
	for (unsigned int i = 0; i < 1000; i++)
		against_sorted(i % 4 == 0 ? 3 : 2, 1 + (unsigned int)(rnd() % 2000), i % 5,
			       pow(10, unit() * 10));
}

TEST(layout)
{
	for (unsigned int digits = 2; digits <= 3; digits++) {
		struct histogram h = make(digits, mem_a);

		for (uint32_t i = 0; i + 1 < h.n; i++) {
			if (histogram_low(&h, i) > HISTOGRAM_MAX)
				break;
			CHECK(histogram_high(&h, i) + 1 == histogram_low(&h, i + 1));
			CHECK(histogram_index(&h, histogram_low(&h, i)) == i);
			if (histogram_high(&h, i) <= HISTOGRAM_MAX)
				CHECK(histogram_index(&h, histogram_high(&h, i)) == i);
		}
		CHECK(histogram_index(&h, HISTOGRAM_MAX) < h.n);
		/* and nothing is wasted: half as many would not do */
		CHECK(histogram_index(&h, HISTOGRAM_MAX) > h.n - (2u << h.half));
	}
}

TEST(edges)
{
	struct histogram h = make(3, mem_a);

	CHECK_EQ(histogram_init(&h, 1, mem_a), -EINVAL);
	CHECK_EQ(histogram_init(&h, 4, mem_a), -EINVAL);
	CHECK_EQ(histogram_init(&h, 2, NULL), -EINVAL);
	CHECK_EQ(histogram_at(&h, 500000000), 0);
	CHECK_EQ(histogram_count(&h) + histogram_min(&h) + histogram_max(&h) + histogram_mean(&h) +
			 histogram_stddev(&h),
		 0);
	histogram_record(&h, 0);
	CHECK_EQ(histogram_min(&h), 0);
	CHECK_EQ(histogram_at(&h, 1000000000), 0);
	histogram_record(&h, ~0ull);
	CHECK_EQ(h.over, 1);
	CHECK_EQ(histogram_max(&h), HISTOGRAM_MAX);
	CHECK_EQ(histogram_count(&h), 2);
	CHECK_EQ(histogram_at(&h, 2000000000), HISTOGRAM_MAX);
	histogram_reset(&h);
	CHECK_EQ(histogram_count(&h) + h.over, 0);
}

/* The definition of the correction, one value at a time. */
static void slow_corrected(struct histogram *h, uint64_t value, uint64_t interval)
{
	histogram_record(h, value);
	for (uint64_t v = value; interval != 0 && v >= 2 * interval;) {
		v -= interval;
		histogram_record(h, v);
	}
}

TEST(corrected)
{
	for (int i = 0; i < 300; i++) {
		uint64_t interval = rnd() % 5000, value = rnd() % 2000000;
		struct histogram a = make(i % 2 ? 2 : 3, mem_a), b = make(i % 2 ? 2 : 3, mem_b);

		if (interval < 10 && i % 3)
			interval = 0;
		histogram_record_corrected(&a, value, interval);
		slow_corrected(&b, value, interval);
		CHECK(memcmp(mem_a, mem_b, a.n * sizeof(mem_a[0])) == 0);
		CHECK_EQ(histogram_min(&a), histogram_min(&b));
		CHECK_EQ(histogram_max(&a), histogram_max(&b));
	}
	/* an hour missed at 1 ns: bounded work */
	struct histogram h = make(3, mem_a), late = make(3, mem_b);

	histogram_record_corrected(&h, HISTOGRAM_MAX, 1);
	CHECK_EQ(histogram_count(&h), HISTOGRAM_MAX);
	/* after the fact: 100 requests of 1 us, one of 100 ms where one was due every 1 ms */
	histogram_reset(&h);
	histogram_record_n(&h, 1000, 100);
	histogram_record(&h, 100000000);
	histogram_add_corrected(&late, &h, 1000000);
	/* the middle of the long one's bucket may lie just below 100 ms */
	CHECK(histogram_count(&late) == 200 || histogram_count(&late) == 199);
	CHECK(histogram_at(&h, 990000000) == 1000);
	CHECK(histogram_at(&late, 990000000) >= 97900000 &&
	      histogram_at(&late, 990000000) <= 99100000);
}

TEST(merge_subtract_snapshot)
{
	struct histogram all = make(3, mem_a), part = make(3, mem_b), low = make(2, mem_c);
	static uint64_t mem_d[HISTOGRAM_COUNTS_3];

	for (int i = 0; i < 5000; i++) {
		uint64_t v = draw(2, 1000);

		histogram_record(&all, v);
		histogram_record(&low, v);
	}
	CHECK_EQ(histogram_snapshot(&part, &all), 0);
	CHECK(memcmp(mem_a, mem_b, sizeof(mem_a)) == 0);
	CHECK_EQ(histogram_min(&part), histogram_min(&all));
	CHECK_EQ(histogram_max(&part), histogram_max(&all));
	CHECK_EQ(histogram_snapshot(&low, &all), -EINVAL);
	CHECK_EQ(histogram_subtract(&low, &all), -EINVAL);

	struct histogram sum = make(3, mem_d);

	histogram_merge(&sum, &all);
	histogram_merge(&sum, &part);
	CHECK_EQ(histogram_count(&sum), 10000);
	CHECK_EQ(histogram_at(&sum, 990000000), histogram_at(&all, 990000000));
	histogram_merge(&sum, &low); /* of two digits */
	CHECK_EQ(histogram_count(&sum), 15000);
	histogram_reset(&sum);
	histogram_merge(&sum, &all);
	histogram_record(&sum, 7);
	histogram_record(&sum, 70000000000);
	CHECK_EQ(histogram_subtract(&part, &sum), -ERANGE);
	CHECK_EQ(histogram_count(&part), 5000);
	CHECK_EQ(histogram_subtract(&sum, &part), 0);
	CHECK_EQ(histogram_count(&sum), 2);
	CHECK_EQ(histogram_min(&sum), 7);
	CHECK(close_to(histogram_max(&sum), 70000000000, 3));
}

TEST(round_trip)
{
	for (int i = 0; i < 200; i++) {
		unsigned int digits = i % 2 ? 2 : 3;
		struct histogram a = make(digits, mem_a), b = make(digits, mem_b);
		unsigned int n = (unsigned int)(rnd() % 500);

		for (unsigned int j = 0; j < n; j++)
			histogram_record_n(&a, draw(j % 5, pow(10, unit() * 10)),
					   rnd() >> (8 + rnd() % 56));
		int64_t len = histogram_encode(&a, code, sizeof(code));

		CHECK(len >= 40);
		CHECK_EQ(histogram_decode(&b, code, (size_t)len), 0);
		CHECK(memcmp(mem_a, mem_b, a.n * sizeof(mem_a[0])) == 0);
		/* too little room is said and nothing is written beyond it */
		for (int64_t room = 0; room < len; room += 1 + len / 7) {
			uint8_t *tight = malloc((size_t)room + 1);

			CHECK_EQ(histogram_encode(&a, tight, (size_t)room), -ENOSPC);
			free(tight);
		}
	}
}

/* Bytes that another implementation writes for 3 digits, highest 3,600,000,000: values 1, 1, 2,
 * 1000000. */
TEST(known_bytes)
{
	static const uint8_t header[40] = { 0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 0, 0,    0,
					    0,	  0,	0,    0,    0, 3, 0, 0, 0,    0,
					    0,	  0,	0,    1,    0, 0, 0, 0, 0xd6, 0x93,
					    0xa4, 0,	0x3f, 0xf0, 0, 0, 0, 0, 0,    0 };
	/* -1 (one zero), 2, 1, a run of zeros up to the entry of 1,000,000, 1 */
	struct histogram h = make(3, mem_a), back = make(3, mem_b);
	uint32_t zeros = histogram_index(&h, 1000000) - 3;
	uint8_t bytes[64];
	size_t n = 0;

	memcpy(bytes, header, 40);
	n = 40;
	bytes[n++] = 1;
	bytes[n++] = 4;
	bytes[n++] = 2;
	uint32_t zig = 2 * zeros - 1;

	for (; zig > 0x7f; zig >>= 7)
		bytes[n++] = (uint8_t)(zig | 0x80);
	bytes[n++] = (uint8_t)zig;
	bytes[n++] = 2;
	bytes[7] = (uint8_t)(n - 40);
	CHECK_EQ(histogram_decode(&back, bytes, n), 0);
	CHECK_EQ(histogram_count(&back), 4);
	CHECK_EQ(mem_b[1], 2);
	CHECK_EQ(mem_b[2], 1);
	CHECK_EQ(mem_b[histogram_index(&h, 1000000)], 1);
	/* ours differs in the highest value only */
	histogram_record_n(&h, 1, 2);
	histogram_record(&h, 2);
	histogram_record(&h, 1000000);
	CHECK_EQ(histogram_encode(&h, code, sizeof(code)), n);
	CHECK(memcmp(code, bytes, 24) == 0 && memcmp(code + 32, bytes + 32, n - 32) == 0);
}

TEST(hostile)
{
	struct histogram a = make(3, mem_a), b = make(3, mem_b);

	for (int i = 0; i < 1000; i++)
		histogram_record(&a, draw(2, 100));
	size_t len = (size_t)histogram_encode(&a, code, sizeof(code));

	/* every cut: refused, and nothing added; from memory of just that size, so that an overrun
	 * is seen */
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *part = malloc(cut + 1);

		memcpy(part, code, cut);
		CHECK_EQ(histogram_decode(&b, part, cut), -EINVAL);
		free(part);
	}
	CHECK_EQ(histogram_count(&b), 0);
	static const struct {
		size_t at;
		uint8_t byte;
		int rc;
	} bad[] = { { 0, 0, -EINVAL },	  { 3, 0x14, -EINVAL },	  { 4, 0xff, -EINVAL },
		    { 12, 1, -EINVAL },	  { 15, 6, -EINVAL },	  { 23, 0, -EINVAL },
		    { 24, 255, -EINVAL }, { 11, 1, -EOPNOTSUPP }, { 18, 1, -EOPNOTSUPP },
		    { 20, 0x10, 0 },	  { 40, 0xff, 0 } };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t was = code[bad[i].at];
		int rc;

		code[bad[i].at] = bad[i].byte;
		histogram_reset(&b);
		rc = histogram_decode(&b, code, len);
		if (bad[i].rc != 0)
			CHECK_EQ(rc, bad[i].rc);
		CHECK(rc == 0 || histogram_count(&b) == 0);
		code[bad[i].at] = was;
	}
	/* counts whose sum does not fit, and a count beyond the last bucket */
	memset(code + 40, 0xff, 27);
	for (size_t i = 0; i < 27; i++) {
		if (i % 9 == 0)
			code[40 + i] = 0xfe;
	}
	code[4] = code[5] = code[6] = 0;
	code[7] = 27;
	histogram_reset(&b);
	CHECK_EQ(histogram_decode(&b, code, 67), -EOVERFLOW);
	memcpy(code + 40, "\xff\xff\xff\x0f\x02", 5);
	code[7] = 5;
	CHECK_EQ(histogram_decode(&b, code, 45), -EINVAL);
	CHECK_EQ(histogram_count(&b), 0);
}

/* The small layout, and the recorder that knows it: each value in the bucket that the base's
 * functions say. */
TEST(small)
{
	static struct latency l, other;
	struct histogram big;
	static uint64_t counts[HISTOGRAM_COUNTS_2];
	uint64_t n = 0, before;

	latency_init(&l);
	for (uint64_t v = 1; v < 3 * LATENCY_MAX; v += 1 + v / 3, n++) {
		uint64_t kept = GW_MIN(v, LATENCY_MAX);
		uint32_t at = histogram_index(&l.h, kept);

		CHECK(at < LATENCY_COUNTS);
		CHECK(histogram_low(&l.h, at) <= kept && kept <= histogram_high(&l.h, at));
		CHECK((histogram_high(&l.h, at) - histogram_low(&l.h, at)) * 32 <= kept);
		before = l.counts[at];
		latency_record(&l, v);
		CHECK_EQ(l.counts[at], before + 1);
	}
	CHECK_EQ(histogram_count(&l.h), n);
	CHECK_EQ(histogram_max(&l.h), LATENCY_MAX);
	latency_record(&l, (uint64_t)-5);
	CHECK_EQ(l.counts[0], 1);
	latency_init(&other);
	latency_record(&other, 1000);
	histogram_merge(&other.h, &l.h);
	CHECK_EQ(histogram_count(&other.h), n + 2);
	CHECK_EQ(histogram_init(&big, 2, counts), 0);
	histogram_merge(&big, &other.h);
	CHECK_EQ(histogram_count(&big), n + 2);
}

UNIT_MAIN(CASE(small), CASE(random_distributions), CASE(layout), CASE(edges), CASE(corrected),
	  CASE(merge_subtract_snapshot), CASE(round_trip), CASE(known_bytes), CASE(hostile))
