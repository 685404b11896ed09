/* SPDX-License-Identifier: Apache-2.0 */
/* acpi_test.c - a small set of tables in a buffer; then each thing wrong, and random damage. */
#include <stdlib.h>

#include "kernel/core/acpi.h"
#include "tests/unit.h"

#define BASE 0x1000u
#define SIZE 0x1000u
#define RSDP (BASE + 0x10)
#define RSDT (BASE + 0x100)
#define XSDT (BASE + 0x200)
#define MADT (BASE + 0x300)

static uint8_t memory[SIZE];
static uint32_t ids[4];

static const void *at(uint64_t pa, uint64_t len)
{
	if (pa < BASE || pa >= BASE + SIZE || len > BASE + SIZE - pa)
		return NULL;
	return &memory[pa - BASE];
}

static void put(uint32_t pa, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		memory[pa - BASE + (uint32_t)i] = (uint8_t)(v >> 8 * i);
}

static void seal(uint32_t pa, uint32_t len, uint32_t where)
{
	uint8_t sum = 0;

	memory[pa + where - BASE] = 0;
	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + memory[pa + i - BASE]);
	memory[pa + where - BASE] = (uint8_t)-sum;
}

static void header(uint32_t pa, const char *name, uint32_t len)
{
	memcpy(&memory[pa - BASE], name, 4);
	put(pa + 4, len, 4);
}

static void build(void)
{
	static const uint8_t entries[] = {
		0, 8,  0, 0, 1, 0, 0, 0,			 /* apic id 0 */
		1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,		 /* an IO-APIC */
		0, 8,  1, 4, 1, 0, 0, 0,			 /* apic id 4 */
		0, 8,  2, 5, 0, 0, 0, 0,			 /* disabled */
		9, 16, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, /* x2APIC id 256 */
	};

	memset(memory, 0, sizeof(memory));
	memcpy(&memory[RSDP - BASE], "RSD PTR ", 8);
	memory[RSDP - BASE + 15] = 2;
	put(RSDP + 16, RSDT, 4);
	put(RSDP + 24, XSDT, 8);
	put(RSDP + 20, 36, 4);
	seal(RSDP, 20, 8);
	seal(RSDP, 36, 32);
	header(RSDT, "RSDT", 40);
	put(RSDT + 36, MADT, 4);
	seal(RSDT, 40, 9);
	header(XSDT, "XSDT", 52);
	put(XSDT + 36, 0xdead0000, 8); /* out of reach: skipped */
	put(XSDT + 44, MADT, 8);
	seal(XSDT, 52, 9);
	header(MADT, "APIC", 44 + sizeof(entries));
	memcpy(&memory[MADT + 44 - BASE], entries, sizeof(entries));
	seal(MADT, 44 + sizeof(entries), 9);
}

TEST(finds_ids)
{
	build();
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 3);
	CHECK_EQ(ids[0], 0);
	CHECK_EQ(ids[1], 4);
	CHECK_EQ(ids[2], 256);
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 2), 2);
	/* a broken XSDT falls back to the RSDT */
	memory[XSDT + 40 - BASE] ^= 1;
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 3);
	memory[RSDT + 36 - BASE] ^= 1;
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
}

TEST(refuses)
{
	build();
	CHECK_EQ(acpi_apic_ids(0, at, ids, 4), 0);
	CHECK_EQ(acpi_apic_ids(0x999000, at, ids, 4), 0);
	memory[RSDP - BASE] = 'X';
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
	build();
	memory[MADT + 50 - BASE] ^= 4;
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
	build();
	memory[MADT + 45 - BASE] = 0; /* an entry of length zero must not loop */
	seal(MADT, 96, 9);
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
	build();
	put(RSDP + 20, 37, 4); /* the old sum is right, the new one is not: the RSDT counts */
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 3);
	memory[RSDP + 9 - BASE] ^= 1;
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
	build();
	put(MADT + 4, 40, 4); /* too short for what it must have */
	seal(MADT, 40, 9);
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
	build();
	put(MADT + 4, 0xffffff, 4);
	CHECK_EQ(acpi_apic_ids(RSDP, at, ids, 4), 0);
}

TEST(random_damage)
{
	srand(3);
	for (int i = 0; i < 100000; i++) {
		build();
		for (int k = rand() % 5; k >= 0; k--)
			memory[rand() % 0x400] = (uint8_t)rand();
		seal(RSDP, 20, 8);
		seal(RSDP, 36, 32);
		seal(XSDT, 52, 9);
		seal(MADT, 96, 9);
		CHECK(acpi_apic_ids(RSDP, at, ids, 4) <= 4);
	}
}

UNIT_MAIN(CASE(finds_ids), CASE(refuses), CASE(random_damage))
