/* SPDX-License-Identifier: Apache-2.0 */
/* support.c - what the stack wants from runtime/base, for host tests: deterministic randomness,
 * logs to stderr. */
#include <stdio.h>
#include <stdlib.h>
#include "runtime/base/str.h"

static uint64_t state = 0x9e3779b97f4a7c15ull;

void random_seed(const void *entropy, size_t n)
{
	const uint8_t *e = entropy;

	for (size_t i = 0; i < n; i++)
		state = (state ^ e[i]) * 0x100000001b3ull;
}

uint32_t random_u32(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

void random_bytes(void *to, size_t n)
{
	uint8_t *p = to;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)random_u32();
}

static void say(const char *level, const char *fmt, va_list args)
{
	fprintf(stderr, "%s: ", level);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

void log_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("info", fmt, args);
	va_end(args);
}

void log_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("warn", fmt, args);
	va_end(args);
}

_Noreturn void panic(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("panic", fmt, args);
	va_end(args);
	abort();
}
