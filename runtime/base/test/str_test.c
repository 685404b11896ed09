/* SPDX-License-Identifier: Apache-2.0 */
/* str_test.c - the guest's own mem* and str*: str.c is compiled freestanding under other names, and
 * compared with the C library's at every small length and offset. */
#include <stdlib.h>
#include <string.h>

void *our_memcpy(void *restrict to, const void *restrict from, size_t n);
void *our_memmove(void *to, const void *from, size_t n);
void *our_memset(void *to, int c, size_t n);
int our_memcmp(const void *a, const void *b, size_t n);
void *our_memchr(const void *s, int c, size_t n);
size_t our_strlen(const char *s);
size_t our_strnlen(const char *s, size_t max);
int our_strcmp(const char *a, const char *b);
int our_strncmp(const char *a, const char *b, size_t n);
char *our_strchr(const char *s, int c);
char *our_strrchr(const char *s, int c);

#include "tests/unit.h"

#define SIZE 700u

static unsigned char a[SIZE], b[SIZE], c[SIZE];

static void fill(unsigned seed)
{
	for (unsigned i = 0; i < SIZE; i++)
		a[i] = b[i] = (unsigned char)(i * 13 + seed);
}

TEST(memcpy)
{
	for (size_t n = 0; n < 300; n++)
		for (size_t off = 0; off < 9; off++) {
			unsigned char *exact =
				malloc(n + 1); /* the sanitizer sees a read too far */

			for (size_t i = 0; i < n; i++)
				exact[i] = (unsigned char)(i + n);
			fill((unsigned)n);
			CHECK(our_memcpy(a + off, exact, n) == a + off);
			for (size_t i = 0; i < n; i++)
				b[off + i] = exact[i];
			CHECK(memcmp(a, b, SIZE) == 0);
			free(exact);
		}
}

TEST(memmove)
{
	for (size_t n = 0; n < 200; n++)
		for (size_t from = 0; from < 40; from += 3)
			for (size_t to = 0; to < 40; to++) {
				fill((unsigned)n);
				memcpy(c, a, SIZE);
				our_memmove(a + to, a + from, n);
				memmove(c + to, c + from, n);
				CHECK(memcmp(a, c, SIZE) == 0);
			}
}

TEST(memset)
{
	for (size_t n = 0; n < 300; n++) {
		fill(1);
		CHECK(our_memset(a + 3, 0x1a5, n) == a + 3);
		for (size_t i = 0; i < n; i++)
			b[3 + i] = 0xa5;
		CHECK(memcmp(a, b, SIZE) == 0);
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

TEST(compare)
{
	for (size_t n = 0; n < 60; n++)
		for (size_t at = 0; at < 60; at++) {
			fill(7);
			b[at] = (unsigned char)(b[at] + 1 + n);
			CHECK_EQ(sign(our_memcmp(a, b, n)), sign(memcmp(a, b, n)));
			CHECK(our_memchr(a, (int)(a[at] + 256u), n) == memchr(a, a[at], n));
		}
	CHECK_EQ(our_strlen("abc"), 3);
	CHECK_EQ(our_strnlen("abc", 2), 2);
	CHECK_EQ(our_strnlen("abc", 9), 3);
	CHECK(our_strcmp("a", "b") < 0 && our_strcmp("b", "a") > 0 && our_strcmp("ab", "ab") == 0);
	CHECK(our_strcmp("a", "ab") < 0 && our_strcmp("\xff", "a") > 0);
	CHECK(our_strncmp("abc", "abd", 2) == 0 && our_strncmp("abc", "abd", 3) < 0);
	CHECK(our_strncmp("ab", "abc", 9) < 0 && our_strncmp("a", "b", 0) == 0);
	CHECK_STR(our_strchr("key=value=x", '='), "=value=x");
	CHECK_STR(our_strrchr("key=value=x", '='), "=x");
	CHECK(our_strchr("abc", 'x') == NULL && our_strrchr("abc", 'x') == NULL);
	CHECK_STR(our_strchr("abc", 0), "");
	CHECK_STR(our_strrchr("abc", 0), "");
}

UNIT_MAIN(CASE(memcpy), CASE(memmove), CASE(memset), CASE(compare))
