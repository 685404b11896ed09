/* SPDX-License-Identifier: Apache-2.0 */
/* report.h - what the host is told about the program (abi/channel.h). */
#ifndef GODWIT_LINUX_REPORT_H
#define GODWIT_LINUX_REPORT_H

#include "runtime/virtio/console.h"

/* enosys records: system calls that were asked for and are not there. */
void report_unknown_syscalls(void);
/* stat and enosys records. */
void report_stats(void);
/* A program listens on a port that can be reached from outside: tcp or udp (both families, or IPv4
 * alone), tcp6 or udp6 (IPv6 alone). */
void report_listen(const char *protocol, uint16_t port);
/* A point of the boot timeline, now. */
void report_boot(const char *name);

#endif
