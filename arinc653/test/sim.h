/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - the platform of the host tests: time stands still but for sim_work and idling, contexts
 * are ucontexts, channels are arrays. Several cores take turns, each with a clock of its own: the
 * one whose time is least goes on, so that all is the same in each run. */
#ifndef GODWIT_ARINC653_SIM_H
#define GODWIT_ARINC653_SIM_H

#include <stdio.h>
#include <string.h>
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

#define PERIOD_NS 1000000 /* of the partition */
#define SIM_CHANNELS 8u
#define SIM_MESSAGES 16u

struct sim_channel {
	uint32_t depth; /* 0: sampling */
	uint32_t count;
	uint64_t time_ns;
	struct {
		uint32_t len;
		uint8_t bytes[256];
	} messages[SIM_MESSAGES];
};

struct sim {
	uint64_t now, timer; /* of the core that goes on now */
	bool masked;
	uint32_t core, cores; /* cores: 0 is 1 */
	bool port_event, ended, restarted;
	OPERATING_MODE_TYPE restart_mode;
	START_CONDITION_TYPE start_condition;
	size_t memory_left;
	uint32_t health_calls;
	ERROR_CODE_TYPE health_code;
	uint64_t health_address;
	char message[256]; /* of plat_message */
	struct sim_channel channels[SIM_CHANNELS];
};
#define SIM_CONFIG_BYTES (sizeof(struct apex_config) + 6 * sizeof(struct apex_config_port))
extern const struct apex_config *const sim_config;
extern struct sim sim;
extern int sim_failures;

/* sim_run - a partition with this main process, until nothing runs in it any more; sim_run_cores:
 * on n cores. */
void sim_run(void (*main_process)(void));
void sim_run_cores(uint32_t n, void (*main_process)(void));
/* The same without sim_reset before it, which makes everything as it is at first. */
void sim_reset(void);
void sim_default_core(uint32_t core); /* of the configuration */
void sim_run_on(void (*main_process)(void));

/* sim_work - the calling process computes for ns. sim_fault - it has a fault. sim_post - a channel
 * has changed, as if by the other partition. */
void sim_work(uint64_t ns);
void sim_fault(ERROR_CODE_TYPE code, uint64_t address);
void sim_post(void);

void sim_check(bool ok, const char *what, long got, const char *file, int line);
void sim_pair(const char *service, RETURN_CODE_TYPE want, RETURN_CODE_TYPE got, const char *file,
	      int line);
#define IS(expr, want)                                                                       \
	do {                                                                                 \
		long is_ = (long)(expr);                                                     \
		sim_check(is_ == (long)(want), #expr " == " #want, is_, __FILE__, __LINE__); \
	} while (0)

/* SAYS(CODE, SERVICE, parameters but the last...): the service returns the code; counted as a pair.
 */
#define SAYS(code, service, ...)                                     \
	do {                                                         \
		RETURN_CODE_TYPE says_ = (RETURN_CODE_TYPE)-1;       \
		service(__VA_ARGS__, &says_);                        \
		sim_pair(#service, code, says_, __FILE__, __LINE__); \
	} while (0)
#define SAYS0(code, service)                                         \
	do {                                                         \
		RETURN_CODE_TYPE says_ = (RETURN_CODE_TYPE)-1;       \
		service(&says_);                                     \
		sim_pair(#service, code, says_, __FILE__, __LINE__); \
	} while (0)
#define OK(service, ...) SAYS(NO_ERROR, service, __VA_ARGS__)

/* process_make - a process with 4096 bytes of stack; infinite times unless given. */
PROCESS_ID_TYPE process_make(const char *name, void (*entry)(void), PRIORITY_TYPE priority);
PROCESS_ID_TYPE process_make_timed(const char *name, void (*entry)(void), PRIORITY_TYPE priority,
				   SYSTEM_TIME_TYPE period, SYSTEM_TIME_TYPE capacity);
PROCESS_STATE_TYPE state_of(PROCESS_ID_TYPE id);
PRIORITY_TYPE priority_of(PROCESS_ID_TYPE id);
SYSTEM_TIME_TYPE deadline_of(PROCESS_ID_TYPE id);

/* A trace of letters, to see in which order things happened. */
extern char trace[64];
void mark(char c);
#define TRACE(want) sim_check(strcmp(trace, want) == 0, trace, 0, __FILE__, __LINE__)

/* sim_lines of test files */
void cases_process(void);
void cases_state(void);
void cases_time(void);
void cases_objects(void);
void cases_buffer(void);
void cases_mutex(void);
void cases_ports(void);
void cases_error(void);
void cases_partition(void);
void cases_pairs(void);
void cases_config(void);
void cases_cores(void);

#endif
