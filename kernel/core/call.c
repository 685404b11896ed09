/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - kernel calls about time, events and vcores, and the making of upcalls. The vcore area is
 * shared with the partition and not trusted: nothing read from it is used unchecked. */
#include "kernel/core/call.h"

#include "abi/call.h"
#include "kernel/core/arch.h"
#include "kernel/core/health.h"
#include "kernel/core/log.h"
#include "kernel/core/pool.h"
#include "kernel/core/restart.h"
#include "kernel/core/schedule.h"
#include "kernel/core/trace.h"

/* Every call has four arguments, whether it looks at them or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

_Static_assert(CALL_COUNT <= GW_CALL_COUNT && GW_CALL_CONTEXT_RESUME == CALL_CONTEXT_RESUME &&
		       GW_CALL_HEALTH_RAISE == CALL_HEALTH_RAISE,
	       "layout");

/* target can run, or has something to look at: make its core do so, which was c. */
static void wake(struct vcore *target, struct core *c)
{
	bool look = c->shared && c == arch_vcore()->core;

	if (c->shared && target->floats)
		look = pool_wake(target);
	else if (!look)
		arch_kick(c);
	if (look)
		arch_call_suspend(arch_vcore());
}

void event_post(struct vcore *target, uint64_t events)
{
	struct core *c = target->core;

	/* Pairs with the target: it clears masked (or sets waiting), then looks at pending. Both
	 * sides store first and load second, sequentially consistent, so one of them sees the
	 * other. */
	atomic_fetch_or(&target->area->pending, events);
	if (atomic_load(&target->waiting) == 0 && atomic_load(&target->area->masked) != 0)
		return;
	wake(target, c);
}

static void post_tick(struct vcore *v)
{
	atomic_fetch_or(&v->area->pending, 1ULL << GW_EVENT_TICK);
}

/* What has passed already is an event at once: no timer interrupt would find out. */
static inline __attribute__((always_inline)) void set_tick(struct vcore *v, uint64_t deadline_ns)
{
	atomic_store_explicit(&v->tick_ns, deadline_ns, memory_order_relaxed);
	if (!arch_timer_arm(v->core, deadline_ns)) {
		atomic_store_explicit(&v->tick_ns, ~0ULL, memory_order_relaxed);
		post_tick(v);
	}
}

void timer_expired(struct vcore *v)
{
	uint64_t now = arch_now_ns();

	v->core->armed_tsc = v->core->armed_ns = ~0ULL;
	if (v->tick_ns <= now) {
		v->tick_ns = ~0ULL;
		post_tick(v);
	} else {
		set_tick(v, v->tick_ns);
	}
}

static long call_wait(uint64_t deadline_ns, uint64_t b, uint64_t d, uint64_t e)
{
	struct vcore *v = arch_vcore();

	if (deadline_ns != ~0ULL)
		set_tick(v, deadline_ns);
	if (atomic_load_explicit(&v->area->pending, memory_order_relaxed) != 0)
		return 0;
	atomic_store(&v->waiting, 1);
	if (v->core->shared) {
		arch_call_suspend(v);
		return 0;
	}
	while (atomic_load(&v->area->pending) == 0)
		arch_idle();
	atomic_store(&v->waiting, 0);
	arch_flush_poll(v->core);
	return 0;
}

static long call_yield(uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();

	if (v->core->shared) {
		v->core->slice_end_ns = 0;
		arch_call_suspend(v);
	}
	return 0;
}

static long call_notify(uint64_t id, uint64_t b, uint64_t c, uint64_t d)
{
	const struct partition *p = arch_vcore()->part;

	if (id >= p->n_vcores)
		return -EINVAL;
	event_post(p->vcores[id], 1ULL << GW_EVENT_NOTIFY);
	return 0;
}

static bool user_address(uint64_t va)
{
	return va != 0 && va < GW_USER_END;
}

static long call_vcore_start(uint64_t id, uint64_t entry, uint64_t arg, uint64_t d)
{
	const struct partition *p = arch_vcore()->part;
	struct vcore *t;
	uint32_t stopped = VCORE_STOPPED;

	if (id >= p->n_vcores || !user_address(entry))
		return -EINVAL;
	t = p->vcores[id];
	/* One starter wins; the core reads entry and arg after it has seen VCORE_RUNNING. */
	if (!atomic_compare_exchange_strong(&t->state, &stopped, VCORE_STARTING))
		return -EBUSY;
	t->start_entry = entry;
	t->start_arg = arg;
	atomic_store(&t->state, VCORE_RUNNING);
	wake(t, t->core);
	return 0;
}

static long call_upcall_set(uint64_t syscall_va, uint64_t upcall_va, uint64_t c, uint64_t d)
{
	struct vcore *self = arch_vcore();

	if (!user_address(syscall_va) || !user_address(upcall_va))
		return -EINVAL;
	self->syscall_entry = syscall_va;
	self->upcall_entry = upcall_va;
	return 0;
}

static long call_tick_set(uint64_t deadline_ns, uint64_t b, uint64_t d, uint64_t e)
{
	set_tick(arch_vcore(), deadline_ns);
	return 0;
}

static long call_irq_bind(uint64_t device, uint64_t vector, uint64_t vcore, uint64_t event)
{
	const struct partition *p = arch_vcore()->part;

	if (device >= p->info->n_devices || vcore >= p->n_vcores || event < GW_EVENT_IRQ0 ||
	    event > 63 || vector >= p->info->devices[device].vectors)
		return -EINVAL;
	return arch_irq_bind((uint32_t)device, (uint32_t)vector, p->vcores[vcore], (uint32_t)event);
}

#define CONSOLE_PIECE 16u

static long call_console_write(uint64_t len, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	const volatile uint8_t *bytes = v->area->batch.bytes;
	uint64_t i = call_progress(v, GW_CALL_CONSOLE_WRITE, len);

	if (len > GW_BATCH_BYTES)
		return -EINVAL;
	while (i < len) {
		uint8_t piece[CONSOLE_PIECE];
		uint32_t n = 0;

		if (schedule_due(v)) {
			call_again(v, GW_CALL_CONSOLE_WRITE, len, i);
			return 0;
		}
		if (log_room() >= LOG_CONSOLE_ROOM(CONSOLE_PIECE))
			for (; n < CONSOLE_PIECE && i < len; n++, i++)
				piece[n] = bytes[i];
		log_console(&v->part->line, n_partitions > 1 ? v->part->name : NULL, piece, n);
		/* Twice as much goes out as comes in: names, and what others have left. */
		(void)log_drain(2 * CONSOLE_PIECE);
	}
	return (long)len;
}

uint64_t call_progress(struct vcore *v, uint64_t number, uint64_t arg)
{
	uint64_t at = v->progress;

	v->progress = 0;
	return v->progress_of == (number << 48 ^ arg) ? at : 0;
}

void call_again(struct vcore *v, uint64_t number, uint64_t arg, uint64_t progress)
{
	v->progress_of = number << 48 ^ arg;
	v->progress = progress;
	v->again = GW_CALL(number);
	arch_call_suspend(v);
}

static long call_shutdown(uint64_t status, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();

	if (status > 255)
		return -EINVAL;
	if (n_partitions == 1)
		machine_end((uint32_t)status);
	partition_end(v->part, (uint32_t)status);
	arch_call_suspend(v);
	return 0;
}

static long call_partition_restart(uint64_t warm, uint64_t b, uint64_t c, uint64_t d)
{
	struct vcore *v = arch_vcore();
	uint32_t running = PARTITION_RUNNING;

	if (warm > 1)
		return -EINVAL;
	if (!v->core->shared)
		return -EPERM;
	/* Not if another vcore's error has come first. */
	if (atomic_compare_exchange_strong(&v->part->state, &running, PARTITION_STOPPING))
		restart_begin(v->part, warm != 0, GW_START_PARTITION);
	arch_call_suspend(v);
	return 0;
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
	[GW_CALL_PORT_WRITE] = call_port_write,
	[GW_CALL_PORT_READ] = call_port_read,
	[GW_CALL_PORT_STATUS] = call_port_status,
	[GW_CALL_PARTITION_RESTART] = call_partition_restart,
};

/* Save the interrupted registers for the runtime and make t its entry. */
static void upcall_enter(struct vcore *v, struct trap *t, uint32_t reason)
{
	struct gw_vcore *a = v->area;
	struct gw_regs *f = &a->frame;

	f->rax = t->rax, f->rbx = t->rbx, f->rcx = t->rcx, f->rdx = t->rdx;
	f->rsi = t->rsi, f->rdi = t->rdi, f->rbp = t->rbp, f->rsp = t->rsp;
	f->r8 = t->r8, f->r9 = t->r9, f->r10 = t->r10, f->r11 = t->r11;
	f->r12 = t->r12, f->r13 = t->r13, f->r14 = t->r14, f->r15 = t->r15;
	f->rip = t->rip, f->rflags = t->rflags;
	a->reason = reason;
	a->frame_masked = atomic_load_explicit(&a->masked, memory_order_relaxed);
	atomic_store_explicit(&a->masked, 1, memory_order_relaxed);
	t->rip = v->upcall_entry;
	t->rflags = RFLAGS_USER;
	trace(v->core, reason == GW_UPCALL_FAULT ? GW_TRACE_FAULT : GW_TRACE_EVENT, v,
	      reason == GW_UPCALL_FAULT ? t->vector : a->pending);
}

void upcall_fault(struct vcore *v, struct trap *t, uint64_t fault_va)
{
	v->area->vector = t->vector;
	v->area->error = t->error;
	v->area->fault_va = fault_va;
	upcall_enter(v, t, GW_UPCALL_FAULT);
}

void upcall_event(struct vcore *v, struct trap *t)
{
	upcall_enter(v, t, GW_UPCALL_EVENT);
}
