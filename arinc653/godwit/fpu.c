/* SPDX-License-Identifier: Apache-2.0 */
/* fpu.c - the processes' extended registers (x87, SSE, AVX). The executive itself uses none, so
 * they stay where they are until another process runs there, or theirs could run elsewhere. */
#include <cpuid.h>
#include "arinc653/godwit/godwit.h"

#define CPUID1_ECX_OSXSAVE (1u << 27)
#define FXSAVE_SIZE 512u
#define FCW_INIT 0x37fu
#define MXCSR_INIT 0x1f80u

static struct plat_context *owners[APEX_CORES];
static size_t size;
static bool xsave;

void fpu_init(void)
{
	unsigned a, b, c, d;

	memset(owners, 0, sizeof(owners));
	size = FXSAVE_SIZE;
	xsave = __get_cpuid(1, &a, &b, &c, &d) && (c & CPUID1_ECX_OSXSAVE);
	if (!xsave)
		return;
	__cpuid_count(0xd, 0, a, b, c, d);
	size = ROUND_UP((size_t)b, 64);
}

size_t fpu_size(void)
{
	return size;
}

void fpu_fresh(struct plat_context *c)
{
	uint16_t fcw = FCW_INIT;
	uint32_t mxcsr = MXCSR_INIT;

	memset(c->fpu, 0, size); /* XSTATE_BV 0: everything in its initial state */
	memcpy(c->fpu, &fcw, sizeof(fcw));
	memcpy(c->fpu + 24, &mxcsr, sizeof(mxcsr));
	for (uint32_t i = 0; i < APEX_CORES; i++)
		if (owners[i] == c)
			owners[i] = NULL;
}

void fpu_switch(struct plat_context *to)
{
	struct plat_context *owner = owners[vcore_id()];

	if (owner == to)
		return;
	if (owner != NULL && xsave)
		__asm__ volatile("xsave64 (%0)" : : "r"(owner->fpu), "a"(-1), "d"(-1) : "memory");
	else if (owner != NULL)
		__asm__ volatile("fxsave64 (%0)" : : "r"(owner->fpu) : "memory");
	if (to != NULL && xsave)
		__asm__ volatile("xrstor64 (%0)" : : "r"(to->fpu), "a"(-1), "d"(-1) : "memory");
	else if (to != NULL)
		__asm__ volatile("fxrstor64 (%0)" : : "r"(to->fpu) : "memory");
	owners[vcore_id()] = to;
}
