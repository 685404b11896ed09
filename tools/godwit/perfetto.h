/* SPDX-License-Identifier: Apache-2.0 */
/* perfetto.h - writing trace files in the Trace Event Format (JSON, array form), which Perfetto
 * (ui.perfetto.dev) and chrome://tracing open. Events may come in any order. Times are nanoseconds;
 * names may hold any bytes. The file is complete after perfetto_close; cut off before, the viewers
 * still take it. */
#ifndef GODWIT_TOOLS_PERFETTO_H
#define GODWIT_TOOLS_PERFETTO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct perfetto {
	FILE *file; /* NULL: not open */
	const char *path;
	uint64_t events;
};

/* Shown beside an event: text, or, when that is NULL, the number. An array ends with key NULL. */
struct perfetto_arg {
	const char *key, *text;
	uint64_t number;
};

/* perfetto_open - create or empty the file. path stays the caller's. 0 or -1 (fail).
 * perfetto_begin - write to an open stream, which perfetto_close closes; path is its name in
 * errors. */
int perfetto_open(struct perfetto *p, const char *path);
void perfetto_begin(struct perfetto *p, FILE *f, const char *path);
/* What a track is called: tracks (tid) are grouped by process (pid). */
void perfetto_process(struct perfetto *p, uint32_t pid, const char *name);
void perfetto_thread(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name);
/* A bar on a track. Bars of one track nest or follow each other. args may be NULL. */
void perfetto_slice(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name,
		    uint64_t start_ns, uint64_t length_ns, const struct perfetto_arg *args);
/* A point on a track. */
void perfetto_instant(struct perfetto *p, uint32_t pid, uint32_t tid, const char *name,
		      uint64_t at_ns, const struct perfetto_arg *args);
/* perfetto_close - end the file. 0 or -1 (fail: something could not be written). Not open: 0. */
int perfetto_close(struct perfetto *p);

#endif
