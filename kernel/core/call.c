/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - kernel calls about time, events and vcores, and the making of upcalls. The vcore area is
 * shared with the partition and not trusted: nothing read from it is used unchecked. */
#include "kernel/core/call.h"

#include "abi/call.h"
#include "kernel/core/arch.h"
#include "kernel/core/log.h"
#include "kernel/core/space_call.h"

_Static_assert(CALL_COUNT <= GW_CALL_COUNT && GW_CALL_CONTEXT_RESUME == CALL_CONTEXT_RESUME &&
		       GW_CALL_HEALTH_RAISE == CALL_HEALTH_RAISE,
	       "layout");

void event_post(struct core *target, uint64_t events)
{
	/* Pairs with the target: it clears masked (or sets waiting), then looks at pending. Both
	 * sides store first and load second, sequentially consistent, so one of them sees the
	 * other. */
	atomic_fetch_or(&target->vcore->pending, events);
	if (atomic_load(&target->waiting) != 0 || atomic_load(&target->vcore->masked) == 0)
		arch_kick(target);
}

static void post_tick(struct core *c)
{
	atomic_fetch_or(&c->vcore->pending, 1ULL << GW_EVENT_TICK);
}

/* What has passed already is an event at once: no timer interrupt would find out. */
static void set_tick(struct core *c, uint64_t deadline_ns)
{
	c->tick_ns = deadline_ns;
	if (!arch_timer_arm(c, deadline_ns)) {
		c->tick_ns = ~0ULL;
		post_tick(c);
	}
}

void timer_expired(struct core *c)
{
	uint64_t now = arch_now_ns();

	c->armed_tsc = c->armed_ns = ~0ULL;
	if (c->tick_ns <= now) {
		c->tick_ns = ~0ULL;
		post_tick(c);
	} else {
		set_tick(c, c->tick_ns);
	}
}

static long call_wait(uint64_t deadline_ns, uint64_t b, uint64_t d, uint64_t e)
{
	struct core *c = arch_core();
	struct gw_vcore *v = c->vcore;

	(void)b, (void)d, (void)e;
	if (deadline_ns != ~0ULL)
		set_tick(c, deadline_ns);
	if (atomic_load_explicit(&v->pending, memory_order_relaxed) != 0)
		return 0;
	atomic_store(&c->waiting, 1);
	while (atomic_load(&v->pending) == 0)
		arch_idle();
	atomic_store(&c->waiting, 0);
	arch_flush_poll(c);
	return 0;
}

static long call_yield(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return 0;
}

static long call_notify(uint64_t id, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b, (void)c, (void)d;
	if (id >= partition.vcores)
		return -EINVAL;
	event_post(cores[id], 1ULL << GW_EVENT_NOTIFY);
	return 0;
}

static bool user_address(uint64_t va)
{
	return va != 0 && va < GW_USER_END;
}

static long call_vcore_start(uint64_t id, uint64_t entry, uint64_t arg, uint64_t d)
{
	struct core *t;
	uint32_t stopped = CORE_STOPPED;

	(void)d;
	if (id >= partition.vcores || !user_address(entry))
		return -EINVAL;
	t = cores[id];
	/* One starter wins; the target reads entry and arg after it has seen CORE_RUNNING. */
	if (!atomic_compare_exchange_strong(&t->state, &stopped, CORE_STARTING))
		return -EBUSY;
	t->start_entry = entry;
	t->start_arg = arg;
	atomic_store(&t->state, CORE_RUNNING);
	arch_kick(t);
	return 0;
}

static long call_upcall_set(uint64_t syscall_va, uint64_t upcall_va, uint64_t c, uint64_t d)
{
	struct core *self = arch_core();

	(void)c, (void)d;
	if (!user_address(syscall_va) || !user_address(upcall_va))
		return -EINVAL;
	self->syscall_entry = syscall_va;
	self->upcall_entry = upcall_va;
	return 0;
}

static long call_tick_set(uint64_t deadline_ns, uint64_t b, uint64_t d, uint64_t e)
{
	(void)b, (void)d, (void)e;
	set_tick(arch_core(), deadline_ns);
	return 0;
}

static long call_irq_bind(uint64_t device, uint64_t vector, uint64_t vcore, uint64_t event)
{
	if (device >= partition.info->n_devices || vcore >= partition.vcores ||
	    event < GW_EVENT_IRQ0 || event > 63 ||
	    vector >= partition.info->devices[device].vectors)
		return -EINVAL;
	return arch_irq_bind((uint32_t)device, (uint32_t)vector, cores[vcore], (uint32_t)event);
}

static long call_console_write(uint64_t len, uint64_t b, uint64_t c, uint64_t d)
{
	const volatile uint8_t *bytes = arch_core()->vcore->batch.bytes;

	(void)b, (void)c, (void)d;
	if (len > GW_BATCH_BYTES)
		return -EINVAL;
	for (uint64_t i = 0; i < len; i++)
		arch_console_byte(bytes[i]);
	return (long)len;
}

static long call_shutdown(uint64_t status, uint64_t b, uint64_t c, uint64_t d)
{
	(void)b, (void)c, (void)d;
	if (status > 255)
		return -EINVAL;
	arch_shutdown((uint32_t)status);
}

call_fn *const call_table[CALL_COUNT] = {
	[GW_CALL_WAIT] = call_wait,
	[GW_CALL_YIELD] = call_yield,
	[GW_CALL_NOTIFY] = call_notify,
	[GW_CALL_VCORE_START] = call_vcore_start,
	[GW_CALL_UPCALL_SET] = call_upcall_set,
	[GW_CALL_TICK_SET] = call_tick_set,
	[GW_CALL_SPACE_MAP] = call_space_map,
	[GW_CALL_SPACE_PROTECT] = call_space_protect,
	[GW_CALL_SPACE_UNMAP] = call_space_unmap,
	[GW_CALL_SPACE_QUERY] = call_space_query,
	[GW_CALL_IRQ_BIND] = call_irq_bind,
	[GW_CALL_CONSOLE_WRITE] = call_console_write,
	[GW_CALL_SHUTDOWN] = call_shutdown,
	[GW_CALL_SPACE_CREATE] = call_space_create,
	[GW_CALL_SPACE_SWITCH] = call_space_switch,
	[GW_CALL_SPACE_DESTROY] = call_space_destroy,
};

/* Save the interrupted registers for the runtime and make t its entry. */
static void upcall_enter(struct core *c, struct trap *t, uint32_t reason)
{
	struct gw_vcore *v = c->vcore;
	struct gw_regs *f = &v->frame;

	f->rax = t->rax, f->rbx = t->rbx, f->rcx = t->rcx, f->rdx = t->rdx;
	f->rsi = t->rsi, f->rdi = t->rdi, f->rbp = t->rbp, f->rsp = t->rsp;
	f->r8 = t->r8, f->r9 = t->r9, f->r10 = t->r10, f->r11 = t->r11;
	f->r12 = t->r12, f->r13 = t->r13, f->r14 = t->r14, f->r15 = t->r15;
	f->rip = t->rip, f->rflags = t->rflags;
	v->reason = reason;
	v->frame_masked = atomic_load_explicit(&v->masked, memory_order_relaxed);
	atomic_store_explicit(&v->masked, 1, memory_order_relaxed);
	t->rip = c->upcall_entry;
	t->rflags = RFLAGS_USER;
}

void upcall_fault(struct core *c, struct trap *t, uint64_t fault_va)
{
	c->vcore->vector = t->vector;
	c->vcore->error = t->error;
	c->vcore->fault_va = fault_va;
	upcall_enter(c, t, GW_UPCALL_FAULT);
}

void upcall_event(struct core *c, struct trap *t)
{
	upcall_enter(c, t, GW_UPCALL_EVENT);
}
