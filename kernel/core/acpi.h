/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.h - processors in ACPI's MADT, IOMMUs in its DMAR: all the tables that the kernel reads. */
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
	bool all;		  /* every device is behind one of them */
	uint64_t covers[4];	  /* bit dev << 3 | fn: that one of bus 0 is */
	uint64_t pa[ACPI_IOMMUS]; /* of the registers */
};

/* acpi_iommus - the units of a sound DMAR, if it has so many at most; n is 0 else. As above. */
void acpi_iommus(uint64_t rsdp_pa, acpi_access *at, struct acpi_iommus *out);

#endif
