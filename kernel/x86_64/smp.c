/* SPDX-License-Identifier: Apache-2.0 */
/* smp.c - a core's life: waiting for its vcore to be started, running it, and the work that cores
 * ask of each other (kicks and TLB flushes). */
#include "kernel/x86_64/arch_internal.h"

struct partition partition;
struct core *cores[GW_MAX_VCORES];

struct core *arch_core(void)
{
	return core_self();
}

void arch_idle(void)
{
	__asm__ volatile("sti\n\thlt\n\tcli" : : : "memory");
}

void core_run(struct core *c)
{
	while (atomic_load(&c->state) != CORE_RUNNING)
		arch_idle();
	atomic_store(&c->vcore->masked, 1);
	write_cr3(partition.spaces[0].root); /* nothing stale from before */
	enter_user(c->start_entry, c->start_arg);
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

/* Flush the other cores of this space: ask all, then wait for each. A core that waits in the kernel
 * flushes before it returns to user mode, so it needs no interrupt. */
static void flush_others(struct core *self)
{
	uint64_t start = rdtsc();

	for (uint32_t i = 0; i < partition.vcores; i++) {
		struct core *c = cores[i];

		if (c == self || c->space != self->space || atomic_load(&c->state) != CORE_RUNNING)
			continue;
		atomic_fetch_add(&c->flush_asked, 1);
		if (atomic_load(&c->waiting) == 0)
			apic_ipi(c->apic_id, VECTOR_FLUSH);
	}
	for (uint32_t i = 0; i < partition.vcores; i++) {
		struct core *c = cores[i];

		while (c != self && atomic_load(&c->state) == CORE_RUNNING &&
		       atomic_load(&c->flush_done) != atomic_load(&c->flush_asked) &&
		       atomic_load(&c->waiting) == 0) {
			arch_relax();
			if (rdtsc() - start > clock.tsc_hz * 10)
				fail(STATUS_FAULT, "core %u does not answer", i);
		}
	}
}

void arch_flush(struct core *c, const struct gather *g)
{
	if (g->n > GATHER_PAGES)
		write_cr3(read_cr3());
	else
		for (uint32_t i = 0; i < g->n; i++)
			invlpg(g->va[i]);
	if (partition.vcores > 1)
		flush_others(c);
}

extern const char trampoline_start[], trampoline_end[], trampoline_words[];
extern uint64_t boot_pml4[512];
static uint64_t trampoline_pa;

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
void core_main(struct core *c) __attribute__((noreturn));
void core_main(struct core *c)
{
	write_cr3(partition.spaces[0].root);
	cpu_init(c);
	apic_init_core(c);
	atomic_store(&c->state, CORE_STOPPED);
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
			if (atomic_load(&c->state) == CORE_STOPPED)
				return;
			wait_us(100);
		}
	}
	fail(STATUS_CONFIG,
	     "core %u (APIC id %u) does not start; the manifest wants %u vcores: give "
	     "the machine as many cores (-smp)",
	     c->id, id, partition.vcores);
}

void smp_start(const struct boot_info *b, uint32_t n)
{
	uint32_t self = apic_id(), next = 0;

	if (n < 2)
		return;
	if (b->n_apic_ids != 0 && b->n_apic_ids < n)
		fail(STATUS_CONFIG,
		     "the manifest wants %u vcores, the machine has %u cores: give it "
		     "more (-smp)",
		     n, b->n_apic_ids);
	for (uint32_t i = 1; i < n; i++) {
		uint32_t id = b->n_apic_ids != 0 ? b->apic_ids[next++] : next++;

		if (id == self)
			id = b->n_apic_ids != 0 ? b->apic_ids[next++] : next++;
		start_one(cores[i], id);
	}
	memset(boot_pml4, 0, PAGE_SIZE); /* the identity map has served */
}
