/* SPDX-License-Identifier: Apache-2.0 */
/* lib_test.c - the kernel's memory functions, under other names, against the C library's. */
#include "kernel/core/lib.h"
#include "tests/unit.h"

uint64_t direct_base;
void *kernel_memcpy(void *restrict to, const void *restrict from, size_t n);
void *kernel_memset(void *to, int byte, size_t n);
int kernel_memcmp(const void *a, const void *b, size_t n);

#define memcpy kernel_memcpy
#define memset kernel_memset
#define memcmp kernel_memcmp
#include "kernel/core/lib.c"
#undef memcpy
#undef memset
#undef memcmp

static uint8_t a[64], b[64], c[64];

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

TEST(copies_and_fills)
{
	for (size_t at = 0; at < 9; at++)
		for (size_t n = 0; n < 40; n++) {
			for (size_t i = 0; i < 64; i++)
				a[i] = (uint8_t)(i * 7 + n), b[i] = c[i] = 0xee;
			CHECK(kernel_memcpy(b + at, a + 3, n) == b + at);
			memcpy(c + at, a + 3, n);
			CHECK(memcmp(b, c, 64) == 0);
			CHECK(kernel_memset(b + at, (int)n | 0x80, n) == b + at);
			memset(c + at, (int)n | 0x80, n);
			CHECK(memcmp(b, c, 64) == 0);
		}
}

TEST(compares)
{
	for (size_t n = 0; n < 20; n++)
		for (size_t i = 0; i < 20; i++) {
			memset(a, 1, 64);
			memset(b, 1, 64);
			b[i] = i % 2 ? 0 : 200;
			CHECK_EQ(sign(kernel_memcmp(a, b, n)), sign(memcmp(a, b, n)));
		}
}

TEST(rounding)
{
	CHECK_EQ(round_up(1, 4096), 4096);
	CHECK_EQ(round_up(4096, 4096), 4096);
	CHECK_EQ(round_down(4097, 4096), 4096);
	CHECK_EQ(min_u64(1, 2), 1);
	CHECK_EQ(min_u64(2, 1), 1);
	CHECK_EQ(max_u64(1, 2), 2);
	CHECK_EQ(max_u64(2, 1), 2);
	direct_base = 0x1000;
	CHECK_EQ((uintptr_t)direct(0x234), 0x1234);
	CHECK_EQ(direct_pa((void *)(uintptr_t)0x1234), 0x234);
}

UNIT_MAIN(CASE(copies_and_fills), CASE(compares), CASE(rounding))
