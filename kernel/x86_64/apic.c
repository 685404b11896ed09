/* SPDX-License-Identifier: Apache-2.0 */
/* apic.c - the local APIC: end of interrupt, IPIs and the one-shot timer, in xAPIC or x2APIC mode,
 * with the TSC deadline or the initial count. */
#include "kernel/x86_64/arch_internal.h"

#define MSR_APIC_BASE 0x1bu
#define MSR_X2APIC 0x800u
#define MSR_TSC_DEADLINE 0x6e0u

#define REG_ID 0x20u
#define REG_TPR 0x80u
#define REG_EOI 0xb0u
#define REG_SPURIOUS 0xf0u
#define REG_ICR 0x300u
#define REG_ICR_HIGH 0x310u
#define REG_TIMER 0x320u
#define REG_LINT0 0x350u
#define REG_LINT1 0x360u
#define REG_ERROR 0x370u
#define REG_COUNT 0x380u
#define REG_CURRENT 0x390u
#define REG_DIVIDE 0x3e0u
#define MASKED 0x10000u
#define ICR_SELF 0x40000u

bool apic_x2;
static uint8_t *xapic;
static uint64_t ticks_per_tsc; /* timer ticks per TSC tick, 32.32 */

static uint32_t reg_read(uint32_t reg)
{
	if (apic_x2)
		return (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
	return mmio_read32(xapic + reg);
}

static void reg_write(uint32_t reg, uint32_t v)
{
	if (apic_x2)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		mmio_write32(xapic + reg, v);
}

static void apic_enable(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE) | 1u << 11;

	if (apic_x2)
		base |= 1u << 10;
	wrmsr(MSR_APIC_BASE, base);
	reg_write(REG_SPURIOUS, 0x100 | VECTOR_SPURIOUS);
	reg_write(REG_TPR, 0);
	reg_write(REG_LINT0, MASKED);
	reg_write(REG_LINT1, 0x400); /* NMI */
	reg_write(REG_ERROR, MASKED);
	reg_write(REG_DIVIDE, 0x3); /* by 16 */
	reg_write(REG_TIMER, MASKED | VECTOR_TIMER);
	reg_write(REG_COUNT, ~0u); /* runs for the calibration */
}

static void set_eoi(struct core *c)
{
	c->apic_id = apic_id();
	c->eoi = apic_x2 ? 0 : (uint64_t)(uintptr_t)xapic + REG_EOI;
}

void apic_init_first(struct core *c)
{
	apic_x2 = cpu.x2apic;
	if (!apic_x2)
		xapic = mmio_map(rdmsr(MSR_APIC_BASE) & PTE_ADDR);
	apic_enable();
	set_eoi(c);
}

void apic_init_core(struct core *c)
{
	if (c->id != 0) {
		apic_enable();
		reg_write(REG_LINT1, MASKED); /* an NMI is one error of the module */
	}
	set_eoi(c);
	reg_write(REG_COUNT, 0);
	reg_write(REG_TIMER, (cpu.tsc_deadline ? 2u << 17 : 0) | VECTOR_TIMER);
}

uint32_t apic_id(void)
{
	return apic_x2 ? reg_read(REG_ID) : reg_read(REG_ID) >> 24;
}

void apic_eoi(struct core *c)
{
	if (c->eoi != 0)
		mmio_write32((void *)(uintptr_t)c->eoi, 0);
	else
		wrmsr(MSR_X2APIC + REG_EOI / 16, 0);
}

void apic_ipi(uint32_t id, uint32_t command)
{
	if (apic_x2) {
		/* wrmsr to the x2APIC does not order earlier stores */
		__asm__ volatile("mfence; lfence" : : : "memory");
		wrmsr(MSR_X2APIC + REG_ICR / 16, (uint64_t)id << 32 | command);
		return;
	}
	for (uint32_t i = 0; i < 100000 && (reg_read(REG_ICR) & 0x1000); i++)
		arch_relax();
	reg_write(REG_ICR_HIGH, id << 24);
	reg_write(REG_ICR, command);
}

void apic_self(uint32_t vector)
{
	if (apic_x2)
		wrmsr(MSR_X2APIC + REG_ICR / 16, ICR_SELF | vector);
	else
		reg_write(REG_ICR, ICR_SELF | vector);
}

void arch_kick(const struct core *c)
{
	apic_ipi(c->apic_id, VECTOR_KICK);
}

uint32_t apic_timer_count(void)
{
	return reg_read(REG_CURRENT);
}

void apic_sleep(uint32_t count)
{
	reg_write(REG_TIMER, VECTOR_KICK);
	reg_write(REG_COUNT, count);
	arch_idle();
	reg_write(REG_TIMER, MASKED | VECTOR_TIMER);
}

void apic_timer_set_rate(uint64_t per_tsc_32)
{
	ticks_per_tsc = per_tsc_32;
}

bool arch_timer_arm(struct core *c, uint64_t ns)
{
	uint64_t now = rdtsc(), now_ns, delta, target, count;

	/* Armed for the same time or earlier, and still to come: its interrupt will arm the rest.
	 */
	if (ns == ~0ULL || (c->armed_ns <= ns && c->armed_tsc > now))
		return true;
	now_ns = clock_ns(now);
	if (ns <= now_ns)
		return false;
	delta = mul_shift(min_u64(ns - now_ns, 1ULL << 40), clock_tsc_per_ns, 31) + 1;
	target = now + delta;
	if (cpu.tsc_deadline) {
		wrmsr(MSR_TSC_DEADLINE, target);
	} else {
		/* Long ones a little early, and then again: the rate is known to 0.1 % at best. */
		count = mul_shift(delta, ticks_per_tsc, 32) + 1;
		count -= count >> 16 != 0 ? count >> 9 : 0;
		reg_write(REG_COUNT, (uint32_t)min_u64(count, ~0u));
	}
	c->armed_tsc = target;
	c->armed_ns = ns;
	return true;
}
