/* SPDX-License-Identifier: Apache-2.0 */
/* csum.h - the Internet checksum (RFC 1071), and unaligned big-endian access. Sums are of 16-bit
 * words as the machine loads them (little-endian), so a folded sum is stored as it is. */
#ifndef GODWIT_NET_CSUM_H
#define GODWIT_NET_CSUM_H

#include "runtime/base/str.h"
#include "runtime/mem/pbuf.h"

static inline uint16_t ld16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, 2);
	return v;
}

static inline uint32_t ld32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static inline uint64_t ld64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static inline void st16(void *p, uint16_t v)
{
	memcpy(p, &v, 2);
}

static inline void st32(void *p, uint32_t v)
{
	memcpy(p, &v, 4);
}

static inline void st64(void *p, uint64_t v)
{
	memcpy(p, &v, 8);
}

#define be16(v) __builtin_bswap16(v)
#define be32(v) __builtin_bswap32(v)

static inline uint16_t ldbe16(const void *p)
{
	return be16(ld16(p));
}

static inline uint32_t ldbe32(const void *p)
{
	return be32(ld32(p));
}

static inline void stbe16(void *p, uint16_t v)
{
	st16(p, be16(v));
}

static inline void stbe32(void *p, uint32_t v)
{
	st32(p, be32(v));
}

/* 64-bit one's complement addition, and folding to 16 bits. */
static inline uint64_t csum_add64(uint64_t a, uint64_t b)
{
	a += b;
	return a + (a < b);
}

static inline uint16_t csum_fold(uint64_t s)
{
	uint32_t f =
		(uint32_t)((s + (s << 32 | s >> 32)) >> 32); /* both halves added, carry and all */

	return (uint16_t)((f + (f << 16 | f >> 16)) >> 16);
}

/* Add n bytes to a running sum (as if they began at an even offset). */
uint64_t csum_bytes(const uint8_t *p, size_t n, uint64_t sum);
/* Add bytes [off, off+n) of a chain. The chain has them. */
uint64_t csum_chain(const struct pbuf *p, uint32_t off, uint32_t n, uint64_t sum);

/* Header of 20 bytes, in line: the one that every packet has. */
static inline uint64_t csum_20(const uint8_t *p)
{
	uint64_t s = csum_add64(ld64(p), ld64(p + 8));

	return csum_add64(s, ld32(p + 16));
}

/* SipHash-2-4 of up to 8 words (RFC 6528's F, cookies, tables): secret key, no third party can aim.
 */
struct sip_key {
	uint64_t k0, k1;
};
uint64_t siphash(const struct sip_key *key, const uint64_t *words, unsigned n);

#endif
