/* SPDX-License-Identifier: Apache-2.0 */
/* colour.h - page colours. Frames whose numbers are equal modulo the number of colours lie in the
 * same sets of a cache; a partition that has some colours only shares no set with one that has
 * others. Coloured partitions lie in one stretch of the machine's memory, in rows of `colours`
 * frames; each has a few columns of some rows, which are numbered through as its own addresses:
 *
 *            colour 0   1   2   3     partition of colours 0 and 2, base at this row:
 *   base + 0 row |  0 |   |  1 |   |  its frames 0 and 1
 *        + 1 row |  2 |   |  3 |   |  2 and 3
 *
 * Whatever speaks of such a partition's memory (extents, mappings, the window at GW_MEM_BASE) means
 * these addresses; frames that follow one another there do not in the machine. Devices that are not
 * behind an IOMMU need the machine's. mask 0 stands for a partition without colours: both are the
 * same. Used by kernel, runtime and host tool, so that they agree. All O(colours) at most. */
#ifndef GODWIT_ABI_COLOUR_H
#define GODWIT_ABI_COLOUR_H

#include <stdint.h>

#define GW_COLOURS_MAX 64u
#define GW_COLOUR_PAGE 4096ULL

struct gw_stripe {
	uint64_t base;	  /* the machine's address of its first row, whole rows from 0 */
	uint64_t mask;	  /* bit c: it has colour c; 0: no colours */
	uint32_t colours; /* that there are: a power of two up to GW_COLOURS_MAX */
	uint32_t columns; /* bits in mask */
};

static inline struct gw_stripe gw_stripe_make(uint64_t base, uint64_t mask, uint32_t colours)
{
	struct gw_stripe s = { base, mask, colours, 0 };

	for (; mask != 0; mask &= mask - 1)
		s.columns++;
	return s;
}

/* gw_stripe_has - is frame n, counted from the base through all colours, one of the stripe's? */
static inline int gw_stripe_has(const struct gw_stripe *s, uint64_t n)
{
	return s->mask == 0 || (s->mask >> (n & (s->colours - 1)) & 1) != 0;
}

/* gw_stripe_pa - the machine's address of the partition's address `at`. */
static inline uint64_t gw_stripe_pa(const struct gw_stripe *s, uint64_t at)
{
	uint64_t mask = s->mask, frame = at / GW_COLOUR_PAGE;

	if (mask == 0)
		return at;
	for (uint64_t i = frame % s->columns; i > 0; i--)
		mask &= mask - 1;
	return s->base + at % GW_COLOUR_PAGE +
	       (frame / s->columns * s->colours + (uint32_t)__builtin_ctzll(mask)) * GW_COLOUR_PAGE;
}

/* gw_stripe_at - the inverse, for an address in one of the stripe's frames. */
static inline uint64_t gw_stripe_at(const struct gw_stripe *s, uint64_t pa)
{
	uint64_t frame = (pa - s->base) / GW_COLOUR_PAGE, n;

	if (s->mask == 0)
		return pa;
	n = frame / s->colours * s->columns;
	for (uint64_t m = s->mask & ((1ULL << frame % s->colours) - 1); m != 0; m &= m - 1)
		n++;
	return n * GW_COLOUR_PAGE + pa % GW_COLOUR_PAGE;
}

/* gw_stripe_run - bytes from `at` on, at least to the end of its page, that follow one another in
 * the machine too (up to the end of its row; ~0 without colours). */
static inline uint64_t gw_stripe_run(const struct gw_stripe *s, uint64_t at)
{
	uint64_t n = 0;

	if (s->mask == 0)
		return ~0ULL;
	for (uint64_t c = gw_stripe_pa(s, at) / GW_COLOUR_PAGE % s->colours;
	     c < s->colours && (s->mask >> c & 1) != 0; c++)
		n += GW_COLOUR_PAGE;
	return n - at % GW_COLOUR_PAGE;
}

/* gw_stripe_rows - rows that so many frames take. */
static inline uint64_t gw_stripe_rows(const struct gw_stripe *s, uint64_t frames)
{
	return (frames + s->columns - 1) / s->columns;
}

/* gw_colours_deal - the first of `rows` rows in which nobody has the colours of mask yet, and takes
 * them. next[c]: rows below it are taken in colour c; 0 to begin with. */
static inline uint64_t gw_colours_deal(uint64_t next[GW_COLOURS_MAX], uint64_t mask, uint64_t rows)
{
	uint64_t first = 0;

	for (uint32_t c = 0; c < GW_COLOURS_MAX; c++)
		if ((mask >> c & 1) != 0 && next[c] > first)
			first = next[c];
	for (uint32_t c = 0; c < GW_COLOURS_MAX; c++)
		if ((mask >> c & 1) != 0)
			next[c] = first + rows;
	return first;
}

#endif
