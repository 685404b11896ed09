/* SPDX-License-Identifier: Apache-2.0 */
/* upcall.S - a program's way into the runtime and back (upcall.h, abi/vcore.h).
 *
 *   runtime stack of a program uthread, at VU_STACK_TOP:
 *     + 0x08  self      struct uthread_top
 *     + 0x00  work
 *     - 0x08  orig_rax  struct program_frame
 *     - 0x10  full
 *     - 0xa0  regs
 *
 * From the store that clears `masked` to the jump, an event can interrupt the return at any instruction. The frame
 * stays whole until the jump, so the event's handler keeps it when rip lies in [upcall_return_begin, _end) and
 * the return is done again. Offsets are checked in upcall.c. */
#define VC_PENDING %gs:0x000
#define VC_MASKED %gs:0x008
#define VC_SYSCALL_RIP %gs:0x010
#define VC_VECTOR %gs:0x018
#define VC_FRAME_MASKED %gs:0x030
#define VC_FRAME_RFLAGS %gs:0x0c8
#define VU_STACK_TOP %gs:0x208
#define VU_SCRATCH %gs:0x210
#define VU_JUMP %gs:0x218

#define R_RAX 0x00
#define R_RBX 0x08
#define R_RCX 0x10
#define R_RDX 0x18
#define R_RSI 0x20
#define R_RDI 0x28
#define R_RBP 0x30
#define R_RSP 0x38
#define R_R8 0x40
#define R_R9 0x48
#define R_R10 0x50
#define R_R11 0x58
#define R_R12 0x60
#define R_R13 0x68
#define R_R14 0x70
#define R_R15 0x78
#define R_RIP 0x80
#define R_RFLAGS 0x88
#define RFLAGS_TF 0x100
#define GW_CALL_CONTEXT_RESUME 0x800000000000000b
#define REGS_SIZE 0x90
#define F_FULL 0x90
#define FRAME_SIZE 0xa0
#define F_WORK 0xa0 /* uthread_top, right above the frame */

/* All general registers from a struct gw_regs at rsp; rsp last. */
	.macro load_registers
	movq	R_RAX(%rsp), %rax
	movq	R_RBX(%rsp), %rbx
	movq	R_RCX(%rsp), %rcx
	movq	R_RDX(%rsp), %rdx
	movq	R_RSI(%rsp), %rsi
	movq	R_RDI(%rsp), %rdi
	movq	R_RBP(%rsp), %rbp
	movq	R_R8(%rsp), %r8
	movq	R_R9(%rsp), %r9
	movq	R_R10(%rsp), %r10
	movq	R_R11(%rsp), %r11
	movq	R_R12(%rsp), %r12
	movq	R_R13(%rsp), %r13
	movq	R_R14(%rsp), %r14
	movq	R_R15(%rsp), %r15
	movq	R_RSP(%rsp), %rsp
	.endm

	.text
	.globl upcall_syscall_entry, upcall_entry, upcall_return, upcall_return_begin, upcall_return_end
	.hidden upcall_syscall_entry, upcall_entry, upcall_return, upcall_return_begin, upcall_return_end

	.p2align 4
upcall_syscall_entry:
	movq	%rsp, VU_SCRATCH
	movq	VU_STACK_TOP, %rsp
	pushq	%rax			/* orig_rax */
	pushq	$0			/* full */
	pushq	%r11			/* rflags */
	pushq	VC_SYSCALL_RIP
	pushq	%r15
	pushq	%r14
	pushq	%r13
	pushq	%r12
	pushq	%r11
	pushq	%r10
	pushq	%r9
	pushq	%r8
	pushq	VU_SCRATCH		/* rsp */
	pushq	%rbp
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	VC_SYSCALL_RIP		/* rcx, as the instruction leaves it */
	pushq	%rbx
	pushq	%rax
	movq	%rsp, %rdi
	cld
	call	personality_syscall
	movq	F_FULL(%rsp), %rcx
	orq	F_WORK(%rsp), %rcx
	jne	upcall_return
	xorl	%ecx, %ecx
	xchgl	%ecx, VC_MASKED		/* a full barrier before the look at pending: shard_kick, the kernel's event_post */
upcall_return_begin:
	cmpq	$0, VC_PENDING
	jne	1f
	pushq	R_RFLAGS(%rsp)
	popfq
	movq	R_RAX(%rsp), %rax
	movq	R_RDX(%rsp), %rdx
	movq	R_RSI(%rsp), %rsi
	movq	R_RDI(%rsp), %rdi
	movq	R_R8(%rsp), %r8
	movq	R_R9(%rsp), %r9
	movq	R_R10(%rsp), %r10
	movq	R_RIP(%rsp), %rcx	/* rbx, rbp, r12-r15 were kept by the calling convention */
	movq	R_RFLAGS(%rsp), %r11
	movq	R_RSP(%rsp), %rsp
	jmp	*%rcx
1:	movl	$1, VC_MASKED

/* The runtime's first bytes: a program that jumps to the base of what is not its own dies there by
 * SIGILL. (It shares the runtime's privilege level: elsewhere it harms its own machine, no other.) */
	.pushsection .guard, "ax"
	ud2
	.popsection

/* The return with everything restored, after what is pending was done. rsp: the frame. */
upcall_return:
	movl	R_RFLAGS(%rsp), %eax
	andl	$RFLAGS_TF, %eax
	orq	F_WORK(%rsp), %rax
	orq	VC_PENDING, %rax
	jne	3f
2:	movq	R_RIP(%rsp), %rax
	xorl	%ecx, %ecx
	xchgl	%ecx, VC_MASKED
	cmpq	$0, VC_PENDING
	jne	1b
	movq	%rax, VU_JUMP
	pushq	R_RFLAGS(%rsp)
	popfq
	load_registers
	jmp	*VU_JUMP
3:	movq	%rsp, %rdi
	call	upcall_return_work
	jmp	2b
upcall_return_end:

/* Faults and events. No register is defined but rsp. */
	.p2align 4
upcall_entry:
	cmpq	$0, VC_FRAME_MASKED
	jne	2f
	movq	VU_STACK_TOP, %rsp
	subq	$FRAME_SIZE, %rsp
	movq	%rsp, %rdi
	xorl	%ebp, %ebp
	cld
	call	upcall_from_program
	jmp	upcall_return

/* The runtime itself faulted, on program memory or by a mistake: below its stack pointer is free. */
2:	cmpq	$1, VC_VECTOR
	je	3f
	andq	$-16, %rsp
	subq	$REGS_SIZE + 16, %rsp
	movq	%rsp, %rdi
	cld
	call	upcall_from_runtime
	/* back to the registers in rsp: rflags and rip go below the old stack pointer, for popf and ret */
	movq	R_RSP(%rsp), %rax
	movq	R_RFLAGS(%rsp), %rcx
	movq	%rcx, -16(%rax)
	movq	R_RIP(%rsp), %rcx
	movq	%rcx, -8(%rax)
	load_registers
	leaq	-16(%rsp), %rsp
	popfq
	ret

/* A program made a system call with TF set: its first step is ours, on its stack yet. Go on without TF; the frame
 * that the entry saves has it. */
3:	andq	$~RFLAGS_TF, VC_FRAME_RFLAGS
	movabsq	$GW_CALL_CONTEXT_RESUME, %rax
	syscall
	ud2

/* upcall_return_on(rdi: a program_frame at its place): leave C for the program. */
	.globl upcall_return_on
	.hidden upcall_return_on
upcall_return_on:
	movq	%rdi, %rsp
	jmp	upcall_return

	.section .note.GNU-stack, "", @progbits
