/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.c - CRC-32C by the crc32 instruction, eight bytes each, or by a 16-entry table. The whole
 * bundle is summed at each boot, so the instruction count of the inner loop is part of boot time.
 */
#include "kernel/core/crc32c.h"

static uint32_t crc_software(uint32_t state, const uint8_t *p, size_t n)
{
	static const uint32_t nibble[16] = {
		0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
		0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
		0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
	};

	for (size_t i = 0; i < n; i++) {
		state ^= p[i];
		state = (state >> 4) ^ nibble[state & 15];
		state = (state >> 4) ^ nibble[state & 15];
	}
	return state;
}

static uint32_t crc_hardware(uint32_t state, const uint8_t *p, size_t n)
{
	uint64_t crc = state;

	for (; n >= 64; n -= 64, p += 64)
		__asm__("crc32q 0(%1), %0\n\tcrc32q 8(%1), %0\n\tcrc32q 16(%1), %0\n\t"
			"crc32q 24(%1), %0\n\tcrc32q 32(%1), %0\n\tcrc32q 40(%1), %0\n\t"
			"crc32q 48(%1), %0\n\tcrc32q 56(%1), %0"
			: "+r"(crc)
			: "r"(p), "m"(*(const uint8_t(*)[64])p));
	for (; n > 0; n--, p++)
		__asm__("crc32b %1, %k0" : "+r"(crc) : "m"(*p));
	return (uint32_t)crc;
}

uint32_t crc32c_update(uint32_t state, const void *data, size_t n, bool hardware)
{
	return hardware ? crc_hardware(state, data, n) : crc_software(state, data, n);
}
