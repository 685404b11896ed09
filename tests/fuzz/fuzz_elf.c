/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_elf.c - arbitrary bytes as an ELF file: the checks must accept only what can be mapped as
 * the loader maps it. */
#include <stdlib.h>

#include "linux/memory/elf_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool what)
{
	if (!what)
		abort();
}

/* What map_segments (elf.c) relies on. */
static void check_plan(const struct elf_plan *p, uint64_t size, uint64_t max_va)
{
	require(p->n > 0 && p->n <= ELF_SEGMENTS && p->lo < p->hi &&
		p->hi <= ROUND_UP(max_va, GW_PAGE_SIZE));
	require(p->align >= GW_PAGE_SIZE && (p->align & (p->align - 1)) == 0);
	for (uint32_t i = 0; i < p->n; i++) {
		const struct elf_segment *s = &p->segment[i];

		require(s->mem_len > 0 && s->file_len <= s->mem_len && s->va + s->mem_len > s->va);
		require(s->va >= p->lo && s->va + s->mem_len <= p->hi);
		require(s->offset + s->file_len >= s->offset && s->offset + s->file_len <= size);
		require(s->va % GW_PAGE_SIZE == s->offset % GW_PAGE_SIZE);
		if (i > 0)
			require(ROUND_UP(s[-1].va + s[-1].mem_len, GW_PAGE_SIZE) <=
				ROUND_DOWN(s->va, GW_PAGE_SIZE));
	}
	require(p->interp_len <= 256 && p->interp_offset + p->interp_len <= size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint64_t max_va = 0x700000000000ull;
	struct elf_plan plan;
	const char *why = NULL;

	if (elf_check_header(&plan, data, size < ELF_EHDR_BYTES ? size : ELF_EHDR_BYTES, size,
			     &why) != 0) {
		require(why != NULL);
		return 0;
	}
	require(plan.phoff + (uint64_t)plan.phnum * ELF_PHDR_BYTES <= size);
	if (elf_check_segments(&plan, data + plan.phoff, size, max_va, &why) != 0) {
		require(why != NULL);
		return 0;
	}
	check_plan(&plan, size, max_va);
	return 0;
}
