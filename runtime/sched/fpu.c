/* SPDX-License-Identifier: Apache-2.0 */
/* fpu.c - the program uthreads' extended state and FS base. The registers belong to
 * shard->fpu_owner; they are exchanged only when another program uthread is about to run there. The
 * runtime itself never touches them. */
#include <cpuid.h>
#include "runtime/base/str.h"
#include "runtime/sched/sched_internal.h"
#include "runtime/sched/upcall.h"

#define CPUID1_ECX_OSXSAVE (1u << 27)
#define CPUIDD1_EAX_XSAVEOPT 1u
#define FXSAVE_SIZE 512u

static enum { FPU_UNKNOWN, FPU_FXSAVE, FPU_XSAVE, FPU_XSAVEOPT } method;
static size_t state_size;

static void probe(void)
{
	unsigned a, b, c, d;

	state_size = FXSAVE_SIZE;
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & CPUID1_ECX_OSXSAVE)) {
		__cpuid_count(0xd, 0, a, b, c, d);
		state_size = ROUND_UP((size_t)b, 64);
		__cpuid_count(0xd, 1, a, b, c, d);
		method = a & CPUIDD1_EAX_XSAVEOPT ? FPU_XSAVEOPT : FPU_XSAVE;
	} else {
		method = FPU_FXSAVE;
	}
	if (state_size < 1024)
		state_size = 1024; /* a class of the allocator that is 64-byte aligned */
}

size_t fpu_state_size(void)
{
	if (unlikely(method == FPU_UNKNOWN))
		probe();
	return state_size;
}

static void save(void *area)
{
	if (method == FPU_XSAVEOPT)
		__asm__ volatile("xsaveopt64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else if (method == FPU_XSAVE)
		__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

static void load(const void *area)
{
	if (method == FPU_FXSAVE)
		__asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
	else
		__asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
}

void fpu_init_area(void *area)
{
	uint16_t fcw = 0x37f;
	uint32_t mxcsr = 0x1f80;

	memset(area, 0, fpu_state_size()); /* XSTATE_BV 0: everything in its initial state */
	memcpy(area, &fcw, sizeof(fcw));
	memcpy((uint8_t *)area + 24, &mxcsr, sizeof(mxcsr));
}

uint64_t upcall_fs_base(void)
{
	uint64_t va;

	__asm__ volatile("rdfsbase %0" : "=r"(va));
	return va;
}

void upcall_set_fs_base(uint64_t va)
{
	uthread_self()->fs_base = va;
	__asm__ volatile("wrfsbase %0" : : "r"(va));
}

void fpu_take(struct shard *s, struct uthread *u)
{
	if (s->fpu_owner)
		fpu_give_up(s, s->fpu_owner, true);
	s->fpu_owner = u;
	__asm__ volatile("wrfsbase %0" : : "r"(u->fs_base));
	load(u->fpu);
}

void fpu_give_up(struct shard *s, struct uthread *u, bool keep)
{
	if (s->fpu_owner != u)
		return;
	if (keep) {
		u->fs_base = upcall_fs_base();
		save(u->fpu);
	}
	s->fpu_owner = NULL;
}

void fpu_save_current(void)
{
	struct uthread *u = uthread_self();

	if (shard_self()->fpu_owner == u)
		save(u->fpu);
}

void fpu_load_current(void)
{
	load(uthread_self()->fpu);
	shard_self()->fpu_owner = uthread_self();
}
