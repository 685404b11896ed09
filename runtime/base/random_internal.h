/* SPDX-License-Identifier: Apache-2.0 */
/* random_internal.h - the cipher under the generator, for its test vectors. */
#ifndef GODWIT_RUNTIME_RANDOM_INTERNAL_H
#define GODWIT_RUNTIME_RANDOM_INTERNAL_H

#include <stdint.h>

/* One 64-byte key-stream block, RFC 8439 2.3. */
void chacha20_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
		    uint8_t out[64]);

#endif
