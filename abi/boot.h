/* SPDX-License-Identifier: Apache-2.0 */
/* boot.h - what the kernel tells a partition at its start: its memory, its devices, the clock.
 * Mapped read-only at GW_BOOT_VA (GW_BOOT_PAGES pages). Vcore 0 starts at the program's entry with
 * rdi = GW_BOOT_VA, rsp = 0, upcalls masked, GS base = its vcore area. */
#ifndef GODWIT_ABI_BOOT_H
#define GODWIT_ABI_BOOT_H

#include <stdint.h>

#include "abi/colour.h"

#define GW_BOOT_MAGIC 0x746f6f6274697764ULL /* "dwitboot" */
#define GW_MAX_EXTENTS 8u
#define GW_MAX_DEVICES 32u
#define GW_BOOT_PAGES 8u

/* A stretch of the partition's memory, in its own addresses (colour.h): `pa` everywhere here. DMA
 * addresses are those that gw_boot_info.dma makes of them. */
struct gw_extent {
	uint64_t pa, len;
};

enum gw_device_kind { GW_DEVICE_PCI = 1, GW_DEVICE_MMIO = 2 };

struct gw_bar {
	uint64_t va; /* where the registers are mapped for the partition; 0: none, or I/O ports */
	uint64_t len;
};

struct gw_device {
	uint32_t kind;		 /* enum gw_device_kind */
	uint32_t vectors;	 /* interrupt vectors that irq_bind accepts */
	uint16_t vendor, device; /* PCI; for MMIO: 0x1af4 and the virtio device id */
	uint32_t location;	 /* PCI: bus << 8 | dev << 3 | fn. MMIO: slot */
	struct gw_bar
		bars[6]; /* PCI BARs; MMIO: bars[0]. Pages holding an MSI-X table are not mapped */
	uint8_t config[256]; /* PCI: a copy of configuration space (capabilities). MMIO: zero */
};

/* Monotonic time: ns = ((rdtsc - tsc_base) * mult) >> 32 (128-bit product), same on every core. */
struct gw_clock {
	uint64_t tsc_base;
	uint64_t mult; /* ns per tick, 32.32 fixed point */
	uint64_t tsc_hz;
	uint64_t epoch_ns; /* CLOCK_REALTIME when the monotonic clock read 0; 0: unknown */
};

#define GW_BOOT_EMULATED 0x1u	 /* under TCG: guest barriers may be dropped */
#define GW_BOOT_MEM_ZEROED 0x2u	 /* the extents were zero at boot: fresh frames need no clearing */
#define GW_BOOT_DMA_TRUSTED 0x4u /* no IOMMU confines this partition's devices */
#define GW_BOOT_WARM 0x8u	 /* warm restart: the extents hold what they held before */

/* Why the partition starts (ARINC 653 Part 1, START_CONDITION_TYPE). */
enum gw_start {
	GW_START_NORMAL = 0,	   /* power-on */
	GW_START_PARTITION = 1,	   /* it asked for it (partition_restart) */
	GW_START_HM_MODULE = 2,	   /* module reset */
	GW_START_HM_PARTITION = 3, /* an error of its own */
};

struct gw_boot_info {
	uint64_t magic;
	uint32_t size;	    /* sizeof this struct */
	uint32_t partition; /* number */
	uint32_t vcores;
	uint32_t flags; /* GW_BOOT_* */
	uint32_t n_extents, n_devices;
	struct gw_extent extents[GW_MAX_EXTENTS]; /* sorted by pa, free for the runtime to use */
	struct gw_clock clock;
	uint64_t config_len;	/* bytes at GW_CONFIG_VA */
	uint64_t boot_tsc;	/* TSC at kernel entry, for the boot timeline */
	uint64_t start_tsc;	/* TSC when the partition was started */
	uint64_t machine_bytes; /* memory of the machine, for messages */
	uint64_t kernel_bytes;	/* memory the kernel keeps, for messages */
	uint64_t status_len;	/* bytes at GW_STATUS_VA (status.h); 0: none */
	uint32_t restarts;	/* how often this partition was restarted before */
	uint32_t start;		/* enum gw_start */
	uint64_t health_len;	/* bytes at GW_HEALTH_LOG_VA (health.h); 0: may not be read */
	struct gw_stripe dma;	/* gw_stripe_pa: DMA addresses */
	struct gw_device devices[GW_MAX_DEVICES];
};

_Static_assert(sizeof(struct gw_boot_info) <= GW_BOOT_PAGES * 4096u, "boot info size");

#endif
