/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - the kernel calls (abi/call.h) and the event logic behind them. Context of all: the
 * calling core, interrupts off. */
#ifndef GODWIT_KERNEL_CALL_H
#define GODWIT_KERNEL_CALL_H

#include "kernel/core/core.h"

typedef long call_fn(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

/* space_call.c, port.c. */
call_fn call_space_map, call_space_protect, call_space_unmap, call_space_query;
call_fn call_space_create, call_space_switch, call_space_destroy;
call_fn call_port_write, call_port_read, call_port_status;

/* The table that the syscall entry indexes; context_resume and health_raise are NULL in it. */
extern call_fn *const call_table[CALL_COUNT];

/* timer_expired - the timer of the dedicated core of v fired: set GW_EVENT_TICK if a deadline has
 * passed, and arm the timer for the next. */
void timer_expired(struct vcore *v);

/* A long call on a shared core whose time is up (schedule_due) is made again later, from where it
 * was. call_progress: how far the call number with its first argument had come; 0: it begins. (The
 * partition could make other calls in between; then this is 0 or any number it has reached before,
 * for it to suffer: progress is checked like an argument.)
 * call_again: put the caller aside; the caller of this returns at once. */
uint64_t call_progress(struct vcore *v, uint64_t number, uint64_t arg);
void call_again(struct vcore *v, uint64_t number, uint64_t arg, uint64_t progress);

/* event_post - set events on a vcore, from any core, and make sure that it sees them. */
void event_post(struct vcore *target, uint64_t events);

/* upcall_fault, upcall_event - turn an interrupted user context into an upcall: t is saved in the
 * vcore area and becomes the entry of the runtime. The vcore must have an upcall entry. */
void upcall_fault(struct vcore *v, struct trap *t, uint64_t fault_va);
void upcall_event(struct vcore *v, struct trap *t);

#endif
