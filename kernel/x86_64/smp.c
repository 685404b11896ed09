/* SPDX-License-Identifier: Apache-2.0 */
/* smp.c - a core's life: waiting for its vcore to be started, running it, and the work that cores
 * ask of each other (kicks and TLB flushes). */
#include "kernel/core/schedule.h"
#include "kernel/x86_64/arch_internal.h"

struct core *cores[GW_MAX_VCORES];
uint32_t n_cores;

struct vcore *arch_vcore(void)
{
	return vcore_self();
}

void arch_idle(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

void core_run(struct core *c)
{
	struct trap t;

	schedule(c, &t);
	trap_return(&t);
}

void arch_space_enter(uint64_t root)
{
	write_cr3(root);
}

void arch_flush_poll(struct core *c)
{
	uint32_t asked = atomic_load(&c->flush_asked);

	if (asked == atomic_load_explicit(&c->flush_done, memory_order_relaxed))
		return;
	write_cr3(read_cr3());
	atomic_store_explicit(&c->flush_done, asked, memory_order_release);
}

/* Tables change in the TLBs of the cores whose current vcore runs in the space (or will use them
 * without a reload of CR3). A dedicated core that waits in the kernel flushes before it returns. */
static void flush_others(struct vcore *self)
{
	const struct partition *p = self->part;
	uint64_t start = rdtsc();

	/* One that floats may go to another core at any time: it reloads CR3 there. */
	for (uint32_t i = 0; i < p->n_vcores; i++) {
		struct vcore *u = p->vcores[i];
		struct core *c = u->core;

		if (u == self || u->space != self->space || atomic_load(&c->current) != u)
			continue;
		atomic_fetch_add(&c->flush_asked, 1);
		if (atomic_load(&u->waiting) == 0)
			apic_ipi(c->apic_id, VECTOR_FLUSH);
	}
	for (uint32_t i = 0; i < p->n_vcores; i++) {
		struct vcore *u = p->vcores[i];
		struct core *c;

		while (c = u->core,
		       u != self && atomic_load(&c->current) == u &&
			       atomic_load(&c->flush_done) != atomic_load(&c->flush_asked) &&
			       atomic_load(&u->waiting) == 0) {
			arch_relax();
			if (rdtsc() - start > clock.tsc_hz * 10)
				fail(STATUS_FAULT, "core %u does not answer", c->id);
		}
	}
}

void arch_flush(struct vcore *v, const struct gather *g)
{
	if (g->n > GATHER_PAGES)
		write_cr3(read_cr3());
	else
		for (uint32_t i = 0; i < g->n; i++)
			invlpg(g->va[i]);
	if (v->part->n_vcores > 1)
		flush_others(v);
}

extern const char trampoline_start[], trampoline_end[], trampoline_words[];
extern uint64_t boot_pml4[512];
static uint64_t trampoline_pa;
static _Atomic bool started; /* all may run partitions */

void smp_go(void)
{
	atomic_store(&started, true);
}

static void wait_us(uint64_t us)
{
	uint64_t start = rdtsc();

	while (rdtsc() - start < clock.tsc_hz / 1000000 * us)
		arch_relax();
}

void smp_reserve(struct range_set *free, uint32_t n)
{
	if (n < 2)
		return;
	trampoline_pa = range_carve(free, PAGE_SIZE, PAGE_SIZE, 0xa0000);
	if (trampoline_pa == 0)
		fail(STATUS_CONFIG, "no memory below 640 KiB to start other cores");
	for (uint32_t i = 1; i < n; i++)
		core_create(free, i, false);
}

/* Where the trampoline ends up: on the core's own stack, still on the loader's page tables. */
__attribute__((noreturn)) void core_main(struct core *c)
{
	write_cr3(kernel_root);
	cpu_init(c);
	apic_init_core(c);
	atomic_store(&c->up, true);
	while (!atomic_load(&started))
		arch_relax();
	core_run(c);
}

static void start_one(struct core *c, uint32_t id)
{
	uint64_t *words = direct(trampoline_pa + (uint64_t)(trampoline_words - trampoline_start));

	/* Anew for each core: it writes to itself. */
	memcpy(direct(trampoline_pa), trampoline_start,
	       (uint64_t)(trampoline_end - trampoline_start));
	words[0] = image_pa(boot_pml4);
	words[1] = (uint64_t)(uintptr_t)c;
	words[2] = (uint64_t)(uintptr_t)core_main;
	c->apic_id = id;
	apic_ipi(id, 0x4500); /* INIT */
	wait_us(200);
	for (uint32_t attempt = 0; attempt < 2; attempt++) {
		apic_ipi(id, 0x4600 | (uint32_t)(trampoline_pa >> 12)); /* start-up */
		for (uint32_t i = 0; i < 5000; i++) {
			if (atomic_load(&c->up))
				return;
			wait_us(100);
		}
	}
	fail(STATUS_CONFIG,
	     "core %u (APIC id %u) does not start; the manifest wants %u cores: give "
	     "the machine as many (-smp)",
	     c->id, id, n_cores);
}

void smp_start(const struct boot_info *b, uint32_t n)
{
	uint32_t self = apic_id(), next = 0;

	if (n < 2)
		return;
	if (b->n_apic_ids != 0 && b->n_apic_ids < n)
		fail(STATUS_CONFIG,
		     "the manifest wants %u cores, the machine has %u: give it "
		     "more (-smp)",
		     n, b->n_apic_ids);
	for (uint32_t i = 1; i < n; i++) {
		uint32_t id;

		do {
			id = b->n_apic_ids != 0 ? b->apic_ids[next++] : next++;
		} while (id == self);
		start_one(cores[i], id);
	}
	memset(boot_pml4, 0, PAGE_SIZE); /* the identity map has served */
}
