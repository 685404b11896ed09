/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.c - CRC-32C (Castagnoli, reflected 0x82f63b78): the SSE4.2 instruction where the processor
 * has it (it works on general registers), else a table of 16 entries. */
#include <cpuid.h>
#include "runtime/base/str.h"

#define CPUID1_ECX_SSE42 (1u << 20)

static uint32_t crc_table(uint32_t crc, const uint8_t *p, size_t n)
{
	/* table[i]: the remainder of nibble i */
	static const uint32_t table[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (; n; n--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return crc;
}

static uint32_t crc_insn(uint32_t crc, const uint8_t *p, size_t n)
{
	uint64_t c = crc;

	for (; n >= 8; n -= 8, p += 8) {
		uint64_t w;

		memcpy(&w, p, 8);
		__asm__("crc32q %1, %0" : "+r"(c) : "r"(w));
	}
	for (; n; n--, p++)
		__asm__("crc32b %1, %k0" : "+r"(c) : "rm"(*p));
	return (uint32_t)c;
}

uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_portable(uint32_t crc, const void *p, size_t n)
{
	return ~crc_table(~crc, p, n);
}

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	static uint8_t has_insn; /* 0 unknown, 1 no, 2 yes; racing writers store the same */

	if (unlikely(!has_insn)) {
		unsigned a, b, c, d;

		has_insn = __get_cpuid(1, &a, &b, &c, &d) && (c & CPUID1_ECX_SSE42) ? 2 : 1;
	}
	return ~(has_insn == 2 ? crc_insn(~crc, p, n) : crc_table(~crc, p, n));
}
