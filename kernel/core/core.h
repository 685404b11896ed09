/* SPDX-License-Identifier: Apache-2.0 */
/* core.h - a core's kernel area and the partition that runs on it. Vcore i of a partition is pinned
 * to core i for now; elastic scheduling will move vcores, and nothing but struct core knows of it.
 *
 * Each core has a 64 KiB slot of kernel addresses:
 *   0x0000 guard | 0x1000 struct core | 0x2000 its vcore area (alias) | 0x4000 guard
 *   0x5000 stack, 8 KiB | 0x7000 guard | 0x8000 NMI stack | guard | 0xa000 #DF | guard | 0xc000 #MC
 * GS points at struct core in the kernel, so %gs:0x1000 is the vcore area. */
#ifndef GODWIT_KERNEL_CORE_H
#define GODWIT_KERNEL_CORE_H

#include "kernel/core/layout.h"

#ifndef __ASSEMBLER__
#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"
#include "kernel/core/space.h"

enum core_state { CORE_ABSENT, CORE_STOPPED, CORE_STARTING, CORE_RUNNING };

struct core {
	struct core *self;	/* 0x00: offsets of layout.h */
	uint64_t user_rsp;	/* 0x08 */
	uint64_t stack_top;	/* 0x10 */
	uint64_t syscall_entry; /* 0x18: where reflected syscalls go */
	uint64_t upcall_entry;	/* 0x20: where faults and events go; 0: not set */
	uint64_t eoi;		/* 0x28: address of the xAPIC's EOI register; 0: x2APIC */
	struct gw_vcore *vcore; /* 0x30 */
	uint64_t vcore_pa;	/* of the vcore area */
	uint32_t id;
	uint32_t apic_id;
	_Atomic uint32_t state;	  /* enum core_state */
	_Atomic uint32_t waiting; /* 1: in wait, between the pending check and the return */
	/* Reloads of CR3 that others (under the space lock) have asked for, and that were done. */
	_Atomic uint32_t flush_asked, flush_done;
	uint32_t space;			 /* its vcore's address space; under the space lock */
	uint64_t start_entry, start_arg; /* of vcore_start, valid in CORE_STARTING */
	uint64_t tick_ns;		 /* when to post GW_EVENT_TICK; ~0: never */
	uint64_t armed_tsc, armed_ns;	 /* when the timer will fire; ~0: not armed */
	uint64_t gdt[10];
	uint8_t tss[104];
};

_Static_assert(offsetof(struct core, user_rsp) == CORE_USER_RSP, "layout");
_Static_assert(offsetof(struct core, stack_top) == CORE_STACK_TOP, "layout");
_Static_assert(offsetof(struct core, syscall_entry) == CORE_SYSCALL_ENTRY, "layout");
_Static_assert(offsetof(struct core, upcall_entry) == CORE_UPCALL_ENTRY, "layout");
_Static_assert(offsetof(struct core, eoi) == CORE_EOI, "layout");
_Static_assert(offsetof(struct core, vcore) == CORE_VCORE, "layout");
_Static_assert(offsetof(struct gw_vcore, masked) == VCORE_MASKED, "layout");
_Static_assert(offsetof(struct gw_vcore, syscall_rip) == VCORE_SYSCALL_RIP, "layout");
_Static_assert(offsetof(struct gw_vcore, frame) == VCORE_FRAME, "layout");
_Static_assert(offsetof(struct gw_vcore, kernel_entries) == VCORE_ENTRIES, "layout");
_Static_assert(sizeof(struct core) <= PAGE_SIZE, "one page");

/* The registers of an interrupted context, as the entry code pushes them. */
struct trap {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

struct partition {
	char name[32];
	uint32_t vcores;
	bool dma_trusted;
	struct table_pool pool;
	struct space spaces[GW_MAX_SPACES]; /* number 0 is made at boot */
	_Atomic uint32_t space_lock;	    /* pool, spaces, and who runs in which */
	uint32_t n_extents;
	struct gw_extent extents[GW_MAX_EXTENTS];
	struct gw_boot_info *info; /* the kernel's view of what it maps at GW_BOOT_VA */
};

extern struct partition partition;
extern struct core *cores[GW_MAX_VCORES]; /* by vcore number */

#endif
#endif
