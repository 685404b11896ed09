/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - the command line of `godwit run`, checked and with its defaults filled in. */
#ifndef GODWIT_TOOLS_OPTIONS_H
#define GODWIT_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/base/util.h"

enum net_kind { NET_USER, NET_TAP, NET_NONE };
enum ip6_kind { IP6_DEFAULT, IP6_NONE, IP6_AUTO, IP6_STATIC };
#define IP6_TEXT 50 /* an address, perhaps with /LEN */
enum machine_kind { MACHINE_Q35, MACHINE_MICROVM };
enum accel_kind { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

struct forward {
	char addr[16]; /* host address, dotted */
	uint16_t host, guest;
	bool udp;
};

struct options {
	struct forward *forwards;
	size_t n_forwards;
	uint64_t memory; /* bytes */
	uint32_t vcores;
	struct words env, files, qemu_args;
	struct words sets;     /* KEY=VALUE for a native program */
	const char *files_dir; /* what gw_file finds, or NULL */
	bool native;
	enum net_kind net;
	char tap[16]; /* interface */
	bool dhcp;
	char addr[20], gw[16], dns[16]; /* static: A.B.C.D/LEN; "" = none */
	enum ip6_kind ip6;
	char addr6[IP6_TEXT], gw6[IP6_TEXT], dns6[IP6_TEXT]; /* IP6_STATIC; "" = none */
	const char *congestion;				     /* NULL: cubic */
	const char *ecn;				     /* request, off; NULL: accept */
	enum machine_kind machine;
	enum accel_kind accel;
	const char *root; /* blk, memory, none */
	uint64_t poll_ns;
	const char *hostname, *cwd, *say;
	const char *metrics;  /* [ADDR:]PORT, or NULL */
	char *trace;	      /* a file for requests' lives, or NULL */
	uint64_t trace_every; /* of how many received data packets one is followed; 0: none */
	uint32_t uid, gid;
	bool print_qemu, summary, timeline, help;
	bool deterministic; /* every run is the same to the instruction */
	uint32_t raise;	    /* bit n: the program's errors of that class go to the health monitor */
	bool no_random;	    /* no entropy device */
	bool isolated; /* devices reach their partition's memory only. A machine's: it has an IOMMU
			*/
	bool bare;     /* argv[0] is the partition program itself: nothing is packed */
	bool no_input; /* the program's standard input is at its end from the start */
	char *const *argv; /* PROGRAM and its arguments, NULL-terminated, inside the argv given */
};

/* options_parse - parse argv[0..argc) (what follows `run`). Returns 0, or -1 (fail) with a message
 * that names the option and what it takes. With help set nothing else holds. Sets `verbose` for -v.
 */
int options_parse(struct options *o, int argc, char *const *argv);
/* options_defaults - all at their defaults. option_set - one option by its name ("-p", "--net"); 0
 * or -1 (fail). options_finish - what follows from them, and contradictions; 0 or -1 (fail). These
 * are options_parse for another way of writing them. */
void options_defaults(struct options *o);
int option_set(struct options *o, const char *name, const char *value);
int options_finish(struct options *o);
/* options_net6 - the configuration's word for o->ip6 (not IP6_DEFAULT). */
const char *options_net6(const struct options *o);
/* option_ip6_network - the network of a static IPv6 address, "fec0::/64". */
void option_ip6_network(const struct options *o, char to[IP6_TEXT]);
void options_free(struct options *o);

#endif
