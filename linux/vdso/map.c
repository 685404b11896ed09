/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - the vDSO in the program's address space: its data page, and behind it the code. */
#include "linux/memory/elf.h"
#include "linux/memory/mm.h"
#include "runtime/platform/platform.h"
#include "linux/vdso/vdso.h"

extern const uint8_t vdso_image[], vdso_image_end[];
static struct vdso_data *data;
static uint64_t code; /* frames of the code: one copy serves every program */

void vdso_update(void)
{
	if (data != NULL)
		__atomic_store_n(&data->epoch_ns, clock_epoch_ns(), __ATOMIC_RELEASE);
}

/* Once, by the first program. */
static bool make(size_t len, size_t pages)
{
	const struct gw_clock *c = &platform_boot()->clock;
	uint64_t frame = page_alloc_zero();

	code = pages_alloc(pages, 1);
	if (frame == 0 || code == 0)
		return false;
	memset(pa_to_va(code), 0, pages * GW_PAGE_SIZE);
	memcpy(pa_to_va(code), vdso_image, len);
	data = pa_to_va(frame);
	data->tsc_base = c->tsc_base;
	data->mult = c->mult;
	data->one_cpu = n_shards == 1;
	vdso_update();
	return true;
}

uint64_t vdso_map(struct mm *mm)
{
	size_t len = (uint64_t)vdso_image_end - (uint64_t)vdso_image,
	       pages = ROUND_UP(len, GW_PAGE_SIZE) / GW_PAGE_SIZE;
	int64_t va;

	if (data == NULL && !make(len, pages))
		return 0;
	va = mm_map(mm, 0, (1 + pages) * GW_PAGE_SIZE, MM_READ | MM_EXEC | MM_SPECIAL, NULL, 0);
	if (va < 0 ||
	    mm_map(mm, (uint64_t)va, GW_PAGE_SIZE, MM_READ | MM_SPECIAL | MM_FIXED, NULL, 0) < 0)
		return 0;
	/* A reference for each mapping; the ones they were made with are never given back. */
	if (space_map((uint64_t)va, va_to_pa(data), GW_PAGE_SIZE, 0) != 0)
		return 0;
	page_get(va_to_pa(data));
	if (space_map((uint64_t)va + GW_PAGE_SIZE, code, pages * GW_PAGE_SIZE, GW_MAP_X) != 0)
		return 0;
	for (size_t i = 0; i < pages; i++)
		page_get(code + i * GW_PAGE_SIZE);
	mm_set_vdso(mm, (uint64_t)va + GW_PAGE_SIZE);
	return (uint64_t)va + GW_PAGE_SIZE;
}
