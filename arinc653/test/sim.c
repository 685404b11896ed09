/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c - the platform of the host tests (sim.h). */
#include "arinc653/test/sim.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <ucontext.h>

#define BLOCKS 2048u

struct sim sim;

struct context {
	ucontext_t uc;
	void *stack;
	size_t stack_bytes;
	void *fake;
};

static struct context outside, main_context;

/* What of `sim` is a core's own, while another one goes on; and what it waits for. */
static struct sim_core {
	uint64_t now, timer;
	bool masked, begun, waits, kicked;
	struct context idle, *at;
	char stack[64u << 10];
} cores[APEX_CORES];
static void *blocks[BLOCKS];
static uint32_t n_blocks;

/* ---- contexts ---- */

static void arrived(void *fake)
{
	__sanitizer_finish_switch_fiber(fake, NULL, NULL);
}

static void go(struct context *from, struct context *to)
{
	__sanitizer_start_switch_fiber(from != NULL ? &from->fake : NULL, to->stack,
				       to->stack_bytes);
	if (from == NULL) {
		setcontext(&to->uc);
		abort();
	}
	swapcontext(&from->uc, &to->uc);
	arrived(from->fake);
}

static _Noreturn void leave(void)
{
	go(NULL, &outside);
	abort();
}

static void (*entry_now)(void); /* of the context that begins */
static void begin_main(void)
{
	const void *bottom;

	__sanitizer_finish_switch_fiber(NULL, &bottom, &outside.stack_bytes);
	outside.stack = (void *)(uintptr_t)bottom;
	sim.masked = false;
	apex_release();
	entry_now();
	apex_main_return();
}

static void begin_process(void)
{
	void (*entry)(void) = (void (*)(void))(uintptr_t)current()->attributes.ENTRY_POINT;

	arrived(NULL);
	apex_unlock();
	entry();
	apex_process_return();
}

static void context_make(struct context *c, void (*begin)(void))
{
	__asan_unpoison_memory_region(c->stack, c->stack_bytes);
	getcontext(&c->uc);
	c->uc.uc_stack.ss_sp = c->stack;
	c->uc.uc_stack.ss_size = c->stack_bytes;
	c->uc.uc_link = NULL;
	c->fake = NULL;
	makecontext(&c->uc, begin, 0);
}

/* The services' stacks are small, but not those of a sanitised host. */
#define HOST_STACK (256u << 10)

static void *block(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL || n_blocks == BLOCKS)
		abort();
	blocks[n_blocks++] = p;
	return p;
}

void *plat_alloc(size_t n, size_t align)
{
	(void)align;
	if (n > sim.memory_left)
		return NULL;
	sim.memory_left -= n;
	return block(n);
}

uint8_t *plat_stack(size_t n)
{
	if (n > sim.memory_left)
		return NULL;
	sim.memory_left -= n;
	return (uint8_t *)block(HOST_STACK) + HOST_STACK;
}

size_t plat_context_size(void)
{
	return sizeof(struct context);
}

void plat_context_init(struct apex_process *p, void (*entry)(void))
{
	struct context *c = p->context;

	(void)entry;
	c->stack = p->stack_top - HOST_STACK;
	c->stack_bytes = HOST_STACK;
	context_make(c, begin_process);
}

static void begin_idle(void)
{
	arrived(NULL);
	apex_idle();
}

static void begin_core(void)
{
	arrived(NULL);
	apex_core_main();
}

static void core_make(struct sim_core *c, void (*begin)(void))
{
	c->idle.stack = c->stack;
	c->idle.stack_bytes = sizeof(c->stack);
	context_make(&c->idle, begin);
}

void plat_switch(struct apex_process *from, struct apex_process *to)
{
	struct sim_core *c = &cores[sim.core];

	if (to == NULL)
		core_make(c, begin_idle);
	c->at = to != NULL ? to->context : &c->idle;
	go(from != NULL ? from->context : NULL, c->at);
}

/* ---- cores ---- */

uint32_t plat_core(void)
{
	return sim.core;
}

void plat_cores_start(void)
{
	for (uint32_t i = 0; i < sim.cores; i++) {
		struct sim_core *c = &cores[i];

		if (i == sim.core)
			continue;
		core_make(c, begin_core);
		c->at = &c->idle;
		c->now = sim.now;
		c->begun = true;
	}
}

void plat_kick(uint32_t core)
{
	struct sim_core *c = &cores[core];

	c->kicked = true;
	if (c->waits && c->now < sim.now)
		c->now = sim.now;
}

/* When it can go on. */
static uint64_t core_time(uint32_t i)
{
	const struct sim_core *c = &cores[i];

	if (!c->begun)
		return GW_NEVER;
	if (!c->waits || c->kicked || (sim.port_event && i == 0))
		return c->now;
	return c->timer == GW_NEVER ? GW_NEVER : GW_MAX(c->now, c->timer);
}

/* Whoever is first goes on; this one later, if it is another. */
static void turn(void)
{
	struct sim_core *self = &cores[sim.core];
	uint32_t first = sim.core;

	self->now = sim.now;
	self->timer = sim.timer;
	self->masked = sim.masked;
	for (uint32_t i = 0; i < sim.cores; i++)
		if (core_time(i) < core_time(first))
			first = i;
	if (core_time(first) == GW_NEVER)
		leave(); /* nothing will ever happen */
	cores[first].now = core_time(first);
	if (first != sim.core) {
		sim.core = first;
		sim.timer = cores[first].timer;
		sim.masked = cores[first].masked;
		sim.now = cores[first].now;
		go(self->at, cores[first].at);
	}
	sim.now = cores[sim.core].now;
}

/* All that takes time beside sim_work, so that cores take turns. */
static void step(uint64_t ns)
{
	if (sim.cores == 1)
		return;
	sim.now += ns;
	turn();
}

void plat_relax(void)
{
	step(10);
	if (!sim.masked) {
		apex_lock();
		apex_unlock();
	}
}

/* ---- time and events ---- */

uint64_t plat_now(void)
{
	return sim.now;
}

uint64_t plat_period_start(uint64_t now_ns)
{
	return (now_ns + PERIOD_NS - 1) / PERIOD_NS * PERIOD_NS;
}

void plat_timer(uint64_t deadline_ns)
{
	sim.timer = deadline_ns;
}

static uint32_t happened(void)
{
	uint32_t events = sim.port_event ? PLAT_PORT : 0;

	sim.port_event = false;
	if (cores[sim.core].kicked)
		events |= PLAT_KICK;
	cores[sim.core].kicked = false;
	if (sim.timer <= sim.now) {
		sim.timer = GW_NEVER;
		events |= PLAT_TIMER;
	}
	return events;
}

void plat_mask(void)
{
	if (sim.masked)
		abort();
	sim.masked = true;
}

uint32_t plat_unmask(void)
{
	uint32_t events = happened();

	if (!sim.masked)
		abort();
	if (events != 0)
		return events;
	sim.masked = false;
	step(10);
	events = happened();
	sim.masked = events != 0;
	return events;
}

uint32_t plat_wait(void)
{
	if (!sim.masked)
		abort();
	cores[sim.core].waits = true;
	turn();
	cores[sim.core].waits = false;
	return happened();
}

void sim_work(uint64_t ns)
{
	while (ns != 0) {
		uint64_t some = sim.timer > sim.now ? sim.timer - sim.now : 1;

		some = GW_MIN(some, ns);
		if (sim.cores != 1)
			some = GW_MIN(some, 100);
		ns -= some;
		if (sim.cores == 1)
			sim.now += some;
		else
			step(some);
		apex_lock();
		apex_unlock();
	}
}

void sim_post(void)
{
	sim.port_event = true;
	apex_lock();
	apex_unlock();
}

void sim_fault(ERROR_CODE_TYPE code, uint64_t address)
{
	apex_lock();
	apex_fault(code, address);
	apex_unlock();
}

void plat_touch(const void *p, size_t n, bool write)
{
	volatile uint8_t *b = (volatile uint8_t *)(uintptr_t)p;

	for (size_t i = 0; i < n; i++) {
		uint8_t v = b[i];

		if (write)
			b[i] = v;
	}
}

/* ---- the end ---- */

_Noreturn void plat_end(void)
{
	sim.ended = true;
	leave();
}

_Noreturn void plat_restart(OPERATING_MODE_TYPE mode)
{
	sim.restarted = true;
	sim.restart_mode = mode;
	leave();
}

OPERATING_MODE_TYPE plat_start_mode(void)
{
	return COLD_START;
}

START_CONDITION_TYPE plat_start_condition(void)
{
	return sim.start_condition;
}

/* ---- the test's side ---- */

static void arrive_outside(void)
{
	static char main_stack[HOST_STACK];

	main_context.stack = main_stack;
	main_context.stack_bytes = sizeof(main_stack);
	context_make(&main_context, begin_main);
	go(&outside, &main_context);
}

void sim_run_on(void (*main_process)(void))
{
	const char *wrong = apex_config_check(sim_config, SIM_CONFIG_BYTES);

	sim_check(wrong == NULL, "configuration", 0, __FILE__, __LINE__);
	sim.masked = true;
	sim.core = 0;
	sim.cores = sim.cores != 0 ? sim.cores : 1;
	memset(cores, 0, sizeof(cores));
	for (uint32_t i = 0; i < APEX_CORES; i++) {
		cores[i].timer = GW_NEVER;
		cores[i].masked = true;
	}
	cores[0].begun = true;
	cores[0].at = &main_context;
	apex_start(sim_config, sim.cores);
	entry_now = main_process;
	arrive_outside();
	while (n_blocks != 0)
		free(blocks[--n_blocks]);
}

void sim_run_cores(uint32_t n, void (*main_process)(void))
{
	sim_reset();
	sim.cores = n;
	sim_run_on(main_process);
}

void sim_run(void (*main_process)(void))
{
	sim_run_cores(1, main_process);
}
