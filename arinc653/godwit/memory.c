/* SPDX-License-Identifier: Apache-2.0 */
/* memory.c - the partition's memory, handed out before NORMAL mode and never taken back: from each
 * extent in turn, upwards. Stacks are mapped at addresses of their own, far enough apart that
 * running over one is a fault:
 *
 *   STACK_BASE: | guard, 64 KiB, unmapped | stack | guard | stack | ... */
#include "arinc653/godwit/godwit.h"

#define STACK_BASE 0x0000100000000000ULL
#define STACK_END 0x0000200000000000ULL

static uint32_t extent;
static uint64_t used; /* bytes of it */

static void unmap_stacks(void)
{
	uint64_t va = STACK_BASE;

	while (va < lives.stack_next &&
	       gw_call(GW_CALL_SPACE_UNMAP, va, lives.stack_next - va) >= 0)
		va = vcore()->next_va;
}

void memory_init(uint64_t reserved)
{
	unmap_stacks(); /* of the life before this one */
	extent = 0;
	used = reserved;
	lives.stack_next = STACK_BASE;
}

static uint64_t frames(size_t n, size_t align)
{
	for (; extent < boot()->n_extents; extent++, used = 0) {
		const struct gw_extent *e = &boot()->extents[extent];
		uint64_t at = ROUND_UP(e->pa + used, (uint64_t)align);

		if (at - e->pa > e->len || n > e->len - (at - e->pa))
			continue;
		used = at - e->pa + n;
		return at;
	}
	return 0;
}

void *plat_alloc(size_t n, size_t align)
{
	uint64_t pa = frames(n, align);

	if (pa == 0)
		return NULL;
	return memset((void *)(GW_MEM_BASE + pa), 0, n);
}

uint8_t *plat_stack(size_t n)
{
	struct gw_vcore *vc = vcore();
	uint64_t pa, va = lives.stack_next + STACK_GUARD;

	n = stack_bytes(n);
	pa = frames(n, GW_PAGE);
	if (pa == 0 || n > STACK_END - va)
		return NULL;
	vc->batch.maps[0] = (struct gw_map){ .va = va, .pa = pa, .len = n, .flags = GW_MAP_W };
	if (gw_call(GW_CALL_SPACE_MAP, 1, 0) < 0)
		return NULL;
	lives.stack_next = va + n;
	return memset((uint8_t *)va, 0, n) + n;
}
