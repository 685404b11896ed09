/* SPDX-License-Identifier: Apache-2.0 */
/* iommu.c - VT-d in legacy mode (Intel Virtualization Technology for Directed I/O, 3.4, 9, 11.4).
 * All units use the same tables. Those of the second level have the format of a space's (bit 0
 * read, 1 write, 7 large page; the others that a space sets are ignored), so they are one. Nothing
 * changes once translation is on: the only invalidation is a global one before, by registers.
 * Interrupt messages (writes to 0xfeexxxxx) are not confined: that takes interrupt remapping. */
#include "kernel/x86_64/iommu.h"

#include "kernel/core/health.h"

enum { CAP = 0x08, ECAP = 0x10, GCMD = 0x18, GSTS = 0x1c, RTADDR = 0x20, CCMD = 0x28, FSTS = 0x34 };
enum { FECTL = 0x38, FEDATA = 0x3c, FEADDR = 0x40, FEUADDR = 0x44 };
#define CAP_FLUSH (1u << 4)
#define CAP_WIDTH(n) (1u << (8 + (n))) /* tables of n + 2 levels for 30 + 9 * n bits */
#define CAP_LARGE (1ULL << 34)
#define ECAP_PASS (1u << 6)
#define G_TRANSLATE (1u << 31) /* of GCMD and GSTS */
#define G_ROOT (1u << 30)
#define G_FLUSH (1u << 27)
#define G_FIRMWARE (G_TRANSLATE | 1u << 26 | 1u << 25) /* queue, interrupt remapping */
#define CCMD_GLOBAL (1ULL << 63 | 1ULL << 61)
#define IOTLB_GLOBAL (1ULL << 63 | 1ULL << 60 | 3ULL << 48)
#define FSTS_PENDING (1u << 1)
#define FSTS_CLEAR 0x71u
#define CONTEXT_PASS (2u << 2) /* in the context table (9.3): not translated */
#define READS 1000000u	       /* of a register that is to change: 100 ms and up */
#define ROUNDS 32u	       /* over the fault records, in one interrupt */

static struct unit {
	uint8_t *regs, *iotlb, *records;
	uint32_t n_records;
} units[ACPI_IOMMUS];
static uint32_t n_units, width; /* width: as in CAP_WIDTH and the context table */
static uint64_t caps, ecaps;	/* what all units can */
static uint64_t *root;		/* [256][2]: context tables by bus */
static const struct acpi_iommus *found;
static struct range_set *pages;

static void unit_open(struct unit *u, uint64_t pa)
{
	uint64_t cap, ecap, records;

	u->regs = mmio_map(pa);
	cap = mmio_read64(u->regs + CAP);
	ecap = mmio_read64(u->regs + ECAP);
	records = (cap >> 24 & 0x3ff) * 16;
	u->n_records =
		(uint32_t)min_u64((cap >> 40 & 0xff) + 1, (PAGE_SIZE - records % PAGE_SIZE) / 16);
	u->records = mmio_map(pa + records);
	u->iotlb = mmio_map(pa + (ecap >> 8 & 0x3ff) * 16 + 8);
	caps &= cap;
	ecaps &= ecap;
}

void iommu_find(const struct boot_info *boot, struct range_set *free)
{
	bool wanted = false;

	for (uint32_t i = 0; i < n_partitions; i++)
		wanted |= !partitions[i]->dma_trusted;
	found = &boot->iommus;
	n_units = wanted ? found->n : 0;
	if (n_units == 0)
		return;
	caps = ecaps = ~0ULL;
	for (uint32_t i = 0; i < n_units; i++)
		unit_open(&units[i], found->pa[i]);
	width = caps & CAP_WIDTH(2) ? 2 : 1;
	pages = free;
	root = direct(kernel_pages(free, PAGE_SIZE));
}

static const char *missing(uint32_t location)
{
	if (n_units == 0)
		return "there is no IOMMU (QEMU: -M q35 -device intel-iommu)";
	if ((caps & CAP_LARGE) == 0 || (caps & CAP_WIDTH(width)) == 0)
		return "the IOMMU has no large pages, or no tables of 3 or 4 levels";
	if (!found->all && (location > 255 || !(found->covers[location / 64] >> location % 64 & 1)))
		return "it is behind no IOMMU that the firmware names";
	return NULL;
}

static void domain_make(struct partition *p)
{
	uint64_t end = 1ULL << min_u64(30 + 9 * width, (caps >> 16 & 0x3f) + 1);
	int rc = space_new(&p->dma, &p->pool);
	struct gather none;

	none.n = 0;
	for (uint32_t i = 0; i < p->n_extents && rc == 0; i++) {
		uint64_t pa = p->extents[i].pa, len = p->extents[i].len;

		rc = pa + len > end ? -EINVAL
				    : space_map(&p->dma, pa, pa, len, PTE_P | PTE_W, true, &none);
	}
	if (rc != 0)
		fail(STATUS_CONFIG, "the IOMMU cannot map the memory of partition %s: %s", p->name,
		     rc == -EINVAL ? "it lies too high" : "raise page_table_pages");
}

void iommu_attach(struct partition *p, uint32_t location)
{
	uint64_t *bus, *entry;

	if (!p->dma_trusted && missing(location) != NULL)
		device_refuse(p, location, missing(location));
	if (n_units == 0)
		return;
	bus = &root[location >> 8 << 1];
	if (*bus == 0)
		*bus = kernel_pages(pages, PAGE_SIZE) | 1;
	entry = (uint64_t *)direct(*bus & PTE_ADDR) + (location & 0xff) * 2;
	entry[1] = (p->number + 1) << 8 | width; /* domain 0 may be reserved (6.1) */
	if (p->dma_trusted && (ecaps & ECAP_PASS) == 0)
		fail(STATUS_CONFIG, "the IOMMU confines all devices: partition %s, too", p->name);
	if (p->dma_trusted) {
		entry[1] += (caps & CAP_WIDTH(3)) != 0; /* the widest there is (9.3) */
		entry[0] = CONTEXT_PASS | 1;
		return;
	}
	if (p->dma.root == 0)
		domain_make(p);
	/* With a level less, all lies below the first entry of the top one. */
	entry[0] = (width == 2 ? p->dma.root : *(uint64_t *)direct(p->dma.root) & PTE_ADDR) | 1;
}

static void wait_for(const uint8_t *reg, uint32_t mask, uint32_t value)
{
	for (uint32_t i = 0; (mmio_read32(reg) & mask) != value; i++)
		if (i == READS)
			fail(STATUS_FAULT,
			     "the IOMMU does not answer (%x); dma = trusted does "
			     "without it",
			     mask);
}

static void unit_start(const struct unit *u)
{
	if (mmio_read32(u->regs + GSTS) & G_FIRMWARE)
		fail(STATUS_CONFIG, "the firmware uses the IOMMU: switch off its DMA protection");
	if (caps & CAP_FLUSH) {
		mmio_write32(u->regs + GCMD, G_FLUSH);
		wait_for(u->regs + GSTS, G_FLUSH, 0);
	}
	mmio_write64(u->regs + RTADDR, direct_pa(root));
	mmio_write32(u->regs + GCMD, G_ROOT);
	wait_for(u->regs + GSTS, G_ROOT, G_ROOT);
	mmio_write64(u->regs + CCMD, CCMD_GLOBAL);
	wait_for(u->regs + CCMD + 4, 1u << 31, 0);
	mmio_write64(u->iotlb, IOTLB_GLOBAL);
	wait_for(u->iotlb + 4, 1u << 31, 0);
	mmio_write32(u->regs + FEUADDR, 0);
	mmio_write32(u->regs + FEADDR, 0xfee00000u | vcore_self()->core->apic_id << 12);
	mmio_write32(u->regs + FEDATA, VECTOR_DMA);
	mmio_write32(u->regs + FECTL, 0);
	mmio_write32(u->regs + GCMD, G_TRANSLATE);
	wait_for(u->regs + GSTS, G_TRANSLATE, G_TRANSLATE);
}

void iommu_enable(void)
{
	if (n_units != 0) /* a unit may read memory past the caches */
		__asm__ volatile("wbinvd" : : : "memory");
	for (uint32_t i = 0; i < n_units; i++)
		unit_start(&units[i]);
}

/* high: of the record; what counts of it is in abi/health.h. */
static void fault(uint64_t high, uint64_t address)
{
	struct health_error e = { GW_HEALTH_MEMORY, high & 0xc00000ff0000ffffULL, address, 0 };

	for (uint32_t i = 0; i < n_partitions; i++)
		for (uint32_t k = 0; k < partitions[i]->info->n_devices; k++)
			if (partitions[i]->info->devices[k].location == (uint16_t)high) {
				health_device_error(partitions[i], &e);
				pci_fault(partitions[i]->devices[k]);
				return;
			}
}

/* No interrupt comes while a fault is pending, so none may be left. */
static void unit_faults(const struct unit *u)
{
	for (uint32_t n = 0; n < ROUNDS && mmio_read32(u->regs + FSTS) & FSTS_PENDING; n++) {
		for (uint32_t k = 0; k < u->n_records; k++) {
			uint8_t *r = u->records + k * 16;
			uint64_t high = mmio_read64(r + 8), address = mmio_read64(r);

			if ((high & GW_HEALTH_DMA) == 0)
				continue;
			mmio_write32(r + 12, 1u << 31);
			fault(high, address);
		}
		mmio_write32(u->regs + FSTS, FSTS_CLEAR);
	}
}

void iommu_faults(void)
{
	for (uint32_t i = 0; i < n_units; i++)
		unit_faults(&units[i]);
}
