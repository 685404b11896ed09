/* SPDX-License-Identifier: Apache-2.0 */
/* iommu.c - DMA domains by VT-d in legacy mode (Intel's specification 3.4, 9, 11.4). All units use
 * the same tables. Those of the second level have a space's format (bit 0 read, 1 write, 7 large;
 * others are ignored), so they are one. Nothing changes once translation is on: all is invalidated
 * before, by registers. Interrupt messages are not confined: that takes interrupt remapping. */
#include "kernel/core/health.h"
#include "kernel/x86_64/arch_internal.h"

enum { CAP = 0x08, ECAP = 0x10, GCMD = 0x18, GSTS = 0x1c, RTADDR = 0x20, CCMD = 0x28, FSTS = 0x34 };
enum { FECTL = 0x38, FEDATA = 0x3c, FEADDR = 0x40 };
#define CAP_WIDTH(n) (1u << (8 + (n))) /* tables of n + 2 levels, for 30 + 9 * n bits */
#define G_TRANSLATE (1u << 31)	       /* of GCMD and GSTS */
#define G_ROOT (1u << 30)

static struct unit {
	uint8_t *regs, *iotlb, *records;
	uint32_t n_records;
} units[ACPI_IOMMUS];
static uint32_t n_units, width; /* as in CAP_WIDTH and context entries */
static uint64_t caps = ~0ULL;	/* what all units can */
static uint64_t *root;		/* [256][2]: context tables by bus */
static const struct acpi_iommus *found;
static struct range_set *pages;

void iommu_find(const struct boot_info *boot, struct range_set *free)
{
	for (uint32_t i = 0; i < n_partitions; i++)
		n_units = partitions[i]->dma_trusted ? n_units : boot->iommus.n;
	for (uint32_t i = 0; i < n_units; i++) {
		uint64_t pa = boot->iommus.pa[i], cap, records;
		struct unit *u = &units[i];

		u->regs = mmio_map(pa);
		caps &= cap = mmio_read64(u->regs + CAP);
		records = (cap >> 24 & 0x3ff) * 16;
		u->records = mmio_map(pa + records);
		u->n_records = (uint32_t)min_u64((cap >> 40 & 0xff) + 1,
						 (PAGE_SIZE - records % PAGE_SIZE) / 16);
		u->iotlb = mmio_map(pa + (mmio_read64(u->regs + ECAP) >> 8 & 0x3ff) * 16 + 8);
		/* Write buffers of its own; translation, a queue or interrupt remapping on. */
		if ((cap & 1u << 4) != 0 || (mmio_read32(u->regs + GSTS) & 0x86000000) != 0)
			fail(STATUS_CONFIG, "the IOMMU is too old, or in the firmware's use");
	}
	width = caps & CAP_WIDTH(2) ? 2 : 1;
	found = &boot->iommus;
	pages = free;
	root = n_units != 0 ? direct(kernel_pages(free, PAGE_SIZE)) : NULL;
}

static void domain_make(struct partition *p)
{
	int rc = space_fork(&p->dma, &p->spaces[0]);
	struct gather none;

	none.n = 0;
	if (rc == 0) /* it shares nothing after all */
		memset(direct(p->dma.root), 0, PAGE_SIZE);
	for (uint32_t i = 0; i < p->n_extents && rc == 0; i++)
		rc = space_map_own(&p->dma, p->extents[i].pa, p->extents[i].pa, p->extents[i].len,
				   PTE_P | PTE_W, true, &none);
	if (rc != 0)
		fail(STATUS_CONFIG, "too few page tables for the DMA of partition %s", p->name);
}

void iommu_attach(struct partition *p, uint32_t location)
{
	const struct gw_extent *last = &p->extents[p->n_extents - 1];
	const char *why = NULL;
	uint64_t *bus, *entry;

	if (n_units == 0)
		why = "there is no IOMMU (QEMU: -M q35 -device intel-iommu)";
	else if ((caps & 1ULL << 34) == 0 || (caps & CAP_WIDTH(width)) == 0 ||
		 last->pa + last->len > 1ULL << min_u64(30 + 9 * width, (caps >> 16 & 0x3f) + 1))
		why = "the IOMMU has no large pages, or too small addresses";
	else if (!found->all &&
		 (location > 255 || !(found->covers[location / 64] >> location % 64 & 1)))
		why = "it is behind no IOMMU that the firmware names";
	if (why != NULL && !p->dma_trusted)
		device_refuse(p, location, why);
	if (n_units == 0)
		return;
	bus = &root[location >> 8 << 1];
	if (*bus == 0)
		*bus = kernel_pages(pages, PAGE_SIZE) | 1;
	entry = (uint64_t *)direct(*bus & PTE_ADDR) + (location & 0xff) * 2;
	entry[1] = (p->number + 1) << 8 | width; /* domain 0 may be reserved (6.1) */
	entry[0] = 2u << 2 | 1;			 /* not translated (9.3) */
	if (p->dma_trusted)
		return;
	if (p->dma.root == 0)
		domain_make(p);
	/* With a level less, all lies below the first entry of the top one. */
	entry[0] = (width == 2 ? p->dma.root : *(uint64_t *)direct(p->dma.root) & PTE_ADDR) | 1;
}

static void wait_for(const uint8_t *reg, uint32_t mask, uint32_t value)
{
	for (uint32_t i = 0; (mmio_read32(reg) & mask) != value; i++)
		if (i == 1000000) /* 100 ms and up */
			fail(STATUS_FAULT, "the IOMMU does not answer; try dma = trusted");
}

void iommu_enable(void)
{
	for (uint32_t i = 0; i < n_units; i++) {
		uint8_t *regs = units[i].regs;

		__asm__ volatile("wbinvd" : : : "memory"); /* it may read past the caches */
		mmio_write64(regs + RTADDR, direct_pa(root));
		mmio_write32(regs + GCMD, G_ROOT);
		wait_for(regs + GSTS, G_ROOT, G_ROOT);
		mmio_write64(regs + CCMD, 5ULL << 61); /* invalidate, globally */
		wait_for(regs + CCMD + 4, 1u << 31, 0);
		mmio_write64(units[i].iotlb, 9ULL << 60 | 3ULL << 48); /* and drain */
		wait_for(units[i].iotlb + 4, 1u << 31, 0);
		mmio_write32(regs + FEADDR, 0xfee00000u | vcore_self()->core->apic_id << 12);
		mmio_write32(regs + FEDATA, VECTOR_DMA);
		mmio_write32(regs + FECTL, 0);
		mmio_write32(regs + GCMD, G_TRANSLATE);
		wait_for(regs + GSTS, G_TRANSLATE, G_TRANSLATE);
	}
}

/* high: of the record; what counts of it is in abi/health.h. */
static void fault(uint64_t high, uint64_t address)
{
	struct health_error e = { GW_HEALTH_MEMORY, high & 0xc00000ff0000ffffULL, address, 0 };

	for (uint32_t i = 0; i < n_partitions * GW_MAX_DEVICES; i++) {
		struct partition *p = partitions[i / GW_MAX_DEVICES];
		const struct gw_device *d = &p->info->devices[i % GW_MAX_DEVICES];

		if (d->kind == GW_DEVICE_PCI && d->location == (uint16_t)high &&
		    atomic_load(&p->state) == PARTITION_RUNNING) { /* else: stopped already */
			(void)health_error(p->vcores[0], &e, NULL);
			if (++p->dma_faults % 16 == 0) /* of one that ignores them */
				pci_master(p->devices[i % GW_MAX_DEVICES], false);
		}
	}
}

void iommu_faults(void)
{
	for (uint32_t i = 0; i < n_units; i++) {
		/* No interrupt comes while one is pending: none may be left. */
		for (uint32_t n = 0; n < 32 && (mmio_read32(units[i].regs + FSTS) & 2) != 0; n++) {
			for (uint32_t k = 0; k < units[i].n_records; k++) {
				uint8_t *r = units[i].records + k * 16;
				uint64_t high = mmio_read64(r + 8), address = mmio_read64(r);

				mmio_write32(r + 12, 1u << 31);
				if (high & GW_HEALTH_DMA)
					fault(high, address);
			}
			mmio_write32(units[i].regs + FSTS, 0x71); /* overflow, other errors */
		}
	}
}
