/* SPDX-License-Identifier: Apache-2.0 */
/* probe_call.h - how the test programs make kernel calls, reach their vcore areas, tell the time
 * and print. */
#ifndef GODWIT_KERNEL_TEST_PROBE_CALL_H
#define GODWIT_KERNEL_TEST_PROBE_CALL_H

#include "abi/boot.h"
#include "abi/call.h"
#include "abi/vcore.h"

static inline long call(uint64_t n, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	register uint64_t r10 __asm__("r10") = d;
	uint64_t rax = GW_CALL(n);

	__asm__ volatile("syscall"
			 : "+a"(rax)
			 : "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return (long)rax;
}

static inline struct gw_vcore *area(uint32_t i)
{
	return (struct gw_vcore *)GW_VCORE_VA(i);
}

static inline uint64_t ticks(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

extern const struct gw_boot_info *boot; /* the program's main function sets it */

/* Text of the next line, at most the batch area; out_flush prints it. */
void out(const char *s);
void out_number(uint64_t v);
void out_flush(void);

uint64_t now_ns(void);

#endif
