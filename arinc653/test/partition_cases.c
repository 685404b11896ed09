/* SPDX-License-Identifier: Apache-2.0 */
/* partition_cases.c - the partition's mode and status, and its configuration. */
#include "arinc653/test/sim.h"

static void status_main(void)
{
	PARTITION_STATUS_TYPE s;
	PARTITION_ID_TYPE id = 0;

	OK(GET_PARTITION_STATUS, &s);
	IS(s.PERIOD, PERIOD_NS);
	IS(s.DURATION, PERIOD_NS / 2);
	IS(s.IDENTIFIER, 7);
	IS(s.OPERATING_MODE, COLD_START);
	IS(s.START_CONDITION, HM_PARTITION_RESTART);
	IS(s.NUM_ASSIGNED_CORES, 1);
	IS(s.LOCK_LEVEL, 0);
	OK(GET_MY_PARTITION_ID, &id);
	IS(id, 7);
	SAYS(INVALID_PARAM, SET_PARTITION_MODE, (OPERATING_MODE_TYPE)4);
	SAYS(INVALID_MODE, SET_PARTITION_MODE, WARM_START);
	STOP_SELF();
}

static OPERATING_MODE_TYPE wanted;

static void changes(void)
{
	PARTITION_STATUS_TYPE s;

	OK(GET_PARTITION_STATUS, &s);
	IS(s.OPERATING_MODE, NORMAL);
	SAYS(NO_ACTION, SET_PARTITION_MODE, NORMAL);
	SAYS(INVALID_PARAM, SET_PARTITION_MODE, (OPERATING_MODE_TYPE)-1);
	mark('c');
	SET_PARTITION_MODE(wanted, &(RETURN_CODE_TYPE){ 0 });
	mark('!');
}

static void change_main(void)
{
	OK(START, process_make("A", changes, 10));
	OK(SET_PARTITION_MODE, NORMAL);
}

void cases_partition(void)
{
	sim_reset();
	sim.start_condition = HM_PARTITION_RESTART;
	sim_run_on(status_main);
	IS(sim.ended, true);
	wanted = IDLE;
	sim_run(change_main);
	TRACE("c");
	IS(sim.ended, true);
	for (wanted = COLD_START; wanted <= WARM_START; wanted++) {
		sim_run(change_main);
		TRACE("c");
		IS(sim.restarted, true);
		IS(sim.restart_mode, wanted);
	}
}

/* ---- the configuration blob ---- */

struct blob {
	struct apex_config c;
	struct apex_config_port ports[2];
};

static struct blob good_blob(void)
{
	struct blob b = { .c = { .magic = APEX_CONFIG_MAGIC,
				 .version = APEX_CONFIG_VERSION,
				 .size = sizeof(b),
				 .period_ns = 1000,
				 .duration_ns = 1000,
				 .main_stack_bytes = 4096,
				 .n_ports = 2 },
			  .ports = { { .name = "A",
				       .kind = APEX_PORT_SAMPLING,
				       .direction = APEX_PORT_DESTINATION,
				       .message_bytes = 1,
				       .refresh_ns = 1 },
				     { .name = "B",
				       .kind = APEX_PORT_QUEUING,
				       .channel = 1,
				       .message_bytes = 4064,
				       .messages = 1024 } } };
	return b;
}

#define BAD(change)                                                 \
	do {                                                        \
		struct blob b = good_blob();                        \
		change;                                             \
		IS(apex_config_check(&b, sizeof(b)) != NULL, true); \
	} while (0)

void cases_config(void)
{
	struct blob good = good_blob();

	IS(apex_config_check(&good, sizeof(good)) == NULL, true);
	IS(apex_config_check(&good, sizeof(good) + 100) == NULL, true);
	IS(apex_config_check(&good, sizeof(good) - 1) != NULL, true);
	IS(apex_config_check(&good, sizeof(good.c) - 1) != NULL, true);
	BAD(b.c.magic++);
	BAD(b.c.version++);
	BAD(b.c.size--);
	BAD(b.c.n_ports = APEX_CONFIG_PORTS + 1);
	BAD(b.c.n_ports = 1);
	BAD(b.c.period_ns = 0);
	BAD(b.c.period_ns = ~0ULL);
	BAD(b.c.duration_ns = 0);
	BAD(b.c.duration_ns = 1001);
	BAD(b.c.phase_ns = 1000);
	BAD(b.c.identifier = 1u << 31);
	BAD(b.c.main_stack_bytes = 4095);
	BAD(b.c.main_stack_bytes = (16u << 20) + 1);
	BAD(b.c.default_core = APEX_CORES);
	BAD(b.c.level[3] = 2);
	BAD(b.ports[0].name[0] = 0);
	BAD(b.ports[0].name[2] = 'x');
	BAD(b.ports[0].kind = 0);
	BAD(b.ports[0].kind = 3);
	BAD(b.ports[0].direction = 2);
	BAD(b.ports[0].message_bytes = 0);
	BAD(b.ports[0].message_bytes = 4065);
	BAD(b.ports[0].messages = 1);
	BAD(b.ports[0].refresh_ns = 0);
	BAD(b.ports[0].refresh_ns = ~0ULL);
	BAD(b.ports[0].reserved = 1);
	BAD(b.ports[1].messages = 0);
	BAD(b.ports[1].messages = 1025);
	BAD(b.ports[1].refresh_ns = 1);
	BAD(b.ports[1].channel = 0);
	BAD(b.ports[1].name[0] = 'A');
}
