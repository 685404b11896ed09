/* SPDX-License-Identifier: Apache-2.0 */
/* device.c - virtio-mmio windows, IO-APICs, and the binding of a device's interrupts to vcores. */
#include "kernel/core/health.h"
#include "kernel/x86_64/arch_internal.h"

#define VIRTIO_MAGIC 0x74726976u /* "virt" */
#define IOAPICS 2u
#define IOAPIC_MASKED 0x10000u

static struct {
	uint8_t *regs;
	uint32_t gsi, pins;
} ioapics[IOAPICS];

/* By the kernel's index. */
static struct known_device {
	uint32_t gsi;
	uint64_t pa; /* of its page; 0: a PCI device */
	uint8_t *regs;
	const struct partition *owner;
	uint64_t va; /* of the page, in the owner */
} known[GW_MAX_DEVICES];
static uint32_t n_known;

static uint32_t ioapic_read(const uint8_t *regs, uint32_t reg)
{
	mmio_write32((void *)(uintptr_t)regs, reg);
	return mmio_read32(regs + 0x10);
}

static void ioapic_write(uint8_t *regs, uint32_t reg, uint32_t v)
{
	mmio_write32(regs, reg);
	mmio_write32(regs + 0x10, v);
}

void ioapic_init(void)
{
	static const uint64_t at[IOAPICS] = { 0xfec00000, 0xfec10000 };
	uint32_t gsi = 0;

	/* The legacy PICs. One that has an interrupt up now withdraws it; if the APIC were closed
	 * to it before, QEMU would keep it as an interrupt without a vector, a #GP for whoever is
	 * next. */
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	for (uint32_t i = 0; i < IOAPICS; i++) {
		uint8_t *regs = mmio_map(at[i]);
		uint32_t version = ioapic_read(regs, 1), pins = (version >> 16 & 0xff) + 1;

		/* Nothing there reads as all ones or zeros. */
		if (version == ~0u || (version & 0xff) < 0x10 || pins > 240)
			return;
		ioapics[i].regs = regs;
		ioapics[i].gsi = gsi;
		ioapics[i].pins = pins;
		gsi += pins;
	}
}

int ioapic_route(uint32_t gsi, uint32_t id, uint32_t vector)
{
	for (uint32_t i = 0; i < IOAPICS; i++) {
		uint32_t pin = gsi - ioapics[i].gsi;

		if (ioapics[i].regs == NULL || gsi < ioapics[i].gsi || pin >= ioapics[i].pins)
			continue;
		if (id > 255)
			return -EINVAL;
		/* edge-triggered, active high, fixed, physical */
		ioapic_write(ioapics[i].regs, 0x10 + 2 * pin, IOAPIC_MASKED);
		ioapic_write(ioapics[i].regs, 0x11 + 2 * pin, id << 24);
		ioapic_write(ioapics[i].regs, 0x10 + 2 * pin, vector);
		return 0;
	}
	return -EINVAL;
}

void device_refuse(const struct partition *p, uint32_t location, const char *why)
{
	fail(STATUS_CONFIG,
	     "partition %s: the device at %x reaches all memory: %s; dma = trusted accepts that",
	     p->name, location, why);
}

struct partition *device_accept(const struct gw_bundle *b, uint32_t kind, uint16_t vendor,
				uint16_t device, uint32_t location, uint32_t *kernel_index)
{
	int owner = manifest_device_owner(b, kind, vendor, device, location);
	struct partition *p;

	if (owner < 0)
		return NULL;
	p = partitions[owner];
	if (!p->dma_trusted && kind == GW_DEVICE_MMIO)
		device_refuse(p, location, "virtio-mmio is behind no IOMMU (use PCI devices)");
	if (n_known == GW_MAX_DEVICES)
		fail(STATUS_CONFIG, "more than %u devices", GW_MAX_DEVICES);
	*kernel_index = n_known;
	p->devices[p->info->n_devices] = (uint8_t)n_known;
	return p;
}

void device_added(struct partition *p)
{
	known[n_known++].owner = p;
	p->info->n_devices++;
}

/* Windows smaller than a page share its mapping, and so their owner. */
static uint64_t page_va(struct partition *p, uint64_t page)
{
	for (uint32_t j = 0; j < n_known; j++) {
		if (known[j].pa != page)
			continue;
		if (known[j].owner != p)
			fail(STATUS_CONFIG,
			     "virtio-mmio windows of the page %lx cannot go to two partitions (%s "
			     "and %s); use PCI devices",
			     page, known[j].owner->name, p->name);
		return known[j].va;
	}
	return 0;
}

static void add_window(const struct gw_bundle *b, uint64_t pa, uint32_t gsi, uint32_t slot)
{
	uint8_t *regs = mmio_map(pa);
	uint64_t page = round_down(pa, PAGE_SIZE), va;
	struct partition *p;
	struct gw_device *d;
	uint32_t id, i;

	if (mmio_read32(regs) != VIRTIO_MAGIC)
		return;
	id = mmio_read32(regs + 8);
	if (id == 0)
		return;
	p = device_accept(b, GW_DEVICE_MMIO, 0x1af4, (uint16_t)id, slot, &i);
	if (p == NULL)
		return;
	d = &p->info->devices[p->info->n_devices];
	d->kind = GW_DEVICE_MMIO;
	d->vectors = 1;
	d->vendor = 0x1af4;
	d->device = (uint16_t)id;
	d->location = slot;
	d->bars[0].len = 512;
	va = page_va(p, page);
	if (va == 0) {
		va = device_va(p, PAGE_SIZE);
		device_map(p, va, page, PAGE_SIZE);
	}
	d->bars[0].va = va + pa % PAGE_SIZE;
	known[i] = (struct known_device){ .gsi = gsi, .pa = page, .regs = regs, .va = va };
	device_added(p);
}

void virtio_mmio_scan(const struct gw_bundle *b)
{
	uint32_t slot = 0;

	for (uint32_t w = 0; w < b->n_mmio; w++)
		for (uint32_t i = 0; i < b->mmio[w].count; i++)
			add_window(b, b->mmio[w].pa + (uint64_t)i * b->mmio[w].stride,
				   b->mmio[w].gsi + i, slot++);
}

/* A vector of a shared core for an event of one of its vcores: the one that it has, or a new one.
 */
static uint32_t vector_take(struct core *c, struct vcore *v, uint32_t event)
{
	for (uint32_t i = GW_EVENT_IRQ0; i < COUNT(c->irq); i++) {
		if (c->irq[i].vcore != NULL && (c->irq[i].vcore != v || c->irq[i].event != event))
			continue;
		c->irq[i].event = event;
		c->irq[i].vcore = v;
		return VECTOR_EVENT + i;
	}
	return 0;
}

static _Atomic uint32_t bind_lock;

int arch_irq_bind(uint32_t device, uint32_t vector, struct vcore *target, uint32_t event)
{
	uint32_t i = target->part->devices[device], irq = VECTOR_EVENT + event;
	struct core *c = target->floats ? target->irq_core : target->core;
	int rc;

	arch_lock(&bind_lock, vcore_self());
	if (c->shared)
		irq = vector_take(c, target, event);
	if (irq == 0)
		rc = -ENOSPC;
	else if (known[i].pa != 0)
		rc = ioapic_route(known[i].gsi, c->apic_id, irq);
	else
		rc = pci_irq_bind(i, vector, c, irq);
	arch_unlock(&bind_lock);
	return rc;
}

/* virtio-mmio: a reset by the status register, and the pin masked by the next bind. */
void arch_devices_stop(const struct partition *p)
{
	for (uint32_t i = 0; i < p->info->n_devices; i++) {
		uint32_t k = p->devices[i];

		if (known[k].pa != 0)
			mmio_write32(known[k].regs + 0x70, 0);
		else
			pci_master(k, false);
	}
}

void arch_devices_start(const struct partition *p)
{
	for (uint32_t i = 0; i < p->info->n_devices; i++)
		if (known[p->devices[i]].pa == 0)
			pci_master(p->devices[i], true);
}
