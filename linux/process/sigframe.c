/* SPDX-License-Identifier: Apache-2.0 */
/* sigframe.c - entering a signal handler and returning from it. What comes back from the program is
 * not trusted: flags are masked, and the extended state is checked before XRSTOR would fault on it.
 */
#include <cpuid.h>

#include "linux/process/process.h"
#include "linux/process/sigframe.h"

#define FLAGS_DF 0x400ull
#define FLAGS_TF 0x100ull
#define FLAGS_RF 0x10000ull
#define FLAGS_USER 0x50dd5ull /* AC OF DF TF SF ZF AF PF CF RF */
#define RED_ZONE 128u
#define XSAVE_HEADER 512u

static bool on_altstack(const struct thread *t, uint64_t sp)
{
	return sp - t->altstack_va - 1 < t->altstack_len && (t->altstack_flags & 2) == 0;
}

static uint64_t xcr0(void)
{
	static uint32_t known, lo, hi;
	uint32_t a, b, c = 0, d;

	if (known)
		return (uint64_t)hi << 32 | lo;
	known = 1;
	lo = 3; /* without XSAVE: x87 and SSE */
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) != 0)
		__asm__("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return (uint64_t)hi << 32 | lo;
}

static void fill_context(struct sig_frame *fr, const struct thread *t, const struct gw_regs *r)
{
	struct sig_context *c = &fr->uc.mc;

	c->r8 = r->r8;
	c->r9 = r->r9;
	c->r10 = r->r10;
	c->r11 = r->r11;
	c->r12 = r->r12;
	c->r13 = r->r13;
	c->r14 = r->r14;
	c->r15 = r->r15;
	c->rdi = r->rdi;
	c->rsi = r->rsi;
	c->rbp = r->rbp;
	c->rbx = r->rbx;
	c->rdx = r->rdx;
	c->rax = r->rax;
	c->rcx = r->rcx;
	c->rsp = r->rsp;
	c->rip = r->rip;
	c->rflags = r->rflags;
	c->cs = 0x33;
	c->ss = 0x2b;
	c->error = t->trap_error;
	c->trap = t->trap_no;
	c->old_mask = fr->uc.mask;
	c->cr2 = t->trap_va;
}

/* The extended state to va, with the words by which programs find its size. */
static bool put_state(struct thread *t, uint64_t va)
{
	size_t size = fpu_state_size();
	struct sig_fp_magic m = { .magic1 = SIG_FP_MAGIC1,
				  .extended_size = (uint32_t)size + 4,
				  .features = xcr0() };
	const uint32_t magic2 = SIG_FP_MAGIC2;

	m.xstate_size = (uint32_t)size;
	fpu_save_current();
	return copy_to_program(va, t->uthread->fpu, size) == 0 &&
	       copy_to_program(va + SIG_FP_MAGIC_AT, &m, sizeof(m)) == 0 &&
	       copy_to_program(va + size, &magic2, sizeof(magic2)) == 0;
}

bool sigframe_push(struct thread *t, struct program_frame *f, const struct siginfo64 *info,
		   const struct signal_action *act, sigset64 saved)
{
	struct sig_frame fr = { .return_va = act->restorer };
	uint64_t sp = f->regs.rsp - RED_ZONE, fp, at;

	if ((act->flags & SA_RESTORER) == 0)
		return false; /* as Linux: without a restorer there is no way back */
	fr.uc.stack_va = t->altstack_va;
	fr.uc.stack_len = t->altstack_len;
	fr.uc.stack_flags = (t->altstack_flags & 2) != 0 ? 2 : on_altstack(t, f->regs.rsp) ? 1 : 0;
	if ((act->flags & SA_ONSTACK) != 0 && fr.uc.stack_flags == 0)
		sp = t->altstack_va + t->altstack_len;
	fp = ROUND_DOWN(sp - fpu_state_size() - 4, 64ul);
	at = ROUND_DOWN(fp - sizeof(fr), 16ul) - 8;
	if (at > sp ||
	    (fr.uc.stack_flags == 0 && (act->flags & SA_ONSTACK) != 0 && at < t->altstack_va))
		return false;
	fr.uc.flags = UC_FP_XSTATE | UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	fr.uc.mask = saved;
	fill_context(&fr, t, &f->regs);
	fr.uc.mc.fpstate = fp;
	memcpy(fr.info, info, sizeof(*info));
	if (!put_state(t, fp) || copy_to_program(at, &fr, sizeof(fr)) != 0)
		return false;
	if ((t->altstack_flags & 0x80000000u) != 0 && (act->flags & SA_ONSTACK) != 0)
		t->altstack_flags = 2; /* SS_AUTODISARM */
	fpu_init_area(t->uthread->fpu);
	fpu_load_current();
	f->regs.rdi = (uint64_t)info->signo;
	f->regs.rsi = at + offsetof(struct sig_frame, info);
	f->regs.rdx = at + offsetof(struct sig_frame, uc);
	f->regs.rax = 0;
	f->regs.rsp = at;
	f->regs.rip = act->handler;
	f->regs.rflags &= ~(FLAGS_DF | FLAGS_TF | FLAGS_RF);
	f->full = 1;
	return true;
}

static int get_state(struct thread *t, uint64_t va)
{
	size_t size = fpu_state_size();
	uint8_t *area = t->uthread->fpu, *raw;
	struct sig_fp_magic m;
	uint64_t header[8];
	uint32_t mxcsr, mask;
	int r = -EFAULT;

	if (va == 0) {
		fpu_init_area(area);
		fpu_load_current();
		return 0;
	}
	raw = mem_alloc(size);
	if (raw == NULL)
		return -ENOMEM;
	if (va % 16 != 0 || copy_from_program(raw, va, size) != 0)
		goto out;
	memcpy(&m, raw + SIG_FP_MAGIC_AT, sizeof(m));
	memcpy(header, raw + XSAVE_HEADER, sizeof(header));
	if (m.magic1 != SIG_FP_MAGIC1 || m.xstate_size > size) {
		memset(header, 0, sizeof(header));
		header[0] = 3; /* only the legacy part is there */
		memset(raw + XSAVE_HEADER + 64, 0, size - XSAVE_HEADER - 64);
	}
	header[0] &= xcr0();
	memset(&header[1], 0,
	       sizeof(header) - sizeof(header[0])); /* standard format, reserved bytes zero */
	memcpy(raw + XSAVE_HEADER, header, sizeof(header));
	fpu_save_current();
	memcpy(&mask, area + 28, sizeof(mask));
	memcpy(&mxcsr, raw + 24, sizeof(mxcsr));
	mxcsr &= mask != 0 ? mask : 0xffbf;
	memcpy(raw + 24, &mxcsr, sizeof(mxcsr));
	memcpy(area, raw, size);
	fpu_load_current();
	r = 0;
out:
	mem_free(raw, size);
	return r;
}

int sigframe_pop(struct thread *t, struct program_frame *f)
{
	struct gw_regs *r = &f->regs;
	struct sig_frame fr;
	const struct sig_context *c = &fr.uc.mc;
	int err;

	if (copy_from_program(&fr, r->rsp - 8, sizeof(fr)) != 0 || !program_range(c->rip, 1) ||
	    get_state(t, c->fpstate) != 0)
		return -EFAULT;
	*r = (struct gw_regs){ .rax = c->rax, .rbx = c->rbx, .rcx = c->rcx, .rdx = c->rdx };
	r->rsi = c->rsi;
	r->rdi = c->rdi;
	r->rbp = c->rbp;
	r->rsp = c->rsp;
	r->r8 = c->r8;
	r->r9 = c->r9;
	r->r10 = c->r10;
	r->r11 = c->r11;
	r->r12 = c->r12;
	r->r13 = c->r13;
	r->r14 = c->r14;
	r->r15 = c->r15;
	r->rip = c->rip;
	r->rflags = (c->rflags & FLAGS_USER) | 0x202;
	f->full = 1;
	f->orig_rax = ~0ull;
	t->altstack_va = fr.uc.stack_va;
	t->altstack_len = fr.uc.stack_len;
	t->altstack_flags = fr.uc.stack_flags & ~1u;
	err = 0;
	signal_set_mask(t, fr.uc.mask);
	return err;
}
