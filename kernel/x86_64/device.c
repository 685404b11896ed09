/* SPDX-License-Identifier: Apache-2.0 */
/* device.c - virtio-mmio windows, IO-APICs, and the binding of a device's interrupts to vcores. */
#include "kernel/x86_64/arch_internal.h"

#define VIRTIO_MAGIC 0x74726976u /* "virt" */
#define IOAPICS 2u
#define IOAPIC_MASKED 0x10000u

static struct {
	uint8_t *regs;
	uint32_t gsi, pins;
} ioapics[IOAPICS];

/* By device index. */
static uint32_t mmio_gsi[GW_MAX_DEVICES];
static uint64_t mmio_pa[GW_MAX_DEVICES]; /* page */

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

int device_accept(const struct gw_bundle *b, uint32_t kind, uint16_t vendor, uint16_t device,
		  uint32_t location)
{
	int owner = manifest_device_owner(b, kind, vendor, device, location);

	if (owner < 0)
		return -ENODEV;
	if (!partition.dma_trusted)
		fail(STATUS_CONFIG,
		     "device %04x:%04x at %x would reach all memory by DMA, and there is "
		     "no IOMMU; say dma = trusted for partition %s, or give it no device",
		     vendor, device, location, partition.name);
	if (partition.info->n_devices == GW_MAX_DEVICES)
		fail(STATUS_CONFIG, "more than %u devices for partition %s", GW_MAX_DEVICES,
		     partition.name);
	return (int)partition.info->n_devices;
}

static void add_window(const struct gw_bundle *b, uint64_t pa, uint32_t gsi, uint32_t slot)
{
	const uint8_t *regs = mmio_map(pa);
	uint32_t id;
	int i;
	struct gw_device *d;

	if (mmio_read32(regs) != VIRTIO_MAGIC)
		return;
	id = mmio_read32(regs + 8);
	if (id == 0)
		return;
	i = device_accept(b, GW_DEVICE_MMIO, 0x1af4, (uint16_t)id, slot);
	if (i < 0)
		return;
	d = &partition.info->devices[i];
	d->kind = GW_DEVICE_MMIO;
	d->vectors = 1;
	d->vendor = 0x1af4;
	d->device = (uint16_t)id;
	d->location = slot;
	mmio_gsi[i] = gsi;
	partition.info->n_devices++;
	d->bars[0].len = 512;
	/* Windows smaller than a page share one mapping. */
	for (int j = 0; j < i; j++) {
		const struct gw_device *o = &partition.info->devices[j];

		if (o->kind == GW_DEVICE_MMIO && mmio_pa[j] == round_down(pa, PAGE_SIZE))
			d->bars[0].va = round_down(o->bars[0].va, PAGE_SIZE) + pa % PAGE_SIZE;
	}
	mmio_pa[i] = round_down(pa, PAGE_SIZE);
	if (d->bars[0].va != 0)
		return;
	d->bars[0].va = device_va(PAGE_SIZE);
	device_map(d->bars[0].va, mmio_pa[i], PAGE_SIZE);
	d->bars[0].va += pa % PAGE_SIZE;
}

void virtio_mmio_scan(const struct gw_bundle *b)
{
	uint32_t slot = 0;

	for (uint32_t w = 0; w < b->n_mmio; w++)
		for (uint32_t i = 0; i < b->mmio[w].count; i++)
			add_window(b, b->mmio[w].pa + (uint64_t)i * b->mmio[w].stride,
				   b->mmio[w].gsi + i, slot++);
}

int arch_irq_bind(uint32_t device, uint32_t vector, const struct core *target, uint32_t event)
{
	if (partition.info->devices[device].kind == GW_DEVICE_MMIO)
		return ioapic_route(mmio_gsi[device], target->apic_id, VECTOR_EVENT + event);
	return pci_irq_bind(device, vector, target, VECTOR_EVENT + event);
}
