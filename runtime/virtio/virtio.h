/* SPDX-License-Identifier: Apache-2.0 */
/* virtio.h - finding virtio devices on any transport, and starting their drivers. */
#ifndef GODWIT_RUNTIME_VIRTIO_H
#define GODWIT_RUNTIME_VIRTIO_H

#include "runtime/base/base.h"

/* Probe every device of the boot information and start drivers: net, blk, console, rng. Context:
 * vcore 0, before the program starts, on a uthread. A device that misbehaves is reported and left
 * out. Returns how many work. */
unsigned virtio_init(void);

#endif
