/* SPDX-License-Identifier: Apache-2.0 */
/* switch.c - the registers of a vcore that is put aside and taken up again: general ones (a trap
 * frame), extended ones by XSAVE, FS and GS base, CR3. The kernel itself uses no extended register.
 */
#include "kernel/core/schedule.h"
#include "kernel/x86_64/arch_internal.h"

#define MSR_KERNEL_GS_BASE 0xc0000102u /* the user's GS base, while the kernel runs */
#define FCW_INIT 0x37fu
#define MXCSR_INIT 0x1f80u

static void *extended(struct vcore *v)
{
	return (uint8_t *)v + VCORE_XSAVE;
}

static void extended_save(struct vcore *v)
{
	uint32_t lo = (uint32_t)cpu.xcr0;

	if (cpu.xcr0 != 0)
		__asm__ volatile("xsave64 (%0)" : : "r"(extended(v)), "a"(lo), "d"(0) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(extended(v)) : "memory");
}

static void extended_load(struct vcore *v)
{
	uint32_t lo = (uint32_t)cpu.xcr0;

	if (cpu.xcr0 != 0)
		__asm__ volatile("xrstor64 (%0)" : : "r"(extended(v)), "a"(lo), "d"(0) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" : : "r"(extended(v)) : "memory");
}

void arch_context_save(struct vcore *v, const struct trap *t)
{
	v->trap = *t;
	v->fs_base = read_fs_base();
	v->gs_base = rdmsr(MSR_KERNEL_GS_BASE);
	extended_save(v);
}

/* The context of a vcore that starts: everything zero, or as after a reset. */
static void context_first(struct vcore *v)
{
	uint32_t *image = extended(v);

	v->trap = (struct trap){ .rip = v->start_entry,
				 .rdi = v->start_arg,
				 .cs = SEL_UCODE,
				 .ss = SEL_UDATA,
				 .rflags = RFLAGS_USER };
	v->fs_base = 0;
	v->gs_base = GW_VCORE_VA(v->id);
	memset(image, 0, 512 + 64); /* the header says: every component as after a reset */
	image[0] = FCW_INIT;
	image[6] = MXCSR_INIT;
	v->fresh = false;
	atomic_store(&v->area->masked, 1);
}

void arch_context_load(struct core *c, struct vcore *v, struct trap *t)
{
	if (v->fresh)
		context_first(v);
	*t = v->trap;
	v->stack_top = c->stack_top;
	atomic_store(&v->core, c);
	write_gs_base(v);
	write_fs_base(v->fs_base);
	wrmsr(MSR_KERNEL_GS_BASE, v->gs_base);
	extended_load(v);
	write_cr3(v->part->spaces[v->space].root);
}

void arch_context_rest(struct core *c)
{
	write_gs_base(&c->idle);
	write_cr3(kernel_root);
}

/* The loop leaves with up to five instructions' difference, which the sled evens out where a tick
 * of the TSC is an instruction (icount); elsewhere it does no harm. */
void arch_enter_at(struct trap *t, uint64_t ns)
{
	uint64_t tsc = clock.tsc_base + mul_shift(ns, clock_tsc_per_ns, 31);

	__asm__ volatile("1:	rdtsc\n\t"
			 "shlq $32, %%rdx\n\t"
			 "orq %%rdx, %%rax\n\t"
			 "subq %0, %%rax\n\t"
			 "js 1b\n\t"
			 "movl $8, %%edx\n\t"
			 "cmpq %%rdx, %%rax\n\t"
			 "cmovaq %%rdx, %%rax\n\t"
			 "leaq 2f(%%rip), %%rdx\n\t"
			 "addq %%rax, %%rdx\n\t"
			 "jmpq *%%rdx\n"
			 "2:	.skip 8, 0x90"
			 :
			 : "r"(tsc)
			 : "rax", "rdx", "cc", "memory");
	trap_return(t);
}

void arch_call_suspend(struct vcore *v)
{
	((uint64_t *)(uintptr_t)v->stack_top)[CALL_RETURN] = (uint64_t)(uintptr_t)call_suspended;
}

/* From entry.S: t is the caller of a call that ends here for now. */
void suspend_call(struct trap *t)
{
	struct vcore *v = vcore_self();

	if (v->again != 0) {
		t->rip -= 2; /* its syscall instruction */
		t->rax = v->again;
	}
	schedule(v->core, t);
}
