/* SPDX-License-Identifier: Apache-2.0 */
/* godwit.h - what the files of this platform share: kernel calls, the vcore area, contexts. */
#ifndef GODWIT_ARINC653_GODWIT_H
#define GODWIT_ARINC653_GODWIT_H

#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"
#include "arinc653/apex_internal.h"
#include "arinc653/platform.h"

/* Of each stack the services' own part: apex_lock refuses to begin with less. */
#define STACK_RESERVE 2048u
#define STACK_GUARD 65536u /* unmapped, below each */

/* What outlives warm and cold starts of the partition by itself; zero when the kernel starts it. */
extern struct lives {
	uint64_t stack_next;	  /* addresses from here on have no stack yet */
	uint64_t data_copy, mode; /* where .data is as linked; OPERATING_MODE_TYPE to begin in */
	uint64_t started;	  /* how often it began */
	_Atomic uint64_t halt;	  /* a core begins again: the others are to stop */
	_Atomic uint64_t halted;  /* how many have */
	_Atomic uint64_t going;	  /* bit c: core c is in NORMAL mode */
} lives;

/* Of gw_vcore.user: the top of the core's own stack (entry.S). */
#define USER_STACK 0

/* The stack of a process that asked for n bytes. */
static inline uint64_t stack_bytes(uint64_t n)
{
	return ROUND_UP(n + STACK_RESERVE, (uint64_t)GW_PAGE);
}

struct plat_context {
	uint64_t rsp;  /* it called plat_switch, and goes on there (entry.S) */
	uint64_t full; /* 1: regs are all of it (entry.S) */
	struct gw_regs regs;
	uint64_t stack; /* its lowest byte; the guard is below */
	uint8_t fpu[] __attribute__((aligned(64)));
};

static inline long gw_call3(uint64_t n, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t rax = GW_CALL(n);

	__asm__ volatile("syscall"
			 : "+a"(rax)
			 : "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory", "cc");
	return (long)rax;
}

static inline long gw_call(uint64_t n, uint64_t a, uint64_t b)
{
	return gw_call3(n, a, b, 0);
}

/* This core's. A process may have another one after each switch: never keep it across. */
static inline uint32_t vcore_id(void)
{
	uint64_t id;

	__asm__ volatile("movq %%gs:0x38, %0" : "=r"(id));
	return (uint32_t)id;
}

static inline struct gw_vcore *vcore(void)
{
	return (struct gw_vcore *)GW_VCORE_VA(vcore_id());
}

static inline const struct gw_boot_info *boot(void)
{
	return (const struct gw_boot_info *)GW_BOOT_VA;
}

static inline struct plat_context *context_of(const struct apex_process *p)
{
	return p->context;
}

/* memory.c - memory_init: all that plat_alloc and plat_stack gave is free again, but the first
 * bytes of the first extent. */
void memory_init(uint64_t reserved);

/* fpu.c - fpu_init: find out how. fpu_size: bytes of a context's area. fpu_fresh: the area as after
 * a reset. fpu_switch: to's registers are in the processor from now on; NULL: nobody's need to. */
void fpu_init(void);
size_t fpu_size(void);
void fpu_fresh(struct plat_context *c);
void fpu_switch(struct plat_context *to);

/* start.c - halt: on the core's own stack, for another one that begins again. */
_Noreturn void halt(uint64_t unused);
_Noreturn void apex_on_exec_stack(void (*fn)(uint64_t), uint64_t arg);

#endif
