/* SPDX-License-Identifier: Apache-2.0 */
/* acpi.c - RSDP, RSDT, XSDT, MADT, DMAR. Firmware wrote these; they are checked as any input. */
#include "kernel/core/acpi.h"

#define MAX_TABLE 0x10000u
#define MAX_ENTRIES 128u

static uint32_t get32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t get64(const uint8_t *p)
{
	return get32(p) | (uint64_t)get32(p + 4) << 32;
}

static bool sum_ok(const uint8_t *p, uint32_t len)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + p[i]);
	return sum == 0;
}

/* A table with the signature, whole and with a right checksum; NULL otherwise. */
static const uint8_t *table_at(uint64_t pa, const char *signature, acpi_access *at, uint32_t *len)
{
	const uint8_t *t = at(pa, 36);

	if (t == NULL || memcmp(t, signature, 4) != 0)
		return NULL;
	*len = get32(t + 4);
	if (*len < 36 || *len > MAX_TABLE)
		return NULL;
	t = at(pa, *len);
	return t != NULL && sum_ok(t, *len) ? t : NULL;
}

static uint32_t madt_ids(const uint8_t *t, uint32_t len, uint32_t *ids, uint32_t max)
{
	uint32_t n = 0;

	for (uint32_t i = 44; i + 2 <= len && n < max;) {
		const uint8_t *e = t + i;
		uint32_t size = e[1];

		if (size < 2 || size > len - i)
			break;
		if (e[0] == 0 && size >= 8 && (get32(e + 4) & 1))
			ids[n++] = e[3];
		else if (e[0] == 9 && size >= 16 && (get32(e + 8) & 1))
			ids[n++] = get32(e + 4);
		i += size;
	}
	return n;
}

/* The first sound table with the signature that is at least so long. */
static const uint8_t *find_table(uint64_t rsdp_pa, const char *signature, uint32_t least,
				 acpi_access *at, uint32_t *found_len)
{
	const uint8_t *r = rsdp_pa != 0 ? at(rsdp_pa, 20) : NULL, *t = NULL;
	const uint8_t *wide;
	uint32_t len = 0, width = 8;

	if (r == NULL || memcmp(r, "RSD PTR ", 8) != 0 || !sum_ok(r, 20))
		return NULL;
	wide = r[15] >= 2 ? at(rsdp_pa, 36) : NULL;
	if (wide != NULL && sum_ok(wide, 36))
		t = table_at(get64(wide + 24), "XSDT", at, &len);
	if (t == NULL) {
		width = 4;
		t = table_at(get32(r + 16), "RSDT", at, &len);
	}
	for (uint32_t i = 36, k = 0; t != NULL && i + width <= len && k < MAX_ENTRIES;
	     i += width, k++) {
		uint64_t pa = width == 8 ? get64(t + i) : get32(t + i);
		const uint8_t *found = table_at(pa, signature, at, found_len);

		if (found != NULL && *found_len >= least)
			return found;
	}
	return NULL;
}

uint32_t acpi_apic_ids(uint64_t rsdp_pa, acpi_access *at, uint32_t *ids, uint32_t max)
{
	uint32_t len;
	const uint8_t *t = find_table(rsdp_pa, "APIC", 44, at, &len);

	return t != NULL ? madt_ids(t, len, ids, max) : 0;
}

/* The devices of bus 0 in the scope of a unit, whose entry is e: | type 1 | length 1 | 3 | bus 1 |
 * path of dev 1, fn 1 | (VT-d specification, 8.3.1). Deeper ones are left out. */
static void add_scope(struct acpi_iommus *out, const uint8_t *e, uint32_t size)
{
	for (uint32_t i = 16; i + 8 <= size && e[i + 1] >= 6; i += e[i + 1]) {
		uint32_t at = (uint32_t)e[i + 6] << 3 | e[i + 7];

		if (e[i] == 1 && e[i + 1] == 8 && e[i + 5] == 0 && at < 256)
			out->covers[at / 64] |= 1ULL << at % 64;
	}
}

/* Entries of units (8.3): | type 2: 0 | length 2 | flags 1 | 1 | segment 2 | base 8 | scope */
void acpi_iommus(uint64_t rsdp_pa, acpi_access *at, struct acpi_iommus *out)
{
	uint32_t len, size;
	const uint8_t *t = find_table(rsdp_pa, "DMAR", 48, at, &len);

	*out = (struct acpi_iommus){ 0 };
	for (uint32_t i = 48; t != NULL && i + 16 <= len; i += size) {
		const uint8_t *e = t + i;
		bool unit = (get32(e) & 0xffff) == 0 && get32(e + 4) >> 16 == 0;

		size = get32(e) >> 16;
		if (size < 4 || size > len - i || (unit && (size < 16 || out->n == ACPI_IOMMUS))) {
			out->n = 0;
			return;
		}
		if (unit) {
			out->pa[out->n++] = get64(e + 8) & 0xffffffffff000ULL;
			out->all |= (e[4] & 1) != 0;
			add_scope(out, e, size);
		}
	}
}
