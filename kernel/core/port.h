/* SPDX-License-Identifier: Apache-2.0 */
/* port.h - messages between partitions: sampling and queuing channels with fixed buffers. The
 * calls' contracts are in abi/call.h. O(message). */
#ifndef GODWIT_KERNEL_PORT_H
#define GODWIT_KERNEL_PORT_H

#include "abi/bundle.h"
#include "kernel/core/lib.h"

/* ports_bytes - memory that the channels of a checked bundle need.
 * ports_init - make them in that memory (zero, 8-byte aligned). Boot only. */
uint64_t ports_bytes(const struct gw_bundle *b);
void ports_init(const struct gw_bundle *b, uint8_t *memory);

#endif
