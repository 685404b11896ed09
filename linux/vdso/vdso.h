/* SPDX-License-Identifier: Apache-2.0 */
/* vdso.h - the page that the vDSO reads: the clock's parameters, as the kernel gave them, and the
 * wall clock's offset. */
#ifndef GODWIT_LINUX_VDSO_H
#define GODWIT_LINUX_VDSO_H

#include <stdint.h>

struct vdso_data {
	uint64_t tsc_base, mult; /* ns = (rdtsc - tsc_base) * mult >> 32 */
	uint64_t epoch_ns; /* CLOCK_REALTIME - CLOCK_MONOTONIC; one word, so a reader sees the old
			      or the new */
	uint32_t one_cpu;  /* getcpu is 0 always */
};

#endif
