/* SPDX-License-Identifier: Apache-2.0 */
/* probe.S - entries of the probe, and the program code that it maps and runs. */
	.text
	.globl probe_entry
probe_entry:
	leaq stack_top(%rip), %rsp
	call probe_main
	ud2
	.globl probe_second_entry
probe_second_entry:
	leaq stack2_top(%rip), %rsp
	call probe_second
	ud2

/* Reflected syscall: rcx is this entry; save what C clobbers is not needed, the test never resumes the
 * program: go back to where program_run was called. */
	.globl reflect_entry
reflect_entry:
	movq %rax, seen_rax(%rip)
	movq %rdi, seen_rdi(%rip)
	movq %rsp, seen_rsp(%rip)
	movq %r11, seen_r11(%rip)
	jmp back

	.globl upcall_entry
upcall_entry:
	cmpq $0, upcall_hook(%rip)
	je back
	leaq upcall_stack_top(%rip), %rsp
	call *upcall_hook(%rip)
	/* the hook returned: resume the frame */
	movq $0x800000000000000b, %rax
	syscall
	ud2

/* Return from program_run, whatever ended the program. */
	.globl back_label
back_label:
	movl $1, %gs:8
back:
	movq saved_rsp(%rip), %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	ret

/* program_run(rip, rsp, rax, rdi): unmask and jump to the program. */
	.globl program_run
program_run:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, saved_rsp(%rip)
	movq %rdx, %rax
	movq %rsi, %rsp
	movq %rdi, %r10
	movq %rcx, %rdi
	movl $0, %gs:8
	jmpq *%r10

/* resume_run(): context_resume of the frame in the vcore area, counted as a program. */
	.globl resume_run
resume_run:
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, saved_rsp(%rip)
	movq $0x800000000000000b, %rax
	syscall
	jmp back /* refused: result in rax */

	/* Code copied into program pages. */
	.globl code_syscall, code_spin, code_store, code_ud, code_ud_syscall, code_end
	.balign 16
code_syscall:
	syscall
	ud2
	.balign 16
code_spin:
	incq %rbx
	jmp code_spin
	.balign 16
code_store:
	movq %rdi, (%rax)
	movq (%rax), %rdi
	syscall
	.balign 16
code_ud:
	ud2
	.balign 16
code_ud_syscall:
	ud2
	syscall
code_end:

	.bss
	.globl seen_rax, seen_rdi, seen_rsp, seen_r11, upcall_hook
	.balign 16
seen_rax:	.skip 8
seen_rdi:	.skip 8
seen_rsp:	.skip 8
seen_r11:	.skip 8
saved_rsp:	.skip 8
upcall_hook:	.skip 8
	.balign 16
	.skip 8192
stack_top:
	.skip 4096
stack2_top:
	.skip 4096
upcall_stack_top:
	.section .note.GNU-stack, "", @progbits
