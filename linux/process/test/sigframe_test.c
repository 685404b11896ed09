/* SPDX-License-Identifier: Apache-2.0 */
/* sigframe_test.c - our frame's layout against the C library's view of it. */
#include <signal.h>
#include <ucontext.h>

#include "linux/process/sigframe.h"
#include "tests/unit.h"

#define SAME(ours, theirs) \
	CHECK_EQ(offsetof(struct sig_ucontext, ours), offsetof(ucontext_t, theirs))

TEST(ucontext)
{
	SAME(flags, uc_flags);
	SAME(link, uc_link);
	SAME(stack_va, uc_stack.ss_sp);
	SAME(stack_flags, uc_stack.ss_flags);
	SAME(stack_len, uc_stack.ss_size);
	SAME(mc.r8, uc_mcontext.gregs[REG_R8]);
	SAME(mc.rdi, uc_mcontext.gregs[REG_RDI]);
	SAME(mc.rax, uc_mcontext.gregs[REG_RAX]);
	SAME(mc.rsp, uc_mcontext.gregs[REG_RSP]);
	SAME(mc.rip, uc_mcontext.gregs[REG_RIP]);
	SAME(mc.rflags, uc_mcontext.gregs[REG_EFL]);
	SAME(mc.cs, uc_mcontext.gregs[REG_CSGSFS]);
	SAME(mc.error, uc_mcontext.gregs[REG_ERR]);
	SAME(mc.trap, uc_mcontext.gregs[REG_TRAPNO]);
	SAME(mc.cr2, uc_mcontext.gregs[REG_CR2]);
	SAME(mc.fpstate, uc_mcontext.fpregs);
	SAME(mask, uc_sigmask);
	CHECK_EQ(sizeof(siginfo_t), 128);
	CHECK_EQ(sizeof(struct sig_fp_magic), sizeof(struct _fpx_sw_bytes));
	CHECK_EQ(SIG_FP_MAGIC_AT + sizeof(struct sig_fp_magic), 512);
}

UNIT_MAIN(CASE(ucontext))
