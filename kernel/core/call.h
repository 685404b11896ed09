/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - the kernel calls (abi/call.h) and the event logic behind them. Context of all: the
 * calling core, interrupts off. */
#ifndef GODWIT_KERNEL_CALL_H
#define GODWIT_KERNEL_CALL_H

#include "kernel/core/core.h"

typedef long call_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* The table that the syscall entry indexes; context_resume and health_raise are NULL in it. */
extern call_fn *const call_table[CALL_COUNT];

/* timer_expired - the timer of core c fired: set GW_EVENT_TICK if a deadline has passed, and arm
 * the timer for the next. */
void timer_expired(struct core *c);

/* event_post - set events on a vcore, from any core, and make sure that it sees them. */
void event_post(struct core *target, uint64_t events);

/* upcall_fault, upcall_event - turn an interrupted user context into an upcall: t is saved in the
 * vcore area and becomes the entry of the runtime. The vcore must have an upcall entry. */
void upcall_fault(struct core *c, struct trap *t, uint64_t fault_va);
void upcall_event(struct core *c, struct trap *t);

#endif
