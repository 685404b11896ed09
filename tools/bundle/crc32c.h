/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c.h - CRC-32C (Castagnoli, reflected, RFC 3720 B.4): the checksum of bundles and root
 * images. */
#ifndef GODWIT_TOOLS_CRC32C_H
#define GODWIT_TOOLS_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* crc32c - continue `crc` (0 to start with) over n bytes. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t n);

#endif
