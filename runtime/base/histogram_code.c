/* SPDX-License-Identifier: Apache-2.0 */
/* histogram_code.c - HdrHistogram's V2 encoding: 40 bytes of header (big-endian) and the counts as
 *ZigZag LEB128 numbers of at most 9 bytes, where a negative number is a run of zeros. Decoding
 *trusts nothing in its input: it is read twice, first only to check, then to add.
 *
 *	0 cookie | 4 payload bytes | 8 shift of the counts | 12 digits | 16 lowest | 24 highest | 32
 *ratio (double)
 */
#include "runtime/base/errno.h"
#include "runtime/base/histogram.h"

#define COOKIE_V2 0x1c849303u
#define COOKIE_WORD 0x10u /* in the second lowest nibble: any value there is read as the same */
#define RATIO_ONE 0x3ff0000000000000ull
#define VARINT_MAX 9u

static void put_be(uint8_t *out, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t get_be(const uint8_t *in, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v = v << 8 | in[i];
	return v;
}

/* The ninth byte carries eight bits, the others seven and whether more follow. */
static size_t put_varint(uint8_t *out, int64_t signed_v)
{
	uint64_t v = (uint64_t)signed_v << 1 ^ (signed_v < 0 ? ~0ull : 0);
	size_t n = 0;

	while (n < VARINT_MAX - 1 && v > 0x7f) {
		out[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	out[n++] = (uint8_t)v;
	return n;
}

/* Bytes taken, or 0 when the input ends within the number. */
static size_t get_varint(const uint8_t *in, size_t len, int64_t *value)
{
	uint64_t v = 0;

	for (size_t n = 0; n < len && n < VARINT_MAX; n++) {
		bool last = n == VARINT_MAX - 1 || (in[n] & 0x80) == 0;

		v |= (uint64_t)(n == VARINT_MAX - 1 ? in[n] : in[n] & 0x7f) << (7 * n);
		if (last) {
			*value = (int64_t)(v >> 1 ^ (~(v & 1) + 1));
			return n + 1;
		}
	}
	return 0;
}

int64_t histogram_encode(const struct histogram *h, uint8_t *out, size_t room)
{
	uint32_t used = h->n;
	size_t at = HISTOGRAM_ENCODED_HEADER;

	while (used > 0 && h->counts[used - 1] == 0)
		used--;
	if (room < at)
		return -ENOSPC;
	for (uint32_t i = 0; i < used;) {
		uint8_t number[VARINT_MAX];
		uint32_t zeros = 0;
		size_t n;

		while (h->counts[i + zeros] == 0)
			zeros++; /* ends: the last used count is not 0 */
		n = put_varint(number, zeros != 0 ? -(int64_t)zeros : (int64_t)h->counts[i]);
		i += zeros != 0 ? zeros : 1;
		if (room - at < n)
			return -ENOSPC;
		for (size_t j = 0; j < n; j++)
			out[at++] = number[j];
	}
	put_be(out, COOKIE_V2 | COOKIE_WORD, 4);
	put_be(out + 4, at - HISTOGRAM_ENCODED_HEADER, 4);
	put_be(out + 8, 0, 4);
	put_be(out + 12, h->digits, 4);
	put_be(out + 16, 1, 8);
	put_be(out + 24, HISTOGRAM_MAX, 8);
	put_be(out + 32, RATIO_ONE, 8);
	return (int64_t)at;
}

/* What the header says of the counts: the same layout as ours, with other numbers. */
struct shape {
	uint32_t half, unit; /* a value's low `unit` bits are not kept */
	const uint8_t *counts;
	size_t len;
};

static int read_header(struct shape *s, const uint8_t *in, size_t len)
{
	/* 2 * 10^digits rounded up to a power of two, halved: its logarithm */
	static const uint8_t half_of_digits[] = { 0, 4, 7, 10, 14, 17 };
	uint64_t digits, lowest, highest;

	if (len < HISTOGRAM_ENCODED_HEADER || (get_be(in, 4) & ~0xf0ull) != COOKIE_V2)
		return -EINVAL;
	s->counts = in + HISTOGRAM_ENCODED_HEADER;
	s->len = get_be(in + 4, 4);
	digits = get_be(in + 12, 4);
	lowest = get_be(in + 16, 8);
	highest = get_be(in + 24, 8);
	if (s->len > len - HISTOGRAM_ENCODED_HEADER || digits > 5 || lowest == 0 ||
	    lowest > highest / 2 || highest > INT64_MAX)
		return -EINVAL;
	s->half = half_of_digits[digits];
	s->unit = 63u - (uint32_t)__builtin_clzll(lowest);
	if (get_be(in + 8, 4) != 0 || s->unit > 31)
		return -EOPNOTSUPP;
	return 0;
}

/* The middle of the values of one of its buckets; false when that is beyond 63 bits. */
static bool shape_value(const struct shape *s, uint64_t index, uint64_t *value)
{
	uint64_t doubling = index >> s->half;
	uint64_t shift = (doubling <= 1 ? 0 : doubling - 1) + s->unit;
	uint64_t sub = doubling <= 1 ? index : index - ((doubling - 1) << s->half);

	if (shift + s->half + 1 > 63)
		return false;
	*value = (sub << shift) + (1ull << shift) / 2;
	return true;
}

/* One walk over the counts; `h` NULL: only check. */
static int walk(const struct shape *s, struct histogram *h)
{
	uint64_t index = 0, sum = 0, value;

	for (size_t at = 0; at < s->len;) {
		int64_t n;
		size_t took = get_varint(s->counts + at, s->len - at, &n);

		if (took == 0 || (n < 0 && n < -(int64_t)(1u << 24)) || index > 1u << 24)
			return -EINVAL;
		at += took;
		if (n < 0) {
			index += (uint64_t)-n;
			continue;
		}
		if (n > 0 && !shape_value(s, index, &value))
			return -EINVAL;
		if (n > 0 && h != NULL)
			histogram_record_n(h, value, (uint64_t)n);
		sum += (uint64_t)n;
		if (sum > INT64_MAX)
			return -EOVERFLOW;
		index++;
	}
	return 0;
}

int histogram_decode(struct histogram *h, const uint8_t *in, size_t len)
{
	struct shape s;
	int rc = read_header(&s, in, len);

	if (rc == 0)
		rc = walk(&s, NULL);
	return rc == 0 ? walk(&s, h) : rc;
}
