/* SPDX-License-Identifier: Apache-2.0 */
/* arch.h - what portable kernel code asks of the architecture. Host tests bring their own. */
#ifndef GODWIT_KERNEL_ARCH_H
#define GODWIT_KERNEL_ARCH_H

#include "kernel/core/core.h"

/* The vcore that runs on this core (in an interrupt: that was interrupted). */
struct vcore *arch_vcore(void);

/* The call that v is making, and that runs this code, ends in the scheduler: its result is kept,
 * and v goes on whenever it is its turn. Shared cores only. */
void arch_call_suspend(struct vcore *v);

/* Monotonic nanoseconds, as gw_clock defines them. */
uint64_t arch_now_ns(void);

/* Make the timer of this core fire at ns or earlier (never later than the hardware can): its
 * interrupt ends in timer_expired or in the scheduler. ~0: nothing to do. Returns false, and does
 * nothing, when ns has passed. */
MUST_CHECK bool arch_timer_arm(struct core *c, uint64_t ns);

/* Enable interrupts, halt until one has been served, disable them. None is lost in between. */
void arch_idle(void);

/* Interrupt another core, which then looks at its state again. */
void arch_kick(const struct core *c);

/* Flush what g names on this core, and on those that run in the same space: returns after all have
 * done so. Context: holder of the space lock. */
void arch_flush(struct vcore *v, const struct gather *g);

/* Make root the current address space of this core. Nothing of another one stays in its TLB. */
void arch_space_enter(uint64_t root);

/* Do a flush that another core has asked for. Called wherever a core waits with interrupts off. */
void arch_flush_poll(struct core *c);

/* irq_bind of a checked device of the target's partition: see GW_CALL_IRQ_BIND. Returns 0, -EINVAL,
 * or -ENOSPC: the core has no vector left. */
MUST_CHECK int arch_irq_bind(uint32_t device, uint32_t vector, struct vcore *target,
			     uint32_t event);

static inline void arch_relax(void)
{
	__builtin_ia32_pause();
}

/* arch_lock - take a lock, as v's core, with interrupts off: meanwhile it serves the flushes that
 * the holder may be waiting for. */
static inline void arch_lock(_Atomic uint32_t *lock, const struct vcore *v)
{
	while (atomic_exchange_explicit(lock, 1, memory_order_acquire) != 0) {
		arch_flush_poll(v->core);
		arch_relax();
	}
}

static inline void arch_unlock(_Atomic uint32_t *lock)
{
	atomic_store_explicit(lock, 0, memory_order_release);
}

#endif
