/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - the boot bundle: one boot module with a binary manifest, the partitions' programs
 * (flattened to segments, so that the kernel reads no ELF) and their configuration blobs.
 *
 *   +--------------+ 0
 *   | gw_bundle    | header, all tables inside it
 *   +--------------+ 4096-aligned
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
#define GW_BUNDLE_VERSION 1u
#define GW_BUNDLE_PARTITIONS 8u
#define GW_BUNDLE_SEGMENTS 32u
#define GW_BUNDLE_WINDOWS 4u
#define GW_BUNDLE_DEVICES 32u

struct gw_bundle_segment {
	uint64_t va;		    /* page aligned, in [GW_RUNTIME_BASE, GW_MEM_BASE) */
	uint64_t offset;	    /* page aligned, in the bundle */
	uint64_t file_len, mem_len; /* bytes; the rest up to mem_len is zero */
	uint32_t flags;		    /* GW_MAP_W, GW_MAP_X */
	uint32_t partition;
};

#define GW_PARTITION_DMA_TRUSTED 0x1u /* accepts devices without an IOMMU */
#define GW_PARTITION_MEM_ZEROED 0x2u  /* the machine's memory is zero at power-on */

struct gw_bundle_partition {
	char name[32];			    /* NUL terminated */
	uint64_t memory_bytes;		    /* 0: all that is left */
	uint64_t entry_va;		    /* inside an executable segment */
	uint64_t config_offset, config_len; /* blob in the bundle, not read by the kernel */
	uint32_t vcores;		    /* 1..GW_MAX_VCORES */
	uint32_t flags;			    /* GW_PARTITION_* */
	uint32_t page_table_pages;	    /* 0: 16 + memory / 128, and some more beyond 16 MiB */
	uint32_t reserved;
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
};

_Static_assert(sizeof(struct gw_bundle) <= 4096, "the manifest is one page");

#endif
