/* SPDX-License-Identifier: Apache-2.0 */
/* random.c - the generator of secret random bytes: ChaCha20 (RFC 8439) with fast key erasure: each
 * refill makes BLOCKS blocks, of which the first 32 bytes are the next key and never leave, the
 * rest is handed out and erased. Seeds (RDRAND, time stamps, virtio-rng) are mixed into the key by
 * encrypting under it. One generator for all vcores under a short lock. */
#include <cpuid.h>
#include "runtime/base/random_internal.h"
#include "runtime/base/str.h"

#define BLOCKS 4u
#define CPUID1_ECX_RDRAND (1u << 30)

static struct {
	struct spinlock lock;
	bool seeded;
	uint32_t left; /* bytes at the end of buf not yet handed out */
	uint32_t key[8];
	uint8_t buf[BLOCKS * 64];
} gen;

static inline uint32_t rotl(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

#define QUARTER(a, b, c, d)                  \
	do {                                 \
		a += b, d = rotl(d ^ a, 16); \
		c += d, b = rotl(b ^ c, 12); \
		a += b, d = rotl(d ^ a, 8);  \
		c += d, b = rotl(b ^ c, 7);  \
	} while (0)

void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint8_t out[64])
{
	const uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0], key[1],
				  key[2],     key[3],	  key[4],     key[5],	  key[6], key[7],
				  counter,    nonce[0],	  nonce[1],   nonce[2] };
	uint32_t x[16];

	memcpy(x, in, sizeof(x));
	for (int i = 0; i < 10; i++) {
		QUARTER(x[0], x[4], x[8], x[12]);
		QUARTER(x[1], x[5], x[9], x[13]);
		QUARTER(x[2], x[6], x[10], x[14]);
		QUARTER(x[3], x[7], x[11], x[15]);
		QUARTER(x[0], x[5], x[10], x[15]);
		QUARTER(x[1], x[6], x[11], x[12]);
		QUARTER(x[2], x[7], x[8], x[13]);
		QUARTER(x[3], x[4], x[9], x[14]);
	}
	for (int i = 0; i < 16; i++) {
		uint32_t v = x[i] + in[i];

		memcpy(out + 4 * i, &v, 4);
	}
}

static const uint32_t nonce[3];

/* The first block only: the next key, and nothing left to hand out. */
static void next_key(void)
{
	chacha20_block(gen.key, 0, nonce, gen.buf);
	memcpy(gen.key, gen.buf, sizeof(gen.key));
	memset(gen.buf, 0, 64);
	gen.left = 0;
}

static void refill(void)
{
	for (uint32_t i = 0; i < BLOCKS; i++)
		chacha20_block(gen.key, i, nonce, gen.buf + 64 * i);
	memcpy(gen.key, gen.buf, sizeof(gen.key));
	memset(gen.buf, 0, sizeof(gen.key));
	gen.left = sizeof(gen.buf) - sizeof(gen.key);
}

/* The new key depends on the old one and on every byte of the seed. */
static void mix(const void *entropy, size_t n)
{
	const uint8_t *p = entropy;

	while (n) {
		size_t part = GW_MIN(n, sizeof(gen.key));
		uint32_t words[8] = { 0 };

		memcpy(words, p, part);
		for (int i = 0; i < 8; i++)
			gen.key[i] ^= words[i];
		next_key();
		p += part;
		n -= part;
	}
}

static void seed_first(void)
{
	gen.seeded = true;
#ifndef GW_HOST_TEST
	uint64_t seed[8] = { 0 };
	unsigned a, b, c, d;
	bool rdrand = __get_cpuid(1, &a, &b, &c, &d) && (c & CPUID1_ECX_RDRAND);

	for (size_t i = 0; i < ARRAY_SIZE(seed); i++) {
		unsigned long long v = 0;

		if (rdrand) /* a failure leaves 0: the other sources remain */
			__asm__ volatile("rdrand %0" : "=r"(v) : : "cc");
		seed[i] = v ^ __builtin_ia32_rdtsc();
	}
	mix(seed, sizeof(seed));
	memset(seed, 0, sizeof(seed));
#endif
}

void random_bytes(void *to, size_t n)
{
	uint8_t *p = to;

	spin_lock(&gen.lock);
	if (unlikely(!gen.seeded))
		seed_first();
	while (n) {
		size_t part;
		uint8_t *from;

		if (!gen.left)
			refill();
		part = GW_MIN(n, (size_t)gen.left);
		from = gen.buf + sizeof(gen.buf) - gen.left;
		memcpy(p, from, part);
		memset(from, 0, part);
		gen.left -= (uint32_t)part;
		p += part;
		n -= part;
	}
	spin_unlock(&gen.lock);
}

uint32_t random_u32(void)
{
	uint32_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

void random_seed(const void *entropy, size_t n)
{
	uint64_t tsc = __builtin_ia32_rdtsc();

	spin_lock(&gen.lock);
	if (!gen.seeded)
		seed_first();
#ifndef GW_HOST_TEST
	mix(&tsc, sizeof(tsc));
#else
	(void)tsc;
#endif
	mix(entropy, n);
	spin_unlock(&gen.lock);
}
