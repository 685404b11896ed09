/* SPDX-License-Identifier: Apache-2.0 */
/* records.h - what the guest's runtime reports on the control port (abi/channel.h), line by line.
 * The guest is not trusted: lines are bounded, numbers checked, text made printable, lists limited.
 */
#ifndef GODWIT_TOOLS_RECORDS_H
#define GODWIT_TOOLS_RECORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/channel.h"

#define RECORDS_MAX 256u /* of each kind */

struct record {
	char name[48];
	uint64_t value;
};

struct record_list {
	struct record v[RECORDS_MAX];
	uint32_t n;
};

enum record_kind {
	RECORD_BAD,
	RECORD_BOOT,
	RECORD_LISTEN,
	RECORD_STAT,
	RECORD_ENOSYS,
	RECORD_METRIC,
	RECORD_TRACE,
	RECORD_ERROR,
	RECORD_SIGNAL,
	RECORD_EXIT
};

struct records {
	char line[GW_CHANNEL_LINE]; /* being received */
	uint32_t line_len;
	bool too_long;
	struct record_list boot, listen, stats,
		enosys; /* listen: name tcp or udp, value the port */
	uint32_t bad;
	bool exited;
	uint8_t status;
	uint32_t signal; /* 0: none */
	char signal_name[48];
	char error[GW_CHANNEL_LINE];  /* the last one; "" none */
	char metric[GW_CHANNEL_LINE]; /* the last line of metrics; "": that was all */
	char trace[GW_CHANNEL_LINE];  /* the last trace record */
};

/* records_input - take n received bytes; `seen` is called for each whole line with what it was. */
void records_input(struct records *r, const char *bytes, uint32_t n,
		   void (*seen)(void *context, enum record_kind kind), void *context);

/* records_line - take one line (without '\n'). */
enum record_kind records_line(struct records *r, const char *line);

/* record_find - the value of the named record; NULL when it was not sent. */
const uint64_t *record_find(const struct record_list *list, const char *name);

#endif
