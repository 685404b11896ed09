/* SPDX-License-Identifier: Apache-2.0 */
/* switch.S - from one runtime stack to another: the callee-saved registers and the stack pointer. */
	.text
	.globl context_switch, uthread_entry
	.hidden context_switch, uthread_entry

/* context_switch(rdi: where to keep the stack pointer, rsi: the other's) */
context_switch:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

/* A new stack's first return lands here, rsp 16-aligned. */
uthread_entry:
	call	uthread_main
	ud2

	.section .note.GNU-stack, "", @progbits
