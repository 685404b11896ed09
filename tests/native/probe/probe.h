/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - a native program that tries what godwit.h promises, from the inside: the same on both
 * platforms, and under the sanitizers. */
#ifndef GODWIT_TESTS_PROBE_H
#define GODWIT_TESTS_PROBE_H

#include <errno.h>
#include <string.h>
#include "runtime/godwit.h"

extern unsigned passed, failed;
void check_at(bool ok, const char *what, const char *file, int line);
#define CHECK(x) check_at((x), #x, __FILE__, __LINE__)

void try_basics(void);
void try_tasks(void);
void try_tcp(const struct gw_addr *at);
void try_tcp_callbacks(const struct gw_addr *at);
void try_udp(const struct gw_addr *at);
void try_families(void);
/* After the others: what they left in the metrics. */
void try_metrics(void);
/* Bytes to a server that sends them back, by a connection opened here. */
void try_connect(const struct gw_addr *to, size_t bytes);

#endif
