/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c - the platform of the host tests (sim.h). */
#include "arinc653/test/sim.h"

#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <ucontext.h>
#include "runtime/base/errno.h"

#define MEMORY_BYTES (64u << 20)
#define BLOCKS 2048u

struct sim sim;
int sim_failures;
char trace[64];

struct context {
	ucontext_t uc;
	void *stack;
	size_t stack_bytes;
	void *fake;
};

static struct context outside, main_context;
static void *blocks[BLOCKS];
static uint32_t n_blocks;
static size_t stack_bytes; /* of the last plat_stack */

static struct {
	struct apex_config c;
	struct apex_config_port ports[6];
} config;

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
	entry_now();
	apex_main_return();
}

static void begin_process(void)
{
	void (*entry)(void) = (void (*)(void))(uintptr_t)apex.current->attributes.ENTRY_POINT;

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
	stack_bytes = HOST_STACK;
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

void plat_switch(struct apex_process *from, struct apex_process *to)
{
	go(from != NULL ? from->context : NULL, to->context);
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
	if (events == 0)
		sim.masked = false;
	return events;
}

uint32_t plat_wait(void)
{
	if (!sim.masked)
		abort();
	if (sim.timer == GW_NEVER && !sim.port_event)
		leave(); /* nothing will ever happen */
	if (!sim.port_event && sim.now < sim.timer)
		sim.now = sim.timer;
	return happened();
}

void sim_work(uint64_t ns)
{
	while (ns != 0) {
		uint64_t step = sim.timer > sim.now ? sim.timer - sim.now : 1;

		step = step < ns ? step : ns;
		sim.now += step;
		ns -= step;
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
	plat_mask();
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

/* ---- channels, health, the end ---- */

int plat_port_write(uint32_t channel, const void *message, uint32_t len)
{
	struct sim_channel *c = &sim.channels[channel];

	if (c->depth != 0 && c->count == c->depth)
		return -EAGAIN;
	c->messages[c->depth != 0 ? c->count : 0].len = len;
	memcpy(c->messages[c->depth != 0 ? c->count : 0].bytes, message, len);
	c->count = c->depth != 0 ? c->count + 1 : 1;
	c->time_ns = sim.now;
	return 0;
}

int plat_port_read(uint32_t channel, void *message, uint32_t max, uint64_t *time_ns)
{
	struct sim_channel *c = &sim.channels[channel];
	uint32_t len = c->messages[0].len;

	if (c->count == 0)
		return -EAGAIN;
	if (max != 0)
		memcpy(message, c->messages[0].bytes, len < max ? len : max);
	*time_ns = c->time_ns;
	if (c->depth != 0)
		memmove(&c->messages[0], &c->messages[1], --c->count * sizeof(c->messages[0]));
	return (int)len;
}

int plat_port_count(uint32_t channel)
{
	return channel < SIM_CHANNELS ? (int)sim.channels[channel].count : -EINVAL;
}

void plat_message(const void *text, uint32_t len)
{
	memcpy(sim.message, text, len);
	sim.message[len] = 0;
}

void plat_health(ERROR_CODE_TYPE code, uint64_t address)
{
	sim.health_calls++;
	sim.health_code = code;
	sim.health_address = address;
}

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

static void port_set(uint32_t i, const char *name, uint8_t kind, uint8_t direction, uint32_t n)
{
	struct apex_config_port *p = &config.ports[i];

	*p = (struct apex_config_port){ .kind = kind,
					.direction = direction,
					.channel = (uint16_t)i,
					.message_bytes = 64,
					.messages = n };
	strcpy(p->name, name);
	sim.channels[i].depth = n;
}

void sim_reset(void)
{
	memset(&sim, 0, sizeof(sim));
	memset(trace, 0, sizeof(trace));
	memset(&config, 0, sizeof(config));
	sim.now = 100;
	sim.timer = GW_NEVER;
	sim.memory_left = MEMORY_BYTES;
	config.c = (struct apex_config){ .magic = APEX_CONFIG_MAGIC,
					 .version = APEX_CONFIG_VERSION,
					 .size = sizeof(config),
					 .period_ns = PERIOD_NS,
					 .duration_ns = PERIOD_NS / 2,
					 .identifier = 7,
					 .main_stack_bytes = 8192,
					 .n_ports = ARRAY_SIZE(config.ports) };
	config.c.level[POWER_FAIL] = APEX_LEVEL_PARTITION;
	port_set(0, "SAMPLE_OUT", APEX_PORT_SAMPLING, APEX_PORT_SOURCE, 0);
	port_set(1, "SAMPLE_IN", APEX_PORT_SAMPLING, APEX_PORT_DESTINATION, 0);
	config.ports[1].refresh_ns = 5000;
	port_set(2, "QUEUE_OUT", APEX_PORT_QUEUING, APEX_PORT_SOURCE, 2);
	port_set(3, "QUEUE_IN", APEX_PORT_QUEUING, APEX_PORT_DESTINATION, 3);
	port_set(4, "NO_CHANNEL", APEX_PORT_QUEUING, APEX_PORT_SOURCE, 1);
	port_set(5, "NO_SAMPLES", APEX_PORT_SAMPLING, APEX_PORT_SOURCE, 0);
	config.ports[4].channel = 100;
	config.ports[5].channel = 101;
}

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
	const char *wrong = apex_config_check(&config, sizeof(config));

	sim_check(wrong == NULL, "configuration", 0, __FILE__, __LINE__);
	sim.masked = true;
	apex_start(&config.c);
	entry_now = main_process;
	arrive_outside();
	while (n_blocks != 0)
		free(blocks[--n_blocks]);
}

void sim_run(void (*main_process)(void))
{
	sim_reset();
	sim_run_on(main_process);
}

void sim_check(bool ok, const char *what, long got, const char *file, int line)
{
	if (ok)
		return;
	sim_failures++;
	printf("%s:%d: %s, got %ld\n", file, line, what, got);
}

PROCESS_ID_TYPE process_make_timed(const char *name, void (*entry)(void), PRIORITY_TYPE priority,
				   SYSTEM_TIME_TYPE period, SYSTEM_TIME_TYPE capacity)
{
	PROCESS_ATTRIBUTE_TYPE a = { .PERIOD = period,
				     .TIME_CAPACITY = capacity,
				     .ENTRY_POINT = (SYSTEM_ADDRESS_TYPE)(uintptr_t)entry,
				     .STACK_SIZE = 4096,
				     .BASE_PRIORITY = priority };
	PROCESS_ID_TYPE id = -7;

	strcpy(a.NAME, name);
	OK(CREATE_PROCESS, &a, &id);
	return id;
}

PROCESS_ID_TYPE process_make(const char *name, void (*entry)(void), PRIORITY_TYPE priority)
{
	return process_make_timed(name, entry, priority, INFINITE_TIME_VALUE, INFINITE_TIME_VALUE);
}

PROCESS_STATE_TYPE state_of(PROCESS_ID_TYPE id)
{
	PROCESS_STATUS_TYPE s = { 0 };

	OK(GET_PROCESS_STATUS, id, &s);
	return s.PROCESS_STATE;
}

PRIORITY_TYPE priority_of(PROCESS_ID_TYPE id)
{
	PROCESS_STATUS_TYPE s = { 0 };

	OK(GET_PROCESS_STATUS, id, &s);
	return s.CURRENT_PRIORITY;
}

SYSTEM_TIME_TYPE deadline_of(PROCESS_ID_TYPE id)
{
	PROCESS_STATUS_TYPE s = { 0 };

	OK(GET_PROCESS_STATUS, id, &s);
	return s.DEADLINE_TIME;
}

void mark(char c)
{
	size_t n = strlen(trace);

	if (n + 1 < sizeof(trace))
		trace[n] = c;
}
