/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - contiguous frames that somebody needs and cannot do without: single frames are
 * reclaimed for, so take some of those and return them together, until a run has formed among the
 * free ones. */
#include "runtime/mem/mem.h"

#define TRIES 5
#define FIRST_FRAMES 64u

/* Half of the memory stays for the other vcores, which may fault meanwhile. */
static void make_room(uint64_t n)
{
	uint64_t *held = NULL, pa;

	n = GW_MIN(n, mem_total_pages() / 2);
	while (n-- > 0 && (pa = page_alloc()) != 0) {
		*(uint64_t **)pa_to_va(pa) = held; /* one linked to the next */
		held = pa_to_va(pa);
	}
	while (held != NULL) {
		pa = va_to_pa(held);
		held = *(uint64_t **)held;
		page_put(pa);
	}
}

uint64_t pages_gather(size_t n, size_t align)
{
	uint64_t pa = pages_alloc(n, align);

	for (unsigned i = 0; pa == 0 && i < TRIES; i++) {
		if (n > mem_total_pages() / 4) /* more than what may be turned over */
			break;
		make_room(GW_MAX(FIRST_FRAMES << i, 2 * n));
		pa = pages_alloc(n, align);
	}
	return pa;
}
