/* SPDX-License-Identifier: Apache-2.0 */
/* probe_call.h - how the test programs make kernel calls and reach their vcore areas. */
#ifndef GODWIT_KERNEL_TEST_PROBE_CALL_H
#define GODWIT_KERNEL_TEST_PROBE_CALL_H

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

#endif
