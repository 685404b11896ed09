/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - `godwit host`: a native program as a process of this Linux system. */
#ifndef GODWIT_TOOLS_HOST_H
#define GODWIT_TOOLS_HOST_H

#include "tools/godwit/options.h"

struct host_options {
	struct options base; /* memory, dhcp, addr, gw, dns, hostname, poll_ns, files, sets, argv */
	struct words disks;
	char cores[512];       /* "2,3", or "" */
	const char *net;       /* "tap=IF", "afxdp=IF", "vhost-user=SOCK", "none" */
	const char *interface; /* behind afxdp=, or NULL */
	bool own_address;      /* afxdp: its address is the interface's, shared with Linux */
	unsigned long move;    /* a running program's process, or 0 */
	bool trust_checksums, help;
};

/* host_options_parse - parse what follows `host`. 0, or -1 (fail). */
int host_options_parse(struct host_options *h, int argc, char *const *argv);
void host_options_free(struct host_options *h);
/* host_address - afxdp without --addr: the interface's address and gateway. 0, or -1 (fail). */
int host_address(struct host_options *h);
/* host_move - the shards of process h->move go on on h->cores, shard i on the i'th, beginning again
 * after the last. 0, or -1 (fail). */
int host_move(const struct host_options *h);
/* command_host - godwit host: prepare, then become the program. Returns only when it failed, or for
 * --help and --move: the exit status. */
int command_host(int argc, char *const *argv);

#endif
