/* SPDX-License-Identifier: Apache-2.0 */
/* start.S - onto the runtime's own stacks: from main, and as a new vcore. */
	.text
	.globl hosted_enter, shard_entry

hosted_enter: /* rdi: the stack's end, rsi: function */
	movq	%rdi, %rsp
	andq	$-16, %rsp
	xorl	%ebp, %ebp
	call	*%rsi
	ud2

shard_entry: /* rdi = struct shard; its stack's top is in VU_STACK_TOP */
	movq	%gs:0x208, %rsp
	andq	$-16, %rsp
	xorl	%ebp, %ebp
	call	shard_secondary
	ud2

	.section .note.GNU-stack, "", @progbits
