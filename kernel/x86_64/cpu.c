/* SPDX-License-Identifier: Apache-2.0 */
/* cpu.c - CPU features, descriptor tables and control registers of a core. */
#include "kernel/x86_64/arch_internal.h"

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_SFMASK 0xc0000084u
#define MSR_GS_BASE 0xc0000101u

struct cpu_features cpu;
static uint64_t idt[VECTORS][2] SEALED __attribute__((aligned(4096)));

static void detect_hypervisor(void)
{
	struct cpuid r = cpuid(0x40000000, 0);

	cpu.emulated =
		r.b == 0x54474354 && r.c == 0x43544743 && r.d == 0x47435447; /* TCGTCGTCGTCG */
	cpu.kvm = r.b == 0x4b4d564b && r.c == 0x564b4d56 && r.d == 0x4d;     /* KVMKVMKVM */
}

void cpu_detect(void)
{
	struct cpuid one = cpuid(1, 0), seven = { 0 };

	cpu.max_leaf = cpuid(0, 0).a;
	if (cpu.max_leaf >= 7)
		seven = cpuid(7, 0);
	cpu.fsgsbase = seven.b >> 0 & 1;
	cpu.smep = seven.b >> 7 & 1;
	cpu.smap = seven.b >> 20 & 1;
	cpu.umip = seven.c >> 2 & 1;
	cpu.xsave = one.c >> 26 & 1;
	cpu.x2apic = one.c >> 21 & 1;
	cpu.tsc_deadline = one.c >> 24 & 1;
	cpu.crc32 = one.c >> 20 & 1;
	cpu.rdrand = one.c >> 30 & 1;
	cpu.hypervisor = one.c >> 31 & 1;
	cpu.huge_pages = cpuid(0x80000001, 0).d >> 26 & 1;
	if (cpu.hypervisor)
		detect_hypervisor();
	if (!cpu.fsgsbase)
		fail(STATUS_CONFIG,
		     "this CPU has no FSGSBASE; choose a newer CPU model (-cpu max)");
	if ((one.d & (1u << 9)) == 0)
		fail(STATUS_CONFIG,
		     "this CPU has no local APIC; choose another CPU model (-cpu max)");
}

/* Cache parameters (Intel SDM, CPUID leaf 4; AMD APM 3, 0x8000001d): type in eax 4:0, level in 7:5,
 * bytes of a line in ebx 11:0, sets in ecx, each less 1. What is no power of two is in slices. */
uint32_t cpu_colours(void)
{
	uint32_t leaf = (cpuid(4, 0).a & 0x1f) != 0 ? 4 : 0x8000001d, fewest = 0;

	for (uint32_t i = 0; i < 8 && (cpuid(leaf, i).a & 0x1f) != 0; i++) {
		struct cpuid r = cpuid(leaf, i);
		uint32_t n = (uint32_t)((r.c + 1ULL) * ((r.b & 0xfff) + 1) / PAGE_SIZE);

		if ((r.a >> 5 & 7) > 1 && (fewest == 0 || (n & -n) < fewest))
			fewest = n & -n;
	}
	return (uint32_t)min_u64(fewest != 0 ? fewest : 1, GW_COLOURS_MAX);
}

static void enable_extended_state(void)
{
	struct cpuid r = cpuid(0xd, 0);
	uint64_t want = 0x3;

	if ((r.a & 0x4) != 0)
		want |= 0x4; /* AVX */
	if ((r.a & 0xe4) == 0xe4)
		want |= 0xe0; /* AVX-512, all three parts or none */
	xsetbv(0, want);
	cpu.xcr0 = want;
	if (cpuid(0xd, 0).b > VCORE_XSAVE_ROOM)
		fail(STATUS_CONFIG,
		     "the CPU's extended registers need more room than the kernel has");
}

static void control_registers(void)
{
	uint64_t cr4 = 1u << 5 | 1u << 6 | 1u << 7 | 1u << 9 | 1u << 10; /* PAE MCE PGE FXSR XMM */

	cr4 |= 1u << 16; /* FSGSBASE */
	cr4 |= cpu.umip ? 1u << 11 : 0;
	cr4 |= cpu.xsave ? 1u << 18 : 0;
	cr4 |= cpu.smep ? 1u << 20 : 0;
	cr4 |= cpu.smap ? 1u << 21 : 0;
	write_cr0(0x80050033); /* PG AM WP NE ET MP PE */
	write_cr4(cr4);
	if (cpu.xsave)
		enable_extended_state();
	__asm__ volatile("fninit");
}

static void set_gate(uint32_t vector, uint32_t ist, uint32_t dpl)
{
	uint64_t at = (uint64_t)(uintptr_t)vector_stubs + vector * 16;

	idt[vector][0] = (at & 0xffff) | SEL_KCODE << 16 | (uint64_t)ist << 32 |
			 (0x8e00ULL | dpl << 13) << 32 | (at >> 16 & 0xffff) << 48;
	idt[vector][1] = at >> 32;
}

void idt_build(void)
{
	for (uint32_t v = 0; v < VECTORS; v++)
		set_gate(v, v == 2 ? 1 : v == 8 ? 2 : v == 18 ? 3 : 0, v == 3 ? 3 : 0);
	paging_seal();
}

struct table_pointer {
	uint16_t limit;
	uint64_t base;
} __attribute__((packed));

static void descriptor_tables(struct core *c)
{
	uint64_t slot = (uint64_t)(uintptr_t)c - CORE_AREA;
	uint64_t tss = (uint64_t)(uintptr_t)c->tss;
	uint64_t ist[3] = { slot + CORE_NMI_STACK + PAGE_SIZE, slot + CORE_DF_STACK + PAGE_SIZE,
			    slot + CORE_MC_STACK + PAGE_SIZE };
	struct table_pointer gdtr = { sizeof(c->gdt) - 1, (uint64_t)(uintptr_t)c->gdt };
	struct table_pointer idtr = { sizeof(idt) - 1, (uint64_t)(uintptr_t)idt };
	uint16_t no_io = sizeof(c->tss);

	memcpy(c->tss + 4, &c->stack_top, 8);
	memcpy(c->tss + 36, ist, sizeof(ist));
	memcpy(c->tss + 102, &no_io, 2);
	c->gdt[SEL_KCODE / 8] = 0x00af9b000000ffff;
	c->gdt[SEL_KDATA / 8] = 0x00cf93000000ffff;
	c->gdt[SEL_UDATA / 8] = 0x00cff3000000ffff;
	c->gdt[SEL_UCODE / 8] = 0x00affb000000ffff;
	c->gdt[SEL_TSS / 8] = (sizeof(c->tss) - 1) | (tss & 0xffffff) << 16 | 0x89ULL << 40 |
			      (tss >> 24 & 0xff) << 56;
	c->gdt[SEL_TSS / 8 + 1] = tss >> 32;
	__asm__ volatile("lgdt %0\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tmovl %3, %%eax\n\t"
			 "movl %%eax, %%ss\n\t"
			 "movl %%eax, %%ds\n\t"
			 "movl %%eax, %%es\n\t"
			 "xorl %%eax, %%eax\n\t"
			 "movl %%eax, %%fs\n\t"
			 "movl %%eax, %%gs\n\t"
			 "lidt %1\n\t"
			 "movl %4, %%eax\n\t"
			 "ltr %%ax"
			 :
			 : "m"(gdtr), "m"(idtr), "i"(SEL_KCODE), "i"(SEL_KDATA), "i"(SEL_TSS)
			 : "rax", "memory");
}

void cpu_init(struct core *c)
{
	control_registers();
	descriptor_tables(c);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | 1); /* SCE */
	wrmsr(MSR_STAR, (uint64_t)SEL_USER32 << 48 | (uint64_t)SEL_KCODE << 32);
	wrmsr(MSR_LSTAR, (uint64_t)(uintptr_t)syscall_entry);
	wrmsr(MSR_SFMASK, 0x257fd5); /* every flag but RF and the reserved ones */
	wrmsr(MSR_GS_BASE, (uint64_t)(uintptr_t)&c->idle);
}
