/* SPDX-License-Identifier: Apache-2.0 */
/* parts_fuzz.c - kernel calls with random arguments, some of them nearly right. */
#include "kernel/test/parts.h"

/* Everything but what ends the partition: shutdown and health_raise have their turn below. */
void fuzz(uint64_t calls)
{
	uint64_t own = boot->extents[0].pa;

	call(GW_CALL_UPCALL_SET, (uint64_t)ignore_syscall, (uint64_t)ignore_upcall, 0, 0);
	for (uint64_t i = 0; i < calls; i++) {
		uint64_t a[4], n = random_next() % 24;

		if (n == GW_CALL_HEALTH_RAISE || n == GW_CALL_SHUTDOWN ||
		    n == GW_CALL_PARTITION_RESTART || n == GW_CALL_UPCALL_SET ||
		    n == GW_CALL_CONTEXT_RESUME || n == GW_CALL_VCORE_START)
			continue;
		for (uint32_t k = 0; k < 4; k++)
			a[k] = random_next() >> random_next() % 64;
		if (n == GW_CALL_WAIT && random_next() % 8)
			a[0] = now_ns() + random_next() % 20000;
		else if (n == GW_CALL_WAIT)
			a[0] = 0;
		if (n >= GW_CALL_PORT_WRITE && random_next() % 4)
			a[0] %= 2, a[1] %= 4100; /* floods the victim's port */
		if (n == GW_CALL_CONSOLE_WRITE)
			a[0] |= 1ULL << 40; /* refused: its text would hide the results */
		if (n >= GW_CALL_SPACE_MAP && n <= GW_CALL_SPACE_QUERY && random_next() % 4 == 0) {
			uint64_t va = random_next() % GW_PROGRAM_END & ~4095ULL;
			uint64_t len = (1 + random_next() % 600) * 4096;

			a[0] = n <= GW_CALL_SPACE_PROTECT ? 1 + random_next() % 4 : va;
			a[1] = random_next() % 4 ? len : (GW_PROGRAM_END - va) & ~4095ULL;
			for (uint32_t k = 0; k < 4; k++)
				area(0)->batch.maps[k] =
					(struct gw_map){ va + k * len,
							 own + random_next() % 64 * 4096, len,
							 random_next() % 2 };
		}
		call(n, a[0], a[1], a[2], a[3]);
		area(0)->pending = 0;
	}
}
