/* SPDX-License-Identifier: Apache-2.0 */
/* read_internal.h - reading values: what the keys of all sections share (value.c), and the tables
 * of keys (keys_partition.c, keys_other.c). */
#ifndef GODWIT_TOOLS_READ_INTERNAL_H
#define GODWIT_TOOLS_READ_INTERNAL_H

#include "tools/module/module.h"

/* One key: what is told about a mistake goes to d with e's line. */
struct key {
	const char *name;
	void (*set)(struct diag *d, void *target, const struct ini_entry *e);
	bool repeat; /* may stand several times */
};

/* keys_read - all entries of a section into target by a table of n keys. */
void keys_read(struct diag *d, const struct ini_section *s, void *target, const struct key *keys,
	       size_t n);

/* Values: 0, or -1 and a mistake told. */
int value_duration(struct diag *d, const struct ini_entry *e, uint64_t *ns); /* 10ms, 250us */
int value_bytes(struct diag *d, const struct ini_entry *e, uint64_t *bytes); /* 64, 4K */
int value_number(struct diag *d, const struct ini_entry *e, uint64_t min, uint64_t max,
		 uint32_t *v);
int value_yes(struct diag *d, const struct ini_entry *e, bool *v);
int value_list(struct diag *d, const struct ini_entry *e, struct words *w);
/* One of the words (NULL-terminated): its index, or -1. */
int value_one(struct diag *d, const struct ini_entry *e, const char *const *words);
/* A sorted set of 0..63 as bits: 0-15,32 */
int value_bits(struct diag *d, const struct ini_entry *e, uint64_t *bits);

/* option_key - the value of an option of `godwit run`: what it would say of the option, said of the
 * key. */
void option_key(struct diag *d, struct options *o, const struct ini_entry *e, const char *option);

/* options_complain - what options_finish failed with, said of keys. */
void options_complain(struct diag *d, int line);

/* name_ok - a name for partitions, channels and ports: letters, digits, _ and -, at most `most`.
 */
bool name_ok(const char *name, size_t most);

/* health_key - "health" (every class without a line of its own) or "health.CLASS" into a table that
 * held GW_HEALTH_ACTIONS before. */
void health_key(struct diag *d, const struct ini_entry *e, uint8_t table[GW_HEALTH_CLASSES]);
/* health_rest - the classes that no line was about get `action`. */
void health_rest(uint8_t table[GW_HEALTH_CLASSES], uint8_t action);
/* The health keys of a table of keys. */
#define HEALTH_KEYS(set)                                                                \
	{ "health", set, false }, { "health.deadline", set, false },                    \
		{ "health.application", set, false }, { "health.numeric", set, false }, \
		{ "health.illegal", set, false }, { "health.stack", set, false },       \
		{ "health.memory", set, false }, { "health.hardware", set, false },     \
	{                                                                               \
		"health.power", set, false                                              \
	}

void read_partition(struct diag *d, const struct ini_section *s, struct module_partition *p);
void read_module(struct diag *d, const struct ini_section *s, struct module *m);
void read_window(struct diag *d, const struct ini_section *s, struct module_window *w);
void read_channel(struct diag *d, const struct ini_section *s, struct module_channel *c);

#endif
