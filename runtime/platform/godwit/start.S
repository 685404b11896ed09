/* SPDX-License-Identifier: Apache-2.0 */
/* start.S - the first instructions of each vcore: the kernel enters with rsp = 0 and GS base = the vcore area. */
	.text
	.globl _start, shard_entry
	.hidden shard_entry

_start:	/* vcore 0: rdi = GW_BOOT_VA */
	leaq	platform_boot_stack(%rip), %rsp
	addq	$16384 - 256, %rsp	/* below the words at the stack's top */
	xorl	%ebp, %ebp
	call	platform_main
	ud2

shard_entry: /* the others: rdi = struct shard; their stack's top was put into VU_STACK_TOP */
	movq	%gs:0x208, %rsp
	xorl	%ebp, %ebp
	call	shard_secondary
	ud2

	.section .note.GNU-stack, "", @progbits
