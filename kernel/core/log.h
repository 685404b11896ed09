/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - text to the debug UART: one short line at boot, messages when something is wrong. */
#ifndef GODWIT_KERNEL_LOG_H
#define GODWIT_KERNEL_LOG_H

#include "kernel/core/lib.h"

/* log_text - print fmt. Conversions: %s, %u and %d (32 bits), %lu (64 bits), %x and %lx, %c, %%; a
 * width with leading zeros for %x and %lx (%016lx). Context: any; lines of several cores may
 * interleave. */
__attribute__((format(printf, 1, 2))) void log_text(const char *fmt, ...);

/* The architecture's output of one byte; bounded wait. */
void arch_console_byte(uint8_t byte);

/* fail - print "godwit: " and the message, and end the machine with status. */
__attribute__((format(printf, 2, 3), noreturn)) void fail(uint32_t status, const char *fmt, ...);

/* Exit statuses of the machine that the kernel itself chooses. */
enum { STATUS_CONFIG = 3, STATUS_FAULT = 125 };

__attribute__((noreturn)) void arch_shutdown(uint32_t status);

#endif
