# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += $(addprefix runtime/sched/,shard.c preempt.c inbox.c start.c balance.c uthread.c timer.c waitq.c clock.c fpu.c \
	upcall.c uaccess.c switch.S upcall.S uaccess.S)

UNIT_TESTS += runtime/sched/test/sched_test
runtime/sched/test/sched_test_SRCS := $(addprefix runtime/sched/,shard.c preempt.c inbox.c start.c balance.c uthread.c timer.c waitq.c switch.S) \
	runtime/mem/frame.c runtime/mem/slab.c runtime/base/histogram.c
# the sanitizer takes a function that does not return for the end of the one stack it knows
runtime/sched/test/sched_test_CFLAGS := -D_Noreturn=
