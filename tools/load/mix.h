/* SPDX-License-Identifier: Apache-2.0 */
/* mix.h - a mix of redis commands: 'get:80,set:20', or whole commands with placeholders, separated
 * by commas: 'ZADD board {random:1000} {key}:3,ZRANGE board 0 9:1'. The number behind the last
 * colon is the weight (1). */
#ifndef GODWIT_LOAD_MIX_H
#define GODWIT_LOAD_MIX_H

#include "tools/base/util.h"
#include "tools/load/rng.h"

#define MIX_MAX 32u
#define MIX_WORDS 16u

enum mix_part_kind { MIX_TEXT, MIX_KEY, MIX_COUNTER, MIX_VALUE, MIX_RANDOM };

/* A word of a command is a list of parts put together. */
struct mix_part {
	enum mix_part_kind kind;
	bool last; /* of its word */
	uint32_t len;
	uint64_t bound; /* MIX_RANDOM: below this */
	char *text;	/* MIX_TEXT */
};

struct mix_command {
	struct mix_part *parts;
	uint32_t n_parts, n_words;
	uint64_t below; /* chosen when a draw is less: the weights up to this one */
	char name[16];	/* the first word, in capitals */
	bool keyed;	/* uses a key or counter */
};

struct mix {
	struct mix_command commands[MIX_MAX];
	uint32_t n;
	uint64_t total;
};

/* mix_parse - 0 or -1 (fail). mix_free in both cases. */
int mix_parse(struct mix *m, const char *text);
void mix_free(struct mix *m);
const struct mix_command *mix_draw(const struct mix *m, struct rng *rng);

#endif
