/* SPDX-License-Identifier: Apache-2.0 */
/* image.S - the XDP program as clang made it (prog.bpf.c). */
	.section .rodata
	.globl afxdp_prog_begin, afxdp_prog_end
	.balign 8
afxdp_prog_begin:
	.incbin PROG
afxdp_prog_end:
	.section .note.GNU-stack, "", @progbits
