/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a minimal formatter for the debug UART. Formats come from the kernel's own text only. */
#include <stdarg.h>

#include "kernel/core/log.h"

static void put_text(const char *s)
{
	while (*s) {
		if (*s == '\n')
			arch_console_byte('\r');
		arch_console_byte((uint8_t)*s++);
	}
}

static void put_number(uint64_t v, uint32_t base, uint32_t width)
{
	char digits[24];
	uint32_t n = sizeof(digits);

	digits[--n] = 0;
	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0 && n > 0);
	while (n > 0 && sizeof(digits) - 1 - n < width)
		digits[--n] = '0';
	put_text(&digits[n]);
}

static void log_va(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		uint32_t width = 0;
		bool wide = false;

		if (*fmt != '%') {
			char text[2] = { *fmt, 0 };

			put_text(text);
			continue;
		}
		for (fmt++; *fmt >= '0' && *fmt <= '9'; fmt++)
			width = width * 10 + (uint32_t)(*fmt - '0');
		if (*fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			put_text(va_arg(ap, const char *));
			break;
		case 'c':
			arch_console_byte((uint8_t)va_arg(ap, int));
			break;
		case 'd':
		case 'u':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, uint32_t), 10, width);
			break;
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, uint32_t), 16, width);
			break;
		case 0:
			return;
		default:
			arch_console_byte((uint8_t)*fmt);
			break;
		}
	}
}

void log_text(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
}

void fail(uint32_t status, const char *fmt, ...)
{
	va_list ap;

	log_text("\ngodwit: ");
	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
	log_text("\n");
	arch_shutdown(status);
}
