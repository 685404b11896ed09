/* SPDX-License-Identifier: Apache-2.0 */
/* run.h - the parts of load_run (load.h). */
#ifndef GODWIT_LOAD_RUN_H
#define GODWIT_LOAD_RUN_H

#include "tools/load/worker.h"

/* target.c: find_target - the first address of the URL's host that answers. 0 or -1 (fail).
 * want_files - make room for n open files. 0 or -1 (fail). */
int find_target(const struct load_config *c, struct sockaddr_storage *address, socklen_t *len);
int want_files(uint32_t n);

/* What is watched while a run goes on. */
struct watch {
	const struct load_config *config;
	struct worker *workers;
	struct load_result *result;
	FILE *log;
	bool log_failed; /* and that was said */
	uint64_t start, measure_from, end;
	uint64_t *memory;
	struct histogram now, before, slice, part;
	uint64_t sliced_at,
		shown_at; /* when the last interval, and the last progress line, ended */
	uint64_t shown_answered, shown_sent;
	struct histogram shown; /* as of the last progress line */
	size_t slice_room;
};

void watch_init(struct watch *w, const struct load_config *c, struct worker *workers,
		struct load_result *r, FILE *log, uint64_t start);
void watch_free(struct watch *w);
/* watch_tick - an interval has ended. watch_next - when the next one ends. */
void watch_tick(struct watch *w, uint64_t now);
uint64_t watch_next(const struct watch *w);
void watch_finish(struct watch *w, uint64_t now); /* the rest, when the threads have ended */

#endif
