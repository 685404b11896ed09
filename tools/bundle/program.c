/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - the partition program's ELF to segments. The file is not trusted: every offset and
 * length is checked against it before use. See program.h. */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "abi/vcore.h"
#include "tools/base/util.h"
#include "tools/bundle/program.h"

#define PAGE_DOWN(x) ((x) & ~(uint64_t)(GW_PAGE - 1))
#define PAGE_UP(x) PAGE_DOWN((x) + GW_PAGE - 1)

static int check_header(const Elf64_Ehdr *e, size_t len, const char *name)
{
	if (len < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
		return fail("%s is not an ELF file", name);
	if (e->e_ident[EI_CLASS] != ELFCLASS64 || e->e_ident[EI_DATA] != ELFDATA2LSB ||
	    e->e_machine != EM_X86_64 || (e->e_type != ET_EXEC && e->e_type != ET_DYN))
		return fail("%s is not an x86-64 program", name);
	if (e->e_phentsize != sizeof(Elf64_Phdr) || e->e_phoff > len ||
	    (len - e->e_phoff) / sizeof(Elf64_Phdr) < e->e_phnum)
		return fail("%s is truncated (program headers)", name);
	return 0;
}

static int add_segment(struct program *p, const Elf64_Phdr *ph, const uint8_t *bytes, size_t len,
		       const char *name)
{
	struct program_segment *s = &p->segments[p->n];
	uint64_t pad = ph->p_vaddr & (GW_PAGE - 1);

	if (p->n == GW_BUNDLE_SEGMENTS)
		return fail("%s has more than %u segments", name, GW_BUNDLE_SEGMENTS);
	if (ph->p_filesz > ph->p_memsz || ph->p_offset > len || len - ph->p_offset < ph->p_filesz)
		return fail("%s is truncated (segment at 0x%" PRIx64 ")", name, ph->p_vaddr);
	if (ph->p_vaddr < GW_RUNTIME_BASE || ph->p_vaddr >= GW_MEM_BASE ||
	    ph->p_memsz > GW_MEM_BASE - ph->p_vaddr)
		return fail("%s: segment at 0x%" PRIx64 " lies outside the runtime's addresses",
			    name, ph->p_vaddr);
	if ((ph->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return fail("%s: segment at 0x%" PRIx64 " is writable and executable", name,
			    ph->p_vaddr);
	s->va = ph->p_vaddr - pad;
	s->mem_len = pad + ph->p_memsz;
	for (size_t i = 0; i < p->n; i++) {
		const struct program_segment *o = &p->segments[i];

		if (s->va < PAGE_UP(o->va + o->mem_len) && o->va < PAGE_UP(s->va + s->mem_len))
			return fail("%s: segments at 0x%" PRIx64 " and 0x%" PRIx64 " overlap", name,
				    o->va, s->va);
	}
	s->file_len = ph->p_filesz == 0 ? 0 : pad + ph->p_filesz;
	s->flags = (ph->p_flags & PF_W ? GW_MAP_W : 0) | (ph->p_flags & PF_X ? GW_MAP_X : 0);
	s->bytes = xcalloc(1, (size_t)s->file_len);
	if (ph->p_filesz != 0)
		memcpy(s->bytes + pad, bytes + ph->p_offset, (size_t)ph->p_filesz);
	p->n++;
	return 0;
}

/* The 8 or more loaded bytes at va, or NULL when [va, va + n) is not within one segment's file
 * bytes. */
static uint8_t *at(const struct program *p, uint64_t va, uint64_t n)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct program_segment *s = &p->segments[i];

		if (va >= s->va && va - s->va <= s->file_len && s->file_len - (va - s->va) >= n)
			return s->bytes + (va - s->va);
	}
	return NULL;
}

/* A position-independent program keeps pointers as relocations. It is loaded where it was linked,
 * so applying them is storing the addend. */
static int relocate(struct program *p, const Elf64_Phdr *dynamic, const char *name)
{
	uint64_t rela = 0, rela_len = 0, n = dynamic->p_filesz / sizeof(Elf64_Dyn);
	const uint8_t *d = at(p, dynamic->p_vaddr, dynamic->p_filesz), *r;

	if (d == NULL)
		return fail("%s: its dynamic section lies outside its segments", name);
	for (uint64_t i = 0; i < n; i++) {
		Elf64_Dyn dyn;

		memcpy(&dyn, d + i * sizeof(dyn), sizeof(dyn));
		if (dyn.d_tag == DT_NULL)
			break;
		if (dyn.d_tag == DT_RELA)
			rela = dyn.d_un.d_ptr;
		if (dyn.d_tag == DT_RELASZ)
			rela_len = dyn.d_un.d_val;
		if (dyn.d_tag == DT_NEEDED || dyn.d_tag == DT_RELR || dyn.d_tag == DT_JMPREL)
			return fail("%s: link it statically, with plain RELA relocations", name);
	}
	r = at(p, rela, rela_len);
	if (rela_len != 0 && r == NULL)
		return fail("%s: its relocations lie outside its segments", name);
	for (uint64_t i = 0; i < rela_len / sizeof(Elf64_Rela); i++) {
		Elf64_Rela a;
		uint8_t *where;

		memcpy(&a, r + i * sizeof(a), sizeof(a));
		if (ELF64_R_TYPE(a.r_info) == R_X86_64_NONE)
			continue;
		where = at(p, a.r_offset, 8);
		if (ELF64_R_TYPE(a.r_info) != R_X86_64_RELATIVE || where == NULL)
			return fail("%s: relocation %" PRIu64 " (type %u) cannot be applied", name,
				    i, (unsigned int)ELF64_R_TYPE(a.r_info));
		memcpy(where, &a.r_addend, 8);
	}
	return 0;
}

static int parse(struct program *p, const uint8_t *bytes, size_t len, const char *name)
{
	Elf64_Phdr ph, dynamic = { 0 };
	Elf64_Ehdr e = { 0 };

	memcpy(&e, bytes, len < sizeof(e) ? len : sizeof(e));
	if (check_header(&e, len, name) != 0)
		return -1;
	for (uint64_t i = 0; i < e.e_phnum; i++) {
		memcpy(&ph, bytes + e.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type == PT_INTERP)
			return fail("%s needs an interpreter: a partition program is static", name);
		if (ph.p_type == PT_DYNAMIC)
			dynamic = ph;
		if (ph.p_type == PT_LOAD && ph.p_memsz != 0 &&
		    add_segment(p, &ph, bytes, len, name) != 0)
			return -1;
	}
	if (dynamic.p_filesz != 0 && relocate(p, &dynamic, name) != 0)
		return -1;
	p->entry = e.e_entry;
	for (size_t i = 0; i < p->n; i++) {
		const struct program_segment *s = &p->segments[i];

		if (s->flags & GW_MAP_X && p->entry >= s->va && p->entry - s->va < s->file_len)
			return 0;
	}
	return fail("%s: its entry 0x%" PRIx64 " is in no executable segment", name, p->entry);
}

int program_parse(struct program *p, const uint8_t *bytes, size_t len, const char *name)
{
	*p = (struct program){ 0 };
	if (parse(p, bytes, len, name) == 0)
		return 0;
	program_free(p);
	return -1;
}

void program_free(struct program *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->segments[i].bytes);
	*p = (struct program){ 0 };
}
