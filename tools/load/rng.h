/* SPDX-License-Identifier: Apache-2.0 */
/* rng.h - a small fast generator of random numbers (splitmix64): good enough for arrivals and keys,
 * and repeatable. */
#ifndef GODWIT_LOAD_RNG_H
#define GODWIT_LOAD_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
	uint64_t z = r->state += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A number below n (n > 0), evenly to 2^-64. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
	__extension__ typedef unsigned __int128 u128;

	return (uint64_t)((u128)rng_next(r) * n >> 64);
}

/* A number in (0, 1]. */
static inline double rng_unit(struct rng *r)
{
	return (double)((rng_next(r) >> 11) + 1) * 0x1p-53;
}

#endif
