/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - the test programs' lines of text, and their clock. */
#include "kernel/test/probe_call.h"

const struct gw_boot_info *boot;
static uint32_t line_len;

void out(const char *s)
{
	while (*s)
		area(0)->batch.bytes[line_len++] = (uint8_t)*s++;
}

void out_number(uint64_t v)
{
	char digits[24];
	uint32_t n = sizeof(digits) - 1;

	digits[n] = 0;
	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	out(&digits[n]);
}

void out_flush(void)
{
	out("\r\n");
	call(GW_CALL_CONSOLE_WRITE, line_len, 0, 0, 0);
	line_len = 0;
}

uint64_t now_ns(void)
{
	return (uint64_t)((unsigned __int128)(ticks() - boot->clock.tsc_base) * boot->clock.mult >>
			  32);
}
