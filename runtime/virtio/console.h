/* SPDX-License-Identifier: Apache-2.0 */
/* console.h - the host's byte streams: virtio-console ports (0 stdin/stdout, 1 stderr, 2 control).
 */
#ifndef GODWIT_RUNTIME_CONSOLE_H
#define GODWIT_RUNTIME_CONSOLE_H

#include "runtime/sched/sched.h"

#define CONSOLE_PORTS 3u
/* Output: copies into the port's ring; parks while it is full (never when called from the loop:
 * then what does not fit is dropped and counted). Without a virtio console, ports 0 and 1 go to the
 * kernel's UART. Returns n. */
size_t console_write(unsigned port, const void *data, size_t n);
/* Input: takes up to n bytes now, 0 = none yet. wait queue: notified when input came or the port
 * closed. */
size_t console_read(unsigned port, void *data, size_t n);
bool console_closed(unsigned port);
/* The host said that the port's input ends after n bytes in all: closed once they are read. */
void console_end_input(unsigned port, uint64_t n);
struct waitq *console_waitq(unsigned port);
/* Wait until everything written has been taken by the host (bounded: 2 s). */
void console_drain(void);
/* One formatted line to the control port. */
void control_line(const char *fmt, ...) PRINTF_LIKE(1, 2);
#endif
