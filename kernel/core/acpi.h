/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.h - finds the processors in ACPI's MADT. The only ACPI tables that the kernel reads. */
#ifndef GODWIT_KERNEL_ACPI_H
#define GODWIT_KERNEL_ACPI_H

#include "kernel/core/lib.h"

/* How tables are reached: len readable bytes at pa, or NULL when that is not possible. */
typedef const void *acpi_access(uint64_t pa, uint64_t len);

/* acpi_apic_ids - the APIC ids of enabled processors, in the MADT's order, at most max of them.
 * Every length is bounded and every checksum verified. Returns how many; 0: no sound MADT. */
uint32_t acpi_apic_ids(uint64_t rsdp_pa, acpi_access *at, uint32_t *ids, uint32_t max);

#endif
