/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.h - finds processors in ACPI's MADT, and IOMMUs in its DMAR. The only ACPI tables that the
 * kernel reads. */
#ifndef GODWIT_KERNEL_ACPI_H
#define GODWIT_KERNEL_ACPI_H

#include "kernel/core/lib.h"

/* How tables are reached: len readable bytes at pa, or NULL when that is not possible. */
typedef const void *acpi_access(uint64_t pa, uint64_t len);

/* acpi_apic_ids - the APIC ids of enabled processors, in the MADT's order, at most max of them.
 * Every length is bounded and every checksum verified. Returns how many; 0: no sound MADT. */
uint32_t acpi_apic_ids(uint64_t rsdp_pa, acpi_access *at, uint32_t *ids, uint32_t max);

/* VT-d's remapping units of PCI segment 0. */
#define ACPI_IOMMUS 8u
struct acpi_iommus {
	uint32_t n;
	bool all; /* every device is behind one of them */
	uint64_t pa[ACPI_IOMMUS],
		covers[4]; /* registers; bit dev << 3 | fn: that device of bus 0 */
};

/* acpi_iommus - fill *out from the DMAR; bounded and verified as above. n is 0 if there is no sound
 * one, or it has more units. */
void acpi_iommus(uint64_t rsdp_pa, acpi_access *at, struct acpi_iommus *out);

#endif
