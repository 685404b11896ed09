/* SPDX-License-Identifier: Apache-2.0 */
/* csum.c - checksum over bulk data (64 bytes a turn with add-with-carry) and the keyed hash. */
#include "runtime/net/csum.h"

struct block32 {
	uint8_t b[32];
};

/* Add 32 bytes with carries. */
static inline uint64_t add32(const uint8_t *p, uint64_t sum)
{
	__asm__("addq 0(%1), %0\n\tadcq 8(%1), %0\n\tadcq 16(%1), %0\n\tadcq 24(%1), %0\n\tadcq "
		"$0, %0"
		: "+&r"(sum)
		: "r"(p), "m"(*(const struct block32 *)(const void *)p)
		: "cc");
	return sum;
}

uint64_t csum_bytes(const uint8_t *p, size_t n, uint64_t sum)
{
	const uint8_t *end = p + n;

	while (n >= 64) {
		sum = add32(p, sum);
		sum = add32(p + 32, sum);
		p += 64;
		n -= 64;
	}
	if (n & 32) {
		sum = add32(p, sum);
		p += 32;
	}
	if (n & 16) {
		sum = csum_add64(csum_add64(sum, ld64(p)), ld64(p + 8));
		p += 16;
	}
	if (n & 8) {
		sum = csum_add64(sum, ld64(p));
		p += 8;
	}
	if (n & 4) {
		sum = csum_add64(sum, ld32(p));
		p += 4;
	}
	if (n & 2) {
		sum = csum_add64(sum, ld16(p));
		p += 2;
	}
	if (p < end)
		sum = csum_add64(sum, *p);
	return sum;
}

uint64_t csum_chain(const struct pbuf *p, uint32_t off, uint32_t n, uint64_t sum)
{
	bool odd = false;

	for (; p != NULL && n > 0; p = p->next) {
		uint32_t k;

		if (off >= p->len) {
			off -= p->len;
			continue;
		}
		k = GW_MIN(p->len - off, n);
		if (!odd) {
			sum = csum_bytes(p->data + off, k, sum);
		} else { /* bytes at odd offsets count in the other half of the word */
			uint16_t part = csum_fold(csum_bytes(p->data + off, k, 0));

			sum = csum_add64(sum, be16(part));
		}
		odd ^= (k & 1) != 0;
		n -= k;
		off = 0;
	}
	return sum;
}

static inline uint64_t rotl(uint64_t v, int n)
{
	return v << n | v >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[0] = rotl(v[0], 32);
	v[2] += v[3];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[2] = rotl(v[2], 32);
}

uint64_t siphash(const struct sip_key *key, const uint64_t *words, unsigned n)
{
	uint64_t v[4] = { key->k0 ^ 0x736f6d6570736575ull, key->k1 ^ 0x646f72616e646f6dull,
			  key->k0 ^ 0x6c7967656e657261ull, key->k1 ^ 0x7465646279746573ull };

	for (unsigned i = 0; i <= n; i++) {
		uint64_t m = i < n ? words[i] : (uint64_t)n << 59; /* the length byte: 8n mod 256 */

		v[3] ^= m;
		sip_round(v);
		sip_round(v);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
