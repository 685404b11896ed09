/* SPDX-License-Identifier: Apache-2.0 */
/* uaccess.S - the only instructions of the runtime that touch program memory. A fault in one of the ranges named in
 * ex_table that the personality does not resolve continues at the range's fixup with the registers as they
 * were. No routine here uses the stack, so a fixup returns to the C caller (uaccess.c, where the contracts are). */
#define EFAULT 14
#define ENAMETOOLONG 36

	.macro	ex_range from, to, fixup
	.pushsection ex_table, "a"
	.balign	4
	.long	\from - ., \to - ., \fixup - .
	.popsection
	.endm

	.macro	function name
	.globl	\name
	.hidden	\name
	.p2align 4
\name:
	.endm

	.text
plain_begin:

/* uaccess_copy(to rdi, from rsi, n rdx): 0 or -EFAULT */
function uaccess_copy
	cmpq	$8, %rdx
	jb	2f
	cmpq	$96, %rdx
	jae	4f
	movq	-8(%rsi,%rdx), %r8	/* the last word, which may overlap */
	leaq	-8(%rdi,%rdx), %r9
	subq	$8, %rdx
	jbe	1f
3:	movq	(%rsi), %rax
	movq	%rax, (%rdi)
	addq	$8, %rsi
	addq	$8, %rdi
	subq	$8, %rdx
	ja	3b
1:	movq	%r8, (%r9)
	xorl	%eax, %eax
	ret
4:	movq	%rdx, %rcx
	shrq	$3, %rcx
	movq	-8(%rsi,%rdx), %r8
	leaq	-8(%rdi,%rdx), %r9
	rep movsq
	movq	%r8, (%r9)
	xorl	%eax, %eax
	ret
2:	cmpq	$4, %rdx
	jb	5f
	movl	(%rsi), %eax
	movl	-4(%rsi,%rdx), %ecx
	movl	%eax, (%rdi)
	movl	%ecx, -4(%rdi,%rdx)
	xorl	%eax, %eax
	ret
5:	testq	%rdx, %rdx
	je	7f
6:	movb	-1(%rsi,%rdx), %al
	movb	%al, -1(%rdi,%rdx)
	decq	%rdx
	jne	6b
7:	xorl	%eax, %eax
	ret

/* uaccess_zero(to rdi, n rsi): 0 or -EFAULT */
function uaccess_zero
	xorl	%eax, %eax
	movq	%rsi, %rcx
	shrq	$3, %rcx
	rep stosq
	andl	$7, %esi
	movl	%esi, %ecx
	rep stosb
	ret

/* uaccess_string(to rdi, from rsi, size rdx): length, -EFAULT, or -ENAMETOOLONG */
function uaccess_string
	xorl	%eax, %eax
1:	cmpq	%rdx, %rax
	je	2f
	movb	(%rsi,%rax), %cl
	movb	%cl, (%rdi,%rax)
	incq	%rax
	testb	%cl, %cl
	jne	1b
	decq	%rax
	ret
2:	movq	$-ENAMETOOLONG, %rax
	ret

/* uaccess_load32(from rdi, out rsi): 0 or -EFAULT */
function uaccess_load32
	movl	(%rdi), %eax
	movl	%eax, (%rsi)
	xorl	%eax, %eax
	ret

/* uaccess_cmpxchg32(at rdi, expect esi, desired edx, seen rcx): 0 or -EFAULT */
function uaccess_cmpxchg32
	movl	%esi, %eax
	lock cmpxchgl %edx, (%rdi)
	movl	%eax, (%rcx)
	xorl	%eax, %eax
	ret

/* uaccess_touch(at rdi, write esi): 0 or -EFAULT */
function uaccess_touch
	xorl	%eax, %eax
	testl	%esi, %esi
	jne	1f
	movb	(%rdi), %cl
	ret
1:	lock orb $0, (%rdi)
	ret
plain_end:
	ex_range plain_begin, plain_end, plain_fixup
plain_fixup:
	movq	$-EFAULT, %rax
	ret

/* uaccess_copy_count(to rdi, from rsi, n rdx): bytes copied; stops at the first that faults */
function uaccess_copy_count
	movq	%rdx, %rax
	movq	%rdx, %rcx
	shrq	$3, %rcx
	andl	$7, %edx
words:	rep movsq
words_end:
	movq	%rdx, %rcx
bytes:	rep movsb
bytes_end:
	ret
words_fixup:				/* a word straddles the fault: its bytes one by one */
	leaq	(%rdx,%rcx,8), %rcx
	jmp	bytes
bytes_fixup:
	subq	%rcx, %rax
	ret
	ex_range words, words_end, words_fixup
	ex_range bytes, bytes_end, bytes_fixup

	.section .note.GNU-stack, "", @progbits
