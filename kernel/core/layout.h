/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - numbers that C and assembly share; core.h asserts that they match the structures. */
#ifndef GODWIT_KERNEL_LAYOUT_H
#define GODWIT_KERNEL_LAYOUT_H

#define CORE_SLOT 0x10000
#define CORE_AREA 0x1000 /* struct core, in the slot */
#define CORE_STACK 0x5000
#define CORE_STACK_END 0x7000
#define CORE_NMI_STACK 0x8000
#define CORE_DF_STACK 0xa000
#define CORE_MC_STACK 0xc000

/* struct core. */
#define CORE_CURRENT 0x08
#define CORE_TOP 0x10

/* A vcore's slot: guard | 0x1000 struct vcore, extended registers at VCORE_XSAVE in the same page |
 * 0x2000 its vcore area (alias) | guard. */
#define VCORE_SLOT 0x4000
#define VCORE_PAGE 0x1000
#define VCORE_XSAVE 0x400
#define VCORE_XSAVE_ROOM 0xc00

/* struct vcore, from GS. */
#define VC_USER_RSP 0x08
#define VC_STACK_TOP 0x10
#define VC_SYSCALL_ENTRY 0x18
#define VC_UPCALL_ENTRY 0x20

/* Where kernel_call's return address lies, in words from the top of the stack. */
#define CALL_RETURN (-9)

/* The vcore area, from GS. */
#define VCORE 0x1000
#define VCORE_PENDING 0x00
#define VCORE_MASKED 0x08
#define VCORE_REASON 0x0c
#define VCORE_SYSCALL_RIP 0x10
#define VCORE_FRAME_MASKED 0x30
#define VCORE_FRAME 0x40
#define VCORE_ENTRIES 0xd0
#define VCORE_INTERRUPTS 0xd8

#define UPCALL_EVENT 2 /* GW_UPCALL_EVENT */

/* Selectors, with the numbers that Linux programs see there. sysret wants user data right before
 * user code. */
#define SEL_KCODE 0x10
#define SEL_KDATA 0x18
#define SEL_USER32 0x23 /* not there; the base that sysret counts from */
#define SEL_UDATA 0x2b
#define SEL_UCODE 0x33
#define SEL_TSS 0x40

/* Interrupt vectors: event e of the vcore on a core is vector VECTOR_EVENT + e. */
#define VECTOR_EVENT 0x30
#define VECTOR_TIMER 0x30 /* GW_EVENT_TICK, after a look at the deadlines */
#define VECTOR_KICK 0x70
#define VECTOR_FLUSH 0x71
#define VECTOR_HEALTH 0x72 /* a module error that waits to be acted on */
#define VECTOR_DMA 0x73	   /* an IOMMU has recorded faults */
#define VECTOR_SPURIOUS 0x7f
#define VECTORS 0x80

#define RFLAGS_USER 0x202    /* interrupts on */
#define RFLAGS_KEEP 0x240dd5 /* what a context may choose: CF PF AF ZF SF TF DF OF AC ID */

/* Numbers of kernel calls that the entry code serves itself. */
#define CALL_CONTEXT_RESUME 11
#define CALL_HEALTH_RAISE 13
#define CALL_COUNT 22 /* calls from here on are not there yet: -ENOSYS */

#define KERNEL_PHYS 0x100000

/* Who has loaded the kernel. */
#define PVH_LOADED 0x336ec578
#define MULTIBOOT2_LOADED 0x36d76289

#endif
