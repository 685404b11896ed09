/* SPDX-License-Identifier: Apache-2.0 */
/* image.S - the vDSO's bytes, for map.c to copy. */
	.section .rodata
	.globl vdso_image, vdso_image_end
	.hidden vdso_image, vdso_image_end
	.p2align 4
vdso_image:
	.incbin VDSO_SO
vdso_image_end:
	.section .note.GNU-stack, "", @progbits
