/* SPDX-License-Identifier: Apache-2.0 */
/* iommu.h - DMA domains by Intel's VT-d: the devices of a partition with isolated DMA reach its own
 * memory (gw_boot_info.extents), at the same addresses, and nothing else. All tables are made at
 * boot and stay as they are, restarts included. In the order of boot: */
#ifndef GODWIT_X86_64_IOMMU_H
#define GODWIT_X86_64_IOMMU_H

#include "kernel/x86_64/arch_internal.h"

/* iommu_find - look at the units that the firmware names, if a partition wants isolation. */
void iommu_find(const struct boot_info *boot, struct range_set *free);

/* iommu_attach - put the PCI device at location into the domain of p, made with its first one from
 * p's page-table pool; a trusted one reaches all. Ends the machine when that cannot be. */
void iommu_attach(struct partition *p, uint32_t location);

/* iommu_enable - from here on, no PCI device reaches memory but by these tables. */
void iommu_enable(void);

/* iommu_faults - VECTOR_DMA: each recorded fault is an error of its device's partition. */
void iommu_faults(void);

#endif
