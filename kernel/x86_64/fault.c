/* SPDX-License-Identifier: Apache-2.0 */
/* fault.c - exceptions and interrupts: upcalls for what the partition can handle, a report with
 * registers and backtrace for what nobody can. */
#include "kernel/x86_64/arch_internal.h"

#include "abi/call.h"
#include "kernel/core/health.h"
#include "kernel/core/pool.h"
#include "kernel/core/trace.h"

#define VECTOR_DOUBLE_FAULT 8u
#define VECTOR_PAGE_FAULT 14u
#define VECTOR_MACHINE_CHECK 18u

static const char *vector_name(uint64_t v)
{
	static const char names[32][4] = { "DE", "DB", "NMI", "BP", "OF", "BR", "UD", "NM",
					   "DF", "CO", "TS",  "NP", "SS", "GP", "PF", "15",
					   "MF", "AC", "MC",  "XM", "VE", "CP" };

	return v < 22 ? names[v] : "?";
}

static void report_registers(const struct trap *t)
{
	log_text("rip %016lx rsp %016lx rflags %lx cs %lx\n", t->rip, t->rsp, t->rflags, t->cs);
	log_text("rax %016lx rbx %016lx rcx %016lx rdx %016lx\n", t->rax, t->rbx, t->rcx, t->rdx);
	log_text("rsi %016lx rdi %016lx rbp %016lx r8  %016lx\n", t->rsi, t->rdi, t->rbp, t->r8);
	log_text("r9  %016lx r10 %016lx r11 %016lx r12 %016lx\n", t->r9, t->r10, t->r11, t->r12);
	log_text("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx\n", t->r13, t->r14, t->r15,
		 read_cr2());
}

static void report_symbol(uint64_t va)
{
	uint64_t offset;
	const char *name = symbol_find(va - kernel_slide, &offset);

	if (name != NULL)
		log_text("  %s+0x%lx\n", name, offset);
	else
		log_text("  %lx\n", va);
}

/* Follow the frame pointers of kernel code, within the stacks of one core. */
static void report_backtrace(const struct trap *t)
{
	uint64_t rbp = t->rbp, slot = round_down((uint64_t)(uintptr_t)t, CORE_SLOT);
	uint64_t image_end_va = (uint64_t)(uintptr_t)image_end;
	uint64_t offset;

	report_symbol(t->rip);
	/* A leaf function has no frame of its own: its caller is on top of the stack, perhaps. */
	if (t->rsp >= slot + CORE_STACK && t->rsp < slot + CORE_STACK_END - 8 && t->rsp % 8 == 0 &&
	    symbol_find(*(const uint64_t *)(uintptr_t)t->rsp - kernel_slide, &offset) != NULL) {
		log_text("?");
		report_symbol(*(const uint64_t *)(uintptr_t)t->rsp);
	}
	for (uint32_t i = 0; i < 16; i++) {
		const uint64_t *frame = (const uint64_t *)(uintptr_t)rbp;
		bool in_slot = rbp >= slot + CORE_STACK && rbp < slot + CORE_STACK_END - 8;
		bool in_boot = rbp >= image_end_va - 2 * PAGE_SIZE && rbp < image_end_va - 8;

		if (rbp % 8 != 0 || !(in_slot || in_boot) || frame[1] == 0)
			return;
		report_symbol(frame[1]);
		if (frame[0] <= rbp)
			return;
		rbp = frame[0];
	}
}

void fault_fatal(const struct trap *t)
{
	log_direct();
	log_text("\ngodwit: fatal #%s (vector %lu, error %lx) in %s on core %u\n",
		 vector_name(t->vector), t->vector, t->error,
		 t->cs & 3 ? "user mode" : "the kernel", vcore_self()->core->id);
	report_registers(t);
	if (!(t->cs & 3))
		report_backtrace(t);
	arch_shutdown(STATUS_FAULT);
}

#define TRAP_CALL 0x100u /* in a trap's vector: not an exception, but a call */

/* What a fault that the partition did not take is to the health monitor. */
static uint32_t fault_class(const struct trap *t)
{
	switch (t->vector) {
	case 0:
	case 16:
	case 19:
		return GW_HEALTH_NUMERIC;
	case 12:
		return GW_HEALTH_STACK;
	case VECTOR_PAGE_FAULT:
		return GW_HEALTH_MEMORY;
	default:
		return GW_HEALTH_ILLEGAL;
	}
}

void fault_handle(struct trap *t)
{
	struct vcore *v;

	if (!(t->cs & 3))
		fault_fatal(t);
	v = vcore_self();
	v->area->kernel_entries++;
	if (v->upcall_entry == 0) {
		struct health_error e = { fault_class(t), t->vector << 32 | (uint32_t)t->error,
					  t->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0, t->rip };

		if (health_error(v, &e, t))
			schedule(v->core, t);
	} else {
		upcall_fault(v, t, t->vector == VECTOR_PAGE_FAULT ? read_cr2() : 0);
	}
}

#define MSR_MCG_STATUS 0x17au
#define MCG_STATUS_RIPV 0x1u /* the interrupted program can go on */

/* From entry.S, on a stack of its own, in the middle of anything: NMI, #DF, #MC. Returns when all
 * goes on; what the module's table asks for follows in an interrupt to this core itself. */
void hardware_fault(const struct trap *t)
{
	struct vcore *v = vcore_self();
	struct health_error e = { GW_HEALTH_HARDWARE, t->vector << 32, 0, t->rip };

	if (t->vector == VECTOR_MACHINE_CHECK)
		e.arg = rdmsr(MSR_MCG_STATUS);
	if (t->vector == VECTOR_DOUBLE_FAULT ||
	    (t->vector == VECTOR_MACHINE_CHECK && (e.arg & MCG_STATUS_RIPV) == 0) ||
	    !health_module_error(v, &e))
		fault_fatal(t);
	if (t->vector == VECTOR_MACHINE_CHECK)
		wrmsr(MSR_MCG_STATUS, 0); /* the next one would reset the machine else */
	apic_self(VECTOR_HEALTH);
}

void arch_health_report(const struct vcore *v, const struct trap *t)
{
	if (!(t->vector & TRAP_CALL)) {
		log_text("\ngodwit: partition %s faulted before it set its upcall entries",
			 v->part->name);
		fault_fatal(t);
	}
	log_text("\ngodwit: partition %s, core %u: ", v->part->name, v->core->id);
	if ((uint32_t)t->vector == (TRAP_CALL | CALL_HEALTH_RAISE))
		log_text("it raised health error %lx (%lx)\n", t->rdi, t->rsi);
	else
		log_text("the runtime made a Linux system call while masked\n");
	report_registers(t);
}

/* From entry.S. The place of rax holds a return address of the kernel. */
void health_raise(struct trap *t)
{
	struct health_error e = { GW_HEALTH_ILLEGAL, 0, 0, t->rip };
	uint64_t class = t->rdi >> 56;

	if (t->vector == CALL_HEALTH_RAISE) {
		t->rax = (uint64_t)-EINVAL;
		if (class > GW_HEALTH_CLASSES)
			return;
		e.class = class != 0 ? (uint32_t) class - 1 : GW_HEALTH_APPLICATION;
		e.code = t->rdi & ((1ULL << 56) - 1);
		e.arg = t->rsi;
	}
	t->vector |= TRAP_CALL;
	t->rax = 0;
	if (health_error(vcore_self(), &e, t))
		schedule(vcore_self()->core, t);
}

static void event_set(struct core *c, uint32_t i)
{
	struct vcore *v = c->vcores[0];

	if (c->shared) {
		v = c->irq[i].vcore;
		i = c->irq[i].event;
	}
	if (v == NULL)
		return;
	atomic_fetch_or(&v->area->pending, 1ULL << i);
	/* This core goes through the scheduler in any case. */
	if (v->floats && (atomic_load(&v->waiting) != 0 || atomic_load(&v->area->masked) == 0))
		(void)pool_wake(v);
}

/* The work of an interrupt, whatever it interrupted. */
void interrupt_serve(uint32_t vector)
{
	struct vcore *v = vcore_self();
	struct core *c = v->core;

	if (v->area != NULL)
		v->area->interrupts++;
	if (vector == VECTOR_TIMER) {
		if (c->shared)
			c->armed_tsc = c->armed_ns = ~0ULL; /* schedule looks at the deadlines */
		else
			timer_expired(c->vcores[0]);
	} else if (vector < VECTOR_KICK && vector > VECTOR_EVENT) {
		event_set(c, vector - VECTOR_EVENT);
	} else if (vector == VECTOR_FLUSH) {
		arch_flush_poll(c);
	} else if (vector == VECTOR_HEALTH) {
		health_module_act(v);
	} else if (vector == VECTOR_DMA) {
		iommu_faults();
	} else if (vector == VECTOR_SPURIOUS || vector < VECTOR_EVENT) {
		return;
	}
	apic_eoi(c);
}

void interrupt_user(struct trap *t)
{
	struct vcore *v = vcore_self();
	struct core *c = v->core;

	v->area->kernel_entries++;
	trace(c, GW_TRACE_INTERRUPT, v, t->vector);
	interrupt_serve((uint32_t)t->vector);
	/* A timer that was armed for what is no longer so is only armed again. */
	if (c->shared && t->vector == VECTOR_TIMER &&
	    arch_now_ns() < min_u64(c->wake_ns, v->tick_ns) &&
	    arch_timer_arm(c, min_u64(c->wake_ns, v->tick_ns)))
		return;
	if (c->shared) { /* what has come meanwhile is seen by the same look */
		__asm__ volatile("sti\n\tnop\n\tcli" : : : "memory");
		schedule(c, t);
	} else if (atomic_load_explicit(&v->area->masked, memory_order_relaxed) == 0 &&
		   atomic_load_explicit(&v->area->pending, memory_order_relaxed) != 0 &&
		   v->upcall_entry != 0)
		upcall_event(v, t);
}
