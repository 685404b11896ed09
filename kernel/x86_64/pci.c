/* SPDX-License-Identifier: Apache-2.0 */
/* pci.c - finds PCI devices through ports 0xcf8/0xcfc, gives addresses to registers that the
 * firmware left without, maps them into the partition, and programs MSI-X. The table of interrupts
 * stays the kernel's: pages that hold it are not mapped, or a partition could aim interrupts
 * anywhere. */
#include "kernel/x86_64/arch_internal.h"

#define CONFIG_COMMAND 0x04u
#define CONFIG_CLASS 0x08u
#define CONFIG_HEADER 0x0cu
#define CONFIG_BARS 0x10u
#define CONFIG_BUSES 0x18u
#define CONFIG_CAPS 0x34u
#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u
#define COMMAND_NO_INTX 0x400u
#define CAP_MSIX 0x11u
#define CAP_VENDOR 0x09u
#define CLASS_BRIDGE 0x06u
#define MSIX_MAX 64u /* vectors of a device that a partition can use */
#define HOLE_START 0xe0000000ULL
#define HOLE_END 0xfe000000ULL

/* By the kernel's index (device_accept). */
static struct pci_device {
	uint32_t location;
	uint8_t *table[(MSIX_MAX * 16) / PAGE_SIZE + 2]; /* pages of the MSI-X table */
	uint32_t table_offset;				 /* in the first page */
	uint8_t msix_cap;
	uint32_t vectors;
} devices[GW_MAX_DEVICES];

struct bar {
	uint64_t pa, len;
};

static uint64_t hole_next;

static uint32_t config_read(uint32_t location, uint32_t reg)
{
	outl(0xcf8, 0x80000000u | location << 8 | (reg & 0xfc));
	return inl(0xcfc);
}

static void config_write(uint32_t location, uint32_t reg, uint32_t v)
{
	outl(0xcf8, 0x80000000u | location << 8 | (reg & 0xfc));
	outl(0xcfc, v);
}

static uint64_t hole_take(uint64_t len)
{
	uint64_t at = round_up(hole_next, max_u64(len, PAGE_SIZE));

	if (at + len > HOLE_END)
		return 0;
	hole_next = at + len;
	return at;
}

/* Size BAR i, and give it an address if it has none. Returns the number of slots it takes. */
static uint32_t bar_setup(uint32_t location, uint32_t i, struct bar *bar)
{
	uint32_t reg = CONFIG_BARS + 4 * i;
	uint32_t low = config_read(location, reg), high = 0;
	bool wide = (low & 7) == 4 && i < 5;
	uint64_t mask, pa;

	*bar = (struct bar){ 0, 0 };
	config_write(location, reg, ~0u);
	mask = config_read(location, reg) | 0xffffffff00000000ULL;
	config_write(location, reg, low);
	if ((uint32_t)mask == 0 || (low & 1) != 0)
		return wide ? 2 : 1; /* none, or I/O ports */
	if (wide) {
		high = config_read(location, reg + 4);
		config_write(location, reg + 4, ~0u);
		mask = (mask & 0xffffffff) | (uint64_t)config_read(location, reg + 4) << 32;
		config_write(location, reg + 4, high);
	}
	bar->len = ~(mask & ~0xfULL) + 1;
	pa = (low & ~0xfu) | (uint64_t)high << 32;
	if (pa == 0 && bar->len <= HOLE_END - HOLE_START) {
		pa = hole_take(bar->len);
		config_write(location, reg, (uint32_t)pa);
		if (wide)
			config_write(location, reg + 4, 0);
	}
	bar->pa = pa;
	if (pa == 0)
		bar->len = 0;
	return wide ? 2 : 1;
}

/* Pages of BAR bir that must stay hidden: [start, end) of the MSI-X table or pending bits. */
struct hidden {
	uint32_t bir;
	uint64_t start, end;
};

static void map_bar(struct partition *p, struct gw_device *d, uint32_t i, const struct bar *bar,
		    const struct hidden *h)
{
	uint64_t va, page;
	uint64_t start = round_down(bar->pa, PAGE_SIZE),
		 end = round_up(bar->pa + bar->len, PAGE_SIZE);
	bool any = false;

	va = device_va(p, end - start);
	for (page = start; page < end;) {
		uint64_t stop = end, offset = page - start;
		bool skip = false;

		for (uint32_t k = 0; k < 2; k++) {
			if (h[k].end == 0 || h[k].bir != i || h[k].end <= offset)
				continue;
			if (h[k].start <= offset)
				skip = true;
			else
				stop = min_u64(stop, start + h[k].start);
		}
		if (skip) {
			page += PAGE_SIZE;
			continue;
		}
		device_map(p, va + offset, page, stop - page);
		any = true;
		page = stop;
	}
	if (any) {
		d->bars[i].va = va + bar->pa % PAGE_SIZE;
		d->bars[i].len = bar->len;
	}
}

/* The first capability of that kind; of vendor ones the first of that type. */
static uint32_t find_cap(const struct gw_device *d, uint32_t kind, uint32_t type)
{
	uint32_t at = d->config[CONFIG_CAPS] & 0xfc;

	if (!(d->config[CONFIG_COMMAND + 2] & 0x10))
		return 0;
	for (uint32_t n = 0; n < 48 && at >= 0x40 && at <= 0xf4; n++) {
		if (d->config[at] == kind && (kind != CAP_VENDOR || d->config[at + 3] == type))
			return at;
		at = d->config[at + 1] & 0xfc;
	}
	return 0;
}

static uint32_t config32(const struct gw_device *d, uint32_t at)
{
	uint32_t v;

	memcpy(&v, &d->config[at], 4);
	return v;
}

static struct hidden hidden_range(uint32_t word, uint64_t len)
{
	uint64_t offset = word & ~7u;

	return (struct hidden){ word & 7, round_down(offset, PAGE_SIZE),
				round_up(offset + len, PAGE_SIZE) };
}

/* Take over the MSI-X table: all vectors masked, the function enabled. */
static void setup_msix(struct gw_device *d, struct pci_device *p, const struct bar *bars,
		       struct hidden h[2])
{
	uint32_t cap = find_cap(d, CAP_MSIX, 0), n, word;
	uint64_t table;

	if (cap == 0)
		return;
	n = (config32(d, cap) >> 16 & 0x7ff) + 1;
	word = config32(d, cap + 4);
	h[0] = hidden_range(word, n * 16ULL);
	h[1] = hidden_range(config32(d, cap + 8), round_up(n, 64) / 8);
	if (h[0].bir > 5 || (word & ~7u) + n * 16ULL > bars[h[0].bir].len)
		return;
	n = n < MSIX_MAX ? n : MSIX_MAX;
	table = bars[h[0].bir].pa + (word & ~7u);
	p->table_offset = (uint32_t)(table % PAGE_SIZE);
	for (uint32_t i = 0; i * PAGE_SIZE < p->table_offset + n * 16; i++)
		p->table[i] = mmio_map(round_down(table, PAGE_SIZE) + i * PAGE_SIZE);
	p->msix_cap = (uint8_t)cap;
	d->vectors = p->vectors = n;
	config_write(p->location, cap, (config32(d, cap) & 0x3fffffff) | 0x80000000);
}

/* Does the IOMMU see the device's accesses? Of a virtio device, if it offers ACCESS_PLATFORM among
 * features 32 to 63 (virtio 1.2, 4.1.4.3 and 6.1); then the driver must take it. */
static bool behind_iommu(const struct gw_device *d, const struct bar *bars)
{
	uint32_t cap = find_cap(d, CAP_VENDOR, 1), at = config32(d, cap + 8);
	const struct bar *bar = &bars[d->config[cap + 4] % 6];
	uint8_t *regs;

	if (d->vendor != 0x1af4 || cap == 0 || at % 8 != 0 || bar->len < 8 || at > bar->len - 8)
		return d->vendor != 0x1af4;
	regs = mmio_map(bar->pa + at);
	mmio_write32(regs, 1); /* device_feature_select */
	return (mmio_read32(regs + 4) & 2) != 0;
}

static void add_function(const struct gw_bundle *b, uint32_t location, uint32_t id)
{
	struct bar bars[6] = { 0 };
	struct hidden h[2] = { 0 };
	struct gw_device *d;
	uint32_t command = config_read(location, CONFIG_COMMAND);
	struct partition *p;
	uint32_t index;

	if (config_read(location, CONFIG_CLASS) >> 24 == CLASS_BRIDGE)
		return; /* part of the machine, nobody's */
	p = device_accept(b, GW_DEVICE_PCI, (uint16_t)id, (uint16_t)(id >> 16), location, &index);
	if (p == NULL) {
		/* What the firmware may have left running must not write to memory any more. */
		if (command & COMMAND_MASTER)
			config_write(location, CONFIG_COMMAND, command & 0xffff & ~COMMAND_MASTER);
		return;
	}
	d = &p->info->devices[p->info->n_devices];
	devices[index].location = location;
	config_write(location, CONFIG_COMMAND, 0);
	for (uint32_t i = 0; i < 6;)
		i += bar_setup(location, i, &bars[i]);
	config_write(location, CONFIG_COMMAND, COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
	for (uint32_t reg = 0; reg < 256; reg += 4) {
		uint32_t v = config_read(location, reg);

		memcpy(&d->config[reg], &v, 4);
	}
	d->kind = GW_DEVICE_PCI;
	d->vendor = (uint16_t)id;
	d->device = (uint16_t)(id >> 16);
	d->location = location;
	iommu_attach(p, location);
	if (!p->dma_trusted && !behind_iommu(d, bars))
		device_refuse(p, location, "it does not use the IOMMU (QEMU: iommu_platform=on)");
	setup_msix(d, &devices[index], bars, h);
	for (uint32_t i = 0; i < 6; i++)
		if (bars[i].len != 0)
			map_bar(p, d, i, &bars[i], h);
	device_added(p);
}

/* One device's functions. Bridges that the firmware set up add their bus to the mask. */
static void scan_device(const struct gw_bundle *b, uint32_t bus, uint32_t dev, uint64_t buses[4])
{
	uint32_t functions = 1;

	for (uint32_t fn = 0; fn < functions; fn++) {
		uint32_t location = bus << 8 | dev << 3 | fn;
		uint32_t id = config_read(location, 0), header;

		if ((id & 0xffff) == 0xffff)
			continue;
		header = config_read(location, CONFIG_HEADER) >> 16;
		if (header & 0x80)
			functions = 8;
		if ((header & 0x7f) == 1) {
			uint32_t second = config_read(location, CONFIG_BUSES) >> 8 & 0xff;

			if (second > bus)
				buses[second / 64] |= 1ULL << second % 64;
		} else if ((header & 0x7f) == 0) {
			add_function(b, location, id);
		}
	}
}

void pci_scan(const struct gw_bundle *b, const struct boot_info *boot)
{
	uint64_t buses[4] = { 1 };

	outl(0xcf8, 0x80000000);
	if (inl(0xcf8) != 0x80000000)
		return; /* no PCI */
	hole_next = max_u64(HOLE_START, round_up(boot->ram_top_below_4g, LARGE_SIZE));
	for (uint32_t bus = 0; bus < 256; bus++)
		for (uint32_t dev = 0; dev < 32 && (buses[bus / 64] >> bus % 64 & 1); dev++)
			scan_device(b, bus, dev, buses);
}

int pci_irq_bind(uint32_t device, uint32_t vector, const struct core *target, uint32_t irq)
{
	struct pci_device *p = &devices[device];
	uint32_t at = p->table_offset + vector * 16;
	uint8_t *entry = p->table[at / PAGE_SIZE] + at % PAGE_SIZE;

	if (target->apic_id > 255)
		return -EINVAL;
	mmio_write32(entry + 12, 1);
	mmio_write32(entry + 0, 0xfee00000u | target->apic_id << 12);
	mmio_write32(entry + 4, 0);
	mmio_write32(entry + 8, irq);
	mmio_write32(entry + 12, 0);
	return 0;
}

static _Atomic uint32_t config_lock; /* after boot: address and data are two ports */

void pci_master(uint32_t device, bool on)
{
	struct pci_device *p = &devices[device];

	arch_lock(&config_lock, vcore_self());
	config_write(p->location, CONFIG_COMMAND,
		     COMMAND_MEMORY | COMMAND_NO_INTX | (on ? COMMAND_MASTER : 0));
	arch_unlock(&config_lock);
	for (uint32_t at = p->table_offset; !on && at < p->table_offset + p->vectors * 16; at += 16)
		mmio_write32(p->table[at / PAGE_SIZE] + at % PAGE_SIZE + 12, 1);
}
