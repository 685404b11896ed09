/* SPDX-License-Identifier: Apache-2.0 */
/* sockets.h - what the rest of the personality may ask of the sockets. */
#ifndef GODWIT_LINUX_SOCKETS_H
#define GODWIT_LINUX_SOCKETS_H

#include "runtime/base/base.h"

/* For the exit summary: TCP connections accepted and opened, packets, over all shards. Any context;
 * the figures of other shards are as of now without order between them. */
void sockets_stats(uint64_t *connections, uint64_t *packets_in, uint64_t *packets_out);

/* What was traced since the last time, to the host. May park. */
void sockets_trace_report(void);

#endif
