/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - text to the debug UART: one short line at boot, messages when something is wrong. */
#ifndef GODWIT_KERNEL_LOG_H
#define GODWIT_KERNEL_LOG_H

#include "kernel/core/lib.h"

/* log_text - print fmt. Conversions: %s, %u (32 bits), %lu (64 bits), %x and %lx, %%; a width with
 * leading zeros for %x and %lx (%016lx). Context: any; lines of several cores may interleave. */
__attribute__((format(printf, 1, 2))) void log_text(const char *fmt, ...);

/* log_deferred, log_direct - from here on, text goes to a ring in the page (what has no room is
 * dropped), or to the UART at once; direct empties the ring first. With several partitions,
 * no time is spent on the UART but that of idle cores, and of who writes to the console.
 * log_drain - put out at most n bytes of the ring. Returns whether there were any. log_room - bytes
 * that it has room for. */
void log_deferred(uint8_t *page);
void log_direct(void);
bool log_drain(uint32_t n);
uint32_t log_room(void);

/* What a partition has written of its current line, when there are several partitions. */
struct log_line {
	uint32_t n;
	uint8_t bytes[124];
};

/* log_console - a partition's text, n bytes, to the UART. name: there are several: whole lines are
 * put out (long ones in pieces), each with the name in front, in order with all other text; NULL:
 * there is only one. n bytes need log_room for LOG_CONSOLE_ROOM(n), else some are lost. */
#define LOG_CONSOLE_ROOM(n) (((n) + 1) * 35u + 124u)
void log_console(struct log_line *line, const char *name, const uint8_t *bytes, uint32_t n);

/* The architecture's output of one byte; bounded wait. */
void arch_console_byte(uint8_t byte);

/* fail - print "godwit: " and the message, and end the machine with status. */
__attribute__((format(printf, 2, 3), noreturn)) void fail(uint32_t status, const char *fmt, ...);

/* Exit statuses of the machine that the kernel itself chooses. */
enum { STATUS_CONFIG = 3, STATUS_FAULT = 125 };

__attribute__((noreturn)) void arch_shutdown(uint32_t status);

#endif
