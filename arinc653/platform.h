/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - what the services need below them: time, cores and contexts, memory, channels.
 * Implementations: arinc653/godwit (the kernel's calls and upcalls), arinc653/test/sim.c (host
 * tests: simulated time and cores, ucontext) and arinc653/test/threads.c (cores are threads).
 * Everything here is called masked (plat_mask) unless it says otherwise, and is about the calling
 * core. */
#ifndef GODWIT_ARINC653_PLATFORM_H
#define GODWIT_ARINC653_PLATFORM_H

#include "arinc653/apex_internal.h"

/* Events that interrupt the program (plat_unmask, plat_wait, apex_events). */
#define PLAT_TIMER 0x1u /* the deadline of plat_timer passed */
#define PLAT_PORT 0x2u	/* a channel has a message, or room again */
#define PLAT_KICK 0x4u	/* plat_kick by another core */

/* plat_core - this core, 0 .. n_cores - 1 of apex_start. plat_kick - PLAT_KICK on another one,
 * which may not have begun yet. plat_cores_start - all others begin at apex_core_main.
 * plat_relax - a moment of waiting for another core, also unmasked; masked, it does not return once
 * that has called plat_restart. */
uint32_t plat_core(void);
void plat_kick(uint32_t core);
void plat_cores_start(void);
void plat_relax(void);

/* plat_now - ns since the machine's start, monotonic. Also unmasked. */
uint64_t plat_now(void);

/* plat_period_start - the first partition period start at or after now_ns. */
uint64_t plat_period_start(uint64_t now_ns);

/* plat_timer - PLAT_TIMER at deadline_ns (GW_NEVER: not), instead of the last one asked for. */
void plat_timer(uint64_t deadline_ns);

/* plat_mask - from here on no event interrupts. Called unmasked, on a process's stack; that has
 * room left for the services, or this is a stack overflow. plat_unmask - let events interrupt
 * again. Returns 0, or, still masked, what has happened. */
void plat_mask(void);
uint32_t plat_unmask(void);

/* plat_wait - nothing to do: sleep until something has happened, and return what. */
uint32_t plat_wait(void);

/* plat_alloc - n bytes of zeroed memory, never given back; NULL: there is not so much. align: a
 * power of two up to 4096. plat_stack: the top of a new stack of n bytes (a multiple of 4096) and a
 * guard page below it, or NULL. Before NORMAL mode only. */
void *plat_alloc(size_t n, size_t align);
uint8_t *plat_stack(size_t n);

/* plat_context_size - bytes of p->context, 64-aligned. plat_context_init: p begins at entry with an
 * empty stack, unmasked, when it runs next; apex_process_return follows if entry returns. */
size_t plat_context_size(void);
void plat_context_init(struct apex_process *p, void (*entry)(void));

/* plat_switch - run `to`, or, NULL, apex_idle on a stack of the core's own; returns when `from` is
 * run again, on whichever core. from NULL: the context that is left is nobody's any more; does not
 * return. A context that begins or was interrupted does apex_release before it goes on. */
void plat_switch(struct apex_process *from, struct apex_process *to);

/* plat_touch - read, or read and write back unchanged, a byte of each page of [p, p + n): a bad
 * address faults here, in its user's name. Called unmasked. */
void plat_touch(const void *p, size_t n, bool write);

/* Channels: the manifest's numbers. write: 0, or -EAGAIN (queuing: full). read: the message, at
 * most max bytes of it, and its time; returns its length, or -EAGAIN: none. count: messages in it,
 * or a negative errno: there is no such channel, or no end of it is ours. */
int plat_port_write(uint32_t channel, const void *message, uint32_t len);
int plat_port_read(uint32_t channel, void *message, uint32_t max, uint64_t *time_ns);
int plat_port_count(uint32_t channel);

/* plat_message - text of the application to the log. */
void plat_message(const void *text, uint32_t len);

/* plat_health - raise an error of the partition to the health monitor, which may restart or stop
 * it; returns when it says ignore. */
void plat_health(PROCESS_ID_TYPE id, ERROR_CODE_TYPE code, uint64_t address);

/* plat_end - the partition is IDLE for good. plat_restart: begin again at the partition's entry,
 * with data as linked (COLD_START) or as it is (WARM_START), after all other cores have stopped.
 * Locked. */
_Noreturn void plat_end(void);
_Noreturn void plat_restart(OPERATING_MODE_TYPE mode);

/* plat_start_condition - why the partition was started, plat_start_mode - and in which mode. */
START_CONDITION_TYPE plat_start_condition(void);
OPERATING_MODE_TYPE plat_start_mode(void);

#endif
