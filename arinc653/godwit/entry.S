/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - the ways into the executive from the kernel, and from one process to another. The kernel's upcalls run
 * on a stack of the executive, one for each core: nothing is written below an interrupted process's stack pointer.
 * Offsets are checked in plat.c. */
#define VC_STACK %gs:0x200
#define VC_REASON %gs:0x00c
#define VC_SYSCALL_RIP %gs:0x010
#define VC_VECTOR %gs:0x018
#define VC_FRAME_MASKED %gs:0x030
#define VC_FRAME(r) %gs:0x040 + r
#define UPCALL_FAULT 1
#define VECTOR_SYSCALL 256
#define EXEC_STACK 8192
#define CORES 8
#define C_FULL 8

	.text
	.globl _start, apex_core_start, apex_upcall_entry, apex_syscall_entry, apex_context_switch, apex_on_exec_stack
	.hidden apex_core_start, apex_upcall_entry, apex_syscall_entry, apex_context_switch, apex_on_exec_stack

_start:	/* rdi = GW_BOOT_VA; core 0 */
	leaq	exec_stacks + EXEC_STACK(%rip), %rsp
	movq	%rsp, VC_STACK
	xorl	%ebp, %ebp
	call	plat_main
	ud2

apex_core_start:	/* rdi = the number of the core */
	incq	%rdi
	imulq	$EXEC_STACK, %rdi
	leaq	exec_stacks(%rip), %rsp
	addq	%rdi, %rsp
	movq	%rsp, VC_STACK
	xorl	%ebp, %ebp
	call	plat_core_main
	ud2

apex_upcall_entry:
	movq	VC_STACK, %rsp
	xorl	%ebp, %ebp
	cld
	call	plat_upcall
	ud2

/* A `syscall` that is no kernel call: as a fault of its own vector. rcx and r11 are lost by the instruction. */
apex_syscall_entry:
	movq	%rax, VC_FRAME(0x00)
	movq	%rbx, VC_FRAME(0x08)
	movq	%rdx, VC_FRAME(0x18)
	movq	%rsi, VC_FRAME(0x20)
	movq	%rdi, VC_FRAME(0x28)
	movq	%rbp, VC_FRAME(0x30)
	movq	%rsp, VC_FRAME(0x38)
	movq	%r8, VC_FRAME(0x40)
	movq	%r9, VC_FRAME(0x48)
	movq	%r10, VC_FRAME(0x50)
	movq	%r11, VC_FRAME(0x58)
	movq	%r12, VC_FRAME(0x60)
	movq	%r13, VC_FRAME(0x68)
	movq	%r14, VC_FRAME(0x70)
	movq	%r15, VC_FRAME(0x78)
	movq	VC_SYSCALL_RIP, %rax
	movq	%rax, VC_FRAME(0x80)
	movq	%rax, VC_FRAME(0x10)
	movq	%r11, VC_FRAME(0x88)
	movq	$0, VC_FRAME_MASKED
	movl	$UPCALL_FAULT, VC_REASON
	movq	$VECTOR_SYSCALL, VC_VECTOR
	jmp	apex_upcall_entry

/* apex_context_switch(rdi: where to keep the stack pointer, rsi: the other's struct plat_context) */
apex_context_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	cmpq	$0, C_FULL(%rsi)
	jne	1f
	movq	(%rsi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret
1:	movq	VC_STACK, %rsp
	xorl	%ebp, %ebp
	movq	%rsi, %rdi
	call	plat_resume
	ud2

/* apex_on_exec_stack(rdi: a function that does not return, rsi: its argument) */
apex_on_exec_stack:
	movq	VC_STACK, %rsp
	xorl	%ebp, %ebp
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	ud2

	.section .noinit, "aw", @nobits
	.balign 16
exec_stacks:
	.skip EXEC_STACK * CORES
	.globl lives
	.hidden lives
lives:
	.skip 64
	.section .note.GNU-stack, "", @progbits
