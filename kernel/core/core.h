/* SPDX-License-Identifier: Apache-2.0 */
/* core.h - partitions, their vcores, and the cores that run them. A vcore belongs to one core for
 * good, or floats: any core of the elastic pool may run it (pool.h). A core that has one vcore and
 * nothing to share its time with is dedicated: there a wait halts in the call itself. Every other
 * core is shared: schedule.h says who runs.
 *
 * Each core has a 64 KiB slot of kernel addresses:
 *   0x0000 guard | 0x1000 struct core | 0x2000 guard
 *   0x5000 stack, 8 KiB | 0x7000 guard | 0x8000 NMI stack | guard | 0xa000 #DF | guard | 0xc000 #MC
 * and each vcore one of 16 KiB (layout.h). GS points at the struct vcore that runs. */
#ifndef GODWIT_KERNEL_CORE_H
#define GODWIT_KERNEL_CORE_H

#include "kernel/core/log.h"
#include "kernel/core/layout.h"

#ifndef __ASSEMBLER__
#include "abi/boot.h"
#include "abi/bundle.h"
#include "abi/call.h"
#include "abi/status.h"
#include "abi/vcore.h"
#include "kernel/core/space.h"

#define CORE_VCORES 16u	 /* that one core can be given */
#define POOL_VCORES 512u /* that float, at most: GW_BUNDLE_PARTITIONS * GW_MAX_VCORES */

/* The registers of an interrupted context, as the entry code pushes them. */
struct trap {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error, rip, cs, rflags, rsp, ss;
};

enum vcore_state { VCORE_STOPPED, VCORE_STARTING, VCORE_RUNNING };

struct vcore {
	struct vcore *self;	   /* 0x00: offsets of layout.h */
	uint64_t user_rsp;	   /* 0x08 */
	uint64_t stack_top;	   /* 0x10: its core's */
	uint64_t syscall_entry;	   /* 0x18: where reflected syscalls go */
	uint64_t upcall_entry;	   /* 0x20: where faults and events go; 0: not set */
	struct gw_vcore *area;	   /* NULL: the core's own, which stands for idling */
	struct core *_Atomic core; /* its own; of one that floats: where it runs, or ran last */
	struct partition *part;
	uint64_t area_at; /* the partition's own address of it */
	uint32_t id;
	uint32_t space;			 /* its address space; under the space lock */
	_Atomic uint32_t state;		 /* enum vcore_state */
	_Atomic uint32_t waiting;	 /* 1: in wait, between the pending check and the return */
	uint64_t start_entry, start_arg; /* of vcore_start, valid from VCORE_RUNNING */
	_Atomic uint64_t tick_ns;	 /* when to post GW_EVENT_TICK; ~0: never */
	/* Elastic partitions only. */
	bool floats;
	uint32_t index;		    /* among all that float */
	struct core *irq_core;	    /* gets its interrupts */
	_Atomic uint32_t on;	    /* the core that has its context, + 1; 0: none */
	_Atomic uint64_t ready_ns;  /* since when it could run and does not; 0: not so */
	_Atomic uint64_t unseen_ns; /* since when packets wait that it has not seen; 0: none */
	uint64_t helped_ns;	    /* when it was last got up for the work of others */
	/* Shared cores only. */
	bool fresh;	/* has no context yet: begins at start_entry */
	uint64_t again; /* rax of a call to be made again, because its time was up */
	uint64_t progress, progress_of; /* how far which call had come: call_again */
	uint64_t fs_base, gs_base;
	struct trap trap; /* its context while it is not on its core */
};

struct core {
	struct core *self;
	struct vcore *_Atomic current; /* 0x08: what runs; &idle: nothing */
	uint64_t stack_top;	       /* 0x10 */
	uint64_t eoi;		       /* address of the xAPIC's EOI register; 0: x2APIC */
	uint32_t id;
	uint32_t apic_id;
	bool shared;
	_Atomic bool up; /* has started */
	/* Reloads of CR3 that others (under the space lock) have asked for, and that were done. */
	_Atomic uint32_t flush_asked, flush_done;
	uint64_t armed_tsc, armed_ns; /* when the timer will fire; ~0: not armed */
	uint32_t n_vcores;
	struct vcore *vcores[CORE_VCORES];
	/* schedule.c */
	uint32_t turn;				  /* the vcore whose turn it is, in vcores[] */
	uint32_t window, first_window, n_windows; /* in the manifest's table */
	bool in_gap;				  /* before that window: nobody runs */
	bool window_fresh; /* it has begun, and its lateness is not recorded yet */
	uint64_t frame_ns, window_ns, window_end_ns; /* this frame, this window */
	uint64_t slice_end_ns;			     /* of whose turn it is */
	uint64_t switch_ns;			     /* another one may run from here on */
	uint64_t wake_ns; /* when schedule is to look again, as it has seen last */
	/* pool.c */
	bool pooled;				  /* it has time for the elastic pool */
	_Atomic uint64_t timed[POOL_VCORES / 64]; /* whose ticks it looks after, by index */
	/* Shared: what the interrupt of a vector is for. */
	struct {
		struct vcore *vcore;
		uint32_t event;
	} irq[64];
	struct vcore idle;
	uint64_t gdt[10];
	uint8_t tss[104];
};

_Static_assert(offsetof(struct core, current) == CORE_CURRENT, "layout");
_Static_assert(offsetof(struct core, stack_top) == CORE_TOP, "layout");
_Static_assert(offsetof(struct vcore, user_rsp) == VC_USER_RSP, "layout");
_Static_assert(offsetof(struct vcore, stack_top) == VC_STACK_TOP, "layout");
_Static_assert(offsetof(struct vcore, syscall_entry) == VC_SYSCALL_ENTRY, "layout");
_Static_assert(offsetof(struct vcore, upcall_entry) == VC_UPCALL_ENTRY, "layout");
_Static_assert(offsetof(struct gw_vcore, masked) == VCORE_MASKED, "layout");
_Static_assert(offsetof(struct gw_vcore, syscall_rip) == VCORE_SYSCALL_RIP, "layout");
_Static_assert(offsetof(struct gw_vcore, frame) == VCORE_FRAME, "layout");
_Static_assert(offsetof(struct gw_vcore, kernel_entries) == VCORE_ENTRIES, "layout");
_Static_assert(sizeof(struct core) <= PAGE_SIZE, "one page");
_Static_assert(sizeof(struct vcore) <= VCORE_XSAVE, "before the extended registers");

enum partition_state {
	PARTITION_RUNNING,
	PARTITION_STOPPING, /* for a moment, while its error is handled */
	PARTITION_RESTARTING,
	PARTITION_ENDED
};

struct partition {
	char name[32];
	uint32_t number;
	uint32_t n_vcores;
	struct vcore *vcores[GW_MAX_VCORES];
	bool dma_trusted;
	_Atomic uint32_t state;		   /* enum partition_state */
	uint32_t status;		   /* of shutdown, or STATUS_FAULT */
	uint8_t health[GW_HEALTH_CLASSES]; /* actions, as in the manifest */
	uint32_t restarts;		   /* how often it was restarted */
	uint32_t error_restarts;	   /* by its own errors */
	uint32_t restarts_max;		   /* of these; 0: without limit */
	uint32_t errors[GW_HEALTH_CLASSES];
	uint32_t dma_faults;
	_Atomic uint32_t reset_asked; /* module reset: restart.c */
	uint32_t start;		      /* enum gw_start */
	bool warm;		      /* this restart keeps the memory */
	uint32_t restart_stage;	      /* of restart_step */
	uint64_t restart_at;
	uint64_t entry_va;
	struct table_pool pool;
	struct space spaces[GW_MAX_SPACES]; /* number 0 is made at boot */
	struct space dma;		    /* what its devices reach; root 0: not confined */
	_Atomic uint32_t space_lock;	    /* pool, spaces, and who runs in which */
	uint64_t memory;		    /* bytes in extents */
	uint32_t n_extents;
	struct gw_extent extents[GW_MAX_EXTENTS];
	uint64_t own_next;		 /* boot: what of its colours is dealt out */
	struct gw_boot_info *info;	 /* the kernel's view of what it maps at GW_BOOT_VA */
	uint64_t device_next;		 /* va of the next device's registers */
	uint8_t devices[GW_MAX_DEVICES]; /* index in the boot info to the kernel's */
	struct log_line line;		 /* of the console */
};

/* The bytes are the partition's memory. */
static inline bool partition_owns(const struct partition *p, uint64_t pa, uint64_t len)
{
	for (const struct gw_extent *e = p->extents; e < &p->extents[p->n_extents]; e++)
		if (pa >= e->pa && pa - e->pa < e->len)
			return len <= e->len - (pa - e->pa);
	return false;
}

extern struct partition *partitions[GW_BUNDLE_PARTITIONS];
extern uint32_t n_partitions;
extern struct core *cores[GW_MAX_VCORES];
extern uint32_t n_cores;

#endif
#endif
