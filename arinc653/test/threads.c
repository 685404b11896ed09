/* SPDX-License-Identifier: Apache-2.0 */
/* threads.c - a platform whose cores are threads of the host, for the thread sanitizer: what the
 * cores do to the executive's state they do at the same time (platform.h). Nothing interrupts a
 * process: it looks for events in its services. Contexts are ucontexts, and the sanitizer's fibers.
 */
#include "arinc653/test/threads.h"

#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "arinc653/platform.h"

#define STACK (128u << 10)

struct context {
	ucontext_t uc;
	void *fiber;
	uint8_t *stack;
};

static struct thread_core {
	pthread_t thread;
	struct context outside, idle;
	void *dead; /* a fiber that was left for good */
	_Atomic bool kicked;
	uint64_t timer;
	bool masked;
} cores[APEX_CORES];

static _Thread_local uint32_t self_core;
static _Atomic bool over;
static struct context main_context;
static void (*main_entry)(void);
static struct apex_config config = { .magic = APEX_CONFIG_MAGIC,
				     .version = APEX_CONFIG_VERSION,
				     .size = sizeof(config),
				     .period_ns = 1000000,
				     .duration_ns = 1000000,
				     .main_stack_bytes = 8192,
				     .default_core = APEX_ANY_CORE };

/* A context may go on in another thread after a switch: nothing of the thread is kept across. */
__attribute__((noinline)) uint32_t plat_core(void)
{
	return self_core;
}

static struct thread_core *self(void)
{
	return &cores[plat_core()];
}

/* ---- contexts ---- */

static void bury(struct thread_core *c)
{
	if (c->dead != NULL)
		__tsan_destroy_fiber(c->dead);
	c->dead = NULL;
}

static void go(struct context *from, struct context *to)
{
	__tsan_switch_to_fiber(to->fiber, 0);
	if (from == NULL)
		setcontext(&to->uc);
	else
		swapcontext(&from->uc, &to->uc);
}

static _Noreturn void leave(void)
{
	go(NULL, &self()->outside);
	abort();
}

static void context_make(struct context *c, void (*begin)(void))
{
	struct thread_core *core = self();

	if (c->fiber != NULL && c->fiber == __tsan_get_current_fiber()) {
		bury(core);
		core->dead = c->fiber;
	} else if (c->fiber != NULL) {
		__tsan_destroy_fiber(c->fiber);
	}
	c->fiber = __tsan_create_fiber(0);
	getcontext(&c->uc);
	c->uc.uc_stack.ss_sp = c->stack;
	c->uc.uc_stack.ss_size = STACK;
	c->uc.uc_link = NULL;
	makecontext(&c->uc, begin, 0);
}

static void begin_main(void)
{
	self()->masked = false;
	apex_release();
	main_entry();
	apex_main_return();
}

static void begin_process(void)
{
	void (*entry)(void) = (void (*)(void))(uintptr_t)current()->attributes.ENTRY_POINT;

	apex_unlock();
	entry();
	apex_process_return();
}

static void begin_idle(void)
{
	apex_idle();
}

size_t plat_context_size(void)
{
	return sizeof(struct context);
}

void plat_context_init(struct apex_process *p, void (*entry)(void))
{
	struct context *c = p->context;

	(void)entry;
	c->stack = p->stack_top - STACK;
	context_make(c, begin_process);
}

void plat_switch(struct apex_process *from, struct apex_process *to)
{
	struct thread_core *c = self();
	struct context *next = to != NULL ? to->context : &c->idle;

	if (to == NULL)
		context_make(&c->idle, begin_idle);
	if (c->dead != __tsan_get_current_fiber())
		bury(c);
	go(from != NULL ? from->context : NULL, next);
}

/* Never given back, as the platform has it. */
static void *block(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}

void *plat_alloc(size_t n, size_t align)
{
	(void)align;
	return block(n);
}

uint8_t *plat_stack(size_t n)
{
	(void)n;
	return (uint8_t *)block(STACK) + STACK;
}

/* ---- time, events, cores ---- */

uint64_t plat_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t plat_period_start(uint64_t now_ns)
{
	return (now_ns + config.period_ns - 1) / config.period_ns * config.period_ns;
}

void plat_timer(uint64_t deadline_ns)
{
	self()->timer = deadline_ns;
}

static uint32_t happened(void)
{
	struct thread_core *c = self();
	uint32_t events = atomic_exchange(&c->kicked, false) ? PLAT_KICK : 0;

	if (c->timer <= plat_now()) {
		c->timer = GW_NEVER;
		events |= PLAT_TIMER;
	}
	return events;
}

void plat_mask(void)
{
	if (self()->masked)
		abort();
	self()->masked = true;
}

uint32_t plat_unmask(void)
{
	uint32_t events = happened();

	if (!self()->masked)
		abort();
	if (events == 0)
		self()->masked = false;
	return events;
}

static void nap(void)
{
	struct timespec t = { .tv_nsec = 20000 };

	nanosleep(&t, NULL);
}

uint32_t plat_wait(void)
{
	uint32_t events;

	while ((events = happened()) == 0) {
		if (atomic_load(&over))
			leave();
		nap();
	}
	return events;
}

void plat_kick(uint32_t core)
{
	atomic_store(&cores[core].kicked, true);
}

void plat_relax(void)
{
	if (atomic_load(&over))
		leave();
	nap();
	if (!self()->masked) {
		apex_lock();
		apex_unlock();
	}
}

static void *core_thread(void *arg)
{
	struct thread_core *c = arg;

	self_core = (uint32_t)(c - cores);
	c->masked = true;
	c->outside.fiber = __tsan_get_current_fiber();
	c->idle.stack = block(STACK);
	if (self_core == 0) {
		main_context.stack = block(STACK);
		apex_start(&config, apex.n_cores);
		context_make(&main_context, begin_main);
		go(&c->outside, &main_context);
	} else {
		apex_acquire();
		apex_events(PLAT_KICK);
		context_make(&c->idle, begin_idle);
		go(&c->outside, &c->idle);
	}
	return NULL;
}

static void core_begin(uint32_t i)
{
	cores[i].timer = GW_NEVER;
	if (pthread_create(&cores[i].thread, NULL, core_thread, &cores[i]) != 0)
		abort();
}

void plat_cores_start(void)
{
	for (uint32_t i = 1; i < apex.n_cores; i++)
		core_begin(i);
}

void threads_run(uint32_t n, void (*main_process)(void))
{
	main_entry = main_process;
	apex.n_cores = n;
	core_begin(0);
	pthread_join(cores[0].thread, NULL);
	for (uint32_t i = 1; i < n; i++)
		pthread_join(cores[i].thread, NULL);
}

/* ---- the rest ---- */

void plat_touch(const void *p, size_t n, bool write)
{
	(void)p, (void)n, (void)write;
}

int plat_port_write(uint32_t channel, const void *message, uint32_t len)
{
	(void)channel, (void)message, (void)len;
	return -1;
}

int plat_port_read(uint32_t channel, void *message, uint32_t max, uint64_t *time_ns)
{
	(void)channel, (void)message, (void)max, (void)time_ns;
	return -1;
}

int plat_port_count(uint32_t channel)
{
	(void)channel;
	return -1;
}

void plat_message(const void *text, uint32_t len)
{
	printf("%.*s\n", (int)len, (const char *)text);
}

void plat_health(PROCESS_ID_TYPE id, ERROR_CODE_TYPE code, uint64_t address)
{
	printf("health: process %d, error %d, %lx\n", id, (int)code, (unsigned long)address);
	abort();
}

_Noreturn void plat_end(void)
{
	atomic_store(&over, true);
	leave();
}

_Noreturn void plat_restart(OPERATING_MODE_TYPE mode)
{
	(void)mode;
	abort();
}

START_CONDITION_TYPE plat_start_condition(void)
{
	return NORMAL_START;
}

OPERATING_MODE_TYPE plat_start_mode(void)
{
	return COLD_START;
}
