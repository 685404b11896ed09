/* SPDX-License-Identifier: Apache-2.0 */
/* maps.c - the address space as /proc shows it, and for fault reports. */
#include "linux/memory/mm_internal.h"

void mm_usage(struct mm *mm, struct mm_usage *out)
{
	bool locked = mm_lock(mm);

	*out = (struct mm_usage){ 0 };
	for (uint32_t i = 0; i < mm->areas.n; i++) {
		const struct area *a = &mm->areas.v[i];
		uint64_t len = a->end - a->start;

		out->mapped_bytes += len;
		if ((a->flags & MM_STACK) != 0)
			out->stack_bytes += len;
		else if ((a->flags & MM_EXEC) != 0)
			out->text_bytes += len;
		else if ((a->flags & (MM_WRITE | MM_SHARED)) == MM_WRITE)
			out->data_bytes += len;
	}
	out->resident_bytes = (uint64_t)GW_MAX(mm->resident, 0) * GW_PAGE_SIZE;
	out->file_bytes = (uint64_t)GW_MIN(GW_MAX(mm->file_resident, 0), GW_MAX(mm->resident, 0)) *
			  GW_PAGE_SIZE;
	out->peak_bytes = (uint64_t)GW_MAX(mm->peak, 0) * GW_PAGE_SIZE;
	if (locked)
		mutex_unlock(&mm->lock);
}

static const char *area_name(const struct mm *mm, const struct area *a, char *path, size_t size)
{
	if (a->inode != NULL)
		return inode_path(a->inode, path, size) >= 0 ? path : "";
	if ((a->flags & MM_STACK) != 0)
		return "[stack]";
	if ((a->flags & AREA_HEAP) != 0)
		return "[heap]";
	if ((a->flags & MM_SPECIAL) != 0)
		return a->start == mm->vdso ? "[vdso]" : "[vvar]";
	return "";
}

void mm_maps_text(struct mm *mm, void (*emit)(void *arg, const char *text, size_t n), void *arg)
{
	bool locked = mm_lock(mm);
	char path[256], line[400];

	for (uint32_t i = 0; i < mm->areas.n; i++) {
		const struct area *a = &mm->areas.v[i];
		const char *name = area_name(mm, a, path, sizeof(path));
		int n = fmt_print(line, sizeof(line), "%lx-%lx %c%c%c%c %08lx 00:%02x %u", a->start,
				  a->end, (a->flags & MM_READ) != 0 ? 'r' : '-',
				  (a->flags & MM_WRITE) != 0 ? 'w' : '-',
				  (a->flags & MM_EXEC) != 0 ? 'x' : '-',
				  (a->flags & MM_SHARED) != 0 ? 's' : 'p', a->offset,
				  a->inode != NULL ? 1u : 0u,
				  a->inode != NULL ? (uint32_t)((uint64_t)a->inode >> 6 & 0xffffff)
						   : 0u);

		if (name[0] != '\0')
			n += fmt_print(line + n, sizeof(line) - (size_t)n, "%*s%s",
				       n < 72 ? 73 - n : 1, "", name);
		n = GW_MIN(n, (int)sizeof(line) - 2);
		line[n++] = '\n';
		emit(arg, line, (size_t)n);
	}
	if (locked)
		mutex_unlock(&mm->lock);
}

void mm_describe(struct mm *mm, uint64_t va, char *to, size_t size)
{
	bool locked = mm_lock(mm);
	const struct area *a = areas_find(&mm->areas, va);
	char path[200];

	if (a == NULL)
		fmt_print(to, size, "%s",
			  va >= GW_PROGRAM_END && va >> 47 == 0 ? "the runtime's, not the program's"
								: "not mapped");
	else if (a->inode != NULL)
		fmt_print(to, size, "%s+0x%lx", area_name(mm, a, path, sizeof(path)),
			  a->offset + (va - a->start));
	else
		fmt_print(to, size, "%s",
			  a->flags & (MM_STACK | AREA_HEAP | MM_SPECIAL)
				  ? area_name(mm, a, path, sizeof(path))
				  : "anonymous memory");
	if (locked)
		mutex_unlock(&mm->lock);
}

bool mm_below_stack(struct mm *mm, uint64_t va)
{
	return va < mm->stack_lo && va >= mm->stack_lo - (1ull << 20);
}

void mm_set_vdso(struct mm *mm, uint64_t va)
{
	mm->vdso = va;
}

void mm_futex_key(struct mm *mm, uint64_t va, const void **object, uint64_t *offset)
{
	bool locked = mm_lock(mm);
	const struct area *a = areas_find(&mm->areas, va);

	*object = mm;
	*offset = va;
	if (a != NULL && a->inode != NULL && (a->flags & MM_SHARED) != 0) {
		*object = a->inode;
		*offset = a->offset + (va - a->start);
	}
	if (locked)
		mutex_unlock(&mm->lock);
}
