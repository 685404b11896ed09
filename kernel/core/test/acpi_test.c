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
#define DMAR (BASE + 0x400)
#define DRHD (DMAR + 48)

static uint8_t memory[SIZE];
static uint32_t ids[4];
static struct acpi_iommus units;

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

/* VT-d specification, 8.3: a unit with 3 devices of bus 0 and more that do not count, a reserved
 * region, a unit of another segment, and one of segment 0 without any device. */
static const uint8_t remapping[] = {
	0, 0, 66, 0, 0, 0,    0,  0, 0, 0, 0xd9, 0xfe, 0, 0, 0, 0, /* */
	3, 8, 0,  0, 0, 0xff, 0,  0,				   /* an IO-APIC */
	1, 8, 0,  0, 0, 0,    1,  0,				   /* 00:01.0 */
	1, 8, 0,  0, 0, 0,    31, 7,				   /* 00:1f.7 */
	1, 8, 0,  0, 0, 2,    3,  0,				   /* 02:03.0: deeper */
	2, 8, 0,  0, 0, 0,    4,  0,				   /* a bridge */
	1, 8, 0,  0, 0, 0,    8,  2,				   /* 00:08.2 */
	1, 0,							   /* of no length: ends it */
	1, 0, 24, 0, 0, 0,    0,  0, 0, 0, 0,	 0,    0, 0, 0, 0,
	0, 0, 0,  0, 0, 0,    0,  0,				   /* RMRR */
	0, 0, 16, 0, 1, 0,    1,  0, 0, 0, 0xda, 0xfe, 0, 0, 0, 0, /* segment 1 */
	0, 0, 16, 0, 0, 0,    0,  0, 0, 0, 0xdb, 0xfe, 1, 0, 0, 0, /* */
};

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
	header(XSDT, "XSDT", 60);
	put(XSDT + 36, 0xdead0000, 8); /* out of reach: skipped */
	put(XSDT + 44, MADT, 8);
	put(XSDT + 52, DMAR, 8);
	seal(XSDT, 60, 9);
	header(MADT, "APIC", 44 + sizeof(entries));
	memcpy(&memory[MADT + 44 - BASE], entries, sizeof(entries));
	seal(MADT, 44 + sizeof(entries), 9);
	header(DMAR, "DMAR", 48 + sizeof(remapping));
	memcpy(&memory[DRHD - BASE], remapping, sizeof(remapping));
	seal(DMAR, 48 + sizeof(remapping), 9);
}

static void iommus(void)
{
	seal(DMAR, 48 + sizeof(remapping), 9);
	acpi_iommus(RSDP, at, &units);
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
		seal(XSDT, 60, 9);
		seal(MADT, 96, 9);
		CHECK(acpi_apic_ids(RSDP, at, ids, 4) <= 4);
		for (int k = rand() % 4; k >= 0; k--)
			memory[DRHD - BASE + (uint32_t)rand() % sizeof(remapping)] =
				(uint8_t)rand();
		iommus();
		CHECK(units.n <= ACPI_IOMMUS);
	}
}

TEST(finds_iommus)
{
	build();
	iommus();
	CHECK_EQ(units.n, 2);
	CHECK_EQ(units.pa[0], 0xfed90000);
	CHECK_EQ(units.pa[1], 0x1fedb0000);
	CHECK(!units.all);
	CHECK_EQ(units.covers[0], 1ULL << 8);
	CHECK_EQ(units.covers[1], 1ULL << 2);
	CHECK(units.covers[2] == 0 && units.covers[3] == 1ULL << 63);
	memory[DRHD + 4 - BASE] = 1; /* this one has all that no other has */
	iommus();
	CHECK(units.n == 2 && units.all);
	memory[DRHD + 8 - BASE] = 0x55; /* registers lie on a page */
	iommus();
	CHECK_EQ(units.pa[0], 0xfed90000);
	memory[DRHD + 22 - BASE] = 32; /* a scope of a device that cannot be */
	memory[DRHD + 30 - BASE] = 32;
	iommus();
	CHECK(units.n == 2 && units.covers[0] == 0 && units.covers[3] == 1ULL << 63);
}

TEST(refuses_iommus)
{
	acpi_iommus(0, at, &units);
	CHECK_EQ(units.n, 0);
	build();
	memory[DRHD + 2 - BASE] = 3; /* an entry too short to be one, or that would not end */
	iommus();
	CHECK_EQ(units.n, 0);
	build();
	memory[DRHD + 2 - BASE] = 15; /* a unit without a base */
	iommus();
	CHECK_EQ(units.n, 0);
	build();
	memory[DRHD + 66 + 2 - BASE] = 255; /* past the table, behind a good one */
	iommus();
	CHECK_EQ(units.n, 0);
	build();
	memory[DRHD + 20 - BASE] ^= 1; /* the sum */
	acpi_iommus(RSDP, at, &units);
	CHECK_EQ(units.n, 0);
	build();
	put(DMAR + 4, 47, 4); /* shorter than its head */
	seal(DMAR, 47, 9);
	acpi_iommus(RSDP, at, &units);
	CHECK_EQ(units.n, 0);
	build();
	for (uint32_t i = 0; i <= ACPI_IOMMUS; i++) { /* so many, and one more */
		uint32_t len = 48 + 16 * (i + 1);

		memset(&memory[DRHD + 16 * i - BASE], 0, 16);
		put(DRHD + 16 * i + 2, 16, 2);
		put(DRHD + 16 * i + 8, 0xfed90000 + i * 0x1000, 8);
		put(DMAR + 4, len, 4);
		seal(DMAR, len, 9);
		acpi_iommus(RSDP, at, &units);
		CHECK_EQ(units.n, i < ACPI_IOMMUS ? i + 1 : 0);
	}
}

UNIT_MAIN(CASE(finds_ids), CASE(refuses), CASE(finds_iommus), CASE(refuses_iommus),
	  CASE(random_damage))
