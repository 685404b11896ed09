/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_acpi.c - the input is memory with ACPI tables, the RSDP at its start. Each readable stretch
 * is handed out as a copy of its own, so that reading past it is found. Inputs of even length get
 * right checksums, or nothing would come behind those. */
#include <stdlib.h>

#include "kernel/core/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *memory;
static size_t memory_size, n_copies;
static void *copies[1024];

/* The byte at `where` makes the sum 0. */
static void seal(uint8_t *p, size_t len, size_t where)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	p[where] = (uint8_t)(p[where] - sum);
}

static const void *at(uint64_t pa, uint64_t len)
{
	void *copy;

	if (pa < 1 || pa - 1 >= memory_size || len > memory_size - (pa - 1) || n_copies == 1024)
		return NULL;
	copy = malloc(len);
	memcpy(copy, memory + pa - 1, len);
	if (memory_size % 2 == 0 && pa == 1)
		seal(copy, len, len <= 20 ? 8 : 32);
	else if (memory_size % 2 == 0 && len >= 36)
		seal(copy, len, 9);
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
