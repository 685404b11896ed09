/* SPDX-License-Identifier: Apache-2.0 */
/* base_test.c - formatting, strings, CRC-32C, the random generator and lists. */
#include <errno.h>
#include <stdlib.h>
#include "runtime/base/list.h"
#include "runtime/base/random_internal.h"
#include "runtime/base/str.h"
#include "tests/unit.h"

uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);

#define SAME(...)                                                      \
	do {                                                           \
		char ours[128], theirs[128];                           \
		int n = fmt_print(ours, sizeof(ours), __VA_ARGS__);    \
		int m = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		CHECK_EQ(n, m);                                        \
		CHECK_STR(ours, theirs);                               \
	} while (0)

TEST(fmt)
{
	char buf[8];

	SAME("plain");
	SAME("%d %i %u %x %X %o %c %s %%", -5, 7, 4000000000u, 0xbeef, 0xbeef, 8, 'c', "text");
	SAME("[%5d] [%-5d] [%05d] [%+d] [% d] [%5s] [%-5s] [%.2s]", 42, 42, 42, 42, 42, "ab", "ab",
	     "abc");
	SAME("[%#x] [%#o] [%#x] [%08x] [%.8x] [%8.4x] [%-8.4x]", 255, 8, 0, 0xab, 0xab, 0xab, 0xab);
	SAME("%hhd %hd %ld %lld %zu %hhu %hu", 300, 70000, -1l, (long long)INT64_MIN, (size_t)-1,
	     300, 70000);
	SAME("%*d %-*d %.*s %*d", 6, 1, 6, 2, 2, "xyz", -6, 3);
	SAME("%p", (void *)0x1234);
	SAME("[%.0d] [%.d] [%.0d] [%5.0d]", 0, 0, 1, 0);
	SAME("%lu %lx", (unsigned long)UINT64_MAX, (unsigned long)UINT64_MAX);
	SAME("%05d %05d %+05d %-+5d|", -42, 42, 42, 42);
	CHECK_EQ(fmt_print(buf, sizeof(buf), "%s", "123456789"), 9);
	CHECK_STR(buf, "1234567");
	CHECK_EQ(fmt_print(NULL, 0, "%d", 12345), 5);
	CHECK_EQ(fmt_print(buf, 1, "abc"), 3);
	CHECK_STR(buf, "");
}

static size_t vline(char *to, size_t size, const char *prefix, const char *fmt, ...)
{
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_vline(to, size, prefix, fmt, ap);
	va_end(ap);
	return n;
}

TEST(line)
{
	char *to = malloc(8);

	CHECK_EQ(vline(to, 8, "", "%d", 42), 3);
	CHECK(memcmp(to, "42\n", 3) == 0);
	CHECK_EQ(vline(to, 8, "p: ", "%s", "abcd"), 8);
	CHECK(memcmp(to, "p: abcd\n", 8) == 0);
	CHECK_EQ(vline(to, 8, "p: ", "%s", "abcdefgh"), 8);
	CHECK(memcmp(to, "p: abcd\n", 8) == 0);
	CHECK_EQ(vline(to, 8, "p: ", "%s", ""), 4);
	free(to);
}

TEST(numbers)
{
	uint64_t v = 99;

	CHECK_EQ(str_to_u64("123", 1000, &v), 0);
	CHECK_EQ(v, 123);
	CHECK_EQ(str_to_u64("0xfF", 1000, &v), 0);
	CHECK_EQ(v, 255);
	CHECK_EQ(str_to_u64("18446744073709551615", UINT64_MAX, &v), 0);
	CHECK(v == UINT64_MAX);
	CHECK_EQ(str_to_u64("18446744073709551616", UINT64_MAX, &v), -ERANGE);
	CHECK_EQ(str_to_u64("0x1ffffffffffffffff", UINT64_MAX, &v), -ERANGE);
	CHECK_EQ(str_to_u64("1001", 1000, &v), -ERANGE);
	CHECK_EQ(str_to_u64("", 1000, &v), -EINVAL);
	CHECK_EQ(str_to_u64("0x", 1000, &v), -EINVAL);
	CHECK_EQ(str_to_u64("12a", 1000, &v), -EINVAL);
	CHECK_EQ(str_to_u64("-1", 1000, &v), -EINVAL);
	CHECK_EQ(str_to_u64("99999999999999999999x", 1000, &v), -EINVAL);
	CHECK(v == UINT64_MAX);
}

TEST(copy)
{
	char to[4];

	CHECK_EQ(str_copy(to, "ab", sizeof(to)), 2);
	CHECK_STR(to, "ab");
	CHECK_EQ(str_copy(to, "abcdef", sizeof(to)), 6);
	CHECK_STR(to, "abc");
	CHECK_EQ(str_copy(to, "x", 1), 1);
	CHECK_STR(to, "");
}

TEST(crc)
{
	uint8_t data[100];

	/* RFC 3720, B.4 */
	memset(data, 0, 32);
	CHECK_EQ(crc32c(0, data, 32), 0x8a9136aau);
	CHECK_EQ(crc32c_portable(0, data, 32), 0x8a9136aau);
	memset(data, 0xff, 32);
	CHECK_EQ(crc32c(0, data, 32), 0x62a8ab43u);
	CHECK_EQ(crc32c(0, "123456789", 9), 0xe3069283u);
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		CHECK_EQ(crc32c(0, data, n), crc32c_portable(0, data, n));
		CHECK_EQ(crc32c(crc32c(0, data, n), data + n, sizeof(data) - n),
			 crc32c(0, data, sizeof(data)));
	}
}

TEST(chacha20)
{
	/* RFC 8439, 2.3.2 */
	static const uint8_t want[64] = {
		0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3,
		0x20, 0x71, 0xc4, 0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22,
		0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e, 0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa,
		0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2, 0xb5, 0x12, 0x9c, 0xd1,
		0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
	};
	const uint32_t nonce[3] = { 0x09000000, 0x4a000000, 0 };
	uint32_t key[8];
	uint8_t bytes[32], out[64];

	for (int i = 0; i < 32; i++)
		bytes[i] = (uint8_t)i;
	memcpy(key, bytes, 32);
	chacha20_block(key, 1, nonce, out);
	CHECK(memcmp(out, want, 64) == 0);
	/* RFC 8439, A.1, vector 1: all zero */
	memset(key, 0, sizeof(key));
	chacha20_block(key, 0, (const uint32_t[3]){ 0 }, out);
	CHECK(out[0] == 0x76 && out[1] == 0xb8 && out[63] == 0x86);
}

TEST(generator)
{
	uint8_t a[300], b[300], zero[300] = { 0 };
	unsigned ones = 0;

	random_bytes(a, sizeof(a));
	random_bytes(b, sizeof(b));
	CHECK(memcmp(a, b, sizeof(a)) != 0);
	CHECK(memcmp(a, zero, sizeof(a)) != 0);
	random_seed("x", 1);
	random_bytes(a, 1); /* odd sizes share a block */
	random_bytes(a + 1, 298);
	for (int i = 0; i < 4096; i++)
		ones += (unsigned)__builtin_popcount(random_u32());
	CHECK(ones > 4096 * 16 - 2000 && ones < 4096 * 16 + 2000);
}

struct item {
	int n;
	struct list_node link;
};

TEST(list)
{
	struct list_node head;
	struct item items[5];
	int sum = 0;

	list_init(&head);
	CHECK(list_empty(&head) && list_pop(&head) == NULL);
	for (int i = 0; i < 5; i++) {
		items[i].n = i;
		list_add_tail(&head, &items[i].link);
	}
	list_for_each_safe(n, &head)
	{
		if (list_entry(n, struct item, link)->n % 2)
			list_del(n);
	}
	list_del(&items[1].link); /* twice is harmless */
	list_for_each (n, &head)
		sum = sum * 10 + list_entry(n, struct item, link)->n;
	CHECK_EQ(sum, 24);
	list_add_head(&head, &items[3].link);
	CHECK(list_pop(&head) == &items[3].link);
	CHECK(list_pop(&head) == &items[0].link);
}

UNIT_MAIN(CASE(fmt), CASE(line), CASE(numbers), CASE(copy), CASE(crc), CASE(chacha20),
	  CASE(generator), CASE(list))
