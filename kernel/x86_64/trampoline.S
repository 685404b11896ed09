/* SPDX-License-Identifier: Apache-2.0 */
/* trampoline.S - how the other cores start: copied to a page below 1 MiB, entered in real mode at its
 * begin, with the words at its end filled in. Goes to long mode on the loader's page tables, which
 * map low memory and the kernel, and from there to core_main with the core in rdi. */
#include "kernel/core/layout.h"

#define OFF(sym) ((sym) - trampoline_start)

	.section .rodata
	.balign 16
	.globl trampoline_start, trampoline_end, trampoline_words
	.code16
trampoline_start:
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	movzwl %ax, %ebx
	shll $4, %ebx /* the page's address */
	leal OFF(gdt)(%ebx), %eax
	movl %eax, OFF(gdt_pointer) + 2
	leal OFF(protected)(%ebx), %eax
	movl %eax, OFF(far_target)
	lgdtl OFF(gdt_pointer)
	movl $1, %eax
	movl %eax, %cr0
	ljmpl *OFF(far_target)

	.code32
protected:
	movw $0x18, %ax
	movw %ax, %ds
	movw %ax, %ss
	movl $0x20, %eax /* PAE */
	movl %eax, %cr4
	movl OFF(trampoline_words)(%ebx), %eax /* root */
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x901, %eax /* SCE LME NXE */
	wrmsr
	movl $0x80010033, %eax
	movl %eax, %cr0
	leal OFF(long_mode)(%ebx), %eax
	movl %eax, OFF(far_target)(%ebx)
	movw $0x10, OFF(far_target) + 4(%ebx)
	ljmpl *OFF(far_target)(%ebx)

	.code64
long_mode:
	movl %ebx, %ebx
	xorl %eax, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movq OFF(trampoline_words) + 8(%rbx), %rdi
	movq OFF(trampoline_words) + 16(%rbx), %rax
	movq CORE_TOP(%rdi), %rsp
	xorl %ebp, %ebp
	pushq $0
	jmpq *%rax

	.balign 8
gdt:
	.quad 0
	.quad 0x00cf9b000000ffff /* 0x08: 32-bit code */
	.quad 0x00af9b000000ffff /* 0x10: 64-bit code */
	.quad 0x00cf93000000ffff /* 0x18: data */
gdt_pointer:
	.word 31
	.long 0
	.balign 4
far_target:
	.long 0
	.word 0x08
	.balign 8
trampoline_words: /* root, struct core, core_main */
	.quad 0, 0, 0
trampoline_end:
	.section .note.GNU-stack, "", @progbits
