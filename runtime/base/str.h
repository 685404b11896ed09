/* SPDX-License-Identifier: Apache-2.0 */
/* str.h - the C library's memory and string functions that the runtime uses, and bounded
 * formatting. In the guest they are ours (str.c, fmt.c); host builds take the C library's mem* and
 * str*. */
#ifndef GODWIT_RUNTIME_STR_H
#define GODWIT_RUNTIME_STR_H

#include <stdarg.h>
#include "runtime/base/base.h"

#if __STDC_HOSTED__
#include <string.h>
#else
void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
/* A freestanding compiler takes these for any functions. By their builtin names, small constant
 * sizes become a few moves, and the length of a literal a number. */
#ifndef STR_DEFINITIONS
#define memcpy(to, from, n) __builtin_memcpy(to, from, n)
#define memmove(to, from, n) __builtin_memmove(to, from, n)
#define memset(to, c, n) __builtin_memset(to, c, n)
#define memcmp(a, b, n) __builtin_memcmp(a, b, n)
#define strlen(s) __builtin_strlen(s)
#define strcmp(a, b) __builtin_strcmp(a, b)
#endif
#endif

/* Copy at most size-1 bytes and terminate. Returns strlen(from). size > 0. */
size_t str_copy(char *to, const char *from, size_t size);

/* As C99 snprintf with %d %i %u %x %X %o %c %s %p %% , flags 0 - + # space, width, precision, *,
 * and hh h l ll z. Returns the length the whole text would have. */
int fmt_print(char *to, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);
int fmt_vprint(char *to, size_t size, const char *fmt, va_list args);

/* fmt_vline - a line of a log: prefix, the text, cut to what fits, and '\n'. size: more than the
 * prefix and 2. Returns how many bytes it has; there is no NUL behind it. */
size_t fmt_vline(char *to, size_t size, const char *prefix, const char *fmt, va_list args);

/* Parse an unsigned number (base 10, or 0x). Returns 0, -EINVAL (not a number, trailing text) or
 * -ERANGE (> max). */
int str_to_u64(const char *s, uint64_t max, uint64_t *out) MUST_CHECK;

/* CRC-32C (Castagnoli), seed 0 for a new sum: crc = crc32c(crc, p, n). */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);

/* Fill with cryptographic random bytes (ChaCha20, seeded by virtio-rng, RDRAND and time at boot;
 * host builds: deterministic unless seeded). Context: any vcore. */
void random_bytes(void *to, size_t n);
uint32_t random_u32(void);
/* Mix entropy into the generator. */
void random_seed(const void *entropy, size_t n);

#endif
