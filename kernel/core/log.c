/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - a minimal formatter for the debug UART. Formats come from the kernel's own text only. */
#include <stdarg.h>

#include "kernel/core/log.h"

#define RING ((uint32_t)PAGE_SIZE)
#define LOCK_TRIES 10000000u

static uint8_t *ring;					 /* NULL: none, text goes out at once */
static _Atomic uint32_t ring_head, ring_tail, ring_lock; /* written, put out */

static void put_byte(uint8_t byte)
{
	if (ring == NULL)
		arch_console_byte(byte);
	else if (ring_head - ring_tail < RING)
		ring[ring_head++ % RING] = byte;
}

static void put_text(const char *s)
{
	while (*s) {
		if (*s == '\n')
			put_byte('\r');
		put_byte((uint8_t)*s++);
	}
}

/* Held for a line at most, with interrupts off. */
static void lock(void)
{
	while (ring != NULL && atomic_exchange(&ring_lock, 1) != 0)
		__builtin_ia32_pause();
}

bool log_drain(uint32_t n)
{
	if (ring == NULL || ring_head == ring_tail || atomic_exchange(&ring_lock, 1) != 0)
		return false;
	for (; n > 0 && ring_tail != ring_head; n--)
		arch_console_byte(ring[ring_tail++ % RING]);
	atomic_store(&ring_lock, 0);
	return true;
}

void log_deferred(uint8_t *page)
{
	ring = page;
}

void log_direct(void)
{
	/* Another core may be putting out some of it, for a moment; or this one was, before an NMI.
	 */
	for (uint32_t i = 0; ring != NULL && ring_head != ring_tail && i < LOCK_TRIES; i++)
		if (!log_drain(RING))
			__builtin_ia32_pause();
	ring = NULL;
}

static void put_number(uint64_t v, uint32_t base, uint32_t width)
{
	char digits[24];
	uint32_t n = sizeof(digits);

	digits[--n] = 0;
	do {
		digits[--n] = "0123456789abcdef"[v % base];
		v /= base;
	} while (v != 0); /* 64 bits are 20 digits at most */
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
		case 'u':
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t) : va_arg(ap, uint32_t),
				   *fmt == 'x' ? 16 : 10, width);
			break;
		case 0:
			return;
		default:
			put_byte((uint8_t)*fmt);
			break;
		}
	}
}

void log_text(const char *fmt, ...)
{
	va_list ap;

	lock();
	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
	atomic_store(&ring_lock, 0);
}

uint32_t log_room(void)
{
	return ring == NULL ? RING : RING - (ring_head - ring_tail);
}

static void put_line(struct log_line *line, const char *name)
{
	put_text(name);
	put_text(": ");
	for (uint32_t i = 0; i < line->n; i++)
		put_byte(line->bytes[i]);
	put_byte('\n');
	line->n = 0;
}

void log_console(struct log_line *line, const char *name, const uint8_t *bytes, uint32_t n)
{
	if (name == NULL) {
		for (uint32_t i = 0; i < n; i++)
			arch_console_byte(bytes[i]);
		return;
	}
	lock(); /* also of the line: a partition may write it from several cores */
	for (uint32_t i = 0; i < n; i++) {
		if (bytes[i] != '\n' && bytes[i] != '\r')
			line->bytes[line->n++] = bytes[i];
		if (bytes[i] == '\n' || line->n == sizeof(line->bytes))
			put_line(line, name);
	}
	atomic_store(&ring_lock, 0);
}

void fail(uint32_t status, const char *fmt, ...)
{
	va_list ap;

	log_direct();
	log_text("\ngodwit: ");
	va_start(ap, fmt);
	log_va(fmt, ap);
	va_end(ap);
	log_text("\n");
	arch_shutdown(status);
}
