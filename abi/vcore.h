/* SPDX-License-Identifier: Apache-2.0 */
/* vcore.h - the area that a vcore and the kernel share, and the upcalls made through it.
 *
 * Each vcore has GW_VCORE_AREA bytes at GW_VCORE_VA(i), mapped read-write to its partition, and to
 * the kernel at an address of its own. The kernel trusts nothing in it.
 *
 * Upcalls. `masked` is 1 while the runtime runs and 0 while the program does.
 *   syscall: the program executes `syscall` with bit 63 of rax clear. The kernel stores its rip
 *       in `syscall_rip`, sets masked = 1 and enters syscall_entry: rcx = the entry, r11 = the
 *       program's rflags, every other register as the program left it (rsp too).
 *       A reflected syscall while masked is 1 is an error of the runtime: health stops it.
 *   fault: an exception at user level, masked or not. The interrupted registers go to `frame`, the
 *       mask before it to `frame_masked`, and reason, vector, error, fault_va are set; masked = 1;
 *       upcall_entry runs with rsp as it was interrupted and no other register defined.
 *   event: `pending` became non-zero while masked was 0. As a fault, with reason GW_UPCALL_EVENT.
 * GS base is the address of the vcore's area throughout; the program must not change it.
 * To return to a program quickly, after a syscall, the runtime needs no kernel call: restore
 * registers, masked = 0, and if pending is 0, jump; an event upcall in between is harmless. */
#ifndef GODWIT_ABI_VCORE_H
#define GODWIT_ABI_VCORE_H

#include <stdint.h>

#define GW_PAGE 4096u
#define GW_VCORE_AREA 8192u
#define GW_MAX_VCORES 64u

/* Where things are in a partition's address space. The kernel refuses mappings made by space_map
 * outside [GW_PROGRAM_BASE, GW_PROGRAM_END); the rest it maps itself, at boot. */
#define GW_PROGRAM_BASE 0x0000000000001000ULL
#define GW_PROGRAM_END 0x0000700000000000ULL
#define GW_RUNTIME_BASE 0x0000700000000000ULL /* the partition program's segments: RX, RO, RW */
#define GW_MEM_BASE                                                                                \
	0x0000710000000000ULL		   /* the partition's memory: va = GW_MEM_BASE + pa, RW NX \
					    */
#define GW_BOOT_VA 0x0000720000000000ULL   /* struct gw_boot_info (boot.h), read-only */
#define GW_CONFIG_VA 0x0000720010000000ULL /* the bundle's configuration blob, read-only */
#define GW_VCORE_BASE 0x0000720020000000ULL
#define GW_VCORE_VA(i) (GW_VCORE_BASE + (uint64_t)(i)*GW_VCORE_AREA)
#define GW_DEVICE_BASE 0x0000730000000000ULL /* device registers, RW NX, uncached */
#define GW_USER_END 0x00007ffffffff000ULL

/* Bits of gw_vcore.pending. */
enum gw_event {
	GW_EVENT_TICK = 0,   /* the deadline of tick_set or wait passed */
	GW_EVENT_NOTIFY = 1, /* notify by another vcore */
	GW_EVENT_PORT = 2,   /* a port has a message, or room again */
	GW_EVENT_IRQ0 = 8,   /* 8..63: interrupts, as irq_bind chose */
};

enum gw_upcall {
	GW_UPCALL_FAULT = 1,
	GW_UPCALL_EVENT = 2,
};

/* General registers. offsets are used by assembly: keep the order. */
struct gw_regs {
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp; /* 0x00 .. 0x38 */
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;	 /* 0x40 .. 0x78 */
	uint64_t rip, rflags;				 /* 0x80, 0x88 */
};

/* Flags of mappings and of reports. A mapping is always readable; W and X together are refused. */
#define GW_MAP_W 0x1u
#define GW_MAP_X 0x2u
#define GW_MAP_NONE 0x4u      /* keep the frame mapped but inaccessible (PROT_NONE) */
#define GW_MAP_ACCESSED 0x10u /* reported only */
#define GW_MAP_DIRTY 0x20u    /* reported only */
#define GW_MAP_LARGE                                                                         \
	0x40u /* map: use 2 MiB pages (va, pa and len multiples; not with colours); reported \
	       * likewise */

struct gw_map {
	uint64_t va;	/* multiple of 4096 in the program's addresses */
	uint64_t pa;	/* frame: address inside the partition's memory extents */
	uint64_t len;	/* bytes, multiple of 4096, > 0; frames are contiguous */
	uint64_t flags; /* GW_MAP_* */
};

struct gw_unmapped {
	uint64_t va;
	uint64_t pa_flags; /* pa (4 KiB aligned) | GW_MAP_* flags in the low 12 bits */
};

#define GW_BATCH_BYTES 4064u
#define GW_BATCH_MAPS (GW_BATCH_BYTES / sizeof(struct gw_map))	      /* 127 */
#define GW_BATCH_UNMAPS (GW_BATCH_BYTES / sizeof(struct gw_unmapped)) /* 254 */

struct gw_vcore {
	_Atomic uint64_t pending; /* 0x000: events; kernel sets bits, runtime clears them */
	_Atomic uint32_t masked;  /* 0x008: 1: no event upcalls */
	uint32_t reason;	  /* 0x00c: enum gw_upcall */
	uint64_t syscall_rip;	  /* 0x010 */
	uint64_t vector;	  /* 0x018: x86 exception number of a fault */
	uint64_t error;	   /* 0x020: its error code (page fault: bit 0 present, 1 write, 4 fetch) */
	uint64_t fault_va; /* 0x028: CR2 of a page fault */
	uint64_t frame_masked;	 /* 0x030 */
	uint64_t id;		 /* 0x038: this vcore's number */
	struct gw_regs frame;	 /* 0x040 .. 0x0cf */
	uint64_t kernel_entries; /* 0x0d0: statistics, kernel-written: syscalls, calls, interrupts,
				    faults */
	uint64_t interrupts;	 /* 0x0d8 */
	/* What the runtime publishes for the elastic allocator, in ns; 0: none. Times, not ages:
	 * they go on while the vcore does not run. (When a tick is due the kernel knows itself.) */
	uint64_t ready_ns; /* 0x0e0: since when its oldest runnable uthread waits */
	/* Where two 16-bit counters are, even addresses in the partition's memory (GW_MEM_BASE...):
	 * packets that have come (a used ring's idx), and those of them that the runtime has seen.
	 * While they differ packets wait; the kernel notes since when. 0: none. */
	uint64_t packets_come; /* 0x0e8 */
	uint64_t packets_seen; /* 0x0f0 */
	uint8_t reserved[0x200 - 0xf8];
	uint64_t user[448]; /* 0x200 .. 0xfff: the runtime's own; the kernel ignores it */
	union {
		struct gw_map maps[GW_BATCH_MAPS];
		struct gw_unmapped unmapped[GW_BATCH_UNMAPS];
		uint8_t bytes[GW_BATCH_BYTES];
	} batch;	  /* 0x1000 */
	uint64_t next_va; /* space_unmap, space_query */
	uint64_t done;	  /* space_map, space_protect */
	uint64_t spare[2];
};

_Static_assert(sizeof(struct gw_vcore) == GW_VCORE_AREA, "vcore area size");

#endif
