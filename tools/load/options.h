/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of run and sweep. */
#ifndef GODWIT_LOAD_OPTIONS_H
#define GODWIT_LOAD_OPTIONS_H

#include "tools/load/load.h"

struct sweep_options {
	uint64_t slo_ppb, slo_ns; /* a percentile that must stay below */
	double max_rate;
	double precision; /* of the knee: 0.05 */
	uint32_t tries;	  /* for a rate that seems to fail */
};

/* options_parse - argv behind the command; sweep NULL: options of run only. Returns 0, 1 when
 * --help was asked for, or -1 (fail). options_free in all cases. */
int options_parse(struct load_config *c, struct sweep_options *sweep, int argc, char **argv);
void options_free(struct load_config *c);

/* parse_every - "100ms/1s". 0 or -1. */
int parse_every(const char *s, uint64_t *what_ns, uint64_t *each_ns);

#endif
