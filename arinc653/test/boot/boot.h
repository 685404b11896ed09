/* SPDX-License-Identifier: Apache-2.0 */
/* boot.h - what the parts of the boot test share. Each part makes its objects, starts its processes
 * and returns; the partition's identifier says which part it is. */
#ifndef GODWIT_ARINC653_TEST_BOOT_H
#define GODWIT_ARINC653_TEST_BOOT_H

#include <stdint.h>
#include "arinc653/apex.h"

enum part {
	PART_TALKER = 1,
	PART_LISTENER,
	PART_FAULTS,
	PART_SCHED,
	PART_RESTART,
	PART_COST,
	PART_CRASH,
	PART_FEEDER,
	PART_CORES,
	PART_CORES_RESTART
};

void talker_main(void);
void listener_main(void);
void faults_main(void);
void sched_main(void);
void restart_main(void);
void cost_main(void);
void crash_main(void);
void feeder_main(void);
void cores_main(void);
void cores_restart_main(void);

/* check_at - counts; says so when it failed. finish - prints the counts; the partition is IDLE. */
void check_at(int ok, const char *what, long long got, int line);
void finish(void);
void say(const char *text);
void say_number(const char *text, long long n);
#define IS(expr, want)                                                    \
	do {                                                              \
		long long is_ = (long long)(expr);                        \
		check_at(is_ == (long long)(want), #expr, is_, __LINE__); \
	} while (0)
#define SAYS(code, service, ...)                                      \
	do {                                                          \
		RETURN_CODE_TYPE says_ = (RETURN_CODE_TYPE)99;        \
		service(__VA_ARGS__, &says_);                         \
		check_at(says_ == (code), #service, says_, __LINE__); \
	} while (0)
#define OK(service, ...) SAYS(NO_ERROR, service, __VA_ARGS__)
#define OK0(service)                                                    \
	do {                                                            \
		RETURN_CODE_TYPE says_ = (RETURN_CODE_TYPE)99;          \
		service(&says_);                                        \
		check_at(says_ == NO_ERROR, #service, says_, __LINE__); \
	} while (0)

PROCESS_ID_TYPE make(const char *name, void (*entry)(void), PRIORITY_TYPE priority,
		     SYSTEM_TIME_TYPE period, SYSTEM_TIME_TYPE capacity);
#define APERIODIC INFINITE_TIME_VALUE, INFINITE_TIME_VALUE
SYSTEM_TIME_TYPE now(void);
void copy_name(char *to, const char *from);

#endif
