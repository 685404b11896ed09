/* SPDX-License-Identifier: Apache-2.0 */
/* bootinfo.c - PVH's and multiboot2's boot information, read into one struct boot_info. The loader
 * is trusted as far as that its tables are where it says; counts and sizes are bounded all the
 * same. */
#include "kernel/x86_64/arch_internal.h"

struct pvh_start {
	uint32_t magic, version, flags, n_modules;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t n_memmap, reserved;
};

struct pvh_module {
	uint64_t pa, len, cmdline, reserved;
};

struct pvh_range {
	uint64_t pa, len;
	uint32_t type, reserved;
};

struct mb2_tag {
	uint32_t type, size;
};

#define MAX_RANGES 128u

static void add_ram(struct boot_info *b, uint64_t pa, uint64_t len)
{
	uint64_t end = pa + len;

	if (end < pa || end > 1ULL << 46)
		return;
	if (range_add(&b->ram, pa, end) != 0)
		fail(STATUS_CONFIG, "the memory map has too many pieces");
	b->ram_bytes += len;
	if (pa < 1ULL << 32)
		b->ram_top_below_4g = max_u64(b->ram_top_below_4g, min_u64(end, 1ULL << 32));
}

static void read_pvh(struct boot_info *b, uint64_t pa)
{
	const struct pvh_start *s = (const void *)(uintptr_t)pa;
	const struct pvh_module *m = (const void *)(uintptr_t)s->modules;
	const struct pvh_range *r = (const void *)(uintptr_t)s->memmap;

	if (s->magic != PVH_LOADED)
		fail(STATUS_CONFIG, "PVH: bad start info");
	b->rsdp = s->rsdp;
	if (s->n_modules > 0 && m != NULL) {
		b->module_pa = m->pa;
		b->module_len = m->len;
	}
	if (s->version == 0 || r == NULL)
		fail(STATUS_CONFIG, "PVH: the loader gives no memory map (version 1 is needed)");
	for (uint32_t i = 0; i < s->n_memmap && i < MAX_RANGES; i++)
		if (r[i].type == 1)
			add_ram(b, r[i].pa, r[i].len);
}

static void read_mb2_memmap(struct boot_info *b, const struct mb2_tag *t)
{
	const uint32_t *head = (const void *)(t + 1); /* entry size, entry version */
	uint32_t size = head[0];

	if (size < 24)
		return;
	for (uint32_t at = 16, n = 0; at + size <= t->size && n < MAX_RANGES; at += size, n++) {
		const struct pvh_range *r = (const void *)((const uint8_t *)t + at);

		if (r->type == 1)
			add_ram(b, r->pa, r->len);
	}
}

static void read_multiboot2(struct boot_info *b, uint64_t pa)
{
	uint32_t total = *(const uint32_t *)(uintptr_t)pa;

	for (uint32_t at = 8, n = 0; at + sizeof(struct mb2_tag) <= total && n < 256; n++) {
		const struct mb2_tag *t = (const void *)(uintptr_t)(pa + at);
		const uint32_t *data = (const void *)(t + 1);

		if (t->type == 0 || t->size < sizeof(*t))
			break;
		if (t->type == 3 && b->module_len == 0) {
			b->module_pa = data[0];
			b->module_len = data[1] - data[0];
		} else if (t->type == 6) {
			read_mb2_memmap(b, t);
		} else if (t->type == 15 || (t->type == 14 && b->rsdp == 0)) {
			b->rsdp = (uint64_t)(uintptr_t)data;
		}
		at += (uint32_t)round_up(t->size, 8);
	}
}

static const void *identity_mapped(uint64_t pa, uint64_t len)
{
	uint64_t end = cpu.huge_pages ? 1ULL << 32 : HUGE_SIZE; /* as boot.S maps it */

	return pa >= PAGE_SIZE && pa < end && len <= end - pa ? (const void *)(uintptr_t)pa : NULL;
}

void bootinfo_read(struct boot_info *b, uint32_t magic, uint64_t info_pa)
{
	if (magic == PVH_LOADED)
		read_pvh(b, info_pa);
	else if (magic == MULTIBOOT2_LOADED)
		read_multiboot2(b, info_pa);
	else
		fail(STATUS_CONFIG, "started by neither PVH nor multiboot2 (magic %x)", magic);
	if (b->ram.n == 0)
		fail(STATUS_CONFIG, "the loader reports no memory");
	acpi_iommus(b->rsdp, identity_mapped, &b->iommus);
	b->n_apic_ids = acpi_apic_ids(b->rsdp, identity_mapped, b->apic_ids, GW_MAX_VCORES);
}
