/* SPDX-License-Identifier: Apache-2.0 */
/* symbols.c - looks in the table that kernel/symbols generates after a first link: a count, then
 * sorted addresses, then names. In the first link it is missing and the count is zero. */
#include "kernel/x86_64/arch_internal.h"

extern const uint32_t symbol_count[] __attribute__((weak));
extern const uint32_t symbol_addresses[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));

const char *symbol_find(uint64_t link_va, uint64_t *offset)
{
	uint32_t n = symbol_count != NULL ? symbol_count[0] : 0;
	uint32_t i = 0;
	const char *name = symbol_names;

	if (n == 0 || link_va < (uint64_t)(uintptr_t)image_start - kernel_slide ||
	    link_va >= (uint64_t)(uintptr_t)rodata_start - kernel_slide)
		return NULL;
	while (i + 1 < n && symbol_addresses[i + 1] <= link_va)
		i++;
	*offset = link_va - symbol_addresses[i];
	while (i > 0) {
		while (*name)
			name++;
		name++;
		i--;
	}
	return name;
}
