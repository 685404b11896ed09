/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - the boot bundle: one boot module with a binary manifest, the partitions' programs
 * (flattened to segments, so that the kernel reads no ELF) and their configuration blobs.
 *
 *   +--------------+ 0
 *   | gw_bundle    | header, all tables inside it; GW_BUNDLE_MANIFEST bytes
 *   +--------------+ 8192
 *   | segment data | page-aligned, in the order of the table
 *   | config blobs | page-aligned
 *   +--------------+ size
 *
 * Written by tools/bundle, validated field by field by kernel/core/manifest before use: every
 * offset and length within size, counts within their maxima, addresses in the runtime's range,
 * segments disjoint, W^X, crc right. All numbers little endian. */
#ifndef GODWIT_ABI_BUNDLE_H
#define GODWIT_ABI_BUNDLE_H

#include <stdint.h>

#define GW_BUNDLE_MAGIC 0x656c646e75427747ULL /* "GwBundle" */
#define GW_BUNDLE_VERSION 3u
#define GW_BUNDLE_MANIFEST 8192u /* bytes before the data; zero behind the tables */
#define GW_BUNDLE_PARTITIONS 8u
#define GW_BUNDLE_SEGMENTS 32u
#define GW_BUNDLE_WINDOWS 4u /* of virtio-mmio */
#define GW_BUNDLE_DEVICES 32u
#define GW_BUNDLE_SLOTS 64u /* windows of time */
#define GW_BUNDLE_CHANNELS 32u

struct gw_bundle_segment {
	uint64_t va;		    /* page aligned, in [GW_RUNTIME_BASE, GW_MEM_BASE) */
	uint64_t offset;	    /* page aligned, in the bundle */
	uint64_t file_len, mem_len; /* bytes; the rest up to mem_len is zero */
	uint32_t flags;		    /* GW_MAP_W, GW_MAP_X */
	uint32_t partition;
};

/* dma = trusted: its devices reach all memory. Without: its own only, by an IOMMU; if there is
 * none, or a device is not behind it, the machine does not start. */
#define GW_PARTITION_DMA_TRUSTED 0x1u
#define GW_PARTITION_MEM_ZEROED 0x2u /* the machine's memory is zero at power-on */
#define GW_PARTITION_HEALTH_LOG 0x4u /* may read the module's health log (health.h) */

/* Errors of a partition: what happened. A fault is the partition's own affair, an upcall, as long
 * as it has an upcall entry; the table says what follows when it has none, or when its runtime
 * raises the error to the partition (health_raise). */
enum gw_health_class {
	GW_HEALTH_DEADLINE = 0,	   /* a deadline was missed */
	GW_HEALTH_APPLICATION = 1, /* raised by the program or its runtime */
	GW_HEALTH_NUMERIC = 2,	   /* division by zero, floating point */
	GW_HEALTH_ILLEGAL =
		3,	     /* illegal instruction, general protection, system call while masked */
	GW_HEALTH_STACK = 4, /* stack overflow */
	GW_HEALTH_MEMORY = 5,	/* page fault; DMA of its device outside its memory */
	GW_HEALTH_HARDWARE = 6, /* machine check, NMI */
	GW_HEALTH_POWER = 7,	/* power fail */
	GW_HEALTH_CLASSES = 8,
};
enum gw_health_action {
	GW_HEALTH_STOP = 0,   /* the partition ends with status 125 */
	GW_HEALTH_IGNORE = 1, /* counted and logged; it goes on (a fault: happens again) */
	GW_HEALTH_COLD_RESTART =
		2, /* memory cleared, segments as in the bundle, vcore 0 at the entry */
	GW_HEALTH_MODULE_STOP = 3, /* the machine ends with status 125 */
	/* As a cold restart, but the partition's memory (gw_boot_info.extents) keeps what is in it.
	 * Segments are as in the bundle, address spaces empty, vcore areas clear, ports as they
	 * are. Boot flag GW_BOOT_WARM. */
	GW_HEALTH_WARM_RESTART = 4,
	GW_HEALTH_MODULE_RESET = 5, /* every partition restarts cold, also those that have ended */
	GW_HEALTH_ACTIONS = 6,
};

/* What a partition's cores of the elastic pool are given for (kernel/core/elastic). */
enum gw_policy {
	GW_POLICY_FIXED = 0,   /* no elastic cores: its vcores stay on their cores */
	GW_POLICY_LATENCY = 1, /* cores by its delay, up to its maximum */
	GW_POLICY_BATCH = 2,   /* whatever the latency class leaves */
	GW_POLICIES = 3,
};

struct gw_bundle_partition {
	char name[32];			    /* NUL terminated */
	uint64_t memory_bytes;		    /* 0: all that is left (the last one only) */
	uint64_t entry_va;		    /* inside an executable segment */
	uint64_t config_offset, config_len; /* blob in the bundle, not read by the kernel */
	uint64_t colours;	   /* its frames: bit c, page colour c (colour.h); 0: any */
	uint32_t vcores;	   /* 1..GW_MAX_VCORES */
	uint32_t flags;		   /* GW_PARTITION_* */
	uint32_t page_table_pages; /* 0: 16 + memory / 128, and some more beyond 16 MiB */
	uint32_t first_core;	   /* vcore i runs on core (first_core + i) % cores */
	uint32_t restarts;	   /* before it is stopped instead; 0: any number */
	uint32_t delay_ns;	   /* LATENCY: the delay of its oldest work that asks for a core */
	uint8_t policy;		   /* enum gw_policy */
	uint8_t cores_min, cores_max; /* of the elastic pool: guaranteed, at most (0: vcores) */
	uint8_t reserved8;
	uint32_t reserved[4];
	uint8_t health[GW_HEALTH_CLASSES]; /* enum gw_health_action */
};

/* A window of time of a core, in each major frame. While it lasts only its owner's vcores of that
 * core run; when they all wait, the core idles, or, in an elastic one, runs the others in turn. The
 * windows of a core are sorted by offset and do not overlap; in gaps between them nobody runs. A
 * core without windows, and a window of the pool, runs all its vcores in turn, 1 ms each. */
#define GW_WINDOW_POOL 0xffu
#define GW_WINDOW_ELASTIC 0x1u
/* Exact: its owner goes on GW_WINDOW_EXACT_NS after the start, not as soon as it can, so that not
 * even the length of the kernel's last path is to be seen in the window. */
#define GW_WINDOW_EXACT 0x2u
#define GW_WINDOW_EXACT_NS 2000u
#define GW_WINDOW_MIN_NS 10000u

struct gw_bundle_slot {
	uint32_t offset_ns, duration_ns;
	uint8_t core;
	uint8_t partition; /* or GW_WINDOW_POOL */
	uint16_t flags;	   /* GW_WINDOW_ELASTIC */
};

/* virtio-mmio register windows to probe (the host tool knows the machine; no text is parsed). */
struct gw_bundle_mmio {
	uint64_t pa;		/* first window */
	uint32_t stride, count; /* bytes between windows (512..4096), windows (1..32) */
	uint32_t gsi;		/* global interrupt of the first; the n-th has gsi + n */
	uint32_t reserved;
};

/* Which partition gets which device; the first entry that matches decides, no match: nobody. */
struct gw_bundle_device {
	uint16_t kind;		 /* enum gw_device_kind, 0 = any */
	uint16_t vendor, device; /* 0xffff = any; PCI only */
	uint16_t partition;
	uint32_t location; /* as gw_device.location; ~0u = any */
};

/* A channel carries messages from its source's port to its destinations' ports. In the calls a port
 * is its channel's number: a partition has at most one end of each. */
struct gw_bundle_channel {
	uint32_t message_bytes; /* at most: 1..GW_BATCH_BYTES */
	uint32_t depth;		/* queuing: messages, 1..1024, one destination. 0: sampling */
	uint64_t refresh_ns;	/* sampling: how long a message is valid; 0: for ever */
	uint32_t source;	/* partition */
	uint32_t destinations;	/* bit n: partition n */
};

struct gw_bundle {
	uint64_t magic;
	uint32_t version;
	uint32_t crc;	   /* CRC-32C of the whole bundle with this field zero */
	uint64_t size;	   /* bytes of the whole bundle */
	uint64_t epoch_ns; /* CLOCK_REALTIME when it was written; 0: unknown */
	uint32_t n_partitions, n_segments, n_mmio, n_devices;
	struct gw_bundle_partition partitions[GW_BUNDLE_PARTITIONS];
	struct gw_bundle_segment segments[GW_BUNDLE_SEGMENTS];
	struct gw_bundle_mmio mmio[GW_BUNDLE_WINDOWS];
	struct gw_bundle_device devices[GW_BUNDLE_DEVICES];
	uint32_t cores; /* 0: as many as vcores if there is one partition, else all, as far as used
			 */
	uint32_t frame_ns; /* the major frame; 0: no windows */
	uint32_t n_slots;
	struct gw_bundle_slot slots[GW_BUNDLE_SLOTS]; /* sorted by core, then offset */
	uint32_t n_channels;
	struct gw_bundle_channel channels[GW_BUNDLE_CHANNELS];
	/* Errors of the module: STOP (as MODULE_STOP), IGNORE, MODULE_STOP or MODULE_RESET. Of the
	 * kernel's own finding are HARDWARE ones only (NMI, machine check). */
	uint8_t module_health[GW_HEALTH_CLASSES];
	uint32_t trace_records; /* that each core keeps of what it did (trace.h); 0: none */
	uint32_t colours; /* that there are: 2, 4, .. 64; 0: of the cache that has the fewest */
};

_Static_assert(sizeof(struct gw_bundle_partition) == 128, "bundle layout");
_Static_assert(sizeof(struct gw_bundle) <= GW_BUNDLE_MANIFEST, "the manifest is two pages");

#endif
