/* SPDX-License-Identifier: Apache-2.0 */
/* dma.h - the addresses that devices are given. They are the partition's own, unless the partition
 * has page colours and no IOMMU (abi/colour.h): then pages that follow one another in memory do not
 * for a device, so what is given to it as one piece lies in one page. */
#ifndef GODWIT_RUNTIME_VIRTIO_DMA_H
#define GODWIT_RUNTIME_VIRTIO_DMA_H

#include "abi/colour.h"
#include "runtime/mem/mem.h"

extern struct gw_stripe dma_stripe; /* set by virtio_init */

/* dma_of - the address of p, in the partition's memory, for a device. */
uint64_t dma_of(const void *p);

#endif
