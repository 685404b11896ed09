/* SPDX-License-Identifier: Apache-2.0 */
/* echo.h - the two styles of the echo server: the same service, to read side by side. */
#ifndef GODWIT_APPS_ECHO_H
#define GODWIT_APPS_ECHO_H

#include "runtime/godwit.h"

/* Each starts echoing TCP and UDP at an address and returns: 0, or what gw_tcp_listen or
 * gw_udp_open answers. */
int echo_with_tasks(const struct gw_addr *at);
int echo_with_callbacks(const struct gw_addr *at);

#endif
