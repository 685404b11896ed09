/* SPDX-License-Identifier: Apache-2.0 */
/* str.c - the C library's memory and string functions, for the guest. Compilers emit calls to the
 * first four. Written for few instructions: 8-byte moves whose last one overlaps what was done
 * already, and the string instructions on 8-byte words for long runs (one counted instruction a
 * word under emulation, fast on machines). Built with -fno-tree-loop-distribute-patterns, so that
 * no loop here becomes a call of the function it is in. */
#define STR_DEFINITIONS
#include "runtime/base/errno.h"
#include "runtime/base/str.h"

#if !__STDC_HOSTED__
/* Unaligned words that may alias anything. */
typedef uint64_t __attribute__((may_alias, aligned(1))) word;
typedef uint32_t __attribute__((may_alias, aligned(1))) half;
typedef uint16_t __attribute__((may_alias, aligned(1))) quarter;

#define STRING_MIN 96u /* from here on rep movsq and stosq pay */

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if (n >= STRING_MIN) {
		size_t words = n / 8;
		word tail = *(const word *)(s + n - 8);
		uint8_t *end = d + n - 8;

		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
		*(word *)end = tail;
		return to;
	}
	if (n >= 16) {
		word tail0 = *(const word *)(s + n - 16), tail1 = *(const word *)(s + n - 8);
		uint8_t *end = d + n - 16;

		for (; d < end; d += 16, s += 16) {
			word a = *(const word *)s, b = *(const word *)(s + 8);
			*(word *)d = a;
			*(word *)(d + 8) = b;
		}
		*(word *)end = tail0;
		*(word *)(end + 8) = tail1;
		return to;
	}
	if (n >= 8) {
		word a = *(const word *)s, b = *(const word *)(s + n - 8);
		*(word *)d = a;
		*(word *)(d + n - 8) = b;
	} else if (n >= 4) {
		half a = *(const half *)s, b = *(const half *)(s + n - 4);
		*(half *)d = a;
		*(half *)(d + n - 4) = b;
	} else if (n) {
		uint8_t last = s[n - 1];
		if (n > 1)
			*(quarter *)d = *(const quarter *)s;
		d[n - 1] = last;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *d = to;
	const uint8_t *s = from;
	size_t words;

	if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= n)
		return memcpy(to, from, n); /* apart */
	words = n / 8;
	if (d < s) {
		__asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(words) : : "memory");
		for (n %= 8; n; n--)
			*d++ = *s++;
	} else {
		for (; n % 8; n--)
			d[n - 1] = s[n - 1];
		d += n - 8;
		s += n - 8;
		__asm__ volatile("std\n\trep movsq\n\tcld"
				 : "+D"(d), "+S"(s), "+c"(words)
				 :
				 : "memory");
	}
	return to;
}

void *memset(void *to, int c, size_t n)
{
	uint8_t *d = to;
	uint64_t v = (uint8_t)c * 0x0101010101010101ull;

	if (n >= STRING_MIN) {
		size_t words = n / 8;

		*(word *)(d + n - 8) = v;
		__asm__ volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(v) : "memory");
		return to;
	}
	if (n >= 8) {
		uint8_t *end = d + n - 8;

		for (; d < end; d += 8)
			*(word *)d = v;
		*(word *)end = v;
	} else if (n >= 4) {
		*(half *)d = (uint32_t)v;
		*(half *)(d + n - 4) = (uint32_t)v;
	} else {
		for (; n; n--)
			*d++ = (uint8_t)v;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *x = a, *y = b;

	for (; n >= 8; n -= 8, x += 8, y += 8) {
		uint64_t u = *(const word *)x, v = *(const word *)y;

		if (u != v)
			return __builtin_bswap64(u) < __builtin_bswap64(v) ? -1 : 1;
	}
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (; n; n--, p++)
		if (*p == (uint8_t)c)
			return (void *)(uintptr_t)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; n--)
		a++, b++;
	return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)(uintptr_t)found;
	}
}
#endif

size_t str_copy(char *to, const char *from, size_t size)
{
	size_t len = strlen(from);
	size_t n = len < size ? len : size - 1;

	memcpy(to, from, n);
	to[n] = '\0';
	return len;
}

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 99;
}

int str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t base = 10, v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (!*s)
		return -EINVAL;
	for (const char *p = s; *p; p++)
		if ((uint64_t)digit_of(*p) >= base)
			return -EINVAL;
	for (; *s; s++) {
		uint64_t d = (uint64_t)digit_of(*s);

		if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
			return -ERANGE;
	}
	if (v > max)
		return -ERANGE;
	*out = v;
	return 0;
}
