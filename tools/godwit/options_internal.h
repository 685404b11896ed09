/* SPDX-License-Identifier: Apache-2.0 */
/* options_internal.h - the option values that deserve a parser of their own (option_net.c). */
#ifndef GODWIT_TOOLS_OPTIONS_INTERNAL_H
#define GODWIT_TOOLS_OPTIONS_INTERNAL_H

#include "tools/godwit/options.h"

/* Each takes the option's value and returns 0 or -1 (fail). */
int option_forward(struct options *o, const char *value);
int option_net(struct options *o, const char *value);
int option_addr(struct options *o, const char *value);
int option_congestion(struct options *o, const char *value);
int option_ecn(struct options *o, const char *value);

/* option_net_defaults - fill in what --net and --addr left open, refuse what contradicts. */
int option_net_defaults(struct options *o);

#endif
