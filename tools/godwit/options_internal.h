/* SPDX-License-Identifier: Apache-2.0 */
/* options_internal.h - the option values that deserve a parser of their own (option_net.c). */
#ifndef GODWIT_TOOLS_OPTIONS_INTERNAL_H
#define GODWIT_TOOLS_OPTIONS_INTERNAL_H

#include "tools/godwit/options.h"

/* Each takes the option's value and returns 0 or -1 (fail). */
int option_forward(struct options *o, const char *value);
int option_net(struct options *o, const char *value);
int option_addr(struct options *o, const char *value);
int option_addr6(struct options *o, const char *value);
int option_congestion(struct options *o, const char *value);
int option_ecn(struct options *o, const char *value);

/* option_net6_defaults - without --addr6 it is `otherwise`; user: QEMU's own network, where gateway
 * and name server are ::2 and ::3 of it unless given. */
void option_net6_defaults(struct options *o, enum ip6_kind otherwise, bool user);
/* option_net_defaults - fill in what --net and --addr left open, refuse what contradicts. */
int option_net_defaults(struct options *o);

#endif
