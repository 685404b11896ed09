/* SPDX-License-Identifier: Apache-2.0 */
/* probe_rng.c - drives a virtio-rng device, over PCI or MMIO, just far enough to receive an
 * interrupt. */
#include "kernel/test/probe.h"

static volatile uint8_t *common, *notify;
static uint32_t notify_multiplier;

static void write32(volatile uint8_t *at, uint32_t v)
{
	*(volatile uint32_t *)at = v;
}

static uint32_t read32(volatile uint8_t *at)
{
	return *(volatile uint32_t *)at;
}

static void write64(volatile uint8_t *at, uint64_t v)
{
	write32(at, (uint32_t)v);
	write32(at + 4, (uint32_t)(v >> 32));
}

static uint32_t config32(const struct gw_device *d, uint32_t at)
{
	return d->config[at] | (uint32_t)d->config[at + 1] << 8 |
	       (uint32_t)d->config[at + 2] << 16 | (uint32_t)d->config[at + 3] << 24;
}

static void pci_find(const struct gw_device *d)
{
	uint32_t at = d->config[0x34];

	for (uint32_t n = 0; n < 32 && at != 0; n++, at = d->config[at + 1]) {
		uint64_t va;

		if (d->config[at] != 9)
			continue;
		va = d->bars[d->config[at + 4]].va + config32(d, at + 8);
		if (d->config[at + 3] == 1) {
			common = (volatile uint8_t *)va;
		} else if (d->config[at + 3] == 2) {
			notify = (volatile uint8_t *)va;
			notify_multiplier = config32(d, at + 16);
		}
	}
}

/* One descriptor at ring, the available ring at +64, the used ring at +128. */
static void ring_fill(uint64_t pa)
{
	uint64_t *desc = window(pa);
	uint16_t *avail = window(pa + 64);

	desc[0] = gw_stripe_pa(&boot->dma, pa + 256);
	desc[1] = 16 | (uint64_t)2 << 32; /* 16 bytes, device writes */
	avail[0] = 0;
	avail[2] = 0;
	__asm__ volatile("" : : : "memory");
	avail[1] = 1;
}

static void start_pci(const struct gw_device *d, uint64_t pa)
{
	pci_find(d);
	common[20] = 0;
	common[20] = 1;
	common[20] = 3;
	write32(common, 1); /* features, high: VERSION_1, and ACCESS_PLATFORM if offered */
	write32(common + 8, 1);
	write32(common + 12, read32(common + 4) & 3);
	common[20] = 11;
	*(volatile uint16_t *)(common + 22) = 0; /* queue */
	*(volatile uint16_t *)(common + 24) = 1; /* size */
	*(volatile uint16_t *)(common + 26) = 0; /* MSI-X vector */
	write64(common + 32, gw_stripe_pa(&boot->dma, pa));
	write64(common + 40, gw_stripe_pa(&boot->dma, pa + 64));
	write64(common + 48, gw_stripe_pa(&boot->dma, pa + 128));
	*(volatile uint16_t *)(common + 28) = 1;
	common[20] = 15;
	ring_fill(pa);
	*(volatile uint16_t *)(notify + *(volatile uint16_t *)(common + 30) * notify_multiplier) =
		0;
}

static void start_mmio(const struct gw_device *d, uint64_t pa)
{
	volatile uint8_t *r = (volatile uint8_t *)d->bars[0].va;

	write32(r + 0x70, 0);
	write32(r + 0x70, 3);
	write32(r + 0x24, 1);
	write32(r + 0x20, 1); /* VERSION_1 */
	write32(r + 0x70, 11);
	write32(r + 0x30, 0);
	write32(r + 0x38, 1);
	write64(r + 0x80, gw_stripe_pa(&boot->dma, pa));
	write64(r + 0x90, gw_stripe_pa(&boot->dma, pa + 64));
	write64(r + 0xa0, gw_stripe_pa(&boot->dma, pa + 128));
	write32(r + 0x44, 1);
	write32(r + 0x70, 15);
	ring_fill(pa);
	write32(r + 0x50, 0);
}

static void again(const struct gw_device *d, uint64_t pa, uint16_t n)
{
	((uint16_t *)window(pa + 64))[1] = n;
	if (d->kind == GW_DEVICE_PCI) {
		*(volatile uint16_t *)(notify +
				       *(volatile uint16_t *)(common + 30) * notify_multiplier) = 0;
	} else {
		write32((volatile uint8_t *)d->bars[0].va + 0x64, 1); /* acknowledge the last */
		write32((volatile uint8_t *)d->bars[0].va + 0x50, 0);
	}
}

/* Interrupts that end a wait, idle to idle, for the counting plugin. */
void measure_rng(uint32_t index)
{
	const struct gw_device *d = &boot->devices[index];
	uint64_t pa = frame_take(1);

	call(GW_CALL_IRQ_BIND, index, 0, 0, GW_EVENT_IRQ0);
	area(0)->pending = 0;
	if (d->kind == GW_DEVICE_PCI)
		start_pci(d, pa);
	else
		start_mmio(d, pa);
	for (uint16_t i = 2; i < 40; i++) {
		call(GW_CALL_WAIT, ~0ULL, 0, 0, 0);
		area(0)->pending = 0;
		again(d, pa, i);
	}
}

void test_rng(uint32_t index)
{
	const struct gw_device *d = &boot->devices[index];
	struct gw_vcore *v = area(0);
	uint64_t pa = frame_take(1), irq = 1ULL << (GW_EVENT_IRQ0 + index);
	uint16_t *used = window(pa + 128);

	if (d->kind == GW_DEVICE_MMIO && read32((volatile uint8_t *)d->bars[0].va + 4) != 2) {
		skip("virtio-mmio device is legacy");
		return;
	}
	for (uint32_t i = 0; i < 512; i++)
		((uint64_t *)window(pa))[i] = 0;
	EXPECT(call(GW_CALL_IRQ_BIND, index, 0, 0, GW_EVENT_IRQ0 + index), 0);
	v->pending = 0;
	if (d->kind == GW_DEVICE_PCI)
		start_pci(d, pa);
	else
		start_mmio(d, pa);
	EXPECT(call(GW_CALL_WAIT, now_ns() + 1000000000, 0, 0, 0), 0);
	EXPECT(v->pending, irq);
	EXPECT(used[1], 1);
	/* Again, with the program running: the interrupt preempts it. */
	v->pending = 0;
	v->reason = 0;
	again(d, pa, 2);
	/* By context_resume, as it may have come already. */
	v->frame = (struct gw_regs){ .rip = code_at(code_spin) };
	v->frame_masked = 0;
	resume_run();
	EXPECT(v->reason, GW_UPCALL_EVENT);
	EXPECT(v->pending, irq);
	v->pending = 0;
}
