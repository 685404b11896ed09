/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.c - gives core/acpi the loader's identity map to read tables through. */
#include "kernel/core/acpi.h"

#include "kernel/x86_64/arch_internal.h"

static const void *identity(uint64_t pa, uint64_t len)
{
	uint64_t end = cpu.huge_pages ? 1ULL << 32 : HUGE_SIZE; /* as boot.S maps it */

	return pa >= PAGE_SIZE && pa < end && len <= end - pa ? (const void *)(uintptr_t)pa : NULL;
}

void acpi_read(struct boot_info *b)
{
	b->n_apic_ids = acpi_apic_ids(b->rsdp, identity, b->apic_ids, GW_MAX_VCORES);
}
