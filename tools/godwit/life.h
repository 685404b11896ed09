/* SPDX-License-Identifier: Apache-2.0 */
/* life.h - requests' lives: the guest's trace records (abi/channel.h) as a trace file, and as a
 * table of where the time went. The guest is not trusted: what makes no sense is refused, and only
 * so much is kept. */
#ifndef GODWIT_TOOLS_LIFE_H
#define GODWIT_TOOLS_LIFE_H

#include "abi/channel.h"
#include "tools/base/util.h"
#include "tools/godwit/perfetto.h"

#define LIFE_MAX 1000000u	    /* requests in the table; all are in the file */
#define LIFE_CONNECTIONS 1000u	    /* with a track of their own */
#define LIFE_REMOTE 60		    /* a client's name and NUL: "[IPv6]:port" */
#define LIFE_STAGES GW_TRACE_POINTS /* stage i ends at point i; 0 stands for the whole */

struct life {
	struct perfetto out;
	char (*connections)[LIFE_REMOTE];
	uint32_t n_connections;
	uint64_t *ns[LIFE_STAGES]; /* of each stage, one entry for each request that has it */
	size_t n[LIFE_STAGES], room[LIFE_STAGES];
	uint64_t total_ns[LIFE_STAGES];
	uint64_t lost, unanswered;
};

/* life_open - begin; program: for the tracks' title. path: the trace file. 0 or -1 (fail). */
int life_open(struct life *l, const char *path, const char *program);
/* life_add - take what follows `trace` in a record. 0, or -1: it makes no sense, and is left out.
 */
int life_add(struct life *l, const char *text);
/* life_table - where the time went. */
void life_table(const struct life *l, struct text *out);
/* life_close - end the file and free all. 0 or -1 (fail). */
int life_close(struct life *l);

#endif
