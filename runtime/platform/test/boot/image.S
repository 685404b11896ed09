/* SPDX-License-Identifier: Apache-2.0 */
/* image.S - the boot test's program as data of its personality. PROGRAM_BIN: the flat file. */
	.section .rodata.program, "a"
	.globl program_begin, program_end
	.hidden program_begin, program_end
	.balign 8
program_begin:
	.incbin PROGRAM_BIN
program_end:
	.section .note.GNU-stack, "", @progbits
