/* SPDX-License-Identifier: Apache-2.0 */
/* entry.S - every way into the kernel and out of it: syscalls, interrupts, exceptions. Interrupts are
 * off in the kernel except at one hlt (arch_idle) and one nop (interrupt_user). In the kernel GS is the struct vcore that
 * runs, and %gs:VCORE the kernel's alias of its area; user memory is touched in no other way. A core has
 * one stack for all its vcores: to switch, C changes the frame that return_to_user pops, and GS. */
#include "kernel/core/layout.h"

	.text
.macro push_regs registers:vararg
	.irp register, \registers
	pushq %\register
	.endr
.endm
.macro pop_regs registers:vararg
	.irp register, \registers
	popq %\register
	.endr
.endm
.macro push_all
	push_regs rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
.endm
.macro pop_all
	pop_regs r15, r14, r13, r12, r11, r10, r9, r8, rbp, rdi, rsi, rdx, rcx, rbx, rax
.endm
/* What C may change of a caller's registers; rcx and r11 are its rip and rflags. */
.macro pop_call
	pop_regs r10, r9, r8, rdx, rsi, rdi, r11, rcx
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
	push_regs rcx, r11, rdi, rsi, rdx, r8, r9, r10
	cmpq $CALL_COUNT, %rax
	jae 2f
	leaq call_table(%rip), %rcx
	movq (%rcx, %rax, 8), %rax
	testq %rax, %rax
	jz raise_call
	movq %r10, %rcx
	call *%rax
1:	pop_call
	movq %gs:VC_USER_RSP, %rsp
	swapgs
	sysretq
2:	movq $-38, %rax /* -ENOSYS */
	jmp 1b

raise_call:
	pop_call
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
	push_regs rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	movq %rsp, %rdi
	call health_raise
	jmp return_to_user

/* Where a call returns instead of to kernel_call when it has asked for that (arch_call_suspend): the
 * registers that C keeps are the caller's again, so that the whole context can be put aside. */
	.globl call_suspended
call_suspended:
	pop_call
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
	at = VCORE + VCORE_FRAME
	.irp register, rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp, r8, r9, r10, r11, r12, r13, r14, r15
	.ifnc \register, rsp
	movq %gs:at, %\register
	.endif
	at = at + 8
	.endr
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
	/* Some exceptions push an error code; the others get a zero in its place. */
	.if (vector != 8) && ((vector < 10) || (vector > 14)) && (vector != 17) && (vector != 21)
		pushq $0
	.endif
	pushq $vector
	.if vector >= 32
		jmp interrupt_common
	.elseif (vector == 2) || (vector == 8) || (vector == 18)
		jmp fatal_common
	.else
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

/* At the hlt of arch_idle, and where interrupt_user lets in what has come meanwhile. */
interrupt_kernel:
	push_regs rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
	movl 72(%rsp), %edi
	call interrupt_serve
	pop_regs r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
	addq $16, %rsp
	iretq

	.section .note.GNU-stack, "", @progbits
