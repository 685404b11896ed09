/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - log lines to standard error, one write each so that those of several vcores do not mix;
 * the end by a broken invariant is abort, for a core file and for the sanitizers. */
#include <stdlib.h>
#include <unistd.h>

#include "runtime/base/str.h"
#include "runtime/platform/linux/hosted.h"

#define LINE 320u

static void PRINTF_LIKE(2, 0) line(const char *prefix, const char *fmt, va_list ap)
{
	char buf[LINE];

	(void)!write(STDERR_FILENO, buf, fmt_vline(buf, sizeof(buf), prefix, fmt, ap));
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

_Noreturn void panic(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("panic: ", fmt, ap);
	va_end(ap);
	abort();
}

_Noreturn void hosted_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("godwit: ", fmt, ap);
	va_end(ap);
	exit(2);
}
