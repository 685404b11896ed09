# SPDX-License-Identifier: Apache-2.0
GUEST_SRCS += $(addprefix runtime/sched/,shard.c balance.c uthread.c timer.c waitq.c clock.c fpu.c \
	upcall.c uaccess.c switch.S upcall.S uaccess.S)
