/* SPDX-License-Identifier: Apache-2.0 */
/* boot.S - from a 32-bit loader (PVH or multiboot2) to 64-bit C at the kernel's final address.
 * Trusts the loader to have put the image at 1 MiB, with interrupts off and flat segments. The code
 * runs at the address it is linked at, but is position independent, as the linker demands. */
#include "kernel/core/layout.h"

#define MULTIBOOT2_MAGIC 0xe85250d6
#define BOOT_OFF(sym) (sym - boot_base)

	.section .boot, "ax"
	.code32
	/* PVH enters at the very start of the image. ebx: struct hvm_start_info. */
	.globl boot_pvh
boot_pvh:
	movl $PVH_LOADED, %eax
	jmp boot_common
	.org 0x20 /* 16 bytes of scratch stack before this */

multiboot2_header:
	.long MULTIBOOT2_MAGIC, 0, multiboot2_end - multiboot2_header
	.long -(MULTIBOOT2_MAGIC + multiboot2_end - multiboot2_header)
	.short 6, 1 /* modules aligned to pages, optional */
	.long 8
	.short 0, 0
	.long 8
multiboot2_end:

	.balign 16
boot_gdt:
	.quad 0, 0
	.quad 0x00af9b000000ffff /* SEL_KCODE */
	.quad 0x00cf93000000ffff /* SEL_KDATA */
boot_gdt_pointer:
	.word 31
	.long 0

	.globl boot_multiboot2
boot_multiboot2:
	/* eax: MULTIBOOT2_LOADED, ebx: boot information */
boot_common:
	cli
	cld
	movl %eax, %esi
	/* Where are we? The address is known, 1 MiB, but a PIE must not name it. */
	movl $(KERNEL_PHYS + 0x20), %esp
	call 1f
boot_base = .
1:	popl %ebp
	leal BOOT_OFF(boot_stack_top)(%ebp), %esp

	movl $0x80000000, %eax
	pushl %ebx
	cpuid
	popl %ebx
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	pushl %ebx
	cpuid
	popl %ebx
	btl $29, %edx
	jnc no_long_mode
	btl $20, %edx
	jnc no_long_mode /* no NX */

	/* Identity map: 4 GiB by 1 GiB pages, or 1 GiB by 2 MiB pages. */
	leal BOOT_OFF(boot_pml4)(%ebp), %edi
	leal BOOT_OFF(boot_pdpt)(%ebp), %eax
	orl $3, %eax
	movl %eax, (%edi)
	leal BOOT_OFF(boot_pdpt)(%ebp), %edi
	btl $26, %edx
	jnc 2f
	movl $0x83, (%edi)
	movl $0x40000083, 8(%edi)
	movl $0x80000083, 16(%edi)
	movl $0xc0000083, 24(%edi)
	jmp 4f
2:	leal BOOT_OFF(boot_pd)(%ebp), %eax
	orl $3, %eax
	movl %eax, (%edi)
	leal BOOT_OFF(boot_pd)(%ebp), %edi
	movl $0x83, %eax
	movl $512, %ecx
3:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 3b

4:	movl %cr4, %eax
	orl $0x20, %eax /* PAE */
	movl %eax, %cr4
	leal BOOT_OFF(boot_pml4)(%ebp), %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x901, %eax /* SCE, LME, NXE */
	wrmsr
	movl $0x80010033, %eax /* PG WP NE ET MP PE */
	movl %eax, %cr0

	leal BOOT_OFF(boot_gdt)(%ebp), %eax
	movl %eax, BOOT_OFF(boot_gdt_pointer) + 2(%ebp)
	lgdt BOOT_OFF(boot_gdt_pointer)(%ebp)
	pushl $SEL_KCODE
	leal BOOT_OFF(boot_long)(%ebp), %eax
	pushl %eax
	lret

no_long_mode:
	leal BOOT_OFF(no_long_mode_text)(%ebp), %esi
	movw $0x3f8, %dx
1:	lodsb
	testb %al, %al
	jz 2f
	outb %al, %dx
	jmp 1b
2:	movl $3, %eax
	movw $0xf4, %dx
	outl %eax, %dx
3:	hlt
	jmp 3b
no_long_mode_text:
	.asciz "godwit: this CPU has no 64-bit mode with NX; choose another CPU model\r\n"

	.code64
boot_long:
	movl $SEL_KDATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	leaq boot_stack_top(%rip), %rsp
	xorl %ebp, %ebp
	movl %esi, %r12d
	movl %ebx, %r13d
	call boot_relocate /* returns the distance to the final addresses */
	addq %rax, %rsp
	leaq 1f(%rip), %rcx
	addq %rax, %rcx
	jmpq *%rcx
1:	movl %r12d, %edi
	movl %r13d, %esi
	call kernel_boot
	ud2

	.section .note.xen, "a", @note
	.balign 4
	.long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad KERNEL_PHYS

	.section .bss_pages, "aw", @nobits
	.globl boot_pml4, boot_pdpt, boot_pd, kernel_pdpt, kernel_pd, kernel_pt
	.globl boot_guard, boot_stack, boot_stack_top
	.balign 4096
boot_pml4:	.skip 4096
boot_pdpt:	.skip 4096
boot_pd:	.skip 4096
kernel_pdpt:	.skip 4096
kernel_pd:	.skip 4096
kernel_pt:	.skip 4096
boot_guard:	.skip 4096
boot_stack:	.skip 8192
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
