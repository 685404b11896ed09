/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_acpi.c - the input is memory with ACPI tables, the RSDP at its start. Each readable stretch
 * is handed out as a copy of its own, so that reading past it is found. */
#include <stdlib.h>

#include "kernel/core/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *memory;
static size_t memory_size, n_copies;
static void *copies[1024];

static const void *at(uint64_t pa, uint64_t len)
{
	void *copy;

	if (pa < 1 || pa - 1 >= memory_size || len > memory_size - (pa - 1) || n_copies == 1024)
		return NULL;
	copy = malloc(len);
	memcpy(copy, memory + pa - 1, len);
	copies[n_copies++] = copy;
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t ids[4];
	struct acpi_iommus units;

	memory = data;
	memory_size = size;
	n_copies = 0;
	if (acpi_apic_ids(1, at, ids, 4) > 4)
		abort();
	acpi_iommus(1, at, &units);
	if (units.n > ACPI_IOMMUS)
		abort();
	while (n_copies > 0)
		free(copies[--n_copies]);
	return 0;
}
