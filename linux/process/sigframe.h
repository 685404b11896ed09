/* SPDX-License-Identifier: Apache-2.0 */
/* sigframe.h - what a signal handler finds on the stack, laid out as Linux on x86-64 does (programs
 * read and change it):
 *
 *   old rsp - 128 (red zone), or the top of the alternate stack
 *   +----------------+  64-aligned below
 *   | XSAVE area, magic word
 *   +----------------+
 *   | siginfo        |
 *   | ucontext       |
 *   | return address |  <- rsp of the handler, 16-aligned - 8
 *   +----------------+
 * Source: sigreturn(2), getcontext(3), the fields of asm/sigcontext.h. */
#ifndef GODWIT_LINUX_SIGFRAME_H
#define GODWIT_LINUX_SIGFRAME_H

#include <stddef.h>
#include <stdint.h>

#define UC_FP_XSTATE 1u
#define UC_SIGCONTEXT_SS 2u
#define UC_STRICT_RESTORE_SS 4u
#define SIG_FP_MAGIC1 0x46505853u
#define SIG_FP_MAGIC2 0x46505845u

struct sig_context {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trap, old_mask, cr2;
	uint64_t fpstate;
	uint64_t reserved[8];
};

struct sig_ucontext {
	uint64_t flags, link;
	uint64_t stack_va;
	uint32_t stack_flags, pad;
	uint64_t stack_len;
	struct sig_context mc;
	uint64_t mask;
};

struct sig_frame {
	uint64_t return_va;
	struct sig_ucontext uc;
	uint8_t info[128];
};

/* In the last 48 bytes of the FXSAVE part. */
struct sig_fp_magic {
	uint32_t magic1, extended_size;
	uint64_t features;
	uint32_t xstate_size;
	uint32_t pad[7];
};
#define SIG_FP_MAGIC_AT 464u

_Static_assert(sizeof(struct sig_context) == 256, "struct sigcontext");
_Static_assert(sizeof(struct sig_ucontext) == 304, "the kernel's struct ucontext");
_Static_assert(offsetof(struct sig_frame, info) == 312 && sizeof(struct sig_frame) == 440,
	       "struct rt_sigframe");
_Static_assert(sizeof(struct sig_fp_magic) == 48, "struct _fpx_sw_bytes");

#endif
