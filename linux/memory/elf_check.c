/* SPDX-License-Identifier: Apache-2.0 */
/* elf_check.c - see elf_check.h. Sources: System V gABI 4 and 5; x86-64 psABI; elf(5). */
#include "linux/memory/elf_check.h"
#include "runtime/base/errno.h"
#include "runtime/base/str.h"

#define LOWEST_VA 0x10000ull
#define PT_LOAD 1u
#define PT_INTERP 3u
#define PT_PHDR 6u
#define PT_GNU_STACK 0x6474e551u
#define PF_X 1u
#define PF_W 2u
#define PF_R 4u

struct ehdr {
	uint8_t ident[16];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, phoff, shoff;
	uint32_t flags;
	uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct phdr {
	uint32_t type, flags;
	uint64_t offset, va, pa, file_len, mem_len, align;
};
_Static_assert(sizeof(struct ehdr) == ELF_EHDR_BYTES && sizeof(struct phdr) == ELF_PHDR_BYTES,
	       "ELF64 layout");

static int bad(const char **why, const char *text)
{
	*why = text;
	return -ENOEXEC;
}

int elf_check_header(struct elf_plan *plan, const void *head, size_t len, uint64_t size,
		     const char **why)
{
	struct ehdr h;

	*plan = (struct elf_plan){ .align = GW_PAGE_SIZE };
	if (len < 4 || memcmp(head, "\177ELF", 4) != 0)
		return bad(why, "not an ELF program");
	if (len < sizeof(h))
		return bad(why, "truncated: the ELF header is cut off");
	memcpy(&h, head, sizeof(h));
	if (h.ident[4] != 2)
		return bad(why, "a 32-bit program; only x86-64 programs run here");
	if (h.ident[5] != 1 || h.machine != 62)
		return bad(why, "built for another processor; only x86-64 programs run here");
	if (h.ident[6] != 1 || h.version != 1)
		return bad(why, "an unknown ELF version");
	if (h.type != 2 && h.type != 3)
		return bad(why, "an ELF file, but not a program (an object file or a core dump?)");
	if (h.phentsize != ELF_PHDR_BYTES || h.phnum == 0 || h.phnum > ELF_PHDRS)
		return bad(why, "its program headers have a wrong size or number");
	if (h.phoff > size || (uint64_t)h.phnum * ELF_PHDR_BYTES > size - h.phoff)
		return bad(why, "truncated: its program headers are beyond its end");
	plan->pie = h.type == 3;
	plan->entry = h.entry;
	plan->phoff = h.phoff;
	plan->phnum = h.phnum;
	return 0;
}

static int add_segment(struct elf_plan *plan, const struct phdr *p, uint64_t size, uint64_t max_va,
		       const char **why)
{
	struct elf_segment *s = &plan->segment[plan->n];
	uint64_t lo, hi;

	if (p->mem_len == 0)
		return 0;
	if (plan->n == ELF_SEGMENTS)
		return bad(why, "it has too many segments");
	if (p->file_len > p->mem_len)
		return bad(why, "a segment is larger in the file than in memory");
	if (p->offset > size || p->file_len > size - p->offset)
		return bad(why, "truncated: a segment lies beyond its end");
	if ((p->va ^ p->offset) % GW_PAGE_SIZE != 0)
		return bad(
			why,
			"a segment is misaligned (address and file offset differ within the page)");
	if ((p->align & (p->align - 1)) != 0 || p->align > (1ull << 30))
		return bad(why, "a segment has a bad alignment");
	if (p->va >= max_va || p->mem_len > max_va - p->va || (!plan->pie && p->va < LOWEST_VA))
		return bad(why, "a segment is out of the address range for programs");
	lo = ROUND_DOWN(p->va, GW_PAGE_SIZE);
	hi = ROUND_UP(p->va + p->mem_len, GW_PAGE_SIZE);
	if (plan->n > 0 && lo < plan->hi)
		return bad(why, p->va < s[-1].va ? "its segments are not in ascending order"
						 : "its segments overlap");
	if (plan->n == 0)
		plan->lo = lo;
	plan->hi = hi;
	if (p->align > plan->align)
		plan->align = p->align;
	*s = (struct elf_segment){
		.va = p->va, .file_len = p->file_len, .mem_len = p->mem_len, .offset = p->offset
	};
	s->prot = ((p->flags & PF_R) != 0 ? 1u : 0) | ((p->flags & PF_W) != 0 ? 2u : 0) |
		  ((p->flags & PF_X) != 0 ? 4u : 0);
	if (plan->phoff >= p->offset && plan->phoff - p->offset < p->file_len &&
	    (uint64_t)plan->phnum * ELF_PHDR_BYTES <= p->file_len - (plan->phoff - p->offset))
		plan->phdr_va = p->va + (plan->phoff - p->offset);
	plan->n++;
	return 0;
}

static int add_interp(struct elf_plan *plan, const struct phdr *p, uint64_t size, const char **why)
{
	if (plan->interp_len != 0)
		return bad(why, "it names two interpreters");
	if (p->file_len < 2 || p->file_len > 256)
		return bad(why, "the name of its interpreter is empty or too long");
	if (p->offset > size || p->file_len > size - p->offset)
		return bad(why, "truncated: the name of its interpreter lies beyond its end");
	plan->interp_offset = p->offset;
	plan->interp_len = p->file_len;
	return 0;
}

int elf_check_segments(struct elf_plan *plan, const void *phdrs, uint64_t size, uint64_t max_va,
		       const char **why)
{
	bool entry_ok = false;

	plan->exec_stack =
		true; /* without PT_GNU_STACK; programs get no executable stack here all the same */
	for (uint32_t i = 0; i < plan->phnum; i++) {
		struct phdr p;
		int r = 0;

		memcpy(&p, (const uint8_t *)phdrs + i * sizeof(p), sizeof(p));
		if (p.type == PT_LOAD)
			r = add_segment(plan, &p, size, max_va, why);
		else if (p.type == PT_INTERP)
			r = add_interp(plan, &p, size, why);
		else if (p.type == PT_GNU_STACK)
			plan->exec_stack = (p.flags & PF_X) != 0;
		if (r != 0)
			return r;
	}
	if (plan->n == 0)
		return bad(why, "it has no segments to load");
	for (uint32_t i = 0; i < plan->n; i++) {
		const struct elf_segment *s = &plan->segment[i];

		if ((s->prot & 4) != 0 && plan->entry >= s->va && plan->entry - s->va < s->mem_len)
			entry_ok = true;
	}
	if (!entry_ok && plan->entry != 0)
		return bad(why, "its entry point is outside its code");
	return plan->entry == 0 ? bad(why, "it is a library, not a program (no entry point)") : 0;
}
