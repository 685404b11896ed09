# SPDX-License-Identifier: Apache-2.0
# ARINC 653 partitions: the services and the platform that every application is linked with.
APEX_SRCS := $(addprefix arinc653/,sched.c object.c partition.c process.c state.c time.c sampling.c queuing.c buffer.c \
	blackboard.c semaphore.c event.c mutex.c error.c config.c)

# Host tests: the services on simulated time. A name of the standard is 32 bytes; a shorter literal will do.
UNIT_TESTS += arinc653/test/apex_test
arinc653/test/apex_test_SRCS := $(APEX_SRCS) $(addprefix arinc653/test/,sim.c process_cases.c state_cases.c \
	time_cases.c objects_cases.c buffer_cases.c mutex_cases.c ports_cases.c error_cases.c partition_cases.c)
arinc653/test/apex_test_CFLAGS := -Wno-stringop-overflow
