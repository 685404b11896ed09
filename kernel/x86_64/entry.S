/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - every way into the kernel and out of it: syscalls, interrupts, exceptions. Interrupts are
 * off in the kernel except at one hlt (arch_idle). In the kernel GS is the struct vcore that
 * runs, and %gs:VCORE the kernel's alias of its area; user memory is touched in no other way. A core has
 * one stack for all its vcores: to switch, C changes the frame that return_to_user pops, and GS. */
#include "kernel/core/layout.h"

	.text
.macro push_all
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro pop_all
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
.endm

/* ------------------------------------------------------------------ syscall */
	.balign 64
	.globl syscall_entry
syscall_entry:
	swapgs
	testq %rax, %rax
	js kernel_call
	/* Reflect: rcx = the program's rip, r11 its rflags. Nothing needs a stack. */
	cmpl $0, %gs:VCORE + VCORE_MASKED
	jne reflect_masked
	movq %rcx, %gs:VCORE + VCORE_SYSCALL_RIP
	movl $1, %gs:VCORE + VCORE_MASKED
	incq %gs:VCORE + VCORE_ENTRIES
	movq %gs:VC_SYSCALL_ENTRY, %rcx
	swapgs
	sysretq

reflect_masked:
	movq %rsp, %gs:VC_USER_RSP
	movq %gs:VC_STACK_TOP, %rsp
	movl $-2, %eax
	jmp raise

kernel_call:
	movq %rsp, %gs:VC_USER_RSP
	movq %gs:VC_STACK_TOP, %rsp
	incq %gs:VCORE + VCORE_ENTRIES
	btrq $63, %rax
	cmpq $CALL_CONTEXT_RESUME, %rax
	je context_resume
	pushq %rcx
	pushq %r11
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %r8
	pushq %r9
	pushq %r10
	cmpq $CALL_COUNT, %rax
	jae 2f
	leaq call_table(%rip), %rcx
	movq (%rcx, %rax, 8), %rax
	testq %rax, %rax
	jz raise_call
	movq %r10, %rcx
	call *%rax
1:	popq %r10
	popq %r9
	popq %r8
	popq %rdx
	popq %rsi
	popq %rdi
	popq %r11
	popq %rcx
	movq %gs:VC_USER_RSP, %rsp
	swapgs
	sysretq
2:	movq $-38, %rax /* -ENOSYS */
	jmp 1b

raise_call:
	popq %r10
	popq %r9
	popq %r8
	popq %rdx
	popq %rsi
	popq %rdi
	popq %r11
	popq %rcx
	movl $CALL_HEALTH_RAISE, %eax
/* Hand all registers to health_raise. eax: why. Does not return. */
raise:
	pushq $SEL_UDATA
	pushq %gs:VC_USER_RSP
	pushq %r11
	pushq $SEL_UCODE
	pushq %rcx
	pushq $0
	pushq %rax
	call push_registers_and_raise /* the return address takes the place of rax */
push_registers_and_raise:
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, %rdi
	call health_raise
	jmp return_to_user

/* Where a call returns instead of to kernel_call when it has asked for that (arch_call_suspend): the
 * registers that C keeps are the caller's again, so that the whole context can be put aside. */
	.globl call_suspended
call_suspended:
	popq %r10
	popq %r9
	popq %r8
	popq %rdx
	popq %rsi
	popq %rdi
	popq %r11
	popq %rcx
	pushq $SEL_UDATA
	pushq %gs:VC_USER_RSP
	pushq %r11
	pushq $SEL_UCODE
	pushq %rcx
	pushq $0
	pushq $0
	push_all
	movq %rsp, %rdi
	call suspend_call
	jmp return_to_user

/* context_resume: frame and frame_masked of the vcore area become the running context. rip and rflags
 * are read once and made safe; any rsp is legal; the other registers may be anything. */
context_resume:
	pushq %rcx
	pushq %r11
	movq %gs:VCORE + VCORE_FRAME + 0x80, %rcx
	movq $0x00007ffffffff000, %r11 /* GW_USER_END */
	cmpq %r11, %rcx
	jae 3f
	movl %gs:VCORE + VCORE_FRAME + 0x88, %r11d
	andl $RFLAGS_KEEP, %r11d
	orl $RFLAGS_USER, %r11d
	pushq $SEL_UDATA
	pushq %gs:VCORE + VCORE_FRAME + 0x38
	pushq %r11
	pushq $SEL_UCODE
	pushq %rcx
	cmpl $0, %gs:VCORE + VCORE_FRAME_MASKED
	jne 1f
	/* Unmask first, then look at pending; event_post does it the other way round. */
	xorl %ecx, %ecx
	xchgl %ecx, %gs:VCORE + VCORE_MASKED
	cmpq $0, %gs:VCORE + VCORE_PENDING
	jne 2f
	jmp resume_registers
1:	movl $1, %gs:VCORE + VCORE_MASKED
resume_registers:
	movq %gs:VCORE + VCORE_FRAME + 0x00, %rax
	movq %gs:VCORE + VCORE_FRAME + 0x08, %rbx
	movq %gs:VCORE + VCORE_FRAME + 0x10, %rcx
	movq %gs:VCORE + VCORE_FRAME + 0x18, %rdx
	movq %gs:VCORE + VCORE_FRAME + 0x20, %rsi
	movq %gs:VCORE + VCORE_FRAME + 0x28, %rdi
	movq %gs:VCORE + VCORE_FRAME + 0x30, %rbp
	movq %gs:VCORE + VCORE_FRAME + 0x40, %r8
	movq %gs:VCORE + VCORE_FRAME + 0x48, %r9
	movq %gs:VCORE + VCORE_FRAME + 0x50, %r10
	movq %gs:VCORE + VCORE_FRAME + 0x58, %r11
	movq %gs:VCORE + VCORE_FRAME + 0x60, %r12
	movq %gs:VCORE + VCORE_FRAME + 0x68, %r13
	movq %gs:VCORE + VCORE_FRAME + 0x70, %r14
	movq %gs:VCORE + VCORE_FRAME + 0x78, %r15
	swapgs
	iretq
2:	/* An event is pending: upcall at once, the frame stays where it is. */
	movl $1, %gs:VCORE + VCORE_MASKED
	movl $UPCALL_EVENT, %gs:VCORE + VCORE_REASON
	movq %gs:VC_UPCALL_ENTRY, %rcx
	movl $RFLAGS_USER, %r11d
	movq 24(%rsp), %rsp
	swapgs
	sysretq
3:	popq %r11
	popq %rcx
	movq $-22, %rax /* -EINVAL */
	movq %gs:VC_USER_RSP, %rsp
	swapgs
	sysretq

/* trap_return(t): go on with the context t, which lies on this core's stack. */
	.globl trap_return
trap_return:
	movq %rdi, %rsp
	jmp return_to_user

/* ------------------------------------------------- interrupts and exceptions */
/* Entry points of all vectors, 16 bytes each. */
	.balign 16
	.globl vector_stubs
vector_stubs:
	vector = 0
	.rept VECTORS
	.balign 16
	.if vector >= 32
		pushq $0
		pushq $vector
		jmp interrupt_common
	.elseif (vector == 2) || (vector == 18)
		pushq $0
		pushq $vector
		jmp fatal_common
	.elseif vector == 8
		pushq $vector
		jmp fatal_common
	.elseif (vector == 10) || (vector == 11) || (vector == 12) || (vector == 13) || (vector == 14) || (vector == 17) || (vector == 21)
		pushq $vector
		jmp fault_common
	.else
		pushq $0
		pushq $vector
		jmp fault_common
	.endif
	vector = vector + 1
	.endr

	.balign 16
fault_common:
	testb $3, 24(%rsp) /* cs */
	jz 1f
	swapgs
1:	push_all
	cld
	movq %rsp, %rdi
	call fault_handle /* returns only for faults of user mode */
return_to_user:
	pop_all
	addq $16, %rsp
	swapgs
	iretq

/* On a stack of its own, from anywhere: GS may be either side's, so find the core by the stack. If
 * hardware_fault returns, what was interrupted goes on. */
fatal_common:
	push_all
	cld
	movq %rsp, %rax
	andq $-CORE_SLOT, %rax
	movq CORE_AREA + CORE_CURRENT(%rax), %rax
	rdgsbase %rbx
	wrgsbase %rax
	movq %rsp, %rdi
	call hardware_fault
	wrgsbase %rbx
	pop_all
	addq $16, %rsp
	iretq

	.balign 16
interrupt_common:
	testb $3, 24(%rsp)
	jz interrupt_kernel
	swapgs
	push_all
	cld
	movq %rsp, %rdi
	call interrupt_user
	jmp return_to_user

/* Only ever at the hlt of arch_idle. */
interrupt_kernel:
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	movl 72(%rsp), %edi
	call interrupt_serve
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	addq $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
