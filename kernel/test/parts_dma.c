/* SPDX-License-Identifier: Apache-2.0 */
/* parts_dma.c - a partition that lets its entropy device write to memory of another one, and that
 * other one, which looks at every word of its memory afterwards. Port 0 tells the first where the
 * second lies (or its configuration does): so much an attacker would have to guess. */
#include "kernel/test/parts.h"

#define PATTERN 0x9e3779b97f4a7c15ULL
#define KERNEL_PA 0x100000u
#define LEN 4096u

static volatile uint8_t *common, *bell;
static uint32_t ring_n;

static uint32_t config32(const struct gw_device *d, uint32_t at)
{
	return *(const uint32_t *)&d->config[at];
}

static void write32(volatile uint8_t *at, uint32_t v)
{
	*(volatile uint32_t *)at = v;
}

static void write16(volatile uint8_t *at, uint16_t v)
{
	*(volatile uint16_t *)at = v;
}

/* The registers of the modern interface (virtio 1.2, 4.1.4). */
static void find(const struct gw_device *d)
{
	volatile uint8_t *notify = 0;
	uint32_t multiplier = 0, at = d->config[0x34];

	for (uint32_t n = 0; n < 32 && at != 0; n++, at = d->config[at + 1]) {
		uint64_t va = d->bars[d->config[at + 4] % 6].va + config32(d, at + 8);

		if (d->config[at] != 9)
			continue;
		if (d->config[at + 3] == 1)
			common = (volatile uint8_t *)va;
		if (d->config[at + 3] == 2) {
			notify = (volatile uint8_t *)va;
			multiplier = config32(d, at + 16);
		}
	}
	write16(common + 22, 0); /* queue 0 */
	bell = notify + *(volatile uint16_t *)(common + 30) * multiplier;
}

/* Our own memory as the device has it, and as we do. */
static uint64_t own(void)
{
	return boot->extents[0].pa;
}

static void *window(uint64_t pa)
{
	return (void *)(GW_MEM_BASE + pa);
}

/* Descriptors at the first page of our memory, the available ring at +1024, the used one at +2048.
 */
static void start(uint64_t ring)
{
	uint64_t *page = window(own());

	ring_n = 0;
	common[20] = 0;
	while (common[20] != 0)
		;
	for (uint32_t i = 0; i < 512; i++)
		page[i] = 0; /* a warm restart keeps what was asked for before */
	common[20] = 3;
	write32(common, 1); /* features 32 and up: VERSION_1, and ACCESS_PLATFORM if offered */
	write32(common + 8, 1);
	write32(common + 12, *(volatile uint32_t *)(common + 4) & 3);
	common[20] = 11;
	check(common[20] == 11, "features", common[20]);
	write16(common + 22, 0);
	write16(common + 24, 8);
	for (uint32_t i = 0; i < 3; i++) {
		write32(common + 32 + 8 * i, (uint32_t)(ring + 1024 * i));
		write32(common + 36 + 8 * i, (uint32_t)((ring + 1024 * i) >> 32));
	}
	write16(common + 28, 1);
	common[20] = 15;
}

/* The device is to write to pa. Returns whether it says, within 50 ms, that it did. */
static bool fetch(uint64_t pa)
{
	uint64_t *desc = (uint64_t *)window(own()) + 2 * (ring_n % 8);
	volatile uint16_t *avail = window(own() + 1024), *used = window(own() + 2048);
	uint64_t end_ns = now_ns() + 50000000;

	desc[0] = pa;
	desc[1] = LEN | (uint64_t)2 << 32; /* the device writes */
	avail[2 + ring_n % 8] = (uint16_t)(ring_n % 8);
	__asm__ volatile("" : : : "memory");
	avail[1] = (uint16_t)++ring_n;
	write16(bell, 0);
	while (used[1] != (uint16_t)ring_n && now_ns() < end_ns)
		call(GW_CALL_YIELD, 0, 0, 0, 0);
	return used[1] == (uint16_t)ring_n;
}

static uint64_t victim_pa(void)
{
	for (;;) {
		if (call(GW_CALL_PORT_READ, 0, 0, 0, 0) == 8)
			return *(uint64_t *)area(0)->batch.bytes;
		call(GW_CALL_YIELD, 0, 0, 0, 0);
	}
}

static uint64_t zeroes(const uint8_t *p)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < LEN; i++)
		n += p[i] == 0;
	return n;
}

/* Once, or until `tries` have been made; then the device serves the partition itself, as ever. */
void dma_attack(uint64_t tries)
{
	const struct gw_device *d = &boot->devices[0];
	uint64_t to;

	while (d < &boot->devices[boot->n_devices] && (d->device & 0xffbf) != 0x1004)
		d++;
	check(boot->n_devices != 0 && d->vendor == 0x1af4, "an entropy device", boot->n_devices);
	if (failed)
		end();
	find(d);
	if (boot->restarts == 0) {
		to = config_number('a', 0) != 0 ? config_number('a', 0) : victim_pa();
		start(config_number('q', 0) != 0 ? to : own());
		for (uint64_t i = 0; i < tries; i++)
			(void)fetch(i % 2 == 0 || tries == 1 ? to + i * LEN : KERNEL_PA);
		for (uint64_t end_ns = now_ns() + 100000000; now_ns() < end_ns;)
			call(GW_CALL_YIELD, 0, 0, 0, 0); /* its error may be on its way */
		if (config_number('i', 0) != 0) /* its faults were ignored, its device stopped */
			check(!fetch(own() + LEN), "a stopped device", 0);
		if (tries != 0)
			end();
	} else {
		check(boot->restarts == 1, "restarts", boot->restarts);
		check(boot->start == config_number('s', GW_START_HM_PARTITION), "start",
		      boot->start);
	}
	start(own());
	check(fetch(own() + LEN), "DMA to its own memory", 0);
	check(zeroes(window(own() + LEN)) < LEN / 8, "random bytes", 0);
	end();
}

/* Every word of all the memory, before and after. */
void dma_victim(uint64_t ms)
{
	uint64_t end_ns = now_ns() + ms * 1000000, changed = 0, words = 0;

	for (uint32_t pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < boot->n_extents; i++) {
			uint64_t *p = window(boot->extents[i].pa);

			for (uint64_t k = 0; k < boot->extents[i].len / 8; k++, words++) {
				if (pass == 0)
					p[k] = words * PATTERN;
				else
					changed += p[k] != words * PATTERN;
			}
		}
		*(uint64_t *)area(0)->batch.bytes = boot->extents[0].pa;
		check(call(GW_CALL_PORT_WRITE, 0, 8, 0, 0) == 0, "port_write", 0);
		words = 0;
		while (pass == 0 && now_ns() < end_ns)
			call(GW_CALL_YIELD, 0, 0, 0, 0);
	}
	check(changed == 0, "words of its memory changed", changed);
}
