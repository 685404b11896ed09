/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.h - the checksum of bundles (Castagnoli polynomial, RFC 3720 B.4). */
#ifndef GODWIT_KERNEL_CRC32C_H
#define GODWIT_KERNEL_CRC32C_H

#include "kernel/core/lib.h"

/* crc32c_update - continue a checksum over n bytes. state starts as ~0 and its complement is the
 * result. hardware: the CPU has SSE4.2's crc32 instruction (which uses general registers). */
uint32_t crc32c_update(uint32_t state, const void *data, size_t n, bool hardware);

#endif
