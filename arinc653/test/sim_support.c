/* SPDX-License-Identifier: Apache-2.0 */
/* sim_support.c - the rest of the simulated platform: channels, health, the configuration; and what
 * test cases say in few words. */
#include "arinc653/test/sim.h"
#include "runtime/base/errno.h"

#define MEMORY_BYTES (64u << 20)

int sim_failures;
char trace[64];

static struct {
	struct apex_config c;
	struct apex_config_port ports[6];
} config;

const struct apex_config *const sim_config = &config.c;
_Static_assert(sizeof(config) == SIM_CONFIG_BYTES, "configuration");

/* ---- channels, health ---- */

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

void plat_health(PROCESS_ID_TYPE id, ERROR_CODE_TYPE code, uint64_t address)
{
	(void)id;
	sim.health_calls++;
	sim.health_code = code;
	sim.health_address = address;
}

/* ---- the configuration ---- */

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

void sim_default_core(uint32_t core)
{
	config.c.default_core = core;
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
