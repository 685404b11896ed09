/* SPDX-License-Identifier: Apache-2.0 */
/* plat.c - the platform of a Godwit partition: vcores, their masks, ticks and upcalls, contexts,
 * ports (platform.h). The kernel is trusted; the application is not, but shares the address space.
 */
#include "arinc653/godwit/godwit.h"

#define VECTOR_SYSCALL 256u /* entry.S */
#define RFLAGS_IF 0x202u

_Static_assert(offsetof(struct gw_vcore, user[USER_STACK]) == 0x200 &&
		       offsetof(struct gw_vcore, id) == 0x38 && APEX_CORES == 8,
	       "entry.S, godwit.h");
_Static_assert(offsetof(struct plat_context, rsp) == 0 &&
		       offsetof(struct plat_context, full) == 8 &&
		       offsetof(struct gw_vcore, frame) == 0x40 &&
		       offsetof(struct gw_vcore, reason) == 0x0c &&
		       offsetof(struct gw_vcore, vector) == 0x18 &&
		       offsetof(struct gw_vcore, frame_masked) == 0x30,
	       "entry.S");

void apex_core_start(void);
void apex_context_switch(uint64_t *rsp, const struct plat_context *to);
_Noreturn void plat_resume(const struct plat_context *c);
_Noreturn void plat_upcall(void);

/* ---- time and events ---- */

uint64_t plat_now(void)
{
	const struct gw_clock *c = &boot()->clock;
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)((unsigned __int128)(((uint64_t)hi << 32 | lo) - c->tsc_base) * c->mult >>
			  32);
}

void plat_timer(uint64_t deadline_ns)
{
	gw_call(GW_CALL_TICK_SET, deadline_ns, 0);
}

static void mask_set(uint32_t masked)
{
	/* One instruction: the process may have another core before and after it. */
	__asm__ volatile("movl %0, %%gs:0x8" : : "r"(masked) : "memory");
}

/* A service that ran out of stack half-way could not be undone: it must fault before. */
void plat_mask(void)
{
	uint64_t stack;

	mask_set(1);
	stack = context_of(current())->stack;
	if (likely((uint64_t)__builtin_frame_address(0) - stack >= STACK_RESERVE))
		return;
	mask_set(0); /* an event that came meanwhile is looked at with the fault */
	plat_touch((const void *)(stack - 1), 1, false);
}

static uint32_t taken(void)
{
	uint64_t pending = atomic_exchange(&vcore()->pending, 0);

	return (pending >> GW_EVENT_TICK & 1 ? PLAT_TIMER : 0) |
	       (pending >> GW_EVENT_PORT & 1 ? PLAT_PORT : 0) |
	       (pending >> GW_EVENT_NOTIFY & 1 ? PLAT_KICK : 0);
}

uint32_t plat_unmask(void)
{
	struct gw_vcore *vc = vcore();
	uint32_t events;

	for (;;) {
		/* Pairs with the kernel's event_post: it sets pending, then looks at masked. */
		atomic_exchange(&vc->masked, 0);
		if (likely(atomic_load(&vc->pending) == 0))
			return 0;
		atomic_store(&vc->masked, 1);
		events = taken(); /* none, if the upcall came in between */
		if (events != 0)
			return events;
	}
}

uint32_t plat_wait(void)
{
	uint32_t events;

	while ((events = taken()) == 0)
		gw_call(GW_CALL_WAIT, GW_NEVER, 0);
	return events;
}

/* ---- cores ---- */

uint32_t plat_core(void)
{
	return vcore_id();
}

void plat_kick(uint32_t core)
{
	gw_call(GW_CALL_NOTIFY, core, 0);
}

void plat_cores_start(void)
{
	uint32_t self = vcore_id();

	atomic_store(&lives.going, (1ULL << apex.n_cores) - 1);
	for (uint32_t c = 0; c < apex.n_cores; c++)
		if (c != self &&
		    gw_call3(GW_CALL_VCORE_START, c, (uint64_t)apex_core_start, c) != 0)
			plat_kick(c); /* it has halted */
}

void plat_relax(void)
{
	__asm__ volatile("pause");
	if (unlikely(atomic_load_explicit(&lives.halt, memory_order_relaxed) != 0) &&
	    atomic_load_explicit(&vcore()->masked, memory_order_relaxed) != 0)
		apex_on_exec_stack(halt, 0);
}

/* ---- contexts ---- */

static struct plat_context idle = { .full = 1 };

size_t plat_context_size(void)
{
	return ROUND_UP(sizeof(struct plat_context) + fpu_size(), 64);
}

void plat_context_init(struct apex_process *p, void (*entry)(void))
{
	struct plat_context *c = context_of(p);
	uint64_t *top = (uint64_t *)(void *)p->stack_top;

	top -= 3; /* so that rsp was 16-aligned before the call that entry seems to come from */
	*top = (uint64_t)apex_process_return;
	c->stack = (uint64_t)p->stack_top - stack_bytes(p->attributes.STACK_SIZE);
	memset(&c->regs, 0, sizeof(c->regs));
	c->regs.rip = (uint64_t)entry;
	c->regs.rsp = (uint64_t)top;
	c->regs.rflags = RFLAGS_IF;
	c->full = 1;
	fpu_fresh(c);
}

void plat_switch(struct apex_process *from, struct apex_process *to)
{
	struct plat_context *c = to != NULL ? context_of(to) : &idle;
	uint64_t nobody;

	if (to != NULL || apex.n_cores != 1)
		fpu_switch(to != NULL ? c : NULL);
	if (from != NULL)
		context_of(from)->full = 0;
	apex_context_switch(from != NULL ? &context_of(from)->rsp : &nobody, c);
}

/* Only processes are interrupted, never the services: they go on unmasked. */
_Noreturn void plat_resume(const struct plat_context *c)
{
	struct gw_vcore *vc = vcore();

	if (c == &idle)
		apex_idle();
	vc->frame = c->regs;
	vc->frame_masked = 0;
	apex_release();
	gw_call(GW_CALL_CONTEXT_RESUME, 0, 0);
	panic("context_resume returned");
}

/* ---- upcalls ---- */

static bool in_guard(uint64_t va)
{
	uint64_t stack = context_of(current())->stack;

	return va < stack && va >= stack - STACK_GUARD;
}

static ERROR_CODE_TYPE error_of(const struct gw_vcore *vc, uint64_t *address)
{
	*address = vc->frame.rip;
	switch (vc->vector) {
	case 0:	 /* division */
	case 4:	 /* overflow */
	case 16: /* x87 */
	case 19: /* SSE */
		return NUMERIC_ERROR;
	case 12:
		return STACK_OVERFLOW;
	case 14:
		*address = vc->fault_va;
		return in_guard(vc->fault_va) ? STACK_OVERFLOW : MEMORY_VIOLATION;
	case 17: /* alignment */
		return MEMORY_VIOLATION;
	default: /* opcodes, privileges, breakpoints, system calls */
		return ILLEGAL_REQUEST;
	}
}

_Noreturn void plat_upcall(void)
{
	struct gw_vcore *vc = vcore();
	struct plat_context *c = context_of(current());
	uint32_t reason = vc->reason;
	ERROR_CODE_TYPE code;
	uint64_t address;

	if (vc->frame_masked != 0)
		panic("apex: fault %lu at %lx, address %lx, in the services",
		      (unsigned long)vc->vector, (unsigned long)vc->frame.rip,
		      (unsigned long)vc->fault_va);
	c->regs = vc->frame;
	c->full = 1;
	code = error_of(vc, &address);
	apex_acquire();
	if (reason == GW_UPCALL_FAULT)
		apex_fault(code, address);
	apex_events(taken());
	apex_go();
}

/* ---- memory of the application ---- */

static void touch(const void *p, bool write)
{
	if (write) /* nobody else's change in between is lost */
		__asm__ volatile("lock orb $0, (%0)" : : "r"(p) : "memory", "cc");
	else
		(void)*(const volatile uint8_t *)p;
}

void plat_touch(const void *p, size_t n, bool write)
{
	const uint8_t *b = p;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i += GW_PAGE)
		touch(b + i, write);
	touch(b + n - 1, write);
}

/* ---- channels ---- */

int plat_port_write(uint32_t channel, const void *message, uint32_t len)
{
	memcpy(vcore()->batch.bytes, message, len);
	return (int)gw_call(GW_CALL_PORT_WRITE, channel, len);
}

int plat_port_read(uint32_t channel, void *message, uint32_t max, uint64_t *time_ns)
{
	struct gw_vcore *vc = vcore();
	long n = gw_call(GW_CALL_PORT_READ, channel, 0);

	if (n < 0)
		return (int)n;
	*time_ns = vc->next_va;
	if (max != 0)
		memcpy(message, vc->batch.bytes, GW_MIN((uint32_t)n, max));
	return (int)n;
}

int plat_port_count(uint32_t channel)
{
	return (int)gw_call(GW_CALL_PORT_STATUS, channel, 0);
}
