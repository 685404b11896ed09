/* SPDX-License-Identifier: Apache-2.0 */
/* config.h - the configuration blob that the runtime reads (abi/channel.h). */
#ifndef GODWIT_TOOLS_CONFIG_H
#define GODWIT_TOOLS_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/util.h"

struct config {
	const char *program; /* guest path, or NULL */
	const struct words *args;
	const struct words *env, *sets, *more; /* or NULL. more: whole KEY=VALUE entries */
	const char *cwd, *hostname;
	uint32_t uid, gid;			 /* said with a program only */
	const char *net;			 /* dhcp, static, none */
	const char *net_addr, *net_gw, *net_dns; /* NULL: not said */
	const char *net6;			 /* auto, static, none; NULL: not said */
	const char *net6_addr, *net6_gw, *net6_dns;
	const char *net_congestion;    /* cubic, bbr; NULL: not said */
	const char *net_ecn;	       /* request, off; NULL: not said */
	uint64_t poll_ns, trace_every; /* trace_every 0: not said */
	const char *root;	       /* blk, memory, none */
	bool tty, no_input;
	const struct words *ports; /* values of port=; NULL: none */
	uint32_t raise;		   /* bit n: raise=n */
};

/* config_write - the strings, one NUL behind each, and an empty one at the end. */
void config_write(struct text *blob, const struct config *c);

#endif
